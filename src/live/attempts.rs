//! Encoders that were turned away lately, for those who wonder why nothing comes.

use crate::addresses::household;
use madang_protocol::{RoomId, UnixMillis, studio::Attempt};
use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Attempts that are kept in all, and from one household: who tries without end takes nobody else's place.
const KEPT_MAX: usize = 1_000;
const KEPT_PER_HOUSEHOLD: usize = 10;
/// What one studio is shown.
const SHOWN_MAX: usize = 10;
/// What administrators are shown of what belongs to no room.
const STRAYS_MAX: usize = 100;
/// After this an attempt is nobody's question any more, in ms.
const FORGOTTEN_AFTER: i64 = 60 * 60 * 1_000;

/// The attempts, oldest first.
///
/// The kind of lock: a `std` mutex around a thousand entries at most, taken when an encoder fails and for a studio's list.
#[derive(Debug, Default)]
pub struct Attempts {
    kept: Mutex<VecDeque<Kept>>,
    noted: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    /// The room whose key it had; `None` for a key that fits no room.
    room: Option<RoomId>,
    household: IpAddr,
    attempt: Attempt,
}

impl Attempts {
    /// Keeps an attempt. One that only repeats the last of its household counts there.
    pub fn note(&self, room: Option<RoomId>, from: IpAddr, attempt: Attempt) {
        let household = household(from);
        let mut kept = self.kept();
        kept.retain(|old| attempt.at.0.saturating_sub(old.attempt.at.0) < FORGOTTEN_AFTER);
        let mut times = attempt.times;
        let same = |old: &Kept| {
            old.household == household
                && old.room == room
                && (old.attempt.why, &old.attempt.detail) == (attempt.why, &attempt.detail)
        };
        let own: Vec<usize> = (0..kept.len()).filter(|at| kept[*at].household == household).collect();
        match own.last() {
            Some(last) if same(&kept[*last]) => {
                times = times.saturating_add(kept[*last].attempt.times);
                kept.remove(*last);
            }
            _ if own.len() >= KEPT_PER_HOUSEHOLD => drop(kept.remove(own[0])),
            _ if kept.len() >= KEPT_MAX => drop(kept.pop_front()),
            _ => {}
        }
        kept.push_back(Kept { room, household, attempt: Attempt { times, ..attempt } });
        drop(kept);
        self.noted.fetch_add(1, Ordering::Relaxed);
    }

    /// The room's, and those for no known room that came from where `near` is; newest first.
    pub fn of(&self, room: RoomId, near: Option<IpAddr>, now: UnixMillis) -> Vec<Attempt> {
        let near = near.map(household);
        let is_shown = |kept: &&Kept| {
            let theirs = match kept.room {
                Some(of) => of == room,
                None => near == Some(kept.household),
            };
            theirs && now.0.saturating_sub(kept.attempt.at.0) < FORGOTTEN_AFTER
        };
        self.kept().iter().rev().filter(is_shown).take(SHOWN_MAX).map(|kept| kept.attempt.clone()).collect()
    }

    /// Those for no known room, from wherever; newest first.
    pub fn strays(&self, now: UnixMillis) -> Vec<Attempt> {
        let is_shown = |kept: &&Kept| kept.room.is_none() && now.0.saturating_sub(kept.attempt.at.0) < FORGOTTEN_AFTER;
        self.kept().iter().rev().filter(is_shown).take(STRAYS_MAX).map(|kept| kept.attempt.clone()).collect()
    }

    /// Grows with each attempt.
    pub fn noted(&self) -> u64 {
        self.noted.load(Ordering::Relaxed)
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        // Each entry is whole; a panic between two steps loses one at most.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::studio::Mishap;

    fn attempt(at: i64, why: Mishap) -> Attempt {
        let (from, encoder, detail) = Default::default();
        Attempt { at: UnixMillis(at), times: 1, from, encoder, why, detail, revoked: None }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    const ROOM: fn() -> RoomId = || RoomId::from_random(2);

    #[test]
    fn a_room_has_its_own_and_what_came_from_nearby() {
        let attempts = Attempts::default();
        attempts.note(Some(ROOM()), address("192.0.2.1"), attempt(1, Mishap::RevokedKey));
        attempts.note(None, address("192.0.2.9"), attempt(2, Mishap::UnknownKey));
        attempts.note(Some(RoomId::from_random(4)), address("192.0.2.9"), attempt(3, Mishap::NoMedia));
        let seen = |near| attempts.of(ROOM(), near, UnixMillis(4)).iter().map(|a| a.why).collect::<Vec<_>>();
        assert_eq!(seen(None), [Mishap::RevokedKey]);
        assert_eq!(seen(Some(address("192.0.2.9"))), [Mishap::UnknownKey, Mishap::RevokedKey]);
        assert_eq!(attempts.of(ROOM(), None, UnixMillis(FORGOTTEN_AFTER + 1)), []);
        let strays = attempts.strays(UnixMillis(4));
        assert_eq!(strays.iter().map(|a| a.why).collect::<Vec<_>>(), [Mishap::UnknownKey], "nobody's room");
        assert_eq!(attempts.strays(UnixMillis(FORGOTTEN_AFTER + 4)), []);
    }

    #[test]
    fn what_repeats_is_one_line() {
        let attempts = Attempts::default();
        for at in 0..100 {
            attempts.note(None, address("2001:db8::1"), attempt(at, Mishap::App));
        }
        let seen = attempts.of(ROOM(), Some(address("2001:db8::2")), UnixMillis(100));
        assert_eq!(seen.iter().map(|a| (a.times, a.at.0)).collect::<Vec<_>>(), [(100, 99)]);
        assert_eq!(attempts.noted(), 100);
    }

    #[test]
    fn a_flood_is_bounded_and_takes_only_its_own_places() {
        let attempts = Attempts::default();
        attempts.note(None, address("192.0.2.1"), attempt(0, Mishap::EmptyKey));
        for at in 1..10_000 {
            let why = if at % 2 == 0 { Mishap::App } else { Mishap::UnknownKey };
            attempts.note(None, address("198.51.100.1"), attempt(at, why));
        }
        assert_eq!(attempts.kept().len(), 1 + KEPT_PER_HOUSEHOLD);
        assert_eq!(attempts.of(ROOM(), Some(address("192.0.2.1")), UnixMillis(10_000)).len(), 1);
        for number in 0..5_000_u32 {
            attempts.note(None, IpAddr::from(number.to_be_bytes()), attempt(10_000, Mishap::App));
        }
        assert_eq!(attempts.kept().len(), KEPT_MAX);
    }
}
