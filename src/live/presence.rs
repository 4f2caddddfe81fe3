//! Who is really watching: browsers whose sockets took media in the last seconds, one each however many tabs they have open.
//!
//! A connection's [`Watcher`] notes that its socket took something by storing one number; nobody waits for anybody on a
//! flight's way. A sweep twice a second counts, so a count is told at most that often.

use super::quality::{Report, Sums};
use madang_protocol::{PersonId, RoomId, studio::Quality};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How often the audience is counted.
pub const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// A browser whose sockets took nothing for this long does not watch.
const TOOK_WITHIN: Duration = Duration::from_secs(10);
/// A browser without any connection is counted for this long: a reload or a new try of the player is not a departure.
const BACK_WITHIN: Duration = Duration::from_secs(2);
/// Browsers that are counted; more of them watch uncounted. Far above what one machine can serve.
const BROWSERS_MAX: usize = 200_000;
/// One report of a browser is taken in this time: a little less than they come in.
const TOLD_EVERY: Duration = Duration::from_millis(madang_protocol::realtime::QUALITY_EVERY_MS * 8 / 10);

/// What tells one browser from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Browser {
    /// By its signed cookie.
    Known(PersonId),
    /// One without a cookie, as an embed on another site has none: see [`Presence::stranger`].
    Stranger(u64),
}

/// The audiences of all rooms.
///
/// The kind of lock: one `std` mutex, taken when a connection begins and for each sweep (about 10 ns a browser), never on a
/// flight's way and not when a connection ends.
pub struct Presence {
    began: Instant,
    strangers: RandomState,
    rooms: Mutex<HashMap<RoomId, Audience>>,
}

#[derive(Default)]
struct Audience {
    browsers: HashMap<Browser, Arc<Seen>>,
    /// As of the last sweep.
    counted: u32,
    /// How the picture does for them.
    sums: Sums,
}

/// One browser in one room. Times are milliseconds since [`Presence::began`], counted from 1; 0 is never.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    took: AtomicU64,
    left: AtomicU64,
    /// The last report of its picture.
    told: AtomicU64,
}

/// A connection that is being sent a room's media. Dropping it says that the connection has ended.
pub struct Watcher {
    presence: Arc<Presence>,
    seen: Arc<Seen>,
}

impl Default for Presence {
    fn default() -> Self {
        Self { began: Instant::now(), strangers: RandomState::new(), rooms: Mutex::default() }
    }
}

impl Presence {
    /// A browser that shows no cookie, by where it is and what it says it is.
    pub fn stranger(&self, address: IpAddr, user_agent: &[u8]) -> Browser {
        Browser::Stranger(self.strangers.hash_one((address.to_canonical(), user_agent)))
    }

    /// A connection begins. It counts once its socket has taken something; `None` when too many browsers are counted already.
    pub fn enter(self: &Arc<Self>, room: RoomId, browser: Browser) -> Option<Watcher> {
        let mut rooms = self.rooms();
        let known = rooms.get(&room).and_then(|audience| audience.browsers.get(&browser)).cloned();
        let seen = match known {
            Some(seen) => seen,
            None => {
                if rooms.values().map(|audience| audience.browsers.len()).sum::<usize>() >= BROWSERS_MAX {
                    return None;
                }
                let seen = Arc::new(Seen::default());
                rooms.entry(room).or_default().browsers.insert(browser, Arc::clone(&seen));
                seen
            }
        };
        // Under the lock: a sweep must not take a browser out that has just come back.
        seen.connections.fetch_add(1, Ordering::Relaxed);
        drop(rooms);
        Some(Watcher { presence: Arc::clone(self), seen })
    }

    /// Browsers that watch the room, as of the last sweep.
    pub fn watching(&self, room: RoomId) -> u32 {
        self.rooms().get(&room).map_or(0, |audience| audience.counted)
    }

    /// A browser tells how its picture does. False, and not counted, when it does not watch the room now or has told a moment ago: the
    /// room's sums hear of it as its audience does, one by one.
    pub fn told(&self, room: RoomId, browser: Browser, report: Report, now: Instant) -> bool {
        let stamp = self.stamp(now);
        let mut rooms = self.rooms();
        let Some(audience) = rooms.get_mut(&room) else { return false };
        let Some(seen) = audience.browsers.get(&browser) else { return false };
        let told = seen.told.load(Ordering::Relaxed);
        let watches = seen.connections.load(Ordering::Relaxed) > 0
            && is_within(stamp, seen.took.load(Ordering::Relaxed), TOOK_WITHIN);
        if !watches || is_within(stamp, told, TOLD_EVERY) {
            return false;
        }
        seen.told.store(stamp, Ordering::Relaxed);
        audience.sums.note(report, now);
        true
    }

    /// How the picture does for those who watch the room; `None` until some have told.
    pub fn quality(&self, room: RoomId, now: Instant) -> Option<Quality> {
        self.rooms().get(&room)?.sums.read(now)
    }

    /// Counts again, and gives the rooms whose count has changed. What is not needed any more is forgotten.
    pub fn sweep(&self, now: Instant) -> Vec<RoomId> {
        let now = self.stamp(now);
        let within = |at: u64, span: Duration| is_within(now, at, span);
        let mut changed = Vec::new();
        self.rooms().retain(|room, audience| {
            let mut watching = 0_u32;
            audience.browsers.retain(|_, seen| {
                let connected = seen.connections.load(Ordering::Relaxed) > 0;
                let there = connected || within(seen.left.load(Ordering::Relaxed), BACK_WITHIN);
                watching += u32::from(there && within(seen.took.load(Ordering::Relaxed), TOOK_WITHIN));
                there
            });
            if watching != audience.counted {
                audience.counted = watching;
                changed.push(*room);
            }
            !audience.browsers.is_empty()
        });
        changed
    }

    /// Browsers that are remembered, watching or not.
    pub fn remembered(&self) -> usize {
        self.rooms().values().map(|audience| audience.browsers.len()).sum()
    }

    fn stamp(&self, at: Instant) -> u64 {
        millis(at.saturating_duration_since(self.began)).saturating_add(1)
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Audience>> {
        // The maps are whole at every step.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// The connection's socket has taken bytes.
    pub fn took(&self, now: Instant) {
        self.seen.took.store(self.presence.stamp(now), Ordering::Relaxed);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.seen.left.store(self.presence.stamp(Instant::now()), Ordering::Relaxed);
        self.seen.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether `at` was, and is less than `span` before `now`.
fn is_within(now: u64, at: u64, span: Duration) -> bool {
    at > 0 && now.saturating_sub(at) < millis(span)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(n: u64) -> RoomId {
        RoomId::from_random(n << 1)
    }

    fn known(n: u64) -> Browser {
        Browser::Known(PersonId::from_random(n << 1))
    }

    #[test]
    fn tabs_of_one_browser_are_one_and_a_socket_that_takes_nothing_is_none() {
        let presence = Arc::new(Presence::default());
        let start = Instant::now();
        let tabs: Vec<Watcher> = (0..3).filter_map(|_| presence.enter(room(1), known(7))).collect();
        let silent = presence.enter(room(1), known(8)).expect("counted");
        assert!(presence.sweep(start).is_empty(), "nobody took anything");
        tabs.iter().for_each(|tab| tab.took(start));
        assert_eq!(presence.sweep(start), [room(1)]);
        assert_eq!(presence.watching(room(1)), 1);
        silent.took(start);
        presence.sweep(start + Duration::from_secs(5));
        assert_eq!(presence.watching(room(1)), 2);
        tabs[0].took(start + Duration::from_secs(5));
        assert_eq!(presence.sweep(start + Duration::from_millis(10_100)), [room(1)]);
        assert_eq!(presence.watching(room(1)), 1, "the other one's socket has been full for 10 s");
    }

    #[test]
    fn who_leaves_is_out_after_a_moment_and_who_reloads_never_was() {
        let presence = Arc::new(Presence::default());
        let watcher = presence.enter(room(1), known(7)).expect("counted");
        watcher.took(Instant::now());
        presence.sweep(Instant::now());
        drop(watcher);
        assert!(presence.sweep(Instant::now() + Duration::from_secs(1)).is_empty());
        let again = presence.enter(room(1), known(7)).expect("counted");
        again.took(Instant::now());
        assert!(presence.sweep(Instant::now() + Duration::from_secs(3)).is_empty());
        drop(again);
        assert_eq!(presence.sweep(Instant::now() + Duration::from_secs(3)), [room(1)]);
        assert_eq!((presence.watching(room(1)), presence.remembered()), (0, 0));
    }

    #[test]
    fn the_count_is_exact_after_a_thousand_came_and_went() {
        let presence = Arc::new(Presence::default());
        let now = Instant::now();
        let mut here: Vec<Watcher> = Vec::new();
        for n in 0..1000 {
            let watcher = presence.enter(room(n % 3), known(n % 700)).expect("counted");
            watcher.took(now);
            here.push(watcher);
            if n % 7 == 0 {
                here.swap_remove((n as usize * 31) % here.len());
            }
            presence.sweep(now);
        }
        here.clear();
        presence.sweep(Instant::now() + Duration::from_secs(5));
        assert_eq!(presence.remembered(), 0);
        assert!((0..3).all(|n| presence.watching(room(n)) == 0));
        assert!(presence.rooms().is_empty());
    }

    #[test]
    fn only_who_watches_is_asked_how_it_does_and_once_at_a_time() {
        let presence = Arc::new(Presence::default());
        let (start, report) = (Instant::now(), Report { delay_ms: 500, ..Report::default() });
        let told = |who: u64, at: Instant| presence.told(room(1), known(who), report, at);
        assert!(!told(7, start), "nobody is there");
        let tabs: Vec<Watcher> = (0..2).filter_map(|_| presence.enter(room(1), known(7))).collect();
        assert!(!told(7, start), "its sockets took nothing");
        tabs[0].took(start);
        assert!(told(7, start));
        assert!(!told(7, start + Duration::from_secs(1)), "its other tab has told");
        assert!(!told(8, start) && !presence.told(room(2), known(7), report, start), "who watches something else");
        tabs[1].took(start + Duration::from_secs(9));
        assert!(told(7, start + Duration::from_secs(10)));
        assert!(presence.quality(room(1), start + Duration::from_secs(10)).is_some());
        drop(tabs);
        presence.sweep(Instant::now() + Duration::from_secs(60));
        assert_eq!(presence.quality(room(1), start), None, "an audience that is gone is forgotten");
    }

    #[test]
    fn strangers_are_told_apart_by_address_and_program() {
        let presence = Presence::default();
        let (here, there) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let one = presence.stranger(here, b"a");
        assert_eq!(one, presence.stranger("::ffff:192.0.2.1".parse().expect("an address"), b"a"));
        assert_ne!(one, presence.stranger(there, b"a"));
        assert_ne!(one, presence.stranger(here, b"b"));
    }
}
