//! What the browser does for a [`Desk`] from the start: draws the rows, and hands what people do to the part of the program that does it
//! (`deeds.rs`), which is fetched the first time. Browser only; runs in effects and handlers.

use super::{
    deeds::{Deeds, chat_deeds},
    desk::{Desk, Heard},
    dom::Rows,
    talk::Talk,
};
use crate::{
    clock::{browser_now, use_clock},
    components::keys,
    feature::get,
    listen::{on, on_window},
    reactive::{Kept, Var, effect},
    realtime::Connection,
};
use leptos::prelude::*;
use madang_protocol::{UnixMillis, realtime::ClientMessage};
use std::{any::Any, rc::Rc};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, EventTarget, HtmlElement, HtmlTextAreaElement, KeyboardEvent};

/// What is not state to be shown.
#[derive(Clone, Copy)]
pub struct Hands {
    pub rows: Kept<Option<Rows>>,
    /// The part's own state, once it is there.
    pub kept: Kept<Option<Rc<dyn Any>>>,
    /// Whether the part has come.
    came: Var<bool>,
    /// Whether it could not be had: then only what asks for something, and not what passes by, asks for it again.
    failed: Kept<bool>,
    /// What was done while the part was on its way.
    waiting: Kept<Vec<Waiting>>,
}

/// Something that was done before the part was there.
enum Waiting {
    Heard(Heard, Event),
    /// Sent off by Enter or the button: the field is free for what comes next.
    Said(String),
}

impl Default for Hands {
    fn default() -> Self {
        Self {
            rows: Kept::new(None),
            kept: Kept::new(None),
            came: Var::default(),
            failed: Kept::new(false),
            waiting: Kept::new(Vec::new()),
        }
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
                    rows.get_or_insert_with(|| Rows::new(holder, scroller)).draw(talk, desk.words);
                });
            }
        });
        if desk.ready.get_untracked()
            && let Some(deeds) = chat_deeds()
        {
            deeds.drawn(desk);
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
        if chat_deeds::PART.is_loaded() && !desk.hands.came.get_untracked() {
            desk.hands.came.set(true);
        }
    });
    effect(move || {
        if desk.hands.came.get()
            && !desk.ready.get_untracked()
            && let Some(deeds) = chat_deeds()
        {
            deeds.wake(desk);
            desk.ready.set(true);
            // Once its views stand in the page.
            leptos::task::spawn_local(async move { catch_up(desk, deeds) });
        }
    });
    effect(move || {
        // What was written while nothing could be fetched.
        let back = desk.realtime.connection().get() == Connection::Open;
        if back && !desk.ready.get_untracked() && desk.hands.waiting.with_value(|waiting| !waiting.is_empty()) {
            fetch(desk);
        }
    });
    on_window("keydown", move |event| {
        let event: &KeyboardEvent = event.unchecked_ref();
        if event.key() == "/" && !keys::is_taken(event) {
            event.prevent_default();
            focus_field(desk);
        }
    });
    on_window("visibilitychange", move |_| {
        let hidden = document().hidden();
        desk.talk.update(|talk| {
            talk.hidden = hidden;
            talk.unread = 0;
        });
    });
    effect(move || {
        desk.talk.try_update_untracked(|talk| talk.hidden = document().hidden());
        follow_keyboard();
    });
}

/// Does what waited for the part.
fn catch_up(desk: Desk, deeds: &dyn Deeds) {
    for waiting in desk.hands.waiting.try_update_value(std::mem::take).unwrap_or_default() {
        match waiting {
            Waiting::Heard(what, event) => deeds.hear(desk, what, &event),
            Waiting::Said(text) => deeds.say(desk, text),
        }
    }
}

/// Changes the chat, and sends what comes of it.
pub fn change(desk: Desk, act: &mut dyn FnMut(&mut Talk, UnixMillis) -> Vec<ClientMessage>) {
    desk.realtime.change(desk.talk, act);
}

/// A line for this reader only.
pub fn note(desk: Desk, text: String) {
    desk.talk.update(|talk| talk.log.note(browser_now(), text));
}

pub fn hear(desk: Desk, what: Heard, event: &Event) {
    if what == Heard::Scroll {
        scrolled(desk);
    }
    if desk.ready.get_untracked()
        && let Some(deeds) = chat_deeds()
    {
        return deeds.hear(desk, what, event);
    }
    let busy = desk.hands.waiting.with_value(|waiting| !waiting.is_empty());
    let Some(waits) = waits(desk, what, event, busy) else { return };
    let lost = desk.realtime.connection().get_untracked() != Connection::Open;
    if lost && matches!(waits, Waiting::Said(_)) {
        note(desk, desk.words.chat_part_later().to_owned());
    }
    desk.hands.waiting.update_value(|waiting| waiting.push(waits));
    if !busy {
        fetch(desk);
    }
}

/// What is to be done once the part is there. `busy`: it is on its way already.
fn waits(desk: Desk, what: Heard, event: &Event, busy: bool) -> Option<Waiting> {
    match what {
        // Nothing of this is left by then.
        Heard::Scroll | Heard::Leave => return None,
        Heard::Over | Heard::Focus | Heard::Near | Heard::Input | Heard::Press | Heard::LogKey
            if desk.hands.failed.with_value(|failed| *failed) =>
        {
            return None;
        }
        Heard::Release if !busy => return None,
        Heard::Click => {
            let target = event.target()?.dyn_into::<Element>().ok()?;
            target.closest("[data-do]").ok()??;
        }
        Heard::Submit => {
            event.prevent_default();
            return take_text(desk);
        }
        Heard::Key => {
            let key: &KeyboardEvent = event.unchecked_ref();
            if key.key() != "Enter" || keys::is_composing(key) {
                return None;
            }
            event.prevent_default();
            return take_text(desk);
        }
        _ => {}
    }
    Some(Waiting::Heard(what, event.clone()))
}

fn take_text(desk: Desk) -> Option<Waiting> {
    let field = text_field(desk)?;
    let text = field.value();
    field.set_value("");
    Some(Waiting::Said(text))
}

/// Fetches the part; what waits for it is done by an effect, once it is there.
fn fetch(desk: Desk) {
    leptos::task::spawn_local(async move {
        let loaded = chat_deeds::PART.load().await.is_ok();
        desk.hands.failed.set_value(!loaded);
        if loaded || !desk.ready.lives() {
            return desk.hands.came.set(loaded);
        }
        if desk.realtime.connection().get_untracked() != Connection::Open
            && desk.hands.waiting.try_update_value(|waiting| {
                waiting.retain(|waiting| matches!(waiting, Waiting::Said(_)));
                !waiting.is_empty()
            }) == Some(true)
        {
            // It is fetched again, and they are said, when the channel is back.
            return;
        }
        let waiting = desk.hands.waiting.try_update_value(std::mem::take).unwrap_or_default();
        let asks = |waiting: &Waiting| matches!(waiting, Waiting::Said(_) | Waiting::Heard(Heard::Click, _));
        if waiting.iter().any(asks) {
            note(desk, desk.words.chat_part_failed().to_owned());
        }
        let said =
            waiting.into_iter().filter_map(|waiting| if let Waiting::Said(text) = waiting { Some(text) } else { None });
        if let Some(field) = text_field(desk) {
            // Nothing that was written is lost.
            let texts: Vec<String> = said.chain([field.value()]).filter(|text| !text.is_empty()).collect();
            field.set_value(&texts.join(" "));
        }
    });
}

fn scrolled(desk: Desk) {
    let Some((at_end, near_start)) = desk.hands.rows.with_value(|rows| rows.as_ref().map(Rows::look)) else { return };
    if desk.talk.with_untracked(|talk| talk.log.is_read_to_end() != at_end) {
        change(desk, &mut |talk, _| talk.read_to_end(at_end));
    }
    if near_start && desk.talk.with_untracked(|talk| talk.log.more && !talk.log.loading) {
        change(desk, &mut |talk, _| talk.read_to_start().into_iter().collect());
    }
}

pub fn text_field(desk: Desk) -> Option<HtmlTextAreaElement> {
    desk.field.get_untracked()?.dyn_into().ok()
}

pub fn focus_field(desk: Desk) {
    if let Some(field) = text_field(desk) {
        let _ = field.focus();
    }
}

fn page() -> Option<HtmlElement> {
    document().document_element()?.dyn_into().ok()
}

/// Keeps the height that a phone's keyboard leaves in `--seen`, for browsers that lay the keyboard over the page.
fn follow_keyboard() {
    let viewport = get(&window(), "visualViewport").and_then(|viewport| viewport.dyn_into::<EventTarget>().ok());
    let Some(viewport) = viewport else { return };
    let source: JsValue = viewport.clone().into();
    on(&viewport, "resize", move |_| {
        let height = get(&source, "height").and_then(|height| height.as_f64());
        if let (Some(height), Some(page)) = (height, page()) {
            let _ = HtmlElement::style(&page).set_property("--seen", &format!("{}px", height as i32));
        }
    });
    on_cleanup(|| {
        // The next page may have no keyboard over it.
        if let Some(page) = page() {
            let _ = HtmlElement::style(&page).remove_property("--seen");
        }
    });
}
