//! The rows as the server writes them into the page, for readers before and without scripts. The browser takes them over.

use super::{log::Log, look::Reader};
use crate::i18n::Messages;
use madang_protocol::{
    UnixMillis,
    chat::{ChatState, You},
};
use std::fmt::Write as _;

/// The chat's rows as HTML. Everything in it that came from people is escaped.
pub fn rows(words: Messages, state: ChatState, you: &You) -> String {
    let mut log = Log::default();
    log.open(state, None);
    let reader = Reader { words, you, clock: utc };
    let mut html = String::new();
    for row in log.rows() {
        let (class, pieces) = reader.look(row);
        let seq = row.seq.map_or(0, |seq| seq.0);
        let _ = write!(html, r#"<div class="{}" data-seq="{seq}" tabindex="-1">"#, escaped(&class));
        for piece in pieces {
            let (class, text, note) = (escaped(&piece.class), escaped(&piece.text), escaped(&piece.note));
            let _ = match piece.tag {
                "" => write!(html, "{text}"),
                "time" => write!(html, "<time>{text}</time>"),
                "a" => write!(
                    html,
                    r#"<a href="{note}" rel="noopener noreferrer nofollow ugc" target="_blank">{text}</a>"#
                ),
                "i" => write!(html, r#"<i title="{note}">{text}</i>"#),
                tag if note.is_empty() => write!(html, r#"<{tag} class="{class}">{text}</{tag}>"#),
                tag => write!(
                    html,
                    r#"<{tag} class="{class}" role="img" aria-label="{note}" title="{note}">{text}</{tag}>"#
                ),
            };
            if piece.is_apart() {
                html.push(' ');
            }
        }
        html.push_str("</div>");
    }
    html
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The server knows no reader's zone.
fn utc(at: UnixMillis) -> String {
    let minutes = at.0.div_euclid(60_000).rem_euclid(24 * 60);
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;
    use madang_protocol::{
        EpochId, PersonId,
        chat::{Author, Entry, Message, Modes, Role, Seq, Standing, What},
    };

    #[test]
    fn what_people_write_stays_text() {
        let hostile = r#"<script>alert(1)</script> "><img src=x onerror=alert(1)> https://a.b/"onmouseover="x '"#;
        let author =
            Author { id: PersonId::from_random(2), name: "<b>\"Ana".into(), tag: String::new(), role: Role::Owner };
        let what = What::Say(Message { author, text: hostile.into(), reply: None, id: String::new() });
        let state = ChatState {
            epoch: EpochId::from_random(2),
            standing: Standing::default(),
            modes: Modes::default(),
            entries: vec![Entry { seq: Seq(1), at: UnixMillis(8_040_000), what }],
            seq: Seq(1),
            resumed: false,
            more: false,
        };
        let html = rows(Messages::new(Locale::En), state, &You::default());
        for forbidden in ["<script", "<img", "<b>\"", "\"onmouseover"] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        assert!(html.contains("02:14 UTC") && html.contains("&lt;script&gt;"));
    }
}
