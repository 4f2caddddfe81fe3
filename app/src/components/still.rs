//! A live room's newest picture over its cover: `/live/{slug}.mp4`, a video of one frame, asked for only while somebody can see it.

use leptos::prelude::*;
use madang_protocol::{RoomSlug, UnixMillis};
use madang_view::view;

/// Pictures are looked at again this often; the server makes a new one as often.
#[cfg(feature = "hydrate")]
const FRESH_MS: i64 = 10_000;
/// After a failure, as for a stream without a picture, nothing is asked for this long.
#[cfg(feature = "hydrate")]
const FAILED_MS: i64 = 60_000;

/// Two videos that take turns, so that the older picture stays until the newer one is there.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the browser's side reads it"))]
struct Pictures {
    /// Where each is from.
    sources: [RwSignal<Option<String>>; 2],
    /// Which one is in front, once one is.
    front: RwSignal<Option<usize>>,
    /// Nothing is asked for before this.
    due: StoredValue<UnixMillis>,
}

/// The picture. Shows nothing while the room is not live, and where there is none; the cover below is seen then.
#[component]
pub fn Still(
    slug: RoomSlug,
    /// Since when the room is live.
    live: Memo<Option<UnixMillis>>,
) -> impl IntoView {
    let pictures = Pictures {
        sources: [RwSignal::new(None), RwSignal::new(None)],
        front: RwSignal::new(None),
        due: StoredValue::new(UnixMillis(0)),
    };
    let frame = NodeRef::<leptos::html::Div>::new();
    #[cfg(feature = "hydrate")]
    browser::follow(pictures, frame, slug, live);
    #[cfg(not(feature = "hydrate"))]
    let _ = (slug, live);
    let one = move |number: usize| {
        let source = pictures.sources[number];
        view! {
            <video
                class:front=move || pictures.front.get() == Some(number)
                prop:muted=true
                playsinline=true
                autoplay=true
                disablepictureinpicture=true
                preload="auto"
                tabindex="-1"
                src=source
                on:loadeddata=move |_| pictures.front.set(source.with_untracked(Option::is_some).then_some(number))
                on:error=move |_| failed(pictures, number)
            ></video>
        }
    };
    view! { <div class="still" aria-hidden="true" node_ref=frame>{one(0)} {one(1)}</div> }
}

/// The picture in front may be older than it says now: what is below it is never wrong.
fn failed(pictures: Pictures, number: usize) {
    #[cfg(feature = "hydrate")]
    if pictures.sources[number].with_untracked(Option::is_some) {
        browser::failed(pictures);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (pictures, number);
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::{FAILED_MS, FRESH_MS, Pictures};
    use crate::{
        clock::{browser_now, use_clock},
        feature::get,
        reactive::effect,
    };
    use leptos::{html, prelude::*};
    use madang_protocol::{RoomSlug, UnixMillis};

    /// Looks once a second whether a picture is due and would be seen.
    pub fn follow(pictures: Pictures, frame: NodeRef<html::Div>, slug: RoomSlug, live: Memo<Option<UnixMillis>>) {
        let clock = use_clock();
        effect(move || {
            if live.get().is_none() {
                return clear(pictures);
            }
            clock.now();
            let now = browser_now();
            let seen = || frame.get_untracked().is_some_and(|frame| is_seen(&frame));
            if now.0 < pictures.due.get_value().0 || document().hidden() || saves_data() || !seen() {
                return;
            }
            pictures.due.set_value(UnixMillis(now.0 + FRESH_MS));
            // The same for everybody within ten seconds, so that a cache between here and the server holds it once.
            let source = format!("/live/{slug}.mp4?at={}", now.0 / FRESH_MS);
            let next = pictures.front.get_untracked().map_or(0, |front| 1 - front);
            pictures.sources[next].set(Some(source));
        });
    }

    pub fn failed(pictures: Pictures) {
        clear(pictures);
        pictures.due.set_value(UnixMillis(browser_now().0 + FAILED_MS));
    }

    fn clear(pictures: Pictures) {
        pictures.front.set(None);
        pictures.sources.iter().for_each(|source| source.set(None));
        pictures.due.set_value(UnixMillis(0));
    }

    /// Whether any of it is in the window.
    fn is_seen(frame: &web_sys::HtmlElement) -> bool {
        let place = frame.get_bounding_client_rect();
        let height = document().document_element().map_or(0, |page| page.client_height());
        place.height() > 0.0 && place.bottom() > 0.0 && place.top() < f64::from(height)
    }

    /// Whether people have told their browser to be sparing.
    fn saves_data() -> bool {
        get(&window().navigator(), "connection").and_then(|connection| get(&connection, "saveData")).is_some()
    }
}
