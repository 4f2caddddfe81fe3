//! The socket itself: upgrade, deadlines, and one loop that reads, hears and writes.

use super::{limits::Pace, session::Session};
use crate::{state::Services, web::client};
use axum::{
    extract::{
        ConnectInfo, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use madang_protocol::realtime::{CLIENT_MESSAGE_MAX, Refusal};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

/// A ping leaves this often; a peer that is gone without a word is found by the next one's missing answer.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A peer that sent nothing for this long, not even a pong, is gone.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// One frame must be taken within this time: a full socket buffer would hold the connection's memory for ever.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// How often the owner's studio is looked at for figures that change without an event.
const STUDIO_EVERY: Duration = Duration::from_secs(2);
/// A connection sends small messages: the library's default buffers of 128 KiB would be most of its memory.
const BUFFER_BYTES: usize = 4 * 1024;
/// Messages over the pace that are refused with words before the connection is closed.
const TOO_FAST_MAX: u32 = 50;

/// `GET /ws`: checked for its origin and its address' limits, then upgraded.
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
    let Some(place) = services.sockets.enter(client::address(peer.ip(), &headers, public)) else {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "30")], "Too many connections from your address.\n")
            .into_response();
    };
    let Ok(person) = services.person(&headers).await else {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "2")], "The server is busy.\n").into_response();
    };
    upgrade
        .max_message_size(CLIENT_MESSAGE_MAX)
        .max_frame_size(CLIENT_MESSAGE_MAX)
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(1024 * 1024)
        .on_upgrade(move |socket| async move {
            let session = Session::new(services.clone(), person);
            serve(socket, session, services).await;
            drop(place);
        })
}

async fn serve(mut socket: WebSocket, mut session: Session, services: Services) {
    let mut changes = services.hub.subscribe();
    let mut shutdown = services.shutdown.clone();
    let mut pace = Pace::new(services.config.limits.ws_messages_per_second, std::time::Instant::now());
    let mut too_fast = 0_u32;
    let mut heard = Instant::now();
    let mut ping = interval(PING_EVERY);
    let mut studio = interval(STUDIO_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    studio.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset();
    let close = loop {
        while let Some(frame) = session.frame() {
            if !sent(&mut socket, Message::Text(frame)).await {
                return;
            }
        }
        tokio::select! {
            message = socket.recv() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(text))) if pace.take(std::time::Instant::now()) => session.message(&text).await,
                    Some(Ok(Message::Text(_))) if too_fast < TOO_FAST_MAX => {
                        too_fast += 1;
                        session.refuse(Refusal::TooFast);
                    }
                    Some(Ok(Message::Text(_))) => break (close_code::POLICY, "too many messages"),
                    Some(Ok(Message::Binary(_))) => break (close_code::UNSUPPORTED, "text only"),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    // The peer closed, or broke the protocol: there is nobody to tell.
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                }
            }
            change = changes.recv() => match change {
                Ok(change) => {
                    session.change(&change).await;
                    // What has come meanwhile rides in the same frame.
                    while let Ok(change) = changes.try_recv() {
                        session.change(&change).await;
                    }
                }
                Err(RecvError::Lagged(_)) => session.everything().await,
                Err(RecvError::Closed) => break (close_code::RESTART, "the server stops"),
            },
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    return;
                }
                if !sent(&mut socket, Message::Ping(Default::default())).await {
                    return;
                }
            }
            _ = studio.tick(), if session.has_studio() => session.studios().await,
            () = shutdown.requested() => break (close_code::RESTART, "the server stops"),
        }
    };
    let (code, reason) = close;
    sent(&mut socket, Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}

async fn sent(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(WRITE_MAX, socket.send(message)).await, Ok(Ok(())))
}
