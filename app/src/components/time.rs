//! Times that move. Each first shows what the page's clock says on both sides (see `clock`), and ticks once hydrated.

use crate::{
    clock::use_clock,
    i18n::use_messages,
    reactive::memo,
    words::{clock_machine, clock_text},
};
use leptos::prelude::*;
use madang_protocol::UnixMillis;
use madang_view::view;

/// How long something has been going on, as a running clock: `2:41:10`.
#[component]
pub fn Uptime(
    /// When it began.
    since: UnixMillis,
) -> impl IntoView {
    let clock = use_clock();
    let started = clock_machine(clock.rendered.since(since));
    view! {
        <time class="clock" datetime=started data-since=since.0.to_string()>
            {move || clock_text(clock.since(since))}
        </time>
    }
}

/// How long ago something was, in words: `5 minutes ago`.
#[component]
pub fn Ago(
    /// When it was.
    at: UnixMillis,
) -> impl IntoView {
    let clock = use_clock();
    let messages = use_messages();
    // A memo, so that the text is touched when its words change and not every second.
    let words = memo(move || messages.ago(clock.since(at)));
    view! { <time data-at=at.0.to_string()>{move || words.get()}</time> }
}
