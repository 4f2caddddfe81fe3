//! The player's decisions: a state machine with no clock, no socket and no browser in it.
//!
//! [`Engine::handle`] takes one input with its time and a [`View`] of the video element at that time;
//! [`Engine::poll`] gives the commands that follow, in the order to carry them out. Connections and media sources are
//! numbered: a late callback of one that is no longer in use changes nothing.

#[cfg(test)]
mod day;
mod deck;
#[cfg(test)]
mod element;
#[cfg(test)]
mod element_tests;
mod face;
mod frames;
#[cfg(test)]
mod frames_tests;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod going_on_tests;
#[cfg(test)]
mod hidden_tests;
mod io;
mod link;
mod pilot;
#[cfg(test)]
mod rest_tests;
#[cfg(test)]
mod rewind_tests;
mod session;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod socket_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trace;

use crate::{Delay, Failure, PlayerEvent, Stats, intake::Intake, retry::Backoff};
use deck::Deck;
use face::Face;
use frames::Past;
pub use io::{Abilities, Answer, Input, Output, View, Way};
use link::Link;
use pilot::{Move, Pilot};
use session::Session;
use std::collections::VecDeque;

/// Bytes that may wait for the SourceBuffers before reading from the network pauses.
const QUEUE_MAX: usize = 8 * 1024 * 1024;
/// A rest after a read, where nothing depends on the moment.
const READ_REST_MS: u32 = 80;
/// Pace of [`PlayerEvent::Delay`].
const DELAY_EVERY_MS: i64 = 500;
/// The server's clock is known to about this.
const CLOCKS_APART_MS: i64 = 250;
/// A clock that leaps this far between two looks has been set.
const CLOCK_SET_MS: i64 = 1_000;
/// What may lie between the server and here.
const QUEUED_MAX_MS: i64 = 60_000;
/// A picture that starts by itself and is halted within this time was halted by the browser. Later it may have been a headset's key.
const HALT_MS: i64 = 3_000;
/// So many times it is started again, muted.
const HALTS_MAX: u8 = 3;
/// Span over which the bitrate is averaged.
const BITRATE_MS: i64 = 2_000;

/// The state machine.
#[derive(Debug)]
pub struct Engine {
    out: VecDeque<Output>,
    abilities: Abilities,
    link: Link,
    connection: u32,
    /// The stream came over a WebSocket last, so it is asked for there first.
    socket: bool,
    retry: Backoff,
    intake: Option<Intake>,
    session: Option<Session>,
    deck: Option<Deck>,
    sources: u32,
    /// A new media source is wanted, at the next key frame.
    rebuild: bool,
    /// Frames can be shown one by one, and when their decoders last failed.
    offered: bool,
    frames_broke_ms: Option<i64>,
    past: Past,
    /// What was kept is on its way into a media source; the picture goes on when it is there.
    play_later: bool,
    breaks: VecDeque<i64>,
    pilot: Pilot,
    face: Face,
    sent_rate: f64,
    wants_play: bool,
    muted_by_us: bool,
    /// When the picture last started by itself, and how often the browser has halted it since.
    started_ms: i64,
    halts: u8,
    visible: bool,
    /// The machine says so.
    offline: bool,
    /// Since when nobody has seen or heard anything, as far as is known.
    unnoticed_ms: Option<i64>,
    /// Downloading has stopped because nobody notices; seeing or hearing starts it again.
    asleep: bool,
    told_delay_ms: i64,
    /// From the engine's clock to the server's, in ms.
    to_server_ms: Option<i64>,
    /// It has leapt.
    clock_set: bool,
    received: VecDeque<(i64, u64)>,
    stats: Stats,
}

impl Engine {
    /// `seed` spreads the retries of different viewers.
    pub fn new(delay: Delay, abilities: Abilities, seed: u64, now_ms: i64) -> Self {
        Self {
            out: VecDeque::new(),
            abilities,
            link: Link::Idle,
            connection: 0,
            socket: false,
            retry: Backoff::new(seed),
            intake: None,
            session: None,
            deck: None,
            sources: 0,
            rebuild: false,
            offered: false,
            frames_broke_ms: None,
            past: Past::default(),
            play_later: false,
            breaks: VecDeque::new(),
            pilot: Pilot::new(delay, now_ms),
            face: Face::default(),
            sent_rate: 1.0,
            wants_play: true,
            muted_by_us: false,
            started_ms: now_ms,
            halts: 0,
            visible: true,
            offline: false,
            unnoticed_ms: None,
            asleep: false,
            told_delay_ms: now_ms,
            to_server_ms: None,
            clock_set: false,
            received: VecDeque::new(),
            stats: Stats { rate: 1.0, ..Stats::default() },
        }
    }

    /// Takes one input. `now_ms` is any clock that does not go back.
    pub fn handle(&mut self, now_ms: i64, input: Input, view: &View) {
        self.pilot.observe(now_ms, view);
        self.take(now_ms, input, view);
        self.settle(now_ms, view);
    }

    /// Takes an input after which the element need not be looked at, most often each second one. False: not taken, it is one for
    /// [`Self::handle`].
    pub fn takes_unseen(&mut self, input: &Input) -> bool {
        match *input {
            Input::Done { source, track } => self.deck_of(source).is_some_and(|deck| deck.half_done(track)),
            _ => false,
        }
    }

    /// The next command.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Whether reading from the network may go on; asked before each read, so that nothing piles up.
    pub fn wants_data(&self) -> bool {
        let held = self.session.as_ref().map_or(0, Session::held_bytes);
        // A source that is to be followed by another may want nothing any more; the next begins with what is read.
        let wanted = self.rebuild || self.deck.as_ref().is_none_or(|deck| deck.streaming);
        wanted && held + self.deck.as_ref().map_or(0, Deck::bytes) < QUEUE_MAX
    }

    /// How long reading from the network may rest after something has come, in ms; 0 while the next is wanted at once. With a buffer that
    /// lasts for a while, several frames in one read cost the page half of what they cost one by one. For connections that keep what has come.
    pub fn rest_ms(&self) -> u32 {
        // The timers of hidden tabs are slow.
        if self.visible && self.face.playing() && self.pilot.has_enough() { READ_REST_MS } else { 0 }
    }

    /// What time it is by the server's clock, in Unix time: [`PlayerEvent::Delay`] then counts what lies between the server and here, too.
    /// A time that leaps is of a clock that has been set, or of a machine that has slept, and is not asked any more.
    pub fn set_server_time(&mut self, now_ms: i64, unix_ms: i64) {
        let to_server_ms = unix_ms - now_ms;
        self.clock_set |= self.to_server_ms.is_some_and(|before_ms| (to_server_ms - before_ms).abs() > CLOCK_SET_MS);
        self.to_server_ms = (!self.clock_set).then_some(to_server_ms);
    }

    /// The figures that the engine knows; the element's own are left at zero.
    pub fn stats(&self, now_ms: i64, view: &View) -> Stats {
        let mut stats = self.stats.clone();
        stats.buffer_ms = (self.pilot.ahead_s(view) * 1000.0) as u32;
        stats.behind_ms = self.behind_ms(now_ms, view).unwrap_or(0);
        stats.target_ms = (self.pilot.target_s() * 1000.0) as u32;
        stats.jitter_ms = (self.pilot.jitter_s() * 1000.0) as u32;
        stats.drift_ms = self.intake.as_ref().map_or(0, Intake::drift_ms);
        stats.rate = self.pilot.rate();
        stats.socket = self.socket;
        stats.bitrate_bps = self.bitrate_bps(now_ms);
        stats.codecs = self.deck.as_ref().map(Deck::codecs).unwrap_or_default();
        stats
    }

    #[cfg(test)]
    fn decide_with(&mut self, decide: fn(&crate::delay::Reading) -> crate::delay::Decision) {
        self.pilot.decide = decide;
    }

    /// From the connection's timeline to that of what shows it.
    #[cfg(test)]
    fn offset_s(&self) -> f64 {
        self.deck.as_ref().map_or(0.0, Deck::offset_s)
    }

    /// Items as if the bytes of the connection had given them.
    #[cfg(test)]
    fn handle_items(&mut self, now_ms: i64, items: Vec<crate::intake::Item>, view: &View) {
        self.pilot.observe(now_ms, view);
        if let Link::Flowing { heard_ms, .. } = &mut self.link {
            *heard_ms = now_ms;
        }
        for item in items {
            self.item(now_ms, item);
        }
        self.settle(now_ms, view);
    }

    fn take(&mut self, now_ms: i64, input: Input, view: &View) {
        match input {
            Input::Start | Input::Restart => self.restart(now_ms),
            Input::Answered { connection, answer } if connection == self.connection => {
                self.answered(now_ms, answer);
            }
            Input::Bytes { connection, bytes } if connection == self.connection => self.bytes(now_ms, bytes),
            Input::Closed { connection, clean } if connection == self.connection => self.closed(now_ms, clean),
            Input::Answered { .. } | Input::Bytes { .. } | Input::Closed { .. } => {}
            Input::SourceOpen { source } => {
                if let Some(deck) = self.deck_of(source) {
                    deck.open = true;
                }
            }
            Input::Done { source, track } => {
                if let Some(deck) = self.deck_of(source) {
                    deck.done(track);
                }
            }
            Input::Full { source, track } => self.full(now_ms, source, track, view),
            Input::Broken { source } => self.broken(now_ms, source),
            Input::NotPlayable { source, mime } => {
                if self.deck_of(source).is_some() && !self.goes_on_without(&mime) {
                    self.fail(Failure::CodecNotPlayable { mime });
                }
            }
            Input::Playing => self.pilot.playing(now_ms),
            Input::Waiting => self.waiting(now_ms, view),
            // A hidden tab is paused by browsers too; that is not the viewer's wish.
            Input::Paused => self.wants_play &= !self.visible,
            Input::Pause => self.wants_play = false,
            Input::Halted => self.halted(now_ms, view),
            Input::Resumed => {
                self.wants_play = true;
                self.pilot.resumed(now_ms, matches!(self.link, Link::Opening { .. } | Link::Flowing { .. }));
                if self.face.playing() {
                    self.restart(now_ms);
                }
            }
            Input::PlayGranted => {
                if std::mem::take(&mut self.muted_by_us) && view.muted {
                    self.out.push_back(Output::Event(PlayerEvent::NeedsUnmute));
                }
            }
            Input::PlayRefused => self.play_refused(view),
            Input::Streaming(wanted) => {
                if let Some(deck) = &mut self.deck {
                    deck.streaming = wanted;
                }
            }
            Input::Visible(visible) => {
                self.visible = visible;
                if visible {
                    self.pilot.shown_again(view);
                }
            }
            Input::Online => self.online(now_ms),
            Input::Offline => self.offline = true,
            // That way is taken at the next key frame, where it is better.
            Input::Offered => self.offered = true,
            Input::SetDelay(delay) => {
                self.pilot.set_delay(delay);
                self.delay_chosen(now_ms);
            }
            Input::GoLive => {
                self.pilot.ask_live();
                if view.paused {
                    self.wants_play = true;
                    self.out.push_back(Output::Play);
                }
            }
            Input::Rewind { by_s } if self.goes_back_from_frames(now_ms, view, by_s) => {}
            Input::Rewind { by_s } => self.pilot.rewind(view, by_s),
            Input::Tick => {}
        }
    }

    /// What follows from the state as it now is, whatever the input was.
    fn settle(&mut self, now_ms: i64, view: &View) {
        self.rest_unnoticed(now_ms, view);
        self.deadlines(now_ms);
        self.bind_when_ready(now_ms);
        self.trim(now_ms, view);
        self.give_up_open_gop(view);
        if let Some(deck) = self.deck.as_ref().filter(|deck| deck.open && !deck.broken) {
            let (backlog, source, way) = (deck.bytes() > 0, deck.id, deck.way());
            match self.pilot.steer(now_ms, view, backlog, self.visible) {
                Some(Move::Seek(to_s)) => self.out.push_back(Output::Seek { to_s }),
                Some(Move::Jump(to_s)) => {
                    self.stats.jumps += 1;
                    self.out.push_back(Output::Seek { to_s });
                }
                Some(Move::Rebuild) if way == Way::Frames => self.broken(now_ms, source),
                Some(Move::Rebuild) => self.rebuild = true,
                None => {}
            }
        }
        self.play_when_gathered(now_ms);
        if self.pilot.rate() != self.sent_rate {
            self.sent_rate = self.pilot.rate();
            self.out.push_back(Output::Rate(self.sent_rate));
        }
        if let Some(deck) = &mut self.deck {
            deck.pump(now_ms, &mut self.out);
        }
        self.tell(now_ms, view);
    }

    fn tell(&mut self, now_ms: i64, view: &View) {
        let flows = matches!(self.link, Link::Flowing { .. }) && self.session.as_ref().is_some_and(|s| s.bound);
        // Who has stopped the picture is told nothing of what comes after it, before it is reached.
        let parked = !self.wants_play && view.ranges.end_s().is_some_and(|end_s| end_s - view.position_s > 0.15);
        if flows && (parked || self.pilot.moving(now_ms)) {
            self.face.show(PlayerEvent::Playing, &mut self.out);
        } else if !parked && self.is_dry(now_ms, view) {
            self.face.release(&mut self.out);
            // However it came to stand: a stall while joining is none that counts, and may last.
            if flows && !view.paused && self.pilot.still(now_ms) {
                self.face.buffering(&mut self.out);
            }
        }
        // A paused picture falls behind, and the page says by how much.
        let counts = if view.paused { flows } else { self.face.playing() };
        if counts && now_ms - self.told_delay_ms >= DELAY_EVERY_MS {
            self.told_delay_ms = now_ms;
            if let Some(behind_ms) = self.behind_ms(now_ms, view) {
                self.out.push_back(Output::Event(PlayerEvent::Delay { behind_ms }));
            }
        }
    }

    /// How late the picture is: since the server received it, where it has said when that was; else behind the newest data.
    fn behind_ms(&self, now_ms: i64, view: &View) -> Option<u32> {
        let behind_ms = i64::from(self.pilot.behind_ms(now_ms, view)?);
        let since_received = || {
            let (at_ms, unix_ms) = self.session.as_ref()?.clock?;
            let position_ms = ((view.position_s - self.deck.as_ref()?.offset_s()) * 1000.0) as i64;
            let late_ms = now_ms + self.to_server_ms? - unix_ms - (position_ms - at_ms);
            // Less than what lies here, or much more: a clock is wrong, or the stamps have jumped.
            (behind_ms - CLOCKS_APART_MS..behind_ms + QUEUED_MAX_MS).contains(&late_ms).then_some(late_ms)
        };
        u32::try_from(since_received().unwrap_or(behind_ms).max(0)).ok()
    }

    /// Whether the picture has come to the end of what there is, or stands.
    fn is_dry(&self, now_ms: i64, view: &View) -> bool {
        let empty = !view.seeking && self.pilot.ahead_s(view) < 0.15;
        self.deck.is_none() || view.paused || empty || self.pilot.still(now_ms)
    }

    fn waiting(&mut self, now_ms: i64, view: &View) {
        let flows = matches!(self.link, Link::Flowing { .. });
        // A track that has ended stops the picture too, and so does a publisher who is gone: no larger buffer would have helped.
        let away = self.session.as_ref().is_some_and(|session| session.away);
        let late = flows && !away && self.deck.as_ref().is_none_or(Deck::even);
        if self.pilot.waiting(now_ms, view, late) && !self.asleep {
            self.stats.stalls += 1;
            if flows && !away {
                self.face.buffering(&mut self.out);
            }
        }
    }

    /// A pause that no viewer can have asked for is a refusal that came late.
    fn halted(&mut self, now_ms: i64, view: &View) {
        if !view.paused || !self.visible {
            return;
        }
        if now_ms - self.started_ms > HALT_MS || self.halts == HALTS_MAX {
            self.wants_play = false;
            return;
        }
        self.halts += 1;
        if !view.muted {
            self.muted_by_us = true;
            self.out.push_back(Output::Mute);
        }
        self.out.push_back(Output::Play);
    }

    fn play_refused(&mut self, view: &View) {
        if view.muted {
            self.muted_by_us = false;
            self.out.push_back(Output::Event(PlayerEvent::NeedsTap));
        } else {
            self.muted_by_us = true;
            self.out.push_back(Output::Mute);
            self.out.push_back(Output::Play);
        }
    }

    fn deck_of(&mut self, source: u32) -> Option<&mut Deck> {
        self.deck.as_mut().filter(|deck| deck.id == source)
    }

    fn bitrate_bps(&self, now_ms: i64) -> u64 {
        let recent = self.received.iter().filter(|(at_ms, _)| now_ms - at_ms <= BITRATE_MS);
        let bytes: u64 = recent.map(|(_, bytes)| bytes).sum();
        bytes * 8 * 1000 / BITRATE_MS.unsigned_abs()
    }
}
