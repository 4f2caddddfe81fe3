//! Settings, shortcuts and statistics, as they lie on the stage.

use super::super::{
    deck::{Command, Deck, Figure, Panel},
    scene::Delay,
};
use crate::{
    components::{
        copy,
        icons::{Icon, Shape},
    },
    i18n::{Messages, use_messages},
    listen::sleep,
    piece::Piece,
    reactive::Var,
};
use leptos::prelude::*;
use madang_view::view;
use std::fmt::Write as _;
use wasm_bindgen_futures::spawn_local;

/// For how long it is said that the figures were copied.
const COPIED_MS: i32 = 2_000;

/// Settings or shortcuts, whichever is open.
pub fn panel(deck: Deck) -> Piece {
    let open = move || {
        deck.panel.get().map(|panel| match panel {
            Panel::Settings => settings(deck),
            Panel::Shortcuts => shortcuts(deck),
        })
    };
    view! { {open} }
}

fn settings(deck: Deck) -> Piece {
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
            <h2>{m.player_settings()}{close(deck, Command::ClosePanel)}</h2>
            <fieldset>
                <legend>{m.player_delay()}</legend>
                {Delay::ALL.map(choice)}
            </fieldset>
            <label class="player-choice player-step">
                <input
                    type="checkbox"
                    prop:checked=move || deck.in_step.get()
                    on:change=move |_| deck.send(Command::ToggleInStep)
                />
                <span><b>{m.player_in_step()}</b><span>{m.player_in_step_note()}</span></span>
            </label>
            <div class="more">
                <button type="button" on:click=deck.on_click(Command::ToggleStats)>{m.player_stats()}</button>
                <button type="button" on:click=deck.on_click(Command::ToggleShortcuts)>{m.player_shortcuts()}</button>
            </div>
        </section>
    }
}

fn shortcuts(deck: Deck) -> Piece {
    let m = use_messages();
    let rows: [(&[&str], &str); 12] = [
        (&["Space", "k"], m.player_keys_play()),
        (&["m"], m.player_keys_mute()),
        (&["↑", "↓", "9", "0"], m.player_keys_volume()),
        (&["←", "→", "j", "l"], m.player_keys_seek()),
        (&["e", "End"], m.player_keys_live()),
        (&["f"], m.player_keys_fullscreen()),
        (&["t"], m.player_keys_theatre()),
        (&["i"], m.player_keys_pip()),
        (&["s"], m.player_keys_stats()),
        (&["/"], m.player_keys_chat()),
        (&["Esc"], m.player_keys_leave()),
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
            <h2>{m.player_shortcuts()}{close(deck, Command::ClosePanel)}</h2>
            <dl class="player-keys">{rows.map(row)}</dl>
        </section>
    }
}

fn close(deck: Deck, command: Command) -> Piece {
    let m = use_messages();
    view! {
        <button type="button" aria-label=m.player_close() title=m.player_close() on:click=deck.on_click(command)>
            <Icon of=Shape::Close />
        </button>
    }
}

/// The numbers, for those who want them.
pub fn stats(deck: Deck) -> Piece {
    let m = use_messages();
    let copied = Var::new(false);
    let rows = move || {
        deck.figures.with(|f| {
            f.0.iter()
                .map(|(figure, value)| {
                    view! {
                        <dt>{name_of(m, *figure)}</dt>
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
                    <header>{m.player_stats()}{copy_button(deck, copied)}{close(deck, Command::ToggleStats)}</header>
                    <dl>{rows}</dl>
                </section>
            }
        })
    };
    view! { {shown} }
}

fn name_of(m: Messages, figure: Figure) -> &'static str {
    match figure {
        Figure::Size => m.player_stat_size(),
        Figure::Frames => m.player_stat_frames(),
        Figure::Codecs => m.player_stat_codecs(),
        Figure::Bitrate => m.player_stat_bitrate(),
        Figure::Buffer => m.player_stat_buffer(),
        Figure::Behind => m.player_stat_behind(),
        Figure::Drift => m.player_stat_drift(),
        Figure::Rate => m.player_stat_rate(),
        Figure::Skips => m.player_stat_skips(),
        Figure::Stalls => m.player_stat_stalls(),
        Figure::Reconnects => m.player_stat_reconnects(),
        Figure::Transport => m.player_stat_transport(),
    }
}

/// A button that copies the figures, and says so. Not a `CopyButton`: each piece of code or text that only some parts share is a file
/// of its own, with a line in the first download.
fn copy_button(deck: Deck, copied: Var<bool>) -> Piece {
    let m = use_messages();
    let label = move || if copied.get() { m.player_stats_copied() } else { m.player_stats_copy() };
    view! {
        <span class="offscreen" aria-live="polite">
            {move || if copied.get() { m.player_stats_copied() } else { "" }}
        </span>
        <button type="button" aria-label=label title=label on:click=move |_| copy_figures(deck, m, copied)>
            {move || view! { <Icon of=if copied.get() { Shape::Check } else { Shape::Copy } /> }}
        </button>
    }
}

/// Copies a line for each figure, `name: value`, and says so for a while. A refused clipboard leaves them to be selected by hand.
fn copy_figures(deck: Deck, m: Messages, copied: Var<bool>) {
    let mut lines = String::new();
    deck.figures.with_untracked(|figures| {
        for (figure, value) in &figures.0 {
            // Writing into a text does not fail.
            let _ = writeln!(lines, "{}: {value}", name_of(m, *figure));
        }
    });
    spawn_local(async move {
        if copy::write(&lines).await {
            copied.set(true);
            sleep(COPIED_MS).await;
            copied.set(false);
        }
    });
}
