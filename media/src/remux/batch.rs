//! Samples of one track on their way into fragments: each at once, or gathered up to a length.

use std::collections::VecDeque;

use super::{Output, TrackKind};
use crate::Millis;
use crate::mp4::{self, Sample, TooLong};

/// A fragment is not made longer than this in bytes, however short its time.
const MAX_BYTES: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct Batch {
    track: TrackKind,
    id: u32,
    timescale: u32,
    /// How much time a fragment gathers; zero: one sample each.
    length: Millis,
    /// Fragments made.
    sequence: u32,
    samples: Vec<Sample>,
    bytes: usize,
    /// Decoding times of the first and the last sample, in ticks.
    first: i64,
    last: i64,
}

impl Batch {
    pub(super) fn new(track: TrackKind, id: u32, timescale: u32, length: Millis) -> Self {
        Self { track, id, timescale, length, sequence: 0, samples: Vec::new(), bytes: 0, first: 0, last: 0 }
    }

    pub(super) fn timescale(&self) -> u32 {
        self.timescale
    }

    /// Ends what is gathered and counts in other ticks from here.
    pub(super) fn set_timescale(&mut self, timescale: u32, out: &mut VecDeque<Output>) -> Result<(), TooLong> {
        self.cut(out)?;
        self.timescale = timescale;
        Ok(())
    }

    /// Adds a sample that is decoded at `at` ticks, later than the one before.
    pub(super) fn push(&mut self, at: i64, sample: Sample, out: &mut VecDeque<Output>) -> Result<(), TooLong> {
        let starts_gop = sample.sync && self.track == TrackKind::Video;
        // A pause is left between fragments: within one, durations would have to fill it.
        if starts_gop || at.saturating_sub(self.end()) > i64::from(self.timescale) {
            self.cut(out)?;
        }
        if let Some(before) = self.samples.last_mut() {
            // Now the duration that was predicted is known.
            before.duration = u32::try_from(at.saturating_sub(self.last)).unwrap_or(before.duration);
        } else {
            self.first = at;
        }
        self.last = at;
        self.bytes = self.bytes.saturating_add(sample.data.len());
        self.samples.push(sample);
        if self.bytes >= MAX_BYTES || self.millis(self.end().saturating_sub(self.first)) >= self.length {
            self.cut(out)?;
        }
        Ok(())
    }

    /// Ends the fragment, if there is anything in it.
    pub(super) fn cut(&mut self, out: &mut VecDeque<Output>) -> Result<(), TooLong> {
        if self.samples.is_empty() {
            return Ok(());
        }
        self.sequence = self.sequence.wrapping_add(1);
        let decode_time = u64::try_from(self.first).unwrap_or(0);
        let bytes = mp4::fragment(self.id, self.sequence, decode_time, &self.samples);
        let (start, end) = self.presentation();
        let keyframe = self.samples.first().is_some_and(|sample| sample.sync);
        self.samples.clear();
        self.bytes = 0;
        let start = self.millis(start);
        let duration = self.millis(end).saturating_sub(start);
        out.push_back(Output::Fragment { track: self.track, bytes: bytes?, start, duration, keyframe });
        Ok(())
    }

    /// Where decoding of what is gathered ends, in ticks.
    fn end(&self) -> i64 {
        self.last.saturating_add(self.samples.last().map_or(0, |sample| i64::from(sample.duration)))
    }

    /// From the earliest presentation time to the latest end, in ticks.
    fn presentation(&self) -> (i64, i64) {
        let (mut start, mut end, mut at) = (i64::MAX, i64::MIN, self.first);
        for sample in &self.samples {
            let shown = at.saturating_add(i64::from(sample.composition));
            start = start.min(shown);
            end = end.max(shown.saturating_add(i64::from(sample.duration)));
            at = at.saturating_add(i64::from(sample.duration));
        }
        (start, end)
    }

    /// Ticks to the nearest millisecond.
    fn millis(&self, ticks: i64) -> Millis {
        let half = i64::from(self.timescale / 2);
        let rounded = ticks.saturating_mul(1000).saturating_add(half).checked_div_euclid(i64::from(self.timescale));
        Millis(rounded.unwrap_or(0))
    }
}
