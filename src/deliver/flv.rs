//! The answers of `/live/{slug}.flv`, over HTTP and, where a WebSocket is asked for, over that.

use super::{
    Asked, Closed, Deliver, FoundRoom, NotPlayed, Play, Progress,
    body::{Attention, FlvBody},
    browser_of, socket, still,
};
use crate::live::{Browser, NotLive};
use axum::{
    body::Body,
    extract::{ConnectInfo, FromRequestParts, Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header, request::Parts},
    response::{IntoResponse, Response},
};
use madang_protocol::RoomSlug;
use serde::Serialize;
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// When to ask again for a room that is not live, in seconds. The web page is told by its socket; this is for other players.
const RETRY_OFFLINE_S: u32 = 5;
const RETRY_STARTING_S: u32 = 1;
/// When to ask again after too many streams from one address, or while storage does not answer.
const RETRY_BUSY_S: u32 = 10;
/// For how long a browser may remember that any site may play, in seconds.
const PREFLIGHT_AGE_S: u32 = 86_400;

/// What a room that is not live answers.
#[derive(Serialize)]
struct Waiting {
    /// `offline`, `never` or `starting`.
    state: &'static str,
    /// Since when, in ms of the Unix clock; null for `never`.
    since: Option<i64>,
}

/// The peer's address and what its connection takes, where the server was told to keep them.
pub(super) struct Peer {
    address: Option<IpAddr>,
    progress: Option<Progress>,
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            address: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()),
            progress: parts.extensions.get::<Progress>().cloned(),
        })
    }
}

/// `GET`: joins, and streams until the broadcast ends.
pub(super) async fn watch(
    State(deliver): State<Arc<Deliver>>,
    Path(file): Path<String>,
    peer: Peer,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    if file.ends_with(".mp4") {
        return still::show(&deliver, &file, query.as_deref(), request.headers()).await;
    }
    let headers = request.headers();
    let Play { room, stay } = match find(&deliver, &file, query.as_deref(), headers).await {
        Ok(play) => play,
        Err(refusal) => return refusal,
    };
    let over_socket = socket::is_asked_for(headers);
    let place =
        if over_socket || request.version() > Version::HTTP_11 { None } else { deliver.reception.browser(headers) };
    let answers = match place.map(|browser| deliver.answers.take(browser)) {
        Some(None) => return use_a_socket(),
        seat => seat.flatten(),
    };
    let address = peer.address.map(|peer| deliver.reception.address(peer, headers));
    let (subscriber, seat) = match deliver.enter(room, address) {
        Ok(entered) => entered,
        Err(Closed::TooMany) => {
            let words = "Too many streams are being watched from your address. Close one and try again.\n";
            return answer(StatusCode::TOO_MANY_REQUESTS, Some(RETRY_BUSY_S), words);
        }
        Err(Closed::NotLive(why)) => return not_live(room, why),
    };
    let streaming = peer.progress.as_ref().map(Progress::stream);
    let browser = browser(&deliver, room, address, query.as_deref(), headers).await;
    let watcher = browser.and_then(|browser| deliver.live.presence().enter(room.id, browser));
    let attention = watcher.map(|watcher| Attention::new(watcher, peer.progress));
    let body = FlvBody::new(subscriber, stay, (seat, answers, streaming), attention, deliver.delivered_bytes.clone());
    if over_socket { open(socket::answer(request, body)) } else { live(Body::new(body)) }
}

/// Who watches; `None` for the owner's preview in the studio (`?preview=1`), which is nobody's watching.
async fn browser(
    deliver: &Deliver,
    room: FoundRoom,
    address: Option<IpAddr>,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Option<Browser> {
    let preview = query.is_some_and(|query| query.split('&').any(|pair| pair == "preview=1"));
    if preview && deliver.reception.person(headers).await == Some(room.owner) {
        return None;
    }
    let address = address.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    Some(browser_of(&*deliver.reception, deliver.live.presence(), headers, address))
}

/// `HEAD`: what `GET` would say, without joining.
pub(super) async fn ask(
    State(deliver): State<Arc<Deliver>>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if file.ends_with(".mp4") {
        return still::show(&deliver, &file, query.as_deref(), &headers).await;
    }
    let room = match find(&deliver, &file, query.as_deref(), &headers).await {
        Ok(play) => play.room,
        Err(refusal) => return refusal,
    };
    let status = deliver.live.status(room.id);
    match (status.live, status.starting) {
        // A body of unknown length: nobody reads it, and no Content-Length is made of it.
        (Some(_), _) => live(Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, Infallible>>())),
        (None, Some(since)) => not_live(room, NotLive::Starting { since }),
        (None, None) => not_live(room, NotLive::OffAir),
    }
}

/// `OPTIONS`: any site may play.
pub(super) async fn preflight() -> Response {
    let mut response = open(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(PREFLIGHT_AGE_S));
    response
}

/// The room, and leave to play it. One that is not the asker's to see is answered as one that is not there.
pub(super) async fn find(
    deliver: &Deliver,
    file: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Play, Response> {
    let unknown = || {
        let words = "There is no such room here, or it is not for everybody: its page shows the address for those who are let in.\n";
        answer(StatusCode::NOT_FOUND, None, words)
    };
    let name = file.strip_suffix(".flv").or_else(|| file.strip_suffix(".mp4"));
    let slug = name.and_then(exact_slug).ok_or_else(unknown)?;
    let token = query.and_then(token_of);
    // Browsers let any page open a WebSocket, send the site's cookies with it, and let the page read what comes: for another site's page
    // the token speaks, and nobody's cookies.
    let foreign = socket::is_asked_for(headers) && !deliver.reception.is_own_page(headers);
    let nobody = HeaderMap::new();
    let asked = Asked { headers: if foreign { &nobody } else { headers }, token };
    match deliver.reception.may_play(&slug, asked).await {
        Ok(play) => Ok(play),
        Err(NotPlayed::Unknown) => Err(unknown()),
        Err(NotPlayed::Unavailable) => {
            let words = "The server is too busy to look the room up. Try again in a moment.\n";
            Err(answer(StatusCode::SERVICE_UNAVAILABLE, Some(RETRY_BUSY_S), words))
        }
    }
}

/// The play token in an address' query.
pub(super) fn token_of(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// One room has one address: what is only nearly its slug is not it.
pub(super) fn exact_slug(text: &str) -> Option<RoomSlug> {
    RoomSlug::parse(text).ok().filter(|slug| slug.as_str() == text)
}

fn live(body: Body) -> Response {
    let mut response = open(Response::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("video/x-flv"));
    response
}

/// This browser has few connections left for anything else (RFC 9110 §15.5.22).
fn use_a_socket() -> Response {
    let words = "This browser watches over HTTP in several tabs already. Use a WebSocket at the same address.\n";
    let mut response = answer(StatusCode::UPGRADE_REQUIRED, None, words);
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

pub(super) fn not_live(room: FoundRoom, why: NotLive) -> Response {
    let (waiting, retry) = match (why, room.last_live) {
        (NotLive::Starting { since }, _) => (Waiting { state: "starting", since: Some(since.0) }, RETRY_STARTING_S),
        (NotLive::OffAir, Some(since)) => (Waiting { state: "offline", since: Some(since.0) }, RETRY_OFFLINE_S),
        (NotLive::OffAir, None) => (Waiting { state: "never", since: None }, RETRY_OFFLINE_S),
    };
    let mut response = open((StatusCode::SERVICE_UNAVAILABLE, axum::Json(waiting)).into_response());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry));
    response
}

pub(super) fn answer(status: StatusCode, retry: Option<u32>, words: &'static str) -> Response {
    let mut response = open((status, words).into_response());
    if let Some(seconds) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What every answer says: any site may read it, nobody keeps it, and it is what it says it is.
pub(super) fn open(mut response: Response) -> Response {
    const EVERY: [(HeaderName, &str); 5] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    for (name, value) in EVERY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
