//! Watching a room: the player, and who and what it is. Rendered whole by the server; state, viewers and title then follow the channel.

use crate::{
    ApiError,
    chat::ChatPanel,
    components::{
        avatar::Avatar,
        badge::LiveBadge,
        icons::{Icon, Shape},
        player::{Player, Use},
        time::Uptime,
    },
    context::{load, use_origin},
    head::{self, page_title},
    i18n::{grouped, use_messages},
    pages::{
        asked::{self, Came},
        not_found::NotFoundPage,
    },
    piece::Piece,
    reactive::{Memo, Var, memo},
    realtime::use_realtime,
    route::use_place,
};
use leptos::{ev::MouseEvent, prelude::*};
use leptos_meta::{Link, Meta};
use madang_protocol::{LiveState, RoomPage, Visibility};
use madang_view::view;

/// Most characters of a room's description in the card that other sites show.
const CARD_DESCRIPTION: usize = 200;

#[component]
pub fn WatchPage() -> impl IntoView {
    asked::room(|| view! { <div class="watch"><div class="player"></div></div> }, show, true)
}

fn show(came: Came) -> Piece {
    let again = came.again();
    match came.page {
        Ok(page) => view! { <Room page rows=came.rows /> },
        Err(ApiError::NotFound) => view! { <NotFoundPage /> },
        Err(ApiError::Forbidden) => {
            // The gate is the server's page.
            load(&format!("/rooms/{}", use_place().slug()));
            Piece::Nothing
        }
        Err(error) => view! { <Failed error again /> },
    }
}

/// The room could not be read.
#[component]
fn Failed(error: ApiError, again: impl Fn(MouseEvent) + 'static) -> impl IntoView {
    let m = use_messages();
    view! {
        <section class="wrap empty" role="alert">
            <p>{m.error(&error)}</p>
            <button type="button" class="btn scripted" on:click=again>{m.error_again()}</button>
        </section>
    }
}

#[component]
fn Room(
    page: RoomPage,
    /// The chat as the server wrote it.
    rows: String,
) -> impl IntoView {
    let m = use_messages();
    let RoomPage { card, description, visibility, mine, play_token } = page;
    let realtime = use_realtime();
    let (told, gone) = (realtime.room(&card.slug), realtime.room_gone(&card.slug));
    let slug = card.slug.clone();
    let path = format!("/rooms/{slug}");
    let origin = use_origin();
    let address = format!("{origin}{path}");
    let mut stream_url = format!("{origin}/live/{slug}.flv");
    let elsewhere = (!play_token.is_empty()).then(|| {
        stream_url = format!("{stream_url}?token={play_token}");
        view! {
            <details class="watch-elsewhere">
                <summary>{m.watch_elsewhere()}</summary>
                <code>{stream_url.clone()}</code>
                <small>{m.watch_elsewhere_note()}</small>
            </details>
        }
    });
    let card = memo(move || told.get().unwrap_or_else(|| card.clone()));
    let title = memo(move || card.with(|card| card.title.clone()));
    let owner = memo(move || card.with(|card| card.owner.clone()));
    let live = memo(move || if gone.get() { None } else { Some(card.with(|card| card.live)) });
    let talk = realtime.talk(&slug);
    let counts = talk.clone();
    // The card is told again when something else of it changes; how many watch the chat's counts say, all along.
    let watching = memo(move || {
        let counted = counts.as_ref().and_then(|talk| talk.with(|talk| talk.counts));
        counted.map_or_else(|| card.with(|card| card.watching), |(watching, _)| watching)
    });
    let unread = memo(move || talk.as_ref().map_or(0, |talk| talk.with(|talk| talk.unread)));
    let tab = move || {
        let unread = match unread.get() {
            0 => String::new(),
            n => format!("({n}) "),
        };
        card.with(|card| format!("{unread}{} · {}", card.title, card.owner))
    };
    let about = Var::new(false);
    let has_about = !description.is_empty();
    let chat = slug.clone();
    view! {
        {page_title(tab)}
        <Head card description=description.clone() address=address.clone() listed=visibility == Visibility::Public />
        <div class="watch with-chat" class:reading=about>
            <div class="watch-main">
            <Player slug title owner room=live usage=Use::Watch stream_url />
            <div class="watch-info">
                {move || view! { <Avatar name=card.with(|card| card.owner.clone()) large=true /> }}
                <div class="names">
                    <h1 lang=move || card.with(|card| card.language.clone())>{move || title.get()}</h1>
                    <p class="by">{move || card.with(|card| format!("{} · {}", card.owner, m.category(&card.category)))}</p>
                    <ul class="tags">
                        {move || card.with(|card| card.tags.iter().map(|tag| view! { <li class="tag">{tag.clone()}</li> }).collect_view())}
                    </ul>
                </div>
                <div class="watch-facts">
                    <Facts live watching />
                    {mine.then(|| view! { <a class="btn ghost" href=format!("{path}/studio")>{m.watch_studio()}</a> })}
                    <Share title address />
                    <a href="/" class="watch-close" title=m.not_found_back() aria-label=m.not_found_back()>
                        <Icon of=Shape::Close />
                    </a>
                </div>
            </div>
            {elsewhere}
            {has_about.then(|| view! { <Tabs about /> })}
            {has_about.then(|| view! { <section class="watch-about" aria-label=m.watch_about()>{description}</section> })}
            </div>
            <ChatPanel slug=chat rows />
        </div>
    }
}

/// In narrow windows the chat and what the room says of itself take turns.
#[component]
fn Tabs(
    /// Whether one reads about the room.
    about: Var<bool>,
) -> impl IntoView {
    let m = use_messages();
    let tab = |words: &'static str, is: bool| {
        let on = move || if about.get() == is { "true" } else { "false" };
        view! { <button type="button" aria-pressed=on on:click=move |_| about.set(is)>{words}</button> }
    };
    view! { <div class="watch-tabs scripted">{tab(m.chat_tab(), false)} {tab(m.chat_tab_about(), true)}</div> }
}

/// What other sites and search engines read.
#[component]
fn Head(
    card: Memo<madang_protocol::RoomCard>,
    description: String,
    address: String,
    /// Unlisted rooms are for those who have the address.
    listed: bool,
) -> impl IntoView {
    let m = use_messages();
    let card = card.get_untracked();
    let short: String = description.chars().take(CARD_DESCRIPTION).map(|c| if c == '\n' { ' ' } else { c }).collect();
    let said = if short.is_empty() { format!("{} · {}", card.owner, m.category(&card.category)) } else { short };
    let (again, here) = (said.clone(), address.clone());
    view! {
        {head::tag(|| view! { <Meta property="og:title" content=card.title /> })}
        {head::tag(|| view! { <Meta property="og:description" content=said /> })}
        {head::tag(|| view! { <Meta property="og:type" content="video.other" /> })}
        {head::tag(|| view! { <Meta property="og:url" content=address /> })}
        {head::tag(|| view! { <Meta name="description" content=again /> })}
        {head::tag(|| view! { <Link rel="canonical" href=here /> })}
        {(!listed).then(|| head::tag(|| view! { <Meta name="robots" content="noindex" /> }))}
    }
}

/// LIVE, how many watch, and for how long.
#[component]
fn Facts(live: Memo<Option<LiveState>>, watching: Memo<u32>) -> impl IntoView {
    let m = use_messages();
    let shown = move || live.get().unwrap_or(LiveState::Never);
    let since = move || match live.get() {
        Some(LiveState::Live { since }) => Some(since),
        _ => None,
    };
    let count = move || {
        let n = u64::from(watching.get());
        view! {
            <span class="watching" title=m.watch_watching_note()>
                <span aria-hidden="true">{format!("● {}", grouped(n))}</span>
                <span class="offscreen">{m.watch_watching(n)}</span>
            </span>
        }
    };
    view! {
        {move || view! { <LiveBadge live=shown() /> }}
        {move || since().is_some().then(count)}
        {move || since().map(|since| view! { <span class="uptime"><Uptime since /></span> })}
    }
}

/// Hands the address on: by the system's own sheet where there is one, else by copying it.
#[component]
fn Share(title: Memo<String>, address: String) -> impl IntoView {
    let m = use_messages();
    let copied = Var::new(false);
    let press = move |_| share(title.get_untracked(), address.clone(), copied);
    view! {
        <span class="watch-share scripted">
            <button type="button" class="btn" on:click=press>
                <Icon of=Shape::Share />
                <span aria-live="polite">{move || if copied.get() { m.watch_shared() } else { m.watch_share() }}</span>
            </button>
        </span>
    }
}

#[cfg(feature = "hydrate")]
fn share(title: String, address: String, copied: Var<bool>) {
    use wasm_bindgen::JsValue;
    let navigator = window().navigator();
    if let Some(sheet) = crate::feature::method(&navigator, "share") {
        let what = js_sys::Object::new();
        let set = |name: &str, value: &str| js_sys::Reflect::set(&what, &name.into(), &JsValue::from_str(value));
        if set("title", &title).is_ok()
            && set("url", &address).is_ok()
            && let Ok(answer) = sheet.call1(&navigator, &what)
        {
            // Closing the sheet rejects the promise: that is no failure.
            let answer = wasm_bindgen_futures::JsFuture::from(js_sys::Promise::resolve(&answer));
            leptos::task::spawn_local(async move { drop(answer.await) });
            return;
        }
    }
    leptos::task::spawn_local(async move {
        if crate::components::copy::write(&address).await {
            copied.set(true);
            crate::listen::sleep(2_000).await;
            copied.set(false);
        }
    });
}

#[cfg(not(feature = "hydrate"))]
fn share(_title: String, _address: String, _copied: Var<bool>) {}
