//! What a row looks like, as a flat list of pieces. One description for both sides: the browser makes elements of it
//! (`dom.rs`), the server HTML (`still.rs`). Text stays text in both.

use super::{
    draft::in_name,
    log::{Body, Failure, Row},
    words,
};
use crate::i18n::Messages;
use madang_protocol::{
    PersonId, UnixMillis,
    chat::{Author, Message, Quote, Role, SystemLine, You, link_target, links},
};

/// An element of a row, or its plain text where `tag` is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    pub tag: &'static str,
    pub class: String,
    pub text: String,
    /// For a link where it leads, for a time when it was, for a badge what it means.
    pub note: String,
}

impl Piece {
    fn of(tag: &'static str, class: &str, text: String) -> Self {
        Self { tag, class: class.to_owned(), text, note: String::new() }
    }

    /// Whether a space follows it: it is no part of what was written.
    pub fn is_apart(&self) -> bool {
        !matches!(self.tag, "" | "a") && !self.class.starts_with("at")
    }
}

/// For whom rows are drawn.
pub struct Reader<'a> {
    pub words: Messages,
    pub you: &'a You,
    /// A time of day in the reader's zone.
    pub clock: fn(UnixMillis) -> String,
}

impl Reader<'_> {
    /// The row's classes, and what is in it.
    pub fn look(&self, row: &Row) -> (String, Vec<Piece>) {
        let mut class = "msg".to_owned();
        let mut pieces = vec![Piece { note: row.at.0.to_string(), ..Piece::of("time", "", (self.clock)(row.at)) }];
        match &row.body {
            Body::Said(message) => {
                if self.said(message, &mut pieces) {
                    class.push_str(" me");
                }
            }
            Body::Own { text, reply, failed, .. } => {
                self.quote(reply.as_ref(), &mut pieces);
                pieces.push(Piece::of("b", &hue(self.you.id), words::name(self.words, &self.you.name, &self.you.tag)));
                self.text(text, &mut pieces);
                class.push_str(" own");
                match failed {
                    None => class.push_str(" pending"),
                    Some(why) => {
                        class.push_str(" failed");
                        let why = match why {
                            Failure::Silence => self.words.chat_failed(),
                            Failure::Refused(reason) => words::refusal(self.words, *reason),
                        };
                        pieces.push(Piece::of("em", "why", why.to_owned()));
                        pieces.push(Piece::of("button", "retry", self.words.chat_retry().to_owned()));
                        pieces.push(Piece::of("button", "discard", self.words.chat_discard().to_owned()));
                    }
                }
            }
            Body::Gone(author) => {
                class.push_str(" gone");
                let name = words::author(self.words, author);
                pieces.push(Piece { note: name, ..Piece::of("i", "", self.words.chat_deleted().to_owned()) });
            }
            Body::System(line) => {
                class.push_str(" sys");
                let text = words::system(self.words, line);
                let when = matches!(line, SystemLine::StreamStarted | SystemLine::StreamEnded);
                let text = if when { format!("{text} · {}", (self.clock)(row.at)) } else { text };
                pieces.push(Piece::of("", "", text));
            }
            Body::People { joined, left } => {
                class.push_str(" sys");
                pieces.push(Piece::of("", "", words::people(self.words, joined, left)));
            }
            Body::Note(text) => {
                class.push_str(" sys note");
                pieces.push(Piece::of("", "", text.clone()));
            }
        }
        (class, pieces)
    }

    /// Returns whether the message is for the reader.
    fn said(&self, message: &Message, pieces: &mut Vec<Piece>) -> bool {
        self.quote(message.reply.as_ref(), pieces);
        let (sign, class, meaning) = match message.author.role {
            Role::Owner => ("★", "bd owner", self.words.chat_owner()),
            Role::Moderator => ("✓", "bd moderator", self.words.chat_moderator()),
            Role::Viewer => ("", "", ""),
        };
        if !sign.is_empty() {
            pieces.push(Piece { note: meaning.to_owned(), ..Piece::of("span", class, sign.to_owned()) });
        }
        let name = words::author(self.words, &message.author);
        pieces.push(Piece::of("b", &hue(Some(message.author.id)), name));
        self.text(&message.text, pieces)
    }

    fn quote(&self, quote: Option<&Quote>, pieces: &mut Vec<Piece>) {
        let Some(quote) = quote else { return };
        let text = if quote.text.is_empty() { self.words.chat_deleted() } else { quote.text.as_str() };
        pieces.push(Piece::of("q", "", format!("{}: {text}", words::name(self.words, &quote.name, ""))));
    }

    /// The text with its links and mentions. Returns whether the reader is mentioned.
    fn text(&self, text: &str, pieces: &mut Vec<Piece>) -> bool {
        let mut mentioned = false;
        let mut from = 0;
        for link in links(text) {
            mentioned |= self.plain(text.get(from..link.start).unwrap_or_default(), pieces);
            let shown = text.get(link.clone()).unwrap_or_default();
            pieces.push(Piece { note: link_target(shown), ..Piece::of("a", "", shown.to_owned()) });
            from = link.end;
        }
        mentioned | self.plain(text.get(from..).unwrap_or_default(), pieces)
    }

    fn plain(&self, text: &str, pieces: &mut Vec<Piece>) -> bool {
        let mut mentioned = false;
        let mut rest = text;
        let mut before = String::new();
        while let Some(at) = rest.find('@') {
            let Some((head, tail)) = rest.split_at_checked(at) else { break };
            before.push_str(head);
            let free = !before.ends_with(|c| in_name(c) || c == '@');
            let end = tail.get(1..).and_then(|t| t.find(|c| !in_name(c) && c != '#')).map_or(tail.len(), |end| end + 1);
            let Some((mention, after)) = tail.split_at_checked(end) else { break };
            if free && mention.len() > 1 {
                if !before.is_empty() {
                    pieces.push(Piece::of("", "", std::mem::take(&mut before)));
                }
                let own = self.is_reader(mention.get(1..).unwrap_or_default());
                mentioned |= own;
                pieces.push(Piece::of("span", if own { "at you" } else { "at" }, mention.to_owned()));
            } else {
                before.push_str(mention);
            }
            rest = after;
        }
        before.push_str(rest);
        if !before.is_empty() {
            pieces.push(Piece::of("", "", before));
        }
        mentioned
    }

    /// Whether a mention, without its `@`, means the reader.
    fn is_reader(&self, mention: &str) -> bool {
        let (name, tag) = mention.split_once('#').unwrap_or((mention, ""));
        let own = if self.you.name.is_empty() { self.words.chat_guest() } else { self.you.name.as_str() };
        let own = own.split(|c| !in_name(c)).next().unwrap_or_default();
        // A guest without a name is only meant by the tag.
        let named = !self.you.name.is_empty() || !tag.is_empty();
        named && self.you.id.is_some() && own.eq_ignore_ascii_case(name) && (tag.is_empty() || tag == self.you.tag)
    }
}

/// Whose message a row is, for what can be done with it.
pub fn author(row: &Row) -> Option<&Author> {
    match &row.body {
        Body::Said(message) => Some(&message.author),
        _ => None,
    }
}

/// A person's colour: the same wherever they write.
fn hue(id: Option<PersonId>) -> String {
    // The number of hues in style/main.css.
    format!("hue-{}", id.map_or(0, PersonId::get) % 12)
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
