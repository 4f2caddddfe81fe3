//! What browsers are told that a page of this site may do: the second line behind escaping.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use leptos::{nonce::use_nonce, prelude::use_context};
use madang_app::ServerContext;

/// For what is no page of the application: at most words in the site's looks, and nobody frames it.
const NO_PAGE: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// On every answer but media. What an answer says by itself stays.
const EVERY: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, NO_PAGE),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Completes an answer's headers.
pub fn complete(headers: &mut HeaderMap) {
    for (name, value) in EVERY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Gives the page that is being rendered its policy, with the nonce of its inline scripts.
pub fn of_page() {
    let (Some(nonce), Some(context)) = (use_nonce(), use_context::<ServerContext>()) else { return };
    let Some(response) = use_context::<leptos_axum::ResponseOptions>() else { return };
    let policy = page(&nonce.to_string(), &context.origin);
    match HeaderValue::from_str(&policy) {
        Ok(policy) => response.insert_header(header::CONTENT_SECURITY_POLICY, policy),
        Err(_) => tracing::error!("a page's policy does not fit a header"),
    }
}

/// `'self'` is not the WebSockets of this site in every browser, so they are named. Pictures of the player come as `blob:`.
fn page(nonce: &str, origin: &str) -> String {
    // A host that could end the directive is no origin (`client::origin`).
    let sockets = origin.replacen("http", "ws", 1);
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         media-src 'self' blob:; connect-src 'self' {sockets}; font-src 'self'; manifest-src 'self'; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_open_this_sites_sockets() {
        assert!(page("n", "https://a.example:8443").contains("connect-src 'self' wss://a.example:8443;"));
        assert!(page("n", "http://a.example").contains("connect-src 'self' ws://a.example;"));
    }
}
