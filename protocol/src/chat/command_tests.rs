//! What moderators type.

use super::{super::Modes, *};
use proptest::prelude::*;

fn whom(name: &str) -> Whom {
    Whom::Name(name.into())
}

fn act(text: &str) -> Option<(Act, String)> {
    match parse_command(text) {
        Some(Ok(Command::Act { act, reason })) => Some((act, reason)),
        _ => None,
    }
}

#[test]
fn commands_are_the_buttons() {
    let spam = || "spam and more".to_owned();
    let none = String::new;
    for (text, expected) in [
        ("/ban ana", (Act::Ban { whom: whom("ana"), seconds: None }, none())),
        ("/ban @ana#4f2 1h spam and more", (Act::Ban { whom: whom("ana#4f2"), seconds: Some(3600) }, spam())),
        ("/BAN ana spam and more", (Act::Ban { whom: whom("ana"), seconds: None }, spam())),
        ("/timeout ana", (Act::Timeout { whom: whom("ana"), seconds: TIMEOUT_DEFAULT_S }, none())),
        ("/timeout \"ana b\" 5m spam and more", (Act::Timeout { whom: whom("ana b"), seconds: 300 }, spam())),
        ("/timeout 아나 10", (Act::Timeout { whom: whom("아나"), seconds: 10 }, none())),
        ("/unban ana", (Act::Unban { whom: whom("ana") }, none())),
        ("/delete @ana", (Act::DeleteLast { whom: whom("ana") }, none())),
        ("/mod ana", (Act::SetModerator { whom: whom("ana"), on: true }, none())),
        ("/unmod ana", (Act::SetModerator { whom: whom("ana"), on: false }, none())),
        ("/filter add bad word", (Act::FilterWord { word: "bad word".into(), on: true }, none())),
        ("/filter remove bad", (Act::FilterWord { word: "bad".into(), on: false }, none())),
        ("/slow 5", (Act::SetMode { mode: ModeChange::Slow(5) }, none())),
        ("/slow 2m", (Act::SetMode { mode: ModeChange::Slow(120) }, none())),
        ("/slow off", (Act::SetMode { mode: ModeChange::Slow(0) }, none())),
        ("/accounts on", (Act::SetMode { mode: ModeChange::AccountsOnly(true) }, none())),
        ("/links off", (Act::SetMode { mode: ModeChange::Links(false) }, none())),
        ("/unique on", (Act::SetMode { mode: ModeChange::Unique(true) }, none())),
        ("/close", (Act::SetMode { mode: ModeChange::Closed(true) }, none())),
        ("/open", (Act::SetMode { mode: ModeChange::Closed(false) }, none())),
    ] {
        assert_eq!(act(text), Some(expected), "{text}");
    }
    for (text, expected) in
        [("/undo", Command::Undo), (" /help ", Command::Help), ("/name 새 이름", Command::Rename("새 이름".into()))]
    {
        assert_eq!(parse_command(text), Some(Ok(expected)), "{text}");
    }
}

#[test]
fn what_is_no_command_is_a_hint_or_a_text() {
    assert_eq!(parse_command("hello /ban"), None);
    assert_eq!(parse_command("//shrug"), None);
    assert_eq!(unescaped("//shrug"), Some("/shrug"));
    assert_eq!(unescaped("shrug"), Some("shrug"));
    assert_eq!(unescaped("/shrug"), None);
    for text in ["/", "/ ban ana", "/bann ana", "/me waves"] {
        assert_eq!(parse_command(text), Some(Err(CommandHint::Unknown)), "{text}");
    }
    for (text, verb) in [
        ("/ban", Verb::Ban),
        ("/ban @", Verb::Ban),
        ("/ban \"ana", Verb::Ban),
        ("/ban ana 0s", Verb::Ban),
        ("/timeout ana 15d", Verb::Timeout),
        ("/unban ana please", Verb::Unban),
        ("/slow", Verb::Slow),
        ("/slow 121", Verb::Slow),
        ("/slow -1", Verb::Slow),
        ("/links maybe", Verb::Links),
        ("/filter add", Verb::Filter),
        ("/filter drop x", Verb::Filter),
        ("/close now", Verb::Close),
        ("/name", Verb::Name),
    ] {
        assert_eq!(parse_command(text), Some(Err(CommandHint::Usage(verb))), "{text}");
    }
}

#[test]
fn a_number_that_is_too_large_is_part_of_the_reason() {
    assert_eq!(
        act("/ban ana 99999999999d"),
        Some((Act::Ban { whom: whom("ana"), seconds: None }, "99999999999d".into()))
    );
}

#[test]
fn one_mode_changes_and_the_others_stay() {
    let modes = Modes { slow_s: 5, links: false, ..Modes::default() };
    assert_eq!(ModeChange::Closed(true).apply(modes), Modes { closed: true, ..modes });
    assert_eq!(ModeChange::Slow(0).apply(modes), Modes { slow_s: 0, ..modes });
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "/?/?(ban|timeout|slow|filter|name|\\PC{0,5}) ?[\"@]?\\PC{0,20} ?[0-9]{0,12}[smhd]?") {
        let parsed = parse_command(&text);
        prop_assert_eq!(parsed.is_some(), text.trim().starts_with('/') && !text.trim().starts_with("//"));
    }
}
