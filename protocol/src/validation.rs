//! The rules for what people type, run alike in the browser (at once) and on the server (in truth).

use crate::slug::RoomSlug;
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Longest room title, in graphemes.
pub const TITLE_MAX: usize = 100;
/// Longest room description, in graphemes.
pub const DESCRIPTION_MAX: usize = 2000;
/// Most tags a room may have.
pub const TAGS_MAX: usize = 5;
/// Longest tag, in graphemes.
pub const TAG_MAX: usize = 24;
/// Longest name of a person or of a stream key, in graphemes.
pub const NAME_MAX: usize = 32;
/// Most bytes any one field may have, whatever its graphemes: combining marks make a grapheme as long as one likes.
const BYTES_PER_GRAPHEME_MAX: usize = 16;

/// The categories a room can be in; the code is stored, the words are in the message files.
pub const CATEGORIES: [&str; 10] =
    ["games", "software", "music", "craft", "study", "food", "talk", "sports", "outdoors", "other"];

/// The languages a room can be in, as BCP 47 tags; the names are their own languages' words.
pub const LANGUAGES: [(&str, &str); 10] = [
    ("en", "English"),
    ("ko", "한국어"),
    ("ja", "日本語"),
    ("zh", "中文"),
    ("es", "Español"),
    ("pt", "Português"),
    ("fr", "Français"),
    ("de", "Deutsch"),
    ("vi", "Tiếng Việt"),
    ("id", "Bahasa Indonesia"),
];

/// A field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Name,
    Slug,
    Title,
    Description,
    Category,
    Tags,
    Language,
    Visibility,
    KeyName,
    Password,
    /// The password that is to be another one, or that confirms something.
    CurrentPassword,
    /// The code of an invitation.
    Invitation,
}

/// What is wrong with a field. The words for it are in the message files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Nothing was typed.
    Empty,
    /// Fewer than `min` graphemes or characters.
    TooShort { min: usize },
    /// More than `max` graphemes or characters.
    TooLong { max: usize },
    /// Characters that the field does not take.
    Characters,
    /// More than `max` items.
    TooMany { max: usize },
    /// Somebody has it already.
    Taken,
    /// Kept for the system's own use.
    Reserved,
    /// Not one of the choices.
    NotAChoice,
    /// Not the right one: a password, a code.
    Wrong,
}

/// One field and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Wire, thiserror::Error)]
#[error("{field:?}: {problem:?}")]
pub struct FieldIssue {
    pub field: Field,
    pub problem: Problem,
}

impl FieldIssue {
    pub const fn new(field: Field, problem: Problem) -> Self {
        Self { field, problem }
    }
}

/// Trims, folds white space to single spaces, and refuses control and bidirectional-override characters.
///
/// # Errors
/// [`Problem::Empty`], [`Problem::TooLong`] (graphemes, or bytes at 16 a grapheme) or [`Problem::Characters`].
pub fn line(field: Field, text: &str, max: usize) -> Result<String, FieldIssue> {
    fold_line(text, max).map_err(|problem| FieldIssue::new(field, problem))
}

/// [`line`] for what is no field of a form.
pub(crate) fn fold_line(text: &str, max: usize) -> Result<String, Problem> {
    if text.len() > max.saturating_mul(BYTES_PER_GRAPHEME_MAX) {
        return Err(Problem::TooLong { max });
    }
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if folded.is_empty() {
        return Err(Problem::Empty);
    }
    if folded.chars().any(|c| c.is_control() || is_bidi_control(c)) {
        return Err(Problem::Characters);
    }
    if folded.graphemes(true).count() > max {
        return Err(Problem::TooLong { max });
    }
    Ok(folded)
}

/// Trims a text of several lines; it may be empty. Line ends become `\n`.
///
/// # Errors
/// [`Problem::TooLong`] or [`Problem::Characters`].
pub fn paragraph(field: Field, text: &str, max: usize) -> Result<String, FieldIssue> {
    if text.len() > max.saturating_mul(BYTES_PER_GRAPHEME_MAX) {
        return Err(FieldIssue::new(field, Problem::TooLong { max }));
    }
    let folded = text.replace("\r\n", "\n").trim().to_owned();
    if folded.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || is_bidi_control(c)) {
        return Err(FieldIssue::new(field, Problem::Characters));
    }
    if folded.graphemes(true).count() > max {
        return Err(FieldIssue::new(field, Problem::TooLong { max }));
    }
    Ok(folded)
}

/// Splits what was typed at commas, drops `#`, empties and repeats, and checks each tag.
///
/// # Errors
/// [`Problem::TooMany`], or what [`line`] says of a tag.
pub fn tags(text: &str) -> Result<Vec<String>, FieldIssue> {
    let mut tags: Vec<String> = Vec::new();
    for part in text.split([',', '，', '\n']) {
        let part = part.trim().trim_start_matches('#').trim();
        if part.is_empty() {
            continue;
        }
        let tag = line(Field::Tags, part, TAG_MAX)?.to_lowercase();
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if tags.len() > TAGS_MAX {
            return Err(FieldIssue::new(Field::Tags, Problem::TooMany { max: TAGS_MAX }));
        }
    }
    Ok(tags)
}

/// # Errors
/// [`Problem::NotAChoice`] for anything not in [`CATEGORIES`].
pub fn category(text: &str) -> Result<String, FieldIssue> {
    let known = CATEGORIES.iter().find(|c| **c == text.trim());
    known.map(|c| (*c).to_owned()).ok_or(FieldIssue::new(Field::Category, Problem::NotAChoice))
}

/// # Errors
/// [`Problem::NotAChoice`] for anything not in [`LANGUAGES`].
pub fn language(text: &str) -> Result<String, FieldIssue> {
    let known = LANGUAGES.iter().find(|(tag, _)| *tag == text.trim());
    known.map(|(tag, _)| (*tag).to_owned()).ok_or(FieldIssue::new(Field::Language, Problem::NotAChoice))
}

/// # Errors
/// What [`RoomSlug::parse`] says.
pub fn slug(text: &str) -> Result<RoomSlug, FieldIssue> {
    RoomSlug::parse(text)
}

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_folded_and_limited_in_graphemes_not_bytes() {
        assert_eq!(line(Field::Title, "  밤새 \t 코딩  ", 10).as_deref(), Ok("밤새 코딩"));
        assert_eq!(line(Field::Title, "👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 20).as_deref(), Ok("👩‍👩‍👧‍👦👩‍👩‍👧‍👦"));
        assert_eq!(line(Field::Title, "abc", 2), Err(FieldIssue::new(Field::Title, Problem::TooLong { max: 2 })));
        assert_eq!(line(Field::Title, " \n ", 2), Err(FieldIssue::new(Field::Title, Problem::Empty)));
    }

    #[test]
    fn a_pile_of_combining_marks_is_too_long() {
        let zalgo = format!("a{}", "\u{0301}".repeat(4000));
        assert!(line(Field::Title, &zalgo, TITLE_MAX).is_err());
    }

    #[test]
    fn a_right_to_left_override_is_refused() {
        let found = line(Field::Title, "cod\u{202e}gnp.exe", TITLE_MAX);
        assert_eq!(found, Err(FieldIssue::new(Field::Title, Problem::Characters)));
    }

    #[test]
    fn tags_lose_marks_and_repeats() {
        assert_eq!(tags("#Rust, rust ,, 한국어").expect("fine"), ["rust", "한국어"]);
        assert_eq!(tags("a,b,c,d,e,f"), Err(FieldIssue::new(Field::Tags, Problem::TooMany { max: TAGS_MAX })));
        assert_eq!(tags("").expect("fine"), Vec::<String>::new());
    }
}
