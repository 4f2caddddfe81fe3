//! Turns `messages/<language>/*.toml` into the methods of `Messages`. Compiled into the build script, and into the crate's tests.
//!
//! A file holds lines of `key = "text {name}"`, comments and blank lines, and nothing else. A counted message has `key.one` and
//! `key.other`, chosen by the argument `n`. The first language decides which keys and placeholders there are; each other language
//! has to have the same, so that a sentence never falls back to English in silence.

use std::{collections::BTreeMap, fmt::Write as _};

/// A language of the messages: its folder, its `Locale` variant, and whether its counted messages tell one from many.
pub struct Language {
    pub folder: &'static str,
    pub variant: &'static str,
    pub has_one: bool,
}

/// The first one is the source of keys and placeholders.
pub const LANGUAGES: [Language; 2] =
    [Language { folder: "en", variant: "En", has_one: true }, Language { folder: "ko", variant: "Ko", has_one: false }];

/// A message of one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Plain(String),
    Counted { one: Option<String>, other: String },
}

impl Text {
    fn forms(&self) -> impl Iterator<Item = &str> {
        let (one, other) = match self {
            Self::Plain(text) => (None, text),
            Self::Counted { one, other } => (one.as_deref(), other),
        };
        std::iter::once(other.as_str()).chain(one)
    }
}

/// One language's messages by key.
pub type Table = BTreeMap<String, Text>;

/// Reads one language's files, given as (name, content).
///
/// # Errors
/// A sentence that names the file, the line and what is wrong with it.
pub fn read(files: &[(String, String)]) -> Result<Table, String> {
    let mut entries: BTreeMap<String, (String, String)> = BTreeMap::new();
    for (file, content) in files {
        for (index, line) in content.lines().enumerate() {
            let place = format!("{file}:{}", index + 1);
            let Some((key, text)) = entry(line).map_err(|problem| format!("{place}: {problem}"))? else { continue };
            placeholders(&text).map_err(|problem| format!("{place}: {problem}"))?;
            if let Some((_, first)) = entries.get(&key) {
                return Err(format!("{place}: `{key}` is already defined at {first}; keys are shared by all files"));
            }
            entries.insert(key, (text, place));
        }
    }
    let mut table = Table::new();
    for (key, (text, place)) in &entries {
        let (name, text) = match key.split_once('.') {
            None => (key.as_str(), Text::Plain(text.clone())),
            Some((name, "other")) => {
                let one = entries.get(&format!("{name}.one")).map(|(text, _)| text.clone());
                (name, Text::Counted { one, other: text.clone() })
            }
            Some((name, "one")) if entries.contains_key(&format!("{name}.other")) => continue,
            Some((name, _)) => return Err(format!("{place}: `{key}` needs `{name}.other` beside it")),
        };
        if table.insert(name.to_owned(), text).is_some() {
            return Err(format!("{place}: `{name}` is both a plain and a counted message"));
        }
    }
    Ok(table)
}

/// One line: `None` for a comment or a blank one.
fn entry(line: &str) -> Result<Option<(String, String)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (key, rest) = line.split_once('=').ok_or("a line is `key = \"text\"`")?;
    let (key, rest) = (key.trim(), rest.trim());
    let (name, form) = key.split_once('.').map_or((key, None), |(name, form)| (name, Some(form)));
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !plain {
        return Err(format!("`{key}` is not a key: use a-z, 0-9 and _, beginning with a letter"));
    }
    if !matches!(form, None | Some("one" | "other")) {
        return Err(format!("`{key}`: the form after the dot is `one` or `other`"));
    }
    let body = rest.strip_prefix('"').ok_or_else(|| format!("`{key}`: the text stands in double quotes"))?;
    let mut text = String::new();
    let mut chars = body.chars();
    loop {
        match chars.next() {
            None => return Err(format!("`{key}`: the closing quote is missing")),
            Some('"') => break,
            Some('\\') => match chars.next() {
                Some(c @ ('"' | '\\')) => text.push(c),
                Some('n') => text.push('\n'),
                _ => return Err(format!("`{key}`: after \\ comes n, \\ or a quote")),
            },
            Some(c) => text.push(c),
        }
    }
    let after = chars.as_str().trim();
    if !after.is_empty() && !after.starts_with('#') {
        return Err(format!("`{key}`: `{after}` after the closing quote"));
    }
    Ok(Some((key.to_owned(), text)))
}

/// The names in braces, in order of appearance, each once.
fn placeholders(text: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['{', '}']) {
        let inner = rest.get(start..).and_then(|t| t.strip_prefix('{')).and_then(|t| t.split_once('}'));
        let (name, after) = inner.ok_or_else(|| format!("a brace without its partner in \"{text}\""))?;
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !plain {
            return Err(format!("`{{{name}}}` is not a placeholder: use a-z, 0-9 and _"));
        }
        if !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
        rest = after;
    }
    Ok(names)
}

/// A key's placeholders over all of its forms; of a counted message `n` is the first.
fn arguments(text: &Text) -> Result<Vec<String>, String> {
    let mut names = match text {
        Text::Plain(_) => Vec::new(),
        Text::Counted { .. } => vec!["n".to_owned()],
    };
    for form in text.forms() {
        for name in placeholders(form)? {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// The Rust source of the methods of `Messages`. `tables` are in the order of [`LANGUAGES`].
///
/// # Errors
/// A sentence for the first key or placeholder that one language has and another has not.
pub fn compile(tables: &[Table]) -> Result<String, String> {
    let [source, others @ ..] = tables else { return Err("no language".to_owned()) };
    let source_folder = LANGUAGES.first().map_or("", |l| l.folder);
    for (table, language) in others.iter().zip(LANGUAGES.iter().skip(1)) {
        let folder = language.folder;
        if let Some(key) = source.keys().find(|key| !table.contains_key(*key)) {
            return Err(format!("messages/{folder} lacks `{key}`, which messages/{source_folder} has"));
        }
        if let Some(key) = table.keys().find(|key| !source.contains_key(*key)) {
            return Err(format!("messages/{folder} has `{key}`, which messages/{source_folder} lacks"));
        }
    }
    let mut out = String::from("impl Messages {\n");
    for (key, text) in source {
        let names = arguments(text)?;
        let counted = matches!(text, Text::Counted { .. });
        let mut arms = String::new();
        for (table, language) in tables.iter().zip(&LANGUAGES) {
            let folder = language.folder;
            let text = table.get(key).ok_or_else(|| format!("messages/{folder} lacks `{key}`"))?;
            let (one, other) = match text {
                Text::Plain(text) if !counted => (None, text),
                Text::Counted { one, other } if counted => (one.as_ref(), other),
                _ => return Err(format!("messages/{folder}: `{key}` is counted in one language and plain in another")),
            };
            if counted && language.has_one != one.is_some() {
                let verb = if language.has_one { "needs" } else { "does not take" };
                return Err(format!("messages/{folder}: the language {verb} `{key}.one`"));
            }
            let found = arguments(text)?;
            if let Some(name) = names.iter().find(|name| !found.contains(name)) {
                return Err(format!("messages/{folder}: `{key}` lacks the placeholder {{{name}}}"));
            }
            if let Some(name) = found.iter().find(|name| !names.contains(name)) {
                let place = format!("which messages/{source_folder} lacks");
                return Err(format!("messages/{folder}: `{key}` has the placeholder {{{name}}}, {place}"));
            }
            let (variant, other) = (language.variant, numbered(other, &names));
            let _ = match one {
                Some(one) if numbered(one, &names) != other => writeln!(
                    arms,
                    "            Locale::{variant} => if n == 1 {{ {:?} }} else {{ {other:?} }},",
                    numbered(one, &names)
                ),
                _ => writeln!(arms, "            Locale::{variant} => {other:?},"),
            };
        }
        let shown = text.forms().next().unwrap_or_default().replace('\n', " ");
        let _ = writeln!(out, "    /// “{shown}”");
        let _ = if names.is_empty() {
            writeln!(
                out,
                "    pub const fn {key}(self) -> &'static str {{\n        match self.locale() {{\n{arms}        }}\n    }}"
            )
        } else {
            let parameter = |name: &String| match counted && name == "n" {
                true => ", n: u64".to_owned(),
                false => format!(", {name}: impl Display"),
            };
            let value = |name: &String| match counted && name == "n" {
                true => "&grouped(n)".to_owned(),
                false => format!("&{name}"),
            };
            let parameters: String = names.iter().map(parameter).collect();
            let values = names.iter().map(value).collect::<Vec<_>>().join(", ");
            writeln!(
                out,
                "    pub fn {key}(self{parameters}) -> String {{\n        fill(match self.locale() {{\n{arms}        }}, &[{values}])\n    }}"
            )
        };
    }
    out.push_str("}\n");
    Ok(out)
}

/// The text with each placeholder's name replaced by its place among `names`, which is what `fill` reads.
fn numbered(text: &str, names: &[String]) -> String {
    let mut text = text.to_owned();
    for (index, name) in names.iter().enumerate() {
        text = text.replace(&format!("{{{name}}}"), &format!("{{{index}}}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(content: &str) -> Result<Table, String> {
        read(&[("a.toml".to_owned(), content.to_owned())])
    }

    fn both(en: &str, ko: &str) -> Result<String, String> {
        compile(&[table(en)?, table(ko)?])
    }

    #[test]
    fn lines_comments_and_escapes_are_read() {
        let read = table("# words\n\nhello = \"a \\\"b\\\" \\\\ c\" # end\n").expect("reads");
        assert_eq!(read.get("hello"), Some(&Text::Plain("a \"b\" \\ c".into())));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let wrong = |content| table(content).expect_err("is wrong");
        assert_eq!(wrong("\nA = \"x\""), "a.toml:2: `A` is not a key: use a-z, 0-9 and _, beginning with a letter");
        assert_eq!(wrong("a = x"), "a.toml:1: `a`: the text stands in double quotes");
        assert_eq!(wrong("a = \"x"), "a.toml:1: `a`: the closing quote is missing");
        assert_eq!(wrong("a = \"{x\""), "a.toml:1: a brace without its partner in \"{x\"");
        assert_eq!(wrong("a = \"x}\""), "a.toml:1: a brace without its partner in \"x}\"");
        assert_eq!(wrong("a.one = \"x\""), "a.toml:1: `a.one` needs `a.other` beside it");
        assert_eq!(wrong("a.many = \"x\""), "a.toml:1: `a.many`: the form after the dot is `one` or `other`");
        assert!(wrong("a = \"x\"\na = \"y\"").contains("already defined at a.toml:1"));
    }

    #[test]
    fn a_missing_key_or_placeholder_fails_the_build() {
        assert_eq!(both("a = \"x\"", ""), Err("messages/ko lacks `a`, which messages/en has".into()));
        assert_eq!(both("", "a = \"x\""), Err("messages/ko has `a`, which messages/en lacks".into()));
        assert_eq!(both("a = \"{b}\"", "a = \"x\""), Err("messages/ko: `a` lacks the placeholder {b}".into()));
        assert!(both("a = \"x\"", "a = \"{b}\"").is_err());
        assert!(both("a.other = \"{n}\"", "a.other = \"{n}\"").is_err_and(|e| e.contains("needs `a.one`")));
    }

    #[test]
    fn placeholders_keep_their_arguments_in_any_order() {
        let code = both("a = \"{x} of {y}\"", "a = \"{y} 중 {x}\"").expect("compiles");
        assert!(code.contains("pub fn a(self, x: impl Display, y: impl Display) -> String"), "{code}");
        assert!(code.contains("Locale::Ko => \"{1} 중 {0}\""), "{code}");
    }

    #[test]
    fn a_counted_message_takes_n_first() {
        let code = both("a.one = \"a room of {x}\"\na.other = \"{n} rooms of {x}\"", "a.other = \"{x}의 방 {n}개\"");
        let code = code.expect("compiles");
        assert!(code.contains("pub fn a(self, n: u64, x: impl Display) -> String"), "{code}");
        assert!(code.contains("if n == 1 { \"a room of {1}\" } else { \"{0} rooms of {1}\" }"), "{code}");
    }
}
