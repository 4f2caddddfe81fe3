//! The bar at the top of every page: home, search, and the way to a room of one's own.

use crate::{
    components::{icons::Mark, search::SearchField},
    i18n::use_messages,
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use madang_view::view;

#[component]
pub fn Header() -> impl IntoView {
    let messages = use_messages();
    let here = use_location().pathname;
    let current = move |path: &'static str| move || here.with(|here| here == path).then_some("page");
    view! {
        <header class="bar">
            <a href="/" class="logo" aria-label=messages.home() aria-current=current("/")>
                <Mark />
                <span>{messages.site_name()}</span>
            </a>
            <SearchField />
            <a href="/rooms/new" class="btn main" aria-current=current("/rooms/new")>
                {messages.create_room()}
            </a>
        </header>
    }
}
