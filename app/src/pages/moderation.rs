//! The moderation page: who may write and how, who may not, which words, and what was done. Its forms work without scripts, as the
//! studio's do.

mod act;
mod parts;

use crate::{
    ApiError,
    codec::page_data,
    components::log_in_first::LogInFirst,
    head::{self, page_title},
    i18n::use_messages,
    pages::not_found::NotFoundPage,
    route::use_place,
    server::moderation::moderation_view,
};
use act::{Bench, Outcome};
use leptos::{either::EitherOf3, prelude::*};
use leptos_meta::Meta;
use madang_protocol::{RoomSlug, chat::ModerationView, wire::Wire};
use madang_view::view;
use parts::{Actions, Bans, Filter, Moderators, Modes, Notice};
use serde::{Deserialize, Serialize};

/// The page as it opens.
#[derive(Clone, Debug, Serialize, Deserialize, Wire)]
struct Opening {
    slug: String,
    view: Result<ModerationView, ApiError>,
    outcome: Option<Outcome>,
}

/// Runs the posted form, if this page is the answer to one, and then reads what there is to show.
async fn open(slug: String) -> Opening {
    let outcome = act::run_posted(&slug).await;
    let view = moderation_view(slug.clone()).await;
    Opening { slug, view, outcome }
}

#[component]
pub fn ModerationPage() -> impl IntoView {
    let place = use_place();
    let opening = page_data(move || place.slug(), open);
    view! {
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <Suspense fallback=|| view! { <div class="form-page"></div> }>
            {move || Suspend::new(async move {
                let Opening { slug, view, outcome } = opening.await;
                match (RoomSlug::parse(&slug), view) {
                    (Ok(slug), Ok(view)) => EitherOf3::A(view! { <Moderation slug view outcome /> }),
                    (Err(_), _) | (_, Err(ApiError::NotFound)) => EitherOf3::B(view! { <NotFoundPage /> }),
                    (_, Err(error)) => EitherOf3::C(view! { <Refused error slug /> }),
                }
            })}
        </Suspense>
    }
}

/// Not a moderator's browser, or it could not be read.
#[component]
fn Refused(error: ApiError, slug: String) -> impl IntoView {
    let m = use_messages();
    let next = match error {
        ApiError::Forbidden => m.mod_not_yours().to_owned(),
        other => m.error(&other),
    };
    view! {
        {page_title(move || m.mod_title().to_owned())}
        <section class="wrap empty">
            <h1>{m.mod_title()}</h1>
            <p>{next}</p>
            <LogInFirst path=format!("/rooms/{slug}/moderation") />
            <a class="btn ghost" href=format!("/rooms/{slug}")>{m.studio_see_room()}</a>
        </section>
    }
}

#[component]
fn Moderation(slug: RoomSlug, view: ModerationView, outcome: Option<Outcome>) -> impl IntoView {
    let m = use_messages();
    let title = m.mod_of(&view.title);
    let path = format!("/rooms/{slug}");
    let bench = Bench::new(slug, view, outcome);
    view! {
        {page_title({ let title = title.clone(); move || title.clone() })}
        <div class="studio-page moderation" on:submit=move |event| bench.submitted(&event)>
            <h1>
                <span>{title}</span>
                <small><a href=path>{m.studio_see_room()}</a></small>
            </h1>
            <Notice bench />
            <div class="studio">
                <div>
                    <Modes bench />
                    <Filter bench />
                </div>
                <div>
                    <Moderators bench />
                    <Bans bench />
                </div>
            </div>
            <Actions bench />
        </div>
    }
}
