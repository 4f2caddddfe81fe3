//! The WebAssembly entry of Madang: `hydrate()` and nothing else.

/// Wakes the page that the server rendered (`madang_app::route::wake`).
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    madang_app::route::wake().await;
}

/// Room for the splitter, and in no download: it lays out the constants of the parts one after the other, each part's on a boundary, in
/// the space that all had together. Where that is too small by a byte, it leaves all of them in the first download.
#[cfg(feature = "split")]
#[used]
static ROOM: [u8; 4096] = [1; 4096];
