//! Frames decoded one by one (WebCodecs) and shown through a track of their own: the lowest delay. The page's `<video>` shows the track
//! (`srcObject`), so that its controls, full screen and picture in picture are as ever; sound goes past it to the sound card
//! ([`sound`]), and is the clock.
//!
//! Reached through [`opening`] alone, so that it can be downloaded when it is needed.

mod js;
mod sound;

use super::dom::{self, Listener};
use crate::{
    intake::{Fragment, Init, Track},
    ranges::Ranges,
    schedule::Schedule,
};
use gloo_timers::callback::Timeout;
use js::{Call, call, close, invoke, let_go, make, number, object, promised, set};
use js_sys::{Array, Uint8Array};
use sound::Sound;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};
use wasm_bindgen::JsValue;
use web_sys::{HtmlVideoElement, Performance};

/// The classes that this way needs.
const CLASSES: [&str; 7] = [
    "VideoDecoder",
    "AudioDecoder",
    "EncodedVideoChunk",
    "EncodedAudioChunk",
    "MediaStreamTrackGenerator",
    "AudioContext",
    "AudioWorkletNode",
];
/// A sound card that has said nothing for so long has been taken away, and another one is asked for.
const SILENT_MS: f64 = 2_000.0;
/// Writes to the track that may be under way: a screen that takes none is waited for.
const WRITES_MAX: u32 = 4;

/// What a screen tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The picture has begun to move.
    Playing,
    /// It has stopped for want of data.
    Waiting,
    /// Something that the ranges tell has changed.
    Came,
    /// It cannot go on.
    Broken,
}

/// Shows the frames of one source. Dropping it takes everything down.
pub trait Screen {
    /// A track's configuration.
    fn configure(&self, init: &Init);
    /// A frame; `offset_s` takes it to the source's timeline.
    fn decode(&self, fragment: &Fragment, offset_s: f64);
    /// Another position.
    fn seek(&self, to_s: f64);
    /// Another speed.
    fn set_rate(&self, rate: f64);
    /// Position in seconds, and what is there from it on.
    fn look(&self) -> (f64, Ranges);
    /// Decoded frames that should have been shown and were not: their time had passed, or the element had not taken those before.
    fn passed_over(&self) -> u32;
}

/// Hears what a screen tells.
pub type Hear = Rc<dyn Fn(Said)>;

/// Opens a screen in the video element, in place of what was there.
pub type Opening = fn(&HtmlVideoElement, Hear) -> Result<Rc<dyn Screen>, JsValue>;

/// Whether this browser has all that the way needs.
pub fn possible() -> bool {
    web_sys::window().is_some_and(|window| CLASSES.iter().all(|class| dom::get(&window, class).is_some()))
}

/// How a screen is opened: the one door to this part of the program.
pub fn opening() -> Opening {
    open
}

fn open(video: &HtmlVideoElement, hear: Hear) -> Result<Rc<dyn Screen>, JsValue> {
    let stage = Stage::open(video, hear)?;
    Ok(Rc::new(Shown(stage)))
}

/// The one strong hold on a stage.
struct Shown(Rc<Stage>);

struct Stage {
    video: HtmlVideoElement,
    clock: Performance,
    hear: Hear,
    schedule: RefCell<Schedule<Coded, JsValue>>,
    decoder: JsValue,
    writer: JsValue,
    track: JsValue,
    writes: Cell<u32>,
    passed_over: Cell<u32>,
    /// The newest configuration, and the one that the decoder has.
    config: RefCell<Option<Rc<JsValue>>>,
    configured: RefCell<Option<Rc<JsValue>>>,
    sound: RefCell<Option<Rc<Sound>>>,
    /// The sound's configuration, and whether there is sound at all.
    sound_init: RefCell<Option<Init>>,
    timer: RefCell<Option<Timeout>>,
    calls: RefCell<Vec<Call>>,
    listeners: RefCell<Vec<Listener>>,
    closed: Cell<bool>,
}

/// What waits for the decoder.
struct Coded {
    keyframe: bool,
    at_us: f64,
    bytes: bytes::Bytes,
    config: Rc<JsValue>,
}

impl Stage {
    fn open(video: &HtmlVideoElement, hear: Hear) -> Result<Rc<Self>, JsValue> {
        let clock = web_sys::window().and_then(|window| window.performance()).ok_or(JsValue::NULL)?;
        let track = make("MediaStreamTrackGenerator", &[&object(&[("kind", &"video".into())])])?;
        let writer = invoke(&dom::get(&track, "writable").ok_or(JsValue::NULL)?, "getWriter", &[])?;
        let mut made = Err(JsValue::NULL);
        let stage = Rc::new_cyclic(|weak: &Weak<Self>| {
            let (given, failed) = (weak.clone(), weak.clone());
            let output = call(move |frame| match given.upgrade().filter(|stage| !stage.closed.get()) {
                Some(stage) => stage.given(frame),
                None => close(&frame),
            });
            let error = call(move |_| {
                if let Some(stage) = failed.upgrade() {
                    stage.say(Said::Broken);
                }
            });
            made = make("VideoDecoder", &[&object(&[("output", output.as_ref()), ("error", error.as_ref())])]);
            Self {
                video: video.clone(),
                clock,
                hear,
                schedule: RefCell::default(),
                decoder: made.clone().unwrap_or(JsValue::NULL),
                writer,
                track,
                writes: Cell::new(0),
                passed_over: Cell::new(0),
                config: RefCell::default(),
                configured: RefCell::default(),
                sound: RefCell::default(),
                sound_init: RefCell::default(),
                timer: RefCell::default(),
                calls: RefCell::new(vec![output, error]),
                listeners: RefCell::default(),
                closed: Cell::new(false),
            }
        });
        made?;
        let stream = make("MediaStream", &[Array::of1(&stage.track).as_ref()])?;
        set(video, "srcObject", &stream);
        let _ = video.remove_attribute("src");
        stage.listen();
        Ok(stage)
    }

    fn listen(self: &Rc<Self>) {
        let on = |name, does: fn(&Rc<Self>)| {
            let weak = Rc::downgrade(self);
            Listener::new(&self.video, name, move || {
                if let Some(stage) = weak.upgrade() {
                    does(&stage);
                }
            })
        };
        let moved = |stage: &Rc<Self>| {
            let paused = stage.video.paused();
            stage.schedule.borrow_mut().set_paused(stage.now_ms(), paused);
            stage.follow_volume();
            if let Some(sound) = &*stage.sound.borrow() {
                sound.set_paused(paused);
            }
            stage.turn();
        };
        let listeners = vec![on("pause", moved), on("play", moved), on("volumechange", Self::follow_volume)];
        self.listeners.replace(listeners);
    }

    fn now_ms(&self) -> f64 {
        self.clock.now()
    }

    fn say(&self, said: Said) {
        if !self.closed.get() {
            (self.hear)(said);
        }
    }

    /// Sound is made once it may be heard, for a browser that has not been touched refuses it, and says so on the console.
    fn follow_volume(self: &Rc<Self>) {
        let wanted = !self.video.muted() && !self.video.paused();
        let wanted = wanted && self.sound.borrow().is_none();
        let init = if wanted { self.sound_init.borrow().clone() } else { None };
        if let Some(init) = init {
            match Sound::open(self, &init) {
                Some(sound) => drop(self.sound.replace(Some(sound))),
                // MediaSource may play what this way cannot.
                None => return self.say(Said::Broken),
            }
        }
        if let Some(sound) = &*self.sound.borrow() {
            sound.wake();
            sound.set_volume(if self.video.muted() { 0.0 } else { self.video.volume() });
        }
    }

    /// The sound card says where it is.
    fn heard(self: &Rc<Self>, at_s: f64, moving: bool, lag_s: f64) {
        self.schedule.borrow_mut().heard(self.now_ms(), at_s, moving, lag_s);
        self.turn();
    }

    /// Lets go of the sound card: the picture goes on by the wall's clock.
    fn silent(self: &Rc<Self>) {
        self.sound.replace(None);
        self.schedule.borrow_mut().sound_is_off(self.now_ms());
    }

    /// The decoder has given a frame.
    fn given(self: &Rc<Self>, frame: JsValue) {
        let at_s = number(&frame, "timestamp").unwrap_or(0.0) / 1e6;
        self.schedule.borrow_mut().decoded(self.now_ms(), at_s, frame);
        self.turn();
    }

    /// Shows what is due, decodes what there is room for, and comes again when the next is due.
    fn turn(self: &Rc<Self>) {
        if self.closed.get() {
            return;
        }
        let turn = self.schedule.borrow_mut().turn(self.now_ms());
        self.passed_over.set(self.passed_over.get() + turn.missed);
        for frame in turn.late {
            close(&frame);
        }
        if let Some(frame) = turn.show {
            self.show(&frame);
        }
        self.pump();
        if turn.useless {
            return self.say(Said::Broken);
        }
        if self.schedule.borrow().heard_ms().is_some_and(|heard_ms| self.now_ms() - heard_ms > SILENT_MS) {
            self.silent();
            self.follow_volume();
        }
        match turn.runs {
            Some(true) => self.say(Said::Playing),
            Some(false) => self.say(Said::Waiting),
            None => {}
        }
        let weak = Rc::downgrade(self);
        let timer = turn.next_ms.map(|ms| {
            Timeout::new(ms.min(1_000.0) as u32, move || {
                if let Some(stage) = weak.upgrade() {
                    stage.turn();
                }
            })
        });
        self.timer.replace(timer);
    }

    fn show(self: &Rc<Self>, frame: &JsValue) {
        if self.writes.get() >= WRITES_MAX {
            self.passed_over.set(self.passed_over.get() + 1);
            return close(frame);
        }
        // The track closes the frame. A write that fails belongs to a track that has ended.
        let Ok(written) = invoke(&self.writer, "write", &[frame]) else { return };
        self.writes.set(self.writes.get() + 1);
        let weak = Rc::downgrade(self);
        super::spawn(async move {
            let _ = promised(&written).await;
            if let Some(stage) = weak.upgrade() {
                stage.writes.set(stage.writes.get() - 1);
            }
        });
    }

    fn pump(&self) {
        loop {
            let next = self.schedule.borrow_mut().to_decode(self.now_ms());
            let Some(frame) = next else { return };
            if self.give(&frame).is_err() {
                return self.say(Said::Broken);
            }
        }
    }

    fn give(&self, frame: &Coded) -> js::Answer {
        let same = self.configured.borrow().as_ref().is_some_and(|config| Rc::ptr_eq(config, &frame.config));
        if !same {
            invoke(&self.decoder, "configure", &[&frame.config])?;
            self.configured.replace(Some(Rc::clone(&frame.config)));
        }
        let chunk = chunk("EncodedVideoChunk", frame.keyframe, frame.at_us, &frame.bytes)?;
        invoke(&self.decoder, "decode", &[&chunk])
    }
}

/// A coded frame as decoders take it.
fn chunk(class: &str, keyframe: bool, at_us: f64, bytes: &[u8]) -> js::Answer {
    let kind = if keyframe { "key" } else { "delta" };
    let data = Uint8Array::from(bytes);
    make(class, &[&object(&[("type", &kind.into()), ("timestamp", &at_us.into()), ("data", &data)])])
}

/// Codecs of sound whose decoders want nothing that MP4 has in another form.
const SOUNDS: [&str; 3] = ["mp4a", "opus", "mp3"];

/// Codecs whose decoders want the configuration record; the frames of the others say everything.
const RECORDED: [&str; 4] = ["avc", "hvc", "hev", "mp4a"];

fn is_of(init: &Init, codecs: &[&str]) -> bool {
    codecs.iter().any(|name| init.codec().starts_with(name))
}

fn config_of(init: &Init) -> JsValue {
    let config = object(&[("codec", &init.codec().into())]);
    if is_of(init, &RECORDED) {
        set(&config, "description", &Uint8Array::from(&*init.record));
    }
    config
}

impl Screen for Shown {
    fn configure(&self, init: &Init) {
        let stage = &self.0;
        match init.track {
            Track::Video => {
                let config = config_of(init);
                set(&config, "optimizeForLatency", &JsValue::TRUE);
                stage.config.replace(Some(Rc::new(config)));
            }
            Track::Audio => {
                if !is_of(init, &SOUNDS) {
                    return stage.say(Said::Broken);
                }
                let sound = stage.sound.borrow().clone();
                if sound.is_some_and(|sound| !sound.configure(init)) {
                    stage.silent();
                }
                stage.sound_init.replace(Some(init.clone()));
                stage.follow_volume();
            }
        }
    }

    fn decode(&self, fragment: &Fragment, offset_s: f64) {
        let stage = &self.0;
        let Some(bytes) = fragment.frame() else { return };
        let at_s = offset_s + fragment.start_ms as f64 / 1000.0;
        let at_us = (at_s * 1e6).round();
        let duration_s = fragment.duration_ms as f64 / 1000.0;
        match fragment.track {
            Track::Video => {
                let Some(config) = stage.config.borrow().clone() else { return };
                let length = bytes.len();
                let frame = Coded { keyframe: fragment.keyframe, at_us, bytes, config };
                stage.schedule.borrow_mut().came(at_s, duration_s, fragment.keyframe, length, frame);
                stage.turn();
            }
            Track::Audio => {
                let sound = stage.sound.borrow().clone();
                if let Some(sound) = sound.filter(|sound| sound.is_ready()) {
                    stage.schedule.borrow_mut().sound_came(at_s, duration_s);
                    if !sound.decode(at_us, &bytes) {
                        stage.say(Said::Broken);
                    }
                }
            }
        }
        stage.say(Said::Came);
    }

    fn seek(&self, to_s: f64) {
        let stage = &self.0;
        stage.schedule.borrow_mut().seek(stage.now_ms(), to_s);
        if let Some(sound) = &*stage.sound.borrow() {
            sound.seek(to_s);
        }
        stage.turn();
    }

    fn set_rate(&self, rate: f64) {
        let stage = &self.0;
        stage.schedule.borrow_mut().set_rate(stage.now_ms(), rate);
        if let Some(sound) = &*stage.sound.borrow() {
            sound.set_rate(rate);
        }
    }

    fn passed_over(&self) -> u32 {
        self.0.passed_over.get()
    }

    fn look(&self) -> (f64, Ranges) {
        let schedule = self.0.schedule.borrow();
        let now_ms = self.0.now_ms();
        (schedule.position_s(now_ms), schedule.ranges(now_ms))
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let stage = &self.0;
        stage.closed.set(true);
        stage.timer.replace(None);
        stage.listeners.take();
        stage.sound.take();
        close(&stage.decoder);
        for frame in stage.schedule.take().into_frames() {
            close(&frame);
        }
        let _ = invoke(&stage.track, "stop", &[]);
        set(&stage.video, "srcObject", &JsValue::NULL);
        let_go(stage.calls.take());
    }
}
