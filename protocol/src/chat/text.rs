//! What a message's text may be, and what is found in it: links and mentions. Plain scanning, no pattern engine: it runs in
//! the browser too.

use super::ChatRefusal;
use crate::validation::{self, Problem};
use std::ops::Range;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longest message, in graphemes (and 16 bytes for each of them).
pub const MESSAGE_MAX: usize = 500;

/// What is wrong with a message's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextProblem {
    #[error("nothing is in it")]
    Empty,
    #[error("longer than {MESSAGE_MAX} graphemes")]
    TooLong,
    #[error("control characters, or text that runs backwards")]
    Characters,
}

impl From<TextProblem> for ChatRefusal {
    fn from(problem: TextProblem) -> Self {
        match problem {
            TextProblem::Empty => Self::Empty,
            TextProblem::TooLong => Self::TooLong,
            TextProblem::Characters => Self::Characters,
        }
    }
}

/// A message's text as it is kept: one line, trimmed, white space folded to single spaces.
///
/// # Errors
/// A [`TextProblem`].
pub fn message_text(text: &str) -> Result<String, TextProblem> {
    validation::fold_line(text, MESSAGE_MAX).map_err(|problem| match problem {
        Problem::Empty => TextProblem::Empty,
        Problem::TooLong { .. } => TextProblem::TooLong,
        _ => TextProblem::Characters,
    })
}

/// The links in a text, as byte ranges on character boundaries, in order and apart from each other: what begins with
/// `http://`, `https://` or `www.`. Nothing else is ever a link, so no `javascript:`; nor is an address with a user's name
/// in it (`https://bank.example@evil.example`). Punctuation and closing brackets of the sentence around it are left out.
pub fn links(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut from, mut before) = (0, ' ');
    for (at, c) in text.char_indices() {
        let begins = at >= from && !before.is_ascii_alphanumeric();
        before = c;
        let Some(rest) = text.get(at..).filter(|_| begins) else { continue };
        let Some(end) = link_length(rest).and_then(|length| at.checked_add(length)) else { continue };
        found.push(at..end);
        from = end;
    }
    found
}

/// Where a link of [`links`] leads, as an absolute address: `www.` is taken for https.
pub fn link_target(link: &str) -> String {
    if strip_ignoring_case(link, "www.").is_some() { format!("https://{link}") } else { link.to_owned() }
}

/// Whether a text holds a link, or what people would take for one: also a bare domain such as `example.com/x`, in whatever
/// width it is written. For rooms where links are off; it would rather find too many (`ok.so`) than too few.
pub fn has_link(text: &str) -> bool {
    if !links(text).is_empty() || text.contains("://") {
        return true;
    }
    if text.is_ascii() {
        return text.split(ends_domain).any(is_domain);
    }
    // Fullwidth letters, and the full stops that browsers take for dots (UTS #46).
    let plain: String = text.nfkc().map(|c| if matches!(c, '。' | '｡' | '．') { '.' } else { c }).collect();
    !links(&plain).is_empty() || plain.contains("://") || plain.split(ends_domain).any(is_domain)
}

/// The mentions in a text, as byte ranges on character boundaries that begin with the `@`: `@name` and `@name#4f2`. A name in
/// a mention ends at the first character that is no letter, digit, `_` or `-`.
pub fn mentions(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let begins = c == '@' && !in_name(before) && before != '@';
        before = c;
        let Some(rest) = text.get(at.saturating_add(1)..).filter(|_| begins) else { continue };
        let name = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name);
        let tag = tag_length(after);
        // Dashes at its end are the text's, unless what follows says that they are the name's.
        let name = if tag == 0 { name.trim_end_matches('-') } else { name };
        if name.is_empty() {
            continue;
        }
        let length = name.len().saturating_add(1).saturating_add(tag);
        found.push(at..at.saturating_add(length));
    }
    found
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-' || is_combining_mark(c)
}

/// The length of `#4f2` at the start of `text`, if it is there and ends there.
fn tag_length(text: &str) -> usize {
    let Some(tag) = text.strip_prefix('#') else { return 0 };
    let digits = tag.bytes().take_while(u8::is_ascii_hexdigit).count();
    let ends = tag.get(digits..).is_some_and(|rest| !rest.starts_with(in_name));
    if digits == super::TAG_DIGITS && ends { digits.saturating_add(1) } else { 0 }
}

/// The length of the link that `text` begins with.
fn link_length(text: &str) -> Option<usize> {
    let scheme = ["https://", "http://"].iter().find_map(|scheme| strip_ignoring_case(text, scheme));
    let (authority, needs_dot) = match scheme {
        Some(rest) => (rest, false),
        None => (strip_ignoring_case(text, "www.")?, true),
    };
    let start = text.len().saturating_sub(authority.len());
    let raw = authority.find(ends_link).unwrap_or(authority.len());
    let kept = without_sentence_end(authority.get(..raw)?);
    let host = kept.split(['/', '?', '#']).next().unwrap_or_default();
    let good = host.starts_with(begins_host) && !host.contains('@') && (!needs_dot || host.contains('.'));
    good.then(|| start.saturating_add(kept.len()))
}

fn strip_ignoring_case<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    if head.eq_ignore_ascii_case(start) { text.get(start.len()..) } else { None }
}

/// Without Unicode's tables, which are two kilobytes of a download: beyond ASCII all but the punctuation of the common blocks.
fn begins_host(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_alphanumeric() || c == '[',
        '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff0f}' => false,
        _ => true,
    }
}

/// Browsers take a backslash for a slash; an address that has one is not what it looks like.
fn ends_link(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '\\' | '{' | '}' | '|' | '^')
}

/// Without the punctuation that ends the sentence, and without brackets that were opened before the link.
fn without_sentence_end(link: &str) -> &str {
    let mut kept = link;
    while let Some(last) = kept.chars().next_back() {
        let opened_here = |open: char| kept.matches(open).count() >= kept.matches(last).count();
        let stays = match last {
            ')' => opened_here('('),
            ']' => opened_here('['),
            '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '…' | '。' | '、' | '，' | '！' | '？' | '）' | '」' | '*'
            | '_' | '~' => false,
            _ => true,
        };
        if stays {
            break;
        }
        kept = kept.strip_suffix(last).unwrap_or_default();
    }
    kept
}

fn ends_domain(c: char) -> bool {
    !(c.is_alphanumeric() || matches!(c, '.' | '-' | '/' | ':'))
}

/// Top-level domains of three letters and more that chat spam uses; every one of two letters counts.
const DOMAINS: [&str; 40] = [
    "com", "net", "org", "info", "biz", "app", "dev", "xyz", "top", "site", "online", "shop", "store", "club", "live",
    "link", "click", "page", "blog", "cloud", "games", "game", "tech", "space", "website", "fun", "icu", "pro", "vip",
    "win", "bet", "casino", "porn", "sex", "xxx", "stream", "video", "chat", "art", "gg",
];

/// Whether a word without spaces is `example.com`, `example.com:8080`, or `example.anything/…`.
fn is_domain(word: &str) -> bool {
    let (host, path) = match word.split_once(['/', ':']) {
        Some((host, rest)) => (host, rest.starts_with(|c: char| c.is_alphanumeric())),
        None => (word, false),
    };
    let host = host.trim_matches(['.', '-']);
    let Some((name, top)) = host.rsplit_once('.') else { return false };
    if name.is_empty() || host.split('.').any(str::is_empty) {
        return false;
    }
    let letters = top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
    let numbers = host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok());
    let known =
        top.len() == 2 || top.starts_with("xn--") || DOMAINS.iter().any(|known| top.eq_ignore_ascii_case(known));
    if path { letters || numbers || top.starts_with("xn--") } else { known && (letters || top.starts_with("xn--")) }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
