//! Whatever happens, in whatever order: the commands keep the rules that browsers punish.

use super::{
    Abilities, Answer, Engine, Input, Output, View,
    sim::{ABLE, ALL, init},
};
use crate::{
    Delay,
    intake::{Fragment, Item, Track},
    ranges::{Ranges, Span},
};
use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeSet;

/// A browser that takes commands, and remembers what is under way.
struct Browser {
    engine: Engine,
    now_ms: i64,
    view: View,
    connection: u32,
    source: u32,
    open: bool,
    busy: BTreeSet<bool>,
    stamp_ms: i64,
    /// When the rate last left 1, and what it is.
    left_one_ms: i64,
    rate: f64,
}

impl Browser {
    fn input(&mut self, input: Input) {
        self.engine.handle(self.now_ms, input, &self.view);
        self.obey();
    }

    fn items(&mut self, items: Vec<Item>) {
        self.engine.handle_items(self.now_ms, items, &self.view);
        self.obey();
    }

    fn obey(&mut self) {
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Open { connection, .. } => {
                    assert!(connection > self.connection, "a connection's number is used once");
                    self.connection = connection;
                }
                Output::Build { source, ref tracks, .. } => {
                    assert!(source > self.source && !tracks.is_empty(), "{tracks:?}");
                    (self.source, self.open, self.busy) = (source, false, BTreeSet::new());
                    self.rate = 1.0;
                }
                Output::Append { source, track, .. } | Output::Remove { source, track, .. } => {
                    assert!(source == self.source && self.open, "to a source that is not there");
                    assert!(self.busy.insert(track == Track::Video), "two operations at once");
                }
                Output::Seek { to_s } => {
                    let inside = |span: &Span| (span.start_s - 0.001..=span.end_s + 0.001).contains(&to_s);
                    assert!(self.view.ranges.0.iter().any(inside), "{to_s} in {:?}", self.view.ranges);
                }
                Output::Rate(rate) => {
                    assert!((0.95..=1.08).contains(&rate), "{rate}");
                    if self.rate == 1.0 && rate != 1.0 {
                        let since_ms = self.now_ms - self.left_one_ms;
                        assert!(since_ms >= 10_000, "the rate left 1 twice within {since_ms} ms");
                        self.left_one_ms = self.now_ms;
                    }
                    self.rate = rate;
                }
                _ => {}
            }
        }
    }

    fn fragment(&mut self, track: Track, keyframe: bool) -> Item {
        let start_ms = self.stamp_ms;
        let keyframe = keyframe || track == Track::Audio;
        Item::Fragment(Fragment { track, bytes: Bytes::from_static(&[0; 24]), start_ms, duration_ms: 33, keyframe })
    }

    /// One thing that happens; `a` and `b` are what it needs of numbers.
    fn happens(&mut self, what: u8, a: i64, b: i64) {
        let (connection, source) = (self.connection, self.source);
        let track = if b % 2 == 0 { Track::Video } else { Track::Audio };
        match what {
            0 => self.now_ms += a * 4,
            1 => self.input(Input::Restart),
            2 => self.input(Input::Answered { connection, answer: Answer::Stream }),
            3 => self.input(Input::Answered { connection, answer: Answer::Refused { retry_after_ms: Some(a) } }),
            4 => self.input(Input::Closed { connection, clean: b % 2 == 0 }),
            5 => {
                let other = connection.wrapping_sub(1);
                self.input(Input::Bytes { connection: other, bytes: Bytes::from_static(b"late") });
            }
            6 => self.items(vec![Item::Promise { audio: a % 2 == 0, video: b % 2 == 0 }]),
            7 => self.items(vec![Item::Init(init(track))]),
            8 => {
                let mut other = init(track);
                other.mime.push_str("; another");
                self.items(vec![Item::Init(other)]);
            }
            9..=13 => {
                self.stamp_ms += 33;
                self.now_ms += 33;
                let items = vec![self.fragment(Track::Video, a % 3 == 0), self.fragment(Track::Audio, true)];
                self.items(items);
            }
            14 => {
                self.stamp_ms += b;
                let item = self.fragment(track, a % 2 == 0);
                self.items(vec![item]);
            }
            15 => {
                self.open = source > 0;
                self.input(Input::SourceOpen { source });
            }
            16 | 17 => {
                if self.busy.remove(&(track == Track::Video)) {
                    let done = Input::Done { source, track };
                    if !self.engine.takes_unseen(&done) {
                        self.input(done);
                    }
                }
            }
            18 if self.busy.remove(&(track == Track::Video)) => self.input(Input::Full { source, track }),
            18 => self.input(Input::Broken { source: source.wrapping_sub(1) }),
            19 => self.input(Input::Broken { source }),
            20 => {
                // The element has something, and is somewhere.
                let start_s = a as f64 / 1000.0;
                let end_s = start_s + (b.rem_euclid(9_000)) as f64 / 1000.0;
                self.view.ranges =
                    Ranges(vec![Span { start_s, end_s }, Span { start_s: end_s + 0.2, end_s: end_s + 1.0 }]);
                self.view.position_s = (b as f64 / 1000.0).max(0.0);
                self.view.paused = a % 7 == 0;
                self.input(Input::Tick);
            }
            21 => self.input(if b % 2 == 0 { Input::Waiting } else { Input::Playing }),
            22 => self.input(Input::Rewind { by_s: b as f64 / 100.0 }),
            23 => self.input(Input::SetDelay(ALL[a as usize % 3])),
            24 => self.input(if b % 2 == 0 { Input::GoLive } else { Input::Offered }),
            25 => self.input(Input::Visible(b % 2 == 0)),
            26 => self.input(if b % 2 == 0 { Input::Online } else { Input::Offline }),
            27 => self.input(Input::Streaming(b % 2 == 0)),
            28 => self.items(vec![Item::Away { left_s: a as u32 }]),
            29 => self.items(vec![Item::Clock { at_ms: self.stamp_ms - a, unix_ms: b }]),
            30 => self.items(vec![Item::Unsupported { track, codec: "vp6".to_owned() }]),
            31 => {
                let inputs = [
                    Input::Pause,
                    Input::Paused,
                    Input::Resumed,
                    Input::Halted,
                    Input::PlayRefused,
                    Input::PlayGranted,
                ];
                self.input(inputs[a as usize % inputs.len()].clone());
            }
            32 => (self.view.seeking, self.view.muted) = (a % 2 == 0, b % 2 == 0),
            33 => self.engine.set_server_time(self.now_ms, self.now_ms + a / 100 * b),
            _ => self.input(Input::NotPlayable { source, mime: init(track).mime }),
        }
    }
}

impl Browser {
    fn new(change_type: bool) -> Self {
        let mut browser = Self {
            engine: Engine::new(Delay::Balanced, Abilities { change_type, ..ABLE }, 7, 0),
            now_ms: 0,
            view: View::default(),
            connection: 0,
            source: 0,
            open: false,
            busy: BTreeSet::new(),
            stamp_ms: 0,
            left_one_ms: -1_000_000,
            rate: 1.0,
        };
        browser.input(Input::Start);
        browser.happens(2, 0, 0);
        browser
    }

    /// These things, one millisecond apart.
    fn run(&mut self, happenings: impl IntoIterator<Item = (u8, i64, i64)>) {
        for (what, a, b) in happenings {
            self.now_ms += 1;
            self.happens(what, a, b);
        }
    }
}

/// Once in a million of the runs below: a new media source sets the rate back to 1, and the next hurry must wait as after any other.
#[test]
fn after_a_new_media_source_the_rate_rests() {
    let mut browser = Browser::new(false);
    // A media source of sound, and an element that plays it.
    browser.run([(6, 0, 1), (7, 0, 1), (9, 0, 0), (7, 0, 0), (20, 601, 581), (15, 0, 0)]);
    // It has little ahead, and slows down.
    browser.run([(20, 36, 16)]);
    assert!(browser.rate < 1.0, "{}", browser.rate);
    // Another connection, another media source, and again little ahead: the rules are asked by `obey`.
    browser.run([(1, 0, 0), (9, 1998, 0), (15, 0, 0)]);
    assert_eq!(browser.rate, 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn whatever_happens_no_rule_is_broken(
        change_type: bool,
        happenings in vec((0_u8..35, 0_i64..4_000, -3_000_i64..30_000), 1..250),
    ) {
        Browser::new(change_type).run(happenings);
    }
}
