//! Rooms as pages and events show them: public data only.

use crate::wire::Wire;
use crate::{
    ids::UnixMillis,
    slug::RoomSlug,
    validation::{self, DESCRIPTION_MAX, Field, FieldIssue, NAME_MAX, Problem, TITLE_MAX},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who can find a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// In the directory.
    #[default]
    Public,
    /// For whoever has the address.
    Unlisted,
    /// For whoever knows the room's password too.
    Password,
    /// For whoever was sent a link that lets them in.
    Invitation,
}

impl Visibility {
    pub const ALL: [Self; 4] = [Self::Public, Self::Unlisted, Self::Password, Self::Invitation];

    /// # Errors
    /// [`Problem::NotAChoice`] for anything but `public`, `unlisted`, `password` and `invitation`.
    pub fn parse(text: &str) -> Result<Self, FieldIssue> {
        let known = Self::ALL.into_iter().find(|visibility| visibility.as_str() == text.trim());
        known.ok_or(FieldIssue::new(Field::Visibility, Problem::NotAChoice))
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Password => "password",
            Self::Invitation => "invitation",
        }
    }

    /// Whether the address is not enough to get in.
    pub const fn is_gated(self) -> bool {
        matches!(self, Self::Password | Self::Invitation)
    }
}

/// Whether a room is on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LiveState {
    /// Nothing was ever published.
    Never,
    /// Not on the air; the last broadcast ended then.
    Offline { since: UnixMillis },
    /// An encoder is connected, and its first key frame has not come.
    Starting { since: UnixMillis },
    /// On the air since the first key frame.
    Live { since: UnixMillis },
}

impl LiveState {
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// The word that APIs and CSS use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Offline { .. } => "offline",
            Self::Starting { .. } => "starting",
            Self::Live { .. } => "live",
        }
    }

    pub const fn since(self) -> Option<UnixMillis> {
        match self {
            Self::Never => None,
            Self::Offline { since } | Self::Starting { since } | Self::Live { since } => Some(since),
        }
    }
}

/// A room as the directory shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct RoomCard {
    pub slug: RoomSlug,
    pub title: String,
    /// The owner's name as shown.
    pub owner: String,
    /// One of [`validation::CATEGORIES`].
    pub category: String,
    pub tags: Vec<String>,
    /// One of [`validation::LANGUAGES`].
    pub language: String,
    pub live: LiveState,
    /// Connections that are being sent media now.
    pub watching: u32,
}

/// A room as its own page shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct RoomPage {
    pub card: RoomCard,
    pub description: String,
    pub visibility: Visibility,
    /// Whether the one who asks owns it, and so may open its studio.
    pub mine: bool,
    /// What a player without this browser's cookies plays by; empty where the address is enough. `Debug` does not print it.
    pub play_token: String,
}

impl fmt::Debug for RoomPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { card, description, visibility, mine, play_token: _ } = self;
        f.debug_struct("RoomPage")
            .field("card", card)
            .field("description", description)
            .field("visibility", visibility)
            .field("mine", mine)
            .finish_non_exhaustive()
    }
}

/// A checked room, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomDraft {
    /// The owner's name as shown, kept with the person.
    pub owner_name: String,
    pub slug: RoomSlug,
    pub title: String,
    pub description: String,
    pub category: String,
    pub tags: Vec<String>,
    pub language: String,
    pub visibility: Visibility,
}

/// What a room form sends, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct RoomForm {
    pub owner_name: String,
    pub slug: String,
    pub title: String,
    pub description: String,
    pub category: String,
    /// Tags with commas between them.
    pub tags: String,
    pub language: String,
    pub visibility: String,
}

impl RoomForm {
    /// Checks every field, so that all that is wrong is said at once.
    ///
    /// # Errors
    /// One [`FieldIssue`] a broken field, in the form's order.
    pub fn check(&self) -> Result<RoomDraft, Vec<FieldIssue>> {
        let owner_name = validation::line(Field::Name, &self.owner_name, NAME_MAX);
        let title = validation::line(Field::Title, &self.title, TITLE_MAX);
        let slug = RoomSlug::parse(&self.slug);
        let description = validation::paragraph(Field::Description, &self.description, DESCRIPTION_MAX);
        let category = validation::category(&self.category);
        let tags = validation::tags(&self.tags);
        let language = validation::language(&self.language);
        let visibility = Visibility::parse(&self.visibility);
        match (owner_name, title, slug, description, category, tags, language, visibility) {
            (
                Ok(owner_name),
                Ok(title),
                Ok(slug),
                Ok(description),
                Ok(category),
                Ok(tags),
                Ok(language),
                Ok(visibility),
            ) => Ok(RoomDraft { owner_name, slug, title, description, category, tags, language, visibility }),
            (owner_name, title, slug, description, category, tags, language, visibility) => Err([
                owner_name.err(),
                title.err(),
                slug.err(),
                description.err(),
                category.err(),
                tags.err(),
                language.err(),
                visibility.err(),
            ]
            .into_iter()
            .flatten()
            .collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_field_is_named_at_once() {
        let form = RoomForm {
            title: "ok".into(),
            category: "games".into(),
            language: "ko".into(),
            visibility: "public".into(),
            ..RoomForm::default()
        };
        let issues = form.check().expect_err("name and slug are missing");
        assert_eq!(issues.iter().map(|i| i.field).collect::<Vec<_>>(), [Field::Name, Field::Slug]);
    }

    #[test]
    fn each_visibility_is_a_word_and_two_of_them_ask_for_more_than_the_address() {
        for visibility in Visibility::ALL {
            assert_eq!(Visibility::parse(visibility.as_str()), Ok(visibility));
            let json = serde_json::to_string(&visibility).expect("serializes");
            assert_eq!(json, format!("\"{}\"", visibility.as_str()), "the form and the wire say the same");
        }
        assert_eq!(Visibility::ALL.map(Visibility::is_gated), [false, false, true, true]);
        assert!(Visibility::parse("everybody").is_err());
    }

    #[test]
    fn a_state_is_one_flat_object() {
        let json = serde_json::to_string(&LiveState::Live { since: UnixMillis(5) }).expect("serializes");
        assert_eq!(json, r#"{"state":"live","since":5}"#);
    }
}
