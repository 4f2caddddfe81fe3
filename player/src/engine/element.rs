//! The simulator's video element.

use super::View;
use crate::{
    intake::Track,
    ranges::{Ranges, Span},
};
use std::collections::BTreeMap;

/// A video element with a media source.
#[derive(Default)]
pub struct Element {
    pub source: u32,
    pub position_s: f64,
    pub rate: f64,
    pub waiting: bool,
    pub paused: bool,
    pub muted: bool,
    pub seeking_until_ms: Option<i64>,
    pub tracks: Vec<(Track, Vec<Span>)>,
    pub busy: Vec<Track>,
    /// It stands, whatever there is, until its position has been set so many times.
    pub stands: u32,
    /// Position in microseconds to capture time.
    pub captured: BTreeMap<i64, f64>,
}

impl Element {
    pub fn ranges(&self) -> Ranges {
        let tracks = self.tracks.iter().map(|(_, spans)| Ranges(spans.clone()));
        tracks.reduce(|all, track| all.and(&track)).unwrap_or_default()
    }

    pub fn view(&self) -> View {
        View {
            position_s: self.position_s,
            ranges: self.ranges(),
            paused: self.paused,
            seeking: self.seeking_until_ms.is_some(),
            muted: self.muted,
        }
    }

    pub fn add(&mut self, track: Track, span: Span) {
        let Some((_, spans)) = self.tracks.iter_mut().find(|(other, _)| *other == track) else { return };
        match spans.last_mut() {
            Some(last) if span.start_s <= last.end_s + 0.02 && span.start_s >= last.start_s => {
                last.end_s = last.end_s.max(span.end_s);
            }
            _ => spans.push(span),
        }
    }

    /// Takes fragments as the simulation writes them: start, length, capture time.
    pub fn take(&mut self, track: Track, bytes: &[u8], offset_s: f64) {
        for record in bytes.chunks_exact(24) {
            let number = |n: usize| i64::from_be_bytes(record[n * 8..n * 8 + 8].try_into().expect("eight bytes"));
            let (start_ms, duration_ms, captured_ms) = (number(0), number(1), number(2));
            if start_ms == i64::MIN {
                continue;
            }
            let start_s = offset_s + start_ms as f64 / 1000.0;
            self.add(track, Span { start_s, end_s: start_s + duration_ms as f64 / 1000.0 });
            self.captured.insert((start_s * 1e6) as i64, captured_ms as f64);
        }
    }

    pub fn remove(&mut self, track: Track, end_s: f64) {
        let Some((_, spans)) = self.tracks.iter_mut().find(|(other, _)| *other == track) else { return };
        spans.retain(|span| span.end_s > end_s);
        if let Some(first) = spans.first_mut() {
            first.start_s = first.start_s.max(end_s);
        }
    }
}
