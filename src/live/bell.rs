//! Wakes the subscribers of one stream: one wake a flight for each that waits, no allocation, no queue.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

/// Locks that the seats are spread over, so that viewers who sit down again do not wait for the publisher's walk.
const SHARDS: usize = 16;

/// One seat for each subscriber; whoever waits has left a waker in it.
///
/// The kind of lock: a `std` mutex a shard, held for the store or the take of one pointer pair by a subscriber, and for one
/// walk over a sixteenth of the seats by the publisher (about 2 ns a seat). Wakers are taken out under the lock and called
/// after it, so no woken task ever meets the lock that woke it, and nothing blocks while holding one: there is no convoy.
///
/// No wake is lost: a subscriber leaves its waker first and looks at the stream a second time after it; the publisher
/// changes the stream first and takes the wakers after it. Whoever comes second at the shard's lock sees what the first did.
#[derive(Debug, Default)]
pub(super) struct Bell {
    shards: [Mutex<Seats>; SHARDS],
    turn: AtomicUsize,
}

#[derive(Debug, Default)]
struct Seats {
    wakers: Vec<Option<Waker>>,
    free: Vec<u32>,
}

/// A subscriber's place; given back by [`Bell::leave`].
#[derive(Debug)]
pub(super) struct Seat {
    shard: u8,
    index: u32,
}

impl Bell {
    pub(super) fn sit(&self) -> Seat {
        let shard = self.turn.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let mut seats = self.seats(shard);
        let index = seats.free.pop().unwrap_or_else(|| {
            seats.wakers.push(None);
            u32::try_from(seats.wakers.len() - 1).unwrap_or(u32::MAX)
        });
        Seat { shard: shard as u8, index }
    }

    /// Leaves a waker, in place of the one that is there.
    pub(super) fn wait(&self, seat: &Seat, waker: &Waker) {
        let mut seats = self.seats(usize::from(seat.shard));
        let Some(slot) = seats.wakers.get_mut(seat.index as usize) else { return };
        match slot {
            Some(there) if there.will_wake(waker) => {}
            there => *there = Some(waker.clone()),
        }
    }

    pub(super) fn leave(&self, seat: &Seat) {
        let mut seats = self.seats(usize::from(seat.shard));
        let waker = seats.wakers.get_mut(seat.index as usize).and_then(Option::take);
        seats.free.push(seat.index);
        drop(seats);
        // Dropping a waker may free a task: not under the lock.
        drop(waker);
    }

    /// Wakes everyone who waits. `scratch` is empty before and after; it is kept by the caller for its capacity.
    pub(super) fn ring(&self, scratch: &mut Vec<Waker>) {
        for shard in 0..SHARDS {
            scratch.extend(self.seats(shard).wakers.iter_mut().filter_map(Option::take));
            scratch.drain(..).for_each(Waker::wake);
        }
    }

    fn seats(&self, shard: usize) -> MutexGuard<'_, Seats> {
        // The remainder keeps the index in range; the seats are never left half changed, so poison means nothing.
        self.shards[shard % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, task::Wake};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_who_waits_is_woken_once_a_ring() {
        let bell = Bell::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let seats: Vec<Seat> = (0..100).map(|_| bell.sit()).collect();
        for seat in &seats {
            bell.wait(seat, &waker);
            bell.wait(seat, &waker);
        }
        let mut scratch = Vec::new();
        bell.ring(&mut scratch);
        bell.ring(&mut scratch);
        assert_eq!(count.0.load(Ordering::Relaxed), 100);
        assert!(scratch.is_empty());
    }

    #[test]
    fn a_left_seat_is_used_again_and_wakes_nobody() {
        let bell = Bell::default();
        let count = Arc::new(Count::default());
        for _ in 0..1000 {
            let seat = bell.sit();
            bell.wait(&seat, &Waker::from(count.clone()));
            bell.leave(&seat);
        }
        bell.ring(&mut Vec::new());
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        let seats: usize = (0..SHARDS).map(|shard| bell.seats(shard).wakers.len()).sum();
        assert_eq!(seats, SHARDS);
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
