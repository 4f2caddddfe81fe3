//! A room's chat alone: for a window of its own, beside another player, or over a stream.

use crate::{
    ApiError,
    chat::{ChatPanel, still_rows},
    codec::page_data,
    context::load,
    head::{self, page_title},
    i18n::use_messages,
    pages::not_found::NotFoundPage,
    piece::Piece,
    server::rooms::room_page,
};
use leptos::{either::EitherOf3, prelude::*};
use leptos_meta::Meta;
use leptos_router::hooks::use_params_map;
use madang_view::view;

#[component]
pub fn ChatPage() -> impl IntoView {
    let m = use_messages();
    let params = use_params_map();
    let asked = page_data(move || params.read().get("slug").unwrap_or_default(), room_page);
    view! {
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <Suspense fallback=|| view! { <div class="chat-page"></div> }>
            {move || Suspend::new(async move {
                match asked.await {
                    Ok(page) => {
                        let slug = page.card.slug.clone();
                        let rows = still_rows(slug.clone()).await;
                        let title = format!("{} · {}", m.chat_title(), page.card.title);
                        EitherOf3::A(view! {
                            {page_title(move || title.clone())}
                            <div class="chat-page"><ChatPanel slug rows alone=true /></div>
                        })
                    }
                    Err(ApiError::NotFound) => EitherOf3::B(view! { <NotFoundPage /> }),
                    Err(ApiError::Forbidden) => {
                        // The gate is the server's page.
                        load(&format!("/rooms/{}/chat", params.read_untracked().get("slug").unwrap_or_default()));
                        EitherOf3::C(Piece::Nothing)
                    }
                    Err(error) => EitherOf3::C(view! { <p class="wrap" role="alert">{m.error(&error)}</p> }),
                }
            })}
        </Suspense>
    }
}
