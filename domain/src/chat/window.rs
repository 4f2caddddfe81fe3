//! How long a room gathers messages before it sends them together.

use std::time::Duration;

/// Frames that one room may send to all its members in a second before messages are gathered. A socket write costs about
/// 10 µs of a core, whatever is in it: this is a twentieth of one.
const FRAMES_PER_SECOND: f64 = 5_000.0;
/// The longest that anybody waits for others' messages.
const WINDOW_MAX: Duration = Duration::from_secs(1);
/// How far back the rate looks.
const RATE_OVER: Duration = Duration::from_secs(4);

/// The span between one batch of messages and the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// By [`auto_window`].
    #[default]
    Auto,
    /// Always this; zero sends each message as soon as it is kept.
    Fixed(Duration),
}

impl Window {
    pub(super) fn span(self, members: usize, per_second: f64) -> Duration {
        match self {
            Self::Fixed(span) => span,
            Self::Auto => auto_window(members, per_second),
        }
    }
}

/// The window of a room of so many members in which so many messages a second are said: as short as keeps the room within
/// its 5,000 frames a second, and at most a second.
///
/// A batch goes out at the first message after the window since the last batch has passed, so on average every
/// `window + 1 / rate`; the window is what makes `members` frames every so often 5,000 a second. A lone message always goes
/// out at once.
///
/// | members | 1 message/s | 50 messages/s |
/// |--------:|------------:|--------------:|
/// |      10 |           0 |             0 |
/// |     100 |           0 |             0 |
/// |   1,000 |           0 |        180 ms |
/// |   8,000 |      600 ms |       1000 ms |
pub fn auto_window(members: usize, per_second: f64) -> Duration {
    if per_second.is_nan() || per_second <= 0.0 {
        return Duration::ZERO;
    }
    // Exact up to 2^32 members.
    let members = f64::from(u32::try_from(members).unwrap_or(u32::MAX));
    let seconds = members / FRAMES_PER_SECOND - 1.0 / per_second;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO).min(WINDOW_MAX)
}

/// Messages a second, the last seconds counting most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rate {
    per_second: f64,
    /// When it was that, since whatever moment the caller counts from.
    at: Duration,
}

impl Rate {
    /// One more message, at `now`.
    pub(super) fn count(&mut self, now: Duration) {
        self.per_second = self.at(now) + 1.0 / RATE_OVER.as_secs_f64();
        self.at = now;
    }

    pub(super) fn at(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.per_second * (-passed / RATE_OVER.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_holds() {
        let table: [(usize, f64, u64); 8] = [
            (10, 1.0, 0),
            (100, 1.0, 0),
            (1_000, 1.0, 0),
            (8_000, 1.0, 600),
            (10, 50.0, 0),
            (100, 50.0, 0),
            (1_000, 50.0, 180),
            (8_000, 50.0, 1000),
        ];
        for (members, per_second, millis) in table {
            let window = auto_window(members, per_second);
            let apart = window.abs_diff(Duration::from_millis(millis));
            assert!(apart < Duration::from_millis(1), "{members} members, {per_second}/s: {window:?}");
        }
    }

    #[test]
    fn a_lone_message_waits_for_nobody() {
        let mut rate = Rate::default();
        rate.count(Duration::from_secs(100));
        assert_eq!(auto_window(8_000, rate.at(Duration::from_secs(100))), Duration::ZERO);
    }

    #[test]
    fn the_rate_follows_what_is_said() {
        let mut rate = Rate::default();
        for n in 0..1000 {
            rate.count(Duration::from_millis(n * 20));
        }
        let now = Duration::from_millis(20 * 1000);
        assert!((rate.at(now) - 50.0).abs() < 2.0, "{}", rate.at(now));
        assert!(rate.at(now.saturating_add(Duration::from_secs(30))) < 0.1);
    }

    proptest! {
        #[test]
        fn a_window_is_at_most_a_second_and_grows(members in 0_usize..1_000_000, rate in proptest::num::f64::ANY) {
            let window = auto_window(members, rate);
            prop_assert!(window <= WINDOW_MAX);
            prop_assert!(auto_window(members + 1000, rate) >= window);
        }
    }
}
