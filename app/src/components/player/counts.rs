//! What a viewer's picture did since it was last told of.

/// Since the player, or its media source, began; or since the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub stalls: u32,
    pub dropped: u32,
    pub frames: u32,
}

impl Counts {
    /// What has come since these were told, which `now` then is; `None` while there is nothing to tell. A picture that stands (not `plays`)
    /// is told of once it moves again; of one that nobody would notice only the stalls count that were before.
    pub fn take(&mut self, now: Self, noticed: bool, plays: bool) -> Option<Self> {
        if now.frames < self.frames {
            // Another media source counts from zero.
            (self.dropped, self.frames) = (0, 0);
        }
        if !noticed {
            (self.dropped, self.frames) = (now.dropped, now.frames);
        }
        if !noticed || !plays {
            return None;
        }
        let told = std::mem::replace(self, now);
        Some(Self {
            stalls: now.stalls.saturating_sub(told.stalls),
            dropped: now.dropped.saturating_sub(told.dropped),
            frames: now.frames.saturating_sub(told.frames),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(stalls: u32, dropped: u32, frames: u32) -> Counts {
        Counts { stalls, dropped, frames }
    }

    #[test]
    fn a_stall_is_told_of_however_long_it_lasts() {
        let mut told = Counts::default();
        assert_eq!(told.take(of(0, 1, 300), true, true), Some(of(0, 1, 300)));
        assert_eq!(told.take(of(1, 1, 400), true, false), None, "it stands");
        assert_eq!(told.take(of(1, 1, 400), true, false), None, "it still does");
        assert_eq!(told.take(of(1, 2, 450), true, true), Some(of(1, 1, 150)));
        assert_eq!(told.take(of(1, 2, 750), true, true), Some(of(0, 0, 300)));
    }

    #[test]
    fn frames_that_nobody_looked_at_do_not_count_and_another_source_counts_from_zero() {
        let mut told = Counts::default();
        assert_eq!(told.take(of(0, 90, 300), false, true), None, "hidden");
        assert_eq!(told.take(of(0, 91, 600), true, true), Some(of(0, 1, 300)));
        assert_eq!(told.take(of(1, 2, 100), true, true), Some(of(1, 2, 100)), "built anew");
    }
}
