//! The chat beside a room's video.
//!
//! `log` and `talk` are what a reader has of it, pure; `look` is what a row looks like, `dom` and `still` make it in the browser and
//! on the server; `desk` is the panel's state, `hands` what the browser does with it from the start; `panel` and `composer` are views. What
//! comes once somebody uses the panel is a part of the program that is downloaded then: `deeds`, with `hand`, `typing`, `tools` and `card`.

#[cfg(feature = "hydrate")]
mod card;
mod composer;
#[cfg(feature = "hydrate")]
mod deeds;
pub mod desk;
#[cfg(feature = "hydrate")]
mod dom;
pub mod draft;
pub mod emoji;
#[cfg(feature = "hydrate")]
mod hand;
#[cfg(feature = "hydrate")]
mod hands;
pub mod log;
pub mod look;
mod panel;
#[cfg(feature = "ssr")]
mod still;
pub mod talk;
#[cfg(feature = "hydrate")]
mod tools;
#[cfg(feature = "hydrate")]
mod typing;
pub mod words;

pub use panel::ChatPanel;

use madang_protocol::RoomSlug;

/// The chat's rows as the server writes them into a page: HTML. Empty in the browser, which is sent the chat by the channel, and
/// where the chat cannot be read: the page stands without.
pub async fn still_rows(slug: RoomSlug) -> String {
    #[cfg(feature = "ssr")]
    {
        use crate::context::{use_domain, use_server_context};
        let (Ok(context), Ok(domain)) = (use_server_context(), use_domain()) else { return String::new() };
        let you = domain.you(context.person.as_ref());
        match domain.chat_page(&slug, you.id).await {
            Ok(state) => still::rows(crate::i18n::Messages::new(context.locale), state, &you),
            Err(error) => {
                tracing::debug!(%error, room = %slug, "a page was rendered without its chat");
                String::new()
            }
        }
    }
    #[cfg(not(feature = "ssr"))]
    {
        let _ = slug;
        String::new()
    }
}
