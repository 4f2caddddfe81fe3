//! A room's word filter.
//!
//! Case, width and look-alike letters do not count. A word matches whole words, except at an end where it has a `*`
//! (`spam*`), and except at a Hangul, Han or kana letter, since those scripts join words without a space: `바보` is found in
//! `바보야`, while `ass` is not found in `class`.

use crate::looks::text_looks;
use madang_protocol::{
    Field,
    chat::{FILTER_WORD_MAX, FILTER_WORDS_MAX},
    validation,
};

/// The words, made ready.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter(Vec<Word>);

#[derive(Clone, Debug)]
struct Word {
    typed: String,
    looks: [String; 2],
    /// Whether a letter may stand before it, and after it.
    open: (bool, bool),
}

impl Filter {
    pub(crate) fn new(words: &[String]) -> Self {
        Self(words.iter().filter_map(|word| Word::new(word)).collect())
    }

    /// The first word of the filter that is in the text, as it was typed.
    pub(crate) fn finds(&self, text: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let looks = text_looks(text);
        self.0.iter().find(|word| word.is_in(&looks)).map(|word| word.typed.as_str())
    }
}

impl Word {
    fn new(typed: &str) -> Option<Self> {
        let bare = typed.trim().trim_matches('*');
        let looks = text_looks(bare);
        if looks.iter().any(|look| look.trim().is_empty()) {
            return None;
        }
        let open = (
            typed.trim().starts_with('*') || bare.chars().next().is_some_and(joins),
            typed.trim().ends_with('*') || bare.chars().next_back().is_some_and(joins),
        );
        Some(Self { typed: typed.to_owned(), looks, open })
    }

    fn is_in(&self, text: &[String; 2]) -> bool {
        self.looks.iter().zip(text).any(|(word, text)| {
            text.match_indices(word.as_str()).any(|(at, found)| {
                let before = text.get(..at).and_then(|before| before.chars().next_back());
                let after = text.get(at.saturating_add(found.len())..).and_then(|after| after.chars().next());
                (self.open.0 || !before.is_some_and(char::is_alphanumeric))
                    && (self.open.1 || !after.is_some_and(char::is_alphanumeric))
            })
        })
    }
}

/// Letters of scripts that write words without a space between.
fn joins(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{30ff}' | '\u{3130}'..='\u{318f}' | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{e00}'..='\u{e7f}' | '\u{20000}'..='\u{3ffff}')
}

/// Words as they are kept: one line each, without repeats. Those that nothing is left of are dropped.
///
/// # Errors
/// `false` in place of words: too many, or one too long or with characters that no line has.
pub(crate) fn checked(words: &[String]) -> Option<Vec<String>> {
    let mut kept: Vec<String> = Vec::new();
    for word in words.iter().filter(|word| !word.trim().is_empty()) {
        let word = validation::line(Field::Tags, word, FILTER_WORD_MAX).ok()?;
        Word::new(&word)?;
        if !kept.contains(&word) {
            kept.push(word);
        }
    }
    (kept.len() <= FILTER_WORDS_MAX).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], text: &str) -> Option<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Filter::new(&words).finds(text).map(str::to_owned)
    }

    #[test]
    fn whole_words_in_whatever_letters() {
        for text in ["you ass", "ASS!", "а\u{455}\u{455}", "ａｓｓ", "a\u{200b}ss", "(ass)", "ass"] {
            assert_eq!(found(&["ass"], text).as_deref(), Some("ass"), "{text}");
        }
        for text in ["class", "assassin", "as s", "", "pass"] {
            assert_eq!(found(&["ass"], text), None, "{text}");
        }
        assert_eq!(found(&["buy now"], "BUY NOW!!").as_deref(), Some("buy now"));
    }

    #[test]
    fn a_star_and_joined_scripts_match_inside_words() {
        assert_eq!(found(&["spam*"], "spammer").as_deref(), Some("spam*"));
        assert_eq!(found(&["*spam*"], "antispammer").as_deref(), Some("*spam*"));
        assert_eq!(found(&["spam*"], "antispam"), None);
        assert_eq!(found(&["바보"], "이 바보야").as_deref(), Some("바보"));
        assert_eq!(found(&["*", " ", "**"], "anything"), None);
    }

    #[test]
    fn words_are_checked() {
        let words = |words: &[&str]| checked(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&[" a  b ", "", "a b", "c"]), Some(vec!["a b".to_owned(), "c".to_owned()]));
        assert_eq!(words(&["\u{202e}x"]), None);
        assert_eq!(words(&[&"x".repeat(FILTER_WORD_MAX + 1)]), None);
        let many: Vec<String> = (0..=FILTER_WORDS_MAX).map(|n| format!("word{n}")).collect();
        assert_eq!(checked(&many), None);
    }
}
