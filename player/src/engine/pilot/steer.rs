//! The next move of a [`Pilot`]: a seek, a jump, a media source that is of no use, or another rate.

use super::{CALM_MS, LIVE_WITHIN_S, Move, Pilot, SLACK_S, STUCK_MS};
#[cfg(not(test))]
use crate::delay::decide;
use crate::{
    delay::{Decision, Reading, Start},
    engine::{View, Way},
    ranges::Span,
};

/// A picture that stands although there is data is given a push after this.
const NUDGE_MS: i64 = 2_000;
/// Pushes before the media source is rebuilt.
const NUDGES: u32 = 4;
/// A burst is waited for no longer than this.
const BURST_MS: i64 = 400;
/// A seek that has not ended by now is taken as lost.
const SEEK_MS: i64 = 3_000;
/// A viewer whose place was given up comes back to the live edge where more than this is buffered, and to the start of it otherwise.
const LONG_AWAY_S: f64 = 60.0;

impl Pilot {
    /// Decides on the next move. `backlog`: data waits for the buffers. `visible`: the tab is shown.
    pub fn steer(&mut self, now_ms: i64, view: &View, backlog: bool, visible: bool) -> Option<Move> {
        if view.seeking && now_ms - self.seek_ms < SEEK_MS {
            return None;
        }
        if self.gathering && backlog {
            return None;
        }
        self.gathering = false;
        let stuck = !view.paused && now_ms - self.moved_ms > STUCK_MS && now_ms - self.seek_ms > STUCK_MS;
        let here = view.ranges.at(view.position_s, SLACK_S);
        // A paused picture may have been left behind by all that is kept.
        if (here.is_some() || view.paused)
            && !self.asked
            && let Some(to_s) = self.chosen_s.take()
        {
            return self.go_to(now_ms, view, to_s);
        }
        let Some(span) = here else { return self.place(now_ms, view, stuck) };
        let ahead_s = (span.end_s - view.position_s).max(0.0);
        if let Some(next) = view.ranges.after(view.position_s).filter(|next| next.start_s > span.start_s)
            && (ahead_s < 0.02 || (stuck && ahead_s < 0.3))
        {
            return Some(self.seek(now_ms, next.clamp(next.start_s)));
        }
        if std::mem::take(&mut self.asked) {
            (self.chosen_s, self.rewound, self.left) = (None, false, false);
            return self.jump_to_live(now_ms, view);
        }
        if view.paused {
            return None;
        }
        let slow_start = self.join.as_ref().is_none_or(|join| now_ms - join.since_ms > STUCK_MS);
        if stuck && slow_start && view.position_s < span.start_s {
            return Some(self.seek(now_ms, span.clamp(span.start_s)));
        }
        if let Some(push) = self.nudge(now_ms, view, span, ahead_s, visible) {
            return Some(push);
        }
        let live_s = view.ranges.end_s().unwrap_or(view.position_s);
        self.rewound &= live_s - view.position_s > self.target.seconds() + LIVE_WITHIN_S;
        if self.stays() {
            return None;
        }
        let splices = self.target.way() == Way::Frames && !backlog;
        let reading = Reading {
            ahead_s,
            typical_s: self.arrivals.typical_s(now_ms).unwrap_or(ahead_s),
            target_s: self.target.seconds(),
            rate: self.rate,
            start: self.start(now_ms, backlog),
            since_stall_ms: now_ms - self.stalled_ms,
            since_change_ms: now_ms - self.changed_ms,
            since_rest_ms: now_ms - self.rested_ms,
            since_jump_ms: now_ms - self.jumped_ms,
            least_s: if splices { self.arrivals.least_s(now_ms) } else { None },
        };
        #[cfg(test)]
        let decide = self.decide;
        match decide(&reading) {
            Decision::Keep => None,
            Decision::Rate(rate) => {
                // The rate of a picture that stands means nothing.
                if self.moving(now_ms) {
                    self.set_rate(now_ms, rate);
                }
                None
            }
            Decision::Jump { ahead_s } => {
                let (joining, before_ms) = (self.join.take().is_some(), self.jumped_ms);
                let to_s = self.jump(now_ms, view, span, ahead_s)?;
                if joining {
                    // Part of the start.
                    self.jumped_ms = before_ms;
                    return Some(Move::Seek(to_s));
                }
                Some(Move::Jump(to_s))
            }
        }
    }

    /// To where the viewer wants to be, or as near to it as there is anything.
    fn go_to(&mut self, now_ms: i64, view: &View, to_s: f64) -> Option<Move> {
        let to_s = view.ranges.nearest(to_s)?.clamp(to_s);
        self.rewound = view.ranges.end_s()? - to_s > self.target.seconds() + LIVE_WITHIN_S;
        if self.rewound { Some(self.seek(now_ms, to_s)) } else { self.jump_to_live(now_ms, view) }
    }

    /// To where live is, by the target.
    fn jump_to_live(&mut self, now_ms: i64, view: &View) -> Option<Move> {
        let live_s = view.ranges.end_s()? - self.target.seconds();
        let span = view.ranges.nearest(live_s)?;
        self.jump(now_ms, view, span, span.end_s - live_s).map(Move::Jump)
    }

    /// The position is in no range: to the start of a stream, over a gap, or back from beyond the end.
    fn place(&mut self, now_ms: i64, view: &View, stuck: bool) -> Option<Move> {
        let joining = self.join.is_some();
        if view.paused && !joining && !self.asked {
            return None;
        }
        if let Some(next) = view.ranges.after(view.position_s) {
            // Where the tracks start apart, the range starts at the later one, so this is the first moment with both.
            let wanted = joining || stuck || self.asked;
            // Who comes back after so long that even this start is about to go wants the live edge.
            let start_s = if joining && next.end_s - next.start_s > LONG_AWAY_S {
                next.end_s - self.target.seconds()
            } else {
                next.start_s
            };
            return wanted.then(|| self.seek(now_ms, next.clamp(start_s)));
        }
        let last = view.ranges.last()?;
        let beyond = view.position_s > last.end_s + 0.5;
        beyond.then(|| self.seek(now_ms, last.clamp(last.end_s - self.target.seconds())))
    }

    /// A shown picture that stands although there is data ahead: some decoders sleep until the position is set.
    fn nudge(&mut self, now_ms: i64, view: &View, span: Span, ahead_s: f64, visible: bool) -> Option<Move> {
        let stands = now_ms - self.moved_ms.max(self.seek_ms) > NUDGE_MS && ahead_s > 0.5;
        let first = self.join.as_ref().is_none_or(|join| now_ms - join.since_ms > NUDGE_MS);
        if !stands || !first || !visible {
            return None;
        }
        self.nudges += 1;
        if self.nudges > NUDGES {
            self.nudges = 0;
            self.seek_ms = now_ms;
            return Some(Move::Rebuild);
        }
        // The picture is cut anyway: to where live is, then.
        let live_s = if self.stays() { 0.0 } else { span.end_s - self.target.seconds() };
        Some(self.seek(now_ms, span.clamp(live_s.max(view.position_s + 0.1))))
    }

    fn start(&self, now_ms: i64, backlog: bool) -> Start {
        let Some(join) = &self.join else { return Start::Over };
        let calm = !backlog && now_ms - self.burst_ms >= CALM_MS;
        if calm || now_ms - join.since_ms >= BURST_MS { Start::Calm } else { Start::Burst }
    }

    fn jump(&mut self, now_ms: i64, view: &View, span: Span, ahead_s: f64) -> Option<f64> {
        let to_s = span.clamp(span.end_s - ahead_s);
        if (to_s - view.position_s).abs() < 0.05 {
            return None;
        }
        self.jumped_ms = now_ms;
        self.seek(now_ms, to_s);
        Some(to_s)
    }
}
