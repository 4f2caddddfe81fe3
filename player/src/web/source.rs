//! MediaSource, or ManagedMediaSource where only that exists (iPhone, iOS 17.1 and later).

use super::{
    Inner,
    dom::{self, Listener, get},
    feed,
};
use crate::{engine::Input, intake::Track};
use js_sys::{Array, Function, Reflect};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{MediaSource, SourceBuffer, Url, Window};

#[wasm_bindgen]
extern "C" {
    /// A SourceBuffer that is given a view of this module's memory. It has taken its copy when the call returns (Media Source
    /// Extensions §5.4, `appendBuffer` step 2), so one made here would be a second one.
    type Appending;

    #[wasm_bindgen(method, catch, js_name = appendBuffer)]
    fn append(this: &Appending, bytes: &[u8]) -> Result<(), JsValue>;
}

/// The browser's way in.
pub(super) struct Path {
    constructor: Function,
    is_type_supported: Option<Function>,
    managed: bool,
}

/// Whether the best way in takes this type. Where it cannot be asked, `addSourceBuffer` will tell.
pub(super) fn plays(mime: &str) -> bool {
    web_sys::window().and_then(|window| Path::find(&window)).is_none_or(|path| path.plays(mime))
}

impl Path {
    /// The best there is. The constructor is looked up by name: naming the class where it does not exist would throw.
    pub fn find(window: &Window) -> Option<Self> {
        [("MediaSource", false), ("ManagedMediaSource", true)].into_iter().find_map(|(name, managed)| {
            let constructor: Function = get(window, name)?.dyn_into().ok()?;
            let is_type_supported = get(&constructor, "isTypeSupported").and_then(|f| f.dyn_into().ok());
            Some(Self { constructor, is_type_supported, managed })
        })
    }

    pub fn managed(&self) -> bool {
        self.managed
    }

    pub fn name(&self) -> &'static str {
        if self.managed { "ManagedMediaSource" } else { "MediaSource" }
    }

    fn plays(&self, mime: &str) -> bool {
        let ask = |function: &Function| function.call1(&self.constructor, &JsValue::from_str(mime));
        self.is_type_supported.as_ref().and_then(|f| ask(f).ok()).is_none_or(|answer| answer.is_truthy())
    }

    /// Whether a buffer can be given another type.
    pub fn change_type(&self, window: &Window) -> bool {
        let name = if self.managed { "ManagedSourceBuffer" } else { "SourceBuffer" };
        dom::has(window, name, "changeType")
    }
}

/// Sets a property whose setter may throw: a buffer whose source was closed a moment ago does.
fn set(of: &JsValue, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(of, &JsValue::from_str(name), value).map(drop)
}

/// One media source in the element.
pub(super) struct Source {
    pub id: u32,
    media: MediaSource,
    url: String,
    tracks: Vec<(Track, String)>,
    buffers: Vec<(Track, SourceBuffer)>,
    listeners: Vec<Listener>,
}

impl Drop for Source {
    fn drop(&mut self) {
        // Listeners first: what the browser does to the buffers from here on is nobody's news.
        self.listeners.clear();
        let _ = Url::revoke_object_url(&self.url);
    }
}

impl Source {
    /// Puts a new media source into the element, in place of what was there.
    pub fn open(inner: &Rc<Inner>, id: u32, tracks: Vec<(Track, String)>) -> Result<Self, JsValue> {
        let media: MediaSource = Reflect::construct(&inner.path.constructor, &Array::new())?.unchecked_into();
        let url = Url::create_object_url_with_source(&media)?;
        let weak = Rc::downgrade(inner);
        let opened = move || {
            if let Some(inner) = weak.upgrade() {
                inner.opened(id);
            }
        };
        let mut listeners = vec![Listener::new(media.as_ref(), "sourceopen", opened)];
        let mut report = |name, input: fn(u32) -> Input| {
            let weak = Rc::downgrade(inner);
            listeners.push(Listener::new(media.as_ref(), name, move || feed(&weak, input(id))));
        };
        report("sourceclose", |source| Input::Broken { source });
        if inner.path.managed {
            report("startstreaming", |_| Input::Streaming(true));
            report("endstreaming", |_| Input::Streaming(false));
        }
        inner.video.set_src(&url);
        Ok(Self { id, media, url, tracks, buffers: Vec::new(), listeners })
    }

    /// Adds the buffers. Fails with the type that was refused and what was thrown.
    pub fn add_buffers(&mut self, inner: &Rc<Inner>) -> Result<(), (String, JsValue)> {
        if !self.buffers.is_empty() {
            // `sourceopen` comes again when a source that had ended is appended to.
            return Ok(());
        }
        let source = self.id;
        for (track, mime) in &self.tracks {
            let track = *track;
            let buffer = self.media.add_source_buffer(mime).map_err(|error| (mime.clone(), error))?;
            set(&buffer, "mode", &"segments".into()).map_err(|error| (mime.clone(), error))?;
            let weak = Rc::downgrade(inner);
            let done = move || feed(&weak, Input::Done { source, track });
            self.listeners.push(Listener::new(buffer.as_ref(), "updateend", done));
            let weak = Rc::downgrade(inner);
            let broken = move || feed(&weak, Input::Broken { source });
            self.listeners.push(Listener::new(buffer.as_ref(), "error", broken));
            self.buffers.push((track, buffer));
        }
        // Live: also lets browsers keep their own delay low.
        set(&self.media, "duration", &f64::INFINITY.into()).map_err(|error| (String::new(), error))
    }

    /// Starts an append; `updateend` says when it is done.
    pub fn append(&self, track: Track, bytes: &[u8], offset_s: f64, change_type: Option<&str>) -> Result<(), JsValue> {
        let Some(buffer) = self.buffer(track) else { return Ok(()) };
        if let Some(mime) = change_type {
            buffer.change_type(mime)?;
            set(buffer, "mode", &"segments".into())?;
        }
        if buffer.timestamp_offset() != offset_s {
            set(buffer, "timestampOffset", &offset_s.into())?;
        }
        buffer.unchecked_ref::<Appending>().append(bytes)
    }

    /// Starts a removal; `updateend` says when it is done.
    pub fn remove(&self, track: Track, start_s: f64, end_s: f64) -> Result<(), JsValue> {
        self.buffer(track).map_or(Ok(()), |buffer| buffer.remove(start_s, end_s))
    }

    /// Ends the stream, so that the element lets go of it. What throws had ended already.
    pub fn end(&self) {
        for (_, buffer) in &self.buffers {
            let _ = buffer.abort();
        }
        let _ = self.media.end_of_stream();
    }

    fn buffer(&self, track: Track) -> Option<&SourceBuffer> {
        self.buffers.iter().find(|(other, _)| *other == track).map(|(_, buffer)| buffer)
    }
}
