//! A simulated viewer: an encoder, a server with its GOP, a network with moods, and a video element, around a real
//! engine. Every command is checked as it is carried out: rates in bounds, seeks inside what is buffered, one
//! operation at a time.

mod network;

use super::{Abilities, Answer, Engine, Input, Output, Way, element::Element, trace::Trace};
use crate::{
    Delay, PlayerEvent,
    delay::{RATE_MAX, RATE_MIN},
    intake::{Init, Item, Track},
};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// Every setting.
pub const ALL: [Delay; 3] = [Delay::Lowest, Delay::Balanced, Delay::Smooth];

/// What an element has ahead before it goes on after running dry.
const RESUME_S: f64 = 0.1;
/// Time a seek takes.
const SEEK_MS: i64 = 60;
/// How soon a reader that was told to pause asks again.
const PAUSE_MS: i64 = 50;
/// Time an append takes.
const APPEND_MS: i64 = 2;

/// What the simulated browser can do.
pub const ABLE: Abilities = Abilities { plays: |_| true, change_type: true, picture_apart: true };

/// How the network behaves: extra lateness in ms of what is sent at a time.
pub type Mood = Box<dyn Fn(i64) -> i64>;

/// The world of a run.
pub struct World {
    delay: Delay,
    pub able: Abilities,
    pub engine: Engine,
    pub now_ms: i64,
    pub events: Vec<(i64, PlayerEvent)>,
    pub element: Element,
    pub gop_ms: i64,
    pub mood: Mood,
    pub audio: Box<dyn Fn(i64) -> bool>,
    pub video: Box<dyn Fn(i64) -> bool>,
    /// What the next requests are answered; then the stream, for as long as it is on air.
    pub answers: VecDeque<Answer>,
    pub on_air: bool,
    /// Since when the publisher has been gone, and since when that was last said.
    away: Option<(i64, i64)>,
    pub promise: (bool, bool),
    /// Both tracks are configured at the start, whether media comes of them or not.
    pub announces: bool,
    /// Appends to refuse for want of room.
    pub refuse: u32,
    /// How long one takes.
    pub append_ms: i64,
    pub opened: Vec<i64>,
    pub seeks: Vec<(i64, f64)>,
    pub rates: Vec<(i64, f64)>,
    pub ways: Vec<Way>,
    pub builds: Vec<(i64, usize)>,
    pub removed_s: f64,
    /// True delay from capture to screen, sampled each 100 ms while the picture moves.
    pub delays: Vec<(i64, f64)>,
    pub stalls: Vec<i64>,
    /// What comes instead of the encoder and the network above.
    pub trace: Option<Trace>,
    due: BTreeMap<(i64, u64), Due>,
    count: u64,
    connection: Option<Connection>,
    /// What has arrived and has not been read yet, for the engine rests until then.
    unread: Vec<Item>,
    rests_until_ms: i64,
}

struct Connection {
    id: u32,
    /// Capture time that is zero on its timeline; for a trace the stamp.
    origin_ms: i64,
    /// The frame of the trace that comes next.
    frame: i64,
    sent_ms: i64,
    last_arrival_ms: i64,
    configured: (bool, bool),
}

enum Due {
    Input(Input),
    Items(u32, Vec<Item>),
    /// The engine has rested.
    Read,
}

/// A fragment's bytes in the simulation: start, length, capture time.
fn record(start_ms: i64, duration_ms: i64, captured_ms: i64) -> Bytes {
    [start_ms, duration_ms, captured_ms].iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>().into()
}

pub fn init(track: Track) -> Init {
    let (mime, size) = match track {
        Track::Audio => ("audio/mp4; codecs=\"mp4a.40.2\"", None),
        Track::Video => ("video/mp4; codecs=\"avc1.64001f\"", Some((640, 360))),
    };
    let sound = size.is_none().then_some((48_000, 2));
    Init { track, mime: mime.to_owned(), bytes: record(i64::MIN, 0, 0), record: Bytes::new(), size, sound }
}

impl World {
    pub fn new(delay: Delay) -> Self {
        Self {
            delay,
            able: ABLE,
            engine: Engine::new(delay, ABLE, 7, 0),
            now_ms: 0,
            events: Vec::new(),
            element: Element { rate: 1.0, waiting: true, paused: true, ..Element::default() },
            gop_ms: 2_000,
            mood: Box::new(|_| 0),
            audio: Box::new(|_| true),
            video: Box::new(|_| true),
            answers: VecDeque::new(),
            on_air: true,
            away: None,
            promise: (true, true),
            announces: false,
            refuse: 0,
            append_ms: APPEND_MS,
            opened: Vec::new(),
            seeks: Vec::new(),
            rates: Vec::new(),
            ways: Vec::new(),
            builds: Vec::new(),
            removed_s: 0.0,
            delays: Vec::new(),
            stalls: Vec::new(),
            trace: None,
            due: BTreeMap::new(),
            count: 0,
            connection: None,
            unread: Vec::new(),
            rests_until_ms: 0,
        }
    }

    /// A viewer who has watched for ten seconds.
    pub fn watched(delay: Delay) -> Self {
        let mut world = Self::new(delay);
        world.come(0);
        world.run_for(10_000);
        world
    }

    /// The viewer comes; the encoder has run for a while, and the last key frame is `age_ms` old.
    pub fn come(&mut self, age_ms: i64) {
        self.now_ms = 60_000 * self.gop_ms + age_ms;
        self.engine = Engine::new(self.delay, self.able, 7, self.now_ms);
        self.input(Input::Start);
    }

    pub fn input(&mut self, input: Input) {
        if self.engine.takes_unseen(&input) {
            return;
        }
        let view = self.element.view();
        self.engine.handle(self.now_ms, input, &view);
        self.perform();
    }

    /// The viewer stops the picture.
    pub fn pause(&mut self) {
        self.element.paused = true;
        self.input(Input::Pause);
    }

    /// And goes on.
    pub fn resume(&mut self) {
        self.element.paused = false;
        self.input(Input::Resumed);
    }

    /// Ends the connection's answer.
    pub fn cut(&mut self, clean: bool) {
        if let Some(connection) = self.connection.take() {
            self.input(Input::Closed { connection: connection.id, clean });
        }
    }

    pub fn run_for(&mut self, ms: i64) {
        for _ in 0..ms {
            self.step();
        }
    }

    pub fn connected(&self) -> bool {
        self.connection.is_some()
    }

    pub fn state(&self) -> Option<&PlayerEvent> {
        let state = |event: &&PlayerEvent| {
            !matches!(event, PlayerEvent::Delay { .. } | PlayerEvent::Size { .. } | PlayerEvent::AudioOnly(_))
        };
        self.events.iter().map(|(_, event)| event).rfind(state)
    }

    /// Mean true delay in a span of the run.
    pub fn mean_delay_s(&self, from_ms: i64, to_ms: i64) -> f64 {
        let in_span: Vec<f64> =
            self.delays.iter().filter(|(at, _)| (from_ms..to_ms).contains(at)).map(|(_, delay_s)| *delay_s).collect();
        assert!(!in_span.is_empty(), "nothing was shown from {from_ms} to {to_ms}");
        in_span.iter().sum::<f64>() / in_span.len() as f64
    }

    /// As [`World::run_for`], in steps as long as nothing happens in them: for hours of a trace.
    pub fn run_quickly_for(&mut self, ms: i64) {
        let end_ms = self.now_ms + ms;
        while self.now_ms < end_ms {
            let arrival = self.trace.as_ref().zip(self.connection.as_ref());
            let arrival_ms = arrival.map_or(i64::MAX, |(trace, connection)| trace.frame(connection.frame).at_ms);
            let due_ms = self.due.first_key_value().map_or(i64::MAX, |((at_ms, _), _)| *at_ms);
            let next_ms = arrival_ms.min(due_ms).min(self.now_ms - self.now_ms % 10 + 10);
            self.step_by((next_ms - self.now_ms).max(1));
        }
    }

    fn step(&mut self) {
        self.step_by(1);
    }

    fn step_by(&mut self, ms: i64) {
        self.now_ms += ms;
        self.send();
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= self.now_ms) {
            match entry.remove() {
                Due::Input(input) => {
                    if let Input::Done { source, track } = input
                        && source == self.element.source
                    {
                        self.element.busy.retain(|other| *other != track);
                    }
                    self.input(input);
                }
                Due::Items(id, items) if self.connection.as_ref().is_some_and(|c| c.id == id) => {
                    self.unread.extend(items);
                    if self.now_ms >= self.rests_until_ms {
                        self.read();
                    }
                }
                Due::Items(..) => {}
                Due::Read => self.read(),
            }
        }
        self.play(ms);
        if self.now_ms % 200 < ms {
            self.input(Input::Tick);
        }
    }

    /// Gives the engine what has come, and lets it rest for as long as it likes.
    fn read(&mut self) {
        if self.unread.is_empty() {
            return;
        }
        if !self.engine.wants_data() {
            // Asked again soon, as by the page.
            self.rests_until_ms = self.now_ms + PAUSE_MS;
            return self.later(self.rests_until_ms, Due::Read);
        }
        let (items, view) = (std::mem::take(&mut self.unread), self.element.view());
        self.engine.handle_items(self.now_ms, items, &view);
        self.perform();
        let rest_ms = i64::from(self.engine.rest_ms());
        self.rests_until_ms = self.now_ms + rest_ms;
        if rest_ms > 0 {
            self.later(self.rests_until_ms, Due::Read);
        }
    }

    fn play(&mut self, ms: i64) {
        let element = &mut self.element;
        if let Some(until_ms) = element.seeking_until_ms {
            if self.now_ms < until_ms {
                return;
            }
            element.seeking_until_ms = None;
        }
        if element.paused || element.stands > 0 {
            return;
        }
        let span = element.ranges().at(element.position_s, 0.005);
        let ahead_s = span.map_or(0.0, |span| span.end_s - element.position_s);
        if element.waiting {
            if ahead_s >= RESUME_S {
                element.waiting = false;
                self.input(Input::Playing);
            }
        } else if ahead_s < 0.002 {
            element.waiting = true;
            self.stalls.push(self.now_ms);
            self.input(Input::Waiting);
        } else {
            element.position_s += (0.001 * ms as f64 * element.rate).min(ahead_s);
            if self.now_ms % 100 < ms {
                let at_us = (element.position_s * 1e6) as i64;
                if let Some((start_us, captured_ms)) = element.captured.range(..=at_us).next_back() {
                    let into_ms = (at_us - start_us) as f64 / 1000.0;
                    self.delays.push((self.now_ms, (self.now_ms as f64 - captured_ms - into_ms) / 1000.0));
                }
            }
        }
    }

    /// The server sends what the encoder has made since the last flight.
    /// The publisher goes; the server keeps the connection.
    pub fn publisher_leaves(&mut self) {
        self.away = Some((self.now_ms, i64::MIN));
    }

    /// It comes back, with a key frame, and its media follow what was sent before.
    pub fn publisher_returns(&mut self) {
        let Some((since_ms, _)) = self.away.take() else { return };
        if let Some(connection) = &mut self.connection {
            connection.origin_ms += self.now_ms - since_ms - 20;
            connection.sent_ms = self.now_ms;
        }
    }

    fn later(&mut self, at_ms: i64, due: Due) {
        self.count += 1;
        self.due.insert((at_ms, self.count), due);
    }

    fn perform(&mut self) {
        while let Some(output) = self.engine.poll() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Open { connection, .. } => self.open(connection),
            Output::Abort { .. } => self.connection = None,
            Output::Build { source, tracks, way } => {
                self.ways.push(way);
                self.builds.push((self.now_ms, tracks.len()));
                self.element.source = source;
                self.element.position_s = 0.0;
                self.element.rate = 1.0;
                self.element.waiting = true;
                self.element.paused = true;
                self.element.seeking_until_ms = None;
                self.element.stands = 0;
                self.element.busy.clear();
                self.element.captured.clear();
                if let Some((_, mime)) = tracks.iter().find(|(_, mime)| !(self.able.plays)(mime)) {
                    let mime = mime.clone();
                    return self.later(self.now_ms, Due::Input(Input::NotPlayable { source, mime }));
                }
                self.element.tracks = tracks.into_iter().map(|(track, _)| (track, Vec::new())).collect();
                self.later(self.now_ms + 5, Due::Input(Input::SourceOpen { source }));
            }
            Output::Append { source, track, bytes, offset_s, .. } => self.append(source, track, &bytes, offset_s),
            Output::Configure { source, .. } => assert_eq!(source, self.element.source),
            Output::Decode { source, fragment, offset_s } => {
                assert_eq!((source, self.ways.last()), (self.element.source, Some(&Way::Frames)));
                self.element.take(fragment.track, &fragment.bytes, offset_s);
            }
            Output::Remove { source, track, end_s, .. } => {
                assert!(
                    self.element.paused || end_s < self.element.position_s - 1.0,
                    "removes {end_s} at {}",
                    self.element.position_s
                );
                self.begin(track);
                self.element.remove(track, end_s);
                self.removed_s = end_s;
                self.element.captured = self.element.captured.split_off(&((end_s * 1e6) as i64));
                self.later(self.now_ms + self.append_ms, Due::Input(Input::Done { source, track }));
            }
            Output::Seek { to_s } => {
                let ranges = self.element.ranges();
                assert!(ranges.at(to_s, 0.0).is_some(), "seek to {to_s} outside {ranges:?}");
                self.seeks.push((self.now_ms, to_s));
                self.element.position_s = to_s;
                self.element.stands = self.element.stands.saturating_sub(1);
                self.element.seeking_until_ms = Some(self.now_ms + SEEK_MS);
            }
            Output::Rate(rate) => {
                assert!((RATE_MIN..=RATE_MAX).contains(&rate), "rate {rate}");
                self.rates.push((self.now_ms, rate));
                self.element.rate = rate;
            }
            Output::Play => {
                self.element.paused = false;
                self.later(self.now_ms + 1, Due::Input(Input::PlayGranted));
            }
            Output::Mute => self.element.muted = true,
            Output::Event(event) => self.events.push((self.now_ms, event)),
        }
    }

    fn open(&mut self, id: u32) {
        (self.unread, self.rests_until_ms) = (Vec::new(), self.now_ms);
        self.opened.push(self.now_ms);
        let stream = if self.on_air { Answer::Stream } else { offline() };
        let answer = self.answers.pop_front().unwrap_or(stream);
        if answer == Answer::Stream {
            // The server begins at the newest key frame.
            let key_ms = self.now_ms - self.now_ms % self.gop_ms;
            let frame = self.trace.as_ref().map(|trace| trace.key_before(trace.next_after(self.now_ms)));
            let origin_ms = match (&self.trace, frame) {
                (Some(trace), Some(frame)) => trace.frame(frame).stamp_ms,
                _ => key_ms,
            };
            self.connection = Some(Connection {
                id,
                origin_ms,
                frame: frame.unwrap_or_default(),
                sent_ms: key_ms - 1,
                last_arrival_ms: 0,
                configured: (false, false),
            });
            let (audio, video) = self.promise;
            self.later(self.now_ms + 10, Due::Input(Input::Answered { connection: id, answer }));
            let mut first = vec![Item::Promise { audio, video }];
            if self.announces {
                first.extend([Track::Video, Track::Audio].map(|track| Item::Init(init(track))));
            }
            self.later(self.now_ms + 10, Due::Items(id, first));
            if let Some(connection) = &mut self.connection {
                connection.last_arrival_ms = self.now_ms + 11;
            }
        } else {
            self.later(self.now_ms + 10, Due::Input(Input::Answered { connection: id, answer }));
        }
    }

    fn begin(&mut self, track: Track) {
        assert!(!self.element.busy.contains(&track), "two operations at once");
        self.element.busy.push(track);
    }

    fn append(&mut self, source: u32, track: Track, bytes: &Bytes, offset_s: f64) {
        assert_eq!(source, self.element.source, "an append to a source that is gone");
        self.begin(track);
        if self.refuse > 0 {
            self.refuse -= 1;
            self.element.busy.retain(|other| *other != track);
            self.later(self.now_ms, Due::Input(Input::Full { source, track }));
            return;
        }
        self.element.take(track, bytes, offset_s);
        self.later(self.now_ms + self.append_ms, Due::Input(Input::Done { source, track }));
    }
}

/// The answer of a room that is not on air.
pub fn offline() -> Answer {
    Answer::NotLive { state: "offline".to_owned(), retry_after_ms: None }
}
