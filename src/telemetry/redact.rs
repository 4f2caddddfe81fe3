//! The second line before the log: whatever looks like a secret is masked on its way out. The first line are types that do not print
//! what they hold; this is for what somebody writes into a log line without them, or a library does.
//!
//! It reads each line once. What it cannot know is a secret that looks like a word and stands without a name that says what it is.

use std::{
    borrow::Cow,
    io::{self, Write},
};

/// What stands in the place of a secret.
const MASK: &str = "…";
/// What stream keys begin with, and how much has to follow before it looks like one: a piece of a key is half a secret.
const KEY_PREFIX: &str = "sk_";
const KEY_REST_MIN: usize = 8;
/// 32 random bytes in base64, which is the shortest way to write them, have this many characters; names of things have fewer.
const RANDOM_MIN: usize = 43;
/// Fields whose values are secrets: these words, or names that end in one of them (`stream_key`, `set-cookie`).
const SECRET_NAMES: [&str; 8] =
    ["key", "password", "passphrase", "token", "cookie", "secret", "authorization", "credentials"];

/// Masks what is written through it. Each `write` is looked at by itself: a log line is one.
#[derive(Debug)]
pub struct Redacted<W>(pub W);

impl<W: Write> Write for Redacted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(redact(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The text without what looks like a secret.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    // What stands before is in `out` already, once there is something to mask.
    let mut kept = 0;
    let mut at = 0;
    while let Some((start, end)) = next_word(text, at) {
        let word = text.get(start..end).unwrap_or_default();
        let rest = text.get(end..).unwrap_or_default();
        at = end;
        let masked = if let Some(key) = key_in(word) {
            Some((start + key, end))
        } else if looks_random(word) {
            Some((start, end))
        } else if word.eq_ignore_ascii_case("bearer") {
            let blanks = rest.len() - rest.trim_start_matches(' ').len();
            let value = rest.trim_start_matches(' ').find(|c: char| c.is_whitespace() || c == '"');
            (blanks > 0).then(|| (end + blanks, value.map_or(text.len(), |length| end + blanks + length)))
        } else if is_secret_name(word) {
            value_after(rest).map(|(from, to)| (end + from, end + to))
        } else {
            None
        };
        if let Some((from, to)) = masked.filter(|(from, to)| from < to) {
            out.push_str(text.get(kept..from).unwrap_or_default());
            out.push_str(MASK);
            (kept, at) = (to, to);
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(out)
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The next run of letters, digits, `_` and `-`, from `at` on. A colour's escape sequence is no word.
fn next_word(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes().get(at..)?;
    let mut from = 0;
    loop {
        from += bytes.get(from..)?.iter().position(|byte| is_word(*byte) || *byte == 0x1b)?;
        let colour = escape(bytes.get(from..)?);
        if colour > 0 {
            from += colour;
        } else if bytes.get(from) == Some(&0x1b) {
            from += 1;
        } else {
            break;
        }
    }
    let length = bytes.get(from..)?.iter().position(|byte| !is_word(*byte)).unwrap_or(bytes.len() - from);
    Some((at + from, at + from + length))
}

/// The length of the colour sequence (`ESC [ … m`) that the bytes begin with.
fn escape(bytes: &[u8]) -> usize {
    match bytes {
        [0x1b, b'[', rest @ ..] => match rest.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b';')) {
            Some(end) if rest.get(end) == Some(&b'm') => end + 3,
            _ => 0,
        },
        _ => 0,
    }
}

/// Where in the word a stream key begins.
fn key_in(word: &str) -> Option<usize> {
    let alone = |at: usize| {
        at.checked_sub(1)
            .and_then(|before| word.as_bytes().get(before))
            .is_none_or(|byte| !byte.is_ascii_alphanumeric())
    };
    let mut starts = word.match_indices(KEY_PREFIX).map(|(at, _)| at);
    starts.find(|at| alone(*at) && word.len() >= at + KEY_PREFIX.len() + KEY_REST_MIN)
}

/// Hexadecimal, base32 or base64 of 32 bytes and more: long, with digits, and with letters as no name has them.
fn looks_random(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    word.len() >= RANDOM_MIN
        && has(u8::is_ascii_digit)
        && (!word.contains(['-', '_']) || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase))
}

fn is_secret_name(word: &str) -> bool {
    let last = word.rsplit(['_', '-']).next().unwrap_or_default();
    SECRET_NAMES.iter().any(|name| last.eq_ignore_ascii_case(name))
}

/// The value of the field whose name ends where `rest` begins: after `=`, or in quotes after `:`. What is not in quotes goes on until
/// the next field, since a password may have blanks.
fn value_after(rest: &str) -> Option<(usize, usize)> {
    let bytes = rest.as_bytes();
    let skip = |mut at: usize, also: fn(u8) -> bool| {
        while let Some(byte) = bytes.get(at) {
            match escape(bytes.get(at..).unwrap_or_default()) {
                0 if also(*byte) => at += 1,
                0 => break,
                colour => at += colour,
            }
        }
        at
    };
    let sign = skip(0, |byte| byte == b'"' || byte == b' ');
    let separator = bytes.get(sign).copied()?;
    if !matches!(separator, b'=' | b':') {
        return None;
    }
    let start = skip(sign + 1, |byte| byte == b' ');
    let value = rest.get(start..)?;
    if let Some(quoted) = value.strip_prefix('"') {
        return Some((start + 1, start + 1 + closing_quote(quoted)));
    }
    (separator == b'=').then(|| (start, start + unquoted(value)))
}

fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(text.len())
}

/// Until the end of the line, of the span, of the pair, or the next `name=`.
fn unquoted(text: &str) -> usize {
    let end = text.find(['\n', '\r', '}', '&', ';', '\u{1b}']).unwrap_or(text.len());
    let value = text.get(..end).unwrap_or_default();
    let next_field = value.match_indices(' ').find(|(at, _)| {
        let after = value.get(at + 1..).unwrap_or_default();
        let name = after.bytes().position(|byte| !(is_word(byte) || byte == b'.')).unwrap_or(0);
        name > 0 && after.as_bytes().get(name) == Some(&b'=')
    });
    next_field.map_or(value.trim_end().len(), |(at, _)| at)
}

#[cfg(test)]
mod tests;
