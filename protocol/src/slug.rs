//! A room's name in URLs.

use crate::validation::{Field, FieldIssue, Problem};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use unicode_normalization::UnicodeNormalization;

/// Shortest slug, in characters.
pub const SLUG_MIN: usize = 3;
/// Longest slug, in characters.
pub const SLUG_MAX: usize = 40;

/// Words that are, or may become, parts of the site.
const RESERVED: [&str; 24] = [
    "account",
    "admin",
    "administrator",
    "api",
    "embed",
    "fn",
    "help",
    "live",
    "login",
    "logout",
    "madang",
    "moderation",
    "moderator",
    "new",
    "owner",
    "pkg",
    "register",
    "room",
    "rooms",
    "search",
    "settings",
    "studio",
    "support",
    "system",
];

/// A room's name in URLs: 3 to 40 of `a-z`, `0-9` and `-`, neither first nor last a `-`, no two `-` together, not reserved.
/// Valid by construction, in the browser and on the server alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Wire)]
#[serde(into = "String", try_from = "String")]
pub struct RoomSlug(String);

impl RoomSlug {
    /// Takes `text` as it is, but for white space around it and upper case.
    ///
    /// # Errors
    /// A [`FieldIssue`] on [`Field::Slug`] that says which rule is broken.
    pub fn parse(text: &str) -> Result<Self, FieldIssue> {
        let issue = |problem| Err(FieldIssue::new(Field::Slug, problem));
        let text = text.trim();
        if text.is_empty() {
            return issue(Problem::Empty);
        }
        if text.len() > SLUG_MAX {
            return issue(Problem::TooLong { max: SLUG_MAX });
        }
        let text = text.to_ascii_lowercase();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !text.chars().all(fits)
            || text.starts_with('-')
            || text.ends_with('-')
            || text.as_bytes().windows(2).any(|two| two == b"--")
        {
            return issue(Problem::Characters);
        }
        if text.len() < SLUG_MIN {
            return issue(Problem::TooShort { min: SLUG_MIN });
        }
        if RESERVED.contains(&text.as_str()) {
            return issue(Problem::Reserved);
        }
        Ok(Self(text))
    }

    /// The slug that a title suggests: Hangul in the Revised Romanization (letter by letter), accents dropped, the rest `-`.
    /// `None` when too little is left.
    pub fn suggest(title: &str) -> Option<Self> {
        Self::suggest_with(title, |c| std::iter::once(c).nfkd().collect())
    }

    /// As [`RoomSlug::suggest`], with somebody else's compatibility decomposition (NFKD) of one character: a browser has its own,
    /// and the tables for it are a large part of a small download.
    pub fn suggest_with(title: &str, decompose: impl Fn(char) -> String) -> Option<Self> {
        let mut out = String::new();
        for c in title.chars().take(200) {
            if let Some(latin) = romanized(c) {
                out.push_str(&latin);
                continue;
            }
            let plain = if c.is_ascii() { c.to_string() } else { decompose(c) };
            let mut plain = plain.chars().filter(char::is_ascii_alphanumeric).peekable();
            if plain.peek().is_some() {
                out.extend(plain.map(|c| c.to_ascii_lowercase()));
            } else if !out.ends_with('-') && c != '\'' && c != '’' {
                out.push('-');
            }
        }
        let mut cut: String = out.trim_matches('-').chars().take(SLUG_MAX).collect();
        if out.trim_matches('-').len() > SLUG_MAX {
            // A word cut in the middle reads badly: go back to the last whole one if there is one.
            if let Some((whole, _)) = cut.rsplit_once('-') {
                cut = whole.to_owned();
            }
        }
        Self::parse(cut.trim_matches('-')).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One Hangul syllable, letter by letter (U+AC00 + (initial × 21 + medial) × 28 + final).
fn romanized(c: char) -> Option<String> {
    const INITIAL: [&str; 19] =
        ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"];
    const MEDIAL: [&str; 21] = [
        "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu",
        "eu", "ui", "i",
    ];
    const FINAL: [&str; 28] = [
        "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t", "ng",
        "t", "t", "k", "t", "p", "t",
    ];
    let index = (c as usize).checked_sub(0xac00).filter(|i| *i < 11_172)?;
    let (initial, medial, last) = (index / 588, index / 28 % 21, index % 28);
    Some([INITIAL.get(initial)?, MEDIAL.get(medial)?, FINAL.get(last)?].into_iter().copied().collect())
}

impl fmt::Display for RoomSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RoomSlug {
    type Err = FieldIssue;

    fn from_str(text: &str) -> Result<Self, FieldIssue> {
        Self::parse(text)
    }
}

impl From<RoomSlug> for String {
    fn from(slug: RoomSlug) -> Self {
        slug.0
    }
}

impl TryFrom<String> for RoomSlug {
    type Error = FieldIssue;

    fn try_from(text: String) -> Result<Self, FieldIssue> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn titles_suggest_readable_slugs() {
        let suggested = |title| RoomSlug::suggest(title).map(String::from);
        assert_eq!(suggested("밤새 코딩하는 방").as_deref(), Some("bamsae-kodinghaneun-bang"));
        assert_eq!(suggested("Elden run, no hits: attempt 41!").as_deref(), Some("elden-run-no-hits-attempt-41"));
        assert_eq!(suggested("Café Ångström").as_deref(), Some("cafe-angstrom"));
        assert_eq!(suggested("日本"), None);
        assert_eq!(suggested("new"), None);
        assert_eq!(suggested(&"long word ".repeat(20)).as_deref(), Some("long-word-long-word-long-word-long-word"));
    }

    #[test]
    fn broken_rules_are_named() {
        let problem = |text: &str| RoomSlug::parse(text).map_err(|e| e.problem);
        assert_eq!(problem(""), Err(Problem::Empty));
        assert_eq!(problem("ab"), Err(Problem::TooShort { min: SLUG_MIN }));
        assert_eq!(problem(&"a".repeat(41)), Err(Problem::TooLong { max: SLUG_MAX }));
        for bad in ["a/b", "a b", "-abc", "abc-", "a--b", "방방방", "../etc", "abc.flv"] {
            assert_eq!(problem(bad), Err(Problem::Characters), "{bad}");
        }
        assert_eq!(problem("admin"), Err(Problem::Reserved));
        assert_eq!(RoomSlug::parse(" My-Room ").map(String::from).as_deref(), Ok("my-room"));
    }

    proptest! {
        #[test]
        fn whatever_is_suggested_is_valid(title in ".*") {
            if let Some(slug) = RoomSlug::suggest(&title) {
                prop_assert_eq!(RoomSlug::parse(slug.as_str()), Ok(slug));
            }
        }
    }
}
