//! The address that a title suggests: the same on both sides, each with the Unicode tables it has anyway.

use madang_protocol::RoomSlug;

/// What [`RoomSlug::suggest`] says, by the browser's own normalization where there is a browser.
pub fn suggested_slug(title: &str) -> Option<RoomSlug> {
    #[cfg(feature = "hydrate")]
    return RoomSlug::suggest_with(title, |c| {
        let text = js_sys::JsString::from(c.encode_utf8(&mut [0; 4]) as &str);
        String::from(text.normalize("NFKD"))
    });
    #[cfg(not(feature = "hydrate"))]
    RoomSlug::suggest(title)
}
