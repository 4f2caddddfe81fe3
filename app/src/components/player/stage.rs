//! What lies over the picture: the state in words, the browser's refusals, settings, shortcuts and statistics.

use super::{
    deck::{Ask, Command, Deck, Figure, Panel},
    scene::{Delay, Scene},
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
                hidden=move || scene.get() != Scene::Broken
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

/// Settings or shortcuts, whichever is open.
#[component]
pub fn Panels(deck: Deck) -> impl IntoView {
    let open = move || {
        deck.panel.get().map(|panel| match panel {
            Panel::Settings => view! { <Settings deck /> },
            Panel::Shortcuts => view! { <Shortcuts deck /> },
        })
    };
    view! { {open} }
}

#[component]
fn Settings(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let choice = move |delay: Delay| {
        view! {
            <label class="player-choice">
                <input
                    type="radio"
                    name="delay"
                    value=delay.as_str()
                    prop:checked=move || deck.delay.get() == delay
                    on:change=move |_| deck.send(Command::SetDelay(delay))
                />
                <span><b>{delay.label(m)}</b><span>{delay.note(m)}</span></span>
            </label>
        }
    };
    view! {
        <section class="player-panel" aria-label=m.player_settings()>
            <h2>{m.player_settings()}<CloseButton deck /></h2>
            <fieldset>
                <legend>{m.player_delay()}</legend>
                {Delay::ALL.map(choice)}
            </fieldset>
            <div class="more">
                <button type="button" on:click=deck.on_click(Command::ToggleStats)>{m.player_stats()}</button>
                <button type="button" on:click=deck.on_click(Command::ToggleShortcuts)>{m.player_shortcuts()}</button>
            </div>
        </section>
    }
}

#[component]
fn Shortcuts(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let rows: [(&[&str], &str); 8] = [
        (&["Space", "k"], m.player_keys_play()),
        (&["m"], m.player_keys_mute()),
        (&["↑", "↓"], m.player_keys_volume()),
        (&["e", "End"], m.player_keys_live()),
        (&["f"], m.player_keys_fullscreen()),
        (&["i"], m.player_keys_pip()),
        (&["s"], m.player_keys_stats()),
        (&["?"], m.player_keys_help()),
    ];
    let row = |(keys, what): (&'static [&'static str], &'static str)| {
        view! {
            <dt>{keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view()}</dt>
            <dd>{what}</dd>
        }
    };
    view! {
        <section class="player-panel" aria-label=m.player_shortcuts()>
            <h2>{m.player_shortcuts()}<CloseButton deck /></h2>
            <dl class="player-keys">{rows.map(row)}</dl>
        </section>
    }
}

#[component]
fn CloseButton(deck: Deck) -> impl IntoView {
    let m = use_messages();
    view! {
        <button type="button" aria-label=m.player_close() title=m.player_close() on:click=deck.on_click(Command::ClosePanel)>
            <Icon of=Shape::Close />
        </button>
    }
}

/// The numbers, for those who want them.
#[component]
pub fn Stats(deck: Deck) -> impl IntoView {
    let m = use_messages();
    let label = move |figure| match figure {
        Figure::Size => m.player_stat_size(),
        Figure::Frames => m.player_stat_frames(),
        Figure::Codecs => m.player_stat_codecs(),
        Figure::Bitrate => m.player_stat_bitrate(),
        Figure::Buffer => m.player_stat_buffer(),
        Figure::Behind => m.player_stat_behind(),
        Figure::Rate => m.player_stat_rate(),
        Figure::Skips => m.player_stat_skips(),
        Figure::Stalls => m.player_stat_stalls(),
        Figure::Reconnects => m.player_stat_reconnects(),
        Figure::Transport => m.player_stat_transport(),
    };
    let rows = move || {
        deck.figures.with(|f| {
            f.0.iter()
                .map(|(figure, value)| {
                    view! {
                        <dt>{label(*figure)}</dt>
                        <dd>{value.clone()}</dd>
                    }
                })
                .collect_view()
        })
    };
    let shown = move || {
        deck.stats_open.get().then(|| {
            view! {
                <section class="player-stats" aria-label=m.player_stats()>
                    <header>
                        {m.player_stats()}
                        <button
                            type="button"
                            aria-label=m.player_close()
                            title=m.player_close()
                            on:click=deck.on_click(Command::ToggleStats)
                        >
                            <Icon of=Shape::Close />
                        </button>
                    </header>
                    <dl>{rows}</dl>
                </section>
            }
        })
    };
    view! { {shown} }
}
