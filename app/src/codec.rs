//! JSON between the pages and the server: serde on the server, [`Wire`] in the browser (`madang_protocol::wire` says why).
//!
//! One codec for server functions, their errors and what a page is given with its HTML.

use leptos::{
    prelude::*,
    server::codee::{Decoder, Encoder},
    server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType, codec::Post},
};
use madang_protocol::wire::Wire;
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, future::Future};

/// JSON in the body of a `POST`.
pub type Json = Post<JsonText>;

/// JSON, read from text.
pub struct JsonText;

/// What the codec carries.
pub trait Crosses: Serialize + DeserializeOwned + Wire {}

impl<T: Serialize + DeserializeOwned + Wire> Crosses for T {}

/// The text is not that type's JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotThatJson;

impl fmt::Display for NotThatJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the JSON that was expected")
    }
}

pub(crate) fn to_text<T: Crosses>(value: &T) -> Result<String, NotThatJson> {
    #[cfg(feature = "ssr")]
    return serde_json::to_string(value).map_err(|_| NotThatJson);
    #[cfg(not(feature = "ssr"))]
    return Ok(madang_protocol::wire::to_text(value));
}

pub(crate) fn from_text<T: Crosses>(text: &str) -> Result<T, NotThatJson> {
    #[cfg(feature = "ssr")]
    return serde_json::from_str(text).map_err(|_| NotThatJson);
    #[cfg(not(feature = "ssr"))]
    return madang_protocol::wire::from_text(text).ok_or(NotThatJson);
}

impl ContentType for JsonText {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for JsonText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Crosses> Encodes<T> for JsonText {
    type Error = NotThatJson;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        to_text(value).map(Bytes::from)
    }
}

impl<T: Crosses> Decodes<T> for JsonText {
    type Error = NotThatJson;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        from_text(std::str::from_utf8(&bytes).map_err(|_| NotThatJson)?)
    }
}

impl<T: Crosses> Encoder<T> for JsonText {
    type Error = NotThatJson;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        to_text(value)
    }
}

impl<T: Crosses> Decoder<T> for JsonText {
    type Error = NotThatJson;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Self::Error> {
        from_text(text)
    }
}

/// What a page shows first: read before anything of the page is sent, and carried to the browser in its HTML.
pub type PageData<T> = Resource<T, JsonText>;

/// Reads a page's data by `read`, and again whenever `key` (such as the slug in the address) changes.
pub fn page_data<T, Reading>(
    key: impl Fn() -> String + Send + Sync + 'static,
    read: impl Fn(String) -> Reading + Send + Sync + 'static,
) -> PageData<T>
where
    T: Crosses + Send + Sync + 'static,
    Reading: Future<Output = T> + Send + 'static,
{
    Resource::new_with_options(key, read, true)
}
