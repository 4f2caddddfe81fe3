//! The search field: a plain GET form to the directory. With scripts the directory follows while one types, and `/` comes here.

use crate::{
    browse::{Browse, Part},
    components::{
        icons::{Icon, Shape},
        keys,
    },
    i18n::use_messages,
    reactive::{effect, memo},
};
use leptos::{ev, html::Input, prelude::*, web_sys};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use madang_view::view;
use std::time::Duration;

/// How long a pause in typing is before the directory follows.
const PAUSE: Duration = Duration::from_millis(150);

#[component]
pub fn SearchField() -> impl IntoView {
    let messages = use_messages();
    let location = use_location();
    let here = location.pathname;
    let search = location.search;
    // The directory's filters stay when one searches in it; from anywhere else a search begins without any.
    let browse = memo(move || match here.read().as_str() {
        "/" => Browse::from_search(&search.read()),
        _ => Browse::default(),
    });
    let field = NodeRef::<Input>::new();
    let navigate = use_navigate();
    let go = move |replace: bool| {
        let Some(field) = field.get_untracked() else { return };
        let query = field.value().trim().to_owned();
        let wanted = browse.with_untracked(|browse| browse.with(|b| b.query = query));
        if browse.with_untracked(|browse| browse.query != wanted.query) || here.get_untracked() != "/" {
            navigate(&wanted.href(), NavigateOptions { replace, scroll: false, ..NavigateOptions::default() });
        }
    };
    let follow = go.clone();
    let follow = debounce(PAUSE, move |_: ev::Event| {
        if here.get_untracked() == "/" {
            // The first letter is a step of its own to come back from; those that follow belong to it.
            follow(browse.with_untracked(|browse| !browse.query.is_empty()));
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        go(false);
    };

    // A link may change the search; whoever is typing is not interrupted.
    effect(move || {
        let query = browse.with(|browse| browse.query.clone());
        if let Some(field) = field.get()
            && !is_focused(&field)
            && field.value() != query
        {
            field.set_value(&query);
        }
    });
    effect(move || {
        let listener = window_event_listener(ev::keydown, move |event| {
            let Some(field) = field.get_untracked() else { return };
            // In a room the key is the chat's.
            let in_room = || document().get_element_by_id("chat-text").is_some();
            if event.key() == "/" && !keys::is_taken(&event) && !in_room() {
                event.prevent_default();
                let _ = field.focus();
                field.select();
            } else if event.key() == "Escape" && is_focused(&field) {
                let _ = field.blur();
            }
        });
        on_cleanup(move || listener.remove());
    });

    let kept = move || {
        let browse = browse.get();
        let sort = if browse.sort == Default::default() { "" } else { browse.sort.as_str() };
        let pairs = [
            ("tag", browse.tag.clone()),
            ("category", browse.category.clone()),
            ("language", browse.language.clone()),
            ("sort", sort.to_owned()),
        ];
        let filled = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        filled.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()
    };
    let first = browse.with_untracked(|browse| browse.query.clone());
    let searching = move || browse.with(|browse| browse.parts().contains(&Part::Query));
    view! {
        <form class="search" role="search" method="get" action="/" class:on=searching on:submit=submit>
            <Icon of=Shape::Search />
            <input
                node_ref=field
                type="search"
                name="q"
                value=first
                maxlength="100"
                autocomplete="off"
                enterkeyhint="search"
                aria-label=messages.search_label()
                placeholder=messages.search_hint()
                on:input=follow
            />
            {kept}
            <kbd class="scripted" title=messages.search_key() aria-hidden="true">"/"</kbd>
            <button class="offscreen" type="submit" tabindex="-1">{messages.search_go()}</button>
        </form>
    }
}

fn is_focused(field: &web_sys::HtmlInputElement) -> bool {
    let active = document().active_element();
    active.is_some_and(|active| active.is_same_node(Some(field)))
}
