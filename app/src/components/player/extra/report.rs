//! Tells the server how the picture does here: for the streamer, who sees the sum of all viewers, and nobody's own figures.

use super::super::{
    browser::read_stats,
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
    let told = StoredValue::new(read_stats(deck).as_ref().map(Counts::of).unwrap_or_default());
    let tell = move || {
        let Some(stats) = read_stats(deck) else { return };
        let noticed = !deck.paused.get_untracked() && !document().hidden();
        let plays = deck.scene.get_untracked() == Scene::Playing;
        let Some(Some(new)) = told.try_update_value(|told| told.take(&stats, noticed, plays)) else { return };
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

/// What is counted: in all, or since the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    stalls: u32,
    dropped: u32,
    frames: u32,
}

impl Counts {
    fn of(stats: &Stats) -> Self {
        Self { stalls: stats.stalls, dropped: stats.frames_dropped, frames: stats.frames_total }
    }

    /// What has come since these were told, which they then are; `None` while there is nothing to tell. A picture that stands (not `plays`)
    /// is told of once it moves again; of one that nobody would notice only the stalls count that were before.
    fn take(&mut self, stats: &Stats, noticed: bool, plays: bool) -> Option<Self> {
        let now = Self::of(stats);
        if now.frames < self.frames {
            // Another media source counts from zero.
            (self.dropped, self.frames) = (0, 0);
        }
        if !noticed {
            (self.dropped, self.frames) = (now.dropped, now.frames);
        }
        if !noticed || !plays {
            return None;
        }
        let told = std::mem::replace(self, now);
        Some(Self {
            stalls: now.stalls.saturating_sub(told.stalls),
            dropped: now.dropped.saturating_sub(told.dropped),
            frames: now.frames.saturating_sub(told.frames),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(stalls: u32, frames_dropped: u32, frames_total: u32) -> Stats {
        Stats { stalls, frames_dropped, frames_total, ..Stats::default() }
    }

    fn new(stalls: u32, dropped: u32, frames: u32) -> Option<Counts> {
        Some(Counts { stalls, dropped, frames })
    }

    #[test]
    fn a_stall_is_told_of_however_long_it_lasts() {
        let mut told = Counts::default();
        assert_eq!(told.take(&at(0, 1, 300), true, true), new(0, 1, 300));
        assert_eq!(told.take(&at(1, 1, 400), true, false), None, "it stands");
        assert_eq!(told.take(&at(1, 1, 400), true, false), None, "it still does");
        assert_eq!(told.take(&at(1, 2, 450), true, true), new(1, 1, 150));
        assert_eq!(told.take(&at(1, 2, 750), true, true), new(0, 0, 300));
    }

    #[test]
    fn frames_that_nobody_looked_at_do_not_count_and_another_source_counts_from_zero() {
        let mut told = Counts::default();
        assert_eq!(told.take(&at(0, 90, 300), false, true), None, "hidden");
        assert_eq!(told.take(&at(0, 91, 600), true, true), new(0, 1, 300));
        assert_eq!(told.take(&at(1, 2, 100), true, true), new(1, 2, 100), "built anew");
    }
}
