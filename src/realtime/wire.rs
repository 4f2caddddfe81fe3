//! The bytes of one `/ws` connection. A room writes a frame for its members here, straight to their sockets, while their tasks wait
//! ([`Direct`]); whatever else there is to write, and what a socket did not take, the task writes.
//!
//! Frames never mix: what one side has written in part, that side or the task finishes before anything else is written.

use crate::deliver::{HttpStream, acceptor::ConnectionSeat};
use bytes::{Buf as _, Bytes};
use hyper::upgrade::Upgraded;
use hyper_util::{rt::TokioIo, server::conn::auto::upgrade::downcast};
use madang_domain::{Direct, Frame, Sent};
use metrics::Counter;
use socket2::SockRef;
use std::{
    io,
    net::Shutdown,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A connection's stream.
pub enum Io {
    /// A plain socket, to which rooms may write.
    Wire(Arc<Wire>),
    /// Anything else, such as TLS: the task alone writes.
    Other(TokioIo<Upgraded>),
}

impl Io {
    /// What an upgrade left, and the bytes that came with the request. Rooms' frames are counted in `frames`.
    pub fn of(upgraded: Upgraded, frames: Counter) -> (Self, Vec<u8>) {
        match downcast::<TokioIo<HttpStream>>(upgraded) {
            Ok(parts) => {
                // The deadlines were for HTTP; a WebSocket has its own. The bytes are copied, for they lie in all of hyper's buffer.
                let (line, seat) = parts.io.into_inner().into_parts();
                let stream = line.into_socket();
                let state = Mutex::new(State { rest: Bytes::new(), within: false });
                (Self::Wire(Arc::new(Wire { stream, state, frames, _seat: Some(seat) })), parts.read_buf.to_vec())
            }
            Err(upgraded) => (Self::Other(TokioIo::new(upgraded)), Vec::new()),
        }
    }

    /// By which rooms may write.
    pub fn direct(&self) -> Option<Arc<dyn Direct>> {
        match self {
            Self::Wire(wire) => Some(Arc::clone(wire) as Arc<dyn Direct>),
            Self::Other(_) => None,
        }
    }
}

/// A socket that two may write to, one after the other.
pub struct Wire {
    stream: TcpStream,
    state: Mutex<State>,
    frames: Counter,
    /// The connection's place among all; given back when it ends.
    _seat: Option<ConnectionSeat>,
}

struct State {
    /// Of a room's frame, what the socket did not take.
    rest: Bytes,
    /// The task has written something in part.
    within: bool,
}

impl Direct for Wire {
    fn send(&self, frame: &Frame) -> Sent {
        let mut state = self.lock();
        if state.within || !state.rest.is_empty() {
            return Sent::Nothing;
        }
        let message = frame.message();
        // An error shows again when the task writes, and it is the one to end the connection.
        let Ok(taken @ 1..) = self.stream.try_write(message) else { return Sent::Nothing };
        self.frames.increment(1);
        if taken >= message.len() {
            return Sent::All;
        }
        state.rest = message.slice(taken..);
        Sent::Part
    }
}

impl Wire {
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read(buf.initialize_unfilled()) {
                Ok(read) => {
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Writes the rest of a room's frame, then of `buf` what the socket takes; for an empty one, 0 bytes once the rest is written.
    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.write(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.stream.poll_write_ready(cx))?;
                }
                written => return Poll::Ready(written),
            }
        }
    }

    fn write(&self, buf: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        while !state.rest.is_empty() {
            match self.stream.try_write(&state.rest)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                taken => state.rest.advance(taken),
            }
        }
        if buf.is_empty() {
            return Ok(0);
        }
        let taken = self.stream.try_write(buf)?;
        // The task gives whole messages: what it has written all of ends with one.
        state.within = taken < buf.len();
        Ok(taken)
    }

    /// Each change to the state is one assignment, so a panic under the lock leaves it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Wire(wire) => wire.poll_read(cx, buf),
            Self::Other(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Wire(wire) => wire.poll_write(cx, buf),
            Self::Other(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Wire(wire) => wire.poll_write(cx, &[]).map_ok(|_| ()),
            Self::Other(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Wire(wire) => Poll::Ready(SockRef::from(&wire.stream).shutdown(Shutdown::Write)),
            Self::Other(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_domain::protocol::realtime::ServerEvent;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    async fn pair() -> (TcpStream, Arc<Wire>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (far, near) = tokio::join!(TcpStream::connect(address), listener.accept());
        let state = Mutex::new(State { rest: Bytes::new(), within: false });
        let stream = near.expect("accepted").0;
        stream.writable().await.expect("open");
        let wire = Wire { stream, state, frames: Counter::noop(), _seat: None };
        (far.expect("connected"), Arc::new(wire))
    }

    fn pongs(count: usize) -> Frame {
        Frame::encode(&vec![ServerEvent::Pong; count]).expect("events")
    }

    /// A room fills the socket of one who does not read, the task goes on where it stopped, and the one who reads at last gets
    /// everything that was taken, whole and in order.
    #[tokio::test]
    async fn a_frame_that_is_written_in_part_is_finished_first() {
        let (mut far, wire) = pair().await;
        let mut expected = Vec::new();
        let sent = loop {
            let frame = pongs(1_000 + expected.len() % 700);
            let sent = wire.send(&frame);
            if sent != Sent::Nothing {
                expected.extend_from_slice(frame.message());
            }
            if sent != Sent::All {
                break sent;
            }
        };
        assert_eq!(wire.send(&pongs(1)), Sent::Nothing, "{sent:?}");
        let last = pongs(50_000);
        expected.extend_from_slice(last.message());
        let mut io = Io::Wire(Arc::clone(&wire));
        let writing = tokio::spawn(async move {
            io.write_all(last.message()).await.expect("open");
            io.flush().await.expect("open");
            io
        });
        let mut got = vec![0; expected.len()];
        far.read_exact(&mut got).await.expect("all of it");
        assert!(got == expected, "the same bytes");
        let _io = writing.await.expect("no panic");
        assert_eq!(wire.send(&pongs(1)), Sent::All);
        far.read_exact(&mut got[..pongs(1).message().len()]).await.expect("one more");
    }

    /// While the task is within a message of its own, nothing comes between.
    #[tokio::test]
    async fn a_task_that_is_within_a_message_is_not_interrupted() {
        let (mut far, wire) = pair().await;
        let own = vec![7; 64 << 20];
        let mut io = Io::Wire(Arc::clone(&wire));
        let writing = tokio::spawn(async move {
            io.write_all(&own).await.expect("open");
            own.len()
        });
        far.readable().await.expect("open");
        let (mut all, mut buf) = (Vec::new(), vec![0; 1 << 20]);
        let mut between = 0;
        while all.len() < 64 << 20 {
            if wire.send(&pongs(1)) != Sent::Nothing {
                between += 1;
            }
            let read = far.read(&mut buf).await.expect("open");
            all.extend_from_slice(&buf[..read]);
        }
        assert_eq!(writing.await.expect("no panic"), 64 << 20);
        let own: usize = all.iter().take_while(|byte| **byte == 7).count();
        assert!(own == 64 << 20 || between == 0, "{own} bytes, then one of {between} frames");
    }

    #[tokio::test]
    async fn nothing_is_written_to_one_who_is_gone() {
        let (far, wire) = pair().await;
        drop(far);
        let mut io = Io::Wire(Arc::clone(&wire));
        assert_eq!(io.read(&mut [0; 8]).await.expect("an end"), 0);
        // The first write may still be taken by the system.
        while wire.send(&pongs(1)) != Sent::Nothing {
            tokio::task::yield_now().await;
        }
        assert!(io.write_all(b"x").await.is_err());
    }
}
