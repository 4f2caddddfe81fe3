//! The socket of a connection: what its peer takes is counted, and a pace that has fallen behind is found anew.
//!
//! A live stream is sent as it comes, so its connection seldom shows what the path would carry. Where losses decide the pace (CUBIC, RENO),
//! one per cent of them over 80 ms leaves 1.7 Mbit/s. BBR does not mind losses, but it remembers a rate for ten round trips, and after
//! that takes the first it sees while something waits, which after a hold or a loss can be the rate of the smallest pictures; then a key frame
//! waits for a second or two. So sockets are given BBR where the system has it, and a stream's socket that is late measures its path from
//! the start, as the connection of a viewer who comes back would.

use super::deadline::Alarm;
use metrics::Counter;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

/// A stream's socket that has taken nothing for so long is late.
const LATE: Duration = Duration::from_millis(100);
/// After a pace was found anew, it stands for so long. A path that carries less than the stream is late again at once: each time the pace
/// stands for twice as long, and up to [`REST_MAX`].
const REST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(64);

/// What is known of a connection. Clones look at the same one.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    taken: AtomicU64,
    streams: AtomicBool,
}

impl Progress {
    /// Bytes that the peer's side has taken so far, TLS' own among them.
    pub fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }

    /// From now on a live stream is among what is sent: being late matters. Other answers are sent as fast as the path takes them, and wait
    /// all the time.
    pub fn streams(&self) {
        self.0.streams.store(true, Ordering::Relaxed);
    }

    fn has_stream(&self) -> bool {
        self.0.streams.load(Ordering::Relaxed)
    }

    fn took(&self, bytes: usize) {
        self.0.taken.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// When a late socket measures its path from the start.
#[derive(Debug)]
struct Pace {
    /// Since when nothing has been taken; none while something is.
    late_since: Option<Instant>,
    found: Option<Instant>,
    rest: Duration,
}

impl Pace {
    const fn new() -> Self {
        Self { late_since: None, found: None, rest: REST }
    }

    /// Nothing is taken at `now`: when to find the pace anew, if nothing is taken until then.
    fn due(&mut self, now: Instant) -> Instant {
        let late = *self.late_since.get_or_insert(now) + LATE;
        self.found.map_or(late, |found| late.max(found + self.rest))
    }

    /// The pace was found anew at `now`.
    fn found(&mut self, now: Instant) {
        let in_vain = self.found.is_some_and(|found| now.duration_since(found) < self.rest * 2);
        self.rest = if in_vain { REST_MAX.min(self.rest * 2) } else { REST };
        self.found = Some(now);
    }
}

/// A connection's socket.
#[derive(Debug)]
pub struct Line {
    socket: TcpStream,
    progress: Progress,
    /// None where the system has no pace that could be found anew.
    pace: Option<Pace>,
    alarm: Alarm,
    found_anew: Counter,
}

impl Line {
    /// Gives the socket BBR, where the system has it. `found_anew` counts how often a pace was.
    pub fn new(socket: TcpStream, found_anew: Counter) -> Self {
        let pace = bbr::choose(&socket).ok().map(|()| Pace::new());
        Self { socket, progress: Progress::default(), pace, alarm: Alarm::default(), found_anew }
    }

    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    pub const fn socket(&self) -> &TcpStream {
        &self.socket
    }

    pub fn into_socket(self) -> TcpStream {
        self.socket
    }

    /// Looks at how a write went.
    fn settle(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &polled {
            self.progress.took(*bytes);
        }
        let Some(pace) = &mut self.pace else { return polled };
        if polled.is_ready() {
            pace.late_since = None;
            return polled;
        }
        while self.progress.has_stream() && self.alarm.rings(pace.due(Instant::now()), cx) {
            pace.found(Instant::now());
            self.found_anew.increment(1);
            if let Err(error) = bbr::begin(&self.socket) {
                tracing::debug!(%error, "a late connection keeps its pace");
            }
        }
        polled
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.socket).poll_write(cx, buf);
        this.settle(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.socket).poll_write_vectored(cx, bufs);
        this.settle(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

/// Whether the system has BBR for our sockets.
pub fn has_bbr() -> bool {
    bbr::is_there().unwrap_or(false)
}

#[cfg(any(target_os = "android", target_os = "linux"))]
mod bbr {
    use socket2::{Domain, SockRef, Socket, Type};
    use std::io;
    use tokio::net::TcpStream;

    /// `TCP_CONGESTION`'s name of BBR (tcp(7)).
    const BBR: &[u8] = b"bbr";
    /// What every Linux has, and lets everyone have.
    const RENO: &[u8] = b"reno";

    pub(super) fn is_there() -> io::Result<bool> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        Ok(socket.set_tcp_congestion(BBR).is_ok())
    }

    pub(super) fn choose(socket: &TcpStream) -> io::Result<()> {
        SockRef::from(socket).set_tcp_congestion(BBR)
    }

    /// Forgets what was measured: a socket that is given what it has already keeps it, so it is given another before. How much may be under
    /// way is kept, and sent at the pace of a beginning.
    pub(super) fn begin(socket: &TcpStream) -> io::Result<()> {
        SockRef::from(socket).set_tcp_congestion(RENO)?;
        choose(socket)
    }
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
mod bbr {
    use std::io;
    use tokio::net::TcpStream;

    pub(super) fn is_there() -> io::Result<bool> {
        Ok(false)
    }

    pub(super) fn choose(_: &TcpStream) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn begin(socket: &TcpStream) -> io::Result<()> {
        choose(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        time::advance,
    };

    const MS: Duration = Duration::from_millis(1);

    /// The line, and its peer, who takes nothing until it reads.
    async fn connected() -> (Line, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let mut line = Line::new(server.expect("accepted").0, Counter::noop());
        line.pace.get_or_insert_with(Pace::new);
        (line, client.expect("connected"))
    }

    /// Writes until nothing more is taken.
    async fn fill(line: &mut Line) {
        poll_fn(|cx| {
            while let Poll::Ready(written) = Pin::new(&mut *line).poll_write(cx, &[0; 64 * 1024]) {
                written.expect("open");
            }
            Poll::Ready(())
        })
        .await;
    }

    fn found(line: &Line) -> Option<Instant> {
        line.pace.as_ref().and_then(|pace| pace.found)
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_stream_finds_its_pace_anew_and_goes_on() {
        let (mut line, mut peer) = connected().await;
        line.progress().streams();
        fill(&mut line).await;
        advance(LATE - 10 * MS).await;
        fill(&mut line).await;
        assert_eq!(found(&line), None, "not late yet");
        // The kernel may take some more for a while.
        while found(&line).is_none() {
            advance(10 * MS).await;
            fill(&mut line).await;
        }
        #[cfg(target_os = "linux")]
        if has_bbr() {
            let name = socket2::SockRef::from(line.socket()).tcp_congestion().expect("readable");
            assert!(name.starts_with(b"bbr"), "{name:?}");
        }
        let (before, mut taken) = (line.progress().taken(), vec![0; 64 * 1024]);
        let reading = tokio::spawn(async move { while peer.read(&mut taken).await.expect("open") > 0 {} });
        line.write_all(b"more").await.expect("it is taken again");
        assert_eq!(line.progress().taken(), before + 4);
        drop(line);
        reading.await.expect("the rest came");
    }

    #[tokio::test(start_paused = true)]
    async fn the_task_is_woken_when_its_stream_is_late() {
        let (mut line, _peer) = connected().await;
        line.progress().streams();
        fill(&mut line).await;
        poll_fn(|cx| {
            let polled = Pin::new(&mut line).poll_write(cx, &[0; 1024]);
            assert!(polled.is_pending());
            if found(&line).is_some() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn other_answers_are_never_late() {
        let (mut line, _peer) = connected().await;
        fill(&mut line).await;
        advance(LATE * 100).await;
        fill(&mut line).await;
        assert_eq!(found(&line), None);
    }

    #[test]
    fn a_path_that_carries_less_than_the_stream_is_measured_less_and_less_often() {
        let (mut pace, begun) = (Pace::new(), Instant::now());
        let mut now = pace.due(begun);
        assert_eq!(now, begun + LATE);
        let mut rests = Vec::new();
        for _ in 0..9 {
            pace.found(now);
            rests.push((pace.due(now) - now).as_secs());
            now = pace.due(now);
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        // It was not late for long enough: the next time is a first time.
        pace.late_since = None;
        now += REST_MAX * 2;
        assert_eq!(pace.due(now), now + LATE);
        pace.found(now);
        assert_eq!(pace.rest, REST);
    }
}
