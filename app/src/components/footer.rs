//! The foot of every page: the languages.

use crate::{
    i18n::{Locale, use_messages},
    server::locale::SET_LANGUAGE,
};
use leptos::prelude::*;
use madang_view::view;

/// A plain form: it works without scripts, and the page that comes back is in the new language on both sides.
#[component]
pub fn Footer() -> impl IntoView {
    let messages = use_messages();
    let choices = Locale::ALL.map(|locale| {
        let current = (locale == messages.locale()).then_some("true");
        view! {
            <button name="lang" value=locale.tag() lang=locale.tag() aria-current=current>
                {locale.own_name()}
            </button>
        }
    });
    view! {
        <footer class="foot">
            <form class="languages" method="post" action=SET_LANGUAGE role="group" aria-label=messages.language_choose()>
                {choices.into_iter().collect_view()}
            </form>
        </footer>
    }
}
