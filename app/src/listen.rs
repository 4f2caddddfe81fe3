//! Hearing events of the window and the like, and the time go by, with closures of one type. Browser only.

use crate::{piece::Hear, reactive::Kept};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::EventTarget;

/// Hears an event until it is dropped.
pub struct Listening {
    target: EventTarget,
    name: &'static str,
    closure: Closure<dyn FnMut(JsValue)>,
}

/// Hears `name` of `target`.
pub fn listen(target: &EventTarget, name: &'static str, mut hear: Box<dyn Hear>) -> Listening {
    let closure = Closure::<dyn FnMut(JsValue)>::new(move |event| hear.hear(event));
    // Refused for no name of an event.
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    Listening { target: target.clone(), name, closure }
}

/// Hears `name` of the window for as long as the current owner lives.
pub fn on_window(name: &'static str, hear: impl FnMut(JsValue) + 'static) {
    on(&window(), name, hear);
}

/// Hears `name` of `target` for as long as the current owner lives.
pub fn on(target: &EventTarget, name: &'static str, hear: impl FnMut(JsValue) + 'static) {
    keep(Box::new(listen(target, name, Box::new(hear))));
}

/// Calls `tick` again and again for as long as the current owner lives.
pub fn on_clock(ms: i32, tick: impl FnMut(JsValue) + 'static) {
    keep(Box::new(every(ms, Box::new(tick))));
}

fn keep(what: Box<dyn std::any::Any>) {
    // Its place is given up with the owner.
    Kept::new(what);
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.name, self.closure.as_ref().unchecked_ref());
    }
}

/// Ticks until it is dropped.
pub struct Ticking {
    id: i32,
    _closure: Closure<dyn FnMut(JsValue)>,
}

/// Calls `tick` again and again.
pub fn every(ms: i32, mut tick: Box<dyn Hear>) -> Ticking {
    let closure = Closure::<dyn FnMut(JsValue)>::new(move |event| tick.hear(event));
    let callback = closure.as_ref().unchecked_ref();
    // Refused by no window.
    let id = window().set_interval_with_callback_and_timeout_and_arguments_0(callback, ms).unwrap_or_default();
    Ticking { id, _closure: closure }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        window().clear_interval_with_handle(self.id);
    }
}

/// Calls `call` so many milliseconds later, whatever has become of the page by then.
pub fn after(ms: i32, call: impl FnOnce() + 'static) {
    let call: Box<dyn FnOnce()> = Box::new(call);
    leptos::task::spawn_local(async move {
        sleep(ms).await;
        call();
    });
}

/// Waits so many milliseconds.
pub async fn sleep(ms: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
    });
    let _ = JsFuture::from(promise).await;
}
