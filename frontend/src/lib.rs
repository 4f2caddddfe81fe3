//! The WebAssembly entry of Madang: `hydrate()` and nothing else.

#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_lazy(madang_app::App);
}
