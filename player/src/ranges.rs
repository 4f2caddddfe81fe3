//! Buffered ranges, as `TimeRanges` gives them, in plain numbers.

/// One buffered span in seconds: `start_s` included, `end_s` not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    /// First buffered moment.
    pub start_s: f64,
    /// End of the last buffered sample.
    pub end_s: f64,
}

impl Span {
    /// Whether `at_s` is in the span, or beside it by no more than `slack_s`.
    pub fn holds(&self, at_s: f64, slack_s: f64) -> bool {
        at_s >= self.start_s - slack_s && at_s <= self.end_s + slack_s
    }

    /// The moment nearest to `at_s` that can be sought to: never the very end, where there is nothing to decode.
    pub fn clamp(&self, at_s: f64) -> f64 {
        let last_s = (self.end_s - 0.02).max(self.start_s);
        let first_s = (self.start_s + 0.001).min(last_s);
        if at_s.is_nan() { first_s } else { at_s.max(first_s).min(last_s) }
    }
}

/// Buffered spans in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges(pub Vec<Span>);

impl Ranges {
    /// The span that holds `at_s` (see [`Span::holds`]); the later one where two touch.
    pub fn at(&self, at_s: f64, slack_s: f64) -> Option<Span> {
        self.0.iter().rev().find(|span| span.holds(at_s, slack_s)).copied()
    }

    /// The first span that starts after `at_s`.
    pub fn after(&self, at_s: f64) -> Option<Span> {
        self.0.iter().find(|span| span.start_s > at_s).copied()
    }

    /// The span that a place is in or after, or the first.
    pub fn nearest(&self, at_s: f64) -> Option<Span> {
        self.0.iter().rev().find(|span| span.start_s <= at_s).or(self.0.first()).copied()
    }

    /// The newest span.
    pub fn last(&self) -> Option<Span> {
        self.0.last().copied()
    }

    /// Where both have something.
    pub fn and(&self, other: &Self) -> Self {
        let cut = |x: &Span, y: &Span| Span { start_s: x.start_s.max(y.start_s), end_s: x.end_s.min(y.end_s) };
        let pairs = self.0.iter().flat_map(|x| other.0.iter().map(move |y| cut(x, y)));
        Self(pairs.filter(|span| span.end_s > span.start_s).collect())
    }

    /// End of everything buffered.
    pub fn end_s(&self) -> Option<f64> {
        self.last().map(|span| span.end_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges() -> Ranges {
        Ranges(vec![Span { start_s: 1.0, end_s: 2.0 }, Span { start_s: 2.5, end_s: 4.0 }])
    }

    #[test]
    fn spans_are_found_around_a_position() {
        let ranges = ranges();
        assert_eq!(ranges.at(0.5, 0.02), None);
        assert_eq!(ranges.at(0.99, 0.02).map(|s| s.start_s), Some(1.0));
        assert_eq!(ranges.at(2.2, 0.02), None);
        assert_eq!(ranges.after(2.0).map(|s| s.start_s), Some(2.5));
        assert_eq!(ranges.after(2.5), None);
        assert_eq!(ranges.end_s(), Some(4.0));
        assert_eq!(
            [0.0, 1.5, 2.2, 9.0].map(|at_s| ranges.nearest(at_s).map(|s| s.start_s)),
            [1.0, 1.0, 1.0, 2.5].map(Some)
        );
    }

    #[test]
    fn what_two_tracks_have_in_common() {
        let other = Ranges(vec![Span { start_s: 0.0, end_s: 1.5 }, Span { start_s: 1.8, end_s: 3.0 }]);
        let both: Vec<_> = ranges().and(&other).0.iter().map(|span| (span.start_s, span.end_s)).collect();
        assert_eq!(both, [(1.0, 1.5), (1.8, 2.0), (2.5, 3.0)]);
        assert_eq!(ranges().and(&Ranges::default()), Ranges::default());
    }

    #[test]
    fn a_seek_stays_inside_whatever_is_asked() {
        let span = Span { start_s: 1.0, end_s: 2.0 };
        for at in [f64::NEG_INFINITY, -1.0, 1.5, 2.0, f64::INFINITY, f64::NAN] {
            let to = span.clamp(at);
            assert!(to > 1.0 && to < 2.0, "{at} gave {to}");
        }
        let tiny = Span { start_s: 1.0, end_s: 1.01 };
        assert!(tiny.holds(tiny.clamp(5.0), 0.0));
    }
}
