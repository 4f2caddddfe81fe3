//! A room's state in one word.

use crate::i18n::use_messages;
use leptos::prelude::*;
use madang_protocol::LiveState;
use madang_view::view;

/// LIVE, Starting or Offline. Red is for live only.
#[component]
pub fn LiveBadge(
    /// The room's state.
    live: LiveState,
) -> impl IntoView {
    let messages = use_messages();
    let (class, text) = match live {
        LiveState::Live { .. } => ("badge live", messages.live_badge()),
        LiveState::Starting { .. } => ("badge starting", messages.starting_badge()),
        LiveState::Offline { .. } | LiveState::Never => ("badge", messages.offline_badge()),
    };
    view! { <span class=class>{text}</span> }
}
