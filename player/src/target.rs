//! How much media should be left ahead of the picture just before more arrives. Pure, fuzzed and simulated.
//!
//! The viewer's goal or what the jitter needs, whichever is more, plus a reserve that each stall grows and quiet time shrinks.

use crate::{Delay, engine::Way};

/// How fast a target that is no longer needed comes down, in seconds per second.
const SHRINK: f64 = 0.02;
/// The same where frames are shown one by one, to begin with: a page that loads and a machine that held still are soon forgotten …
const FORGET: f64 = 0.04;
/// … and what comes again is kept in mind: each time it has to rise anew it comes down at a quarter of that, to no less than this.
const FORGET_LEAST: f64 = 0.002;
/// Less is no rise, but noise.
const RISE_S: f64 = 0.02;
/// Rises closer than what unevenness is remembered for are one.
const SPELL_MS: i64 = 12_000;
/// Where the way of frames begins; gone in a second or two, by when arrivals have shown more.
const FRAMES_BEGIN_S: f64 = 0.06;
/// What is missing so soon after that way was taken is no measure of anything.
const FRAMES_BEGIN_MS: i64 = 5_000;
/// How fast the caution of the first seconds comes down, which ends as soon as arrivals have shown what they are like.
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
/// What a stall with something left in the buffer has taught is forgotten after this, for once may have been anything; what a second one teaches is kept.
const LESSON_MS: i64 = 60_000;
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
    /// What the browser needs ahead besides jitter; and when that was learnt: the end of all time for what is certain.
    pipeline_s: f64,
    learnt_ms: Option<i64>,
    /// The goal or what jitter needs; rises at once, falls slowly.
    base_s: f64,
    /// Nothing has shown yet whether less than [`UNKNOWN_S`] will do.
    unknown: bool,
    /// Where frames are shown one by one: how fast `base_s` falls, in seconds per second, and when it last rose.
    forget: f64,
    rose_ms: Option<i64>,
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
            learnt_ms: None,
            base_s,
            unknown: true,
            forget: FORGET,
            rose_ms: None,
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
                // A little more than an even stream needs: how uneven this one is takes a while to be seen.
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
        self.rose_ms = None;
    }

    /// Follows the jitter and lets time shrink what is no longer needed. Called at any pace.
    pub fn update(&mut self, now_ms: i64, jitter_s: f64) {
        let passed_s = (now_ms.saturating_sub(self.updated_ms)).clamp(0, 10_000) as f64 / 1000.0;
        self.updated_ms = self.updated_ms.max(now_ms);
        if self.learnt_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) > LESSON_MS) {
            self.pipeline_s = PIPELINE_S.min(self.pipeline_s);
        }
        let base_s = self.needed_s(jitter_s);
        let shrink = match (self.unknown, self.way) {
            (true, _) => SHRINK_UNKNOWN,
            (false, Way::Buffered) => SHRINK,
            (false, Way::Frames) => self.forgets(base_s),
        };
        self.base_s = if base_s >= self.base_s { base_s } else { (self.base_s - shrink * passed_s).max(base_s) };
        self.unknown &= self.base_s > base_s;
        let hold_ms = HOLD_MS.get(self.streak.saturating_sub(1)).copied().unwrap_or_default();
        if self.stalled_ms.is_none_or(|at_ms| now_ms.saturating_sub(at_ms) > hold_ms) {
            self.reserve_s = (self.reserve_s - SHRINK * passed_s).max(0.0);
        }
    }

    /// How fast what is needed less is forgotten, now that `base_s` is needed.
    fn forgets(&mut self, base_s: f64) -> f64 {
        let since_ms = self.rose_ms.map(|at_ms| self.updated_ms - at_ms);
        if base_s - self.base_s > RISE_S {
            if since_ms.is_some_and(|since_ms| since_ms > SPELL_MS) {
                self.forget = (self.forget / 4.0).max(FORGET_LEAST);
            }
            self.rose_ms = Some(self.updated_ms);
        } else if since_ms.is_some_and(|since_ms| since_ms > MEMORY_MS) {
            self.forget = (self.forget * 4.0).min(FORGET);
            self.rose_ms = (self.forget < FORGET).then_some(self.updated_ms);
        }
        self.forget
    }

    /// The picture stopped with `ahead_s` left in the buffer. Nothing left: data came too late, and the reserve grows.
    /// Something left: the browser needs more than was known, and that is learnt; the second time for good.
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
            let first_ms = self.learnt_ms.unwrap_or(now_ms);
            self.learnt_ms = Some(if now_ms.saturating_sub(first_ms) > ONE_MS { i64::MAX } else { first_ms });
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
    fn what_a_browser_needs_is_learnt_from_its_second_stall_for_good_and_what_happens_once_is_forgotten() {
        let mut target = Target::new(Delay::Lowest, 0);
        target.update(20_000, 0.0);
        // Both of one hiccup.
        target.stalled(20_000, 0.25);
        target.stalled(21_000, 0.3);
        let after = |target: &mut Target, seconds: std::ops::Range<i64>| {
            seconds.for_each(|second| target.update(second * 1000, 0.0));
            target.seconds()
        };
        assert!((after(&mut target, 21..75) - 0.34).abs() < 1e-9);
        assert!((after(&mut target, 75..150) - PIPELINE_S).abs() < 1e-9, "{}", target.seconds());
        target.stalled(150_000, 0.15);
        assert!((after(&mut target, 150..900) - 0.19).abs() < 1e-9, "{}", target.seconds());
    }

    #[test]
    fn a_target_follows_jitter_up_at_once_and_down_slowly() {
        let mut target = Target::new(Delay::Lowest, 0);
        target.update(1_000, 0.5);
        assert!((target.seconds() - 0.51).abs() < 1e-9);
        target.update(2_000, 0.0);
        assert!((target.seconds() - 0.49).abs() < 1e-9);
    }
    /// Seconds in which arrivals dip so far, but for a millisecond; when they are over.
    fn after_spell(target: &mut Target, from_ms: i64, seconds: i64, dip_s: f64) -> i64 {
        let to_ms = from_ms + seconds * 1000;
        for at_ms in (from_ms..to_ms).step_by(500) {
            target.update(at_ms, dip_s + (at_ms % 1_500) as f64 * 1e-6);
        }
        to_ms
    }

    #[test]
    fn where_frames_are_shown_one_by_one_a_machine_that_held_still_is_soon_forgotten_and_one_that_does_so_again_is_not()
    {
        let mut target = Target::new(Delay::Lowest, 0);
        target.go_by(Way::Frames);
        let mut at_ms = after_spell(&mut target, 0, 20, 0.0);
        assert!(target.seconds() < 0.02, "{}", target.seconds());
        at_ms = after_spell(&mut target, at_ms, 12, 0.28);
        assert!(target.seconds() > 0.4, "{}", target.seconds());
        at_ms = after_spell(&mut target, at_ms, 12, 0.0);
        assert!(target.seconds() < 0.02, "{}", target.seconds());
        for _ in 0..3 {
            at_ms = after_spell(&mut target, at_ms, 12, 0.28);
            at_ms = after_spell(&mut target, at_ms, 50, 0.0);
        }
        assert!(target.seconds() > 0.28, "{}", target.seconds());
        // All is forgotten in time, what made it careful too.
        at_ms = after_spell(&mut target, at_ms, 1_200, 0.0);
        at_ms = after_spell(&mut target, at_ms, 12, 0.28);
        after_spell(&mut target, at_ms, 12, 0.0);
        assert!(target.seconds() < 0.02, "{}", target.seconds());
    }

    proptest! {
        #[test]
        fn a_target_stays_between_its_goal_and_its_cap(
            delay in prop_oneof![Just(Delay::Lowest), Just(Delay::Balanced), Just(Delay::Smooth)],
            events in prop::collection::vec((0_i64..30_000, prop_oneof![0.0..20.0, 0.0..0.3, Just(f64::NAN)], any::<bool>()), 0..200),
            frames: bool,
        ) {
            let mut target = Target::new(delay, 0);
            if frames {
                target.go_by(Way::Frames);
            }
            let goal_s = target.goal_s();
            let mut now_ms = 0;
            for (pause_ms, jitter_s, stall) in events {
                now_ms += pause_ms;
                target.update(now_ms, jitter_s);
                if stall {
                    target.stalled(now_ms, jitter_s);
                }
                prop_assert!((goal_s..=cap_s(delay)).contains(&target.seconds()));
            }
        }
    }
}
