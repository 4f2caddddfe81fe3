//! What the browser does for a [`Desk`]: draws the rows, reads the field, carries out buttons and keys. Browser only; runs in effects
//! and handlers.

use super::{
    desk::{Desk, Heard, Naming, Target},
    dom::{self, Rows},
    draft,
    log::Body,
    look,
    talk::{Answer, Talk},
    typing::{choose, pressed, put_back, send, typed},
    words,
};
use crate::{
    clock::{browser_now, use_clock},
    components::{copy, keys},
    reactive::effect,
};
use leptos::{ev, prelude::*};
use madang_protocol::{
    UnixMillis,
    chat::{Act, QUOTE_MAX, Quote, Whom},
    realtime::ClientMessage,
};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Element, Event, EventTarget, HtmlElement, KeyboardEvent};

/// How long a finger rests on a message before its tools open.
const LONG_PRESS: Duration = Duration::from_millis(450);
/// How much room the tools need above a message, in pixels; with less they open below it.
const TOOLS_ABOVE: f64 = 96.0;

/// What is not state to be shown.
#[derive(Clone, Copy)]
pub struct Hands {
    pub rows: StoredValue<Option<Rows>, LocalStorage>,
    /// Counts presses, so that a late timer knows that its one is over.
    press: StoredValue<u32>,
}

impl Default for Hands {
    fn default() -> Self {
        Self { rows: StoredValue::new_local(None), press: StoredValue::new(0) }
    }
}

/// Wakes the panel up.
pub fn run(desk: Desk) {
    effect(move || {
        let (Some(holder), Some(scroller)) = (desk.rows.get(), desk.log.get()) else { return };
        desk.talk.with(|talk| {
            // What the server wrote stays until the channel has told the chat.
            if talk.log.since().is_some() {
                desk.hands.rows.try_update_value(|rows| {
                    rows.get_or_insert_with(|| Rows::new(holder.into(), scroller.into())).draw(talk, desk.words);
                });
            }
        });
        // The message that the tools are for may have moved, or be gone.
        if let Some(key) = desk.target.with_untracked(|target| target.as_ref().map(|target| target.key)) {
            match desk.hands.rows.with_value(|rows| rows.as_ref()?.find(key)) {
                Some(row) => place_tools(desk, &row),
                None => desk.target.set(None),
            }
        }
    });
    let clock = use_clock();
    effect(move || {
        let _ = clock.now();
        if desk.talk.with_untracked(Talk::waits) {
            change(desk, &mut Talk::tick);
        }
    });
    effect(move || {
        if desk.talk.with(|talk| talk.answer.is_some())
            && let Some((id, answer)) = desk.talk.try_update_untracked(|talk| talk.answer.take()).flatten()
        {
            answered(desk, &id, answer);
        }
    });
    effect(move || {
        let key = window_event_listener(ev::keydown, move |event| {
            if event.key() == "/" && !keys::is_taken(&event) {
                event.prevent_default();
                focus_field(desk);
            }
        });
        let seen = window_event_listener_untyped("visibilitychange", move |_| {
            let hidden = document().hidden();
            desk.talk.update(|talk| {
                talk.hidden = hidden;
                talk.unread = 0;
            });
        });
        desk.talk.update_untracked(|talk| talk.hidden = document().hidden());
        on_cleanup(move || {
            key.remove();
            seen.remove();
        });
        follow_keyboard();
    });
}

/// Changes the chat, and sends what comes of it.
pub fn change(desk: Desk, act: &mut dyn FnMut(&mut Talk, UnixMillis) -> Vec<ClientMessage>) {
    let messages = desk.talk.try_update(|talk| act(talk, browser_now())).unwrap_or_default();
    for message in &messages {
        desk.realtime.say(message);
    }
}

/// A line for this reader only.
pub fn note(desk: Desk, text: String) {
    desk.talk.update(|talk| talk.log.note(browser_now(), text));
}

fn answered(desk: Desk, id: &str, answer: Answer) {
    let naming = desk.naming.get_untracked();
    match answer {
        Answer::Done if id.is_empty() => desk.naming.set(None),
        Answer::Done => {}
        Answer::Refused(reason, _) if naming.is_some_and(|naming| naming.id == id) => {
            desk.naming.set(Some(Naming { id: String::new(), refused: Some(reason) }));
        }
        Answer::Refused(reason, _) => note(desk, words::refusal(desk.words, reason).to_owned()),
    }
}

pub fn hear(desk: Desk, what: Heard, event: &Event) {
    let key = event.dyn_ref::<KeyboardEvent>();
    match (what, key) {
        (Heard::Click, _) => {
            let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if let Some(element) = element.and_then(|element| element.closest("[data-do]").ok().flatten()) {
                act(desk, &element.get_attribute("data-do").unwrap_or_default(), &element);
            }
        }
        (Heard::Over, _) if pointer(event) != "touch" => aim(desk, event.target()),
        (Heard::Focus, _) => aim(desk, event.target()),
        (Heard::Leave, _) if pointer(event) != "touch" => desk.target.set(None),
        (Heard::Press, _) => {
            desk.hands.press.update_value(|press| *press += 1);
            if pointer(event) == "touch" {
                desk.target.set(None);
                let (press, target) = (desk.hands.press.get_value(), event.target());
                set_timeout(
                    move || {
                        if desk.hands.press.try_get_value() == Some(press) {
                            aim(desk, target);
                        }
                    },
                    LONG_PRESS,
                );
            }
        }
        (Heard::Release, _) => desk.hands.press.update_value(|press| *press += 1),
        (Heard::Scroll, _) => scrolled(desk),
        (Heard::Input, _) => typed(desk),
        (Heard::Submit, _) => {
            event.prevent_default();
            send(desk);
        }
        (Heard::Key, Some(key)) => pressed(desk, key),
        (Heard::LogKey, Some(key)) => walk(desk, key),
        (Heard::NameKey, Some(key)) if !key.is_composing() => match key.key().as_str() {
            "Enter" => {
                key.prevent_default();
                save_name(desk);
            }
            "Escape" => desk.naming.set(None),
            _ => {}
        },
        _ => {}
    }
}

fn pointer(event: &Event) -> String {
    event.dyn_ref::<web_sys::PointerEvent>().map(web_sys::PointerEvent::pointer_type).unwrap_or_default()
}

/// Opens the tools for the message under the pointer.
fn aim(desk: Desk, target: Option<EventTarget>) {
    let Some((element, key)) = dom::row_of(target) else { return };
    let found = desk.talk.with_untracked(|talk| {
        let row = talk.log.row(key)?;
        let text = if let Body::Said(message) = &row.body { message.text.clone() } else { return None };
        Some(Target { key, seq: row.seq?, author: look::author(row)?.clone(), text })
    });
    if desk.target.with_untracked(|now| *now == found) {
        return;
    }
    place_tools(desk, &element);
    desk.timeouts.set(false);
    desk.target.set(found);
}

fn place_tools(desk: Desk, row: &Element) {
    let (Some(tools), Some(log)) = (desk.tools.get_untracked(), desk.log.get_untracked()) else { return };
    let (row, edge) = (row.get_bounding_client_rect(), log.get_bounding_client_rect().top());
    let top = row.top() - edge;
    let below = top < TOOLS_ABOVE;
    let _ = tools.toggle_attribute_with_force("data-below", below);
    let place = if below { row.bottom() - edge } else { top };
    let _ = HtmlElement::style(&tools).set_property("top", &format!("{}px", place as i32));
}

fn scrolled(desk: Desk) {
    desk.hands.press.update_value(|press| *press += 1);
    let Some((at_end, near_start)) = desk.hands.rows.with_value(|rows| rows.as_ref().map(Rows::look)) else { return };
    desk.target.set(None);
    if desk.talk.with_untracked(|talk| talk.log.is_read_to_end() != at_end) {
        change(desk, &mut |talk, _| talk.read_to_end(at_end));
    }
    if near_start && desk.talk.with_untracked(|talk| talk.log.more && !talk.log.loading) {
        change(desk, &mut |talk, _| talk.read_to_start().into_iter().collect());
    }
}

/// A button was pressed.
fn act(desk: Desk, what: &str, element: &Element) {
    let target = desk.target.get_untracked();
    match (what, target) {
        ("newest", _) => {
            desk.hands.rows.with_value(|rows| rows.as_ref().map(Rows::to_end));
            change(desk, &mut |talk, _| talk.read_to_end(true));
        }
        ("retry" | "discard", _) => {
            let id = dom::row_of(Some(element.clone().into())).and_then(|(_, key)| {
                desk.talk.with_untracked(|talk| match &talk.log.row(key)?.body {
                    Body::Own { id, .. } => Some(id.clone()),
                    _ => None,
                })
            });
            let Some(id) = id else { return };
            if what == "retry" {
                change(desk, &mut |talk, now| talk.retry(&id, now));
            } else if let Some(text) = desk.talk.try_update(|talk| talk.discard(&id)).flatten() {
                put_back(desk, &text);
            }
        }
        ("no-reply", _) => desk.reply.set(None),
        ("choose", _) => {
            let index = element.get_attribute("data-index").and_then(|index| index.parse().ok()).unwrap_or(0);
            choose(desk, index);
        }
        ("rename", _) => {
            desk.naming.set(Some(Naming::default()));
            if let Some(field) = desk.name.get_untracked() {
                field.set_value(&desk.talk.with_untracked(|talk| talk.you.name.clone()));
            }
            later(move || {
                if let Some(field) = desk.name.get_untracked() {
                    let _ = field.focus();
                    field.select();
                }
            });
        }
        ("save-name", _) => save_name(desk),
        ("keep-name", _) => desk.naming.set(None),
        ("undo", _) => {
            if let Some((action, _)) = desk.talk.try_update(|talk| talk.undo.take()).flatten() {
                moderate(desk, Act::Undo { action });
            }
        }
        ("close-card", _) => desk.talk.update(|talk| talk.card = None),
        ("card-unban" | "card-mod" | "card-unmod", _) => {
            let Some(card) = desk.talk.try_update(|talk| talk.card.take()).flatten() else { return };
            let whom = Whom::Id(card.author.id);
            moderate(
                desk,
                match what {
                    "card-unban" => Act::Unban { whom },
                    _ => Act::SetModerator { whom, on: what == "card-mod" },
                },
            );
        }
        ("timeout", Some(_)) => desk.timeouts.update(|open| *open = !*open),
        (_, Some(target)) => on_message(desk, what, element, target),
        _ => {}
    }
}

/// A tool was used on a message.
fn on_message(desk: Desk, what: &str, element: &Element, target: Target) {
    let whom = Whom::Id(target.author.id);
    match what {
        "reply" => {
            let text = target.text.chars().take(QUOTE_MAX).collect();
            let name = words::author(desk.words, &target.author);
            desk.reply.set(Some(Quote { seq: target.seq, name, text }));
            focus_field(desk);
        }
        "mention" => {
            let text = draft::mention(&target.author, desk.words.chat_guest());
            let Some(field) = desk.field.get_untracked() else { return };
            let before = field.value();
            let gap = if before.is_empty() || before.ends_with(' ') { "" } else { " " };
            field.set_value(&format!("{before}{gap}{text} "));
            focus_field(desk);
            typed(desk);
        }
        "copy" => leptos::task::spawn_local(async move {
            // A refused clipboard leaves the text to be selected by hand.
            let _ = copy::write(&target.text).await;
        }),
        "delete" => moderate(desk, Act::Delete { seq: target.seq }),
        "timeout-for" => {
            let seconds = element.get_attribute("data-seconds").and_then(|s| s.parse().ok()).unwrap_or(600);
            moderate(desk, Act::Timeout { whom, seconds });
        }
        "ban" => moderate(desk, Act::Ban { whom, seconds: None }),
        "card" => {
            let room = desk.talk.with_untracked(|talk| talk.room.clone());
            desk.realtime.say(&ClientMessage::Card { room, person: target.author.id });
        }
        _ => return,
    }
    // Whoever came by the keyboard goes on in the log.
    let active =
        document().active_element().is_some_and(|active| active.closest(".chat-tools").ok().flatten().is_some());
    if active && let Some(log) = desk.log.get_untracked() {
        let _ = log.focus();
    }
    desk.target.set(None);
}

fn moderate(desk: Desk, act: Act) {
    let message = desk.talk.with_untracked(|talk| talk.act(act, String::new(), dom::new_id("a")));
    desk.realtime.say(&message);
}

fn save_name(desk: Desk) {
    let Some(field) = desk.name.get_untracked() else { return };
    let id = dom::new_id("n");
    desk.naming.set(Some(Naming { id: id.clone(), refused: None }));
    desk.realtime.say(&ClientMessage::Rename { name: field.value().trim().to_owned(), id });
}

/// A key in the log: the arrows walk from row to row, Enter goes to the tools, Escape leaves.
fn walk(desk: Desk, key: &KeyboardEvent) {
    let row = dom::row_of(key.target()).map(|(element, _)| element);
    let last = || desk.rows.get_untracked().and_then(|rows| rows.last_element_child());
    let next = match (key.key().as_str(), row) {
        ("ArrowUp", Some(row)) => row.previous_element_sibling(),
        ("ArrowUp", None) => last(),
        ("ArrowDown", Some(row)) => row.next_element_sibling(),
        ("Enter", Some(_)) => {
            desk.tools.get_untracked().and_then(|tools| tools.query_selector("button:not([hidden])").ok().flatten())
        }
        ("Escape", _) => desk.log.get_untracked().map(Into::into),
        _ => return,
    };
    if key.key() == "Escape" {
        desk.target.set(None);
    }
    if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        key.prevent_default();
        let _ = next.focus();
    }
}

pub fn focus_field(desk: Desk) {
    if let Some(field) = desk.field.get_untracked() {
        let _ = field.focus();
    }
}

/// After the page has changed.
fn later(what: impl FnOnce() + 'static) {
    set_timeout(what, Duration::ZERO);
}

/// Keeps the height that a phone's keyboard leaves in `--seen`, for browsers that lay the keyboard over the page.
fn follow_keyboard() {
    let viewport = js_sys::Reflect::get(&window(), &"visualViewport".into()).ok();
    let Some(viewport) = viewport.and_then(|viewport| viewport.dyn_into::<EventTarget>().ok()) else { return };
    let source: JsValue = viewport.clone().into();
    let follow = Closure::<dyn Fn()>::new(move || {
        let height = js_sys::Reflect::get(&source, &"height".into()).ok().and_then(|height| height.as_f64());
        let page = document().document_element().and_then(|page| page.dyn_into::<HtmlElement>().ok());
        if let (Some(height), Some(page)) = (height, page) {
            let _ = HtmlElement::style(&page).set_property("--seen", &format!("{}px", height as i32));
        }
    });
    let listener: js_sys::Function = follow.as_ref().unchecked_ref::<js_sys::Function>().clone();
    let _ = viewport.add_event_listener_with_callback("resize", &listener);
    let kept = StoredValue::new_local(Some((viewport, listener, follow)));
    on_cleanup(move || {
        if let Some((viewport, listener, _follow)) = kept.try_update_value(Option::take).flatten() {
            let _ = viewport.remove_event_listener_with_callback("resize", &listener);
        }
    });
}
