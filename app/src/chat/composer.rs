//! The place to write: the field, who one is, and why one cannot write. What comes while one writes is the part's (`typing.rs`).

use super::{
    desk::{Desk, Heard, Slot},
    words,
};
use crate::{
    clock::use_clock,
    piece::{IntoValue, Piece},
    reactive::memo,
    realtime::Connection,
};
use leptos::prelude::*;
use madang_view::view;

/// A button for `deeds.rs`.
pub fn button(what: &'static str, words: &'static str, hidden: impl IntoValue) -> Piece {
    view! { <button type="button" data-do=what hidden=hidden>{words}</button> }
}

#[component]
pub fn Composer(desk: Desk) -> impl IntoView {
    let m = desk.words;
    let clock = use_clock();
    // Whether one cannot write, and why, or what is waited for.
    let why = memo(move || {
        let now = clock.now();
        let (silent, refused) = desk.talk.with(|talk| {
            let why = || words::why_silent(m, &talk.you, &talk.standing, talk.modes, now);
            (if talk.joined { why() } else { None }, talk.join_at.is_some())
        });
        let lost = matches!(desk.realtime.connection().get(), Connection::Lost { .. });
        let waits = if lost {
            m.chat_offline()
        } else if refused {
            m.chat_why_refused()
        } else {
            ""
        };
        (silent.is_some(), silent.unwrap_or_else(|| waits.to_owned()))
    });
    let silent = move || why.with(|(silent, _)| *silent);
    // Seconds until the next message.
    let wait = memo(move || {
        let until = desk.talk.with(|talk| talk.wait_until);
        (until.since(clock.now()) + 999) / 1_000
    });
    let send = move || match wait.get() {
        0 => m.chat_send().to_owned(),
        seconds => m.chat_send_in(seconds),
    };
    let cannot = move || silent() || wait.get() > 0 || desk.over.get();
    view! {
        <form
            class="chat-form scripted"
            on:submit=move |event| desk.hear(Heard::Submit, &event)
            on:focusin=move |event| desk.hear(Heard::Near, &event)
        >
            {desk.slot(Slot::Replying)}
            <div class="chat-field">
                {desk.slot(Slot::Choices)}
                <textarea
                    id="chat-text"
                    node_ref=desk.field
                    rows="1"
                    enterkeyhint="send"
                    autocomplete="off"
                    placeholder=m.chat_write()
                    aria-label=m.chat_write_label()
                    aria-controls="chat-choices"
                    aria-autocomplete="list"
                    disabled=silent
                    on:input=move |event| desk.hear(Heard::Input, &event)
                    on:keydown=move |event| desk.hear(Heard::Key, &event)
                ></textarea>
                {desk.slot(Slot::Left)}
            </div>
            <p class="chat-why" role="status" hidden=move || why.with(|(_, words)| words.is_empty())>
                {move || why.with(|(_, words)| words.clone())}
            </p>
            <div class="chat-foot">
                {identity(desk)}
                {desk.slot(Slot::Naming)}
                <button type="submit" class="btn main small" disabled=cannot>{send}</button>
            </div>
        </form>
    }
}

/// Who one is here, and the way to change it.
fn identity(desk: Desk) -> Piece {
    let m = desk.words;
    let name = desk.text(move |talk| words::name(m, &talk.you.name, &talk.you.tag));
    let hidden = move || desk.renames.get() || desk.talk.with(|talk| talk.you.id.is_none());
    view! {
        <span class="chat-as" hidden=hidden>
            {m.chat_as()}" "<b>{name}</b>" · "{button("rename", m.chat_rename(), false)}
        </span>
    }
}
