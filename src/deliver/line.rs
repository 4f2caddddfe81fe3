//! The socket of a connection: what it takes is counted, and a stream's pace that has fallen behind is found anew.
//!
//! A live stream is sent as it comes, so its connection seldom shows what the path would carry. Where losses decide the pace (CUBIC, RENO),
//! one per cent of them over 80 ms leaves 1.7 Mbit/s. BBR does not mind losses, but it remembers a rate for ten round trips, and after
//! that takes the first it sees while something waits, which after a hold or a loss can be the rate of the smallest pictures; then a key frame
//! waits for a second or two. So a connection that carries a stream is given BBR where the system has it, and when the stream waits for it, it
//! measures its path from the start, as the connection of a viewer who comes back would. Others keep what the system gives them.

use super::deadline::Alarm;
use metrics::Counter;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

/// A stream's socket that gets no room for more for so long is late. It has room again when less than half of
/// [`super::AcceptorLimits::unsent_bytes`] wait, so one with twice a usual stream's rate is not late.
const LATE: Duration = Duration::from_millis(200);
/// After a pace was found anew, it stands for so long, and for twice as long as before when that is needed again within four times as long: a
/// path that carries little more than the stream is late at each key frame.
const REST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(64);

/// What is known of a connection. Clones look at the same one.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    taken: AtomicU64,
    streams: AtomicU32,
}

/// A live stream is among what its connection sends, as long as it is held.
#[derive(Debug)]
pub struct Streaming(Progress);

impl Progress {
    /// Bytes that the socket has taken so far, TLS' own among them.
    pub fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }

    /// Being late matters from now on. Other answers are sent as fast as the path takes them, and wait all the time.
    #[must_use]
    pub fn stream(&self) -> Streaming {
        self.0.streams.fetch_add(1, Ordering::Relaxed);
        Streaming(self.clone())
    }

    fn has_stream(&self) -> bool {
        self.0.streams.load(Ordering::Relaxed) > 0
    }

    fn took(&self, bytes: usize) {
        self.0.taken.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// When a late socket measures its path from the start.
#[derive(Debug)]
struct Pace {
    /// Since when nothing has been taken; none while something is.
    late_since: Option<Instant>,
    found: Option<Instant>,
    /// Something was taken since. Where nothing is, the path or the peer is away, and a measure taken then is lost for nothing.
    taken_since: bool,
    rest: Duration,
}

impl Pace {
    const fn new() -> Self {
        Self { late_since: None, found: None, taken_since: true, rest: REST }
    }

    fn took(&mut self) {
        (self.late_since, self.taken_since) = (None, true);
    }

    /// Nothing is taken at `now`: when to find the pace anew, if nothing is taken until then.
    fn due(&mut self, now: Instant) -> Option<Instant> {
        let late = *self.late_since.get_or_insert(now) + LATE;
        self.taken_since.then(|| self.found.map_or(late, |found| late.max(found + self.rest)))
    }

    /// The pace was found anew at `now`.
    fn found(&mut self, now: Instant) {
        let soon = self.found.is_some_and(|found| now.duration_since(found) < self.rest * 4);
        self.rest = if soon { REST_MAX.min(self.rest * 2) } else { REST };
        (self.found, self.taken_since) = (Some(now), false);
    }
}

/// What decides how fast a connection sends.
#[derive(Debug)]
enum Control {
    /// The system, until there is a stream.
    NotYet,
    /// The system.
    Left,
    /// BBR, which begins anew when a stream is late.
    Kept(Pace),
}

/// A connection's socket.
#[derive(Debug)]
pub struct Line {
    socket: TcpStream,
    progress: Progress,
    control: Control,
    alarm: Alarm,
    found_anew: Counter,
}

impl Line {
    /// `found_anew` counts how often a pace was.
    pub fn new(socket: TcpStream, found_anew: Counter) -> Self {
        Self { socket, progress: Progress::default(), control: Control::NotYet, alarm: Alarm::default(), found_anew }
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
        if !self.progress.has_stream() {
            return polled;
        }
        if let Control::NotYet = self.control {
            let given = has_bbr() && bbr::give(&self.socket).is_ok();
            self.control = if given { Control::Kept(Pace::new()) } else { Control::Left };
        }
        let Control::Kept(pace) = &mut self.control else { return polled };
        if polled.is_ready() {
            pace.took();
            return polled;
        }
        while let Some(due) = pace.due(Instant::now())
            && self.alarm.rings(due, cx)
        {
            if let Err(error) = bbr::begin(&self.socket) {
                tracing::debug!(%error, "a late connection is left to the system");
                self.control = Control::Left;
                break;
            }
            pace.found(Instant::now());
            self.found_anew.increment(1);
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

/// Whether the system has BBR for our sockets. It is asked once: asking can make Linux load a module.
pub fn has_bbr() -> bool {
    static HAS: LazyLock<bool> = LazyLock::new(|| bbr::is_there().unwrap_or(false));
    *HAS
}

#[cfg(target_os = "linux")]
mod bbr {
    use socket2::{Domain, SockRef, Socket, Type};
    use std::io;
    use tokio::net::TcpStream;

    /// `TCP_CONGESTION`'s name of BBR (tcp(7)).
    const BBR: &[u8] = b"bbr";
    /// What every Linux has.
    const RENO: &[u8] = b"reno";

    pub(super) fn is_there() -> io::Result<bool> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        Ok(socket.set_tcp_congestion(BBR).is_ok())
    }

    pub(super) fn give(socket: &TcpStream) -> io::Result<()> {
        SockRef::from(socket).set_tcp_congestion(BBR)
    }

    /// Forgets what was measured: a socket that is given what it has already keeps it, so it is given another before. How much may be under
    /// way is kept, unless losses are being made good, and is sent at the pace of a beginning.
    pub(super) fn begin(socket: &TcpStream) -> io::Result<()> {
        SockRef::from(socket).set_tcp_congestion(RENO)?;
        give(socket)
    }
}

#[cfg(not(target_os = "linux"))]
mod bbr {
    use std::io;
    use tokio::net::TcpStream;

    pub(super) fn is_there() -> io::Result<bool> {
        Ok(false)
    }

    pub(super) fn give(_: &TcpStream) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn begin(socket: &TcpStream) -> io::Result<()> {
        give(socket)
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
        (Line::new(server.expect("accepted").0, Counter::noop()), client.expect("connected"))
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
        match &line.control {
            Control::Kept(pace) => pace.found,
            Control::NotYet | Control::Left => None,
        }
    }

    #[cfg(target_os = "linux")]
    fn name(line: &Line) -> Vec<u8> {
        socket2::SockRef::from(line.socket()).tcp_congestion().expect("readable")
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_stream_finds_its_pace_anew_and_goes_on() {
        let (mut line, mut peer) = connected().await;
        let _streaming = line.progress().stream();
        fill(&mut line).await;
        if !has_bbr() {
            assert!(matches!(line.control, Control::Left));
            return;
        }
        advance(LATE - 10 * MS).await;
        fill(&mut line).await;
        assert_eq!(found(&line), None, "not late yet");
        // The kernel may take some more for a while.
        for _ in 0..1_000 {
            advance(10 * MS).await;
            fill(&mut line).await;
        }
        assert!(found(&line).is_some());
        #[cfg(target_os = "linux")]
        assert!(name(&line).starts_with(b"bbr"), "{:?}", name(&line));
        tokio::time::resume();
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
        let _streaming = line.progress().stream();
        fill(&mut line).await;
        if has_bbr() {
            poll_fn(|cx| {
                while let Poll::Ready(written) = Pin::new(&mut line).poll_write(cx, &[0; 1024]) {
                    written.expect("open");
                }
                if found(&line).is_some() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn other_answers_are_never_late_and_keep_what_the_system_gives() {
        let (mut line, _peer) = connected().await;
        fill(&mut line).await;
        advance(LATE * 100).await;
        fill(&mut line).await;
        assert!(matches!(line.control, Control::NotYet));
        drop(line.progress().stream());
        fill(&mut line).await;
        assert!(matches!(line.control, Control::NotYet), "the stream has ended");
    }

    #[test]
    fn a_path_that_carries_little_more_than_the_stream_is_measured_less_and_less_often() {
        let (mut pace, begun) = (Pace::new(), Instant::now());
        let mut now = pace.due(begun).expect("late");
        assert_eq!(now, begun + LATE);
        let mut rests = Vec::new();
        for _ in 0..9 {
            pace.found(now);
            assert_eq!(pace.due(now), None, "nothing was taken since");
            pace.took();
            let next = pace.due(now).expect("late again");
            rests.push((next - now).as_secs());
            now = next;
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        // Not late for long enough: the next time is a first time.
        pace.took();
        now += REST_MAX * 4;
        assert_eq!(pace.due(now), Some(now + LATE));
        pace.found(now);
        assert_eq!(pace.rest, REST);
    }
}
