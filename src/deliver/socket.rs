//! `/live/{slug}.flv` over a WebSocket: the same bytes in binary messages, for browsers that have no connection left for another answer
//! without an end (six an origin over HTTP/1.1). FLV is read in any pieces, so messages do not follow its tags.

use super::body::FlvBody;
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::server::create_response_with_body,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// Bytes of media in one message; what is written is copied once, so this is a viewer's memory.
const MESSAGE_BYTES: usize = 16 * 1024;
/// Longest message that a viewer may send: there is nothing to say but pings and a goodbye.
const HEARD_MAX: usize = 256;
const READ_BUFFER_BYTES: usize = 1024;
/// One message must be taken within this time. The connection's own deadline for those that take nothing is there as well.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// How long a close waits for the viewer's own.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// Whether the request wants a WebSocket (RFC 6455 §4.1).
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|upgrade| upgrade.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// The answer to a request for one; the media follow by themselves.
pub(super) fn answer(mut request: Request, body: FlvBody) -> Response {
    let response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => {
            return (StatusCode::BAD_REQUEST, format!("This is no WebSocket: {error}.\n")).into_response();
        }
    };
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return (StatusCode::UPGRADE_REQUIRED, "This connection cannot become a WebSocket.\n").into_response();
    };
    tokio::spawn(async move {
        // An error is a viewer that went before the answer.
        if let Ok(upgraded) = upgrade.await {
            show(upgraded, body).await;
        }
    });
    response
}

async fn show(upgraded: Upgraded, mut body: FlvBody) {
    let buffers = WebSocketConfig::default()
        .max_message_size(Some(HEARD_MAX))
        .max_frame_size(Some(HEARD_MAX))
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(buffers)).await;
    loop {
        let mut bytes = tokio::select! {
            bytes = body.next() => match bytes {
                Some(bytes) => bytes,
                None => break,
            },
            heard = socket.next() => match heard {
                Some(Ok(message)) if !message.is_close() => continue,
                _ => return,
            },
        };
        while !bytes.is_empty() {
            let message = bytes.split_to(bytes.len().min(MESSAGE_BYTES));
            if !matches!(timeout(WRITE_MAX, socket.send(Message::Binary(message))).await, Ok(Ok(()))) {
                return;
            }
        }
    }
    drop(body);
    let over = CloseFrame { code: CloseCode::Normal, reason: "the broadcast is over".into() };
    let goodbye = async {
        if socket.send(Message::Close(Some(over))).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    let _ = timeout(CLOSE_WAIT, goodbye).await;
}
