//! The socket itself: upgrade, deadlines, and one loop that reads, hears and writes.

use super::{
    limits::Pace,
    meters::Meters,
    session::{Ports, Session},
};
use crate::{
    Shutdown,
    config::Limits,
    state::{Services, set_cookie},
    web::client,
};
use axum::{
    extract::{
        ConnectInfo, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use madang_domain::{Chatter, Frame};
use madang_protocol::realtime::{CLIENT_MESSAGE_MAX, CLOSE_RESUME, Refusal};
use std::{
    net::SocketAddr,
    pin::pin,
    time::{Duration, Instant as Clock},
};
use tokio::time::{Instant, sleep_until, timeout};

/// One frame must be taken within this time: a full socket buffer would hold the connection's memory for ever.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// How long a close waits for the peer's own, so that what it says arrives before the connection ends.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// Bytes of events in one frame; a larger batch goes on in the next.
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// A connection sends small messages: the library's default buffers of 128 KiB would be most of its memory.
const BUFFER_BYTES: usize = 2 * 1024;
/// More than one event can have: a history of the longest messages.
const WRITE_BUFFER_MAX: usize = 16 * 1024 * 1024;
/// Messages over the pace that are refused with words before the connection is closed.
const TOO_FAST_MAX: u32 = 50;

/// `GET /ws`: checked for its origin and its address' limits, then upgraded. A browser without a cookie is given one for the
/// next time, and only reads this time: one that keeps none could not be recognised.
pub async fn upgrade(
    State(services): State<Services>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let public = &services.config.public;
    if !client::same_origin(&headers, public) {
        return (StatusCode::FORBIDDEN, "This socket is for pages of this site.\n").into_response();
    }
    let address = client::address(peer.ip(), &headers, public);
    let Some(place) = services.sockets.enter(address) else {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "30")], "Too many connections from your address.\n")
            .into_response();
    };
    let Ok(asker) = services.asker(&headers).await else {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "2")], "The server is busy.\n").into_response();
    };
    let visitor = if asker.person.is_none() { services.visitor(&headers) } else { None };
    let ports = Ports {
        domain: services.domain.clone(),
        hub: services.hub.clone(),
        meters: services.meters.clone(),
        rooms_max: services.config.limits.ws_rooms,
    };
    let chatter = Chatter { person: asker.person.as_ref().map(|person| person.id), browser: place.number(), address };
    let pace = Pace::new(services.config.limits.ws_messages_per_second, Clock::now());
    let pings = Pings::of(&services.config.limits);
    let (shutdown, meters) = (services.shutdown.clone(), services.meters.clone());
    let mut response = upgrade
        .max_message_size(CLIENT_MESSAGE_MAX)
        .max_frame_size(CLIENT_MESSAGE_MAX)
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .on_upgrade(move |socket| async move {
            let mut session = Session::new(ports, &asker, chatter);
            session.look_at_session().await;
            serve(Connection { socket, pace, too_fast: 0, pings, meters }, session, shutdown).await;
            drop(place);
        });
    if let Some((_, cookie)) = visitor {
        set_cookie(&mut response, cookie);
    }
    response
}

struct Connection {
    socket: WebSocket,
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
type Goodbye = (u16, &'static str);

const GONE: Option<Goodbye> = None;
const STOPPING: Option<Goodbye> = Some((close_code::RESTART, "the server stops"));
const RESUME: Option<Goodbye> = Some((CLOSE_RESUME, "come back and go on"));

async fn serve(mut connection: Connection, mut session: Session, shutdown: Shutdown) {
    let goodbye = converse(&mut connection, &mut session, shutdown).await;
    // Everything is left before the goodbye, however long the peer takes for its own.
    drop(session);
    if let Some((code, reason)) = goodbye {
        if code == CLOSE_RESUME {
            connection.meters.resumed.increment(1);
        }
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        if sent(&mut connection.socket, close).await {
            let rest = async { while let Some(Ok(_)) = connection.socket.recv().await {} };
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
        if !connection.write(session.owed()).await {
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
            message = connection.socket.recv() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(text))) => {
                        if let Some(goodbye) = connection.hear(session, text).await {
                            return Some(goodbye);
                        }
                    }
                    Some(Ok(Message::Binary(_))) => return Some((close_code::UNSUPPORTED, "text only")),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    // The peer closed, or broke the protocol: there is nobody to tell.
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return GONE,
                }
            }
            () = &mut deadline => {
                let next = match asked.take() {
                    Some(at) if heard < at => return GONE,
                    Some(at) => at + pings.every,
                    None => {
                        if !sent(&mut connection.socket, Message::Ping(Bytes::new())).await {
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
                    return Some((close_code::POLICY, "too many messages"));
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

    /// Writes frames, as many of them as fit into one of the socket's each time; false when the connection is over.
    async fn write(&mut self, frames: Vec<Frame>) -> bool {
        let mut rest = frames.as_slice();
        while let Some((first, others)) = rest.split_first() {
            // The common case: one frame that a room's thousand members share.
            let (bytes, count) = if others.is_empty() { (first.array(), 1) } else { joined(rest) };
            self.meters.frames.increment(1);
            let Ok(text) = Utf8Bytes::try_from(bytes) else { return false };
            if !sent(&mut self.socket, Message::Text(text)).await {
                return false;
            }
            rest = rest.get(count..).unwrap_or_default();
        }
        true
    }
}

/// The first frames in one array of at most [`FRAME_BYTES_MAX`], or the first alone; and how many they are.
fn joined(frames: &[Frame]) -> (Bytes, usize) {
    let mut bytes = 1;
    let fitting = frames.iter().take_while(|frame| {
        bytes += frame.size();
        bytes <= FRAME_BYTES_MAX
    });
    let count = fitting.count();
    let Some((first, others)) = frames.get(..count).and_then(<[Frame]>::split_first).filter(|(_, o)| !o.is_empty())
    else {
        return (frames.first().map(Frame::array).unwrap_or_default(), 1);
    };
    let mut array = Vec::with_capacity(bytes.min(FRAME_BYTES_MAX));
    array.push(b'[');
    array.extend_from_slice(first.events());
    for frame in others {
        array.push(b',');
        array.extend_from_slice(frame.events());
    }
    array.push(b']');
    (array.into(), count)
}

async fn sent(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(WRITE_MAX, socket.send(message)).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::realtime::ServerEvent;

    fn size_of_future<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_small() {
        let size = size_of_future(serve);
        assert!(size <= 4 * 1024, "{size} bytes");
    }

    #[test]
    fn frames_are_joined_as_far_as_they_fit() {
        let pong = || Frame::encode(&[ServerEvent::Pong]).expect("an event");
        let (bytes, count) = joined(&[pong(), pong(), pong()]);
        assert_eq!((&bytes[..], count), (&br#"[{"type":"pong"},{"type":"pong"},{"type":"pong"}]"#[..], 3));
        let big = Frame::encode(&vec![ServerEvent::Pong; 3000]).expect("events");
        let (bytes, count) = joined(&[big.clone(), big.clone()]);
        assert_eq!((bytes, count), (big.array(), 1));
        let huge = Frame::encode(&vec![ServerEvent::Pong; 10_000]).expect("events");
        assert!(huge.size() > FRAME_BYTES_MAX);
        let (bytes, count) = joined(&[huge.clone(), pong()]);
        assert_eq!((bytes, count), (huge.array(), 1));
        let many = vec![pong(); 5000];
        let (bytes, count) = joined(&many);
        assert!(bytes.len() <= FRAME_BYTES_MAX && count > 3500, "{count}");
        assert_eq!(serde_json::from_slice::<Vec<ServerEvent>>(&bytes).expect("an array").len(), count);
    }
}
