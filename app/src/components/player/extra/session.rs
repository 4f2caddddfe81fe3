//! The system's media controls, on lock screens, in headsets and on keyboards: what plays, and the keys for it.

use super::super::{
    deck::{Command, Deck},
    scene::Scene,
};
use crate::{
    feature::{get, method},
    listen::on_window,
    reactive::{Var, effect},
};
use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::*;
use madang_player::web;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Beside the title where there is no picture: the site's sign.
const SIGN: (&str, &str) = ("/favicon.svg", "image/svg+xml");
/// The type of a picture of the stream.
const JPEG: &str = "image/jpeg";

/// Keeps `navigator.mediaSession` (W3C Media Session) in step with the player; nothing where there is none.
pub fn run(deck: Deck) {
    let navigator: JsValue = window().navigator().into();
    let Some(session) = get(&navigator, "mediaSession") else { return };
    let told = session.clone();
    let picture = Var::new(None::<String>);
    // One that cannot be had now, as between two media sources, leaves the one before.
    let take = move || {
        if let Some(taken) = picture_of(deck) {
            picture.set(Some(taken));
        }
    };
    effect(move || {
        if !deck.sound_only.get() && deck.scene.get() == Scene::Playing && picture.with_untracked(Option::is_none) {
            take();
        }
    });
    // Now somebody may look at the system's controls.
    on_window("visibilitychange", move |_| {
        if document().hidden() {
            take();
        }
    });
    effect(move || {
        let (title, artist) = (deck.title.get(), deck.owner.get());
        let picture = picture.get().filter(|_| !deck.sound_only.get());
        let artwork = picture.as_deref().map_or(SIGN, |picture| (picture, JPEG));
        if let Some(metadata) = metadata(&title, &artist, artwork) {
            set(&told, "metadata", &metadata);
        }
    });
    let told = session.clone();
    effect(move || {
        let on_stage = matches!(deck.scene.get(), Scene::Playing | Scene::Buffering | Scene::Away { .. });
        let state = match (on_stage, deck.paused.get()) {
            (false, _) => "none",
            (true, true) => "paused",
            (true, false) => "playing",
        };
        set(&told, "playbackState", &state.into());
    });
    let keys = [
        handle(&session, "play", move || play(deck, true)),
        handle(&session, "pause", move || play(deck, false)),
        handle(&session, "stop", move || play(deck, false)),
        handle(&session, "seekbackward", move || deck.send(Command::Rewind(-10_000))),
        handle(&session, "seekforward", move || deck.send(Command::Rewind(10_000))),
    ];
    let kept = StoredValue::new_local(Some((session, keys)));
    on_cleanup(move || {
        let Some((session, keys)) = kept.try_update_value(Option::take).flatten() else { return };
        set(&session, "metadata", &JsValue::NULL);
        set(&session, "playbackState", &"none".into());
        for (action, _) in &keys {
            set_handler(&session, action, &JsValue::NULL);
        }
    });
}

fn play(deck: Deck, on: bool) {
    if deck.paused.get_untracked() == on {
        deck.send(Command::TogglePlay);
    }
}

/// What a key does, until it is dropped.
type Key = (&'static str, Closure<dyn Fn()>);

fn handle(session: &JsValue, action: &'static str, does: impl Fn() + 'static) -> Key {
    let does = Closure::<dyn Fn()>::new(does);
    set_handler(session, action, does.as_ref());
    (action, does)
}

/// Browsers throw for keys that they do not know.
fn set_handler(session: &JsValue, action: &str, handler: &JsValue) {
    if let Some(method) = method(session, "setActionHandler") {
        let _ = method.call2(session, &action.into(), handler);
    }
}

/// What the element shows now, as an address that carries it. `None` without a picture.
fn picture_of(deck: Deck) -> Option<String> {
    let canvas: JsValue = web::picture(&deck.video.get_untracked()?)?.into();
    method(&canvas, "toDataURL")?.call1(&canvas, &JPEG.into()).ok()?.as_string()
}

fn metadata(title: &str, artist: &str, artwork: (&str, &str)) -> Option<JsValue> {
    let class: Function = get(&window(), "MediaMetadata")?.dyn_into().ok()?;
    let (picture, what) = (Object::new(), Object::new());
    set(&picture, "src", &artwork.0.into());
    set(&picture, "type", &artwork.1.into());
    set(&what, "title", &title.into());
    set(&what, "artist", &artist.into());
    set(&what, "artwork", &Array::of1(&picture));
    Reflect::construct(&class, &Array::of1(&what)).ok()
}

fn set(of: &JsValue, name: &str, value: &JsValue) {
    // Fails for what does not fit only, and then the browser shows less.
    let _ = Reflect::set(of, &name.into(), value);
}
