//! The studio: what a room's owner sees and does. Its forms work without scripts: posted, the page runs them once and answers with
//! itself; with scripts the same functions run in place. `act` runs them; the panels are in `studio/`.

mod about;
mod act;
mod attempts;
mod audience;
mod health;
mod keys;
mod sparks;
mod status;

use crate::{
    ApiError,
    chat::{ChatPanel, still_rows},
    codec::page_data,
    components::{
        copy_row::CopyRow,
        log_in_first::LogInFirst,
        player::{Player, Use},
    },
    context::use_origin,
    head::{self, page_title},
    i18n::use_messages,
    pages::{new_room::Recipe, not_found::NotFoundPage},
    reactive::memo,
    realtime::use_realtime,
    route::use_place,
    server::studio::{StudioView, studio_view},
};
use about::{About, Danger};
use act::{Desk, Done, Outcome, Tried};
use attempts::Attempts;
#[cfg(feature = "ssr")]
pub use attempts::{from_text, mishap_text};
use audience::Audience;
use health::HealthPanel;
use keys::{Fresh, Keys};
use leptos::{either::EitherOf4, prelude::*};
use leptos_meta::Meta;
use madang_protocol::wire::Wire;
use madang_view::view;
use serde::{Deserialize, Serialize};
use status::{Status, Tracks};

/// The page as it opens.
#[derive(Clone, Debug, Serialize, Deserialize, Wire)]
struct Opening {
    /// `None` once the room has just been deleted.
    view: Option<Result<StudioView, ApiError>>,
    /// What became of a posted form.
    tried: Option<Tried>,
}

/// Runs the posted form, if this page is the answer to one, and then reads what there is to show.
async fn open(slug: String) -> Opening {
    let tried = act::run_posted(&slug).await;
    let deleted = tried.as_ref().is_some_and(|tried| tried.result == Ok(Done::Deleted));
    let view = if deleted { None } else { Some(studio_view(slug).await) };
    Opening { view, tried }
}

#[component]
pub fn StudioPage() -> impl IntoView {
    let place = use_place();
    let opening = page_data(move || place.slug(), open);
    view! {
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <Suspense fallback=|| view! { <div class="studio-page"></div> }>
            {move || Suspend::new(async move {
                let Opening { view, tried } = opening.await;
                match view {
                    Some(Ok(view)) => {
                        let rows = still_rows(view.page.card.slug.clone()).await;
                        EitherOf4::A(view! { <Studio view tried rows /> })
                    }
                    Some(Err(ApiError::NotFound)) => EitherOf4::B(view! { <NotFoundPage /> }),
                    Some(Err(error)) => {
                        let slug = place.slug();
                        EitherOf4::C(view! { <Refused error slug /> })
                    }
                    None => EitherOf4::D(view! { <Deleted /> }),
                }
            })}
        </Suspense>
    }
}

/// Somebody else's studio, or one that could not be read.
#[component]
fn Refused(error: ApiError, slug: String) -> impl IntoView {
    let m = use_messages();
    let (title, next) = match error {
        ApiError::Forbidden => (m.studio_not_yours_title().to_owned(), m.studio_not_yours_next().to_owned()),
        other => (m.studio_title().to_owned(), m.error(&other)),
    };
    view! {
        {page_title({ let title = title.clone(); move || title.clone() })}
        <section class="wrap empty">
            <h1>{title}</h1>
            <p>{next}</p>
            <LogInFirst path=format!("/rooms/{slug}/studio") />
            <a class="btn ghost" href=format!("/rooms/{slug}")>{m.studio_see_room()}</a>
        </section>
    }
}

#[component]
fn Deleted() -> impl IntoView {
    let m = use_messages();
    view! {
        {page_title(move || m.studio_deleted().to_owned())}
        <section class="wrap empty" role="status">
            <h1>{m.studio_deleted()}</h1>
            <p>{m.studio_deleted_next()}</p>
            <a class="btn main" href="/">{m.studio_back()}</a>
        </section>
    }
}

#[component]
fn Studio(
    view: StudioView,
    tried: Option<Tried>,
    /// The chat as the server wrote it.
    rows: String,
) -> impl IntoView {
    let rows = StoredValue::new(rows);
    let desk = Desk::new(view, tried);
    let gone = use_realtime().room_gone(&desk.slug.get_value());
    let over = Memo::new(move |_| gone.get() || desk.outcome() == Outcome::Done(Done::Deleted));
    // The panels stay while they are used: only the room's end takes them away.
    view! {
        <Show when=move || !over.get() fallback=|| view! { <Deleted /> }>
            <Open desk rows />
        </Show>
    }
}

#[component]
fn Open(desk: Desk, rows: StoredValue<String>) -> impl IntoView {
    let m = use_messages();
    let slug = desk.slug.get_value();
    let path = format!("/rooms/{slug}");
    let title = move || desk.page.with(|page| page.card.title.clone());
    let owner = move || desk.page.with(|page| page.card.owner.clone());
    let live = memo(move || Some(desk.status.with(|status| status.live)));
    view! {
        {page_title(move || m.studio_of(title()))}
        <div class="studio-page" on:submit=move |event| desk.submitted(&event) on:input=move |event| desk.typed(&event)>
            <h1>
                <span>{title}</span>
                <small><a href=path.clone()>{m.studio_see_room()}</a></small>
                <small><a href=format!("{path}/moderation")>{m.mod_open()}</a></small>
                <small><a href=format!("{path}/access") rel="external">{m.access_title()}</a></small>
            </h1>
            <Status desk />
            <Notice desk />
            <div class="studio">
                <div>
                    <section class="panel bare" aria-label=m.studio_preview()>
                        <Player slug=slug title=memo(title) owner=memo(owner) room=live usage=Use::Preview />
                        <Tracks desk />
                        <HealthPanel desk />
                    </section>
                    <ChatPanel slug=desk.slug.get_value() rows=rows.get_value() />
                    <About desk />
                    <Danger desk />
                </div>
                <div>
                    <Audience desk />
                    <Attempts desk />
                    <Fresh desk />
                    <Keys desk />
                    <section class="panel">
                        <h2>{m.room_recipe()}</h2>
                        <Recipe />
                    </section>
                    <section class="panel">
                        <h2>{m.studio_link()}</h2>
                        <div class="kv">
                            <CopyRow
                                id="room-url"
                                name=m.room_slug()
                                text=format!("{}{path}", use_origin())
                                copy=m.studio_copy_link()
                            />
                        </div>
                    </section>
                </div>
            </div>
        </div>
    }
}

/// What became of the last thing done, in a sentence; read out when it changes.
#[component]
fn Notice(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let words = Memo::new(move |_| match desk.outcome() {
        Outcome::Done(Done::Revoked) => (true, m.studio_key_revoked_done().to_owned()),
        Outcome::Done(Done::Ended) => (true, m.studio_end_done().to_owned()),
        Outcome::Done(Done::Saved) => (true, m.studio_saved().to_owned()),
        // Said beside the field.
        Outcome::Failed(ApiError::Invalid(_)) | Outcome::Nothing | Outcome::Done(_) => (true, String::new()),
        Outcome::Failed(error) => (false, m.studio_failed(m.error(&error))),
    });
    view! {
        <div role="status" aria-live="polite" class="studio-notice">
            <p
                class:form-note=move || words.with(|(good, _)| *good)
                class:form-wrong=move || words.with(|(good, _)| !*good)
                hidden=move || words.with(|(_, text)| text.is_empty())
            >
                {move || words.with(|(_, text)| text.clone())}
            </p>
        </div>
    }
}
