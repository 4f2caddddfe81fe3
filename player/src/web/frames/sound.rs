//! The sound of frames that are shown one by one: decoded here, played by a worklet (`public/sound.js`) with little ahead, and the
//! clock of the picture.

use super::{
    Said, Stage, chunk, config_of,
    js::{Call, call, close, forget, invoke, is, let_go, make, number, object, promised, set},
};
use crate::{intake::Init, web::dom};
use js_sys::{Array, Float32Array};
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};
use wasm_bindgen::JsValue;

/// Where the worklet's program is. The number goes up when what is said between the two changes: browsers keep the old one for an hour.
const PROGRAM: &str = "/sound.js?1";
/// Its name there.
const PROCESSOR: &str = "madang-sound";
/// What the worklet says so soon after a seek may have been said before it.
const ECHO_MS: f64 = 60.0;
/// No sound card is heard later than this: what says more is wrong.
const LAG_MAX_S: f64 = 0.3;

/// A decoder, a sound card, and what lies between.
pub(super) struct Sound {
    stage: Weak<Stage>,
    context: JsValue,
    gain: JsValue,
    decoder: JsValue,
    /// The worklet's; `None` until it runs.
    port: RefCell<Option<JsValue>>,
    rate_hz: f64,
    channels: u8,
    /// Sound has been sent: the worklet says where it is.
    begun: Cell<bool>,
    sought_ms: Cell<f64>,
    calls: RefCell<Vec<Call>>,
}

impl Sound {
    /// `None` where this sound cannot be decoded or played. It is heard some time later, once the worklet runs.
    pub fn open(stage: &Rc<Stage>, init: &Init) -> Option<Rc<Self>> {
        let (rate_hz, channels) = init.sound?;
        let options = object(&[("latencyHint", &"interactive".into()), ("sampleRate", &rate_hz.into())]);
        let context = make("AudioContext", &[&options]).ok()?;
        let gain = invoke(&context, "createGain", &[]).ok()?;
        let end = dom::get(&context, "destination")?;
        invoke(&gain, "connect", &[&end]).ok()?;
        let mut made = Err(JsValue::NULL);
        let sound = Rc::new_cyclic(|weak: &Weak<Self>| {
            let (given, failed) = (weak.clone(), weak.clone());
            let output = call(move |data| {
                if let Some(sound) = given.upgrade() {
                    sound.given(&data);
                }
                close(&data);
            });
            let error = call(move |_| {
                if let Some(stage) = failed.upgrade().and_then(|sound| sound.stage.upgrade()) {
                    stage.say(Said::Broken);
                }
            });
            made = make("AudioDecoder", &[&object(&[("output", output.as_ref()), ("error", error.as_ref())])]);
            Self {
                stage: Rc::downgrade(stage),
                context,
                gain,
                decoder: made.clone().unwrap_or(JsValue::NULL),
                port: RefCell::default(),
                rate_hz: f64::from(rate_hz),
                channels,
                begun: Cell::new(false),
                sought_ms: Cell::new(0.0),
                calls: RefCell::new(vec![output, error]),
            }
        });
        made.ok()?;
        sound.configure(init).then_some(())?;
        let (starting, failed) = (Rc::downgrade(&sound), Rc::downgrade(stage));
        let context = sound.context.clone();
        crate::web::spawn(async move {
            let started = start(&starting, &context, channels).await;
            if started.is_err()
                && starting.strong_count() > 0
                && let Some(stage) = failed.upgrade()
            {
                stage.say(Said::Broken);
            }
        });
        Some(sound)
    }

    /// Whether what is decoded is heard.
    pub fn is_ready(&self) -> bool {
        self.port.borrow().is_some()
    }

    /// Asks a sound card that rests to go on: it may have wanted a gesture.
    pub fn wake(&self) {
        if dom::get(&self.context, "state").is_some_and(|state| state != "running")
            && let Ok(resumed) = invoke(&self.context, "resume", &[])
        {
            forget(&resumed);
        }
    }

    /// False where it cannot be decoded, or is another rate or number of channels: a sound card has one of each.
    pub fn configure(&self, init: &Init) -> bool {
        let same = |(rate_hz, channels): &(u32, u8)| f64::from(*rate_hz) == self.rate_hz && *channels == self.channels;
        let Some((rate_hz, channels)) = init.sound.filter(same) else { return false };
        let config = config_of(init);
        set(&config, "sampleRate", &rate_hz.into());
        set(&config, "numberOfChannels", &channels.into());
        invoke(&self.decoder, "configure", &[&config]).is_ok()
    }

    /// False when the decoder does not take it.
    pub fn decode(&self, at_us: f64, bytes: &[u8]) -> bool {
        chunk("EncodedAudioChunk", true, at_us, bytes)
            .and_then(|chunk| invoke(&self.decoder, "decode", &[&chunk]))
            .is_ok()
    }

    pub fn set_paused(&self, paused: bool) {
        self.post(&[("play", &(!paused).into())]);
    }

    pub fn set_rate(&self, rate: f64) {
        self.post(&[("rate", &rate.into())]);
    }

    pub fn seek(&self, to_s: f64) {
        if let Some(stage) = self.stage.upgrade() {
            self.sought_ms.set(stage.now_ms());
        }
        self.post(&[("seek", &to_s.into())]);
    }

    /// From 0 to 1.
    pub fn set_volume(&self, volume: f64) {
        if let Some(gain) = dom::get(&self.gain, "gain") {
            set(&gain, "value", &volume.into());
        }
    }

    fn post(&self, message: &[(&str, &JsValue)]) {
        if let Some(port) = &*self.port.borrow() {
            let _ = invoke(port, "postMessage", &[&object(message)]);
        }
    }

    /// Decoded sound, on to the worklet.
    fn given(&self, data: &JsValue) {
        if !self.begun.replace(true)
            && let Some(stage) = self.stage.upgrade()
        {
            // To where the picture is by now.
            self.seek(stage.schedule.borrow().position_s(stage.now_ms()));
        }
        let port = self.port.borrow();
        let (Some(port), Some(channels), Some(frames), Some(at_us)) =
            (&*port, number(data, "numberOfChannels"), number(data, "numberOfFrames"), number(data, "timestamp"))
        else {
            return;
        };
        if number(data, "sampleRate") != Some(self.rate_hz) {
            // Its configuration says less than what is in it.
            if let Some(stage) = self.stage.upgrade() {
                stage.say(Said::Broken);
            }
            return;
        }
        let (planes, buffers) = (Array::new(), Array::new());
        for channel in 0..channels as u32 {
            let plane = Float32Array::new_with_length(frames as u32);
            let options = object(&[("planeIndex", &channel.into()), ("format", &"f32-planar".into())]);
            if invoke(data, "copyTo", &[&plane, &options]).is_err() {
                return;
            }
            planes.push(&plane);
            buffers.push(&plane.buffer());
        }
        let message = object(&[("at", &(at_us / 1e6).into()), ("planes", &planes)]);
        let _ = invoke(port, "postMessage", &[&message, &buffers]);
    }

    /// The worklet says where it is.
    fn told(&self, event: &JsValue) {
        let Some(stage) = self.stage.upgrade() else { return };
        if !self.begun.get() || stage.now_ms() - self.sought_ms.get() < ECHO_MS {
            return;
        }
        let Some(data) = dom::get(event, "data") else { return };
        let (Some(at_s), Some(read_s), Some(now_s)) =
            (number(&data, "at"), number(&data, "time"), number(&self.context, "currentTime"))
        else {
            return;
        };
        let moving = is(&data, "playing");
        let rate = stage.schedule.borrow().rate();
        let since_s = if moving { (now_s - read_s).clamp(0.0, 0.2) * rate } else { 0.0 };
        stage.heard(at_s + since_s, moving, self.lag_s(&stage, now_s));
    }

    /// How much later than it is read sound is heard.
    fn lag_s(&self, stage: &Stage, now_s: f64) -> f64 {
        let Ok(stamp) = invoke(&self.context, "getOutputTimestamp", &[]) else { return 0.0 };
        match (number(&stamp, "contextTime"), number(&stamp, "performanceTime")) {
            (Some(heard_s), Some(at_ms)) if at_ms > 0.0 => {
                (now_s - heard_s - (stage.now_ms() - at_ms) / 1000.0).clamp(0.0, LAG_MAX_S)
            }
            _ => 0.0,
        }
    }
}

/// Loads the worklet and sets it going where the picture is.
async fn start(sound: &Weak<Sound>, context: &JsValue, channels: u8) -> Result<(), JsValue> {
    // Looked at from now on: it fails when the sound card is given up meanwhile.
    let resumed = promised(&invoke(context, "resume", &[])?);
    let worklet = dom::get(context, "audioWorklet").ok_or(JsValue::NULL)?;
    promised(&invoke(&worklet, "addModule", &[&PROGRAM.into()])?).await?;
    // Waits for the viewer's gesture where the browser wants one.
    resumed.await?;
    let Some(sound) = sound.upgrade() else { return Ok(()) };
    let Some(stage) = sound.stage.upgrade() else { return Ok(()) };
    let options =
        object(&[("numberOfInputs", &0.into()), ("outputChannelCount", &Array::of1(&channels.clamp(1, 8).into()))]);
    let node = make("AudioWorkletNode", &[context, &PROCESSOR.into(), &options])?;
    invoke(&node, "connect", &[&sound.gain])?;
    let port = dom::get(&node, "port").ok_or(JsValue::NULL)?;
    let weak = Rc::downgrade(&sound);
    let told: Call = call(move |event| {
        if let Some(sound) = weak.upgrade() {
            sound.told(&event);
        }
    });
    set(&port, "onmessage", told.as_ref());
    sound.calls.borrow_mut().push(told);
    sound.port.replace(Some(port));
    sound.set_rate(stage.schedule.borrow().rate());
    sound.set_paused(stage.video.paused());
    Ok(())
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.post(&[("end", &JsValue::TRUE)]);
        if let Some(port) = self.port.take() {
            set(&port, "onmessage", &JsValue::NULL);
        }
        close(&self.decoder);
        close(&self.context);
        let_go(self.calls.take());
    }
}
