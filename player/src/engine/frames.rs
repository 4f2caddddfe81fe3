//! Frames shown one by one, for the lowest delay: when that way is taken, and the way back to what was.

use super::{
    Engine, Output, View, Way,
    deck::{BACK_BUFFER_S, BACK_BYTES},
    session::Pair,
};
use crate::{
    Delay,
    intake::{Fragment, Init, Track},
};
use std::collections::VecDeque;

/// What was shown, as it came: whole GOPs, two minutes of them or as many bytes as a media source would keep.
#[derive(Debug, Default)]
pub(super) struct Past {
    inits: Pair<Option<Init>>,
    gops: VecDeque<Gop>,
    bytes: u64,
}

#[derive(Debug)]
struct Gop {
    inits: Pair<Option<Init>>,
    /// From its connection's timeline to that of the frames, in seconds.
    offset_s: f64,
    start_s: f64,
    fragments: Vec<Fragment>,
    bytes: u64,
}

impl Past {
    pub fn configured(&mut self, init: &Init) {
        *self.inits.get_mut(init.track) = Some(init.clone());
    }

    /// `offset_s`: from the fragment's timeline to that of the frames.
    pub fn keep(&mut self, fragment: &Fragment, offset_s: f64) {
        let bytes = fragment.bytes.len() as u64;
        self.bytes += bytes;
        match self.gops.back_mut().filter(|_| !fragment.keyframe || fragment.track == Track::Audio) {
            Some(gop) => {
                gop.fragments.push(fragment.clone());
                gop.bytes += bytes;
            }
            None => {
                let start_s = offset_s + fragment.start_ms as f64 / 1000.0;
                let (inits, fragments) = (self.inits.clone(), vec![fragment.clone()]);
                self.gops.push_back(Gop { inits, offset_s, start_s, fragments, bytes });
                self.forget(start_s);
            }
        }
    }

    /// Where it begins, on the timeline of the frames.
    pub fn start_s(&self) -> Option<f64> {
        self.gops.front().map(|gop| gop.start_s)
    }

    /// Forgets what is too old, or too much.
    fn forget(&mut self, newest_s: f64) {
        while let Some(next) = self.gops.get(1)
            && (newest_s - next.start_s > BACK_BUFFER_S || self.bytes > BACK_BYTES)
        {
            self.bytes -= self.gops.pop_front().map_or(0, |gop| gop.bytes);
        }
    }
}

impl Engine {
    /// The way for the stream as things are.
    pub(super) fn way(&self) -> Way {
        let picture = self.session.as_ref().is_some_and(|session| session.wants(Track::Video));
        let near = self.pilot.delay() == Delay::Lowest && !self.pilot.is_back();
        if self.offered && near && picture { Way::Frames } else { Way::Buffered }
    }

    /// The delay asked for, or what the browser can do, has changed: goes the other way, forward at the next key frame, back at once.
    pub(super) fn choose_way(&mut self, now_ms: i64) {
        let way = self.way();
        match self.deck.as_ref().map(super::Deck::way) {
            Some(Way::Frames) if way == Way::Buffered => drop(self.go_buffered(now_ms, None)),
            Some(before) => self.rebuild |= before != way,
            None => {}
        }
    }

    /// What one can go back to: its length in seconds, and how far into it the picture is.
    pub fn reach(&self, view: &View) -> Option<(f64, f64)> {
        let kept_s = self.deck.as_ref().and_then(super::Deck::past_start_s);
        let start_s = kept_s.or(view.ranges.0.first().map(|span| span.start_s))?;
        let end_s = view.ranges.end_s()?;
        Some(((end_s - start_s).max(0.0), (view.position_s - start_s).max(0.0)))
    }

    /// The viewer wants to see something again, which the frames way cannot: from a media source with what was kept. False where that
    /// is the way already.
    pub(super) fn goes_back_from_frames(&mut self, now_ms: i64, view: &View, by_s: f64) -> bool {
        self.go_buffered(now_ms, Some(view.position_s + by_s)).is_some()
    }

    /// Puts a media source in place with what was kept. `to_s`: where to then, on the timeline of the frames; `None`: to where live is.
    pub(super) fn go_buffered(&mut self, now_ms: i64, to_s: Option<f64>) -> Option<()> {
        let past = self.deck.as_mut()?.take_past()?;
        let first_s = past.gops.front()?.start_s;
        let tracks = self.session.as_ref()?.wanted();
        self.play_later = std::mem::replace(&mut self.wants_play, false);
        self.build(now_ms, tracks, 0, Way::Buffered);
        self.wants_play = self.play_later;
        // Built for a stream that starts at zero.
        let shift_s = self.deck.as_ref()?.offset_s() - first_s;
        let mut inits = Pair::default();
        for gop in &past.gops {
            self.deck.as_mut()?.set_offset_s(gop.offset_s + shift_s);
            if gop.inits != inits {
                inits.clone_from(&gop.inits);
                self.configure_all(&inits);
            }
            for fragment in &gop.fragments {
                self.deck.as_mut()?.feed(fragment);
            }
        }
        self.pilot.join(now_ms);
        self.pilot.gather(to_s.map(|to_s| (to_s + shift_s).max(0.0)));
        Some(())
    }

    /// Goes on once what was kept is in place, and back to frames once the viewer is at the live edge again.
    pub(super) fn after_gathering(&mut self, now_ms: i64) {
        if self.play_later && !self.pilot.gathers() {
            self.play_later = false;
            (self.started_ms, self.halts) = (now_ms, 0);
            self.out.push_back(Output::Play);
        }
        if self.offered && self.deck.as_ref().is_some_and(|deck| deck.way() == Way::Buffered && !deck.broken) {
            self.choose_way(now_ms);
        }
    }
}
