//! The `#[serde(…)]` attributes that are understood.

use syn::{Attribute, Error, ExprPath, LitStr, meta::ParseNestedMeta};

/// How an enum says which variant it is.
#[derive(Default)]
pub enum Tagging {
    #[default]
    External,
    Internal {
        tag: String,
    },
    Adjacent {
        tag: String,
        content: String,
    },
}

/// What stands on a type.
#[derive(Default)]
pub struct Container {
    pub tagging: Tagging,
    pub snake_case: bool,
    /// Fields that are absent come from the type's `Default`.
    pub default: bool,
    /// Crosses as the text that it converts into and from.
    pub through_string: bool,
}

/// What stands on a field.
#[derive(Default)]
pub struct Member {
    pub default: bool,
    /// Left out when this says so.
    pub skip_if: Option<ExprPath>,
}

impl Container {
    pub fn of(attributes: &[Attribute]) -> Result<Self, Error> {
        let (mut tag, mut content) = (None, None);
        let mut container = Self::default();
        each(attributes, |meta| {
            if meta.path.is_ident("tag") {
                tag = Some(text(&meta)?);
            } else if meta.path.is_ident("content") {
                content = Some(text(&meta)?);
            } else if meta.path.is_ident("rename_all") && text(&meta)? == "snake_case" {
                container.snake_case = true;
            } else if meta.path.is_ident("default") {
                container.default = true;
            } else if (meta.path.is_ident("into") || meta.path.is_ident("try_from")) && text(&meta)? == "String" {
                container.through_string = true;
            } else {
                return Err(meta.error("derive(Wire) does not know this"));
            }
            Ok(())
        })?;
        container.tagging = match (tag, content) {
            (None, _) => Tagging::External,
            (Some(tag), None) => Tagging::Internal { tag },
            (Some(tag), Some(content)) => Tagging::Adjacent { tag, content },
        };
        Ok(container)
    }
}

impl Member {
    pub fn of(attributes: &[Attribute]) -> Result<Self, Error> {
        let mut member = Self::default();
        each(attributes, |meta| {
            if meta.path.is_ident("default") {
                member.default = true;
            } else if meta.path.is_ident("skip_serializing_if") {
                member.skip_if = Some(meta.value()?.parse::<LitStr>()?.parse()?);
            } else {
                return Err(meta.error("derive(Wire) does not know this"));
            }
            Ok(())
        })?;
        Ok(member)
    }
}

fn each(attributes: &[Attribute], take: impl FnMut(ParseNestedMeta<'_>) -> Result<(), Error>) -> Result<(), Error> {
    let mut take = take;
    attributes.iter().filter(|a| a.path().is_ident("serde")).try_for_each(|a| a.parse_nested_meta(&mut take))
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<String, Error> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}
