//! A bounded queue between tasks that ask and threads that do.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The queue refuses rather than waits when it is full, so that a burst shows as `Busy` and not as memory.
///
/// A mutex and a condition variable: any number of threads take, which std's channels do not allow, and a taker gets
/// everything that waits in one go, which is what group commit wants.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    capacity: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

/// What a taker got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Some,
    /// Nothing came in time.
    Nothing,
    /// Nothing waits, and nothing will come.
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State { waiting: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new(), capacity }
    }

    /// Gives the item back when the queue is full or closed.
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.lock();
        if state.closed || state.waiting.len() >= self.capacity {
            return Err(item);
        }
        state.waiting.push_back(item);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// Waits until something is there, then moves up to `max` items into `out`, oldest first. `wait` bounds the waiting.
    pub(crate) fn take(&self, out: &mut Vec<T>, max: usize, wait: Option<Duration>) -> Taken {
        let until = wait.and_then(|wait| Instant::now().checked_add(wait));
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            state = match until {
                None => self.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Taken::Nothing;
                    }
                    self.ready.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let count = state.waiting.len().min(max);
        out.extend(state.waiting.drain(..count));
        Taken::Some
    }

    /// Takes nothing more in; what waits is still given out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    /// A panic under the lock leaves the queue whole: nothing in here is half done at any point.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, thread};

    #[test]
    fn a_full_queue_gives_the_item_back() {
        let queue = Queue::new(2);
        assert_eq!((queue.push(1), queue.push(2), queue.push(3)), (Ok(()), Ok(()), Err(3)));
        let mut out = Vec::new();
        assert_eq!(queue.take(&mut out, 1, None), Taken::Some);
        assert_eq!(queue.push(4), Ok(()));
        assert_eq!(queue.take(&mut out, 9, None), Taken::Some);
        assert_eq!(out, [1, 2, 4]);
    }

    #[test]
    fn closing_gives_out_what_waits_and_then_ends_every_taker() {
        let queue = Arc::new(Queue::new(9));
        let takers: Vec<_> = (0..3)
            .map(|_| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    let mut out = Vec::new();
                    while queue.take(&mut out, 1, None) == Taken::Some {}
                    out.len()
                })
            })
            .collect();
        for n in 0..5 {
            assert_eq!(queue.push(n), Ok(()));
        }
        queue.close();
        assert_eq!(queue.push(9), Err(9));
        assert_eq!(takers.into_iter().map(|taker| taker.join().expect("no panic")).sum::<usize>(), 5);
    }

    #[test]
    fn waiting_is_bounded() {
        let queue: Queue<u8> = Queue::new(1);
        assert_eq!(queue.take(&mut Vec::new(), 1, Some(Duration::from_millis(5))), Taken::Nothing);
    }
}
