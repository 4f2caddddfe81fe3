//! The row above the grid: categories, languages, what was left out, and the order. All of it links, so that it works without scripts.

use super::layout::{Facets, Layout};
use crate::{
    browse::{Browse, Part, Sort},
    components::icons::{Icon, Shape},
    i18n::{Messages, use_messages},
    piece::{IntoPiece, Piece},
};
use leptos::{ev, html, prelude::*, wasm_bindgen::JsCast, web_sys};
use madang_view::view;

#[component]
pub(super) fn Filters(
    /// What the rooms can be filtered by.
    #[prop(into)]
    facets: Signal<Facets>,
    /// The page as it would be now.
    #[prop(into)]
    layout: Signal<Layout>,
) -> impl IntoView {
    let messages = use_messages();
    let browse = Memo::new(move |_| layout.with(|layout| layout.browse.clone()));
    let chips = move || {
        let (facets, browse) = (facets.get(), browse.get());
        let all =
            chip(messages.directory_all().to_owned(), &browse.without(Part::Category), browse.category.is_empty());
        let categories = facets.categories.into_iter().map(|code| {
            chip(messages.category(code), &browse.with(|b| b.category = code.to_owned()), browse.category == code)
        });
        let languages = facets.languages.into_iter().map(|(tag, name)| {
            let on = browse.language == tag;
            let target = if on { browse.without(Part::Language) } else { browse.with(|b| b.language = tag.to_owned()) };
            chip(name.to_owned(), &target, on)
        });
        let tag =
            (!browse.tag.is_empty()).then(|| chip(format!("#{} ×", browse.tag), &browse.without(Part::Tag), true));
        let chips: Vec<_> = std::iter::once(all).chain(categories).chain(languages).chain(tag).collect();
        chips
    };
    view! {
        <nav class="chips" aria-label=messages.directory_filters()>
            <ul class="chip-row">{chips}</ul>
            <p class="count">
                {move || layout.with(|layout| count(messages, layout))}
            </p>
            <Order browse=browse />
        </nav>
    }
}

/// A filter as a link. One that is on leads to where it is off again, or is the place itself.
fn chip(text: String, target: &Browse, on: bool) -> Piece {
    view! {
        <li>
            <a class="chip" href=target.href() data-noscroll="" aria-current=on.then_some("true")>
                {text}
            </a>
        </li>
    }
}

/// "8 rooms", or with filters "Showing 12 of 40 · clear".
fn count(messages: Messages, layout: &Layout) -> Piece {
    if layout.browse.parts().is_empty() {
        return messages.directory_rooms(layout.total as u64).into_piece();
    }
    let clear = layout.browse.cleared().href();
    view! {
        {messages.directory_showing(layout.found, layout.total)}
        " · "
        <a href=clear data-noscroll="">{messages.directory_clear()}</a>
    }
}

fn sort_name(messages: Messages, sort: Sort) -> &'static str {
    match sort {
        Sort::Watching => messages.directory_sort_watching(),
        Sort::Newest => messages.directory_sort_newest(),
        Sort::Smallest => messages.directory_sort_smallest(),
        Sort::Random => messages.directory_sort_random(),
    }
}

/// The order, as a menu that the browser opens by itself.
#[component]
fn Order(
    /// The filters as they are.
    browse: Memo<Browse>,
) -> impl IntoView {
    let messages = use_messages();
    let menu = NodeRef::<html::Details>::new();
    let close = move || {
        if let Some(menu) = menu.get_untracked() {
            let _ = menu.remove_attribute("open");
        }
    };
    Effect::new(move |_| {
        browse.track();
        close();
    });
    Effect::new(move |_| {
        let outside = window_event_listener(ev::click, move |event| {
            let target = event.target().and_then(|t| t.dyn_into::<web_sys::Node>().ok());
            if menu.get_untracked().is_some_and(|menu| !menu.contains(target.as_ref())) {
                close();
            }
        });
        let escape = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" {
                close();
            }
        });
        on_cleanup(move || {
            outside.remove();
            escape.remove();
        });
    });
    let choices = move || {
        let browse = browse.get();
        let choice = |sort: Sort| {
            let href = browse.with(|b| b.sort = sort).href();
            let current = (browse.sort == sort).then_some("true");
            view! {
                <li>
                    <a href=href data-noscroll="" aria-current=current>
                        {sort_name(messages, sort)}
                    </a>
                </li>
            }
        };
        Sort::ALL.into_iter().map(choice).collect_view()
    };
    view! {
        <details class="menu" node_ref=menu>
            <summary>
                <span class="offscreen">{messages.directory_sort()} ": "</span>
                <span>{move || sort_name(messages, browse.with(|browse| browse.sort))}</span>
                <Icon of=Shape::Chevron />
            </summary>
            <ul>{choices}</ul>
        </details>
    }
}
