//! What the browser does with the field: sends what was written, counts it, offers what could be meant.

use super::{
    desk::{Choices, Desk},
    dom::{self, Rows},
    draft,
    hands::{change, focus_field, note},
    talk::{Talk, Typed},
};
use crate::clock::browser_now;
use leptos::prelude::*;
use madang_protocol::chat::{CommandHint, MESSAGE_MAX, Verb};
use web_sys::{HtmlTextAreaElement, KeyboardEvent};

/// From how many bytes on characters are counted, and how few are worth telling.
const COUNT_FROM: usize = 350;
const TELL_BELOW: i32 = 100;
/// Most lines of the field, and the height of one in style/main.css.
const LINES_MAX: i32 = 4;
const LINE_PX: i32 = 22;

/// A failed message's text comes back, unless something else is being written.
pub fn put_back(desk: Desk, text: &str) {
    if let Some(field) = desk.field.get_untracked()
        && field.value().is_empty()
    {
        field.set_value(text);
        focus_field(desk);
        typed(desk);
    }
}

pub fn send(desk: Desk) {
    let Some(field) = desk.field.get_untracked() else { return };
    let text = field.value().split_whitespace().collect::<Vec<_>>().join(" ");
    let too_long = desk.left.get_untracked().is_some_and(|left| left < 0);
    let now = browser_now();
    let command = text.starts_with('/') && !text.starts_with("//");
    let waits = !command && desk.talk.with_untracked(|talk| talk.wait_until > now);
    if text.is_empty() || too_long || waits {
        return;
    }
    let id = dom::new_id("m");
    let m = desk.words;
    match desk.talk.update_untracked(|talk| talk.read(&text, &id)) {
        Typed::Words => {
            let mut said = Some((id, text, desk.reply.get_untracked()));
            desk.reply.set(None);
            change(desk, &mut |talk, now| {
                said.take().map(|(id, text, reply)| talk.say(id, text, reply, now)).unwrap_or_default()
            });
            desk.hands.rows.with_value(|rows| rows.as_ref().map(Rows::to_end));
        }
        Typed::Send(_) if desk.talk.with_untracked(|talk| !talk.joined) => {
            return note(desk, m.chat_offline().to_owned());
        }
        Typed::Send(message) => desk.realtime.say(&message),
        Typed::Help => {
            let moderates = desk.talk.with_untracked(Talk::moderates);
            let verbs = Verb::ALL.into_iter().filter(|verb| moderates || !verb.moderates());
            note(desk, m.chat_help(verbs.map(Verb::usage).collect::<Vec<_>>().join("  ·  ")));
        }
        // What was mistyped stays to be mended.
        Typed::Hint(CommandHint::Unknown) => return note(desk, m.chat_refused_command().to_owned()),
        Typed::Hint(CommandHint::Usage(verb)) => return note(desk, m.chat_usage(verb.usage())),
        Typed::NotAllowed => return note(desk, m.chat_refused_not_allowed().to_owned()),
        Typed::NothingToUndo => note(desk, m.chat_nothing_to_undo().to_owned()),
    }
    field.set_value("");
    typed(desk);
}

/// The field's text has changed.
pub fn typed(desk: Desk) {
    let Some(field) = desk.field.get_untracked() else { return };
    let text = field.value();
    field.set_rows(1);
    let lines = (field.scroll_height() - field.client_height()) / LINE_PX + 1;
    field.set_rows(u32::try_from(lines.min(LINES_MAX)).unwrap_or(1));
    let left = (text.len() > COUNT_FROM)
        .then(|| MESSAGE_MAX as i32 - i32::try_from(dom::graphemes(&text)).unwrap_or(i32::MAX));
    let left = left.filter(|left| *left <= TELL_BELOW);
    if desk.left.get_untracked() != left {
        desk.left.set(left);
    }
    let before = before_caret(&field, &text);
    let (at, list) = desk
        .talk
        .with_untracked(|talk| draft::choices(before, &talk.people, desk.words.chat_guest(), talk.moderates()));
    offer(desk, Choices { at, list, selected: 0 });
}

/// Shows what could be meant.
fn offer(desk: Desk, choices: Choices) {
    if let Some(field) = desk.field.get_untracked() {
        if choices.list.is_empty() {
            let _ = field.remove_attribute("aria-activedescendant");
        } else {
            let _ = field.set_attribute("aria-activedescendant", &format!("chat-choice-{}", choices.selected));
        }
    }
    if desk.choices.with_untracked(|now| *now != choices) {
        desk.choices.set(choices);
    }
}

fn before_caret<'a>(field: &HtmlTextAreaElement, text: &'a str) -> &'a str {
    // The caret is counted in UTF-16 units.
    let caret = field.selection_start().ok().flatten().unwrap_or(u32::MAX);
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        let here = units >= caret;
        units += c.len_utf16() as u32;
        here
    });
    end.map_or(text, |(at, _)| text.get(..at).unwrap_or(text))
}

/// Puts a choice in the place of the word before the caret.
pub fn choose(desk: Desk, index: usize) {
    let Some(field) = desk.field.get_untracked() else { return };
    let choices = desk.choices.get_untracked();
    let Some(choice) = choices.list.get(index) else { return };
    let text = field.value();
    let before = before_caret(&field, &text);
    let after = text.get(before.len()..).unwrap_or_default().trim_start();
    let start = format!("{}{} ", before.get(..choices.at).unwrap_or_default(), choice.text);
    field.set_value(&format!("{start}{after}"));
    let caret = u32::try_from(start.encode_utf16().count()).unwrap_or(0);
    let _ = field.set_selection_range(caret, caret);
    focus_field(desk);
    typed(desk);
}

/// A key in the field.
pub fn pressed(desk: Desk, key: &KeyboardEvent) {
    // What is still being composed (Korean, Japanese, Chinese) is the input method's.
    if key.is_composing() || key.key_code() == 229 {
        return;
    }
    let choices = desk.choices.get_untracked();
    let count = choices.list.len();
    match key.key().as_str() {
        "ArrowDown" if count > 0 => offer(desk, Choices { selected: (choices.selected + 1) % count, ..choices }),
        "ArrowUp" if count > 0 => offer(desk, Choices { selected: (choices.selected + count - 1) % count, ..choices }),
        "Tab" | "Enter" if count > 0 && !(key.key() == "Enter" && is_whole(desk, &choices)) => {
            choose(desk, choices.selected);
        }
        "Escape" if count > 0 => offer(desk, Choices::default()),
        "Escape" if desk.reply.with_untracked(Option::is_some) => desk.reply.set(None),
        "Escape" => {
            if let Some(field) = desk.field.get_untracked() {
                let _ = field.blur();
            }
        }
        "Enter" => send(desk),
        _ => return,
    }
    key.prevent_default();
    key.stop_propagation();
}

/// Whether the word is already what the choice would make of it: Enter sends then.
fn is_whole(desk: Desk, choices: &Choices) -> bool {
    let text = desk.field.get_untracked().map(|field| field.value()).unwrap_or_default();
    let chosen = choices.list.get(choices.selected);
    chosen.is_some_and(|choice| text.get(choices.at..) == Some(choice.text.as_str()))
}
