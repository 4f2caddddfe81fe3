//! One room on the air: its ring under a lock, the bell, and who publishes.

use super::{
    Change, LiveLimits, PublisherInfo,
    assembler::Continues,
    bell::{Bell, Seat},
    cut::{Cut, CutSignal},
    flight::{Delivery, Draft, Flight},
    mark,
    metering::Meters,
    presence::Browser,
    ring::{Cursor, Ring, Step},
};
use bytes::BytesMut;
use madang_domain::OnAirStatus;
use madang_media::flv::{self, TagKind};
use madang_protocol::{
    KeyId, RoomId, UnixMillis,
    studio::{AudioInfo, EncoderInfo, Health, VideoInfo},
};
use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// So many browsers are remembered that cannot play a stream.
const UNPLAYABLE_MAX: usize = 1_000;
/// Viewers who wait for a publisher are told this often how long it may take, and their connections that they live.
const REMIND_EVERY: Duration = Duration::from_secs(1);
/// Take-overs are remembered for this long …
const FIGHT_SPAN: Duration = Duration::from_secs(60);
/// … and so many of them are encoders that fight.
const FIGHT: usize = 3;

/// Shared by the publisher, the registry and every subscriber of a room, for the length of a broadcast.
///
/// The kind of lock: one `std` mutex around ring and facts. A subscriber holds it to look up one flight and clone one `Arc`
/// (tens of nanoseconds, once a flight), the publisher to append one (evicted flights are freed after it), a status question for
/// about a microsecond. Nobody waits, allocates much or calls out while holding it, so it stays short of ever being queued for;
/// and who finds nothing new does not take it at all: `head` and `ended` say so without it.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) room: RoomId,
    core: Mutex<Core>,
    /// The ring's next sequence number, stored under the lock.
    head: AtomicU64,
    ended: AtomicBool,
    viewers: AtomicU32,
    skips: AtomicU64,
    /// The most that watched at once.
    peak: AtomicU32,
    /// Browsers that cannot play it. Asked for by a browser that says so, and for the studio's status.
    unplayable: Mutex<HashSet<Browser>>,
    bell: Bell,
    meters: Arc<Meters>,
}

#[derive(Debug)]
struct Core {
    ring: Ring,
    lease: Lease,
    live: Option<UnixMillis>,
    video: Option<VideoInfo>,
    audio: Option<AudioInfo>,
    health: Option<Health>,
    received_bytes: u64,
    away: Option<Away>,
    /// When a publisher was cut for a newer one; the last few.
    take_overs: VecDeque<Instant>,
}

/// Nobody has sent anything since the publisher went.
#[derive(Clone, Copy, Debug)]
struct Away {
    since: Instant,
    reminded: Instant,
    /// Somebody holds the lease again, and has sent nothing yet.
    returning: bool,
}

/// The right to publish; a newer one ends the older.
#[derive(Debug)]
struct Lease {
    number: u64,
    info: PublisherInfo,
    cut: Arc<CutSignal>,
}

/// What a publisher is given with its lease.
pub(super) struct Granted {
    pub(super) lease: u64,
    pub(super) cut: Arc<CutSignal>,
    pub(super) continues: Continues,
}

/// What an append changed that others want to hear of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Appended {
    pub(super) went_live: Option<UnixMillis>,
}

/// A publisher's tools that are kept for their capacity; all empty between uses.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    evicted: Vec<Arc<Flight>>,
    wakers: Vec<Waker>,
}

/// How a broadcast is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamStatistics {
    /// Over the last seconds, all tracks together.
    pub bitrate_bps: u64,
    /// FLV bytes that were put into the ring since the broadcast began.
    pub received_bytes: u64,
    /// Flights since the broadcast began.
    pub flights: u64,
    /// FLV bytes that the ring holds now.
    pub held_bytes: usize,
    /// Connections that are being sent media; how many people watch is [`super::Presence`]'s to say.
    pub viewers: u32,
    /// How often a viewer was moved to a newer place.
    pub skips: u64,
}

impl Stream {
    pub(super) fn new(room: RoomId, info: PublisherInfo, limits: &LiveLimits, meters: Arc<Meters>) -> (Self, Granted) {
        let cut = Arc::new(CutSignal::default());
        let lease = Lease { number: 0, info, cut: cut.clone() };
        let core = Core {
            ring: Ring::new(limits),
            lease,
            live: None,
            video: None,
            audio: None,
            health: None,
            received_bytes: 0,
            away: None,
            take_overs: VecDeque::new(),
        };
        let stream = Self {
            room,
            core: Mutex::new(core),
            head: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            viewers: AtomicU32::new(0),
            skips: AtomicU64::new(0),
            peak: AtomicU32::new(0),
            unplayable: Mutex::default(),
            bell: Bell::default(),
            meters,
        };
        (stream, Granted { lease: 0, cut, continues: Continues::default() })
    }

    /// Hands the room to a newer publisher; the older, if it is still there, is told, and nothing more is taken from it. Says which
    /// of the two it was.
    pub(super) fn take_over(&self, info: PublisherInfo, now: Instant) -> (Granted, Change) {
        let mut core = self.core();
        let change = match &mut core.away {
            Some(away) if !away.returning => {
                away.returning = true;
                Change::Back
            }
            _ => {
                if core.take_overs.len() >= FIGHT {
                    core.take_overs.pop_front();
                }
                core.take_overs.push_back(now);
                Change::TakenOver
            }
        };
        let cut = Arc::new(CutSignal::default());
        let number = core.lease.number + 1;
        let older = std::mem::replace(&mut core.lease, Lease { number, info, cut: cut.clone() });
        (core.video, core.audio, core.health) = (None, None, None);
        let continues = Continues { edge: core.ring.edge(), epoch: core.ring.epoch() };
        older.cut.settle(Cut::TakenOver);
        drop(core);
        older.cut.tell();
        (Granted { lease: number, cut, continues }, change)
    }

    /// The publisher has gone: those who watch are told, and wait. False when there is nothing to wait for: the room was not live.
    pub(super) fn leave_alone(&self, now: Instant, grace: Duration) -> bool {
        let mut core = self.core();
        if core.live.is_none() {
            return false;
        }
        let since = core.away.map_or(now, |away| away.since);
        core.away = Some(Away { since, reminded: now, returning: false });
        (core.video, core.audio) = (None, None);
        drop(core);
        self.remind((since + grace).saturating_duration_since(now));
        true
    }

    /// Whether the room goes on: unless its publisher has been gone for `grace`. Reminds those who wait.
    pub(super) fn waits(&self, now: Instant, grace: Duration) -> bool {
        let mut core = self.core();
        let Some(away) = &mut core.away else { return true };
        let left = (away.since + grace).saturating_duration_since(now);
        if left.is_zero() && !away.returning {
            return false;
        }
        let remind = now.duration_since(away.reminded) >= REMIND_EVERY;
        if remind {
            away.reminded = now;
        }
        drop(core);
        if remind {
            self.remind(left);
        }
        true
    }

    /// Whether encoders take the room from each other again and again.
    pub(super) fn is_fought_over(&self, now: Instant) -> bool {
        self.core().fought_over(now)
    }

    fn remind(&self, left: Duration) {
        let mut core = self.core();
        let (Some(at), Some(headers)) = (core.ring.edge(), core.ring.headers()) else { return };
        let mut bytes = BytesMut::new();
        flv::write_tag(&mut bytes, TagKind::Script, at.to_stamp(), &mark::away(left));
        let bytes = bytes.freeze();
        let draft = Draft { bytes, at, end: at, starts_with_keyframe: false, joinable: false, headers };
        let mut evicted = Vec::new();
        core.ring.append(draft, Instant::now(), &mut evicted);
        self.head.store(core.ring.next_seq(), Ordering::Release);
        drop(core);
        self.bell.ring(&mut Vec::new());
    }

    /// Puts flights into the ring, in order, and wakes who waits for them. `drafts` is left empty.
    ///
    /// # Errors
    /// The lease has ended; nothing was taken.
    pub(super) fn append(
        &self,
        lease: u64,
        drafts: &mut Vec<Draft>,
        now: UnixMillis,
        scratch: &mut Scratch,
    ) -> Result<Appended, LeaseEnded> {
        let mut appended = Appended::default();
        let closed = Instant::now();
        let mut core = self.core();
        if core.lease.number != lease || self.ended.load(Ordering::Relaxed) {
            drop(core);
            drafts.clear();
            return Err(LeaseEnded);
        }
        for draft in drafts.drain(..) {
            core.received_bytes += draft.bytes.len() as u64;
            self.meters.flights.increment(1);
            self.meters.received_bytes.increment(draft.bytes.len() as u64);
            core.ring.append(draft, closed, &mut scratch.evicted);
        }
        core.away = None;
        if core.live.is_none() && core.ring.next_seq() > 0 {
            core.live = Some(now);
            appended.went_live = Some(now);
        }
        self.head.store(core.ring.next_seq(), Ordering::Release);
        drop(core);
        scratch.evicted.clear();
        self.bell.ring(&mut scratch.wakers);
        Ok(appended)
    }

    /// Says what the tracks are now; true when that is news.
    pub(super) fn describe(&self, lease: u64, video: Option<VideoInfo>, audio: Option<AudioInfo>) -> bool {
        let mut core = self.core();
        let news = core.lease.number == lease && (core.video != video || core.audio != audio);
        if news {
            (core.video, core.audio) = (video, audio);
        }
        news
    }

    /// Says how the stream comes in.
    pub(super) fn judge(&self, lease: u64, health: Option<Health>) {
        let mut core = self.core();
        if core.lease.number == lease {
            core.health = health;
        }
    }

    /// Ends the broadcast: subscribers are given what is left in the ring, and then the end.
    pub(super) fn end(&self, why: Option<Cut>) {
        let core = self.core();
        self.ended.store(true, Ordering::Release);
        let signal = core.lease.cut.clone();
        if let Some(why) = why {
            signal.settle(why);
        }
        drop(core);
        signal.tell();
        self.bell.ring(&mut Vec::new());
    }

    pub(super) fn holds_lease(&self, lease: u64) -> bool {
        self.core().lease.number == lease
    }

    pub(super) fn uses_key(&self, key: KeyId) -> bool {
        self.core().lease.info.key == key
    }

    /// Since when there has been something to watch.
    pub(super) fn live_since(&self) -> Option<UnixMillis> {
        self.core().live
    }

    /// The newest flight that starts with a key frame.
    pub(super) fn newest_picture(&self) -> Option<Arc<Flight>> {
        self.core().ring.newest_picture()
    }

    pub(super) fn publishing_since(&self) -> UnixMillis {
        self.core().lease.info.since
    }

    /// So many browsers watch now.
    pub(super) fn watched(&self, by: u32) {
        self.peak.fetch_max(by, Ordering::Relaxed);
    }

    /// A browser cannot play it.
    pub(super) fn cannot_play(&self, browser: Browser) {
        let mut browsers = self.unplayable();
        if browsers.len() < UNPLAYABLE_MAX {
            browsers.insert(browser);
        }
    }

    /// It plays there, whatever was said before.
    pub(super) fn plays(&self, browser: &Browser) {
        self.unplayable().remove(browser);
    }

    fn unplayable(&self) -> MutexGuard<'_, HashSet<Browser>> {
        // Whole at every step.
        self.unplayable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything but who watches and how their pictures do, which is not known here.
    pub(super) fn status(&self) -> OnAirStatus {
        let now = Instant::now();
        let core = self.core();
        let PublisherInfo { from, encoder, key, since } = &core.lease.info;
        let encoder = EncoderInfo {
            since: *since,
            from: from.to_canonical().to_string(),
            encoder: encoder.clone(),
            key: *key,
            video: core.video.clone(),
            audio: core.audio.clone(),
            bitrate_bps: core.ring.bitrate_bps(now),
            health: core.health.clone(),
        };
        OnAirStatus {
            starting: if core.live.is_none() { Some(*since) } else { None },
            live: core.live,
            watching: 0,
            peak: self.peak.load(Ordering::Relaxed),
            quality: None,
            unplayable: u32::try_from(self.unplayable().len()).unwrap_or(u32::MAX),
            encoder: core.away.is_none_or(|away| away.returning).then_some(encoder),
            fought_over: core.fought_over(now),
        }
    }

    pub(super) fn statistics(&self) -> StreamStatistics {
        let now = Instant::now();
        let core = self.core();
        StreamStatistics {
            bitrate_bps: core.ring.bitrate_bps(now),
            received_bytes: core.received_bytes,
            flights: core.ring.next_seq(),
            held_bytes: core.ring.held_bytes(),
            viewers: self.viewers.load(Ordering::Relaxed),
            skips: self.skips.load(Ordering::Relaxed),
        }
    }

    pub(super) fn enter(&self) -> Seat {
        self.viewers.fetch_add(1, Ordering::Relaxed);
        self.meters.viewers.increment(1);
        self.bell.sit()
    }

    pub(super) fn leave(&self, seat: &Seat) {
        self.bell.leave(seat);
        self.viewers.fetch_sub(1, Ordering::Relaxed);
        self.meters.viewers.decrement(1);
    }

    /// What the cursor is given next. No allocation; at most one lock of the ring.
    pub(super) fn poll(&self, cursor: &mut Cursor, seat: &Seat, cx: &Context<'_>) -> Poll<Delivery> {
        if let Some(delivery) = self.look(cursor) {
            return Poll::Ready(delivery);
        }
        self.bell.wait(seat, cx.waker());
        // A flight that came between the look and the seat rang before there was anyone to wake: see `Bell`.
        self.look(cursor).map_or(Poll::Pending, Poll::Ready)
    }

    fn look(&self, cursor: &mut Cursor) -> Option<Delivery> {
        if cursor.is_ended() {
            return Some(Delivery::Ended);
        }
        // In this order: whoever sees the end sees every flight that was put in before it.
        let ended = self.ended.load(Ordering::Acquire);
        if self.head.load(Ordering::Acquire) > cursor.position() {
            let step = self.core().ring.step(cursor);
            if let Step::Give(delivery) = step {
                match delivery {
                    Delivery::Skipped(skip) => self.note_skip(skip.flights),
                    Delivery::Ended => self.meters.sent_away.increment(1),
                    Delivery::Headers { .. } | Delivery::Flight(_) => {}
                }
                return Some(delivery);
            }
        }
        if ended {
            cursor.end();
            return Some(Delivery::Ended);
        }
        None
    }

    fn note_skip(&self, flights: u64) {
        self.skips.fetch_add(1, Ordering::Relaxed);
        self.meters.skips.increment(1);
        self.meters.skipped_flights.increment(flights);
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        // Nothing under the lock is left half done by a panic: the ring's own steps do not panic.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    fn fought_over(&self, now: Instant) -> bool {
        self.take_overs.iter().filter(|at| now.saturating_duration_since(**at) <= FIGHT_SPAN).count() >= FIGHT
    }
}

/// The publisher's lease is no longer the one in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeaseEnded;
