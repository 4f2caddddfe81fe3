//! Says that the channel is down, and how old the page is by now.

use crate::{
    clock::use_clock,
    components::icons::{Icon, Shape},
    i18n::use_messages,
    reactive::memo,
    realtime::use_realtime,
};
use leptos::prelude::*;
use madang_view::view;

/// Stands at the bottom edge, over the page, so that nothing moves when it comes and goes.
#[component]
pub fn ConnectionBanner() -> impl IntoView {
    let messages = use_messages();
    let clock = use_clock();
    let realtime = use_realtime();
    let stale = realtime.stale_since(clock);
    let lost = memo(move || stale.get().is_some());
    let outdated = realtime.outdated();
    // The age counts up beside the announced sentence, silently: a screen reader would read every second of it.
    let age = move || {
        stale
            .get()
            .map(|heard| messages.connection_lost_age(messages.ago_exactly(clock.since(heard))))
            .unwrap_or_default()
    };
    view! {
        <div class="banner" class:shown=move || lost.get() || outdated.get() role="status">
            {move || {
                outdated.get()
                    .then(|| {
                        view! {
                            <span>{messages.chat_outdated()}</span>
                            <button type="button" class="btn small main" on:click=|_| drop(window().location().reload())>
                                {messages.chat_reload()}
                            </button>
                        }
                    })
            }}
            {move || {
                lost.get()
                    .then(|| {
                        view! {
                            <Icon of=Shape::Alert />
                            <span>{messages.connection_lost()}</span>
                            <span class="age" aria-hidden="true">
                                {age}
                            </span>
                        }
                    })
            }}
        </div>
    }
}
