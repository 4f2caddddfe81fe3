//! One's place in the list, kept with its entry in the history: who comes back from a room finds what they left. Browser only.

use crate::{
    feature::get,
    listen::{after, on_window},
};
use leptos::prelude::*;

/// The list rests when it has not been scrolled for so long.
const RESTS_MS: i32 = 150;

/// Goes to the place that this entry has, and keeps it from then on, for as long as the current owner lives.
pub fn keep() {
    // Once the list is in the page.
    after(0, || {
        let kept = window().history().ok().and_then(|history| get(&history, "state")?.as_f64());
        // A page that is loaded anew is the browser's to scroll, and may have been scrolled since.
        let arrives = document().document_element().is_some_and(|page| page.has_attribute("data-awake"));
        if let Some(y) = kept.filter(|_| arrives || scrolled().is_none()) {
            window().scroll_to_with_x_and_y(0.0, y);
        }
    });
    let scrolls = StoredValue::new(0_u32);
    on_window("scroll", move |_| {
        let this = scrolls.try_update_value(|scrolls| {
            *scrolls = scrolls.wrapping_add(1);
            *scrolls
        });
        after(RESTS_MS, move || {
            if this.is_some() && scrolls.try_get_value() == this {
                note();
            }
        });
    });
}

/// How far down the page is; `None` at its top.
fn scrolled() -> Option<f64> {
    get(&window(), "scrollY")?.as_f64()
}

fn note() {
    if let Ok(history) = window().history() {
        // Refused where a browser finds that it happens too often: the place before is kept then.
        let _ = history.replace_state_with_url(&scrolled().unwrap_or_default().into(), "", None);
    }
}
