//! The bar over what is buffered: where the picture is, and a way back to what was missed.

use super::super::{
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
use web_sys::HtmlVideoElement;

/// With less than this there is nothing worth going back to.
const WORTH_MS: u32 = 5_000;

/// What is buffered, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Buffered {
    length: u32,
    /// How far into it the picture is.
    at: u32,
}

/// A slider from the oldest to the newest that is there. Not there while there is little.
pub fn bar(deck: Deck) -> Piece {
    let m = use_messages();
    let buffered = Var::new(Buffered::default());
    effect(move || {
        // The player tells this twice a second, and the video when it stops and goes on.
        let _ = (deck.behind_ms.get(), deck.paused.get());
        let now = deck.video.get_untracked().and_then(|video| read(&video)).unwrap_or_default();
        buffered.set_if_new(now);
    });
    let left = move || buffered.with(|buffered| buffered.length - buffered.at);
    let moved = move |event: ev::Event| {
        if let Ok(to) = event_target_value(&event).parse::<i32>() {
            deck.send(Command::Rewind(to - buffered.get_untracked().at as i32));
        }
    };
    view! {
        <input
            class="player-seek"
            type="range"
            min="0"
            step="100"
            hidden=move || buffered.get().length < WORTH_MS
            max=move || buffered.get().length
            prop:value=move || buffered.get().at.to_string()
            aria-label=m.player_seek()
            aria-valuetext=move || scene::behind(m, left())
            on:input=moved
        />
    }
}

/// The span that the picture is in, or the newest one.
fn read(video: &HtmlVideoElement) -> Option<Buffered> {
    let (ranges, at_s) = (video.buffered(), video.current_time());
    let newest = ranges.length().checked_sub(1)?;
    let (first_s, last_s) = (ranges.start(0).ok()?, ranges.end(newest).ok()?);
    // As casts of floats do, what is below zero becomes zero.
    let length = ((last_s - first_s) * 1000.0) as u32;
    Some(Buffered { length, at: (((at_s - first_s) * 1000.0) as u32).min(length) })
}
