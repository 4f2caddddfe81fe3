//! What can be done with a message: tools beside the row under the pointer, and the way back for ten seconds; and with one's name. In
//! the part that is fetched later (`deeds.rs`).

use super::{hand::Hand, words};
use crate::{
    chat::{composer::button, desk::Heard},
    clock::use_clock,
    i18n::Messages,
};
use leptos::prelude::*;
use madang_protocol::chat::UNDO_MS;
use madang_view::view;

/// Timeouts to choose from, in seconds.
const TIMEOUTS: [u32; 5] = [10, 60, 600, 3_600, 86_400];

/// One set of tools for all rows; `deeds.rs` moves it to the row that it is for.
#[component]
pub fn Tools(hand: Hand) -> impl IntoView {
    let desk = hand.desk;
    let m = desk.words;
    let none = move || hand.target.with(Option::is_none);
    let guest = desk.is(|talk| !talk.moderates());
    let above = move || {
        guest()
            || hand.target.with(|target| {
                target.as_ref().is_none_or(|target| {
                    desk.talk.with(|talk| talk.is_mine(target.author.id) || target.author.role >= talk.standing.role)
                })
            })
    };
    let shut = move || above() || !hand.timeouts.get();
    let always = || false;
    view! {
        <div class="chat-tools" role="toolbar" aria-label=m.chat_actions() node_ref=hand.tools hidden=none>
            {button("reply", m.chat_reply(), always)}
            {button("mention", m.chat_mention(), always)}
            {button("copy", m.chat_copy(), always)}
            {button("delete", m.chat_delete(), guest)}
            {button("timeout", m.chat_timeout(), above)}
            {button("ban", m.chat_ban(), above)}
            {button("card", m.chat_about(), guest)}
            <div class="chat-timeouts" role="group" aria-label=m.chat_timeout_for() hidden=shut>
                {TIMEOUTS
                    .map(|seconds| {
                        view! {
                            <button type="button" data-do="timeout-for" data-seconds=seconds.to_string()>
                                {timeout_words(m, seconds)}
                            </button>
                        }
                    })}
            </div>
        </div>
    }
}

fn timeout_words(m: Messages, seconds: u32) -> String {
    let seconds = u64::from(seconds);
    match seconds {
        ..=59 => m.chat_seconds(seconds),
        60..=3_599 => m.chat_minutes(seconds / 60),
        _ => m.chat_hours(seconds / 3_600),
    }
}

/// That something was done, and the button that undoes it, for as long as it works.
#[component]
pub fn Toast(hand: Hand) -> impl IntoView {
    let desk = hand.desk;
    let m = desk.words;
    let clock = use_clock();
    let none = desk.is(|talk| talk.undo.is_none());
    let left = move || {
        let done = desk.talk.with(|talk| talk.undo.map(|(_, done)| done));
        let left_ms = done.map_or(0, |done| UNDO_MS - clock.since(done)).max(0);
        format!("{} ({})", m.chat_undo(), (left_ms + 999) / 1_000)
    };
    view! {
        <div class="chat-toast" role="status" hidden=none>
            <span>{m.chat_action_done()}</span>
            <button type="button" class="btn small" data-do="undo" aria-label=m.chat_undo()>{left}</button>
        </div>
    }
}

/// Where one's name is changed in place.
#[component]
pub fn NameField(hand: Hand) -> impl IntoView {
    let desk = hand.desk;
    let m = desk.words;
    let always = || false;
    let refused = move || {
        let refused = hand.naming.with(|naming| naming.as_ref().and_then(|naming| naming.refused));
        refused.map(|reason| words::refusal(m, reason).to_owned()).unwrap_or_default()
    };
    view! {
        <span class="chat-naming" hidden=move || !desk.renames.get()>
            <input
                type="text"
                node_ref=hand.name
                maxlength="60"
                autocomplete="nickname"
                aria-label=m.chat_rename_label()
                aria-describedby="chat-name-refused"
                on:keydown=move |event| desk.hear(Heard::NameKey, &event)
            />
            {button("save-name", m.chat_rename_save(), always)}
            {button("keep-name", m.chat_cancel(), always)}
            <em id="chat-name-refused" role="alert">{refused}</em>
        </span>
    }
}
