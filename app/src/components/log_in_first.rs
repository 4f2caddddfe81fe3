//! The way to logging in and back, on a page that is not for guests.

use crate::{context::use_me, i18n::use_messages};
use leptos::prelude::*;
use madang_view::view;

/// For whoever is not logged in; nothing for an account, which would be refused again.
#[component]
pub fn LogInFirst(
    /// Where to come back to.
    path: String,
) -> impl IntoView {
    let m = use_messages();
    use_me().is_none().then(|| {
        view! {
            <p>{m.account_yours_elsewhere()}</p>
            <a class="btn main" href=format!("/login?next={path}") rel="external">{m.account_log_in()}</a>
        }
    })
}
