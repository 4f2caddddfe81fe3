//! How often something may be tried by whom: buckets that empty with time, and never more of them than fit.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Most that are remembered; past it those with nothing to remember are forgotten, and if there are none, half of all.
const REMEMBERED_MAX: usize = 20_000;

/// Counts attempts by key (an address prefix, a login). Keys are kept as a hash that nobody outside can foresee.
pub(crate) struct Attempts {
    most: f64,
    per: Duration,
    hasher: RandomState,
    buckets: Mutex<HashMap<u64, Bucket>>,
}

/// Attempts that still count, as of a moment.
struct Bucket {
    level: f64,
    at: Instant,
}

impl Attempts {
    /// At most `most` at once, and as many in `per` in the long run.
    pub(crate) fn new(most: u32, per: Duration) -> Self {
        Self { most: f64::from(most.max(1)), per, hasher: RandomState::new(), buckets: Mutex::default() }
    }

    /// Counts one attempt.
    ///
    /// # Errors
    /// How long until there may be another.
    pub(crate) fn take(&self, key: &str, now: Instant) -> Result<(), Duration> {
        let hash = self.hasher.hash_one(key);
        let mut buckets = self.lock();
        if buckets.len() >= REMEMBERED_MAX && !buckets.contains_key(&hash) {
            self.forget(&mut buckets, now);
        }
        let bucket = buckets.entry(hash).or_insert(Bucket { level: 0.0, at: now });
        bucket.level = self.level(bucket, now);
        bucket.at = now;
        let over = bucket.level + 1.0 - self.most;
        // What floating point leaves over is no attempt.
        if over > 0.001 {
            return Err(self.per.mul_f64(over / self.most));
        }
        bucket.level += 1.0;
        Ok(())
    }

    /// The attempt was a right one: it does not count.
    pub(crate) fn give_back(&self, key: &str) {
        let hash = self.hasher.hash_one(key);
        if let Some(bucket) = self.lock().get_mut(&hash) {
            bucket.level = (bucket.level - 1.0).max(0.0);
        }
    }

    fn level(&self, bucket: &Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.level - passed * self.most / self.per.as_secs_f64().max(0.001)).max(0.0)
    }

    fn forget(&self, buckets: &mut HashMap<u64, Bucket>, now: Instant) {
        buckets.retain(|_, bucket| self.level(bucket, now) > 0.0);
        if buckets.len() >= REMEMBERED_MAX {
            // Whoever has that many addresses is stopped by other limits; memory is what is kept here.
            let mut keep = false;
            buckets.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
    }

    /// Numbers in a map are whole at every step.
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_and_then_one_by_one() {
        let (attempts, start) = (Attempts::new(3, Duration::from_secs(30)), Instant::now());
        let taken = |seconds: u64| attempts.take("a", start + Duration::from_secs(seconds));
        assert_eq!([taken(0), taken(0), taken(0)], [Ok(()); 3]);
        let wait = taken(0).expect_err("a fourth");
        assert!(wait.abs_diff(Duration::from_secs(10)) < Duration::from_millis(100), "{wait:?}");
        assert!(taken(9).is_err() && taken(11).is_ok() && taken(11).is_err());
        assert!(attempts.take("b", start).is_ok(), "another is another");
        attempts.give_back("a");
        assert!(attempts.take("a", start + Duration::from_secs(11)).is_ok(), "a right one does not count");
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let (attempts, now) = (Attempts::new(3, Duration::from_secs(30)), Instant::now());
        for n in 0..(3 * REMEMBERED_MAX) {
            assert!(attempts.take(&n.to_string(), now).is_ok());
            assert!(attempts.lock().len() <= REMEMBERED_MAX);
        }
        attempts.take("late", now + Duration::from_secs(60)).expect("free");
        let later = Attempts::new(u32::MAX, Duration::from_secs(60));
        assert!((0..1000).all(|_| later.take("a", now).is_ok()), "no limit");
    }
}
