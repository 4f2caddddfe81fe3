//! The player on the watch page and in the studio: a video, what is said instead of it, and controls.
//!
//! The server renders it whole, at rest; the browser wakes it up (`player/browser.rs`). `scene` decides what is shown, `deck` holds the
//! state, the rest are views of it. Media itself is `madang_player`'s.

#[cfg(feature = "hydrate")]
mod browser;
mod controls;
#[cfg(any(test, feature = "hydrate"))]
mod counts;
mod deck;
mod early;
#[cfg(feature = "hydrate")]
mod extra;
#[cfg(feature = "hydrate")]
mod frames;
pub mod scene;
mod stage;

pub use deck::Use;

use crate::{
    components::avatar::hue_class,
    i18n::use_messages,
    piece::Piece,
    reactive::{Memo, memo},
};
use controls::Controls;
use deck::{Command, Deck, Subject};
use early::ask_early;
use leptos::prelude::*;
use madang_protocol::{LiveState, RoomSlug};
use madang_view::view;
use scene::Scene;
use stage::{AskButton, Extras, SceneWords};

/// A player for the room `slug`. It connects when `room` is live and lets go of everything when it leaves the page.
/// `room` is `None` once the room was deleted.
#[component]
pub fn Player(
    slug: RoomSlug,
    /// The room's title, for the video's name.
    title: Memo<String>,
    /// Its owner's name.
    owner: Memo<String>,
    room: Memo<Option<LiveState>>,
    usage: Use,
    /// The whole address of the stream, for those without scripts.
    #[prop(optional, into)]
    stream_url: String,
) -> impl IntoView {
    let m = use_messages();
    let url = match usage {
        Use::Watch => format!("/live/{slug}.flv"),
        // The owner's own look is nobody's watching.
        Use::Preview => format!("/live/{slug}.flv?preview=1"),
    };
    let early = ask_early(&url, matches!(room.get_untracked(), Some(LiveState::Live { .. })));
    let deck = Deck::new(usage, Subject { slug: slug.clone(), title, owner, room });
    #[cfg(feature = "hydrate")]
    browser::run(deck, url);

    let scene = deck.scene;
    let poster = poster(deck, &slug);
    let backdrop = format!("player-backdrop {}", hue_class(slug.as_str()));
    let look = move |_| deck.send(Command::Look);
    let wake = move || deck.send(Command::Wake);
    let without_scripts = if stream_url.is_empty() { String::new() } else { m.player_noscript(stream_url) };
    view! {
        <div
            class="player"
            node_ref=deck.stage
            class:idle=move || deck.rests()
            class:sound-only=move || deck.sound_only.get()
            class:theatre=deck.theatre
            data-scene=move || scene.with(Scene::name)
            on:pointermove=move |_| wake()
            on:pointerdown=move |_| wake()
            on:keydown=move |_| wake()
            on:focusin=move |_| wake()
            on:dblclick=move |_| deck.send(Command::ToggleFullscreen)
            on:fullscreenchange=look
        >
            {early}
            <div class=backdrop></div>
            <video
                node_ref=deck.video
                playsinline=true
                muted=usage == Use::Preview
                aria-label=move || m.player_label(title.get())
                on:play=look
                on:pause=look
                on:volumechange=look
            ></video>
            {poster}
            <SceneWords deck />
            // Text only: with scripts on, a browser reads what is in it as text, and hydration must find the same.
            <noscript class="player-noscript">{without_scripts}</noscript>
            // What is pressed twice in a hurry is not the picture.
            <div on:dblclick=|event| event.stop_propagation()>
                <AskButton deck />
                <Extras deck />
                <Controls deck />
            </div>
        </div>
    }
}

/// The newest still, until the first picture moves. Shown by the server too, so that a live room has something to see before anything
/// runs; nothing of a stream that is over.
fn poster(deck: Deck, slug: &RoomSlug) -> Piece {
    let address = format!("/live/{slug}.mp4");
    let live = move || matches!(deck.room.get(), Some(LiveState::Live { .. }));
    let shown = memo(move || deck.usage == Use::Watch && !deck.seen.get() && live());
    let picture = move || {
        shown.get().then(|| {
            view! {
                <video
                    class="player-poster"
                    muted=true
                    playsinline=true
                    autoplay=true
                    disablepictureinpicture=true
                    preload="auto"
                    tabindex="-1"
                    aria-hidden="true"
                    src=address.clone()
                ></video>
            }
        })
    };
    view! { {picture} }
}
