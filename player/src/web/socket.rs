//! The stream over a WebSocket: the same bytes, where no request finds a connection.

use super::{Inner, feed};
use crate::engine::{Answer, Input};
use bytes::Bytes;
use js_sys::{ArrayBuffer, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};

/// A close with this code is the broadcast's end (RFC 6455 §7.4.1).
const NORMAL: u16 = 1000;

/// A socket that is open or opening. Dropping it closes it.
pub(super) struct Socket {
    pub connection: u32,
    socket: WebSocket,
    _heard: Closure<dyn Fn(Event)>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        for event in [WebSocket::set_onopen, WebSocket::set_onmessage, WebSocket::set_onclose] {
            event(&self.socket, None);
        }
        // Fails for a wrong code alone.
        let _ = self.socket.close();
    }
}

/// Asks for the stream. `None` when that cannot even be done; the engine's deadline deals with it.
pub(super) fn open(inner: &Rc<Inner>, connection: u32) -> Option<Socket> {
    // `new URL` makes it whole; its scheme is http or https.
    let url = web_sys::Url::new_with_base(&inner.url, &inner.window.location().href().ok()?).ok()?.href();
    let socket = WebSocket::new(&format!("ws{}", url.strip_prefix("http")?)).ok()?;
    socket.set_binary_type(BinaryType::Arraybuffer);
    let weak = Rc::downgrade(inner);
    let heard = Closure::<dyn Fn(Event)>::new(move |event: Event| {
        let input = if let Some(message) = event.dyn_ref::<MessageEvent>() {
            let Some(inner) = weak.upgrade() else { return };
            match message.data().dyn_into::<ArrayBuffer>() {
                Ok(bytes) if inner.wants_data() => {
                    Input::Bytes { connection, bytes: Bytes::from(Uint8Array::new(&bytes).to_vec()) }
                }
                // A socket cannot be told to wait. Who has enough asks again later, and is sent the newest.
                _ => {
                    inner.drop_request(connection);
                    Input::Closed { connection, clean: false }
                }
            }
        } else if let Some(close) = event.dyn_ref::<CloseEvent>() {
            Input::Closed { connection, clean: close.code() == NORMAL }
        } else {
            Input::Answered { connection, answer: Answer::Stream }
        };
        feed(&weak, input);
    });
    let call = Some(heard.as_ref().unchecked_ref());
    for event in [WebSocket::set_onopen, WebSocket::set_onmessage, WebSocket::set_onclose] {
        event(&socket, call);
    }
    Some(Socket { connection, socket, _heard: heard })
}
