//! What people do in the chat: writing, the tools of messages, moderating, names. A part of the program that is fetched when a panel is
//! used for the first time; `hands.rs` keeps what was done until then. Browser only.

use super::{
    card::Card,
    desk::{Desk, Heard, Slot},
    dom::{self, Rows},
    draft,
    hand::{Hand, Naming, Target},
    hands::{change, focus_field, note, text_field},
    log::Body,
    look,
    talk::Answer,
    tools::{NameField, Toast, Tools},
    typing::{ChoiceList, Left, Replying, choose, pressed, put_back, say, send, typed},
    words,
};
use crate::{
    components::{copy, keys::is_composing},
    listen::after,
    piece::Piece,
    reactive::effect,
};
use leptos::prelude::*;
use madang_protocol::{
    chat::{Act, QUOTE_MAX, Quote, Whom},
    realtime::ClientMessage,
};
use madang_view::{part, view};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, EventTarget, HtmlElement, KeyboardEvent};

/// How long a finger rests on a message before its tools open.
const LONG_PRESS_MS: i32 = 450;
/// How much room the tools need above a message, in pixels; with less they open below it.
const TOOLS_ABOVE: f64 = 96.0;

/// What the part does for a panel.
pub trait Deeds: Sync {
    /// Begins to follow a panel. Called once, in an effect of its own.
    fn wake(&self, desk: Desk);
    /// The rows were drawn anew.
    fn drawn(&self, desk: Desk);
    /// Something was done.
    fn hear(&self, desk: Desk, what: Heard, event: &Event);
    /// Says what was taken out of the field.
    fn say(&self, desk: Desk, text: String);
    fn view(&self, desk: Desk, slot: Slot) -> Piece;
}

/// The part.
#[part]
pub fn chat_deeds() -> &'static dyn Deeds {
    &ForAll
}

struct ForAll;

impl Deeds for ForAll {
    fn wake(&self, desk: Desk) {
        let hand = Hand::new(desk);
        desk.hands.kept.set_value(Some(Rc::new(hand)));
        effect(move || desk.renames.set(hand.naming.with(Option::is_some)));
        effect(move || desk.over.set(hand.left.get().is_some_and(|left| left < 0)));
        effect(move || {
            if desk.talk.with(|talk| talk.answer.is_some())
                && let Some((id, answer)) = desk.talk.try_update_untracked(|talk| talk.answer.take()).flatten()
            {
                answered(hand, &id, answer);
            }
        });
    }

    fn drawn(&self, desk: Desk) {
        // The message that the tools are for may have moved, or be gone.
        let Some(hand) = Hand::of(desk) else { return };
        let Some(key) = hand.target.with_untracked(|target| target.as_ref().map(|target| target.key)) else { return };
        match desk.hands.rows.with_value(|rows| rows.as_ref()?.find(key)) {
            Some(row) => place_tools(hand, &row),
            None => hand.target.set(None),
        }
    }

    fn hear(&self, desk: Desk, what: Heard, event: &Event) {
        if let Some(hand) = Hand::of(desk) {
            hear(hand, what, event);
        }
    }

    fn say(&self, desk: Desk, text: String) {
        if let Some(hand) = Hand::of(desk)
            && !say(hand, &text)
        {
            put_back(hand, &text);
        }
    }

    fn view(&self, desk: Desk, slot: Slot) -> Piece {
        let Some(hand) = Hand::of(desk) else { return Piece::Nothing };
        match slot {
            Slot::OverLog => view! { <Tools hand /> <Toast hand /> <Card hand /> },
            Slot::Replying => view! { <Replying hand /> },
            Slot::Choices => view! { <ChoiceList hand /> },
            Slot::Left => view! { <Left hand /> },
            Slot::Naming => view! { <NameField hand /> },
        }
    }
}

fn answered(hand: Hand, id: &str, answer: Answer) {
    let naming = hand.naming.get_untracked();
    match answer {
        Answer::Done if id.is_empty() => hand.naming.set(None),
        Answer::Done => {}
        Answer::Refused(reason, _) if naming.is_some_and(|naming| naming.id == id) => {
            hand.naming.set(Some(Naming { id: String::new(), refused: Some(reason) }));
        }
        Answer::Refused(reason, _) => note(hand.desk, words::refusal(hand.desk.words, reason).to_owned()),
    }
}

fn hear(hand: Hand, what: Heard, event: &Event) {
    let key = event.dyn_ref::<KeyboardEvent>();
    match (what, key) {
        (Heard::Click, _) => {
            let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if let Some(element) = element.and_then(|element| element.closest("[data-do]").ok().flatten()) {
                act(hand, &element.get_attribute("data-do").unwrap_or_default(), &element);
            }
        }
        (Heard::Over, _) if pointer(event) != "touch" => aim(hand, event.target()),
        (Heard::Focus, _) => aim(hand, event.target()),
        (Heard::Leave, _) if pointer(event) != "touch" => hand.target.set(None),
        (Heard::Press, _) => {
            hand.press.update_value(|press| *press += 1);
            if pointer(event) == "touch" {
                hand.target.set(None);
                let (press, target) = (hand.press.try_get_value(), event.target());
                after(LONG_PRESS_MS, move || {
                    if press.is_some() && hand.press.try_get_value() == press {
                        aim(hand, target);
                    }
                });
            }
        }
        (Heard::Release, _) => hand.press.update_value(|press| *press += 1),
        (Heard::Scroll, _) => {
            hand.press.update_value(|press| *press += 1);
            hand.target.set(None);
        }
        (Heard::Input, _) => typed(hand),
        (Heard::Submit, _) => {
            event.prevent_default();
            send(hand);
        }
        (Heard::Key, Some(key)) => pressed(hand, key),
        (Heard::LogKey, Some(key)) => walk(hand, key),
        (Heard::NameKey, Some(key)) if !is_composing(key) => match key.key().as_str() {
            "Enter" => {
                key.prevent_default();
                save_name(hand);
            }
            "Escape" => hand.naming.set(None),
            _ => {}
        },
        _ => {}
    }
}

fn pointer(event: &Event) -> String {
    event.dyn_ref::<web_sys::PointerEvent>().map(web_sys::PointerEvent::pointer_type).unwrap_or_default()
}

/// Opens the tools for the message under the pointer.
fn aim(hand: Hand, target: Option<EventTarget>) {
    let Some((element, key)) = dom::row_of(target) else { return };
    let found = hand.desk.talk.with_untracked(|talk| {
        let row = talk.log.row(key)?;
        let text = if let Body::Said(message) = &row.body { message.text.clone() } else { return None };
        Some(Target { key, seq: row.seq?, author: look::author(row)?.clone(), text })
    });
    if hand.target.with_untracked(|now| *now == found) {
        return;
    }
    place_tools(hand, &element);
    hand.timeouts.set(false);
    hand.target.set(found);
}

fn place_tools(hand: Hand, row: &Element) {
    let (Some(tools), Some(log)) = (hand.tools.get_untracked(), hand.desk.log.get_untracked()) else { return };
    let (row, edge) = (row.get_bounding_client_rect(), log.get_bounding_client_rect().top());
    let top = row.top() - edge;
    let below = top < TOOLS_ABOVE;
    let _ = tools.toggle_attribute_with_force("data-below", below);
    let place = if below { row.bottom() - edge } else { top };
    let Some(tools) = tools.dyn_ref::<HtmlElement>() else { return };
    let _ = HtmlElement::style(tools).set_property("top", &format!("{}px", place as i32));
}

/// A button was pressed.
fn act(hand: Hand, what: &str, element: &Element) {
    let target = hand.target.get_untracked();
    match (what, target) {
        ("newest", _) => {
            hand.desk.hands.rows.with_value(|rows| rows.as_ref().map(Rows::to_end));
            change(hand.desk, &mut |talk, _| talk.read_to_end(true));
        }
        ("retry" | "discard", _) => {
            let id = dom::row_of(Some(element.clone().into())).and_then(|(_, key)| {
                hand.desk.talk.with_untracked(|talk| match &talk.log.row(key)?.body {
                    Body::Own { id, .. } => Some(id.clone()),
                    _ => None,
                })
            });
            let Some(id) = id else { return };
            if what == "retry" {
                change(hand.desk, &mut |talk, now| talk.retry(&id, now));
            } else if let Some(text) = hand.desk.talk.try_update(|talk| talk.discard(&id)).flatten() {
                put_back(hand, &text);
            }
        }
        ("no-reply", _) => hand.reply.set(None),
        ("choose", _) => {
            let index = element.get_attribute("data-index").and_then(|index| index.parse().ok()).unwrap_or(0);
            choose(hand, index);
        }
        ("rename", _) => {
            hand.naming.set(Some(Naming::default()));
            if let Some(field) = hand.name_field() {
                field.set_value(&hand.desk.talk.with_untracked(|talk| talk.you.name.clone()));
            }
            // After the page has changed.
            after(0, move || {
                if let Some(field) = hand.name_field() {
                    let _ = field.focus();
                    field.select();
                }
            });
        }
        ("save-name", _) => save_name(hand),
        ("keep-name", _) => hand.naming.set(None),
        ("undo", _) => {
            if let Some((action, _)) = hand.desk.talk.try_update(|talk| talk.undo.take()).flatten() {
                moderate(hand, Act::Undo { action });
            }
        }
        ("close-card", _) => hand.desk.talk.update(|talk| talk.card = None),
        ("card-unban" | "card-mod" | "card-unmod", _) => {
            let card = hand.desk.talk.try_update(|talk| talk.card.take()).flatten();
            let Some(card) = card.and_then(|card| card.read()) else { return };
            let whom = Whom::Id(card.author.id);
            moderate(
                hand,
                match what {
                    "card-unban" => Act::Unban { whom },
                    _ => Act::SetModerator { whom, on: what == "card-mod" },
                },
            );
        }
        ("timeout", Some(_)) => hand.timeouts.update(|open| *open = !*open),
        (_, Some(target)) => on_message(hand, what, element, target),
        _ => {}
    }
}

/// A tool was used on a message.
fn on_message(hand: Hand, what: &str, element: &Element, target: Target) {
    let whom = Whom::Id(target.author.id);
    match what {
        "reply" => {
            let text = target.text.chars().take(QUOTE_MAX).collect();
            let name = words::author(hand.desk.words, &target.author);
            hand.reply.set(Some(Quote { seq: target.seq, name, text }));
            focus_field(hand.desk);
        }
        "mention" => {
            let text = draft::mention(&target.author, hand.desk.words.chat_guest());
            let Some(field) = text_field(hand.desk) else { return };
            let before = field.value();
            let gap = if before.is_empty() || before.ends_with(' ') { "" } else { " " };
            field.set_value(&format!("{before}{gap}{text} "));
            focus_field(hand.desk);
            typed(hand);
        }
        "copy" => leptos::task::spawn_local(async move {
            // A refused clipboard leaves the text to be selected by hand.
            let _ = copy::write(&target.text).await;
        }),
        "delete" => moderate(hand, Act::Delete { seq: target.seq }),
        "timeout-for" => {
            let seconds = element.get_attribute("data-seconds").and_then(|s| s.parse().ok()).unwrap_or(600);
            moderate(hand, Act::Timeout { whom, seconds });
        }
        "ban" => moderate(hand, Act::Ban { whom, seconds: None }),
        "card" => {
            let room = hand.desk.talk.with_untracked(|talk| talk.room.clone());
            hand.desk.realtime.say(&ClientMessage::Card { room, person: target.author.id });
        }
        _ => return,
    }
    // Whoever came by the keyboard goes on in the log.
    let active =
        document().active_element().is_some_and(|active| active.closest(".chat-tools").ok().flatten().is_some());
    if active && let Some(log) = hand.log_element() {
        let _ = log.focus();
    }
    hand.target.set(None);
}

fn moderate(hand: Hand, act: Act) {
    let message = hand.desk.talk.with_untracked(|talk| talk.act(act, String::new(), dom::new_id("a")));
    hand.desk.realtime.say(&message);
}

fn save_name(hand: Hand) {
    let Some(field) = hand.name_field() else { return };
    let id = dom::new_id("n");
    hand.naming.set(Some(Naming { id: id.clone(), refused: None }));
    hand.desk.realtime.say(&ClientMessage::Rename { name: field.value().trim().to_owned(), id });
}

/// A key in the log: the arrows walk from row to row, Enter goes to the tools, Escape leaves.
fn walk(hand: Hand, key: &KeyboardEvent) {
    let row = dom::row_of(key.target()).map(|(element, _)| element);
    let last = || hand.desk.rows.get_untracked().and_then(|rows| rows.last_element_child());
    let next = match (key.key().as_str(), row) {
        ("ArrowUp", Some(row)) => row.previous_element_sibling(),
        ("ArrowUp", None) => last(),
        ("ArrowDown", Some(row)) => row.next_element_sibling(),
        ("Enter", Some(_)) => {
            hand.tools.get_untracked().and_then(|tools| tools.query_selector("button:not([hidden])").ok().flatten())
        }
        ("Escape", _) => hand.desk.log.get_untracked(),
        _ => return,
    };
    if key.key() == "Escape" {
        hand.target.set(None);
    }
    if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        key.prevent_default();
        let _ = next.focus();
    }
}
