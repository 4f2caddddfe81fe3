//! What a room's pages are asked for first: the server writes it into the page, and a browser that comes by a link asks for it.
//!
//! Resources and boundaries of leptos would do the same; they are nine kilobytes of a first download.

use crate::{ApiError, piece::Piece};
use madang_protocol::RoomPage;
#[cfg(not(feature = "ssr"))]
use std::sync::{Arc, Mutex, PoisonError};

/// The element whose text carries it from the server.
#[cfg_attr(feature = "ssr", expect(dead_code, reason = "the view has it as a word"))]
const GIVEN: &str = "page-data";

/// What came.
pub struct Came {
    pub page: Result<RoomPage, ApiError>,
    /// The chat as the server wrote it.
    pub rows: String,
    /// Asks anew.
    #[cfg(not(feature = "ssr"))]
    again: Again,
}

#[cfg(not(feature = "ssr"))]
type Again = Arc<dyn Fn() + Send + Sync>;

impl Came {
    /// What a button does that asks anew. Nothing on the server.
    pub fn again(&self) -> impl Fn(leptos::ev::MouseEvent) + use<> {
        #[cfg(not(feature = "ssr"))]
        let again = Arc::clone(&self.again);
        move |_| {
            #[cfg(not(feature = "ssr"))]
            again();
        }
    }
}

/// The room of the address, shown by `show` once it is known and by `wait` until then. `with_chat` says whether the server reads the
/// chat for it.
#[cfg(feature = "ssr")]
pub fn room(_wait: fn() -> Piece, show: fn(Came) -> Piece, with_chat: bool) -> Piece {
    use crate::{chat::still_rows, codec, piece::any, route::use_place, server::rooms::room_page};
    use leptos::{nonce::use_nonce, prelude::*, tachys::reactive_graph::OwnedView};
    use madang_view::view;
    let slug = use_place().slug();
    // It is data, and runs nowhere; but every such element carries the page's own mark.
    let nonce = use_nonce().map(|nonce| nonce.to_string());
    any(Suspend::new(async move {
        let page = room_page(slug).await;
        let rows = match &page {
            Ok(page) if with_chat => still_rows(page.card.slug.clone()).await,
            _ => String::new(),
        };
        // No `<` could end the element.
        let given = codec::to_text(&page).unwrap_or_default().replace('<', "\\u003c");
        OwnedView::new(view! {
            {show(Came { page, rows })}
            <script type="application/json" id="page-data" nonce=nonce inner_html=given></script>
        })
    }))
}

/// The room of the address, shown by `show` once it is known and by `wait` until then.
#[cfg(not(feature = "ssr"))]
pub fn room(wait: fn() -> Piece, show: fn(Came) -> Piece, _with_chat: bool) -> Piece {
    use crate::{reactive::Var, route::use_place};
    use leptos::prelude::*;
    use madang_view::view;
    let slug = use_place().slug();
    let first = given();
    let asks = first.is_none();
    let came = Arc::new(Mutex::new(first));
    // Raised when something came.
    let turn = Var::new(0_u32);
    let kept = Arc::clone(&came);
    let again: Again = Arc::new(move || {
        let (slug, kept) = (slug.clone(), Arc::clone(&kept));
        leptos::task::spawn_local(async move {
            #[cfg(feature = "hydrate")]
            let page = crate::server::ask::room_page(&slug).await;
            #[cfg(not(feature = "hydrate"))]
            let page = crate::server::rooms::room_page(slug).await;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
            turn.try_update(|turn| *turn += 1);
        });
    });
    if asks {
        again();
    }
    Piece::Live(Box::new(move || {
        turn.with(|_| ());
        let page = came.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(page) = page else { return wait() };
        let came = Came { page, rows: String::new(), again: Arc::clone(&again) };
        // The element is the server's: a page that is made here does without.
        let element =
            (turn.get_untracked() == 0).then(|| view! { <script type="application/json" id="page-data"></script> });
        view! { {untrack(|| show(came))} {element} }
    }))
}

/// What the server wrote, taken out so that no later page takes it for its own.
#[cfg(not(feature = "ssr"))]
fn given() -> Option<Result<RoomPage, ApiError>> {
    let element = leptos::prelude::document().get_element_by_id(GIVEN)?;
    let text = element.text_content()?;
    element.set_text_content(None);
    crate::codec::from_text(&text).ok()
}
