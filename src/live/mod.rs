//! Who is on the air, and the way of media from one publisher to any number of viewers.
//!
//! Tags come in through a [`Publisher`] (a lease: dropping it ends the broadcast, after a grace time), are framed and gathered into immutable
//! [`Flight`]s once, and go out by reference to every [`Subscriber`], which is a cursor on the room's ring. There is no queue
//! per viewer: who is too slow skips to a newer key frame, and the ring's bounds are the memory's. No sockets here and no
//! protocol: `rtmp` feeds it, `deliver` drains it.

mod assembler;
mod attempts;
mod bell;
mod cut;
mod flight;
mod health;
mod mark;
mod metering;
mod presence;
mod publisher;
mod quality;
mod ring;
mod stream;
mod subscriber;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod timeline;
mod tracks;

pub use attempts::Attempts;
pub use cut::Cut;
pub use flight::{Delivery, Flight, Headers, Skip};
pub use presence::{Browser, Presence, SWEEP_EVERY, Watcher};
pub use publisher::{Publisher, PublisherInfo};
pub use quality::Report;
pub use stream::StreamStatistics;
pub use subscriber::Subscriber;

use madang_domain::{CutReason, OnAir, OnAirStatus};
use madang_protocol::{KeyId, RoomId, UnixMillis, studio::Attempt};
use metering::Meters;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use stream::Stream;
use tokio::sync::broadcast;

/// Changes that a listener may be behind before it is told that it missed some.
const CHANGES_BEHIND_MAX: usize = 1024;

/// How streams are cut into flights, kept, and what slow viewers are granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveLimits {
    /// A flight is closed when it is this old; zero sends each tag by itself.
    pub flight: Duration,
    /// A flight is closed when it has this many bytes.
    pub flight_bytes: usize,
    /// What the ring keeps, on the media's own clock. The newest GOP is kept however long it is.
    pub ring: Duration,
    /// What the ring keeps at most, in bytes, whatever its GOPs are.
    pub ring_bytes: usize,
    /// A viewer further behind than this skips to a newer key frame, where there is one: at the end of its GOP, or at once when it is twice as
    /// far behind.
    pub lag: Duration,
    /// A viewer who would have to skip more often than this within a minute is ended.
    pub max_skips: u32,
    /// Sound goes on the air alone when no picture was announced for this long.
    pub sound_alone_after: Duration,
    /// What one stream may use of the uplink in bits a second before its streamer is told; 0 for no bound.
    pub plan_bps: u64,
    /// A room that is live waits this long for a publisher who is gone; zero ends it at once.
    pub grace: Duration,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            flight: Duration::from_millis(20),
            flight_bytes: 128 * 1024,
            ring: Duration::from_secs(10),
            ring_bytes: 16 * 1024 * 1024,
            lag: Duration::from_secs(3),
            max_skips: 10,
            sound_alone_after: Duration::from_millis(500),
            plan_bps: 0,
            grace: Duration::from_secs(30),
        }
    }
}

/// News about a room on the air: ask for its status again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveChange {
    pub room: RoomId,
    pub what: Change,
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An encoder has connected.
    Starting,
    /// There is something to watch.
    Live,
    /// Another encoder has taken over; those who watch go on.
    TakenOver,
    /// The encoder is gone, and its room waits for it.
    Away,
    /// It, or another one, has come back in time.
    Back,
    /// A codec configuration came.
    Tracks,
    /// How many watch; told at most twice a second a room.
    Watching,
    /// The room is off the air.
    Ended,
}

/// Why a room cannot be watched now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLive {
    #[error("nobody publishes to this room")]
    OffAir,
    #[error("an encoder is connected, and its first key frame has not come")]
    Starting { since: UnixMillis },
}

/// The rooms on the air.
///
/// The kind of lock: one `std` mutex around the map, taken when a publisher comes or goes, when a viewer joins, and for status
/// questions; never on a flight's way. It may be held while a stream's own lock is taken, never the other way round.
pub struct Live {
    limits: LiveLimits,
    rooms: Mutex<HashMap<RoomId, Arc<Stream>>>,
    changes: broadcast::Sender<LiveChange>,
    presence: Arc<Presence>,
    attempts: Attempts,
    meters: Arc<Meters>,
}

impl Live {
    /// Nothing is on the air yet. Metrics go to the recorder that is installed now.
    pub fn new(limits: LiveLimits) -> Arc<Self> {
        let (changes, _) = broadcast::channel(CHANGES_BEHIND_MAX);
        let meters = Arc::new(Meters::new());
        Arc::new(Self {
            limits,
            rooms: Mutex::default(),
            changes,
            presence: Arc::default(),
            attempts: Attempts::default(),
            meters,
        })
    }

    /// Gives the room to a publisher. One that is there already is cut, and its viewers go on with this one; so do those who wait
    /// in a room whose publisher is gone.
    pub fn publish(self: &Arc<Self>, room: RoomId, who: PublisherInfo) -> Publisher {
        let mut rooms = self.rooms();
        let (stream, granted, change) = match rooms.get(&room) {
            Some(stream) => {
                let (granted, change) = stream.take_over(who, Instant::now());
                (stream.clone(), granted, change)
            }
            None => {
                let (stream, granted) = Stream::new(room, who, &self.limits, self.meters.clone());
                let stream = Arc::new(stream);
                rooms.insert(room, stream.clone());
                self.meters.publishers.set(rooms.len() as f64);
                (stream, granted, Change::Starting)
            }
        };
        drop(rooms);
        match change {
            Change::TakenOver => self.meters.take_overs.increment(1),
            Change::Back => self.meters.resumed.increment(1),
            _ => {}
        }
        if stream.is_fought_over(Instant::now()) {
            tracing::warn!(
                %room,
                "encoders with a key of this room take it from each other again and again: stop all but one of them, or revoke the other key"
            );
        }
        self.tell(room, change);
        Publisher::new(self.clone(), stream, granted)
    }

    /// Joins the room's viewers.
    ///
    /// # Errors
    /// The room is not on the air, or not yet.
    pub fn subscribe(&self, room: RoomId) -> Result<Subscriber, NotLive> {
        let stream = self.rooms().get(&room).cloned().ok_or(NotLive::OffAir)?;
        match stream.live_since() {
            Some(_) => Ok(Subscriber::new(stream)),
            None => Err(NotLive::Starting { since: stream.publishing_since() }),
        }
    }

    /// The newest flight that starts with a key frame; `None` when the stream has no picture.
    ///
    /// # Errors
    /// The room is not on the air, or not yet.
    pub fn newest_picture(&self, room: RoomId) -> Result<Option<Arc<Flight>>, NotLive> {
        let stream = self.rooms().get(&room).cloned().ok_or(NotLive::OffAir)?;
        match stream.live_since() {
            Some(_) => Ok(stream.newest_picture()),
            None => Err(NotLive::Starting { since: stream.publishing_since() }),
        }
    }

    /// The room as it is now; the default for one that nobody publishes to.
    pub fn status(&self, room: RoomId) -> OnAirStatus {
        let stream = self.rooms().get(&room).cloned();
        stream
            .map(|stream| {
                let quality = self.presence.quality(room, Instant::now());
                OnAirStatus { watching: self.presence.watching(room), quality, ..stream.status() }
            })
            .unwrap_or_default()
    }

    /// How the room's broadcast is doing; `None` for a room that nobody publishes to.
    pub fn statistics(&self, room: RoomId) -> Option<StreamStatistics> {
        let stream = self.rooms().get(&room).cloned();
        stream.map(|stream| stream.statistics())
    }

    /// Who watches.
    pub fn presence(&self) -> &Arc<Presence> {
        &self.presence
    }

    /// Encoders that were turned away.
    pub const fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// Counts who watches, and tells where that has changed. Called every [`SWEEP_EVERY`].
    pub fn count_audience(&self, now: Instant) {
        for room in self.presence.sweep(now) {
            let stream = self.rooms().get(&room).cloned();
            if let Some(stream) = stream {
                stream.watched(self.presence.watching(room));
            }
            self.tell(room, Change::Watching);
        }
    }

    /// A browser tells how its picture does. What is not counted is no error: others are.
    pub fn told(&self, room: RoomId, browser: Browser, report: Report) {
        if self.presence.told(room, browser, report, Instant::now()) {
            self.meters.told(report);
            if let Some(stream) = self.rooms().get(&room) {
                stream.plays(&browser);
            }
        }
    }

    /// A browser says that it cannot play the room's codec.
    pub fn cannot_play(&self, room: RoomId, browser: Browser) {
        if let Some(stream) = self.rooms().get(&room) {
            stream.cannot_play(browser);
        }
    }

    /// Ends the rooms that have waited long enough for their publishers, and tells those who watch the others how long it may take.
    /// Called every [`SWEEP_EVERY`].
    pub fn tend(&self, now: Instant) {
        let mut over = Vec::new();
        let mut rooms = self.rooms();
        rooms.retain(|_, stream| {
            let stays = stream.waits(now, self.limits.grace);
            if !stays {
                over.push(stream.clone());
            }
            stays
        });
        self.meters.publishers.set(rooms.len() as f64);
        drop(rooms);
        for stream in over {
            stream.end(None);
            self.tell(stream.room, Change::Ended);
        }
    }

    /// Every change of state at once, and of viewer counts at most twice a second a room.
    pub fn changes(&self) -> broadcast::Receiver<LiveChange> {
        self.changes.subscribe()
    }

    /// Ends every broadcast because the server stops.
    pub fn shut_down(&self) {
        self.cut_where(Cut::Shutdown, |_| true);
    }

    fn cut_where(&self, why: Cut, matches: impl Fn(&Stream) -> bool) {
        let mut cut = Vec::new();
        let mut rooms = self.rooms();
        rooms.retain(|_, stream| {
            let stays = !matches(stream);
            if !stays {
                cut.push(stream.clone());
            }
            stays
        });
        self.meters.publishers.set(rooms.len() as f64);
        drop(rooms);
        for stream in cut {
            stream.end(Some(why));
            self.tell(stream.room, Change::Ended);
        }
    }

    /// The publisher has gone. If the broadcast still was its own it waits for the publisher to come back, or ends.
    fn end_lease(&self, stream: &Arc<Stream>, lease: u64) {
        let mut rooms = self.rooms();
        let own = rooms.get(&stream.room).is_some_and(|there| Arc::ptr_eq(there, stream)) && stream.holds_lease(lease);
        if !own {
            return;
        }
        if !self.limits.grace.is_zero() && stream.leave_alone(Instant::now(), self.limits.grace) {
            drop(rooms);
            self.tell(stream.room, Change::Away);
            return;
        }
        rooms.remove(&stream.room);
        self.meters.publishers.set(rooms.len() as f64);
        drop(rooms);
        stream.end(None);
        self.tell(stream.room, Change::Ended);
    }

    fn tell(&self, room: RoomId, what: Change) {
        // Nobody listening is no error.
        let _ = self.changes.send(LiveChange { room, what });
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<Stream>>> {
        // The map is whole at every step; poison says nothing about it.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnAir for Live {
    fn status(&self, room: RoomId) -> OnAirStatus {
        Self::status(self, room)
    }

    fn attempts(&self, room: RoomId, near: Option<IpAddr>) -> Vec<Attempt> {
        self.attempts.of(room, near, now())
    }

    fn stray_attempts(&self) -> Vec<Attempt> {
        self.attempts.strays(now())
    }

    fn on_air(&self) -> Vec<RoomId> {
        self.rooms().keys().copied().collect()
    }

    fn cut_room(&self, room: RoomId, why: CutReason) {
        self.cut_where(why.into(), |stream| stream.room == room);
    }

    fn cut_key(&self, key: KeyId, why: CutReason) {
        self.cut_where(why.into(), |stream| stream.uses_key(key));
    }
}

fn now() -> UnixMillis {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
