//! The bar at the top of every page: home, search, the way to a room of one's own, and who is logged in.

use crate::{
    components::{avatar::Avatar, icons::Mark, search::SearchField},
    context::use_me,
    i18n::use_messages,
    piece::Piece,
    route::use_place,
};
use leptos::prelude::*;
use madang_view::view;

#[component]
pub fn Header() -> impl IntoView {
    let messages = use_messages();
    let here = use_place().path;
    let current = move |path: &'static str| move || here.with(|here| here == path).then_some("page");
    view! {
        <header class="bar">
            <a href="/" class="logo" aria-label=messages.home() aria-current=current("/")>
                <Mark />
                <span>{messages.site_name()}</span>
            </a>
            <SearchField />
            <div class="bar-end">
                <a href="/rooms/new" class="btn main" aria-current=current("/rooms/new")>
                    {messages.create_room()}
                </a>
                {me()}
            </div>
        </header>
    }
}

/// The account that is logged in, or the way in. Links and a form that leave the page: the next one is the server's, made for who one is then.
fn me() -> Piece {
    let messages = use_messages();
    if let Some(name) = use_me() {
        return view! {
            <a class="me" href="/account" rel="external" aria-label=messages.account_title()>
                <Avatar name=name.clone() />
                <span>{name}</span>
            </a>
            <form class="out" method="post" action="/logout">
                <button class="btn small ghost">{messages.account_log_out()}</button>
            </form>
        };
    }
    let path = use_place().path;
    view! {
        <a class="btn ghost" href=move || format!("/login?next={}", path.get()) rel="external">
            {messages.account_log_in()}
        </a>
    }
}
