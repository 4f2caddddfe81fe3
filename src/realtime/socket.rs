//! The socket itself: upgrade, deadlines, and one loop that reads, hears and writes.

use super::{
    limits::Pace,
    meters::Meters,
    session::{Ports, Session},
    wire::Io,
};
use crate::{
    Shutdown,
    config::Limits,
    state::{Services, set_cookie},
    web::client,
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _, future::BoxFuture};
use hyper::upgrade::OnUpgrade;
use madang_domain::{Chatter, Frame};
use madang_protocol::realtime::{CLIENT_MESSAGE_MAX, CLOSE_RESUME, Refusal};
use std::{
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant as Clock},
};
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        handshake::server::create_response_with_body,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// One frame must be taken within this time: a full socket buffer would hold the connection's memory for ever.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// How long a close waits for the peer's own, so that what it says arrives before the connection ends.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// Bytes of events in one frame; a larger batch goes on in the next.
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// A connection sends small messages: the library's default buffers of 128 KiB would be most of its memory.
const BUFFER_BYTES: usize = 2 * 1024;
/// What the library writes by itself: answers to pings, and closes.
const WRITE_BUFFER_MAX: usize = 8 * 1024;
/// Messages over the pace that are refused with words before the connection is closed.
const TOO_FAST_MAX: u32 = 50;

/// What a browser is told that finds no place; nobody but a person with a console reads it.
const TOO_MANY: &str =
    "Too many connections are open, from your address or in all. Close a tab, or try again in half a minute.\n";

/// `GET /ws`: checked for its origin and its address' limits, then upgraded. A browser without a cookie is given one for the
/// next time, and only reads this time: one that keeps none could not be recognised.
pub async fn upgrade(
    State(services): State<Services>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let public = &services.config.public;
    let response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("This is for WebSockets: {error}.\n")).into_response(),
    };
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return (StatusCode::UPGRADE_REQUIRED, "This connection cannot become a WebSocket.\n").into_response();
    };
    let headers = request.headers();
    if !client::same_origin(headers, public) {
        return (StatusCode::FORBIDDEN, "This socket is for pages of this site.\n").into_response();
    }
    let address = client::address(peer.ip(), headers, public);
    let Some(place) = services.sockets.enter(address) else {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "30")], TOO_MANY).into_response();
    };
    let Ok(asker) = services.asker(headers).await else {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "2")], "The server is busy.\n").into_response();
    };
    let visitor = if asker.person.is_none() { services.visitor(headers) } else { None };
    let ports = Ports {
        domain: services.domain.clone(),
        live: Arc::clone(&services.live),
        hub: services.hub.clone(),
        meters: services.meters.clone(),
        permits: services.permits.clone(),
        shown: services.domain.sift(Services::shown(headers, asker.person.as_ref())),
        browser: services.watching_browser(headers, address),
        rooms_max: services.config.limits.ws_rooms,
    };
    let chatter = Chatter { person: asker.person.as_ref().map(|person| person.id), browser: place.number(), address };
    let pace = Pace::new(services.config.limits.ws_messages_per_second, Clock::now());
    let pings = Pings::of(&services.config.limits);
    let (shutdown, meters) = (services.shutdown.clone(), services.meters.clone());
    tokio::spawn(async move {
        // An error is a peer that went before the answer.
        let Ok(upgraded) = upgrade.await else { return };
        let mut session = Session::new(ports, &asker, chatter);
        drop(asker);
        session.look_at_session().await;
        let (io, early) = Io::of(upgraded, meters.frames.clone());
        if let Some(direct) = io.direct() {
            session.attach(direct);
        }
        let socket = WebSocketStream::from_partially_read(io, early, Role::Server, Some(buffers())).await;
        serve(Connection { socket, pace, too_fast: 0, pings, meters }, session, shutdown).await;
        drop(place);
    });
    let mut response = response.into_response();
    if let Some((_, cookie)) = visitor {
        set_cookie(&mut response, cookie);
    }
    response
}

fn buffers() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(CLIENT_MESSAGE_MAX))
        .max_frame_size(Some(CLIENT_MESSAGE_MAX))
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
}

struct Connection {
    socket: WebSocketStream<Io>,
    pace: Pace,
    too_fast: u32,
    pings: Pings,
    meters: Meters,
}

/// How a peer that is gone without a word is found.
#[derive(Clone, Copy)]
struct Pings {
    every: Duration,
    /// A peer that says nothing for this long after a ping is gone.
    answered_within: Duration,
}

impl Pings {
    fn of(limits: &Limits) -> Self {
        Self { every: Duration::from_secs(limits.ws_ping_s), answered_within: Duration::from_secs(limits.ws_pong_s) }
    }
}

/// Why the server ends a connection.
type Goodbye = (CloseCode, &'static str);

const GONE: Option<Goodbye> = None;
const STOPPING: Option<Goodbye> = Some((CloseCode::Restart, "the server stops"));
const RESUME: Option<Goodbye> = Some((CloseCode::Library(CLOSE_RESUME), "come back and go on"));

async fn serve(mut connection: Connection, mut session: Session, shutdown: Shutdown) {
    let goodbye = converse(&mut connection, &mut session, shutdown).await;
    // Everything is left before the goodbye, however long the peer takes for its own.
    drop(session);
    if let Some((code, reason)) = goodbye {
        if u16::from(code) == CLOSE_RESUME {
            connection.meters.resumed.increment(1);
        }
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        if in_time(connection.socket.send(close)).await {
            let rest = async { while let Some(Ok(_)) = connection.socket.next().await {} };
            let _ = timeout(CLOSE_WAIT, rest).await;
        }
    }
}

/// Reads and writes until the end; gives what to say then, or nothing when there is nobody to say it to.
async fn converse(connection: &mut Connection, session: &mut Session, mut shutdown: Shutdown) -> Option<Goodbye> {
    let mut heard = Instant::now();
    let mut asked = None;
    let pings = connection.pings;
    let mut deadline = pin!(sleep_until(heard + pings.every));
    loop {
        let owed = session.owed();
        if !owed.is_empty() && !connection.write(owed).await {
            return GONE;
        }
        tokio::select! {
            frames = session.next() => match frames {
                Ok(frames) => {
                    if !connection.write(frames).await {
                        return GONE;
                    }
                }
                Err(_) if shutdown.is_requested() => return STOPPING,
                Err(_) => return RESUME,
            },
            message = connection.socket.next() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(text))) => {
                        // What it is told because of this comes after what it is owed.
                        session.hold();
                        if let Some(goodbye) = connection.hear(session, text).await {
                            return Some(goodbye);
                        }
                    }
                    Some(Ok(Message::Binary(_))) => return Some((CloseCode::Unsupported, "text only")),
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    // The peer closed, or broke the protocol: there is nobody to tell.
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return GONE,
                }
            }
            () = &mut deadline => {
                let next = match asked.take() {
                    Some(at) if heard < at => return GONE,
                    Some(at) => at + pings.every,
                    None => {
                        if !in_time(connection.socket.send(Message::Ping(Bytes::new()))).await {
                            return GONE;
                        }
                        let now = Instant::now();
                        asked = Some(now);
                        now + pings.answered_within
                    }
                };
                deadline.as_mut().reset(next);
            }
            () = shutdown.requested() => return STOPPING,
        }
    }
}

impl Connection {
    /// Takes in one message; gives how the connection ends because of it. Boxed by a plain function, so that what messages need
    /// while they are handled is no part of an idle connection.
    fn hear<'a>(&'a mut self, session: &'a mut Session, text: Utf8Bytes) -> BoxFuture<'a, Option<Goodbye>> {
        Box::pin(async move {
            let message = Session::read(&text);
            let cost = message.as_ref().map_or(1.0, Session::cost);
            if !self.pace.take(cost, Clock::now()) {
                self.too_fast += 1;
                if self.too_fast > TOO_FAST_MAX {
                    return Some((CloseCode::Policy, "too many messages"));
                }
                session.refuse(Refusal::TooFast);
                return None;
            }
            match message {
                Some(message) => session.message(message).await,
                None => session.refuse(Refusal::Malformed),
            }
            None
        })
    }

    /// Writes frames, as many of them as fit into one of the socket's each time, after the rest of what was written in part; false
    /// when the connection is over.
    async fn write(&mut self, frames: Vec<Frame>) -> bool {
        let mut rest = frames.as_slice();
        loop {
            let next = Frame::join(rest, FRAME_BYTES_MAX);
            let message = next.as_ref().map(|(frame, _)| frame.message());
            if !in_time(written(&mut self.socket, message)).await {
                return false;
            }
            let Some((_, count)) = next else { return true };
            self.meters.frames.increment(1);
            rest = rest.get(count..).unwrap_or_default();
            if rest.is_empty() {
                return true;
            }
        }
    }
}

/// Writes a whole message past the library, which would copy it and keep as much memory for the next.
async fn written(socket: &mut WebSocketStream<Io>, message: Option<&Bytes>) -> Result<(), Error> {
    socket.flush().await?;
    let io = socket.get_mut();
    if let Some(message) = message {
        io.write_all(message).await?;
    }
    io.flush().await?;
    Ok(())
}

async fn in_time(writing: impl Future<Output = Result<(), Error>>) -> bool {
    matches!(timeout(WRITE_MAX, writing).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_small() {
        let size = size_of_future(serve);
        assert!(size <= 4 * 1024, "{size} bytes");
    }
}
