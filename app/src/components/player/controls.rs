//! The row of controls at the foot of the stage.

use super::{
    deck::{Command, Deck, Panel, Use},
    scene,
};
use crate::{
    components::icons::{Icon, Shape},
    i18n::use_messages,
    reactive::memo,
};
use leptos::prelude::*;
use madang_view::view;

/// The whole row on the watch page; only what tells how late it is in the studio.
#[component]
pub fn Controls(deck: Deck) -> impl IntoView {
    match deck.usage {
        Use::Watch => view! { <WatchControls deck /> },
        Use::Preview => view! { <PreviewControls deck /> },
    }
}

#[component]
fn WatchControls(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let play_label = move || if deck.paused.get() { m.player_play() } else { m.player_pause() };
    let fullscreen_label =
        move || if deck.fullscreen.get() { m.player_fullscreen_leave() } else { m.player_fullscreen() };
    view! {
        <div class="player-controls" role="group" aria-label=m.player_controls()>
            <button type="button" aria-label=play_label title=play_label on:click=deck.on_click(Command::TogglePlay)>
                {move || view! { <Icon of=if deck.paused.get() { Shape::Play } else { Shape::Pause } /> }}
            </button>
            <Sound deck />
            <Edge deck />
            <Behind deck />
            <span class="gap"></span>
            <button
                type="button"
                aria-label=m.player_settings()
                title=m.player_settings()
                aria-expanded=move || (deck.panel.get() == Some(Panel::Settings)).to_string()
                on:click=deck.on_click(Command::ToggleSettings)
            >
                <span class="setting-name">{move || deck.delay.get().label(m)}</span>
                <Icon of=Shape::Settings />
            </button>
            <button
                type="button"
                class="opt"
                hidden=move || !deck.can_pip.get()
                aria-label=m.player_pip()
                title=m.player_pip()
                on:click=deck.on_click(Command::TogglePictureInPicture)
            >
                <Icon of=Shape::PictureInPicture />
            </button>
            <button
                type="button"
                class="opt player-theatre"
                aria-label=m.player_theatre()
                title=m.player_theatre()
                aria-pressed=move || deck.theatre.get().to_string()
                on:click=deck.on_click(Command::ToggleTheatre)
            >
                <Icon of=Shape::Theatre />
            </button>
            <button
                type="button"
                hidden=move || !deck.can_fullscreen.get()
                aria-label=fullscreen_label
                title=fullscreen_label
                on:click=deck.on_click(Command::ToggleFullscreen)
            >
                {move || {
                    view! { <Icon of=if deck.fullscreen.get() { Shape::FullscreenLeave } else { Shape::Fullscreen } /> }
                }}
            </button>
        </div>
    }
}

#[component]
fn PreviewControls(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let behind = move || match deck.behind_ms.get() {
        Some(ms) if deck.scene.get() == scene::Scene::Playing => m.player_preview_behind(scene::behind(m, ms)),
        _ => String::new(),
    };
    view! {
        <div class="player-controls" role="group" aria-label=m.player_controls()>
            <span class="player-preview">{m.player_preview()}</span>
            <span class="player-behind">{behind}</span>
            <span class="gap"></span>
            <Sound deck />
        </div>
    }
}

#[component]
fn Sound(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let silent = move || deck.muted.get() || deck.volume.get() == 0;
    let label = move || if silent() { m.player_unmute() } else { m.player_mute() };
    view! {
        <button type="button" aria-label=label title=label on:click=deck.on_click(Command::ToggleMute)>
            {move || view! { <Icon of=if silent() { Shape::Muted } else { Shape::Volume } /> }}
        </button>
        <input
            class="player-volume"
            type="range"
            min="0"
            max="100"
            step="5"
            value="100"
            aria-label=m.player_volume()
            prop:value=move || if deck.muted.get() { "0".to_owned() } else { deck.volume.get().to_string() }
            on:input=move |ev| {
                if let Ok(volume) = event_target_value(&ev).parse() {
                    deck.send(Command::SetVolume(volume));
                }
            }
        />
    }
}

/// Red at the live edge; grey with how late it is, and then a way back.
#[component]
fn Edge(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let at = memo(move || deck.at_edge());
    let label = move || if at.get() { m.player_at_live() } else { m.player_go_live() };
    let playing = move || deck.seen.get();
    view! {
        <button
            type="button"
            class="player-edge"
            class:at=move || at.get() && deck.scene.get() == scene::Scene::Playing
            disabled=move || !playing()
            title=label
            on:click=deck.on_click(Command::GoLive)
        >
            {m.player_live()}
            <span class="offscreen">{move || format!(" {}", label())}</span>
        </button>
    }
}

#[component]
fn Behind(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let text = move || match deck.behind_ms.get() {
        Some(ms) if deck.seen.get() && !deck.scene.with(scene::Scene::is_waiting_for_streamer) => scene::behind(m, ms),
        _ => String::new(),
    };
    view! { <span class="player-behind">{text}</span> }
}
