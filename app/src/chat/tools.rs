//! What can be done with a message: tools beside the row under the pointer, and the way back for ten seconds.

use super::desk::Desk;
use crate::{clock::use_clock, i18n::Messages, piece::Piece};
use leptos::prelude::*;
use madang_protocol::chat::UNDO_MS;
use madang_view::view;

/// Timeouts to choose from, in seconds.
const TIMEOUTS: [u32; 5] = [10, 60, 600, 3_600, 86_400];

/// A button for [`super::hands`].
pub fn button(what: &'static str, words: impl Into<String>, hidden: Signal<bool>) -> Piece {
    view! { <button type="button" data-do=what hidden=hidden>{words.into()}</button> }
}

/// One set of tools for all rows; `hands.rs` moves it to the row that it is for.
#[component]
pub fn Tools(desk: Desk) -> impl IntoView {
    let m = desk.words;
    let none = Signal::derive(move || desk.target.with(Option::is_none));
    let guest = desk.is(|talk| !talk.moderates());
    let above = Signal::derive(move || {
        guest.get()
            || desk.target.with(|target| {
                target.as_ref().is_none_or(|target| {
                    desk.talk.with(|talk| talk.is_mine(target.author.id) || target.author.role >= talk.standing.role)
                })
            })
    });
    let shut = Signal::derive(move || above.get() || !desk.timeouts.get());
    let always = Signal::derive(|| false);
    view! {
        <div class="chat-tools" role="toolbar" aria-label=m.chat_actions() node_ref=desk.tools hidden=none>
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
pub fn Toast(desk: Desk) -> impl IntoView {
    let m = desk.words;
    let clock = use_clock();
    let none = desk.is(|talk| talk.undo.is_none());
    let left = Signal::derive(move || {
        let done = desk.talk.with(|talk| talk.undo.map(|(_, done)| done));
        let left_ms = done.map_or(0, |done| UNDO_MS - clock.since(done)).max(0);
        format!("{} ({})", m.chat_undo(), (left_ms + 999) / 1_000)
    });
    view! {
        <div class="chat-toast" role="status" hidden=none>
            <span>{m.chat_action_done()}</span>
            <button type="button" class="btn small" data-do="undo" aria-label=m.chat_undo()>{left}</button>
        </div>
    }
}
