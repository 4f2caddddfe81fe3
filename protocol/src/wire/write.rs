//! Writing objects and texts.

use super::Wire;
use std::fmt::Write as _;

/// An object being written.
pub struct Object<'o> {
    out: &'o mut String,
}

impl<'o> Object<'o> {
    /// Opens it.
    pub fn begin(out: &'o mut String) -> Self {
        out.push('{');
        Self { out }
    }

    /// Adds a member.
    pub fn field(&mut self, name: &str, value: &impl Wire) {
        value.write(self.name(name));
    }

    /// Adds a member that is a word of the program's own.
    pub fn word(&mut self, name: &str, word: &str) {
        text(self.name(name), word);
    }

    /// Adds a member's name; its value follows.
    pub fn name(&mut self, name: &str) -> &mut String {
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
        text(self.out, name);
        self.out.push(':');
        self.out
    }

    /// Closes it.
    pub fn end(self) {
        self.out.push('}');
    }
}

/// A text in quotes, escaped.
pub(super) fn text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{0}'..='\u{1f}' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
