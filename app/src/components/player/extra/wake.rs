//! The screen stays on while a picture moves.

use super::super::{deck::Deck, scene::Scene};
use crate::feature::{call, get, method};
use crate::reactive::effect;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// The lock that is held, and whether one is wanted.
#[derive(Clone, Copy)]
struct Lock {
    held: StoredValue<Option<JsValue>, LocalStorage>,
    wanted: StoredValue<bool>,
}

/// Holds the screen's wake lock (W3C Screen Wake Lock) while a picture plays in a tab that is shown; nothing where there is none, nor in a frame
/// that is not known to be allowed it.
pub fn run(deck: Deck) {
    let page: JsValue = window().into();
    if get(&page, "top") != Some(page) && !frame_is_allowed() {
        return;
    }
    let navigator: JsValue = window().navigator().into();
    let Some(locks) = get(&navigator, "wakeLock") else { return };
    let lock = Lock { held: StoredValue::new_local(None), wanted: StoredValue::new(false) };
    let hidden = RwSignal::new(document().hidden());
    let listener = window_event_listener_untyped("visibilitychange", move |_| hidden.set(document().hidden()));
    effect(move || {
        let picture = deck.scene.get() == Scene::Playing && !deck.paused.get() && !deck.sound_only.get();
        // Browsers take the lock back themselves when the tab is hidden: one that is shown again asks anew.
        want(lock, &locks, picture && !hidden.get());
    });
    on_cleanup(move || {
        listener.remove();
        release(lock);
    });
}

/// Whether the site around this frame lets it keep the screen on (`allow="screen-wake-lock"`). Asking without that would be a complaint in
/// its console, and not every browser says.
fn frame_is_allowed() -> bool {
    let policy = get(&document(), "featurePolicy");
    let asks =
        policy.and_then(|policy| method(&policy, "allowsFeature")?.call1(&policy, &"screen-wake-lock".into()).ok());
    asks == Some(JsValue::TRUE)
}

fn want(lock: Lock, locks: &JsValue, wanted: bool) {
    if !wanted {
        return release(lock);
    }
    if lock.wanted.try_update_value(|now| std::mem::replace(now, true)) != Some(false) {
        return;
    }
    let asked = method(locks, "request").and_then(|request| request.call1(locks, &"screen".into()).ok());
    let Some(asked) = asked.and_then(|asked| asked.dyn_into::<js_sys::Promise>().ok()) else { return };
    spawn_local(async move {
        // Refused when the battery is low: then the screen does as it does.
        let Ok(held) = JsFuture::from(asked).await else { return };
        if lock.wanted.try_get_value() != Some(true) {
            return call(&held, "release");
        }
        // Two answers may cross: one lock is enough.
        if let Some(old) = lock.held.try_update_value(|kept| kept.replace(held)).flatten() {
            call(&old, "release");
        }
    });
}

fn release(lock: Lock) {
    let _ = lock.wanted.try_set_value(false);
    if let Some(held) = lock.held.try_update_value(Option::take).flatten() {
        call(&held, "release");
    }
}
