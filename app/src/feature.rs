//! What not every browser has, looked up by its name. Browser only.

use js_sys::{Function, Promise, Reflect};
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A property that not every browser has.
pub fn get(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &name.into()).ok().filter(JsValue::is_truthy)
}

/// A method that not every browser has.
pub fn method(target: &JsValue, name: &str) -> Option<Function> {
    get(target, name)?.dyn_into().ok()
}

/// Calls a method that not every browser has; what its promise says is not waited for.
pub fn call(target: &JsValue, name: &str) {
    let Some(answer) = method(target, name).and_then(|m| m.call0(target).ok()) else { return };
    if let Ok(promise) = answer.dyn_into::<Promise>() {
        spawn_local(async move { drop(JsFuture::from(promise).await) });
    }
}
