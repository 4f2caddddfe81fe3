//! After a link inside the site: the keyboard and the screen reader arrive at the new page too.

use crate::{
    reactive::{Var, effect},
    route::Place,
};
#[cfg(feature = "hydrate")]
use leptos::prelude::document;

/// Moves the focus to `main` when the path changes (not when only the query does).
pub fn follow(place: Place) {
    let before = Var::new(None::<String>);
    effect(move || {
        let path = place.path.get();
        let before = before.try_update_untracked(|before| before.replace(path.clone())).flatten();
        if before.is_some_and(|before| before != path) {
            focus_main();
        }
    });
}

#[cfg(feature = "hydrate")]
fn focus_main() {
    use wasm_bindgen::JsCast;
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    if let Some(main) = document().get_element_by_id("main").and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = main.focus_with_options(&options);
    }
}

#[cfg(not(feature = "hydrate"))]
fn focus_main() {}
