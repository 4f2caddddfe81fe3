//! How fast one person may write: a bucket of tokens.

use super::ChatLimits;
use std::time::Duration;

/// A person's tokens, and when they were counted. Times are since whatever moment the caller counts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    tokens: f64,
    at: Duration,
}

impl Pace {
    /// Full at first.
    pub(crate) const fn new() -> Self {
        Self { tokens: f64::INFINITY, at: Duration::ZERO }
    }

    /// When the tokens were counted last.
    pub(crate) const fn since(&self) -> Duration {
        self.at
    }

    /// Takes a token.
    ///
    /// # Errors
    /// How long until there is one.
    pub(crate) fn take(&mut self, now: Duration, limits: &ChatLimits, times: u32) -> Result<(), Duration> {
        let times = f64::from(times.max(1));
        let per_second = f64::from(limits.rate) * times / limits.rate_per.as_secs_f64().max(0.001);
        let most = f64::from(limits.burst) * times;
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * per_second).min(most);
        self.at = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let wait = Duration::try_from_secs_f64((1.0 - self.tokens) / per_second).unwrap_or(Duration::MAX);
        Err(wait.min(Duration::from_secs(3600)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_at_once_and_then_three_in_two_seconds() {
        let (limits, mut pace) = (ChatLimits::default(), Pace::new());
        let mut taken = |ms: u64| pace.take(Duration::from_millis(ms), &limits, 1);
        for _ in 0..5 {
            assert_eq!(taken(0), Ok(()));
        }
        let wait = taken(0).expect_err("too fast");
        assert!(wait.abs_diff(Duration::from_millis(667)) < Duration::from_millis(2), "{wait:?}");
        assert_eq!((taken(700), taken(1400), taken(2100)), (Ok(()), Ok(()), Ok(())));
        assert!(taken(2100).is_err());
    }

    #[test]
    fn moderators_have_ten_times_that() {
        let (limits, mut pace) = (ChatLimits::default(), Pace::new());
        let taken = (0..100).filter(|_| pace.take(Duration::ZERO, &limits, 10).is_ok()).count();
        assert_eq!(taken, 50);
    }
}
