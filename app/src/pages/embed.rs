//! A room's picture alone, for a frame on another site. `?delay=lowest`, `balanced` or `smooth` chooses its delay.

use crate::{
    ApiError,
    codec::page_data,
    components::player::{Player, Use},
    context::use_origin,
    head::{self, page_title},
    i18n::use_messages,
    pages::not_found::NotFoundPage,
    reactive::memo,
    realtime::use_realtime,
    server::rooms::room_page,
};
use leptos::{either::EitherOf3, prelude::*};
use leptos_meta::Meta;
use leptos_router::hooks::use_params_map;
use madang_protocol::RoomPage;
use madang_view::view;

#[component]
pub fn EmbedPage() -> impl IntoView {
    let m = use_messages();
    let params = use_params_map();
    let asked = page_data(move || params.read().get("slug").unwrap_or_default(), room_page);
    view! {
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <Suspense fallback=|| view! { <div class="embed-page"></div> }>
            {move || Suspend::new(async move {
                match asked.await {
                    Ok(page) => EitherOf3::A(view! { <Picture page /> }),
                    Err(ApiError::NotFound) => EitherOf3::B(view! { <NotFoundPage /> }),
                    Err(error) => EitherOf3::C(view! { <p class="wrap" role="alert">{m.error(&error)}</p> }),
                }
            })}
        </Suspense>
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
    let title = Signal::derive(move || card.with(|card| card.title.clone()));
    let owner = Signal::derive(move || card.with(|card| card.owner.clone()));
    let live = memo(move || if gone.get() { None } else { Some(card.with(|card| card.live)) });
    view! {
        {page_title(move || title.get())}
        <div class="embed-page">
            <Player slug title owner room=live usage=Use::Watch stream_url />
            <a class="embed-title" href=path target="_blank" rel="noopener external">{move || title.get()}</a>
        </div>
    }
}
