//! A room's chat alone: for a window of its own, beside another player, or over a stream.

use crate::{
    ApiError,
    chat::ChatPanel,
    context::load,
    head::{self, page_title},
    i18n::use_messages,
    pages::{
        asked::{self, Came},
        not_found::NotFoundPage,
    },
    piece::Piece,
    route::use_place,
};
use leptos::prelude::*;
use leptos_meta::Meta;
use madang_view::view;

#[component]
pub fn ChatPage() -> impl IntoView {
    view! {
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        {asked::room(|| view! { <div class="chat-page"></div> }, show, true)}
    }
}

fn show(came: Came) -> Piece {
    let m = use_messages();
    match came.page {
        Ok(page) => {
            let slug = page.card.slug;
            let title = format!("{} · {}", m.chat_title(), page.card.title);
            view! {
                {page_title(move || title.clone())}
                <div class="chat-page"><ChatPanel slug rows=came.rows alone=true /></div>
            }
        }
        Err(ApiError::NotFound) => view! { <NotFoundPage /> },
        Err(ApiError::Forbidden) => {
            // The gate is the server's page.
            load(&format!("/rooms/{}/chat", use_place().slug()));
            Piece::Nothing
        }
        Err(error) => view! { <p class="wrap" role="alert">{m.error(&error)}</p> },
    }
}
