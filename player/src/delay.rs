//! How far behind live to be, and what to do about it: two pure parts, fuzzed and simulated.
//!
//! [`Target`] says how much media should be left ahead of the picture just before more arrives: the viewer's goal or
//! what the jitter needs, whichever is more, plus a reserve that each stall grows and quiet time shrinks.
//! [`decide`] compares that with what there is and answers with a rate, a jump, or nothing.

use crate::{Delay, engine::Way};

/// Slowest playback. With the pitch preserved nobody hears it.
pub const RATE_MIN: f64 = 0.95;
/// Fastest playback.
pub const RATE_MAX: f64 = 1.08;
/// Further behind its target than this, the player jumps instead of hurrying.
pub const JUMP_BEHIND_S: f64 = 3.0;
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
    /// What `typical_s` should be ([`Target::seconds`]).
    pub target_s: f64,
    /// The rate in force.
    pub rate: f64,
    /// Whether the one free jump after joining may be used now.
    pub may_jump: bool,
    /// Since the last stall.
    pub since_stall_ms: i64,
    /// Since the rate last was changed.
    pub since_change_ms: i64,
    /// Since the rate last came back to 1.
    pub since_rest_ms: i64,
    /// Since the last jump.
    pub since_jump_ms: i64,
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
    let over_s = ahead_s - target_s;
    if (reading.may_jump && over_s > JOIN_SLACK_S) || (over_s > JUMP_BEHIND_S && reading.since_jump_ms >= 1_000) {
        return Decision::Jump { ahead_s: target_s };
    }
    settle(rate, wanted_rate(reading))
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

/// How fast a target that is no longer needed comes down, in seconds per second.
const SHRINK: f64 = 0.02;
/// The same where frames are shown one by one: what unevenness was seen may come again, and little is lost by keeping it in mind …
const SHRINK_FRAMES: f64 = 0.002;
/// … but not of the first seconds of that way, when a page is still busy with itself.
const FRAMES_SETTLE_MS: i64 = 20_000;
/// Where that way begins.
const FRAMES_BEGIN_S: f64 = 0.06;
/// What is missing so soon after that way was taken is no measure of anything.
const FRAMES_BEGIN_MS: i64 = 5_000;
/// The same for the caution of the first seconds, which ends as soon as arrivals have shown what they are like.
const SHRINK_UNKNOWN: f64 = 0.08;
/// Quiet time after a stall before the reserve shrinks: after the first, the second in a row and so on. What comes each minute is kept for.
const HOLD_MS: [i64; 4] = [15_000, 60_000, 90_000, 120_000];
/// Stalls further apart than this are strangers.
const MEMORY_MS: i64 = 200_000;
/// Stalls closer than this are one.
const ONE_MS: i64 = 5_000;

/// What a browser's own pipeline takes from the buffer before the picture suffers: Chromium with sound stalls at about
/// this much ahead, however evenly data comes. What another browser needs is learnt from its stalls.
const PIPELINE_S: f64 = 0.11;
/// The same where each frame is decoded by itself: what a decoder takes. What sound needs besides is seen in how uneven arrivals are.
const FRAMES_PIPELINE_S: f64 = 0.01;
/// The most that is believed of a browser's pipeline.
const PIPELINE_MAX_S: f64 = 0.4;
/// A stall with less than this left was the buffer's fault, not the browser's.
const EMPTY_S: f64 = 0.03;
/// Where Lowest begins: nothing is known of the network yet, and a page that loads is busy.
const UNKNOWN_S: f64 = 0.3;

/// The buffer to aim at, for one [`Delay`] setting.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    delay: Delay,
    way: Way,
    way_ms: i64,
    /// What the browser needs ahead besides jitter; learnt, and kept.
    pipeline_s: f64,
    /// The goal or what jitter needs; rises at once, falls slowly.
    base_s: f64,
    /// Nothing has shown yet whether less than [`UNKNOWN_S`] will do.
    unknown: bool,
    /// Grown by stalls.
    reserve_s: f64,
    streak: usize,
    stalled_ms: Option<i64>,
    updated_ms: i64,
}

impl Target {
    /// As for a viewer who has just come.
    pub fn new(delay: Delay, now_ms: i64) -> Self {
        let base_s = goal_s(delay).max(UNKNOWN_S);
        Self {
            delay,
            way: Way::Buffered,
            way_ms: now_ms,
            pipeline_s: PIPELINE_S,
            base_s,
            unknown: true,
            reserve_s: 0.0,
            streak: 0,
            stalled_ms: None,
            updated_ms: now_ms,
        }
    }

    /// The aim, in seconds of media ahead of the picture.
    pub fn seconds(&self) -> f64 {
        (self.base_s + self.reserve_s).min(cap_s(self.delay))
    }

    /// What was asked for.
    pub const fn delay(&self) -> Delay {
        self.delay
    }

    /// How frames come to the screen.
    pub const fn way(&self) -> Way {
        self.way
    }

    /// Frames come to the screen another way, which needs another span ahead.
    pub fn go_by(&mut self, way: Way) {
        if way != self.way {
            (self.way, self.way_ms) = (way, self.updated_ms);
            self.pipeline_s = match way {
                Way::Buffered => PIPELINE_S,
                Way::Frames => FRAMES_PIPELINE_S,
            };
            self.set(self.delay, 0.0);
            if way == Way::Frames {
                // A little more than an even stream needs: how uneven this one is takes seconds to be seen.
                self.base_s = self.base_s.max(FRAMES_BEGIN_S);
            }
        }
    }

    fn goal_s(&self) -> f64 {
        match (self.way, self.delay) {
            (Way::Frames, Delay::Lowest) => FRAMES_PIPELINE_S,
            _ => goal_s(self.delay),
        }
    }

    /// Another setting; what was learnt about the network stays.
    pub fn set(&mut self, delay: Delay, jitter_s: f64) {
        self.delay = delay;
        self.base_s = self.needed_s(jitter_s);
        self.reserve_s = self.reserve_s.min(reserve_max_s(delay));
    }

    /// Follows the jitter and lets time shrink what is no longer needed. Called at any pace.
    pub fn update(&mut self, now_ms: i64, jitter_s: f64) {
        let passed_s = (now_ms.saturating_sub(self.updated_ms)).clamp(0, 10_000) as f64 / 1000.0;
        self.updated_ms = self.updated_ms.max(now_ms);
        let base_s = self.needed_s(jitter_s);
        let settled = self.way == Way::Frames && self.updated_ms - self.way_ms > FRAMES_SETTLE_MS;
        let shrink = match (self.unknown, settled) {
            (true, _) => SHRINK_UNKNOWN,
            (false, true) => SHRINK_FRAMES,
            (false, false) => SHRINK,
        };
        self.base_s = if base_s >= self.base_s { base_s } else { (self.base_s - shrink * passed_s).max(base_s) };
        self.unknown &= self.base_s > base_s;
        let hold_ms = HOLD_MS.get(self.streak.saturating_sub(1)).copied().unwrap_or_default();
        if self.stalled_ms.is_none_or(|at_ms| now_ms.saturating_sub(at_ms) > hold_ms) {
            self.reserve_s = (self.reserve_s - SHRINK * passed_s).max(0.0);
        }
    }

    /// The picture stopped with `ahead_s` left in the buffer. Nothing left: data came too late, and the reserve grows.
    /// Something left: the browser needs more than was known, and that is learnt for good.
    pub fn stalled(&mut self, now_ms: i64, ahead_s: f64) {
        if self.way == Way::Frames && now_ms.saturating_sub(self.way_ms) < FRAMES_BEGIN_MS {
            // The page's, and not the network's.
            return;
        }
        let needs_s = (ahead_s + 0.04).min(PIPELINE_MAX_S);
        // Frames shown one by one have no pipeline: their sound was late on its last steps to the sound card.
        let learns = self.way == Way::Buffered && (EMPTY_S..=PIPELINE_MAX_S).contains(&ahead_s);
        if learns && needs_s > self.pipeline_s {
            self.base_s += needs_s - self.pipeline_s;
            self.pipeline_s = needs_s;
            return;
        }
        self.unknown = false;
        self.streak = match self.stalled_ms.map(|at_ms| now_ms.saturating_sub(at_ms)) {
            Some(..ONE_MS) => self.streak,
            Some(..MEMORY_MS) => (self.streak + 1).min(HOLD_MS.len()),
            _ => 1,
        };
        self.stalled_ms = Some(now_ms);
        let step_s = match self.way {
            Way::Buffered => reserve_step_s(self.delay),
            // Sound that is missing for a moment, and no picture that stands.
            Way::Frames => 0.03,
        };
        self.reserve_s = (self.reserve_s + step_s).min(reserve_max_s(self.delay));
    }

    fn needed_s(&self, jitter_s: f64) -> f64 {
        let jitter_s = if jitter_s.is_finite() { jitter_s.max(0.0) } else { 0.0 };
        let share = match self.way {
            Way::Buffered => 0.8,
            Way::Frames => 1.5,
        };
        self.goal_s().max(self.pipeline_s + share * jitter_s).min(cap_s(self.delay))
    }
}

/// What a viewer asked for.
pub const fn goal_s(delay: Delay) -> f64 {
    match delay {
        Delay::Lowest => 0.1,
        Delay::Balanced => 0.8,
        Delay::Smooth => 3.0,
    }
}

/// The most the target grows to by itself.
pub const fn cap_s(delay: Delay) -> f64 {
    match delay {
        Delay::Lowest => 1.0,
        Delay::Balanced => 2.0,
        Delay::Smooth => 6.0,
    }
}

const fn reserve_step_s(delay: Delay) -> f64 {
    match delay {
        Delay::Lowest => 0.1,
        Delay::Balanced => 0.25,
        Delay::Smooth => 0.5,
    }
}

const fn reserve_max_s(delay: Delay) -> f64 {
    match delay {
        Delay::Lowest => 0.6,
        Delay::Balanced => 0.8,
        Delay::Smooth => 2.0,
    }
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
            may_jump: false,
            since_stall_ms: 60_000,
            since_change_ms: 60_000,
            since_rest_ms: 60_000,
            since_jump_ms: 60_000,
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
        assert_eq!(decide(&Reading { may_jump: true, ..calm(2.0, 0.2) }), Decision::Jump { ahead_s: 0.2 });
        assert_eq!(decide(&Reading { may_jump: true, ..calm(0.3, 0.2) }), Decision::Rate(1.03));
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
    fn a_target_grows_on_a_stall_and_comes_back() {
        for delay in [Delay::Lowest, Delay::Balanced, Delay::Smooth] {
            let mut target = Target::new(delay, 0);
            target.update(20_000, 0.0);
            let before_s = target.seconds();
            target.stalled(30_000, 0.0);
            assert!(target.seconds() > before_s + 0.09);
            for second in 30..150 {
                target.update(second * 1000, 0.0);
            }
            let goal_s = goal_s(delay).max(PIPELINE_S);
            assert!((target.seconds() - goal_s).abs() < 1e-9, "{delay:?}: {}", target.seconds());
        }
    }

    #[test]
    fn what_a_browser_needs_is_learnt_from_its_stalls_for_good() {
        let mut target = Target::new(Delay::Lowest, 0);
        target.update(20_000, 0.0);
        target.stalled(20_000, 0.15);
        for second in 20..300 {
            target.update(second * 1000, 0.0);
        }
        assert!((target.seconds() - 0.19).abs() < 1e-9, "{}", target.seconds());
    }

    #[test]
    fn a_target_follows_jitter_up_at_once_and_down_slowly() {
        let mut target = Target::new(Delay::Lowest, 0);
        target.update(1_000, 0.5);
        assert!((target.seconds() - 0.51).abs() < 1e-9);
        target.update(2_000, 0.0);
        assert!((target.seconds() - 0.49).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn decisions_stay_in_their_bounds(
            ahead_s in prop_oneof![-1.0..100.0, Just(f64::NAN), Just(f64::INFINITY)],
            typical_s in prop_oneof![-1.0..100.0, Just(f64::NAN)],
            target_s in prop_oneof![-1.0..10.0, Just(f64::NAN)],
            rate in RATE_MIN..RATE_MAX,
            may_jump: bool,
            since_stall_ms in 0_i64..20_000,
            since_change_ms in 0_i64..20_000,
            since_rest_ms in 0_i64..20_000,
            since_jump_ms in 0_i64..20_000,
        ) {
            let reading = Reading {
                ahead_s, typical_s, target_s, rate, may_jump, since_stall_ms, since_change_ms, since_rest_ms, since_jump_ms,
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
                    prop_assert!(may_jump || ahead_s > target_s + JUMP_BEHIND_S);
                }
            }
        }

        #[test]
        fn a_new_change_of_rate_waits_its_turn(ahead_s in 0.0..3.0, target_s in 0.1..3.0, since_rest_ms in 0_i64..REST_MS) {
            let decision = decide(&Reading { since_rest_ms, ..calm(ahead_s, target_s) });
            prop_assert_eq!(decision, Decision::Keep);
        }

        #[test]
        fn a_target_stays_between_its_goal_and_its_cap(
            delay in prop_oneof![Just(Delay::Lowest), Just(Delay::Balanced), Just(Delay::Smooth)],
            events in prop::collection::vec((0_i64..30_000, prop_oneof![0.0..20.0, Just(f64::NAN)], any::<bool>()), 0..200),
        ) {
            let mut target = Target::new(delay, 0);
            let mut now_ms = 0;
            for (pause_ms, jitter_s, stall) in events {
                now_ms += pause_ms;
                target.update(now_ms, jitter_s);
                if stall {
                    target.stalled(now_ms, jitter_s);
                }
                prop_assert!((goal_s(delay)..=cap_s(delay)).contains(&target.seconds()));
            }
        }
    }
}
