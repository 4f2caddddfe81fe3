//! Recorded networks and encoders (`traces/`, with the commands that made them), played again and again.

use crate::intake::Track;

/// From the last frame of a recording to its first, played again.
const FRAME_MS: i64 = 33;

/// A frame, as it once arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub track: Track,
    pub keyframe: bool,
    pub at_ms: i64,
    pub stamp_ms: i64,
    /// To the next frame of its track, which is known here.
    pub duration_ms: i64,
}

/// A recording without an end: after its last frame it begins anew.
#[derive(Clone, Debug)]
pub struct Trace {
    arrivals: Vec<Arrival>,
    length_ms: i64,
    /// What is to be added to a stamp for the time at which that frame would have come at its quickest.
    base_ms: i64,
}

impl Trace {
    /// Reads a recording: a line a frame, as `benches/trace.mjs` writes them.
    pub fn read(text: &str) -> Self {
        let mut arrivals: Vec<Arrival> = Vec::new();
        let (mut at_ms, mut stamp_ms) = (0, 0);
        for line in text.lines() {
            let mut words = line.split(' ');
            let letter = words.next().expect("a letter");
            let mut number = || words.next().expect("a number").parse::<i64>().expect("a number");
            at_ms += number();
            stamp_ms += number();
            let track = if letter == "A" { Track::Audio } else { Track::Video };
            let last = arrivals.iter_mut().rev().find(|other| other.track == track);
            if let Some(last) = last {
                last.duration_ms = (stamp_ms - last.stamp_ms).max(1);
            }
            arrivals.push(Arrival { track, keyframe: letter != "V", at_ms, stamp_ms, duration_ms: FRAME_MS });
        }
        let stamps = || arrivals.iter().map(|arrival| arrival.stamp_ms);
        let (first_ms, last_ms) = (stamps().min().expect("frames"), stamps().max().expect("frames"));
        // Of stamps, for arrivals too: a day of it drifts nowhere.
        let length_ms = last_ms - first_ms + FRAME_MS;
        for track in [Track::Audio, Track::Video] {
            let next_ms = arrivals.iter().find(|other| other.track == track).map(|other| other.stamp_ms + length_ms);
            let last = arrivals.iter_mut().rev().find(|other| other.track == track);
            if let (Some(last), Some(next_ms)) = (last, next_ms) {
                last.duration_ms = (next_ms - last.stamp_ms).max(1);
            }
        }
        let base_ms = arrivals.iter().map(|arrival| arrival.at_ms - arrival.stamp_ms).min().expect("frames");
        Self { arrivals, length_ms, base_ms }
    }

    /// The frame with this number, counted from the beginning of all time.
    pub fn frame(&self, number: i64) -> Arrival {
        let count = self.arrivals.len() as i64;
        let (round, index) = (number.div_euclid(count), number.rem_euclid(count));
        let mut arrival = self.arrivals[index as usize];
        arrival.at_ms += round * self.length_ms;
        arrival.stamp_ms += round * self.length_ms;
        arrival
    }

    /// When a frame with this stamp was made, on the clock of arrivals, but for what the quickest took.
    pub fn made_ms(&self, stamp_ms: i64) -> i64 {
        stamp_ms + self.base_ms
    }

    /// The first frame that arrives after `now_ms`.
    pub fn next_after(&self, now_ms: i64) -> i64 {
        let (round, into_ms) = (now_ms.div_euclid(self.length_ms), now_ms.rem_euclid(self.length_ms));
        let index = self.arrivals.partition_point(|arrival| arrival.at_ms <= into_ms);
        round * self.arrivals.len() as i64 + index as i64
    }

    /// The newest key frame before the frame `number`.
    pub fn key_before(&self, number: i64) -> i64 {
        let is_key = |number: &i64| {
            let frame = self.frame(*number);
            frame.keyframe && frame.track == Track::Video
        };
        (number - self.arrivals.len() as i64..number).rev().find(is_key).expect("a key frame")
    }
}
