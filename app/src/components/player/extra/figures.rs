//! The rows of the statistics overlay, as text. Units are the same in every language; whole numbers only, since formatting floats
//! would cost more in the download than the rest of this file.

use super::super::{
    browser::read_stats,
    deck::{Deck, Figure, Figures},
};
use crate::i18n::grouped;
use madang_player::Stats;

/// Reads them for the overlay.
pub fn read(deck: Deck) {
    deck.figures.set(read_stats(deck).map(|stats| of(&stats)).unwrap_or_default());
}

/// Writes the figures out.
fn of(stats: &Stats) -> Figures {
    let size = if stats.width == 0 {
        "–".to_owned()
    } else {
        format!("{}×{} · {} fps", stats.width, stats.height, stats.fps.round() as u32)
    };
    let codecs = match &stats.left_out {
        Some(left_out) => format!("{} (− {left_out})", stats.codecs),
        None => stats.codecs.clone(),
    };
    let frames = format!("{} / {}", grouped(stats.frames_dropped.into()), grouped(stats.frames_total.into()));
    Figures(vec![
        (Figure::Size, size),
        (Figure::Frames, frames),
        (Figure::Codecs, codecs),
        (Figure::Bitrate, format!("{} kbit/s", grouped(stats.bitrate_bps / 1000))),
        (Figure::Buffer, format!("{} ms → {} ms", stats.buffer_ms, stats.target_ms)),
        (Figure::Behind, format!("{} ms", stats.behind_ms)),
        (Figure::Drift, format!("{:+} ms", stats.drift_ms)),
        (Figure::Rate, format!("{} %", (stats.rate * 100.0).round() as u32)),
        (Figure::Skips, stats.jumps.to_string()),
        (Figure::Stalls, stats.stalls.to_string()),
        (Figure::Reconnects, stats.reconnects.to_string()),
        (Figure::Transport, format!("{}, {}", if stats.socket { "WebSocket" } else { "HTTP-FLV" }, stats.path)),
    ])
}
