//! A room's picture alone, for a frame on another site. `?delay=lowest`, `balanced` or `smooth` chooses its delay.

use crate::{
    ApiError,
    components::player::{Player, Use},
    context::use_origin,
    head::{self, page_title},
    i18n::use_messages,
    pages::{
        asked::{self, Came},
        not_found::NotFoundPage,
    },
    piece::Piece,
    reactive::memo,
    realtime::use_realtime,
};
use leptos::prelude::*;
use leptos_meta::Meta;
use madang_protocol::RoomPage;
use madang_view::view;

#[component]
pub fn EmbedPage() -> impl IntoView {
    view! {
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        {asked::room(|| view! { <div class="embed-page"></div> }, show, false)}
    }
}

fn show(came: Came) -> Piece {
    match came.page {
        Ok(page) => view! { <Picture page /> },
        Err(ApiError::NotFound) => view! { <NotFoundPage /> },
        Err(error) => view! { <p class="wrap" role="alert">{use_messages().error(&error)}</p> },
    }
}

/// The player, and the way to the room's own page.
#[component]
fn Picture(page: RoomPage) -> impl IntoView {
    let RoomPage { card, .. } = page;
    let realtime = use_realtime();
    let (told, gone) = (realtime.room(&card.slug), realtime.room_gone(&card.slug));
    let slug = card.slug.clone();
    let path = format!("/rooms/{slug}");
    let stream_url = format!("{}/live/{slug}.flv", use_origin());
    let card = memo(move || told.get().unwrap_or_else(|| card.clone()));
    let title = memo(move || card.with(|card| card.title.clone()));
    let owner = memo(move || card.with(|card| card.owner.clone()));
    let live = memo(move || if gone.get() { None } else { Some(card.with(|card| card.live)) });
    view! {
        {page_title(move || title.get())}
        <div class="embed-page">
            <Player slug title owner room=live usage=Use::Watch stream_url />
            <a class="embed-title" href=path target="_blank" rel="noopener external">{move || title.get()}</a>
        </div>
    }
}
