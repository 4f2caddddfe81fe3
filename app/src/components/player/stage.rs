//! What lies over the picture: the state in words, the browser's refusals. What is there only later is `extra`'s.

use super::{
    deck::{Ask, Command, Deck},
    scene::Scene,
};
use crate::{
    clock::use_clock,
    components::icons::{Icon, Shape},
    i18n::use_messages,
    reactive::memo,
};
use leptos::prelude::*;
use madang_view::view;

/// The state in words, an icon, and what happens next. Always in the page, so that readers of the screen hear changes and nothing
/// moves; out of sight while the picture moves.
#[component]
pub fn SceneWords(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let clock = use_clock();
    let scene = deck.scene;
    let said = memo(move || scene.with(|s| s.words(m, |at| m.ago(clock.since(at)))));
    let shape = memo(move || scene.with(shape_of));
    view! {
        <div class="player-scene">
            <span class="sign">
                {move || match shape.get() {
                    Some(shape) => view! { <Icon of=shape /> },
                    None => view! { <span class="wheel"></span> },
                }}
            </span>
            <div role="status" aria-live="polite">
                <p class="title">{move || said.with(|(title, _)| title.clone())}</p>
                <p class="next">{move || said.with(|(_, next)| next.clone())}</p>
            </div>
            <button
                type="button"
                class="btn main player-act"
                hidden=move || !scene.with(Scene::may_go_on)
                on:click=deck.on_click(Command::Again)
            >
                {m.player_again()}
            </button>
        </div>
        <p class="player-sound" hidden=move || !(deck.sound_only.get() && scene.get() == Scene::Playing)>
            {m.player_audio_only()}
        </p>
    }
}

/// The picture for a scene; `None` where a turning wheel says it.
const fn shape_of(scene: &Scene) -> Option<Shape> {
    match scene {
        Scene::Never | Scene::Offline { .. } => Some(Shape::Moon),
        Scene::Ended => Some(Shape::Check),
        Scene::NotFound | Scene::Codec(_) | Scene::TooOld | Scene::Broken => Some(Shape::Alert),
        Scene::Starting
        | Scene::Connecting
        | Scene::Playing
        | Scene::Buffering
        | Scene::Away { .. }
        | Scene::Reconnecting { .. } => None,
    }
}

/// The large button a browser's autoplay rule makes necessary.
#[component]
pub fn AskButton(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let words = move || match deck.ask.get() {
        Some(Ask::Play) => m.player_tap_play(),
        _ => m.player_tap_unmute(),
    };
    let shape = move || if deck.ask.get() == Some(Ask::Play) { Shape::Play } else { Shape::Muted };
    view! {
        <button type="button" class="player-ask" hidden=move || deck.ask.get().is_none() on:click=deck.on_click(Command::Unmute)>
            {move || view! { <Icon of=shape() /> }}
            {words}
        </button>
    }
}

/// What is downloaded after the first picture, or when it is first pressed: the bar to go back by, settings, shortcuts, statistics.
#[component]
pub fn Extras(deck: Deck) -> impl IntoView {
    view! { {move || deck.extra.get().map(|extra| extra(deck))} }
}
