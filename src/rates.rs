//! How often somebody did something lately, by address or by person, in bounded memory.

use crate::recent::Recent;
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use std::{
    fmt,
    hash::Hash,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Keys that are remembered at least; twice as many at most.
pub const REMEMBERED: usize = 50_000;

/// So many a minute of each key.
///
/// The kind of lock: a `std` mutex for a map look-up and a comparison.
pub struct Rates<K> {
    quota: Quota,
    clock: DefaultClock,
    recent: Mutex<Recent<K, DefaultDirectRateLimiter>>,
}

impl<K> fmt::Debug for Rates<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rates").field("quota", &self.quota).finish_non_exhaustive()
    }
}

impl<K: Eq + Hash> Rates<K> {
    /// A minute's worth at once.
    pub fn new(per_minute: u32) -> Self {
        Self::of(Quota::per_minute(at_least_one(per_minute)))
    }

    /// Ten seconds' worth at once.
    pub fn even(per_minute: u32) -> Self {
        Self::of(Quota::per_minute(at_least_one(per_minute)).allow_burst(at_least_one(per_minute / 6)))
    }

    fn of(quota: Quota) -> Self {
        Self { quota, clock: DefaultClock::default(), recent: Mutex::new(Recent::new(REMEMBERED)) }
    }

    /// Counts one more.
    ///
    /// # Errors
    /// How long to wait.
    pub fn check(&self, key: K) -> Result<(), Duration> {
        // What is remembered is whole at every step.
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = recent.of(key, || RateLimiter::direct_with_clock(self.quota, self.clock.clone()));
        limiter.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// Keys that are remembered.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.recent.lock().expect("whole").len()
    }
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}
