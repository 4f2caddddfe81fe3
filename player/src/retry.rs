//! When to try again: full jitter, so that the viewers of a room that comes back do not arrive all at once.

/// The shortest wait after a network error.
pub const NETWORK_MIN_MS: i64 = 500;
/// The longest wait after a network error.
pub const NETWORK_MAX_MS: i64 = 10_000;
/// The shortest and the longest wait after a stream ended as it should.
const ENDED_MIN_MS: i64 = 5_000;
const ENDED_MAX_MS: i64 = 7_000;
/// The longest wait while a room is not live; the room's own events call `restart` much sooner.
const NOT_LIVE_MAX_MS: i64 = 30_000;
/// A `Retry-After` beyond this is taken as this.
const RETRY_AFTER_MAX_MS: i64 = 120_000;

/// Waiting times, growing with each failure in a row.
#[derive(Debug)]
pub struct Backoff {
    failures: u32,
    quiet: u32,
    random: u64,
}

impl Backoff {
    /// `seed` differs from viewer to viewer; any number will do.
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, quiet: 0, random: seed | 1 }
    }

    /// Forgets the failures: the stream flows.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.quiet = 0;
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Wait after a network error: between 0.5 s and a bound that doubles from 1 s to 10 s, and never less than the
    /// server asked for.
    pub fn network(&mut self, retry_after_ms: Option<i64>) -> i64 {
        self.failures = self.failures.saturating_add(1);
        let bound_ms = (NETWORK_MIN_MS << self.failures.min(10)).min(NETWORK_MAX_MS);
        self.at_least(retry_after_ms, NETWORK_MIN_MS, bound_ms)
    }

    /// Wait after "not live": a room that is starting is asked again at once, another less and less often.
    pub fn not_live(&mut self, starting: bool, retry_after_ms: Option<i64>) -> i64 {
        self.failures = 0;
        if starting {
            return self.between(400, 800);
        }
        self.quiet = self.quiet.saturating_add(1);
        let bound_ms = (2_000_i64 << self.quiet.min(10)).min(NOT_LIVE_MAX_MS);
        self.at_least(retry_after_ms, bound_ms / 2, bound_ms)
    }

    /// Wait after a clean end. The room's own events call `restart` the moment the streamer is back, so this only serves pages
    /// without them; asking earlier than the longest buffer lasts would mostly be answered "not live", which browsers log.
    pub fn ended(&mut self) -> i64 {
        self.failures = 0;
        self.quiet = 0;
        self.between(ENDED_MIN_MS, ENDED_MAX_MS)
    }

    fn at_least(&mut self, asked_ms: Option<i64>, low_ms: i64, high_ms: i64) -> i64 {
        let wait_ms = self.between(low_ms, high_ms);
        match asked_ms {
            // A quarter on top, or everybody told the same number would come at the same moment.
            Some(asked_ms) => {
                let asked_ms = asked_ms.clamp(0, RETRY_AFTER_MAX_MS);
                wait_ms.max(asked_ms + self.between(0, asked_ms / 4))
            }
            None => wait_ms,
        }
    }

    /// xorshift64*: not secret, only spread.
    fn between(&mut self, low_ms: i64, high_ms: i64) -> i64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let draw = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        let span = high_ms.saturating_sub(low_ms).max(0).saturating_add(1);
        low_ms.saturating_add(i64::try_from(draw).unwrap_or(0) % span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_waits_grow_and_stay_in_their_bounds() {
        let mut longest = 0;
        for seed in 0..200 {
            let mut backoff = Backoff::new(seed);
            assert!((500..=1000).contains(&backoff.network(None)), "the first retry is within a second");
            for _ in 0..100 {
                let wait = backoff.network(None);
                assert!((NETWORK_MIN_MS..=NETWORK_MAX_MS).contains(&wait), "{wait}");
                longest = longest.max(wait);
            }
        }
        assert!(longest > 9_000, "the bound is reached: {longest}");
    }

    #[test]
    fn viewers_do_not_come_back_together() {
        let waits: std::collections::BTreeSet<i64> = (0..100)
            .map(|seed| {
                let mut backoff = Backoff::new(seed * 7919);
                for _ in 0..5 {
                    backoff.network(None);
                }
                backoff.network(None)
            })
            .collect();
        assert!(waits.len() > 80, "only {} different waits", waits.len());
    }

    #[test]
    fn the_server_is_obeyed_within_reason() {
        let mut backoff = Backoff::new(3);
        assert!((30_000..=37_500).contains(&backoff.not_live(false, Some(30_000))));
        assert!(backoff.network(Some(i64::MAX)) <= 150_000);
        assert!(backoff.not_live(true, Some(30_000)) < 1_000, "starting is asked again at once");
        assert!(backoff.network(Some(i64::MIN)) >= NETWORK_MIN_MS);
    }

    #[test]
    fn an_end_is_followed_quickly() {
        let mut backoff = Backoff::new(9);
        assert!((ENDED_MIN_MS..=ENDED_MAX_MS).contains(&backoff.ended()));
    }
}
