//! What the browser does with the field: sends what was written, counts it, offers what could be meant; and the views of that. In the
//! part that is fetched later (`deeds.rs`).

use super::{
    dom::{self, Rows},
    draft,
    hand::{Choices, Hand},
    hands::{change, focus_field, note, text_field},
    talk::{Talk, Typed},
    words,
};
use crate::{clock::browser_now, components::keys::is_composing};
use leptos::prelude::*;
use madang_protocol::chat::{CommandHint, MESSAGE_MAX, Verb};
use madang_view::view;
use web_sys::{HtmlTextAreaElement, KeyboardEvent};

/// From how many bytes on characters are counted, and how few are worth telling.
const COUNT_FROM: usize = 350;
const TELL_BELOW: i32 = 100;
/// Most lines of the field, and the height of one in style/main.css.
const LINES_MAX: i32 = 4;
const LINE_PX: i32 = 22;

/// Whom one answers, and the way not to.
#[component]
pub fn Replying(hand: Hand) -> impl IntoView {
    let m = hand.desk.words;
    let to = move || {
        hand.reply.with(|reply| {
            reply.as_ref().map(|quote| m.chat_replying(words::name(m, &quote.name, ""))).unwrap_or_default()
        })
    };
    view! {
        <p class="chat-replying" hidden=move || hand.reply.with(Option::is_none)>
            <span>{to}</span>
            <button type="button" data-do="no-reply" aria-label=m.chat_reply_stop() title=m.chat_reply_stop()>"×"</button>
        </p>
    }
}

/// How many characters are left, once they are few.
#[component]
pub fn Left(hand: Hand) -> impl IntoView {
    let m = hand.desk.words;
    let left = move || match hand.left.get() {
        Some(left) if left < 0 => m.chat_over(-left),
        Some(left) => m.chat_left_over(left),
        None => String::new(),
    };
    view! { <output class="chat-left" class:over=hand.desk.over>{left}</output> }
}

/// Names, emoji or commands to choose from; moved through by the arrow keys while the field keeps the focus.
#[component]
pub fn ChoiceList(hand: Hand) -> impl IntoView {
    let rows = move || {
        let (list, selected) = hand.choices.with(|choices| (choices.list.clone(), choices.selected));
        let row = |(index, label): (usize, String)| {
            view! {
                <li
                    role="option"
                    id=format!("chat-choice-{index}")
                    data-do="choose"
                    data-index=index.to_string()
                    aria-selected=if index == selected { "true" } else { "false" }
                >
                    {label}
                </li>
            }
        };
        list.into_iter().map(|choice| choice.label).enumerate().map(row).collect_view()
    };
    let none = move || hand.choices.with(|choices| choices.list.is_empty());
    view! {
        <ul id="chat-choices" class="chat-choices" role="listbox" aria-label=hand.desk.words.chat_choices() hidden=none>
            {rows}
        </ul>
    }
}

/// A failed message's text comes back, unless something else is being written.
pub fn put_back(hand: Hand, text: &str) {
    if let Some(field) = text_field(hand.desk)
        && field.value().is_empty()
    {
        field.set_value(text);
        focus_field(hand.desk);
        typed(hand);
    }
}

pub fn send(hand: Hand) {
    let Some(field) = text_field(hand.desk) else { return };
    if hand.left.get_untracked().is_some_and(|left| left < 0) {
        return;
    }
    if say(hand, &field.value()) {
        field.set_value("");
        typed(hand);
    }
}

/// Says a text, or does what its command means. False where it is left to be mended, or to be sent later.
pub fn say(hand: Hand, text: &str) -> bool {
    let Hand { desk, .. } = hand;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let now = browser_now();
    let command = text.starts_with('/') && !text.starts_with("//");
    let waits = !command && desk.talk.with_untracked(|talk| talk.wait_until > now);
    if text.is_empty() || waits {
        return false;
    }
    let id = dom::new_id("m");
    let m = desk.words;
    let refused = match desk.talk.with_untracked(|talk| talk.read(&text, &id)) {
        Typed::Words => {
            let mut said = Some((id, text, hand.reply.get_untracked()));
            hand.reply.set(None);
            change(desk, &mut |talk, now| {
                said.take().map(|(id, text, reply)| talk.say(id, text, reply, now)).unwrap_or_default()
            });
            desk.hands.rows.with_value(|rows| rows.as_ref().map(Rows::to_end));
            return true;
        }
        Typed::Send(_) if desk.talk.with_untracked(|talk| !talk.joined) => m.chat_offline().to_owned(),
        Typed::Send(message) => {
            desk.realtime.say(&message);
            return true;
        }
        Typed::Help => {
            let moderates = desk.talk.with_untracked(Talk::moderates);
            let verbs = Verb::ALL.into_iter().filter(|verb| moderates || !verb.moderates());
            note(desk, m.chat_help(verbs.map(Verb::usage).collect::<Vec<_>>().join("  ·  ")));
            return true;
        }
        Typed::NothingToUndo => {
            note(desk, m.chat_nothing_to_undo().to_owned());
            return true;
        }
        // What was mistyped stays to be mended.
        Typed::Hint(CommandHint::Unknown) => m.chat_refused_command().to_owned(),
        Typed::Hint(CommandHint::Usage(verb)) => m.chat_usage(verb.usage()),
        Typed::NotAllowed => m.chat_refused_not_allowed().to_owned(),
    };
    note(desk, refused);
    false
}

/// The field's text has changed.
pub fn typed(hand: Hand) {
    let Some(field) = text_field(hand.desk) else { return };
    let text = field.value();
    field.set_rows(1);
    let lines = (field.scroll_height() - field.client_height()) / LINE_PX + 1;
    field.set_rows(u32::try_from(lines.min(LINES_MAX)).unwrap_or(1));
    let left = (text.len() > COUNT_FROM)
        .then(|| MESSAGE_MAX as i32 - i32::try_from(dom::graphemes(&text)).unwrap_or(i32::MAX));
    let left = left.filter(|left| *left <= TELL_BELOW);
    if hand.left.get_untracked() != left {
        hand.left.set(left);
    }
    let before = before_caret(&field, &text);
    let (at, list) = hand
        .desk
        .talk
        .with_untracked(|talk| draft::choices(before, &talk.people, hand.desk.words.chat_guest(), talk.moderates()));
    offer(hand, Choices { at, list, selected: 0 });
}

/// Shows what could be meant.
fn offer(hand: Hand, choices: Choices) {
    if let Some(field) = text_field(hand.desk) {
        if choices.list.is_empty() {
            let _ = field.remove_attribute("aria-activedescendant");
        } else {
            let _ = field.set_attribute("aria-activedescendant", &format!("chat-choice-{}", choices.selected));
        }
    }
    if hand.choices.with_untracked(|now| *now != choices) {
        hand.choices.set(choices);
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
pub fn choose(hand: Hand, index: usize) {
    let Some(field) = text_field(hand.desk) else { return };
    let choices = hand.choices.get_untracked();
    let Some(choice) = choices.list.get(index) else { return };
    let text = field.value();
    let before = before_caret(&field, &text);
    let after = text.get(before.len()..).unwrap_or_default().trim_start();
    let start = format!("{}{} ", before.get(..choices.at).unwrap_or_default(), choice.text);
    field.set_value(&format!("{start}{after}"));
    let caret = u32::try_from(start.encode_utf16().count()).unwrap_or(0);
    let _ = field.set_selection_range(caret, caret);
    focus_field(hand.desk);
    typed(hand);
}

/// A key in the field.
pub fn pressed(hand: Hand, key: &KeyboardEvent) {
    if is_composing(key) {
        return;
    }
    let choices = hand.choices.get_untracked();
    let count = choices.list.len();
    match key.key().as_str() {
        "ArrowDown" if count > 0 => offer(hand, Choices { selected: (choices.selected + 1) % count, ..choices }),
        "ArrowUp" if count > 0 => offer(hand, Choices { selected: (choices.selected + count - 1) % count, ..choices }),
        "Tab" | "Enter" if count > 0 && !(key.key() == "Enter" && is_whole(hand, &choices)) => {
            choose(hand, choices.selected);
        }
        "Escape" if count > 0 => offer(hand, Choices::default()),
        "Escape" if hand.reply.with_untracked(Option::is_some) => hand.reply.set(None),
        "Escape" => {
            if let Some(field) = text_field(hand.desk) {
                let _ = field.blur();
            }
        }
        "Enter" => send(hand),
        _ => return,
    }
    key.prevent_default();
    key.stop_propagation();
}

/// Whether the word is already what the choice would make of it: Enter sends then.
fn is_whole(hand: Hand, choices: &Choices) -> bool {
    let text = text_field(hand.desk).map(|field| field.value()).unwrap_or_default();
    let chosen = choices.list.get(choices.selected);
    chosen.is_some_and(|choice| text.get(choices.at..) == Some(choice.text.as_str()))
}
