//! One encoder's or player's connection: moves bytes between the socket, the chunk reader and the session, asks the gate, keeps the
//! deadlines.

use super::{
    chunk::ChunkReader,
    error::{Deadline, End, Refused},
    gate::{Attention, Gate, Outlet, PlayRefusal, PlayRequest, Program, PublishRequest, Refusal, TurnedAway},
    handshake,
    limits::{RtmpLimits, WrongKeys},
    session::{Action, Session},
    words,
};
use crate::{
    addresses::{AddressLimit, AddressSeat, Bound, Seat},
    live::Delivery,
};
use bytes::BytesMut;
use madang_media::flv::{self, Item};
use madang_protocol::RoomId;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
    time::{Instant, Sleep, sleep_until, timeout},
};

/// Read buffer grown to, in bytes: some frames at once at usual bitrates.
const READ_BYTES: usize = 32 * 1024;
/// For who watches there is nothing that it has to send in time; what it does not take ends it, or the broadcast's end does.
const NO_DEADLINE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What all connections of a listener share.
pub struct Shared<P> {
    pub gate: Arc<dyn Gate<P>>,
    pub limits: RtmpLimits,
    pub wrong_keys: WrongKeys,
    pub players: Players,
}

/// Those who watch over this port, within their own bounds.
pub struct Players {
    all: Bound<()>,
    addresses: AddressLimit,
}

impl Players {
    pub fn new(limits: &RtmpLimits) -> Self {
        Self { all: Bound::new(limits.players), addresses: AddressLimit::new(limits.players_per_address) }
    }

    fn take(&self, address: IpAddr) -> Option<(Seat<()>, AddressSeat)> {
        Some((self.all.take(())?, self.addresses.take(address)?))
    }
}

/// Resolves when the server stops, or when nobody is left to say so.
pub async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// Serves an accepted connection to its end.
pub async fn serve<S, P>(mut socket: S, from: SocketAddr, shared: &Shared<P>, mut shutdown: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    P: Outlet,
{
    let started = Instant::now();
    let shaken = tokio::select! {
        shaken = handshake::accept(&mut socket, shared.limits.handshake) => shaken,
        () = stopped(&mut shutdown) => Err(End::Shutdown),
    };
    let input = match shaken {
        Ok(input) => input,
        Err(end) => {
            tell_of(shared, &end, false, TurnedAway::by(from));
            return report(from, "", None, &end);
        }
    };
    let mut connection = Connection {
        received: input.len() as u64,
        input,
        socket,
        from,
        shared,
        shutdown,
        chunks: ChunkReader::new(shared.limits.stranger()),
        session: Session::new(from, &shared.limits, started.into_std()),
        published: None,
        room: None,
        outlet: None,
        watched: None,
    };
    let end = connection.run(started).await;
    connection.part(end).await;
}

struct Connection<'a, S, P> {
    socket: S,
    from: SocketAddr,
    shared: &'a Shared<P>,
    shutdown: watch::Receiver<bool>,
    input: BytesMut,
    received: u64,
    chunks: ChunkReader,
    session: Session,
    /// Since when this connection publishes, kept for the log when it ends.
    published: Option<Instant>,
    /// The room of the key that the encoder came with.
    room: Option<RoomId>,
    outlet: Option<P>,
    watched: Option<Watched>,
}

/// A player may wait for this long. Nothing is written to it meanwhile, so nothing else tells that it is gone.
const PAUSE_MAX: Duration = Duration::from_secs(10 * 60);

/// What a player is shown.
struct Watched {
    program: Box<dyn Program>,
    tags: flv::Reader,
    paused: bool,
    /// It has been given something.
    begun: bool,
    /// It was not given something, so it begins anew at the next picture that can be begun with.
    stale: bool,
    _places: (Seat<()>, AddressSeat),
}

/// What one round over the input found out about time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pulse {
    Nothing,
    Media,
    /// Publishing or watching ended; the peer has as long as a new one.
    Ended,
    /// Watching began, or goes on.
    Watching,
    /// The player wants nothing for a while.
    Paused,
}

impl<S, P> Connection<'_, S, P>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    P: Outlet,
{
    /// Runs until something ends the connection; never says why to the peer, [`Self::part`] does.
    async fn run(&mut self, started: Instant) -> End {
        let limits = &self.shared.limits;
        let mut deadline = pin!(sleep_until(started + limits.first_media));
        let mut kind = Deadline::FirstMedia;
        loop {
            match self.take_input(deadline.as_mut()).await {
                Ok(Pulse::Nothing) => {}
                Ok(Pulse::Media) => {
                    kind = Deadline::Idle;
                    deadline.as_mut().reset(Instant::now() + limits.idle);
                }
                Ok(Pulse::Ended) => {
                    kind = Deadline::FirstMedia;
                    deadline.as_mut().reset(Instant::now() + limits.first_media);
                }
                Ok(Pulse::Watching) => deadline.as_mut().reset(Instant::now() + NO_DEADLINE),
                Ok(Pulse::Paused) => deadline.as_mut().reset(Instant::now() + PAUSE_MAX),
                Err(end) => return end,
            }
            if let Err(end) = self.write_output().await {
                return end;
            }
            if self.input.capacity() - self.input.len() < READ_BYTES / 4 {
                self.input.reserve(READ_BYTES);
            }
            let attention = async {
                match self.outlet.as_mut() {
                    Some(outlet) => outlet.attention().await,
                    None => std::future::pending().await,
                }
            };
            let delivery = async {
                match self.watched.as_mut() {
                    // Also while it waits: the end of the broadcast, or of the leave to watch it, ends it.
                    Some(watched) => watched.program.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                read = self.socket.read_buf(&mut self.input) => match read {
                    Ok(0) => return End::ByEncoder,
                    Ok(count) => {
                        self.received += count as u64;
                        self.session.received(self.received);
                    }
                    Err(error) => return io_end(error),
                },
                attention = attention => match attention {
                    Attention::Due => if let Some(outlet) = self.outlet.as_mut() { outlet.flush() },
                    Attention::Cut(cut) => return End::Cut(cut),
                },
                delivery = delivery => {
                    if let Err(end) = self.show(&delivery).await {
                        return end;
                    }
                }
                () = deadline.as_mut() => {
                    return if self.watched.is_some() { End::Played } else { End::TooLate(kind) };
                }
                () = stopped(&mut self.shutdown) => return End::Shutdown,
            }
        }
    }

    /// Hands on what a player is shown next, and waits until its socket has taken it.
    async fn show(&mut self, delivery: &Delivery) -> Result<(), End> {
        let Some(watched) = self.watched.as_mut() else { return Ok(()) };
        match delivery {
            Delivery::Ended => return Err(End::Played),
            Delivery::Skipped(_) => return Ok(()),
            _ if watched.paused => {
                watched.stale = true;
                return Ok(());
            }
            Delivery::Flight(flight) if watched.stale && flight.joinable => {
                let headers = if watched.begun { &flight.headers.change } else { &flight.headers.first };
                watched.tags.push(headers.clone());
                watched.tags.push(flight.bytes.clone());
                (watched.stale, watched.begun) = (false, true);
            }
            _ if watched.stale => return Ok(()),
            Delivery::Headers { .. } | Delivery::Flight(_) => {
                if let Some(bytes) = delivery.flv() {
                    watched.tags.push(bytes.clone());
                }
                watched.begun = true;
            }
        }
        loop {
            match watched.tags.next() {
                Ok(Some(Item::Tag(tag))) => self.session.show(&tag),
                Ok(Some(Item::Header { .. })) => {}
                Ok(None) => break,
                // We have framed them ourselves.
                Err(error) => {
                    tracing::error!(%error, "a flight is not FLV");
                    return Err(End::Played);
                }
            }
        }
        let sent = self.write_output().await?;
        if let Some(watched) = self.watched.as_mut() {
            watched.program.took(sent);
        }
        Ok(())
    }

    /// Handles every whole message in the input.
    async fn take_input(&mut self, mut deadline: Pin<&mut Sleep>) -> Result<Pulse, End> {
        let mut pulse = Pulse::Nothing;
        let now = Instant::now().into_std();
        while let Some(message) = self.chunks.next(&mut self.input)? {
            self.session.receive(message, now)?;
            while let Some(action) = self.session.next_action() {
                match action {
                    Action::Tag(tag) => {
                        if tag.kind != flv::TagKind::Script {
                            pulse = Pulse::Media;
                        }
                        if let Some(outlet) = self.outlet.as_mut() {
                            outlet.push(tag).map_err(End::Cut)?;
                        }
                    }
                    Action::Ask(request) => self.ask(request, deadline.as_mut()).await?,
                    Action::Unpublish => {
                        self.unpublish(&"the encoder ended its stream");
                        pulse = Pulse::Ended;
                    }
                    Action::Play(request) => {
                        if self.watch(request, deadline.as_mut()).await? {
                            pulse = Pulse::Watching;
                        }
                    }
                    Action::Pause(on) => {
                        if let Some(watched) = self.watched.as_mut() {
                            watched.paused = on;
                            pulse = if on { Pulse::Paused } else { Pulse::Watching };
                        }
                    }
                    Action::Leave => {
                        self.watched = None;
                        pulse = Pulse::Ended;
                    }
                    Action::Close(end) => return Err(end),
                }
            }
        }
        Ok(pulse)
    }

    async fn ask(&mut self, request: PublishRequest, deadline: Pin<&mut Sleep>) -> Result<(), End> {
        let address = self.from.ip();
        let now = Instant::now().into_std();
        if let Some(wait) = self.shared.wrong_keys.locked(address, now) {
            self.session.refuse(Refused::Locked, wait.as_secs() + 1);
            return Ok(());
        }
        let answer = tokio::select! {
            answer = self.shared.gate.publish(request) => answer,
            () = deadline => return Err(End::TooLate(Deadline::FirstMedia)),
            () = stopped(&mut self.shutdown) => return Err(End::Shutdown),
        };
        match answer {
            Ok(outlet) => {
                self.room = outlet.room();
                self.outlet = Some(outlet);
                self.published = Some(Instant::now());
                self.chunks.set_limits(self.shared.limits.publisher());
                self.session.granted();
                tracing::info!(from = %self.from, encoder = self.session.encoder(), "an encoder publishes");
            }
            Err(refusal) => {
                if let Refusal::Revoked { room, .. } = refusal {
                    self.room = Some(room);
                }
                if refusal.is_wrong_key() && self.shared.wrong_keys.wrong(address, now) {
                    tracing::warn!(from = %self.from, "too many wrong stream keys: this address is locked for a while");
                }
                self.session.refuse(Refused::Key(refusal), 0);
            }
        }
        Ok(())
    }

    /// Whether the player may watch; it has been told.
    async fn watch(&mut self, request: PlayRequest, deadline: Pin<&mut Sleep>) -> Result<bool, End> {
        let Some(places) = self.shared.players.take(self.from.ip()) else {
            self.session.refuse(Refused::Play(PlayRefusal::TooMany), 0);
            return Ok(false);
        };
        let answer = tokio::select! {
            answer = self.shared.gate.play(request) => answer,
            () = deadline => return Err(End::TooLate(Deadline::FirstMedia)),
            () = stopped(&mut self.shutdown) => return Err(End::Shutdown),
        };
        match answer {
            Ok(program) => {
                let tags = flv::Reader::new();
                let watched = Watched { program, tags, paused: false, begun: false, stale: false, _places: places };
                self.watched = Some(watched);
                self.session.playing();
                tracing::debug!(from = %self.from, player = self.session.encoder(), "a player watches over RTMP");
                Ok(true)
            }
            Err(refusal) => {
                self.session.refuse(Refused::Play(refusal), 0);
                Ok(false)
            }
        }
    }

    /// Drops the outlet, which ends the stream, and says so in the log.
    fn unpublish(&mut self, why: &dyn std::fmt::Display) {
        self.outlet = None;
        self.chunks.set_limits(self.shared.limits.stranger());
        if let Some(since) = self.published.take() {
            tracing::info!(
                from = %self.from, encoder = self.session.encoder(), seconds = since.elapsed().as_secs(),
                bytes = self.received, %why, "a publisher is gone"
            );
        }
    }

    /// Gives how many bytes there were.
    async fn write_output(&mut self) -> Result<usize, End> {
        let bytes = self.session.take_output();
        if bytes.is_empty() {
            return Ok(0);
        }
        let write = async {
            self.socket.write_all(&bytes).await?;
            // Over TLS what is written may wait until it is.
            self.socket.flush().await
        };
        match timeout(self.shared.limits.write, write).await {
            Ok(Ok(())) => Ok(bytes.len()),
            Ok(Err(error)) => Err(io_end(error)),
            Err(_) => Err(End::TooLate(Deadline::Write)),
        }
    }

    /// Ends the stream at once, then tells the encoder why and gives it a moment to read that.
    async fn part(mut self, end: End) {
        match &end {
            End::Cut(cut) => self.session.cut(*cut),
            End::Played => self.session.played(),
            End::Shutdown => self.session.tell(&words::shutdown()),
            End::TooLate(Deadline::FirstMedia | Deadline::Idle) => self.session.tell(&words::idle()),
            _ => {}
        }
        self.watched = None;
        let published = self.published;
        if published.is_some() {
            self.unpublish(&end);
        }
        let who = TurnedAway {
            encoder: self.session.encoder().to_owned(),
            room: self.room,
            detail: self.session.detail().to_owned(),
            ..TurnedAway::by(self.from)
        };
        tell_of(self.shared, &end, published.is_some(), who);
        report(self.from, self.session.encoder(), published, &end);
        let heard = !matches!(end, End::ByEncoder | End::Io(_) | End::TooLate(Deadline::Write));
        if heard && self.write_output().await.is_ok() {
            farewell(&mut self.socket, self.shared.limits.farewell).await;
        }
    }
}

/// Closes our side and reads on until the peer closes too. Closing with bytes unread would reset the connection, and the peer
/// would lose the answer it has not read yet.
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut S, limit: Duration) {
    let mut scrap = [0; 4096];
    let _ = timeout(limit, async {
        socket.shutdown().await?;
        while socket.read(&mut scrap).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
}

/// A reset is how many encoders hang up.
fn io_end(error: io::Error) -> End {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => End::ByEncoder,
        _ => End::Io(error),
    }
}

/// Tells the gate of an end that somebody has to know of.
fn tell_of<P: Outlet>(shared: &Shared<P>, end: &End, published: bool, who: TurnedAway) {
    let Some(why) = end.mishap(published) else { return };
    let revoked = match end {
        End::Refused(Refused::Key(Refusal::Revoked { at, .. })) => Some(*at),
        _ => None,
    };
    shared.gate.turned_away(TurnedAway { why, revoked, ..who });
}

/// The log line of an end that [`Connection::unpublish`] has not reported.
fn report(from: SocketAddr, encoder: &str, published: Option<Instant>, end: &End) {
    if let End::Refused(refused) = end {
        metrics::counter!("madang_rtmp_refused_total", "reason" => refused.label()).increment(1);
    }
    match end {
        _ if published.is_some() => {}
        End::Refused(_) | End::Chunks(_) | End::Command(_) | End::TooManyCommands(_) => {
            tracing::warn!(%from, encoder, why = %end, "an RTMP connection was ended");
        }
        End::NotRtmp(_) | End::TooLate(_) => tracing::info!(%from, encoder, why = %end, "an RTMP connection was ended"),
        _ => tracing::debug!(%from, encoder, why = %end, "an RTMP connection was ended"),
    }
}
