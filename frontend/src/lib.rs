//! The WebAssembly entry of Madang: `hydrate()` and nothing else.

use leptos::prelude::document;

/// Wakes the page that the server rendered. `<html data-awake>` says that it has: from then on what is pressed is answered in place.
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let Some(body) = document().body() else { return };
    leptos::mount::hydrate_from_async(body, madang_app::App).await.forget();
    if let Some(page) = document().document_element() {
        // An attribute of this name can always be set.
        let _ = page.set_attribute("data-awake", "");
    }
}
