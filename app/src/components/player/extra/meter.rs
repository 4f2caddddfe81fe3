//! The cover of a stream of sound, with a meter of how loud it is.
//!
//! The meter listens to a copy of the sound (`captureStream`), where browsers give one: taking the sound itself out of the element
//! would leave it silent wherever the browser holds the audio graph back. Elsewhere, and where people want less motion, the cover
//! stands by itself.

use super::super::{deck::Deck, scene::Scene};
use crate::{
    components::avatar::Avatar,
    feature::{call, get, method},
    piece::Piece,
    reactive::{effect, memo},
};
use js_sys::{Array, Function, Reflect, Uint8Array};
use leptos::{html, prelude::*};
use madang_view::view;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

/// How often the meter moves; CSS moves it on between.
const EVERY: Duration = Duration::from_millis(100);
/// Samples that are looked at each time, about 20 ms.
const SAMPLES: u32 = 1_024;

/// Who and what is heard, while there is no picture.
pub fn cover(deck: Deck) -> Piece {
    let heard = memo(move || deck.sound_only.get() && deck.scene.get() == Scene::Playing);
    let meter = NodeRef::<html::Span>::new();
    effect(move || {
        if heard.get()
            && let Some(graph) = meter.get().and_then(|meter| Graph::new(deck, meter.into()))
        {
            let graph = StoredValue::new_local(Some(graph));
            let show = move || {
                let _ = graph.try_with_value(|graph| graph.as_ref().map(Graph::show));
            };
            if let Ok(timer) = set_interval_with_handle(show, EVERY) {
                on_cleanup(move || timer.clear());
            }
            // Made while the browser held sound back, it hears nothing until it is asked again, once sound is on.
            effect(move || {
                if !deck.muted.get() && !deck.paused.get() {
                    let _ = graph.try_with_value(|graph| graph.as_ref().map(Graph::wake));
                }
            });
            on_cleanup(move || drop(graph.try_update_value(Option::take)));
        }
    });
    let shown = move || {
        heard.get().then(|| {
            let owner = deck.owner.get_untracked();
            view! {
                <div class="player-cover">
                    <Avatar name=owner.clone() large=true />
                    <p class="title">{move || deck.title.get()}</p>
                    <p class="by">{owner}</p>
                    <span class="player-level" aria-hidden="true" node_ref=meter></span>
                </div>
            }
        })
    };
    view! { {shown} }
}

/// Ears on the player's sound. Dropping it takes them off.
struct Graph {
    context: JsValue,
    analyser: JsValue,
    samples: Uint8Array,
    meter: HtmlElement,
}

impl Graph {
    /// `None` where the browser has no copy of the sound to give, or people want less motion.
    fn new(deck: Deck, meter: HtmlElement) -> Option<Self> {
        let still = window().match_media("(prefers-reduced-motion: reduce)").ok().flatten();
        if still.is_some_and(|query| query.matches()) {
            return None;
        }
        let video: JsValue = deck.video.get_untracked()?.into();
        let stream = method(&video, "captureStream")?.call0(&video).ok()?;
        let class: Function = get(&window(), "AudioContext")?.dyn_into().ok()?;
        let context = Reflect::construct(&class, &Array::new()).ok()?;
        let make = |name: &str| method(&context, name).and_then(|make| make.call1(&context, &stream).ok());
        let parts = make("createMediaStreamSource").zip(make("createAnalyser"));
        let Some((source, analyser)) = parts else {
            call(&context, "close");
            return None;
        };
        let _ = Reflect::set(&analyser, &"fftSize".into(), &SAMPLES.into());
        let _ = method(&source, "connect")?.call1(&source, &analyser);
        Some(Self { context, analyser, samples: Uint8Array::new_with_length(SAMPLES), meter })
    }

    /// Begins to hear, where the browser held that back. Does nothing where it hears already.
    fn wake(&self) {
        call(&self.context, "resume");
    }

    /// Says to CSS how loud it is, from 0 to 100.
    fn show(&self) {
        if let Some(read) = method(&self.analyser, "getByteTimeDomainData") {
            let _ = read.call1(&self.analyser, &self.samples);
        }
        // 128 is silence.
        let loudest = self.samples.to_vec().into_iter().map(|sample| sample.abs_diff(128)).max().unwrap_or(0);
        let level = u32::from(loudest) * 100 / 128;
        let _ = HtmlElement::style(&self.meter).set_property("--level", &level.to_string());
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        call(&self.context, "close");
    }
}
