//! `/api/v1`, health and metrics: public data only, in JSON or plain text.

use super::{Peer, Shared, client};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use madang_domain::{Error, Shown};
use madang_protocol::{RoomCard, RoomSlug};
use serde::Serialize;

/// The process runs and answers.
pub async fn health() -> &'static str {
    "ok\n"
}

/// The process can do its work: the storage answers, and nobody asked it to stop.
pub async fn ready(State(services): Shared) -> Response {
    if services.shutdown.is_requested() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    match services.domain.ready().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready: the storage does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the storage does not answer\n").into_response()
        }
    }
}

/// Prometheus' text form; with the configured token, or where there is none for this machine: from a loopback address, to one, by no proxy. A
/// page whose name leads here asks by that name.
pub async fn metrics(State(services): Shared, peer: Peer, headers: HeaderMap) -> Response {
    let token = &services.config.metrics.token;
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let by_token = given.is_some_and(|given| token.is(given));
    let local = peer.0.ip().to_canonical().is_loopback()
        && client::is_loopback(&headers)
        && !headers.contains_key("x-forwarded-for");
    if !(by_token || (token.is_empty() && local)) {
        return (StatusCode::FORBIDDEN, "metrics are for this machine, or with the token of [metrics]\n")
            .into_response();
    }
    services.meters.measure(&services.domain, &services.hub, &services.sockets);
    services.metrics.run_upkeep();
    let plain = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (plain, services.metrics.render()).into_response()
}

#[derive(Serialize)]
struct Rooms {
    rooms: Vec<RoomCard>,
}

/// The directory.
pub async fn rooms(State(services): Shared) -> Response {
    match services.domain.directory().await {
        Ok(rooms) => Json(Rooms { rooms }).into_response(),
        Err(error) => failed(&error),
    }
}

/// One room, unlisted ones too: who has the name has been told it. One that asks for more than that is not here, whoever asks.
pub async fn room(State(services): Shared, Path(slug): Path<String>) -> Response {
    let Ok(slug) = RoomSlug::parse(&slug) else { return not_found() };
    match services.domain.room_page(&slug, &Shown::default()).await {
        Ok((page, _)) => Json(page.card).into_response(),
        Err(Error::NotFound | Error::Forbidden) => not_found(),
        Err(error) => failed(&error),
    }
}

#[derive(Serialize)]
struct Failure {
    error: &'static str,
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(Failure { error: "there is no room of that name" })).into_response()
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "an API request failed");
    (StatusCode::SERVICE_UNAVAILABLE, Json(Failure { error: "the server cannot answer now; try again" }))
        .into_response()
}
