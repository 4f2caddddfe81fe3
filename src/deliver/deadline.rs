//! Gives up on a socket that takes nothing.

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

/// A stream whose writes fail with [`io::ErrorKind::TimedOut`] once they have been pending for `limit` without taking a byte.
///
/// hyper asks a body for more only after it has drained what it has, so a body cannot notice a viewer that stopped reading; the
/// socket can. The timer wakes the connection's task, hyper writes again, and that write fails: the connection closes.
///
/// `guard` is whatever must live as long as the connection does: permits, counts.
pub struct DeadlineIo<T, G = ()> {
    io: T,
    limit: Duration,
    /// Since when writes have been pending; none while they are not.
    stalled_since: Option<Instant>,
    /// Made at the first stall. It is moved only when it fires too early: a viewer that stalls a little again and again costs a
    /// timer operation once per limit.
    timer: Option<Pin<Box<Sleep>>>,
    _guard: G,
}

impl<T, G> DeadlineIo<T, G> {
    pub fn new(io: T, limit: Duration, guard: G) -> Self {
        Self { io, limit, stalled_since: None, timer: None, _guard: guard }
    }

    pub fn get_ref(&self) -> &T {
        &self.io
    }

    fn settle<R>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.stalled_since = None;
            return polled;
        }
        let now = Instant::now();
        let since = *self.stalled_since.get_or_insert(now);
        // A limit too long for the clock is none.
        let Some(deadline) = since.checked_add(self.limit) else { return Poll::Pending };
        if now >= deadline {
            let words = format!("the peer has taken nothing for {} s", self.limit.as_secs_f32());
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, words)));
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= deadline {
                // It fired between the two readings of the clock: look again at once.
                cx.waker().wake_by_ref();
                break;
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl<T: AsyncRead + Unpin, G: Unpin> AsyncRead for DeadlineIo<T, G> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_read(cx, buf)
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
        this.settle(cx, polled)
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

    #[tokio::test]
    async fn a_write_that_nobody_takes_times_out() {
        let (near, _far) = duplex(16);
        let mut io = DeadlineIo::new(near, LIMIT, ());
        let begun = std::time::Instant::now();
        let error = io.write_all(&[0; 64]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!((LIMIT..LIMIT * 10).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_slow_reader_is_left_alone() {
        let (near, mut far) = duplex(16);
        let mut io = DeadlineIo::new(near, LIMIT, ());
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

    #[tokio::test]
    async fn waiting_for_the_peer_to_speak_has_no_deadline_here() {
        let (near, mut far) = duplex(16);
        let mut io = DeadlineIo::new(near, LIMIT, ());
        io.write_all(b"hello").await.expect("room enough");
        let later = tokio::spawn(async move {
            tokio::time::sleep(LIMIT * 3).await;
            far.write_all(b"x").await.expect("open");
            far
        });
        let mut buf = [0; 1];
        io.read_exact(&mut buf).await.expect("it comes");
        let _far = later.await.expect("no panic");
    }
}
