//! Keyboard shortcuts share one rule: they leave those who are typing alone.

use leptos::{ev::KeyboardEvent, wasm_bindgen::JsCast, web_sys::Element};

/// What a slider takes for itself.
const SLIDES: [&str; 8] = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];

/// Whether a key is the input method's: what is still being composed (Korean, Japanese, Chinese). Safari says so of the key that ends it
/// by its old code alone.
pub fn is_composing(event: &KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == 229
}

/// Whether a key press is meant for a field, or for the browser (with Ctrl, Alt or the system's key), or was taken already.
pub fn is_taken(event: &KeyboardEvent) -> bool {
    let in_field = event.target().and_then(|target| target.dyn_into::<Element>().ok()).is_some_and(|element| {
        match element.tag_name().as_str() {
            "INPUT" => match element.get_attribute("type").as_deref() {
                Some("range") => SLIDES.contains(&event.key().as_str()),
                Some("radio") => event.key() == " " || event.key().starts_with("Arrow"),
                Some("checkbox") => event.key() == " ",
                _ => true,
            },
            "TEXTAREA" | "SELECT" => true,
            _ => element.has_attribute("contenteditable"),
        }
    });
    in_field || event.ctrl_key() || event.alt_key() || event.meta_key() || event.default_prevented()
}
