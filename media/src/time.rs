//! Time on a stream: signed 64-bit milliseconds, and the one place where 32-bit stamps become them.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// A moment or a span in milliseconds. Sums saturate, so no stamp a peer sends can overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// Nothing, or the start of a timeline.
    pub const ZERO: Self = Self(0);

    /// The number of milliseconds.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, kept within 64 bits; what `+` does.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, kept within 64 bits; what `-` does.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The value modulo 2^32, as RTMP and FLV carry it (RTMP 1.0 §5.3.1.3, FLV E.4.1: low 24 bits and an extension
    /// byte).
    pub const fn to_stamp(self) -> u32 {
        let bytes = self.0.to_le_bytes();
        let [a, b, c, d, ..] = bytes;
        u32::from_le_bytes([a, b, c, d])
    }
}

impl Add for Millis {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl Sub for Millis {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Neg for Millis {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl AddAssign for Millis {
    fn add_assign(&mut self, other: Self) {
        *self = self.saturating_add(other);
    }
}

impl SubAssign for Millis {
    fn sub_assign(&mut self, other: Self) {
        *self = self.saturating_sub(other);
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ms", self.0)
    }
}

/// Extends 32-bit stamps, which wrap every 49.7 days, to [`Millis`].
///
/// The first stamp is taken as it is. Each later one is put at the value equal to it modulo 2^32 that is nearest to
/// the stamp before, so stamps may run backwards as well as wrap.
#[derive(Clone, Debug, Default)]
pub struct StampExtender {
    last: Option<Millis>,
}

impl StampExtender {
    /// An extender that has seen no stamp yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where `stamp` lies, without remembering it: for script data, whose stamps say little about the media's.
    pub fn peek(&self, stamp: u32) -> Millis {
        let Some(last) = self.last else { return Millis(i64::from(stamp)) };
        // The difference modulo 2^32, read as signed, is the step to the nearest equal value.
        let step = stamp.wrapping_sub(last.to_stamp()).cast_signed();
        last.saturating_add(Millis(i64::from(step)))
    }

    /// Where `stamp` lies; the next stamp is measured from here.
    pub fn extend(&mut self, stamp: u32) -> Millis {
        let at = self.peek(stamp);
        self.last = Some(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stamp_past_the_wrap_goes_on() {
        let mut stamps = StampExtender::new();
        assert_eq!(stamps.extend(u32::MAX - 10), Millis(i64::from(u32::MAX) - 10));
        assert_eq!(stamps.extend(29), Millis((1 << 32) + 29));
        assert_eq!(stamps.extend(u32::MAX), Millis(i64::from(u32::MAX)));
        assert_eq!(stamps.extend(5), Millis((1 << 32) + 5));
    }

    #[test]
    fn the_24_bit_edge_is_nothing_special() {
        let mut stamps = StampExtender::new();
        assert_eq!(stamps.extend(0x00ff_ffff), Millis(0x00ff_ffff));
        assert_eq!(stamps.extend(0x0100_0000), Millis(0x0100_0000));
    }

    #[test]
    fn peeking_leaves_no_trace() {
        let mut stamps = StampExtender::new();
        stamps.extend(3_000_000_000);
        assert_eq!(stamps.peek(0), Millis(1 << 32));
        assert_eq!(stamps.extend(3_000_000_040), Millis(3_000_000_040));
    }

    proptest! {
        #[test]
        fn any_walk_of_small_steps_is_followed(start: u32, steps in prop::collection::vec(-1_000_000_000i64..1_000_000_000, 0..64)) {
            let mut stamps = StampExtender::new();
            let mut at = stamps.extend(start);
            for step in steps {
                at += Millis(step);
                prop_assert_eq!(stamps.extend(at.to_stamp()), at);
            }
        }

        #[test]
        fn sums_saturate(a: i64, b: i64) {
            prop_assert_eq!((Millis(a) + Millis(b)).0, a.saturating_add(b));
            prop_assert_eq!((Millis(a) - Millis(b)).0, a.saturating_sub(b));
        }
    }
}
