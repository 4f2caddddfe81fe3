use super::*;
use crate::i18n::Locale;
use madang_protocol::chat::{Seq, mentions};

fn you() -> You {
    You { id: Some(PersonId::from_random(20)), name: "Ana".into(), tag: "4f2".into() }
}

fn pieces(text: &str) -> (String, Vec<Piece>) {
    let you = you();
    let reader = Reader { words: Messages::new(Locale::En), you: &you, clock: |_| "2:14".into() };
    let author = Author { id: PersonId::from_random(2), name: "도현".into(), tag: String::new(), role: Role::Owner };
    let body = Body::Said(Message { author, text: text.into(), reply: None, id: String::new() });
    reader.look(&Row { key: 1, revision: 0, seq: Some(Seq(1)), at: UnixMillis(0), body })
}

fn tagged<'a>(pieces: &'a [Piece], tag: &str) -> Vec<&'a Piece> {
    pieces.iter().filter(|piece| piece.tag == tag).collect()
}

#[test]
fn only_web_addresses_become_links() {
    let (_, found) = pieces("see https://example.org/a?b=c. javascript:alert(1) and data:text/html,x");
    let links = tagged(&found, "a");
    assert_eq!(links.iter().map(|l| l.note.as_str()).collect::<Vec<_>>(), ["https://example.org/a?b=c"]);
}

#[test]
fn the_text_is_whole_whatever_is_in_it() {
    for text in ["<b>@ana</b> http://x.y/@z @ @@ #", "@ana#4f2@bo https://a.b www.c.d", "한글@도현 ㅋㅋ", "a@b.c"]
    {
        let (_, found) = pieces(text);
        let body = found.iter().filter(|p| !matches!(p.tag, "time" | "b") && !p.class.starts_with("bd"));
        assert_eq!(body.map(|piece| piece.text.as_str()).collect::<String>(), text);
    }
}

#[test]
fn the_reader_is_told_when_they_are_meant() {
    for (text, meant) in
        [("hi @ana!", true), ("@Ana#4f2", true), ("@ana#123", false), ("@anatol", false), ("x@ana", false)]
    {
        assert_eq!(pieces(text).0.ends_with(" me"), meant, "{text}");
    }
}

#[test]
fn mentions_are_those_that_the_server_finds() {
    for text in ["@ana hi", "(@bo_1), @도현! @x-y", "a@b", "no", "@é @ñandú…", "@ana#4f2 x"] {
        let (_, found) = pieces(text);
        let seen: Vec<_> = found.iter().filter(|p| p.class.starts_with("at")).map(|p| p.text.as_str()).collect();
        let told: Vec<_> = mentions(text).into_iter().filter_map(|range| text.get(range)).collect();
        assert_eq!(seen, told, "{text}");
    }
}
