//! Tells the server how the picture does here: for the streamer, who sees the sum of all viewers, and nobody's own figures.

use super::super::{
    browser::read_stats,
    counts::{Counts, Told},
    deck::Deck,
    scene::{Fault, Feed, Scene},
};
use crate::{
    reactive::effect,
    realtime::{Connection, use_realtime},
};
use leptos::prelude::*;
use madang_player::Stats;
use madang_protocol::realtime::{ClientMessage, QUALITY_DELAY_MAX_MS, QUALITY_EVERY_MS};
use std::time::Duration;

/// How often. The server takes one of a browser in this time.
const EVERY: Duration = Duration::from_millis(QUALITY_EVERY_MS);

/// Reports while the picture plays in a tab that is shown: a hidden one shows no frames, and drops what it does not show.
pub fn run(deck: Deck) {
    let realtime = use_realtime();
    let told = StoredValue::new(Told::new(read_stats(deck).as_ref().map(counts).unwrap_or_default()));
    let tell = move || {
        let Some(stats) = read_stats(deck) else { return };
        let noticed = !deck.paused.get_untracked() && !document().hidden();
        let plays = deck.scene.get_untracked() == Scene::Playing;
        let Some(Some(new)) = told.try_update_value(|told| told.take(counts(&stats), noticed, plays)) else { return };
        realtime.say(&ClientMessage::Quality {
            room: deck.slug.get_value(),
            delay_ms: stats.behind_ms.min(QUALITY_DELAY_MAX_MS),
            stalls: new.stalls,
            dropped: new.dropped,
            frames: new.frames,
        });
    };
    effect(move || {
        // The codec is often known before the channel is open, and again where it was lost; the server counts browsers.
        let open = realtime.connection().get() == Connection::Open;
        if open && deck.feed.with(|feed| matches!(feed, Feed::Failed(Fault::Codec(_)))) {
            realtime.say(&ClientMessage::Unplayable { room: deck.slug.get_value() });
        }
    });
    if let Ok(handle) = set_interval_with_handle(tell, EVERY) {
        on_cleanup(move || handle.clear());
    }
}

fn counts(stats: &Stats) -> Counts {
    Counts { stalls: stats.stalls, dropped: stats.frames_dropped, frames: stats.frames_total }
}
