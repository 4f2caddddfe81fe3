//! What an unknown address shows, with status 404.

use crate::{
    components::icons::Mark,
    context::set_status,
    head::{self, page_title},
    i18n::use_messages,
};
use leptos::prelude::*;
use leptos_meta::Meta;
use madang_view::view;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    set_status(404);
    let messages = use_messages();
    view! {
        {page_title(move || messages.not_found_title().to_owned())}
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <div class="wrap">
            <section class="empty">
                <Mark />
                <h1>{messages.not_found_title()}</h1>
                <p>{messages.not_found_next()}</p>
                <a href="/" class="btn main">
                    {messages.not_found_back()}
                </a>
            </section>
        </div>
    }
}
