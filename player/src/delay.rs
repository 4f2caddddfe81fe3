//! What to do about how far behind live the picture is. Pure, fuzzed and simulated.
//!
//! [`decide`] compares what is ahead with what should be ([`crate::target::Target`]) and answers with a rate, a jump, or nothing.

/// Slowest playback. With the pitch preserved nobody hears it.
pub const RATE_MIN: f64 = 0.95;
/// Fastest playback.
pub const RATE_MAX: f64 = 1.08;
/// Further behind its target than this, the player jumps instead of hurrying.
pub const JUMP_BEHIND_S: f64 = 3.0;
/// Where a jump is but a splice in the sound and some frames less, it is worth it from here: who wants the lowest delay has it back at
/// once after the machine or the network held still.
const SPLICE_BEHIND_S: f64 = 0.1;
/// Time from any jump to a splice.
const SPLICE_REST_MS: i64 = 60_000;
/// On joining, a jump is worth it from here.
const JOIN_SLACK_S: f64 = 0.2;
/// Time between the end of one change of rate and the begin of the next: no flapping.
pub const REST_MS: i64 = 10_000;
/// No hurrying for so long after a stall.
const BACK_OFF_MS: i64 = 5_000;
/// Time between two steps of the rate within one change.
const STEP_MS: i64 = 1_000;
/// Below this the buffer comes before the delay.
const FLOOR_S: f64 = 0.04;

/// What [`decide`] looks at. Spans in seconds or milliseconds; a `since` of an event that never was is large.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Media ahead of the picture, in the span it plays in.
    pub ahead_s: f64,
    /// The same just before arrivals, averaged ([`crate::jitter::Arrivals::typical_s`]).
    pub typical_s: f64,
    /// What `typical_s` should be ([`crate::target::Target::seconds`]).
    pub target_s: f64,
    /// The rate in force.
    pub rate: f64,
    /// Where the start of a stream is.
    pub start: Start,
    /// Since the last stall.
    pub since_stall_ms: i64,
    /// Since the rate last was changed.
    pub since_change_ms: i64,
    /// Since the rate last came back to 1.
    pub since_rest_ms: i64,
    /// Since the last jump that was no part of a start.
    pub since_jump_ms: i64,
    /// The least that was ahead just before arrivals in all of the last second; `None` where that is not known or a jump takes more than a
    /// splice.
    pub least_s: Option<f64>,
}

/// How a stream starts: with what the server kept since the last key frame, and with one free jump once all of that is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// More is on its way: where live is does not show yet.
    Burst,
    /// The free jump may be used.
    Calm,
    /// It has been, or its time is over.
    Over,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Nothing.
    Keep,
    /// Play at this rate, within [`RATE_MIN`] and [`RATE_MAX`].
    Rate(f64),
    /// Seek forward so that this much is ahead: less than there is, and more than nothing.
    Jump {
        /// Seconds to leave ahead.
        ahead_s: f64,
    },
}

/// Decides. Never a jump outside what is buffered, never a rate outside its bounds, whatever the reading holds.
pub fn decide(reading: &Reading) -> Decision {
    let Reading { ahead_s, target_s, rate, .. } = *reading;
    let sane = ahead_s.is_finite() && reading.typical_s.is_finite() && target_s.is_finite() && target_s > 0.0;
    if !sane || ahead_s < 0.0 {
        return settle(rate, 1.0);
    }
    match jump(reading) {
        Some(ahead_s) => Decision::Jump { ahead_s },
        None => settle(rate, wanted_rate(reading)),
    }
}

/// What a jump that is worth it leaves ahead.
fn jump(reading: &Reading) -> Option<f64> {
    let Reading { ahead_s, target_s, start, since_jump_ms, .. } = *reading;
    let over_s = ahead_s - target_s;
    if start == Start::Burst {
        return None;
    }
    if (start == Start::Calm && over_s > JOIN_SLACK_S) || (over_s > JUMP_BEHIND_S && since_jump_ms >= 1_000) {
        return Some(target_s);
    }
    // Compared before it is bounded: of what is no number nothing is to spare.
    let spare_s = reading.least_s? - target_s;
    let splice = spare_s > SPLICE_BEHIND_S && over_s > SPLICE_BEHIND_S && since_jump_ms >= SPLICE_REST_MS;
    splice.then_some(ahead_s - spare_s.min(over_s))
}

fn settle(rate: f64, wanted: f64) -> Decision {
    let wanted = wanted.clamp(RATE_MIN, RATE_MAX);
    if rate == wanted { Decision::Keep } else { Decision::Rate(wanted) }
}

fn wanted_rate(reading: &Reading) -> f64 {
    let Reading { ahead_s, typical_s, target_s, rate, .. } = *reading;
    let over_s = typical_s - target_s;
    let safe = ahead_s > floor_s(target_s) && reading.since_stall_ms >= BACK_OFF_MS;
    let rested = reading.since_rest_ms >= REST_MS;
    if rate > 1.0 {
        // The floor comes before the goal: the first doubt ends the hurry.
        if over_s <= 0.0 || !safe { 1.0 } else { step(reading, fast(over_s)) }
    } else if rate < 1.0 {
        if over_s >= -0.2 * band_s(target_s) { 1.0 } else { step(reading, slow(over_s, target_s)) }
    } else if rested && safe && over_s > band_s(target_s) {
        fast(over_s)
    } else if rested && over_s < -band_s(target_s) {
        slow(over_s, target_s)
    } else {
        1.0
    }
}

/// With less ahead than this nothing is hurried.
fn floor_s(target_s: f64) -> f64 {
    FLOOR_S.min(target_s * 0.5).max(target_s * 0.3)
}

/// The deviation that is put up with.
fn band_s(target_s: f64) -> f64 {
    (target_s * 0.25).clamp(0.012, 0.3)
}

fn step(reading: &Reading, wanted: f64) -> f64 {
    if reading.since_change_ms >= STEP_MS { wanted } else { reading.rate }
}

fn fast(over_s: f64) -> f64 {
    if over_s > 0.6 {
        RATE_MAX
    } else if over_s > 0.2 {
        1.05
    } else {
        1.03
    }
}

fn slow(over_s: f64, target_s: f64) -> f64 {
    if -over_s > 0.5 * target_s { RATE_MIN } else { 0.97 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn calm(ahead_s: f64, target_s: f64) -> Reading {
        Reading {
            ahead_s,
            typical_s: ahead_s,
            target_s,
            rate: 1.0,
            start: Start::Over,
            since_stall_ms: 60_000,
            since_change_ms: 60_000,
            since_rest_ms: 60_000,
            since_jump_ms: 60_000,
            least_s: None,
        }
    }

    #[test]
    fn at_its_target_it_does_nothing() {
        for target in [0.1, 0.8, 3.0] {
            assert_eq!(decide(&calm(target, target)), Decision::Keep);
        }
    }

    #[test]
    fn behind_it_hurries_and_far_behind_it_jumps() {
        assert_eq!(decide(&calm(1.2, 0.8)), Decision::Rate(1.05));
        assert_eq!(decide(&calm(3.0, 0.8)), Decision::Rate(RATE_MAX));
        assert_eq!(decide(&calm(3.9, 0.8)), Decision::Jump { ahead_s: 0.8 });
    }

    #[test]
    fn joining_allows_a_small_jump() {
        assert_eq!(decide(&Reading { start: Start::Calm, ..calm(2.0, 0.2) }), Decision::Jump { ahead_s: 0.2 });
        assert_eq!(decide(&Reading { start: Start::Calm, ..calm(0.3, 0.2) }), Decision::Rate(1.03));
    }

    #[test]
    fn where_a_jump_is_a_splice_it_takes_less_to_jump_but_not_often() {
        let late = Reading { least_s: Some(0.23), typical_s: 0.24, ..calm(0.26, 0.03) };
        let Decision::Jump { ahead_s } = decide(&late) else { panic!("stays behind") };
        assert!((ahead_s - 0.06).abs() < 1e-9, "what is left just before the next frame is the target");
        let stays = |reading: Reading| !matches!(decide(&reading), Decision::Jump { .. });
        assert!(stays(Reading { least_s: None, ..late }));
        assert!(stays(Reading { since_jump_ms: 59_000, ..late }));
        assert!(stays(Reading { least_s: Some(0.12), ..late }));
    }

    #[test]
    fn after_a_stall_it_does_not_hurry() {
        assert_eq!(decide(&Reading { since_stall_ms: 1_000, ..calm(1.8, 0.8) }), Decision::Keep);
        let hurrying = Reading { since_stall_ms: 0, rate: 1.08, ..calm(1.8, 0.8) };
        assert_eq!(decide(&hurrying), Decision::Rate(1.0));
    }

    #[test]
    fn a_thin_buffer_is_rebuilt_slowly() {
        assert_eq!(decide(&calm(0.2, 0.8)), Decision::Rate(RATE_MIN));
        assert_eq!(decide(&calm(0.5, 0.8)), Decision::Rate(0.97));
    }

    #[test]
    fn what_is_no_number_is_nothing_to_splice_by() {
        let reading = Reading { least_s: Some(f64::NAN), start: Start::Over, ..calm(2.0, 1.0) };
        assert!(!matches!(decide(&reading), Decision::Jump { .. }));
        let reading = Reading { least_s: Some(1.9), ..reading };
        assert!(matches!(decide(&reading), Decision::Jump { ahead_s } if (ahead_s - 1.1).abs() < 1e-9));
    }

    proptest! {
        #[test]
        fn decisions_stay_in_their_bounds(
            ahead_s in prop_oneof![-1.0..100.0, Just(f64::NAN), Just(f64::INFINITY)],
            typical_s in prop_oneof![-1.0..100.0, Just(f64::NAN)],
            target_s in prop_oneof![-1.0..10.0, Just(f64::NAN)],
            rate in RATE_MIN..RATE_MAX,
            start in prop_oneof![Just(Start::Burst), Just(Start::Calm), Just(Start::Over)],
            since_stall_ms in 0_i64..20_000,
            since_change_ms in 0_i64..20_000,
            since_rest_ms in 0_i64..20_000,
            since_jump_ms in 0_i64..100_000,
            least_s in prop_oneof![Just(None), (-1.0..100.0).prop_map(Some), Just(Some(f64::NAN))],
        ) {
            let reading = Reading {
                ahead_s, typical_s, target_s, rate, start, since_stall_ms, since_change_ms, since_rest_ms, since_jump_ms,
                least_s,
            };
            match decide(&reading) {
                Decision::Keep => {}
                Decision::Rate(wanted) => {
                    prop_assert!((RATE_MIN..=RATE_MAX).contains(&wanted));
                    prop_assert!(wanted != rate);
                    let hurry = wanted > 1.0 && wanted > rate;
                    prop_assert!(!(hurry && (since_stall_ms < BACK_OFF_MS || ahead_s <= floor_s(target_s))), "hurries when it should not");
                }
                Decision::Jump { ahead_s: left_s } => {
                    prop_assert!(left_s > 0.0 && left_s < ahead_s, "leaves {left_s} of {ahead_s}");
                    let splice = since_jump_ms >= SPLICE_REST_MS && least_s.is_some_and(|least_s| least_s > target_s + SPLICE_BEHIND_S);
                    prop_assert!(start != Start::Burst, "jumps to what is not yet live");
                    prop_assert!(start == Start::Calm || ahead_s > target_s + JUMP_BEHIND_S || splice);
                }
            }
        }

        #[test]
        fn a_new_change_of_rate_waits_its_turn(ahead_s in 0.0..3.0, target_s in 0.1..3.0, since_rest_ms in 0_i64..REST_MS) {
            let decision = decide(&Reading { since_rest_ms, ..calm(ahead_s, target_s) });
            prop_assert_eq!(decision, Decision::Keep);
        }
    }
}
