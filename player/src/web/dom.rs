//! The video element: reading it, listening to it, and keeping its last picture in view.

use crate::{
    engine::View,
    ranges::{Ranges, Span},
};
use js_sys::Reflect;
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{CanvasRenderingContext2d, EventTarget, HtmlCanvasElement, HtmlVideoElement};

/// Widest picture that is held: enough for a moment, quick to draw.
const HELD_WIDTH: u32 = 960;
/// `HTMLMediaElement.HAVE_CURRENT_DATA`.
const HAVE_CURRENT_DATA: u16 = 2;

/// An event listener that is removed when dropped.
pub(super) struct Listener {
    target: EventTarget,
    name: &'static str,
    call: Closure<dyn Fn()>,
}

impl Listener {
    pub fn new(target: &EventTarget, name: &'static str, call: impl Fn() + 'static) -> Self {
        let call = Closure::<dyn Fn()>::new(call);
        // Fails only for a callback that is no function.
        let _ = target.add_event_listener_with_callback(name, call.as_ref().unchecked_ref());
        Self { target: target.clone(), name, call }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.name, self.call.as_ref().unchecked_ref());
    }
}

/// A property that not every browser has.
pub(super) fn get(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &JsValue::from_str(name)).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// Whether the instances of a class of the window have this member.
pub(super) fn has(window: &web_sys::Window, class: &str, member: &str) -> bool {
    let prototype = get(window, class).and_then(|class| get(&class, "prototype"));
    prototype.is_some_and(|prototype| {
        prototype.is_object() && Reflect::has(&prototype, &JsValue::from_str(member)).unwrap_or(false)
    })
}

/// Whether nobody has clicked, tapped or typed in the page yet; false where the browser does not say.
pub(super) fn is_untouched(window: &web_sys::Window) -> bool {
    let activation = get(&window.navigator(), "userActivation");
    activation.and_then(|activation| get(&activation, "hasBeenActive")).is_some_and(|active| active == JsValue::FALSE)
}

/// Sets what live playback needs. ManagedMediaSource opens only where remote playback is off.
pub(super) fn prepare(video: &HtmlVideoElement, managed: bool) {
    let _ = video.set_attribute("playsinline", "");
    let _ = Reflect::set(video, &JsValue::from_str("preservesPitch"), &JsValue::TRUE);
    if managed {
        let _ = Reflect::set(video, &JsValue::from_str("disableRemotePlayback"), &JsValue::TRUE);
    }
}

/// Takes the source out, so that the element holds nothing of it.
pub(super) fn empty(video: &HtmlVideoElement) {
    let _ = video.remove_attribute("src");
    video.load();
}

/// The element as the engine sees it.
pub(super) fn view(video: &HtmlVideoElement) -> View {
    let buffered = video.buffered();
    let span = |index| Some(Span { start_s: buffered.start(index).ok()?, end_s: buffered.end(index).ok()? });
    View {
        position_s: video.current_time(),
        ranges: Ranges((0..buffered.length()).filter_map(span).collect()),
        paused: video.paused(),
        seeking: video.seeking(),
        muted: video.muted(),
    }
}

/// Keeps the last picture in view while the element is given another source, which would show black: on a canvas over it, which is
/// there at once.
#[derive(Default)]
pub(super) struct Picture {
    canvas: RefCell<Option<HtmlCanvasElement>>,
}

impl Picture {
    /// Takes the picture now shown, if there is one.
    pub fn hold(&self, video: &HtmlVideoElement, window: &web_sys::Window) {
        if let Some(canvas) = capture(video, window) {
            self.release();
            // Without a place in the page there is nothing to cover.
            let _ = video.after_with_node_1(&canvas);
            self.canvas.replace(Some(canvas));
        }
    }

    /// Shows the element itself again.
    pub fn release(&self) {
        if let Some(canvas) = self.canvas.take() {
            canvas.remove();
        }
    }
}

/// A canvas with the picture on it, at most [`HELD_WIDTH`] pixels wide.
pub(super) fn capture(video: &HtmlVideoElement, window: &web_sys::Window) -> Option<HtmlCanvasElement> {
    let (width, height) = (video.video_width(), video.video_height());
    if width == 0 || height == 0 || video.ready_state() < HAVE_CURRENT_DATA {
        return None;
    }
    let canvas: HtmlCanvasElement = window.document()?.create_element("canvas").ok()?.dyn_into().ok()?;
    canvas.set_class_name("player-held");
    let held_width = width.min(HELD_WIDTH);
    let held_height = (u64::from(height) * u64::from(held_width) / u64::from(width)).clamp(1, 8192) as u32;
    canvas.set_width(held_width);
    canvas.set_height(held_height);
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    let (width, height) = (f64::from(held_width), f64::from(held_height));
    context.draw_image_with_html_video_element_and_dw_and_dh(video, 0.0, 0.0, width, height).ok()?;
    Some(canvas)
}

/// Span over which frames per second are counted.
const FPS_MS: f64 = 1_000.0;

/// Frame counts, to make frames per second from.
#[derive(Clone, Copy, Default)]
pub(super) struct Frames {
    at_ms: f64,
    pub total: u32,
    pub dropped: u32,
    pub fps: f64,
}

impl Frames {
    /// What they are now, where a second has passed.
    pub fn counted(self, video: &HtmlVideoElement, at_ms: f64) -> Self {
        let passed_ms = at_ms - self.at_ms;
        if passed_ms < FPS_MS {
            return self;
        }
        let quality = video.get_video_playback_quality();
        let (total, dropped) = (quality.total_video_frames(), quality.dropped_video_frames());
        let shown = total.saturating_sub(dropped).saturating_sub(self.total.saturating_sub(self.dropped));
        let fps = if self.at_ms > 0.0 { f64::from(shown) * 1000.0 / passed_ms } else { 0.0 };
        Self { at_ms, total, dropped, fps }
    }
}
