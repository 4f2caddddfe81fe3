//! The panel: its head, the log, what lies over it, and the place to write. Buttons name what they do in `data-do`; one handler
//! (`deeds.rs`) does it.

use super::{
    composer::Composer,
    desk::{Desk, Heard, Slot},
    words,
};
use crate::i18n::use_messages;
use leptos::prelude::*;
use madang_protocol::RoomSlug;
use madang_view::view;

/// The chat of a room. `rows` are what the server wrote of it ([`super::still_rows`]).
#[component]
pub fn ChatPanel(
    slug: RoomSlug,
    rows: String,
    /// Whether it is the whole page: the way to that page is not shown then.
    #[prop(optional)]
    alone: bool,
) -> impl IntoView {
    let m = use_messages();
    let desk = Desk::new(&slug);
    let modes = desk.text(move |talk| words::pills(m, talk.modes).join(" · "));
    let open = desk.is(move |talk| talk.modes == Default::default());
    let chatting = desk
        .text(move |talk| talk.counts.map(|(_, chatting)| m.chat_chatting(u64::from(chatting))).unwrap_or_default());
    let new = desk.text(move |talk| match talk.log.unseen() {
        0 => m.chat_newest().to_owned(),
        n => m.chat_new(u64::from(n)),
    });
    let at_end = desk.is(|talk| talk.log.is_read_to_end());
    let said = desk.is(|talk| !talk.joined || !talk.log.rows().is_empty());
    let guest = desk.is(|talk| !talk.moderates());
    let moderation = format!("/rooms/{slug}/moderation");
    let popout = (!alone).then(|| {
        let label = m.chat_popout();
        view! {
            <a class="chat-out scripted" href=format!("/rooms/{slug}/chat") target="_blank" rel="noopener" title=label aria-label=label>
                "↗"
            </a>
        }
    });
    view! {
        <section id="chat" class="chat" aria-label=m.chat_label() on:click=move |event| desk.hear(Heard::Click, &event)>
            <header class="chat-head">
                <h2>{m.chat_title()}</h2>
                <span class="chat-modes" hidden=open>{modes}</span>
                <small title=m.chat_chatting_note()>{chatting}</small>
                <a class="chat-out" href=moderation hidden=guest title=m.mod_open() aria-label=m.mod_open()>"⚑"</a>
                {popout}
            </header>
            <div class="chat-body" on:pointerleave=move |event| desk.hear(Heard::Leave, &event)>
                <Log desk rows />
                <p class="chat-empty" hidden=said>{m.chat_empty()}</p>
                <button type="button" class="chat-new btn small" data-do="newest" hidden=at_end>{new}</button>
                {desk.slot(Slot::OverLog)}
            </div>
            <Composer desk />
            <noscript class="chat-noscript">{m.chat_noscript()}</noscript>
        </section>
    }
}

/// The rows. The server writes them; the browser takes them over and draws what follows (`dom.rs`), unseen by hydration.
#[component]
fn Log(desk: Desk, rows: String) -> impl IntoView {
    #[cfg(feature = "ssr")]
    let inner = view! { <div class="chat-rows" node_ref=desk.rows inner_html=rows></div> };
    #[cfg(not(feature = "ssr"))]
    let inner = {
        let _ = rows;
        view! { <div class="chat-rows" node_ref=desk.rows></div> }
    };
    view! {
        <div
            class="chat-log"
            node_ref=desk.log
            role="log"
            aria-label=desk.words.chat_log()
            tabindex="0"
            on:scroll=move |event| desk.hear(Heard::Scroll, &event)
            on:pointerover=move |event| desk.hear(Heard::Over, &event)
            on:focusin=move |event| desk.hear(Heard::Focus, &event)
            on:pointerdown=move |event| desk.hear(Heard::Press, &event)
            on:pointerup=move |event| desk.hear(Heard::Release, &event)
            on:pointercancel=move |event| desk.hear(Heard::Release, &event)
            on:keydown=move |event| desk.hear(Heard::LogKey, &event)
        >
            {inner}
        </div>
    }
}
