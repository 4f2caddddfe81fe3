//! What a viewer's picture did since it was last told of.

/// Since the player, or its media source, began; or since the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub stalls: u32,
    pub dropped: u32,
    pub frames: u32,
}

/// What was told, and what is yet to be.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    at: Counts,
    /// Stalls that somebody noticed and that were not told yet.
    owed: u32,
    noticed: bool,
}

impl Told {
    /// Counts from here on.
    pub const fn new(at: Counts) -> Self {
        Self { at, owed: 0, noticed: true }
    }

    /// What has come since the last time; `None` while there is nothing to tell. A picture that stands (not `plays`) is told of once it
    /// moves again. What happens while nobody would notice counts nothing, nor does an interval that was so in part.
    pub fn take(&mut self, now: Counts, noticed: bool, plays: bool) -> Option<Counts> {
        let before = std::mem::replace(&mut self.noticed, noticed);
        let whole = noticed && before;
        if now.stalls < self.at.stalls {
            // Another player counts from zero.
            self.at.stalls = 0;
        }
        if now.frames < self.at.frames {
            // And so does another media source.
            (self.at.dropped, self.at.frames) = (0, 0);
        }
        if whole {
            self.owed += now.stalls - self.at.stalls;
        }
        self.at.stalls = now.stalls;
        if whole && !plays {
            return None;
        }
        let before = std::mem::replace(&mut self.at, now);
        whole.then(|| Counts {
            stalls: std::mem::take(&mut self.owed),
            dropped: now.dropped.saturating_sub(before.dropped),
            frames: now.frames - before.frames,
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
        let mut told = Told::new(Counts::default());
        assert_eq!(told.take(of(0, 1, 300), true, true), Some(of(0, 1, 300)));
        assert_eq!(told.take(of(1, 1, 400), true, false), None, "it stands");
        assert_eq!(told.take(of(1, 1, 400), true, false), None, "it still does");
        assert_eq!(told.take(of(1, 2, 450), true, true), Some(of(1, 1, 150)));
        assert_eq!(told.take(of(1, 2, 750), true, true), Some(of(0, 0, 300)));
    }

    #[test]
    fn what_nobody_looked_at_does_not_count_and_what_was_owed_before_does() {
        let mut told = Told::new(Counts::default());
        assert_eq!(told.take(of(1, 5, 200), true, false), None, "it stands");
        assert_eq!(told.take(of(2, 90, 300), false, true), None, "hidden");
        assert_eq!(told.take(of(2, 180, 600), true, true), None, "hidden for most of it");
        assert_eq!(told.take(of(2, 181, 900), true, true), Some(of(1, 1, 300)));
    }

    #[test]
    fn another_source_or_player_counts_from_zero() {
        let mut told = Told::new(of(3, 10, 600));
        assert_eq!(told.take(of(4, 2, 100), true, true), Some(of(1, 2, 100)), "built anew");
        assert_eq!(told.take(of(1, 0, 50), true, true), Some(of(1, 0, 50)), "another player");
    }
}
