//! What answers say to browsers about themselves: what a page may load and run, who may frame it, what it may ask the device for.
//!
//! Four kinds: pages with scripts, whose policy carries the nonce of that one answer; pages without, in which none runs; parts of pages (`/pkg`), which are no documents
//! and say only what concerns parts; and everything else, which may load nothing. HTTP-FLV has its own in `deliver`.

use super::client;
use crate::state::Services;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;

/// The nonce of the page that an answer is; put beside the answer by who rendered it.
#[derive(Clone)]
pub struct PageNonce(pub Arc<str>);

/// Beside an answer that is a page without scripts.
#[derive(Clone, Copy)]
pub struct PlainPage;

/// What pages may ask of the device: what the player and the copy buttons use. The rest names what nobody here asks for, so that
/// nothing that gets into a page can. Only names that browsers know: others are complaints in the console.
const PERMISSIONS: &str = "autoplay=(self), fullscreen=(self), picture-in-picture=(self), screen-wake-lock=(self), \
    clipboard-write=(self), camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The script of `<madang-player>`, which pages of other sites run.
const ELEMENT: &str = "/madang-player.js";

/// The middleware around every route but the media's.
pub async fn write(State(services): State<Services>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let origin = client::origin(request.headers(), &services.config.public);
    // The JSON API is for programs and pages anywhere; browsers let scripts of other sites read it where it allows them (it does
    // not), and show what is no script's as they like.
    let path = request.uri().path();
    let resource = if path.starts_with("/api/") || path == ELEMENT { "cross-origin" } else { "same-origin" };
    let embed = path.starts_with("/embed/");
    let mut response = next.run(request).await;
    let security = &services.config.security;
    let ancestors = if embed { &security.embed_ancestors } else { &security.frame_ancestors };
    let nonce = response.extensions_mut().remove::<PageNonce>();
    let plain = response.extensions_mut().remove::<PlainPage>();
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static(resource));
    if !reads || !headers.contains_key(header::CACHE_CONTROL) {
        // Pages carry the state of the moment and the cookie's person; answers to changes may carry a new key.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !is_part(headers) {
        let policy = match &nonce {
            Some(nonce) => {
                page_policy(&nonce.0, &origin, services.names.watch.as_ref().map(|w| w.reload_port), ancestors)
            }
            None if plain.is_some() => plain_policy(ancestors),
            None => closed_policy(ancestors),
        };
        describe(headers, &policy, ancestors);
        // What is no page asks for nothing.
        if kind(headers).starts_with("text/html") {
            headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(PERMISSIONS));
        }
        if heeds_opener_policy(&origin) && !is_picture(headers) {
            headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
        }
    }
    response
}

/// A script, a style sheet or a program: no document, so nothing is framed, opened or asked for by it.
fn is_part(headers: &HeaderMap) -> bool {
    ["text/css", "text/javascript", "application/wasm"].iter().any(|part| kind(headers).starts_with(part))
}

/// The site's icon: by itself it runs, opens and follows nothing, and its policy says so.
fn is_picture(headers: &HeaderMap) -> bool {
    kind(headers).starts_with("image/")
}

fn kind(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

fn describe(headers: &mut HeaderMap, policy: &str, ancestors: &str) {
    // A nonce is base64, hosts and the configured sources have been checked: it always fits. If it did not, no policy would be worse
    // than a page that does not run.
    let closed = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(policy).unwrap_or(closed));
    if is_picture(headers) {
        return;
    }
    // An answer with a secret in its address has said less already.
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("strict-origin-when-cross-origin"));
    // For what does not know `frame-ancestors`; it can say no more than these two.
    if let Some(framing) = match ancestors {
        "'none'" => Some("DENY"),
        "'self'" => Some("SAMEORIGIN"),
        _ => None,
    } {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static(framing));
    }
}

/// What a page may load: scripts of this site and those that carry the nonce, its styles, pictures and streams, and nothing else. Pictures
/// that carry themselves are what the system's media controls are given of a stream; they run nothing and ask nobody.
/// `reload_port` is where `cargo leptos watch` tells pages to reload themselves.
fn page_policy(nonce: &str, origin: &str, reload_port: Option<u32>, ancestors: &str) -> String {
    // Some browsers do not count sockets as 'self' (Safari before 15.4). An address in brackets is no source by the grammar.
    let socket = match origin.strip_prefix("http") {
        Some(rest) if !rest.contains(['[', ';', ',']) => format!(" ws{rest}"),
        _ => String::new(),
    };
    let reload = reload_port.map(|port| format!(" ws://*:{port} wss://*:{port}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         media-src 'self' blob:; connect-src 'self'{socket}{reload}; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors {ancestors}"
    )
}

/// What a page without scripts may load: styles and pictures of this site. Its forms are this site's.
fn plain_policy(ancestors: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
    )
}

/// What everything else may load: nothing. A browser that shows such an answer may fetch the site's icon.
fn closed_policy(ancestors: &str) -> String {
    format!("default-src 'none'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}")
}

/// Browsers heed `Cross-Origin-Opener-Policy` over TLS and from this machine; elsewhere they complain of it in the console.
fn heeds_opener_policy(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("http://") else { return origin.starts_with("https://") };
    let name = if host.starts_with('[') { host.split_inclusive(']').next() } else { host.split(':').next() };
    matches!(name, Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_open_sockets_to_its_own_host_only() {
        let policy = |origin: &str, reload| page_policy("n", origin, reload, "'self'");
        assert!(policy("https://live.example", None).contains("connect-src 'self' wss://live.example;"));
        assert!(policy("http://localhost:3000", None).contains("connect-src 'self' ws://localhost:3000;"));
        assert!(policy("http://[::1]:3000", None).contains("connect-src 'self';"));
        assert!(policy("http://[::1]:3000", Some(3001)).contains("connect-src 'self' ws://*:3001 wss://*:3001;"));
    }

    #[test]
    fn the_opener_policy_is_sent_where_it_is_heeded() {
        for origin in ["https://live.example", "http://localhost:3000", "http://127.0.0.1:1", "http://[::1]:3000"] {
            assert!(heeds_opener_policy(origin), "{origin}");
        }
        for origin in ["http://192.168.1.2:3000", "http://localhost.example", "http://[2001:db8::1]"] {
            assert!(!heeds_opener_policy(origin), "{origin}");
        }
    }
}
