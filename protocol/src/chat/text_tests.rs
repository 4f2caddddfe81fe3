//! What counts as a link or a mention, and what never breaks.

use super::*;
use proptest::prelude::*;

fn found<'a>(text: &'a str, ranges: &[Range<usize>]) -> Vec<&'a str> {
    ranges.iter().map(|range| &text[range.clone()]).collect()
}

fn link_texts(text: &str) -> Vec<&str> {
    found(text, &links(text))
}

#[test]
fn a_message_is_one_line_of_plain_characters() {
    assert_eq!(message_text("  hello \n there\t! ").as_deref(), Ok("hello there !"));
    assert_eq!(message_text(" \n "), Err(TextProblem::Empty));
    assert_eq!(message_text("a\u{202e}b"), Err(TextProblem::Characters));
    assert_eq!(message_text("a\u{0}b"), Err(TextProblem::Characters));
    let family = "👩‍👩‍👧‍👦";
    assert_eq!(message_text(&"방".repeat(MESSAGE_MAX)).map(|text| text.chars().count()), Ok(MESSAGE_MAX));
    assert_eq!(message_text(&"방".repeat(MESSAGE_MAX + 1)), Err(TextProblem::TooLong));
    assert_eq!(
        message_text(&family.repeat(300)).map(|text| text.len()),
        Ok(300 * family.len()),
        "graphemes, not bytes"
    );
    assert_eq!(message_text(&"\u{301}".repeat(8000)), Err(TextProblem::TooLong), "nor without end");
}

#[test]
fn markup_is_text() {
    for text in
        ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", "{{7*7}}", "${x}", "\"'><svg>"]
    {
        assert_eq!(message_text(text).as_deref(), Ok(text));
    }
}

#[test]
fn links_end_where_a_reader_would_end_them() {
    for (text, link) in [
        ("see https://example.com/a.", "https://example.com/a"),
        ("(https://example.com/a_(b))", "https://example.com/a_(b)"),
        ("(see http://example.com/?q=1&r=2), ok", "http://example.com/?q=1&r=2"),
        ("HTTPS://Example.com!", "HTTPS://Example.com"),
        ("www.example.com: new", "www.example.com"),
        ("여기https://example.com/방송", "https://example.com/방송"),
        ("<https://example.com>", "https://example.com"),
        ("https://[2001:db8::1]:8080/x", "https://[2001:db8::1]:8080/x"),
        ("\"https://example.com/x\"", "https://example.com/x"),
    ] {
        assert_eq!(link_texts(text), [link], "{text}");
    }
    assert_eq!(link_texts("http://a.example http://b.example"), ["http://a.example", "http://b.example"]);
    assert_eq!(link_target("www.example.com"), "https://www.example.com");
    assert_eq!(link_target("http://example.com"), "http://example.com");
}

#[test]
fn nothing_but_the_web_is_a_link() {
    for text in [
        "javascript:alert(1)",
        "javascript://https:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "xhttps://example.com",
        "https://",
        "https:// example.com",
        "https://user@evil.example/",
        "https://bank.example\\@evil.example",
        "www.",
        "www.x",
        "https://.",
    ] {
        let links = link_texts(text);
        assert!(links.iter().all(|link| !link.contains('@') && !link.contains("script")), "{text}: {links:?}");
        assert!(links.is_empty() || text.contains('\\'), "{text}: {links:?}");
    }
}

#[test]
fn rooms_without_links_see_bare_domains_too() {
    for text in [
        "https://example.com",
        "go to example.com",
        "example.com/x",
        "spam.xyz",
        "bit.ly/abc",
        "t.me/group",
        "EXAMPLE.COM",
        "example.com.",
        "(example.co.uk)",
        "ｅｘａｍｐｌｅ．ｃｏｍ",
        "example。com",
        "10.0.0.1:8080/x",
        "mail me@example.com",
        "ftp://example",
        "xn--e1afmkfd.xn--p1ai",
        "пример.рф/x",
    ] {
        assert!(has_link(text), "{text}");
    }
    for text in [
        "hello",
        "e.g. this",
        "wait... what",
        "3.14",
        "1.2.3",
        "a.b",
        "end.Then more",
        "and/or",
        "12:30",
        "…",
        "v1.2.3.4",
    ] {
        assert!(!has_link(text), "{text}");
    }
}

#[test]
fn mentions_are_names_with_or_without_a_tag() {
    let mentioned = |text: &'static str| found(text, &mentions(text));
    assert_eq!(mentioned("@ana hi"), ["@ana"]);
    assert_eq!(mentioned("hi @Ana#4f2, @bo!"), ["@Ana#4f2", "@bo"]);
    assert_eq!(mentioned("(@아나)"), ["@아나"]);
    assert_eq!(mentioned("@ana#4f21 @ana#4f @ana#xyz"), ["@ana", "@ana", "@ana"]);
    assert_eq!(mentioned("me@example.com @ @@ana a@b"), Vec::<&str>::new());
    assert_eq!(mentioned("@e\u{301}a-"), ["@e\u{301}a"]);
    assert_eq!(mentioned("@ana-#4f2 @ana-- @--"), ["@ana-#4f2", "@ana"]);
}

proptest! {
    #[test]
    fn ranges_are_on_characters_in_order_and_apart(text in "(\\PC|https?://|www\\.|@|#4f2|[.()]|example\\.com){0,60}") {
        for ranges in [links(&text), mentions(&text)] {
            let mut end = 0;
            for range in ranges {
                prop_assert!(range.start >= end && range.start < range.end);
                prop_assert!(text.get(range.clone()).is_some());
                end = range.end;
            }
        }
        for link in links(&text) {
            let target = link_target(&text[link]).to_ascii_lowercase();
            prop_assert!(target.starts_with("http://") || target.starts_with("https://"));
        }
        let _ = has_link(&text);
    }

    #[test]
    fn a_text_that_is_taken_is_taken_again_as_it_is(text in "\\PC{0,80}") {
        if let Ok(kept) = message_text(&text) {
            prop_assert_eq!(message_text(&kept), Ok(kept.clone()));
        }
    }
}
