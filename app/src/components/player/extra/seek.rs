//! The bar over what is buffered: where the picture is, and a way back to what was missed.

use super::super::{
    browser::reach,
    deck::{Command, Deck},
    scene,
};
use crate::{
    i18n::use_messages,
    piece::Piece,
    reactive::{Var, effect},
};
use leptos::{ev, prelude::*};
use madang_view::view;

/// With less than this there is nothing worth going back to.
const WORTH_MS: i32 = 5_000;

/// What is buffered, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Buffered {
    length: i32,
    /// How far into it the picture is; below zero where it was paused before all of it. The slider is at its beginning then.
    at: i32,
}

/// A slider from the oldest to the newest that is there. Not there while there is little.
pub fn bar(deck: Deck) -> Piece {
    let m = use_messages();
    let buffered = Var::new(Buffered::default());
    let held = Var::new(false);
    let dragged = Var::new(false);
    // From the first picture on somebody who does not move wants to see it, and not the controls.
    deck.send(Command::Wake);
    effect(move || {
        // Unseen it stands still: each move of it is a layout and a paint of the page. But it is there for who goes from one to the next by key.
        if deck.rests() && !held.get() && buffered.with_untracked(|buffered| buffered.length >= WORTH_MS) {
            return;
        }
        // The player tells this twice a second, and the video when it stops and goes on.
        let _ = (deck.behind_ms.get(), deck.paused.get());
        if dragged.get() {
            return;
        }
        match read(deck) {
            Some(now) => buffered.set_if_new(now),
            // For a moment, while the player changes what it plays from: nothing is hidden under a hand.
            None if deck.scene.get() == scene::Scene::Playing => {}
            None => buffered.set_if_new(Buffered::default()),
        }
    });
    let left = move || buffered.with(|buffered| buffered.length - buffered.at);
    // Under a hand it says how far back that place is; the picture goes there when it is let go.
    let moved = move |event: ev::Event| {
        if let Ok(to) = event_target_value(&event).parse::<i32>() {
            dragged.set(true);
            buffered.update(|buffered| buffered.at = to.min(buffered.length));
        }
    };
    // `pointerup` comes first, and alone where nothing has changed; `change` alone where there is no pointer.
    let let_go = move || {
        if let Some(now) = read(deck).filter(|_| dragged.get_untracked()) {
            deck.send(Command::Rewind((now.length - left()).max(0) - now.at));
        }
        dragged.set(false);
    };
    let pressed = move |event: ev::KeyboardEvent| {
        let command = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => Command::Rewind(-5_000),
            "ArrowRight" | "ArrowUp" => Command::Rewind(5_000),
            "PageDown" => Command::Rewind(-30_000),
            "PageUp" => Command::Rewind(30_000),
            "Home" => Command::Rewind(read(deck).map_or(0, |now| -now.at)),
            "End" => Command::GoLive,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        deck.send(command);
    };
    view! {
        <input
            class="player-seek"
            type="range"
            min="0"
            step="100"
            hidden=move || buffered.get().length < WORTH_MS
            max=move || buffered.get().length.unsigned_abs()
            prop:value=move || buffered.get().at.to_string()
            aria-label=m.player_seek()
            aria-valuetext=move || scene::behind(m, left().unsigned_abs())
            on:input=moved
            on:change=move |_| let_go()
            on:pointerup=move |_| let_go()
            on:keydown=pressed
            on:focus=move |_| held.set(true)
            on:blur=move |_| {
                held.set(false);
                dragged.set(false);
            }
        />
    }
}

/// What the player can go back to.
fn read(deck: Deck) -> Option<Buffered> {
    let (length_s, at_s) = reach(deck)?;
    let length = (length_s * 1000.0) as i32;
    Some(Buffered { length, at: ((at_s * 1000.0) as i32).min(length) })
}
