//! What the server gave the page's parts with its HTML, as leptos' resources ask for it. Browser only.
//!
//! Leptos' own brings the errors of boundaries, which no page here has, and with them the code that writes any text for a programmer:
//! three kilobytes of a first download.

use hydration_context::{PinnedFuture, PinnedStream, SerializedDataId, SharedContext};
use js_sys::{Array, Reflect};
use leptos::prelude::window;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use throw_error::{Error, ErrorId};
use wasm_bindgen::JsCast;

/// Where the server's script puts what resources read, by their number.
const RESOURCES: &str = "__RESOLVED_RESOURCES";

#[derive(Debug, Default)]
pub struct Given {
    next: AtomicUsize,
    over: AtomicBool,
}

impl SharedContext for Given {
    fn is_browser(&self) -> bool {
        true
    }

    fn next_id(&self) -> SerializedDataId {
        SerializedDataId::new(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn write_async(&self, _id: SerializedDataId, _data: PinnedFuture<String>) {}

    fn read_data(&self, id: &SerializedDataId) -> Option<String> {
        if !self.during_hydration() {
            return None;
        }
        let all: Array = Reflect::get(&window(), &RESOURCES.into()).ok()?.dyn_into().ok()?;
        all.get(u32::try_from(id.clone().into_inner()).ok()?).as_string()
    }

    fn await_data(&self, _id: &SerializedDataId) -> Option<String> {
        None
    }

    fn pending_data(&self) -> Option<PinnedStream<String>> {
        None
    }

    fn during_hydration(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn hydration_complete(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn get_is_hydrating(&self) -> bool {
        true
    }

    fn set_is_hydrating(&self, _is: bool) {}

    fn take_errors(&self) -> Vec<(SerializedDataId, ErrorId, Error)> {
        Vec::new()
    }

    fn errors(&self, _boundary: &SerializedDataId) -> Vec<(ErrorId, Error)> {
        Vec::new()
    }

    fn seal_errors(&self, _boundary: &SerializedDataId) {}

    fn register_error(&self, _boundary: SerializedDataId, _id: ErrorId, _error: Error) {}

    fn defer_stream(&self, _wait_for: PinnedFuture<()>) {}

    fn await_deferred(&self) -> Option<PinnedFuture<()>> {
        None
    }

    fn set_incomplete_chunk(&self, _id: SerializedDataId) {}

    // Pages are sent whole.
    fn get_incomplete_chunk(&self, _id: &SerializedDataId) -> bool {
        false
    }
}
