//! Classes that not every browser has, made and called by their names: bindings of their own would weigh on the first download.

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

/// A method, or what was thrown.
pub(super) type Answer = Result<JsValue, JsValue>;

/// A callback, kept for as long as it may be called.
pub(super) type Call = Closure<dyn FnMut(JsValue)>;

pub(super) fn call(does: impl FnMut(JsValue) + 'static) -> Call {
    Closure::new(does)
}

/// `new class(...)`.
pub(super) fn make(class: &str, with: &[&JsValue]) -> Answer {
    let class: Function = Reflect::get(&js_sys::global(), &class.into())?.dyn_into()?;
    Reflect::construct(&class, &list(with))
}

/// `target.method(...)`.
pub(super) fn invoke(target: &JsValue, method: &str, with: &[&JsValue]) -> Answer {
    let method: Function = Reflect::get(target, &method.into())?.dyn_into()?;
    Reflect::apply(&method, target, &list(with))
}

/// Closes what can be closed; it fails where it has ended by itself.
pub(super) fn close(target: &JsValue) {
    if let Ok(answer) = invoke(target, "close", &[]) {
        forget(&answer);
    }
}

/// Does not wait for what a promise says, nor is it anybody's error.
pub(super) fn forget(promise: &JsValue) {
    let answer = promised(promise);
    crate::web::spawn(async move { drop(answer.await) });
}

/// What a promise says. Its failure is looked at from now on.
pub(super) fn promised(promise: &JsValue) -> JsFuture {
    JsFuture::from(Promise::resolve(promise))
}

/// Lets go of callbacks after this turn of the event loop: the last call of one may be on its way.
pub(super) fn let_go(calls: Vec<Call>) {
    crate::web::spawn(async move {
        gloo_timers::future::TimeoutFuture::new(0).await;
        drop(calls);
    });
}

/// An object of these fields.
pub(super) fn object(fields: &[(&str, &JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, value);
    }
    object.into()
}

pub(super) fn set(target: &JsValue, name: &str, value: &JsValue) {
    // Fails for what cannot have properties only.
    let _ = Reflect::set(target, &name.into(), value);
}

/// A number among an object's properties.
pub(super) fn number(of: &JsValue, name: &str) -> Option<f64> {
    Reflect::get(of, &name.into()).ok()?.as_f64()
}

/// Whether a property is `true`.
pub(super) fn is(of: &JsValue, name: &str) -> bool {
    Reflect::get(of, &name.into()).is_ok_and(|value| value == JsValue::TRUE)
}

fn list(values: &[&JsValue]) -> Array {
    values.iter().copied().collect()
}
