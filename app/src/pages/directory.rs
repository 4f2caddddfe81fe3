//! The directory: who is live, then every other public room. Rendered whole by the server, then kept live by the channel.

mod filters;
mod layout;
#[cfg(feature = "hydrate")]
mod place;

use crate::{
    ApiError,
    browse::{Browse, Part},
    clock::use_clock,
    codec::page_data,
    components::{
        icons::{Icon, Mark, Shape},
        tile::RoomTile,
    },
    context::use_origin,
    head::{self, page_title},
    i18n::use_messages,
    piece::Piece,
    reactive::Var,
    realtime::use_realtime,
    route::use_place,
    server::directory::list_rooms,
};
use filters::Filters;
use layout::{Facets, Layout};
use leptos::{either::Either, prelude::*};
use leptos_meta::{Link, Meta};
use madang_protocol::{RoomCard, RoomSlug};
use madang_view::view;

#[component]
pub fn DirectoryPage() -> impl IntoView {
    let messages = use_messages();
    // Once a visit: what changes afterwards comes by the channel.
    let asked = page_data(String::new, |_| list_rooms());
    let told = use_realtime().directory();
    let address = format!("{}/", use_origin());
    let again = move |_| asked.refetch();
    view! {
        {page_title(move || messages.directory_title().to_owned())}
        {head::tag(move || view! { <Meta property="og:title" content=messages.directory_title() /> })}
        {head::tag(move || view! { <Meta property="og:description" content=messages.directory_description() /> })}
        {head::tag({
            let address = address.clone();
            || view! { <Meta property="og:url" content=address /> }
        })}
        {head::tag(|| view! { <Link rel="canonical" href=address /> })}
        <div class="wrap directory">
            <Suspense fallback=move || view! { <p class="loading">{messages.directory_loading()}</p> }>
                {move || Suspend::new(async move {
                    match asked.await {
                        Ok(rooms) => Either::Left(view! { <Rooms asked=rooms told=told /> }),
                        Err(error) => Either::Right(view! { <Failed error=error again=again /> }),
                    }
                })}
            </Suspense>
        </div>
    }
}

/// The list could not be had.
#[component]
fn Failed(error: ApiError, again: impl Fn(leptos::ev::MouseEvent) + 'static) -> impl IntoView {
    let messages = use_messages();
    view! {
        <section class="empty" role="alert">
            <Mark />
            <h1>{messages.directory_title()}</h1>
            <p>{messages.error(&error)}</p>
            <button type="button" class="btn scripted" on:click=again>
                {messages.error_again()}
            </button>
        </section>
    }
}

/// The list, with its filters and pages.
#[component]
fn Rooms(
    /// As the server rendered it.
    asked: Vec<RoomCard>,
    /// As the channel tells it.
    told: Var<Option<Vec<RoomCard>>>,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    place::keep();
    let messages = use_messages();
    let clock = use_clock();
    let search = use_place().search;
    let asked = StoredValue::new(asked);
    let rooms = Memo::new(move |_| told.get().unwrap_or_else(|| asked.get_value()));
    // The page's own time is the seed of the random order: both sides know it, and each visit has another.
    let seed = clock.rendered.0.unsigned_abs();
    let browse = Memo::new(move |_| search.with(|search| Browse::from_search(search)));
    let facets = Memo::new(move |_| browse.with(|browse| rooms.with(|rooms| Facets::new(browse, rooms))));
    let next = Memo::new(move |_| browse.with(|browse| rooms.with(|rooms| Layout::new(browse, rooms, seed))));
    // While somebody points at the list, or is in it by keyboard, nothing in it moves: cards change where they stand.
    let pointed = RwSignal::new(false);
    let focused = RwSignal::new(false);
    let shown = Memo::new(move |before: Option<&Layout>| {
        let next = next.get();
        match before {
            Some(before) if (pointed.get() || focused.get()) && before.browse == next.browse => before.clone(),
            _ => next,
        }
    });
    let newcomers = Memo::new(move |_| next.with(|next| shown.with(|shown| next.newcomers(shown))));
    let let_go = move |_| {
        pointed.set(false);
        focused.set(false);
    };
    let stale = use_realtime().stale_since(clock);
    let section = move |slugs: Memo<Vec<RoomSlug>>| {
        view! {
            <ul class="grid">
                <For each=move || slugs.get() key=RoomSlug::clone let:slug>
                    <li>{tile(rooms, slug)}</li>
                </For>
            </ul>
        }
    };
    let stage = Memo::new(move |_| shown.with(|shown| shown.stage.clone()));
    let rest = Memo::new(move |_| shown.with(|shown| shown.rest.clone()));
    let some_staged = Memo::new(move |_| !stage.read().is_empty());
    let some_rest = Memo::new(move |_| !rest.read().is_empty());
    let nobody = Memo::new(move |_| shown.with(|s| s.live == 0 && s.browse.page == 0 && s.browse.parts().is_empty()));
    let nothing = Memo::new(move |_| shown.with(|s| s.found == 0 && !s.browse.parts().is_empty()));
    view! {
        <h1>{messages.directory_title()}</h1>
        <Show when=move || { next.read().total > 0 }>
            <Filters facets=facets layout=next />
        </Show>
        <div
            class="held"
            class:stale=move || stale.get().is_some()
            on:pointerenter=move |_| pointed.set(true)
            on:pointerleave=move |_| pointed.set(false)
            on:focusin=move |_| focused.set(true)
            on:focusout=move |_| focused.set(false)
        >
            <div class="newcomers" role="status">
                <Show when=move || { newcomers.get() > 0 }>
                    <button type="button" class="btn small" on:click=let_go>
                        {move || messages.directory_new(newcomers.get() as u64)}
                    </button>
                </Show>
            </div>
            <Show when=move || nobody.get()>
                <NoOneLive others=some_rest />
            </Show>
            <Show when=move || nothing.get()>
                <NothingFits rooms=rooms browse=browse />
            </Show>
            <Show when=move || some_staged.get()>{section(stage)}</Show>
            <Show when=move || some_rest.get()>
                <h2 class="part">{messages.directory_offline()}</h2>
                {section(rest)}
            </Show>
        </div>
        <Pages layout=shown />
    }
}

/// A room's tile. A room that has left the list while its tile is held in place stays as it was.
fn tile(rooms: Memo<Vec<RoomCard>>, slug: RoomSlug) -> Piece {
    let of = slug.clone();
    let card = Memo::new(move |before: Option<&Option<RoomCard>>| {
        let now = rooms.with(|rooms| rooms.iter().find(|room| room.slug == of).cloned());
        now.or_else(|| before.cloned().flatten())
    });
    view! { <RoomTile slug card /> }
}

/// Nobody is live, and no filter is to blame.
#[component]
fn NoOneLive(
    /// Whether other rooms are listed below.
    others: Memo<bool>,
) -> impl IntoView {
    let messages = use_messages();
    view! {
        <section class="empty">
            <Mark />
            <h2>{messages.directory_empty_title()}</h2>
            <p>
                {move || {
                    if others.get() { messages.directory_empty_offline() } else { messages.directory_empty_next() }
                }}
            </p>
            <a href="/rooms/new" class="btn main">
                <Icon of=Shape::Plus />
                {messages.create_room()}
            </a>
        </section>
    }
}

/// The filters leave nothing: says which one to take away, and how many rooms come back.
#[component]
fn NothingFits(rooms: Memo<Vec<RoomCard>>, browse: Memo<Browse>) -> impl IntoView {
    let messages = use_messages();
    let ways = move || {
        let browse = browse.get();
        let blockers = rooms.with(|rooms| browse.blockers(rooms));
        let lead =
            if blockers.is_empty() { messages.directory_nothing_all() } else { messages.directory_nothing_next() };
        let way = |text: String, found: usize, target: Browse| {
            view! {
                <li>
                    <a class="btn ghost" href=target.href() data-noscroll="">
                        {text}
                        <span class="found">{messages.directory_rooms(found as u64)}</span>
                    </a>
                </li>
            }
        };
        let mut ways: Vec<_> = blockers
            .into_iter()
            .map(|(part, found)| {
                let text = match part {
                    Part::Query => messages.directory_drop_query(&browse.query),
                    Part::Tag => messages.directory_drop_tag(&browse.tag),
                    Part::Category => messages.directory_drop_category().to_owned(),
                    Part::Language => messages.directory_drop_language().to_owned(),
                };
                way(text, found, browse.without(part))
            })
            .collect();
        if ways.is_empty() {
            ways.push(way(messages.directory_drop_all().to_owned(), rooms.with(Vec::len), browse.cleared()));
        }
        view! {
            <p>{lead}</p>
            <ul class="ways">{ways}</ul>
        }
    };
    view! {
        <section class="empty">
            <Mark />
            <h2>{messages.directory_nothing_title()}</h2>
            {ways}
        </section>
    }
}

/// Links to the page before and the page after.
#[component]
fn Pages(layout: Memo<Layout>) -> impl IntoView {
    let messages = use_messages();
    let link = move |forward: bool| {
        layout.with(|layout| {
            let page = if forward { layout.browse.page.checked_add(1) } else { layout.browse.page.checked_sub(1) };
            let href =
                page.filter(|page| *page < layout.pages).map(|page| Browse { page, ..layout.browse.clone() }.href());
            let (rel, text) =
                if forward { ("next", messages.directory_next()) } else { ("prev", messages.directory_previous()) };
            href.map(|href| view! { <a class="btn ghost" rel=rel href=href>{text}</a> })
        })
    };
    let place = move || layout.with(|layout| messages.directory_page(layout.browse.page + 1, layout.pages));
    view! {
        <Show when=move || { layout.read().pages > 1 }>
            <nav class="pages" aria-label=messages.directory_pages()>
                {move || link(false)}
                <span>{place}</span>
                {move || link(true)}
            </nav>
        </Show>
    }
}
