//! Languages of the interface: which one a reader gets, and the words in it (`messages/<language>/*.toml`, compiled by the build script).
//!
//! The server chooses (cookie `lang`, then `Accept-Language`) and writes the choice into `<html lang>`; the browser reads it from
//! there, so that both render the same words. `words.rs` holds the sentences that need more than a key.

use crate::context::{around, put_around};
use leptos::prelude::*;
use std::fmt::Display;

/// The cookie that keeps a reader's choice.
pub const LOCALE_COOKIE: &str = "lang";

/// A language of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Locale {
    #[default]
    En,
    Ko,
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::En, Self::Ko];

    /// BCP 47, for `<html lang>` and the cookie.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The language's name in itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Ko => "한국어",
        }
    }

    /// Reads `ko`, `ko-KR`, `KO_kr`; `None` for a language that has no messages.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(primary))
    }

    /// The language for a request, from its `Cookie` and `Accept-Language` headers as they came.
    pub fn negotiate(cookie: Option<&str>, accept_language: Option<&str>) -> Self {
        let chosen = cookie.unwrap_or_default().split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            if name.trim() == LOCALE_COOKIE { Self::parse(value) } else { None }
        });
        chosen.or_else(|| accepted(accept_language.unwrap_or_default())).unwrap_or_default()
    }
}

/// The best of an `Accept-Language` header (RFC 9110 §12.5.4); the first of equals.
fn accepted(header: &str) -> Option<Locale> {
    let mut best: Option<(Locale, f32)> = None;
    for part in header.split(',').take(32) {
        let mut parameters = part.split(';');
        let Some(locale) = parameters.next().and_then(Locale::parse) else { continue };
        let weight = parameters.find_map(|p| p.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        if weight > 0.0 && best.is_none_or(|(_, b)| weight > b) {
            best = Some((locale, weight));
        }
    }
    best.map(|(locale, _)| locale)
}

/// The words of one language. A method for each key: `messages.create_room()`, `messages.watching(1204)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages(Locale);

impl Messages {
    pub const fn new(locale: Locale) -> Self {
        Self(locale)
    }

    pub const fn locale(self) -> Locale {
        self.0
    }
}

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// Puts `{0}`, `{1}` … of a compiled message in.
fn fill(text: &str, values: &[&dyn Display]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (index, after) = after.split_once('}').unwrap_or((after, ""));
        if let Some(value) = index.parse().ok().and_then(|i: usize| values.get(i)) {
            out.push_str(&value.to_string());
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A number with a comma every three digits, as both languages write it: `1,204`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Chooses the language (see the module) and puts the words into context. Called once, by the app.
pub fn provide_messages() -> Messages {
    #[cfg(feature = "ssr")]
    let locale = use_context::<crate::context::ServerContext>().map(|c| c.locale).unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    let locale = document()
        .document_element()
        .and_then(|html| html.get_attribute("lang"))
        .and_then(|tag| Locale::parse(&tag))
        .unwrap_or_default();
    let messages = Messages::new(locale);
    put_around(|around| around.messages = Some(messages));
    messages
}

/// The reader's words; English where no app has provided any.
pub fn use_messages() -> Messages {
    around().messages.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_wins_over_the_browser() {
        assert_eq!(Locale::negotiate(Some("a=b; lang=ko"), Some("en")), Locale::Ko);
        assert_eq!(Locale::negotiate(Some("lang=xx"), Some("ko")), Locale::Ko);
        assert_eq!(Locale::negotiate(None, None), Locale::En);
    }

    #[test]
    fn the_browsers_weights_are_kept() {
        let chosen = |header| Locale::negotiate(None, Some(header));
        assert_eq!(chosen("ko-KR,ko;q=0.9,en;q=0.8"), Locale::Ko);
        assert_eq!(chosen("fr, en;q=0.3, ko;q=0.7"), Locale::Ko);
        assert_eq!(chosen("ko;q=0, en"), Locale::En);
        assert_eq!(chosen("ja, zh;q=0.5"), Locale::En);
        assert_eq!(chosen("ko;q=nonsense, en;q=0.5"), Locale::Ko);
    }

    #[test]
    fn values_go_where_their_numbers_say() {
        assert_eq!(fill("{1} 중 {0}", &[&12, &"{0}"]), "{0} 중 12");
        assert_eq!(fill("no holes", &[]), "no holes");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(["0", "999", "1,204", "1,000,000"].map(String::from), [0, 999, 1204, 1_000_000].map(grouped));
    }
}
