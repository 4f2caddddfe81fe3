//! What is done to every request before anything looks at it: its host and scheme are made what can be believed.
//!
//! After it, `Host` is what was asked for whatever the version of HTTP, and `X-Forwarded-Proto` is there exactly when the browser
//! speaks TLS, to us or to a trusted proxy. Whatever else a peer writes there is gone.

use super::client;
use crate::{config::Public, state::Services, tls::OverTls};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::net::SocketAddr;

/// Asked by machines that know the plain port, and watch that we are well.
const NEVER_REDIRECTED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

pub async fn believe(State(services): State<Services>, mut request: Request, next: Next) -> Response {
    let config = &services.config;
    let over_tls = request.extensions().get::<OverTls>().is_some();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    name_host(&mut request);
    let forwarded =
        peer.is_some_and(|peer| client::is_trusted(peer, &config.public)) && client::forwarded_https(request.headers());
    let https = over_tls || forwarded;
    request.headers_mut().remove(client::FORWARDED_PROTO);
    if https {
        request.headers_mut().insert(client::FORWARDED_PROTO, HeaderValue::from_static("https"));
    }
    if config.tls.redirect && !https && !NEVER_REDIRECTED.contains(&request.uri().path()) {
        return redirect(request.headers(), request.uri(), &config.public, services.https_port);
    }
    let at_home = client::is_loopback(request.headers());
    let mut response = next.run(request).await;
    if over_tls && config.tls.hsts_s > 0 && !at_home {
        let value = HeaderValue::from_str(&format!("max-age={}", config.tls.hsts_s));
        // A number fits any header.
        if let Ok(value) = value {
            response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
        }
    }
    response
}

/// HTTP/2 names the host in the request's target, where it is the truth (RFC 9113 §8.3.1).
fn name_host(request: &mut Request) {
    let authority = request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(authority) = authority {
        request.headers_mut().insert(header::HOST, authority);
    }
}

/// The same address over TLS. 308 keeps the method, so that a form that was posted is posted again (RFC 9110 §15.4.9).
fn redirect(headers: &HeaderMap, uri: &Uri, public: &Public, https_port: Option<u16>) -> Response {
    let site = client::https_origin(headers, public, https_port);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(location) = HeaderValue::from_str(&format!("{site}{path}")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let words = "This site is served over HTTPS.\n";
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)], words).into_response()
}
