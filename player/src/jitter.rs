//! What arrivals say about the network: how much media is usually left when more comes, and how uneven that is.
//!
//! Both are taken just before an arrival, where the buffer is at its lowest. Unevenness is measured inside one-second
//! buckets, so an encoder that pauses and goes on later, or clocks that drift, leave no trace but in one bucket.

use std::collections::VecDeque;

/// Seconds of arrivals that are remembered.
const BUCKETS: usize = 12;
/// The span over which the usual buffer is averaged.
const RECENT_MS: i64 = 1_000;
/// A second is known when its first arrival was so soon after its beginning.
const EDGE_MS: i64 = 100;
/// Arrivals within this span are taken as one moment.
const MOMENT_MS: i64 = 5;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    second: i64,
    least_s: f64,
    most_s: f64,
    /// Of moments, not of arrivals.
    sum_s: f64,
    count: u32,
}

/// A record of recent arrivals.
#[derive(Debug, Default)]
pub struct Arrivals {
    buckets: VecDeque<Bucket>,
    lows: VecDeque<(i64, f64)>,
}

impl Arrivals {
    /// More media has come at `now_ms`; until then the buffer ended at `end_s` and the picture was at `position_s`.
    pub fn arrived(&mut self, now_ms: i64, end_s: f64, position_s: f64) {
        // Lateness against an arbitrary origin: only its spread is used.
        let late_s = now_ms as f64 / 1000.0 - end_s;
        let second = now_ms.div_euclid(1000);
        let burst = self.lows.back().is_some_and(|(at_ms, _)| now_ms - at_ms < MOMENT_MS);
        match self.buckets.back_mut() {
            Some(bucket) if bucket.second == second => {
                bucket.least_s = bucket.least_s.min(late_s);
                bucket.most_s = bucket.most_s.max(late_s);
                if !burst {
                    bucket.sum_s += late_s;
                    bucket.count += 1;
                }
            }
            _ => {
                let (least_s, most_s, sum_s) = (late_s, late_s, late_s);
                self.buckets.push_back(Bucket { second, least_s, most_s, sum_s, count: 1 });
            }
        }
        while self.buckets.len() > BUCKETS {
            self.buckets.pop_front();
        }
        if !burst {
            self.lows.push_back((now_ms, (end_s - position_s).max(0.0)));
        }
        while self.lows.front().is_some_and(|(at_ms, _)| now_ms - at_ms > RECENT_MS) {
            self.lows.pop_front();
        }
    }

    /// How much arrivals differ in lateness within a second: the third largest of the last twelve seconds, so that a
    /// single hiccup does not set the delay for long (a stall grows the target by itself).
    pub fn jitter_s(&self) -> f64 {
        self.third(|bucket| bucket.most_s - bucket.least_s)
    }

    /// How much later than usual the latest arrival of a second is, chosen in the same way: how far the buffer just before an arrival
    /// goes below what it usually is.
    pub fn dip_s(&self) -> f64 {
        self.third(|bucket| bucket.most_s - bucket.sum_s / f64::from(bucket.count))
    }

    fn third(&self, of: fn(&Bucket) -> f64) -> f64 {
        let mut top = [0.0_f64; 3];
        for bucket in &self.buckets {
            let mut spread_s = of(bucket);
            for place in &mut top {
                if spread_s > *place {
                    std::mem::swap(place, &mut spread_s);
                }
            }
        }
        let [.., third_s] = top;
        third_s
    }

    /// The buffer just before an arrival, averaged over the last second; `None` when nothing came in it.
    pub fn typical_s(&self, now_ms: i64) -> Option<f64> {
        let (sum_s, count) = self.recent(now_ms).fold((0.0, 0_u32), |(sum_s, count), low_s| (sum_s + low_s, count + 1));
        (count > 0).then(|| sum_s / f64::from(count))
    }

    /// The least of it in the last second; `None` when less than about a second is known.
    pub fn least_s(&self, now_ms: i64) -> Option<f64> {
        let known = self.lows.front().is_some_and(|(at_ms, _)| now_ms - at_ms >= RECENT_MS - EDGE_MS);
        self.recent(now_ms).reduce(f64::min).filter(|_| known)
    }

    fn recent(&self, now_ms: i64) -> impl Iterator<Item = f64> {
        self.lows.iter().filter(move |(at_ms, _)| now_ms - at_ms <= RECENT_MS).map(|(_, low_s)| *low_s)
    }

    /// The picture has jumped: what was ahead of it before means nothing now.
    pub fn jumped(&mut self) {
        self.lows.clear();
    }

    /// Another stream begins on another timeline.
    pub fn restart(&mut self) {
        self.lows.clear();
        self.buckets.pop_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arrivals: &mut Arrivals, from_ms: i64, late: impl Fn(i64) -> i64) {
        for frame in 0..600 {
            let at_ms = from_ms + frame * 33;
            arrivals.arrived(at_ms + late(frame), at_ms as f64 / 1000.0, (at_ms - 200) as f64 / 1000.0);
        }
    }

    #[test]
    fn an_even_stream_has_no_jitter_and_an_uneven_one_shows_it() {
        let mut even = Arrivals::default();
        run(&mut even, 0, |_| 0);
        assert!(even.jitter_s() < 0.001 && even.dip_s() < 0.001);
        let mut uneven = Arrivals::default();
        run(&mut uneven, 0, |frame| if frame % 10 == 0 { 120 } else { 0 });
        assert!((0.115..0.125).contains(&uneven.jitter_s()), "{}", uneven.jitter_s());
        assert!((0.10..0.11).contains(&uneven.dip_s()), "{}", uneven.dip_s());
    }

    #[test]
    fn one_hiccup_or_a_shifted_clock_is_not_jitter() {
        let mut arrivals = Arrivals::default();
        run(&mut arrivals, 0, |frame| if frame < 300 { 0 } else { 5_000 });
        assert!(arrivals.jitter_s() < 0.01, "{}", arrivals.jitter_s());
    }

    #[test]
    fn the_usual_buffer_is_that_of_the_last_second() {
        let mut arrivals = Arrivals::default();
        for n in 0..100_i64 {
            arrivals.arrived(n * 40, 1.0, if n < 50 { 0.0 } else { 0.5 });
        }
        let typical_s = arrivals.typical_s(4_000).expect("arrivals");
        assert!((typical_s - 0.5).abs() < 0.001, "{typical_s}");
        assert_eq!(arrivals.typical_s(9_000), None);
        arrivals.jumped();
        assert_eq!(arrivals.typical_s(4_000), None);
    }
}
