//! The bar at the top of every page: home, search, and the way to a room of one's own.

use crate::{
    components::{icons::Mark, search::SearchField},
    i18n::use_messages,
};
use leptos::prelude::*;
use leptos_router::components::A;
use madang_view::view;

#[component]
pub fn Header() -> impl IntoView {
    let messages = use_messages();
    view! {
        <header class="bar">
            <A href="/" exact=true attr:class="logo" attr:aria-label=messages.home()>
                <Mark />
                <span>{messages.site_name()}</span>
            </A>
            <SearchField />
            <A href="/rooms/new" attr:class="btn main">
                {messages.create_room()}
            </A>
        </header>
    }
}
