//! The media source in place: one queue a track, its timeline, and the room in it.

use super::{
    Engine, Output, View, Way,
    session::{Pair, other},
};
use crate::{
    Failure, PlayerEvent,
    intake::{Fragment, Init, Track, codec_of},
    queue::{Op, Queue},
};
use std::collections::VecDeque;

/// What is kept behind the picture, to go back to.
pub(super) const BACK_BUFFER_S: f64 = 120.0;
/// Whatever the position, nothing older than this is kept: a paused tab may stay open for days.
pub(super) const BUFFER_MAX_S: f64 = 180.0;
/// And no more bytes than this, but for [`BACK_MIN_S`] behind the picture: two minutes of 5 Mbit/s, and less of more.
pub(super) const BACK_BYTES: u64 = 80 * 1024 * 1024;
/// What is kept behind the picture however many bytes it takes.
const BACK_MIN_S: f64 = 10.0;
/// Room is made in steps of this.
const TRIM_STEP_S: f64 = 10.0;
/// Key frames closer than this are not noted: one place to cut in that span is enough.
const KEY_STEP_S: f64 = 1.0;
/// A new media source starts a little after zero: rounded stamps must not put its first sample before it.
const START_S: f64 = 0.002;
/// An operation that takes longer is a buffer that hangs.
const OPERATION_MS: i64 = 10_000;
/// Tracks further apart than this are not being delayed by the network.
const UNEVEN_MS: i64 = 500;
/// A refused append for which no room could be made is tried again after this.
const REFUSED_MS: i64 = 500;
/// So much media that does not show in the buffers will not show any more.
const UNSEEN_S: f64 = 4.0;
/// So many failures within [`BREAKS_MS`] and the stream is given up.
const BREAKS_MAX: usize = 4;
/// Of open GOPs fewer: each failure waits for a key frame, and the next is no better.
const OPEN_BREAKS_MAX: usize = 3;
const BREAKS_MS: i64 = 30_000;
/// Decoders of frames that fail twice within this are not tried a third time.
const FRAMES_AGAIN_MS: i64 = 60_000;

/// One SourceBuffer.
#[derive(Debug)]
struct Lane {
    mime: String,
    queue: Queue,
    started_ms: i64,
    /// Nothing is started before this.
    held_until_ms: i64,
    /// Refusals for want of room since the last append that was taken.
    refusals: u8,
    /// End of what has been queued, on the media source's timeline.
    end_s: f64,
}

/// A media source.
#[derive(Debug)]
pub(super) struct Deck {
    pub id: u32,
    way: Way,
    /// Commands for one that shows frames one by one, until it is open.
    ready: VecDeque<Output>,
    /// The browser has opened it and both buffers exist.
    pub open: bool,
    /// The browser wants data for it. One that manages its memory says so, and when it has enough.
    pub streaming: bool,
    /// Takes nothing any more; the next key frame gets a new one.
    pub broken: bool,
    lanes: Pair<Option<Lane>>,
    /// From the connection's timeline to this one's.
    offset_s: f64,
    needs_key: bool,
    /// The furthest that the buffers have reached; browsers may take back what they have.
    seen_s: f64,
    /// Where key frames are, and what had been queued before each: the places up to which the past can be removed.
    keys: VecDeque<(f64, u64)>,
    /// Bytes queued so far.
    queued: u64,
    trimmed_s: f64,
}

impl Deck {
    fn new(id: u32, tracks: &[(Track, String)], start_ms: i64, way: Way) -> Self {
        let mut lanes = Pair::default();
        for (track, mime) in tracks {
            let lane = Lane {
                mime: mime.clone(),
                queue: Queue::default(),
                started_ms: 0,
                held_until_ms: i64::MIN,
                refusals: 0,
                end_s: START_S,
            };
            *lanes.get_mut(*track) = Some(lane);
        }
        Self {
            id,
            way,
            ready: VecDeque::new(),
            open: false,
            streaming: true,
            broken: false,
            lanes,
            offset_s: START_S - start_ms as f64 / 1000.0,
            needs_key: true,
            seen_s: START_S,
            keys: VecDeque::new(),
            queued: 0,
            trimmed_s: 0.0,
        }
    }

    pub const fn way(&self) -> Way {
        self.way
    }

    /// From the connection's timeline to this one's.
    pub const fn offset_s(&self) -> f64 {
        self.offset_s
    }

    pub const fn set_offset_s(&mut self, offset_s: f64) {
        self.offset_s = offset_s;
    }

    pub fn has(&self, track: Track) -> bool {
        self.lanes.get(track).is_some()
    }

    /// Bytes that wait for the buffers. Of a source that takes nothing any more none: they would keep the next one's from being read.
    pub fn bytes(&self) -> usize {
        if self.broken {
            return 0;
        }
        [&self.lanes.audio, &self.lanes.video].into_iter().flatten().map(|lane| lane.queue.bytes()).sum()
    }

    /// The codecs inside the types, video first.
    pub fn codecs(&self) -> String {
        let codec = |lane: &Lane| codec_of(&lane.mime).to_owned();
        let both: Vec<String> = [&self.lanes.video, &self.lanes.audio].into_iter().flatten().map(codec).collect();
        both.join(", ")
    }

    /// Whether these tracks can go on in it.
    pub fn takes(&self, tracks: &[(Track, String)], change_type: bool) -> bool {
        let fits = |(track, mime): &(Track, String)| {
            self.lanes.get(*track).as_ref().is_some_and(|lane| change_type || lane.mime == *mime)
        };
        let count = usize::from(self.has(Track::Audio)) + usize::from(self.has(Track::Video));
        tracks.len() == count && tracks.iter().all(fits)
    }

    /// Another connection's stream, whose first fragment starts at `start_ms`, follows what is there.
    pub fn go_on(&mut self, start_ms: i64) {
        let end_s = [&self.lanes.audio, &self.lanes.video].into_iter().flatten().map(|lane| lane.end_s);
        let end_s = end_s.fold(START_S, f64::max);
        // A millisecond apart: stamps are rounded, and an overlap would cut the sample before.
        self.offset_s = end_s + 0.001 - start_ms as f64 / 1000.0;
        self.needs_key = true;
    }

    /// Queues an init segment. False when this media source cannot take it.
    pub fn configure(&mut self, init: &Init, change_type: bool) -> bool {
        let offset_s = self.offset_s;
        let Some(lane) = self.lanes.get_mut(init.track).as_mut() else { return false };
        let same = lane.mime == init.mime;
        if !same && !change_type && self.way == Way::Buffered {
            // Fragments that follow belong to a configuration the buffer does not know.
            self.broken = true;
            return false;
        }
        lane.mime.clone_from(&init.mime);
        if self.way == Way::Frames {
            self.ready.push_back(Output::Configure { source: self.id, init: init.clone() });
            return true;
        }
        let change_type = (!same).then(|| init.mime.clone());
        lane.queue.push(Op::Append { bytes: init.bytes.clone(), offset_s, change_type });
        true
    }

    /// Queues a fragment. One that cannot be decoded or has no buffer is left out.
    pub fn feed(&mut self, fragment: &Fragment) {
        if self.broken {
            return;
        }
        let start_s = self.offset_s + fragment.start_ms as f64 / 1000.0;
        let Some(lane) = self.lanes.get_mut(fragment.track).as_mut() else { return };
        if fragment.track == Track::Video {
            if self.needs_key && !fragment.keyframe {
                return;
            }
            self.needs_key = false;
            let removes = self.way == Way::Buffered;
            if removes && fragment.keyframe && self.keys.back().is_none_or(|(last_s, _)| start_s - last_s >= KEY_STEP_S)
            {
                self.keys.push_back((start_s, self.queued));
            }
        }
        self.queued += fragment.bytes.len() as u64;
        lane.end_s = lane.end_s.max(start_s + fragment.duration_ms as f64 / 1000.0);
        if self.way == Way::Frames {
            let (source, fragment, offset_s) = (self.id, fragment.clone(), self.offset_s);
            self.ready.push_back(Output::Decode { source, fragment, offset_s });
            return;
        }
        let bytes = fragment.bytes.clone();
        lane.queue.push(Op::Append { bytes, offset_s: self.offset_s, change_type: None });
    }

    /// Whether `late` is further behind `early` than `by_ms`.
    pub fn lags(&self, late: Track, early: Track, by_ms: i64) -> bool {
        match (self.lanes.get(late), self.lanes.get(early)) {
            (Some(late), Some(early)) => early.end_s - late.end_s > by_ms as f64 / 1000.0,
            _ => false,
        }
    }

    /// Whether both tracks end at about the same time.
    pub fn even(&self) -> bool {
        !self.lags(Track::Audio, Track::Video, UNEVEN_MS) && !self.lags(Track::Video, Track::Audio, UNEVEN_MS)
    }

    /// The operation in flight is done.
    pub fn done(&mut self, track: Track) {
        if let Some(lane) = self.lanes.get_mut(track).as_mut()
            && let Some(Op::Append { .. }) = lane.queue.done()
        {
            lane.refusals = 0;
        }
    }

    /// The operation in flight is done, and nothing follows from it yet: nothing waits for this buffer, and what the element shows of both
    /// is looked at when the other's is done, too (or at the next tick). False: not so, and not noted.
    pub fn half_done(&mut self, track: Track) -> bool {
        let busy = |lane: &Option<Lane>| lane.as_ref().is_some_and(|lane| lane.queue.busy());
        let waits = self.lanes.get(track).as_ref().is_some_and(|lane| lane.queue.waits());
        let half = !waits && busy(self.lanes.get(other(track)));
        if half {
            self.done(track);
        }
        half
    }

    /// Starts what can be started.
    pub fn pump(&mut self, now_ms: i64, out: &mut VecDeque<Output>) {
        if !self.open || self.broken {
            return;
        }
        out.append(&mut self.ready);
        let source = self.id;
        for track in [Track::Video, Track::Audio] {
            let Some(lane) = self.lanes.get_mut(track).as_mut() else { continue };
            if now_ms < lane.held_until_ms {
                continue;
            }
            let Some(op) = lane.queue.start() else { continue };
            lane.started_ms = now_ms;
            out.push_back(match op {
                Op::Append { bytes, offset_s, change_type } => {
                    Output::Append { source, track, bytes, offset_s, change_type }
                }
                Op::Remove { start_s, end_s } => Output::Remove { source, track, start_s, end_s },
            });
        }
    }

    /// How much of what the buffers were given they have never shown, in seconds.
    fn unseen_s(&mut self, view: &View) -> f64 {
        if !self.open || self.broken || self.way == Way::Frames || self.bytes() > 0 {
            return 0.0;
        }
        self.seen_s = self.seen_s.max(view.ranges.end_s().unwrap_or(START_S));
        let ends_s = [&self.lanes.audio, &self.lanes.video].into_iter().flatten().map(|lane| lane.end_s);
        ends_s.fold(f64::INFINITY, f64::min) - self.seen_s
    }

    fn hangs(&self, now_ms: i64) -> bool {
        let hangs = |lane: &Lane| lane.queue.busy() && now_ms - lane.started_ms > OPERATION_MS;
        [&self.lanes.audio, &self.lanes.video].into_iter().flatten().any(hangs)
    }

    /// The last place not after `limit_s` up to which everything can be removed without touching what follows: a
    /// removal goes on to the next key frame (Media Source Extensions §3.5.9), so it must end at one.
    fn cut_before(&self, limit_s: f64) -> Option<f64> {
        let cut_s = if self.has(Track::Video) {
            self.keys.iter().rev().find(|(key_s, _)| *key_s <= limit_s)?.0
        } else {
            limit_s
        };
        (cut_s > self.trimmed_s + 0.1).then_some(cut_s)
    }

    /// From where on the past is light enough: no more than [`BACK_BYTES`].
    fn light_from_s(&self) -> f64 {
        let light = self.keys.iter().find(|(_, before)| self.queued - before <= BACK_BYTES);
        light.or(self.keys.back()).map_or(0.0, |(key_s, _)| *key_s)
    }

    fn trimmed(&mut self, cut_s: f64) -> Op {
        self.trimmed_s = cut_s;
        while self.keys.front().is_some_and(|(key_s, _)| *key_s < cut_s) {
            self.keys.pop_front();
        }
        // Just before the key frame, whose stamp is rounded.
        Op::Remove { start_s: 0.0, end_s: cut_s - 0.005 }
    }
}

impl Engine {
    /// Puts a new media source in place. `start_ms`: where its first fragment starts.
    pub(super) fn build(&mut self, now_ms: i64, tracks: Vec<(Track, String)>, start_ms: i64, way: Way) {
        self.sources = self.sources.wrapping_add(1);
        self.stats.rebuilds = self.sources.saturating_sub(1);
        self.rebuild = false;
        let deck = Deck::new(self.sources, &tracks, start_ms, way);
        let audio_only = !deck.has(Track::Video);
        let was_audio_only = self.deck.as_ref().map(|deck| !deck.has(Track::Video));
        self.deck = Some(deck);
        self.pilot.fresh_source(now_ms, way);
        // A new source resets the element's rate.
        self.sent_rate = 1.0;
        self.out.push_back(Output::Build { source: self.sources, tracks, way });
        if audio_only {
            (self.stats.width, self.stats.height) = (0, 0);
        }
        if was_audio_only != Some(audio_only) {
            self.out.push_back(Output::Event(PlayerEvent::AudioOnly(audio_only)));
        }
        if self.wants_play {
            (self.started_ms, self.halts) = (now_ms, 0);
            self.out.push_back(Output::Play);
        }
    }

    /// The media source is of no use any more.
    pub(super) fn broken(&mut self, now_ms: i64, source: u32) {
        let Some(deck) = self.deck_of(source).filter(|deck| !deck.broken) else { return };
        deck.broken = true;
        let way = deck.way();
        self.rebuild = true;
        if way == Way::Frames {
            // The other way plays what this one could not. Decoders of tabs that rest are taken away, too: once is no habit.
            let again = self.frames_broke_ms.replace(now_ms).is_some_and(|before| now_ms - before < FRAMES_AGAIN_MS);
            self.offered &= !again;
            self.go_buffered(now_ms, None);
            if again {
                self.past.clear();
            }
            return;
        }
        self.breaks.push_back(now_ms);
        while self.breaks.front().is_some_and(|at_ms| now_ms - at_ms > BREAKS_MS) {
            self.breaks.pop_front();
        }
        match self.open_gop() {
            Some(mime) if self.breaks.len() >= OPEN_BREAKS_MAX => self.fail(Failure::CodecNotPlayable { mime }),
            _ if self.breaks.len() >= BREAKS_MAX => self.fail(Failure::Decoder),
            _ => {}
        }
    }

    /// Gives up a stream of which nothing comes to be seen, because the browser waits for a key frame that stands alone.
    pub(super) fn give_up_open_gop(&mut self, view: &View) {
        if self.deck.as_mut().is_some_and(|deck| deck.unseen_s(view) > UNSEEN_S)
            && let Some(mime) = self.open_gop()
        {
            self.fail(Failure::CodecNotPlayable { mime });
        }
    }

    /// What the stream is, where its key frames do not stand alone: browsers that look for themselves do not begin there.
    fn open_gop(&self) -> Option<String> {
        self.intake.as_ref().filter(|intake| intake.open_gop())?;
        Some(format!("{} (open GOP)", self.session.as_ref()?.inits.video.as_ref()?.codec()))
    }

    /// Keeps the past short. Hangs are noticed here too.
    pub(super) fn trim(&mut self, now_ms: i64, view: &View) {
        let buffered = |deck: &&mut Deck| deck.open && !deck.broken && deck.way == Way::Buffered;
        let Some(deck) = self.deck.as_mut().filter(buffered) else { return };
        if deck.hangs(now_ms) {
            let id = deck.id;
            return self.broken(now_ms, id);
        }
        let Some(end_s) = view.ranges.end_s() else { return };
        let light_s = deck.light_from_s().min(view.position_s - BACK_MIN_S);
        let limit_s = (view.position_s - BACK_BUFFER_S).max(end_s - BUFFER_MAX_S).max(light_s);
        if limit_s - deck.trimmed_s < TRIM_STEP_S {
            return;
        }
        if let Some(cut_s) = deck.cut_before(limit_s) {
            let op = deck.trimmed(cut_s);
            for lane in [&mut deck.lanes.audio, &mut deck.lanes.video].into_iter().flatten() {
                lane.queue.push(op.clone());
            }
        }
    }

    /// A buffer is full: give up the past, then more of it, then the media source; never the stream.
    pub(super) fn full(&mut self, now_ms: i64, source: u32, track: Track, view: &View) {
        let Some(deck) = self.deck_of(source) else { return };
        let Some(lane) = deck.lanes.get_mut(track).as_mut() else { return };
        lane.queue.failed();
        lane.refusals = lane.refusals.saturating_add(1);
        let keep_s = match lane.refusals {
            1 => 10.0,
            2 => 2.0,
            _ => {
                deck.broken = true;
                self.rebuild = true;
                return;
            }
        };
        // Without a past to give up, time makes some.
        lane.held_until_ms = now_ms + REFUSED_MS;
        if let Some(cut_s) =
            deck.cut_before(view.position_s - keep_s).or_else(|| deck.cut_before(view.position_s - 2.0))
        {
            let op = deck.trimmed(cut_s);
            for lane in [&mut deck.lanes.audio, &mut deck.lanes.video].into_iter().flatten() {
                lane.queue.push_first(op.clone());
                lane.held_until_ms = i64::MIN;
            }
        }
    }
}
