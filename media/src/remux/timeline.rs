//! The time base both tracks share: from stamps to places on the media timeline.

use crate::Millis;

/// A stamp this far behind the newest one is the encoder starting over, not tracks interleaved late.
pub const LEAP_BACK: Millis = Millis(3_000);

/// A stamp this far ahead of the newest one is the encoder's clock leaping, or a viewer moved forward: nobody is to
/// wait through the gap.
pub const LEAP_AHEAD: Millis = Millis(10_000);

/// Media after a leap follow the newest frame by about a frame's time.
const STEP_AFTER_LEAP: Millis = Millis(40);

/// Times beyond 139 years either way are cut, so that ticks of any timescale fit into 64 bits.
const FARTHEST: i64 = 1 << 42;

#[derive(Debug)]
pub(super) struct Timeline {
    /// The stamp that lies at 0.
    zero: Option<Millis>,
    /// Where the first frame lies when no origin was given.
    start: Millis,
    /// The latest place given out.
    newest: Option<Millis>,
}

impl Timeline {
    pub(super) fn new(origin: Option<Millis>, start: Millis) -> Self {
        Self { zero: origin.map(|origin| origin.saturating_sub(start)), start, newest: None }
    }

    pub(super) fn zero_stamp(&self) -> Option<Millis> {
        self.zero
    }

    /// Where a stamp lies, as things stand.
    pub(super) fn peek(&self, at: Millis) -> Millis {
        self.zero.map_or(self.start, |zero| within(at.saturating_sub(zero)))
    }

    /// Where a frame lies that is given out. The first one sets the zero if no origin did.
    pub(super) fn place(&mut self, at: Millis) -> Millis {
        let zero = *self.zero.get_or_insert(at.saturating_sub(self.start));
        let mut place = within(at.saturating_sub(zero));
        if let Some(newest) = self.newest
            && (place < newest.saturating_sub(LEAP_BACK) || place > newest.saturating_add(LEAP_AHEAD))
        {
            place = within(newest.saturating_add(STEP_AFTER_LEAP));
            self.zero = Some(at.saturating_sub(place));
        }
        self.newest = Some(self.newest.map_or(place, |newest| newest.max(place)));
        place
    }
}

fn within(at: Millis) -> Millis {
    Millis(at.0.clamp(-FARTHEST, FARTHEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frame_lies_at_the_start() {
        let mut time = Timeline::new(None, Millis(500));
        assert_eq!(time.peek(Millis(77)), Millis(500));
        assert_eq!(time.place(Millis(90_000)), Millis(500));
        assert_eq!(time.place(Millis(89_980)), Millis(480), "the other track may be a little earlier");
        assert_eq!(time.place(Millis(90_040)), Millis(540));
        assert_eq!(time.zero_stamp(), Some(Millis(89_500)));
    }

    #[test]
    fn an_origin_is_kept_however_late_the_first_frame() {
        let mut time = Timeline::new(Some(Millis(1000)), Millis(0));
        assert_eq!(time.place(Millis(3_601_000)), Millis(3_600_000));
    }

    #[test]
    fn leaps_are_closed_for_both_tracks() {
        let mut time = Timeline::new(None, Millis(0));
        assert_eq!(time.place(Millis(100_000)), Millis(0));
        assert_eq!(time.place(Millis(105_000)), Millis(5_000));
        assert_eq!(time.place(Millis(0)), Millis(5_040), "the encoder started over");
        assert_eq!(time.place(Millis(105_021)), Millis(5_080), "a straggler of the other track");
        assert_eq!(time.place(Millis(40)), Millis(5_120));
        assert_eq!(time.place(Millis(80)), Millis(5_160));
    }

    #[test]
    fn the_ends_of_time_are_cut() {
        let mut time = Timeline::new(Some(Millis(i64::MIN)), Millis(0));
        assert_eq!(time.place(Millis(i64::MAX)), Millis(FARTHEST));
        assert_eq!(time.place(Millis(i64::MAX)), Millis(FARTHEST));
    }
}
