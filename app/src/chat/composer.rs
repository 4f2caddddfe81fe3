//! The place to write: the field, what could be meant, how many characters are left, who one is, and why one cannot write.

use super::{
    desk::{Desk, Heard},
    tools::button,
    words,
};
use crate::{clock::use_clock, reactive::memo, realtime::Connection};
use leptos::prelude::*;
use madang_view::view;

#[component]
pub fn Composer(desk: Desk) -> impl IntoView {
    let m = desk.words;
    let clock = use_clock();
    let why = Signal::derive(move || {
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
    let why = memo(move || why.get());
    let silent = Signal::derive(move || why.with(|(silent, _)| *silent));
    let why_words = Signal::derive(move || why.with(|(_, words)| words.clone()));
    let no_why = Signal::derive(move || why.with(|(_, words)| words.is_empty()));
    // Seconds until the next message.
    let wait = memo(move || {
        let until = desk.talk.with(|talk| talk.wait_until);
        (until.since(clock.now()) + 999) / 1_000
    });
    let send = Signal::derive(move || match wait.get() {
        0 => m.chat_send().to_owned(),
        seconds => m.chat_send_in(seconds),
    });
    let cannot = Signal::derive(move || silent.get() || wait.get() > 0 || desk.left.get().is_some_and(|left| left < 0));
    let left = Signal::derive(move || match desk.left.get() {
        Some(left) if left < 0 => m.chat_over(-left),
        Some(left) => m.chat_left_over(left),
        None => String::new(),
    });
    let over = Signal::derive(move || desk.left.get().is_some_and(|left| left < 0));
    let replying = Signal::derive(move || {
        desk.reply.with(|reply| {
            reply.as_ref().map(|quote| m.chat_replying(words::name(m, &quote.name, ""))).unwrap_or_default()
        })
    });
    let not_replying = Signal::derive(move || desk.reply.with(Option::is_none));
    view! {
        <form class="chat-form scripted" on:submit=move |event| desk.hear(Heard::Submit, &event)>
            <p class="chat-replying" hidden=not_replying>
                <span>{replying}</span>
                <button type="button" data-do="no-reply" aria-label=m.chat_reply_stop() title=m.chat_reply_stop()>"×"</button>
            </p>
            <div class="chat-field">
                <ChoiceList desk />
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
                <output class="chat-left" class:over=over>{left}</output>
            </div>
            <p class="chat-why" role="status" hidden=no_why>{why_words}</p>
            <div class="chat-foot">
                <Identity desk />
                <button type="submit" class="btn main small" disabled=cannot>{send}</button>
            </div>
        </form>
    }
}

/// Names, emoji or commands to choose from; moved through by the arrow keys while the field keeps the focus.
#[component]
fn ChoiceList(desk: Desk) -> impl IntoView {
    let rows = move || {
        let (list, selected) = desk.choices.with(|choices| (choices.list.clone(), choices.selected));
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
    let none = Signal::derive(move || desk.choices.with(|choices| choices.list.is_empty()));
    view! {
        <ul id="chat-choices" class="chat-choices" role="listbox" aria-label=desk.words.chat_choices() hidden=none>
            {rows}
        </ul>
    }
}

/// Who one is here, and changing it in place.
#[component]
fn Identity(desk: Desk) -> impl IntoView {
    let m = desk.words;
    let name = desk.text(move |talk| words::name(m, &talk.you.name, &talk.you.tag));
    let nobody = desk.is(|talk| talk.you.id.is_none());
    let changing = Signal::derive(move || desk.naming.with(Option::is_some));
    let hidden = Signal::derive(move || changing.get() || nobody.get());
    let not_changing = Signal::derive(move || !changing.get());
    let refused = Signal::derive(move || {
        let refused = desk.naming.with(|naming| naming.as_ref().and_then(|naming| naming.refused));
        refused.map(|reason| words::refusal(m, reason).to_owned()).unwrap_or_default()
    });
    let always = Signal::derive(|| false);
    view! {
        <span class="chat-as" hidden=hidden>
            {m.chat_as()}" "<b>{name}</b>" · "{button("rename", m.chat_rename(), always)}
        </span>
        <span class="chat-naming" hidden=not_changing>
            <input
                type="text"
                node_ref=desk.name
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
