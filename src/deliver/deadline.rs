//! Gives up on a socket that takes nothing, and on one that never says anything.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// Length of the HTTP/2 preface (RFC 9113 §3.4). hyper reads that much, or as much as differs from it, before it knows which
/// protocol it serves, and before any deadline of its own begins.
const OPENING_BYTES: usize = 24;
/// What no HTTP/1 request begins with (RFC 9113 §11.7), and every HTTP/2 connection does.
const HTTP2: &[u8; 12] = b"PRI * HTTP/2";

/// How long a connection may keep us waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// For the first bytes, from now on.
    pub opening: Duration,
    /// For a write to take at least one byte.
    pub stalled: Duration,
}

/// A stream whose operations fail with [`io::ErrorKind::TimedOut`] once the peer has kept them waiting for too long.
///
/// hyper asks a body for more only after it has drained what it has, so a body cannot notice a viewer that stopped reading; the
/// socket can. The timer wakes the connection's task, hyper writes again, and that write fails: the connection closes.
///
/// Over HTTP/2 it could not: a viewer there keeps its flow-control window shut, many in one connection, and the socket takes all that is
/// ever written. So a peer that opens with HTTP/2 is refused ([`io::ErrorKind::InvalidData`]) unless it has been agreed on
/// ([`DeadlineIo::http2`]), and then each stream is watched by itself (`http2.rs`).
///
/// `guard` is whatever must live as long as the connection does: permits, counts.
pub struct DeadlineIo<T, G = ()> {
    io: T,
    opening: Option<Opening>,
    stalled_max: Duration,
    /// Since when writes have been pending; none while they are not.
    stalled_since: Option<Instant>,
    alarm: Alarm,
    guard: G,
}

/// A timer made at the first wait, and moved only when it fires too early: a viewer that stalls a little again and again costs a timer
/// operation once per limit.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether it is `at` or later; the task is woken when it is.
    pub(super) fn rings(&mut self, at: Instant, cx: &mut Context<'_>) -> bool {
        if Instant::now() >= at {
            return true;
        }
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= at {
                return true;
            }
            timer.as_mut().reset(at);
        }
        false
    }
}

/// The peer has not said enough yet to be taken for one that speaks HTTP.
struct Opening {
    deadline: Option<Instant>,
    bytes_left: usize,
    /// How much of [`HTTP2`] it has said, while it has said nothing else.
    http2: Option<usize>,
}

impl Opening {
    /// Whether these bytes, after those before, make it a peer that speaks HTTP/2.
    fn is_http2(&mut self, bytes: &[u8]) -> bool {
        let Some(said) = self.http2 else { return false };
        let wanted = HTTP2.get(said..).unwrap_or_default();
        let compared = wanted.len().min(bytes.len());
        let same = bytes.get(..compared) == wanted.get(..compared);
        self.http2 = same.then_some(said + compared);
        same && compared == wanted.len()
    }
}

impl<T, G> DeadlineIo<T, G> {
    pub fn new(io: T, deadlines: Deadlines, guard: G) -> Self {
        // A limit too long for the clock is none.
        let deadline = Instant::now().checked_add(deadlines.opening);
        let opening = Opening { deadline, bytes_left: OPENING_BYTES, http2: Some(0) };
        Self {
            io,
            opening: Some(opening),
            stalled_max: deadlines.stalled,
            stalled_since: None,
            alarm: Alarm::default(),
            guard,
        }
    }

    /// The same for a peer with whom HTTP/2 was agreed on.
    #[must_use]
    pub fn http2(mut self) -> Self {
        if let Some(opening) = &mut self.opening {
            opening.http2 = None;
        }
        self
    }

    /// The stream without deadlines, and what must live as long.
    pub fn into_parts(self) -> (T, G) {
        (self.io, self.guard)
    }

    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// Looks at how a write went: pending too long is an error.
    fn settle<R>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.stalled_since = None;
            return polled;
        }
        let since = *self.stalled_since.get_or_insert_with(Instant::now);
        match since.checked_add(self.stalled_max) {
            Some(deadline) if self.alarm.rings(deadline, cx) => {
                let words = format!("the peer has taken nothing for {} s", self.stalled_max.as_secs_f32());
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, words)))
            }
            _ => Poll::Pending,
        }
    }

    /// Notes what was read; ends the opening after enough of it.
    fn heard(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(opening) = &mut self.opening {
            if opening.is_http2(bytes) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the peer speaks HTTP/2, which is not served here",
                ));
            }
            opening.bytes_left = opening.bytes_left.saturating_sub(bytes.len());
            if opening.bytes_left == 0 {
                (self.opening, self.alarm) = (None, Alarm::default());
            }
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin, G: Unpin> AsyncRead for DeadlineIo<T, G> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, buf);
        if polled.is_ready() {
            let refused = this.heard(buf.filled().get(before..).unwrap_or_default());
            if refused.is_err() {
                buf.set_filled(before);
            }
            return polled.map(|read| read.and(refused));
        }
        match this.opening.as_ref().and_then(|opening| opening.deadline) {
            Some(deadline) if this.alarm.rings(deadline, cx) => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer has not said anything")))
            }
            _ => Poll::Pending,
        }
    }
}

impl<T: AsyncWrite + Unpin, G: Unpin> AsyncWrite for DeadlineIo<T, G> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_write(cx, buf);
        this.settle(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_write_vectored(cx, bufs);
        this.settle(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_flush(cx);
        // A socket's flush is always done, and says nothing about what the peer takes.
        if polled.is_ready() { polled } else { this.settle(cx, polled) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_shutdown(cx);
        this.settle(cx, polled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const LIMIT: Duration = Duration::from_millis(60);
    const STALLED: Deadlines = Deadlines { opening: Duration::MAX, stalled: LIMIT };
    const OPENING: Deadlines = Deadlines { opening: LIMIT, stalled: Duration::MAX };

    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_takes_times_out() {
        let (near, _far) = duplex(16);
        let mut io = DeadlineIo::new(near, STALLED, ());
        let begun = Instant::now();
        let written = tokio::time::timeout(LIMIT * 20, io.write_all(&[0; 64])).await.expect("it ends");
        let error = written.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!((LIMIT..LIMIT * 10).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_left_alone() {
        let (near, mut far) = duplex(16);
        let mut io = DeadlineIo::new(near, STALLED, ());
        let reader = tokio::spawn(async move {
            let (mut got, mut buf) = (0, [0; 16]);
            while got < 160 {
                tokio::time::sleep(LIMIT / 3).await;
                got += far.read(&mut buf).await.expect("open");
            }
        });
        io.write_all(&[0; 160]).await.expect("each wait is short, all together are not");
        reader.await.expect("no panic");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_say_enough_times_out() {
        for said in [&b""[..], b"GET / HTTP/1.1"] {
            let (near, mut far) = duplex(64);
            let mut io = DeadlineIo::new(near, OPENING, ());
            far.write_all(said).await.expect("room enough");
            let mut heard = Vec::new();
            let read = tokio::time::timeout(LIMIT * 20, io.read_to_end(&mut heard)).await.expect("it ends");
            let error = read.expect_err("it does not go on");
            assert_eq!((error.kind(), &heard[..]), (io::ErrorKind::TimedOut, said));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn http2_is_refused_however_it_is_cut() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for cut in 0..preface.len() {
            let (near, mut far) = duplex(64);
            let mut io = DeadlineIo::new(near, OPENING, ());
            let (first, second) = preface.split_at(cut);
            far.write_all(first).await.expect("room enough");
            if (1..HTTP2.len()).contains(&cut) {
                assert_eq!(io.read(&mut [0; 32]).await.expect("not known yet"), cut);
            }
            far.write_all(second).await.expect("room enough");
            let error = io.read(&mut [0; 32]).await.expect_err("refused");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{cut}");
        }
        for other in [&b"PRI * HTTP/1.1\r\nHost: abc\r\n\r\n"[..], b"PRIDE / HTTP/1.1\r\n\r\n      "] {
            let (near, mut far) = duplex(64);
            far.write_all(other).await.expect("room enough");
            let heard = DeadlineIo::new(near, OPENING, ()).read(&mut [0; 64]).await.expect("not HTTP/2");
            assert_eq!(heard, other.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_opening_a_peer_may_be_silent() {
        let (near, mut far) = duplex(64);
        let mut io = DeadlineIo::new(near, OPENING, ());
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        far.write_all(request).await.expect("room enough");
        let mut heard = [0; 27];
        io.read_exact(&mut heard).await.expect("it came");
        let later = tokio::spawn(async move {
            tokio::time::sleep(LIMIT * 3).await;
            far.write_all(b"x").await.expect("open");
            far
        });
        io.read_exact(&mut heard[..1]).await.expect("it comes");
        let _far = later.await.expect("no panic");
    }
}
