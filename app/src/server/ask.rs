//! Server functions that only read, asked by what a browser has for it. Those of leptos bring a client of their own into a download,
//! and serde for their addresses: three kilobytes of a first one. Browser only.

use crate::ApiError;
use leptos::prelude::*;
use madang_protocol::{
    RoomPage,
    wire::{self, Wire},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// What the page of the room at `slug` shows (`super::rooms::room_page`).
///
/// # Errors
/// That function's, and [`ApiError::Unreachable`].
pub async fn room_page(slug: &str) -> Result<RoomPage, ApiError> {
    let slug: String = js_sys::encode_uri_component(slug).into();
    ask(&format!("/fn/room_page?slug={slug}")).await
}

async fn ask<T: Wire>(address: &str) -> Result<T, ApiError> {
    let (good, text) = fetched(address).await.map_err(|_| ApiError::Unreachable)?;
    if good {
        wire::from_text(&text).ok_or(ApiError::Internal)
    } else {
        Err(wire::from_text(&text).unwrap_or(ApiError::Internal))
    }
}

/// Whether it was answered well, and with which text.
async fn fetched(address: &str) -> Result<(bool, String), JsValue> {
    let answer: web_sys::Response = JsFuture::from(window().fetch_with_str(address)).await?.dyn_into()?;
    let text = JsFuture::from(answer.text()?).await?;
    Ok((answer.ok(), text.as_string().unwrap_or_default()))
}
