//! Where the picture should be: seeks, jumps and the playback rate ([`steer`]).
//!
//! Every seek ends inside a buffered range. The delay itself is decided in [`crate::delay`]; this part reads the
//! element, keeps the times that decision needs, and deals with what keeps an element from playing: a start outside
//! the data, gaps, and a decoder that sleeps.

mod steer;

use super::{View, Way};
#[cfg(test)]
use crate::delay::{Decision, Reading, decide};
use crate::{Delay, jitter::Arrivals, target::Target};

/// A position this close to a range plays in it.
const SLACK_S: f64 = 0.02;
/// A picture that has not moved for so long stands.
const STUCK_MS: i64 = 250;
/// The free jump on joining ends so long after the picture first moved: before anybody listens.
const JOIN_MS: i64 = 1_000;
/// The burst that a join begins with is over when nothing big has come for this long.
const CALM_MS: i64 = 50;
/// A viewer who goes to a place this close to where live is wants live.
const LIVE_WITHIN_S: f64 = 1.0;
/// `waiting` so soon after a seek belongs to it.
const SEEK_ECHO_MS: i64 = 500;
/// With more than this ahead, and meant to be ahead, data may wait for some hundredths of a second.
const ENOUGH_S: f64 = 0.4;

/// What the pilot wants done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Move {
    /// Set the position, to start or to go on.
    Seek(f64),
    /// Set the position, to be closer to live.
    Jump(f64),
    /// The element does not play what it has: a new media source is needed.
    Rebuild,
}

#[derive(Clone, Copy, Debug)]
struct Join {
    since_ms: i64,
    moving_ms: Option<i64>,
}

/// Position, rate and delay.
#[derive(Debug)]
pub(super) struct Pilot {
    target: Target,
    arrivals: Arrivals,
    rate: f64,
    changed_ms: i64,
    rested_ms: i64,
    /// The last jump that was no part of a start.
    jumped_ms: i64,
    stalled_ms: i64,
    seek_ms: i64,
    join: Option<Join>,
    /// The viewer asked for the live edge, or for another delay.
    asked: bool,
    /// Where the viewer wants to be instead.
    chosen_s: Option<f64>,
    /// The viewer is behind live because they want to be.
    rewound: bool,
    /// Nothing came any more when the viewer went on after a pause: what is left is played, until something comes.
    left: bool,
    /// What was kept is on its way into a new media source: no move before it is there.
    gathering: bool,
    position_s: f64,
    moved_ms: i64,
    waiting: bool,
    nudges: u32,
    end_s: f64,
    end_ms: i64,
    burst_ms: i64,
    /// [`decide`], or a broken one that the judge of a simulated day must find out.
    #[cfg(test)]
    pub decide: fn(&Reading) -> Decision,
}

/// Long before anything: a `since` counted from here is large, and no difference overflows.
const NEVER_MS: i64 = -1_000_000_000;

impl Pilot {
    pub fn new(delay: Delay, now_ms: i64) -> Self {
        Self {
            target: Target::new(delay, now_ms),
            arrivals: Arrivals::default(),
            rate: 1.0,
            changed_ms: NEVER_MS,
            rested_ms: NEVER_MS,
            jumped_ms: NEVER_MS,
            stalled_ms: NEVER_MS,
            seek_ms: NEVER_MS,
            join: None,
            asked: false,
            chosen_s: None,
            rewound: false,
            left: false,
            gathering: false,
            position_s: 0.0,
            moved_ms: NEVER_MS,
            waiting: false,
            nudges: 0,
            end_s: 0.0,
            end_ms: now_ms,
            burst_ms: now_ms,
            #[cfg(test)]
            decide,
        }
    }

    pub fn rate(&self) -> f64 {
        self.rate
    }

    pub fn target_s(&self) -> f64 {
        self.target.seconds()
    }

    pub fn jitter_s(&self) -> f64 {
        self.arrivals.jitter_s()
    }

    /// How uneven arrivals are, as the target wants to know it. A media source stops where a frame is missing; a frame of its own that
    /// comes late is shown late, and only how late the latest are counts.
    fn uneven_s(&self) -> f64 {
        match self.target.way() {
            Way::Buffered => self.arrivals.jitter_s(),
            Way::Frames => self.arrivals.dip_s(),
        }
    }

    /// What the viewer asked for.
    pub const fn delay(&self) -> Delay {
        self.target.delay()
    }

    /// Whether the viewer is behind live because they want to be, or is on the way there.
    pub const fn is_back(&self) -> bool {
        self.rewound || self.chosen_s.is_some()
    }

    /// Whether the picture is left where it is, however far that is from live.
    const fn stays(&self) -> bool {
        self.rewound || self.left
    }

    /// Whether a place is so near to live that it is live.
    pub fn is_live(&self, view: &View, at_s: f64) -> bool {
        view.ranges.end_s().is_none_or(|end_s| end_s - at_s <= self.target.seconds() + LIVE_WITHIN_S)
    }

    /// Whether what was kept is on its way into a new media source.
    pub const fn gathers(&self) -> bool {
        self.gathering
    }

    /// What was kept goes into the new media source; then to `to_s`, or to where live is.
    pub fn gather(&mut self, to_s: Option<f64>) {
        (self.gathering, self.chosen_s, self.asked) = (true, to_s, to_s.is_none());
    }

    /// Media ahead of the picture in the range it plays in.
    pub fn ahead_s(&self, view: &View) -> f64 {
        view.ranges.at(view.position_s, SLACK_S).map_or(0.0, |span| (span.end_s - view.position_s).max(0.0))
    }

    /// Behind the newest data: what is buffered ahead, gaps included, and how old its end is.
    pub fn behind_ms(&self, now_ms: i64, view: &View) -> Option<u32> {
        let ahead_s = (view.ranges.end_s()? - view.position_s).max(0.0);
        let age_ms = (now_ms - self.end_ms).max(0);
        u32::try_from((ahead_s * 1000.0) as i64 + age_ms).ok()
    }

    /// Whether what is ahead lasts for so long that it does not matter when more comes. Not in the burst of a join or after a hold.
    pub fn has_enough(&self) -> bool {
        let calm = self.join.is_none() && self.end_ms - self.burst_ms >= CALM_MS;
        calm && self.target_s() > ENOUGH_S && self.end_s - self.position_s > ENOUGH_S
    }

    /// Whether the picture moves.
    pub fn moving(&self, now_ms: i64) -> bool {
        !self.waiting && now_ms - self.moved_ms < STUCK_MS
    }

    /// Whether the picture has stood for a second.
    pub fn still(&self, now_ms: i64) -> bool {
        now_ms - self.moved_ms > 1_000
    }

    /// Reads the element. Comes before everything else at each input.
    pub fn observe(&mut self, now_ms: i64, view: &View) {
        let step_s = view.position_s - self.position_s;
        if step_s.abs() > 0.001 {
            self.position_s = view.position_s;
            // A seek moves the position without playing anything.
            if !view.seeking && !view.paused && step_s > 0.0 && step_s < 1.0 {
                self.moved_ms = now_ms;
                self.waiting = false;
                self.nudges = 0;
                if let Some(join) = &mut self.join {
                    join.moving_ms.get_or_insert(now_ms);
                }
            }
        }
        self.arrivals_seen(now_ms, view);
        self.target.update(now_ms, self.uneven_s());
        let over = |join: &Join| join.moving_ms.is_some_and(|at_ms| now_ms - at_ms > JOIN_MS);
        if self.join.as_ref().is_some_and(over) {
            self.join = None;
        }
    }

    fn arrivals_seen(&mut self, now_ms: i64, view: &View) {
        let Some(end_s) = view.ranges.end_s() else { return };
        let grown_s = end_s - self.end_s;
        if grown_s <= 0.0001 {
            return;
        }
        let usual = !view.paused && !view.seeking && self.join.is_none();
        if usual && view.position_s <= self.end_s + SLACK_S {
            self.arrivals.arrived(now_ms, self.end_s, view.position_s);
        }
        if grown_s > (now_ms - self.end_ms) as f64 / 1000.0 + 0.1 {
            self.burst_ms = now_ms;
        }
        (self.end_s, self.end_ms) = (end_s, now_ms);
    }

    /// A stream begins, or the viewer comes back to it.
    pub fn join(&mut self, now_ms: i64) {
        self.join = Some(Join { since_ms: now_ms, moving_ms: None });
        self.burst_ms = now_ms;
        self.left = false;
        self.arrivals.restart();
        self.set_rate(now_ms, 1.0);
    }

    /// The viewer goes on after a pause: live, or where nothing comes any more with what is left.
    pub fn resumed(&mut self, now_ms: i64, live: bool) {
        if self.moved_ms != NEVER_MS {
            self.moved_ms = now_ms;
        }
        self.left = !live;
        if live {
            self.join(now_ms);
        }
    }

    /// A new media source: another timeline, nothing buffered.
    pub fn fresh_source(&mut self, now_ms: i64, way: Way) {
        (self.chosen_s, self.rewound, self.left, self.gathering) = (None, false, false, false);
        self.target.go_by(way);
        self.position_s = 0.0;
        self.end_s = 0.0;
        self.end_ms = now_ms;
        self.nudges = 0;
        self.seek_ms = NEVER_MS;
        // The element's rate is 1 again; that ends a change like any other.
        self.set_rate(now_ms, 1.0);
    }

    /// The element says `playing`.
    pub fn playing(&mut self, now_ms: i64) {
        self.waiting = false;
        if let Some(join) = &mut self.join {
            join.moving_ms.get_or_insert(now_ms);
        }
    }

    /// The element says `waiting`. True when that is a stall that a viewer notices; `late`: the connection stands and
    /// its data comes too late, so the target grows.
    pub fn waiting(&mut self, now_ms: i64, view: &View, late: bool) -> bool {
        self.waiting = true;
        let own = view.seeking || view.paused || now_ms - self.seek_ms < SEEK_ECHO_MS;
        if own || self.join.is_some() || self.moved_ms == NEVER_MS {
            return false;
        }
        if late {
            self.target.stalled(now_ms, self.ahead_s(view));
        }
        self.stalled_ms = now_ms;
        self.set_rate(now_ms, 1.0);
        true
    }

    /// The viewer chose another setting: go there at once, back into the buffer or forward.
    pub fn set_delay(&mut self, delay: Delay) {
        self.target.set(delay, self.uneven_s());
        self.asked = true;
    }

    /// The viewer wants the live edge.
    pub fn ask_live(&mut self) {
        self.asked = true;
    }

    /// The viewer wants to be elsewhere: `by_s` from where the picture is, or is on its way to.
    pub fn rewind(&mut self, view: &View, by_s: f64) {
        self.chosen_s = Some(self.chosen_s.unwrap_or(view.position_s) + by_s);
    }

    /// The tab is shown again: what it fell behind while nobody looked is made good at once. A picture that was paused stays what it is.
    pub fn shown_again(&mut self, view: &View) {
        self.asked |= !view.paused && !self.stays() && self.ahead_s(view) > self.target.seconds() + 0.5;
    }

    fn seek(&mut self, now_ms: i64, to_s: f64) -> Move {
        self.seek_ms = now_ms;
        self.arrivals.jumped();
        self.set_rate(now_ms, 1.0);
        Move::Seek(to_s)
    }

    fn set_rate(&mut self, now_ms: i64, rate: f64) {
        if rate == self.rate {
            return;
        }
        if rate == 1.0 {
            self.rested_ms = now_ms;
        }
        self.changed_ms = now_ms;
        self.rate = rate;
    }
}
