//! The bar at the top of every page: home, search, the way to a room of one's own, and who is logged in.

use crate::{
    components::{avatar::Avatar, icons::Mark, search::SearchField},
    context::use_me,
    i18n::use_messages,
};
use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_location};
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
            <div class="bar-end">
                <A href="/rooms/new" attr:class="btn main">
                    {messages.create_room()}
                </A>
                {me()}
            </div>
        </header>
    }
}

/// The account that is logged in, or the way in. Links and a form that leave the page: the next one is the server's, made for who one is then.
fn me() -> AnyView {
    let messages = use_messages();
    match use_me() {
        Some(name) => view! {
            <a class="me" href="/account" rel="external" aria-label=messages.account_title()>
                <Avatar name=name.clone() />
                <span>{name}</span>
            </a>
            <form class="out" method="post" action="/logout">
                <button class="btn small ghost">{messages.account_log_out()}</button>
            </form>
        }
        .into_any(),
        None => {
            let path = use_location().pathname;
            view! {
                <a class="btn ghost" href=move || format!("/login?next={}", path.get()) rel="external">
                    {messages.account_log_in()}
                </a>
            }
            .into_any()
        }
    }
}
