//! When frames that are decoded one by one are shown: their queue, and the clock of their picture. Pure, like the engine.
//!
//! The clock is the sound card's where sound is played ([`Schedule::heard`]), and the wall's otherwise. A frame that comes late is shown
//! late; the clock stops only where what it runs by ends.

use crate::ranges::{Ranges, Span};
use std::collections::VecDeque;

/// Frames that are decoded and wait, and those in the decoder: some decoders have few places for what they give out.
const DECODED_MAX: usize = 8;
/// Frames that wait for the decoder, and their bytes. More than these, and what comes next begins at a key frame.
const CODED_MAX: usize = 1_200;
const CODED_BYTES: usize = 32 * 1024 * 1024;
/// A picture that is later than this goes on at the next key frame.
const LATE_S: f64 = 0.3;
/// A decoder is of no use when the picture has been so late for so long, or has had to catch up so often in so much of the stream.
const USELESS_S: f64 = 1.0;
const USELESS_MS: f64 = 3_000.0;
const CATCHES: usize = 3;
const CATCHES_S: f64 = 15.0;
/// Nor is one that has given nothing for so many frames.
const UNANSWERED: usize = 90;
/// A decoder that has given nothing for so long gives no more of what it was given.
const SILENT_MS: f64 = 300.0;
/// What must be ahead before a clock of its own that has stopped goes on.
const RESUME_S: f64 = 0.05;
/// So much before its sound is heard a frame is given to the screen, which waits for its own beat: half of a beat at 60 Hz, and a little.
const EARLY_S: f64 = 0.01;
/// A track that goes on after more than this has a gap.
const GAP_S: f64 = 0.3;
/// Spans kept of a track.
const SPANS_MAX: usize = 4;
/// The clock follows what the sound card says smoothly, up to this difference.
const SMOOTH_S: f64 = 0.03;
/// How much of a difference it makes good with each word of the sound card.
const SHARE: f64 = 0.1;

/// Frames that came, and when the picture is where. `C`: a coded frame; `F`: a decoded one.
#[derive(Debug)]
pub struct Schedule<C, F> {
    coded: VecDeque<Coded<C>>,
    coded_bytes: usize,
    needs_key: bool,
    decoding: usize,
    /// Frames that the decoder has taken since it last gave one.
    unanswered: usize,
    /// When the decoder last took or gave something.
    decoder_ms: f64,
    decoded: VecDeque<(f64, F)>,
    picture: Came,
    sound: Came,
    /// The sound card says where the clock is.
    by_sound: bool,
    at_s: f64,
    at_ms: f64,
    /// Where it was sent last.
    sought_s: f64,
    rate: f64,
    moving: bool,
    paused: bool,
    /// How long after it is read sound is heard.
    lag_s: f64,
    heard_ms: f64,
    /// Nothing has been shown since the beginning or the last seek.
    blank: bool,
    told: bool,
    /// Since when the picture has not been late.
    good_ms: f64,
    /// Where it caught up.
    catches: Vec<f64>,
}

#[derive(Debug)]
struct Coded<C> {
    at_s: f64,
    bytes: usize,
    frame: C,
}

/// What has come of a track.
#[derive(Debug, Default)]
struct Came {
    spans: Vec<Span>,
    /// Frames may come so long before others that are shown earlier.
    reorder_s: f64,
}

impl Came {
    fn add(&mut self, at_s: f64, duration_s: f64) {
        let end_s = at_s + duration_s;
        match self.spans.last_mut() {
            Some(last) if at_s <= last.end_s + GAP_S && at_s >= last.start_s - GAP_S => {
                let early_s = last.end_s - end_s;
                if early_s > 0.0 {
                    self.reorder_s = self.reorder_s.max(early_s.min(GAP_S));
                }
                last.end_s = last.end_s.max(end_s);
            }
            _ => {
                self.spans.push(Span { start_s: at_s, end_s });
                if self.spans.len() > SPANS_MAX {
                    self.spans.remove(0);
                }
            }
        }
    }

    /// What is there in the order of showing.
    fn ready(&self) -> Ranges {
        let mut spans = self.spans.clone();
        if let Some(last) = spans.last_mut() {
            last.end_s = (last.end_s - self.reorder_s).max(last.start_s);
        }
        Ranges(spans)
    }
}

/// What a turn of the clock brings.
#[derive(Debug, PartialEq)]
pub struct Turn<F> {
    /// To be shown now.
    pub show: Option<F>,
    /// Frames whose time has passed.
    pub late: Vec<F>,
    /// How many of these come after the last place that was sought: they should have been shown.
    pub missed: u32,
    /// The clock has begun to run (`true`) or has stopped for want of data.
    pub runs: Option<bool>,
    /// The decoder cannot keep up, or gives nothing.
    pub useless: bool,
    /// When the next frame's time comes, in ms from now.
    pub next_ms: Option<f64>,
}

impl<C, F> Default for Schedule<C, F> {
    fn default() -> Self {
        Self {
            coded: VecDeque::new(),
            coded_bytes: 0,
            needs_key: true,
            decoding: 0,
            unanswered: 0,
            decoder_ms: 0.0,
            decoded: VecDeque::new(),
            picture: Came::default(),
            sound: Came::default(),
            by_sound: false,
            at_s: 0.0,
            at_ms: 0.0,
            sought_s: 0.0,
            rate: 1.0,
            moving: false,
            paused: true,
            lag_s: 0.0,
            heard_ms: 0.0,
            blank: true,
            told: false,
            good_ms: 0.0,
            catches: Vec::new(),
        }
    }
}

impl<C, F> Schedule<C, F> {
    /// A coded frame of so many bytes has come, in the order of decoding.
    pub fn came(&mut self, at_s: f64, duration_s: f64, keyframe: bool, bytes: usize, frame: C) {
        self.picture.add(at_s, duration_s);
        let late = self.moving && self.late_s() > LATE_S;
        // Who goes on goes on live, and a picture that is late catches up.
        if keyframe && (self.paused || late) {
            self.forget_coded();
        }
        if keyframe && late {
            self.catches.retain(|before_s| at_s - before_s < CATCHES_S);
            self.catches.push(at_s);
        }
        if self.coded.len() >= CODED_MAX || self.coded_bytes + bytes > CODED_BYTES {
            self.forget_coded();
            self.needs_key = true;
        }
        self.needs_key &= !keyframe;
        if !self.needs_key {
            self.coded_bytes += bytes;
            self.coded.push_back(Coded { at_s, bytes, frame });
        }
    }

    fn forget_coded(&mut self) {
        self.coded.clear();
        self.coded_bytes = 0;
    }

    /// How much later than its time the next frame is shown.
    fn late_s(&self) -> f64 {
        let next_s = self.decoded.front().map(|(at_s, _)| *at_s).or(self.coded.front().map(|coded| coded.at_s));
        next_s.map_or(0.0, |next_s| self.at_s - self.lag_s - next_s)
    }

    /// The speed of the clock.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// When the sound card last said where it is; `None` where the clock is another.
    pub fn heard_ms(&self) -> Option<f64> {
        self.by_sound.then_some(self.heard_ms)
    }

    /// Sound has come and is on its way to the sound card.
    pub fn sound_came(&mut self, at_s: f64, duration_s: f64) {
        self.sound.add(at_s, duration_s);
    }

    /// The next frame for the decoder, while there is room for what it gives out.
    pub fn to_decode(&mut self, now_ms: f64) -> Option<C> {
        if now_ms - self.decoder_ms > SILENT_MS {
            // It gives nothing for some frames, of streams with holes.
            self.decoding = 0;
        }
        if self.paused && !self.blank || self.decoded.len() + self.decoding >= DECODED_MAX {
            return None;
        }
        let coded = self.coded.pop_front()?;
        self.coded_bytes -= coded.bytes;
        self.decoding += 1;
        self.unanswered += 1;
        self.decoder_ms = now_ms;
        Some(coded.frame)
    }

    /// The decoder has given a frame.
    pub fn decoded(&mut self, now_ms: f64, at_s: f64, frame: F) {
        self.decoder_ms = now_ms;
        self.decoding = self.decoding.saturating_sub(1);
        self.unanswered = 0;
        self.decoded.push_back((at_s, frame));
    }

    /// Stops or goes on.
    pub fn set_paused(&mut self, now_ms: f64, paused: bool) {
        self.stand(now_ms);
        self.paused = paused;
        self.moving &= !paused;
    }

    /// The speed of the clock.
    pub fn set_rate(&mut self, now_ms: f64, rate: f64) {
        self.stand(now_ms);
        self.rate = rate;
    }

    /// Another position. Frames before it that are not decoded yet are, and are not shown.
    pub fn seek(&mut self, now_ms: f64, to_s: f64) {
        (self.at_s, self.at_ms, self.sought_s) = (to_s, now_ms, to_s);
        (self.blank, self.good_ms) = (true, now_ms);
        self.catches.clear();
    }

    /// What the sound card says: the position it reads at, whether it moves, and how much later that is heard.
    pub fn heard(&mut self, now_ms: f64, at_s: f64, moving: bool, lag_s: f64) {
        self.heard_ms = now_ms;
        if self.paused {
            // What a sound card at rest has to throw away moves nothing.
            (self.by_sound, self.lag_s) = (true, lag_s);
            return;
        }
        let off_s = at_s - self.position_s(now_ms);
        let smooth = self.by_sound && self.moving && off_s.abs() < SMOOTH_S;
        let (off_s, lag_s) =
            if smooth { (off_s * SHARE, self.lag_s + (lag_s - self.lag_s) * SHARE) } else { (off_s, lag_s) };
        self.stand(now_ms);
        self.at_s += off_s;
        self.lag_s = lag_s;
        self.by_sound = true;
        self.moving = moving;
    }

    /// There is no sound to go by any more.
    pub fn sound_is_off(&mut self, now_ms: f64) {
        self.stand(now_ms);
        (self.by_sound, self.lag_s) = (false, 0.0);
    }

    /// Where the picture is; with sound, where it is read.
    pub fn position_s(&self, now_ms: f64) -> f64 {
        let passed_s = if self.moving { (now_ms - self.at_ms).max(0.0) / 1000.0 * self.rate } else { 0.0 };
        let at_s = self.at_s + passed_s;
        match self.ends_s().filter(|_| !self.by_sound) {
            Some(end_s) => at_s.min(end_s.max(self.at_s)),
            None => at_s,
        }
    }

    /// What is there from the position on.
    pub fn ranges(&self, now_ms: f64) -> Ranges {
        let at_s = self.position_s(now_ms);
        let picture = self.picture.ready();
        let both = if self.by_sound { picture.and(&self.sound.ready()) } else { picture };
        let from = |span: Span| Span { start_s: span.start_s.max(at_s.min(span.end_s)), ..span };
        Ranges(both.0.into_iter().filter(|span| span.end_s > at_s - 1.0).map(from).collect())
    }

    /// Lets the clock run up to now.
    pub fn turn(&mut self, now_ms: f64) -> Turn<F> {
        self.stand(now_ms);
        if !self.by_sound {
            let ahead_s = self.ends_s().map_or(0.0, |end_s| end_s - self.at_s);
            let enough = if self.moving { ahead_s > 0.001 } else { ahead_s >= RESUME_S };
            self.moving = enough && !self.paused && self.decoded.front().is_some() | self.moving;
        }
        if !self.moving || self.late_s() < USELESS_S {
            self.good_ms = now_ms;
        }
        let shown_s = self.at_s - self.lag_s + EARLY_S;
        let (mut late, mut missed) = (Vec::new(), 0);
        while self.decoded.get(1).is_some_and(|(at_s, _)| *at_s <= shown_s)
            && let Some((at_s, frame)) = self.decoded.pop_front()
        {
            missed += u32::from(at_s >= self.sought_s);
            late.push(frame);
        }
        // A picture at rest shows what is there.
        let due = self.decoded.front().is_some_and(|(at_s, _)| *at_s <= shown_s || (self.blank && !self.moving));
        let show = if due { self.decoded.pop_front().map(|(_, frame)| frame) } else { None };
        self.blank &= show.is_none();
        let runs = (self.moving != self.told && (self.moving || !self.paused)).then_some(self.moving);
        self.told = self.moving;
        let wait = |(at_s, _): &(f64, F)| ((at_s - shown_s) / self.rate * 1000.0).max(0.0);
        let behind = now_ms - self.good_ms > USELESS_MS || self.catches.len() >= CATCHES;
        let useless = behind || self.unanswered >= UNANSWERED;
        Turn { show, late, missed, runs, useless, next_ms: self.decoded.front().filter(|_| self.moving).map(wait) }
    }

    /// Frames that wait, to be let go of.
    pub fn into_frames(self) -> impl Iterator<Item = F> {
        self.decoded.into_iter().map(|(_, frame)| frame)
    }

    fn stand(&mut self, now_ms: f64) {
        self.at_s = self.position_s(now_ms);
        self.at_ms = now_ms;
    }

    /// End of the span of pictures that the clock is in.
    fn ends_s(&self) -> Option<f64> {
        self.picture.ready().at(self.at_s, 0.02).map(|span| span.end_s)
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
