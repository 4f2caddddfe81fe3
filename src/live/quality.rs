//! How the picture does for a room's viewers: sums that fade, of one size however many tell, and whatever they say.

use madang_protocol::studio::Quality;
use std::time::{Duration, Instant};

/// Upper bounds of the classes of delay, in ms; one more has no bound.
const BOUNDS_MS: [u32; 22] = [
    100, 150, 200, 250, 300, 400, 500, 600, 800, 1_000, 1_250, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 7_500, 10_000,
    20_000, 60_000, 120_000,
];
/// After this a report counts half.
const HALF_LIFE: Duration = Duration::from_secs(60);
/// What is left of a report, of one viewer or of many, below which nothing is known any more.
const LEAST: f64 = 0.05;
/// Stalls that one report can add, and the span that it is of: who says more has no more weight than who stalls all the time.
const STALLS_MAX: u32 = 10;
const SPAN: Duration = Duration::from_millis(madang_protocol::realtime::QUALITY_EVERY_MS);

/// What a browser tells of its last seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How far behind live.
    pub delay_ms: u32,
    pub stalls: u32,
    /// Frames that were not shown, of `frames`.
    pub dropped: u32,
    pub frames: u32,
}

/// The sums of a room. Every report weighs the same, and half of that a minute later.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    delays: [f64; BOUNDS_MS.len() + 1],
    stalls: f64,
    /// Reports with a picture, and the shares of it that were dropped.
    pictures: f64,
    dropped: f64,
    at: Option<Instant>,
}

impl Sums {
    pub(super) fn note(&mut self, report: Report, now: Instant) {
        let left = self.left(now);
        self.delays
            .iter_mut()
            .chain([&mut self.stalls, &mut self.pictures, &mut self.dropped])
            .for_each(|sum| *sum *= left);
        self.at = Some(now);
        let class = BOUNDS_MS.iter().position(|bound| report.delay_ms <= *bound).unwrap_or(BOUNDS_MS.len());
        self.delays[class] += 1.0;
        self.stalls += f64::from(report.stalls.min(STALLS_MAX));
        if report.frames > 0 {
            self.pictures += 1.0;
            self.dropped += f64::from(report.dropped.min(report.frames)) / f64::from(report.frames);
        }
    }

    /// The figures; `None` before anybody has told, and some minutes after the last.
    pub(super) fn read(&self, now: Instant) -> Option<Quality> {
        let reports: f64 = self.delays.iter().sum();
        if reports * self.left(now) < LEAST {
            return None;
        }
        let hours = reports * SPAN.as_secs_f64() / 3_600.0;
        let share = if self.pictures > 0.0 { self.dropped / self.pictures } else { 0.0 };
        Some(Quality {
            delay_p50_ms: self.quantile(reports * 0.5),
            delay_p95_ms: self.quantile(reports * 0.95),
            stalls_tenths: (self.stalls / hours * 10.0).round() as u32,
            dropped_permille: (share * 1_000.0).round() as u32,
        })
    }

    /// The delay that this much of all reports is below; within a class they are taken to be spread evenly.
    fn quantile(&self, below: f64) -> u32 {
        let (mut seen, mut from) = (0.0, 0_u32);
        for (count, to) in self.delays.iter().zip(BOUNDS_MS.iter().chain([&u32::MAX])) {
            if *count > 0.0 && seen + count >= below {
                // The class without a bound says where it begins, and no more.
                let width = if *to == u32::MAX { 0.0 } else { f64::from(to - from) };
                return from + ((below - seen) / count * width).round() as u32;
            }
            (seen, from) = (seen + count, *to);
        }
        BOUNDS_MS[BOUNDS_MS.len() - 1]
    }

    fn left(&self, now: Instant) -> f64 {
        let passed = self.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        (-passed / HALF_LIFE.as_secs_f64()).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(delay_ms: u32) -> Report {
        Report { delay_ms, stalls: 0, dropped: 3, frames: 300 }
    }

    fn quality(delays: impl IntoIterator<Item = u32>) -> Quality {
        let (mut sums, now) = (Sums::default(), Instant::now());
        delays.into_iter().for_each(|delay| sums.note(report(delay), now));
        sums.read(now).expect("somebody told")
    }

    #[test]
    fn half_are_below_the_one_and_nineteen_of_twenty_below_the_other() {
        let even = quality((1..=1_000).map(|n| n * 2));
        assert!(even.delay_p50_ms.abs_diff(1_000) < 30, "{even:?}");
        assert!(even.delay_p95_ms.abs_diff(1_900) < 60, "{even:?}");
        assert_eq!(even.dropped_permille, 10);
        let one = quality([700]);
        assert!((600..=800).contains(&one.delay_p50_ms) && (600..=800).contains(&one.delay_p95_ms), "{one:?}");
    }

    #[test]
    fn one_that_lies_moves_the_room_by_its_own_weight() {
        let (mut sums, now) = (Sums::default(), Instant::now());
        (0..99).for_each(|_| sums.note(report(500), now));
        sums.note(Report { delay_ms: u32::MAX, stalls: u32::MAX, dropped: u32::MAX, frames: 1 }, now);
        let quality = sums.read(now).expect("somebody told");
        assert!(quality.delay_p95_ms <= 500, "{quality:?}");
        // A hundredth of a picture that stops each second.
        assert_eq!(quality.stalls_tenths, 360);
        assert_eq!(quality.dropped_permille, 20);
    }

    #[test]
    fn what_was_is_forgotten() {
        let (mut sums, start) = (Sums::default(), Instant::now());
        assert_eq!(sums.read(start), None);
        (0..100).for_each(|_| sums.note(report(5_000), start));
        let later = start + Duration::from_secs(600);
        (0..10).for_each(|_| sums.note(report(500), later));
        assert!(sums.read(later).is_some_and(|quality| quality.delay_p95_ms <= 500));
        assert_eq!(sums.read(later + Duration::from_secs(3_600)), None);
    }

    #[test]
    fn delays_beyond_every_class_have_a_figure() {
        assert_eq!(quality([u32::MAX]).delay_p50_ms, 120_000);
    }
}
