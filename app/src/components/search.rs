//! The search field: a plain GET form to the directory. With scripts the directory follows while one types, and `/` comes here.

#[cfg(feature = "ssr")]
use crate::browse::Browse;
use crate::{
    components::icons::{Icon, Shape},
    i18n::use_messages,
    piece::Spot,
    route::{Place, use_place},
};
use leptos::{ev, prelude::*};
use madang_view::view;

#[component]
pub fn SearchField() -> impl IntoView {
    let messages = use_messages();
    let place = use_place();
    let field = Spot::new();
    #[cfg(feature = "hydrate")]
    typing::run(place, field);
    let searching = move || place.path.with(|path| path == "/") && !place.query_now("q").is_empty();
    // The server's own HTML: what these are for is there before scripts are.
    #[cfg(feature = "ssr")]
    let (first, kept) = {
        let browse = match place.path.get_untracked().as_str() {
            "/" => Browse::from_search(&place.search.get_untracked()),
            _ => Browse::default(),
        };
        let kept = kept(&browse);
        (Some(browse.query), view! { <span hidden=true inner_html=kept></span> })
    };
    #[cfg(not(feature = "ssr"))]
    let (first, kept) = (None::<String>, view! { <span hidden=true></span> });
    view! {
        <form class="search" role="search" method="get" action="/" class:on=searching on:submit=move |event| submit(place, field, &event)>
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
                on:input=move |_| follow(place, field)
            />
            {kept}
            <kbd class="scripted" title=messages.search_key() aria-hidden="true">"/"</kbd>
            <button class="offscreen" type="submit" tabindex="-1">{messages.search_go()}</button>
        </form>
    }
}

/// The directory's other filters, which stay when one searches in it.
#[cfg(feature = "ssr")]
fn kept(browse: &Browse) -> String {
    let sort = if browse.sort == Default::default() { "" } else { browse.sort.as_str() };
    let pairs = [
        ("tag", browse.tag.clone()),
        ("category", browse.category.clone()),
        ("language", browse.language.clone()),
        ("sort", sort.to_owned()),
    ];
    let filled = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    filled.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }.to_html()).collect()
}

fn submit(place: Place, field: Spot, event: &ev::SubmitEvent) {
    event.prevent_default();
    #[cfg(feature = "hydrate")]
    typing::go(place, field, false);
    #[cfg(not(feature = "hydrate"))]
    let _ = (place, field);
}

fn follow(place: Place, field: Spot) {
    #[cfg(feature = "hydrate")]
    typing::follow(place, field);
    #[cfg(not(feature = "hydrate"))]
    let _ = (place, field);
}

/// What the browser does with the field.
#[cfg(feature = "hydrate")]
mod typing {
    use crate::{
        components::keys,
        listen::{after, on_window},
        piece::Spot,
        reactive::effect,
        route::Place,
    };
    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use web_sys::{HtmlInputElement, KeyboardEvent, UrlSearchParams};

    /// How long a pause in typing is before the directory follows.
    const PAUSE_MS: i32 = 150;

    pub fn run(place: Place, field: Spot) {
        // A link may change the search; whoever is typing is not interrupted.
        effect(move || {
            let query = if place.path.with(|path| path == "/") { place.query_now("q") } else { String::new() };
            if field.get().is_some()
                && let Some(field) = input(field)
                && !is_focused(&field)
                && field.value() != query
            {
                field.set_value(&query);
            }
        });
        on_window("keydown", move |event| {
            let (event, Some(field)): (&KeyboardEvent, _) = (event.unchecked_ref(), input(field)) else { return };
            // In a room the key is the chat's.
            let in_room = || document().get_element_by_id("chat-text").is_some();
            if event.key() == "/" && !keys::is_taken(event) && !in_room() {
                event.prevent_default();
                let _ = field.focus();
                field.select();
            } else if event.key() == "Escape" && is_focused(&field) {
                let _ = field.blur();
            }
        });
    }

    /// The directory follows what is typed, after a pause.
    pub fn follow(place: Place, field: Spot) {
        let typed = input(field).map(|field| field.value());
        let later = move || {
            let still = input(field).map(|field| field.value()) == typed;
            if still && place.path.with_untracked(|path| path == "/") {
                // The first letter is a step of its own to come back from; those that follow belong to it.
                go(place, field, !place.query("q").is_empty());
            }
        };
        after(PAUSE_MS, later);
    }

    /// Goes to the directory with what is in the field. Its filters stay when one searches in it; from anywhere else a search begins
    /// without any.
    pub fn go(place: Place, field: Spot, replace: bool) {
        let Some(field) = input(field) else { return };
        let query = field.value().trim().to_owned();
        let here = place.path.with_untracked(|path| path == "/");
        if here && place.query("q") == query {
            return;
        }
        let before = if here { place.search.get_untracked() } else { String::new() };
        let Ok(search) = UrlSearchParams::new_with_str(&before) else { return };
        search.delete("page");
        if query.is_empty() {
            search.delete("q");
        } else {
            search.set("q", &query);
        }
        let search = String::from(search.to_string());
        place.go(&format!("/?{search}"), replace);
    }

    fn input(field: Spot) -> Option<HtmlInputElement> {
        field.get_untracked()?.dyn_into().ok()
    }

    fn is_focused(field: &HtmlInputElement) -> bool {
        let active = document().active_element();
        active.is_some_and(|active| active.is_same_node(Some(field)))
    }
}
