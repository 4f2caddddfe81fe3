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

/// What was shown, as it came: whole GOPs, two minutes of them or as many bytes as a media source would keep. It has a timeline of its
/// own, which goes on over lost connections and whatever shows the stream.
#[derive(Debug, Default)]
pub(super) struct Past {
    inits: Pair<Option<Init>>,
    /// Counts the configurations that came.
    configurations: u32,
    gops: VecDeque<Gop>,
    bytes: u64,
    connection: u32,
    /// From that connection's timeline to this one, in seconds.
    offset_s: f64,
    end_s: f64,
}

/// From a key frame, or from another configuration, to the next of either.
#[derive(Debug)]
struct Gop {
    keyframe: bool,
    inits: Pair<Option<Init>>,
    configurations: u32,
    offset_s: f64,
    start_s: f64,
    fragments: Vec<Fragment>,
    bytes: u64,
}

impl Past {
    pub fn configured(&mut self, init: &Init) {
        *self.inits.get_mut(init.track) = Some(init.clone());
        self.configurations = self.configurations.wrapping_add(1);
    }

    pub fn keep(&mut self, fragment: &Fragment, connection: u32) {
        let at_s = fragment.start_ms as f64 / 1000.0;
        if self.connection != connection {
            // A millisecond apart: stamps are rounded.
            (self.connection, self.offset_s) = (connection, self.end_s + 0.001 - at_s);
        }
        let keyframe = fragment.keyframe && fragment.track == Track::Video;
        let start_s = self.offset_s + at_s;
        let (configurations, offset_s) = (self.configurations, self.offset_s);
        let goes_on = |gop: &&mut Gop| !keyframe && gop.offset_s == offset_s;
        match self.gops.back_mut().filter(goes_on) {
            Some(gop) if gop.configurations == configurations => {
                gop.fragments.push(fragment.clone());
                gop.bytes += fragment.bytes.len() as u64;
            }
            before if keyframe || before.is_some() => {
                let (inits, fragments) = (self.inits.clone(), vec![fragment.clone()]);
                let bytes = fragment.bytes.len() as u64;
                self.gops.push_back(Gop { keyframe, inits, configurations, offset_s, start_s, fragments, bytes });
            }
            // Nothing can begin here.
            _ => return,
        }
        self.bytes += fragment.bytes.len() as u64;
        self.end_s = self.end_s.max(start_s + fragment.duration_ms as f64 / 1000.0);
        self.forget(start_s);
    }

    /// Bytes that are kept.
    #[cfg(test)]
    pub fn held(&self) -> u64 {
        self.bytes
    }

    pub fn clear(&mut self) {
        self.gops.clear();
        self.bytes = 0;
    }

    /// Where it begins, on the timeline that has `offset_s` from the connection's.
    fn start_s(&self, offset_s: f64) -> Option<f64> {
        self.gops.front().map(|gop| gop.start_s - self.offset_s + offset_s)
    }

    /// Forgets what is too old, or too much: all of it, where one GOP alone is that.
    fn forget(&mut self, newest_s: f64) {
        while let Some(next) = self.gops.get(1)
            && (newest_s - next.start_s > BACK_BUFFER_S || self.bytes > BACK_BYTES)
        {
            self.drop_first();
        }
        while self.gops.front().is_some_and(|gop| !gop.keyframe || gop.bytes > BACK_BYTES) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        self.bytes -= self.gops.pop_front().map_or(0, |gop| gop.bytes);
    }
}

impl Engine {
    /// The way for the stream as things are.
    pub(super) fn way(&self) -> Way {
        let picture = self.session.as_ref().is_some_and(|session| session.wants(Track::Video));
        let near = self.pilot.delay() == Delay::Lowest && !self.pilot.is_back();
        if self.offered && near && picture { Way::Frames } else { Way::Buffered }
    }

    /// Another delay was asked for. Away from frames at once, for their screen keeps nothing ahead; to them at the next key frame.
    pub(super) fn delay_chosen(&mut self, now_ms: i64) {
        let shows_frames = self.deck.as_ref().is_some_and(|deck| deck.way() == Way::Frames);
        if shows_frames && self.session.is_some() && self.way() == Way::Buffered {
            self.go_buffered(now_ms, None);
        }
        if !self.keeps() {
            self.past.clear();
        }
    }

    /// Whether what is shown is kept here: a screen of frames keeps nothing.
    pub(super) fn keeps(&self) -> bool {
        self.offered && self.pilot.delay() == Delay::Lowest
    }

    /// What one can go back to: its length in seconds, and how far into it the picture is; below zero where a paused one was left behind.
    pub fn reach(&self, view: &View) -> Option<(f64, f64)> {
        let deck = self.deck.as_ref()?;
        let start_s = match deck.way() {
            Way::Frames => self.past.start_s(deck.offset_s())?,
            Way::Buffered => view.ranges.0.first()?.start_s,
        };
        let end_s = view.ranges.end_s()?;
        Some(((end_s - start_s).max(0.0), view.position_s - start_s))
    }

    /// The viewer wants to see something again, which the frames way cannot: from a media source with what was kept. False where that
    /// is the way already.
    pub(super) fn goes_back_from_frames(&mut self, now_ms: i64, view: &View, by_s: f64) -> bool {
        if self.deck.as_ref().is_none_or(|deck| deck.way() == Way::Buffered) {
            return false;
        }
        let to_s = view.position_s + by_s;
        if self.pilot.is_live(view, to_s) || self.go_buffered(now_ms, Some(to_s)).is_none() {
            self.pilot.ask_live();
        }
        true
    }

    /// Puts a media source in place with what was kept. `to_s`: where to then, on the timeline of the frames; `None`: to where live is.
    pub(super) fn go_buffered(&mut self, now_ms: i64, to_s: Option<f64>) -> Option<()> {
        let first_s = self.past.gops.front()?.start_s;
        let inits = &self.past.gops.back()?.inits;
        let track = |track| inits.get(track).as_ref().map(|init: &Init| (track, init.mime.clone()));
        let last = || [Track::Video, Track::Audio].into_iter().filter_map(track).collect();
        // A connection that has only been answered says nothing of its tracks yet.
        let now = self.session.as_ref().map(super::Session::wanted).filter(|tracks| !tracks.is_empty());
        let tracks: Vec<(Track, String)> = Some(now.unwrap_or_else(last)).filter(|tracks| !tracks.is_empty())?;
        let to_past_s = self.past.offset_s - self.deck.as_ref()?.offset_s();
        self.play_later = std::mem::replace(&mut self.wants_play, false);
        self.build(now_ms, tracks, 0, Way::Buffered);
        self.wants_play = self.play_later;
        // Built for a stream that starts at zero.
        let shift_s = self.deck.as_ref()?.offset_s() - first_s;
        let past = std::mem::take(&mut self.past);
        let mut configured = None;
        for gop in &past.gops {
            self.deck.as_mut()?.set_offset_s(gop.offset_s + shift_s);
            if configured.replace(gop.configurations) != Some(gop.configurations) {
                self.configure_all(&gop.inits);
            }
            for fragment in &gop.fragments {
                self.deck.as_mut()?.feed(fragment);
            }
        }
        self.deck.as_mut()?.set_offset_s(past.offset_s + shift_s);
        self.past = past;
        if let Some(inits) = self.session.as_ref().map(|session| session.inits.clone()) {
            self.configure_all(&inits);
        }
        self.pilot.join(now_ms);
        self.pilot.gather(to_s.map(|to_s| (to_s + to_past_s + shift_s).max(0.0)));
        Some(())
    }

    /// Goes on once what was kept is in place.
    pub(super) fn play_when_gathered(&mut self, now_ms: i64) {
        if self.play_later && !self.pilot.gathers() {
            self.play_later = false;
            (self.started_ms, self.halts) = (now_ms, 0);
            self.out.push_back(Output::Play);
        }
    }
}
