//! Bits of codec configurations, most significant first, with the Exp-Golomb codes of H.264 (ISO/IEC 14496-10 §9.1).

/// A bit position in borrowed input; each read gives `None` when too little is left.
#[derive(Clone, Debug)]
pub(crate) struct Bits<'a> {
    data: &'a [u8],
    /// Bits read so far.
    at: usize,
}

impl<'a> Bits<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// How many bits are left.
    pub(crate) fn left(&self) -> usize {
        self.data.len().saturating_mul(8).saturating_sub(self.at)
    }

    pub(crate) fn bit(&mut self) -> Option<bool> {
        let byte = *self.data.get(self.at >> 3)?;
        let shift = 7usize.saturating_sub(self.at & 7);
        self.at = self.at.saturating_add(1);
        Some((byte >> shift) & 1 == 1)
    }

    /// An unsigned number of `n` bits, at most 32.
    pub(crate) fn read(&mut self, n: u32) -> Option<u32> {
        debug_assert!(n <= 32);
        let mut value = 0u32;
        for _ in 0..n {
            value = (value << 1) | u32::from(self.bit()?);
        }
        Some(value)
    }

    pub(crate) fn skip(&mut self, n: usize) -> Option<()> {
        if n > self.left() {
            return None;
        }
        self.at = self.at.saturating_add(n);
        Some(())
    }

    /// Skips to the next whole byte.
    pub(crate) fn align(&mut self) {
        self.at = self.at.saturating_add(7) & !7;
    }

    /// `ue(v)`: an unsigned Exp-Golomb code. A prefix of more than 31 zeros is no code of the standard.
    pub(crate) fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0u32;
        while !self.bit()? {
            zeros = zeros.saturating_add(1);
            if zeros > 31 {
                return None;
            }
        }
        let base = (1u32 << zeros).saturating_sub(1);
        base.checked_add(self.read(zeros)?)
    }

    /// `se(v)`: a signed Exp-Golomb code, 1, -1, 2, -2 …
    pub(crate) fn se(&mut self) -> Option<i32> {
        let code = self.ue()?;
        let half = i32::try_from(code.div_ceil(2)).ok()?;
        Some(if code & 1 == 1 { half } else { half.saturating_neg() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_standard() {
        // 1 010 011 00100 00101 00110 00111 0001000 → 0 1 2 3 4 5 6 7 (table 9-2)
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1001_1000, 0b1110_0010, 0b0000_0000]);
        for expected in 0..8 {
            assert_eq!(bits.ue(), Some(expected));
        }
    }

    #[test]
    fn signed_codes_alternate() {
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        assert_eq!(
            [bits.se(), bits.se(), bits.se(), bits.se(), bits.se()],
            [Some(0), Some(1), Some(-1), Some(2), Some(-2)]
        );
    }

    #[test]
    fn a_prefix_without_end_is_no_number() {
        assert_eq!(Bits::new(&[0; 100]).ue(), None);
        assert_eq!(Bits::new(&[]).ue(), None);
    }

    #[test]
    fn the_longest_code_fits() {
        // 31 zeros, a one, 31 ones: 2^32 - 2.
        let mut bits = Bits::new(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(bits.ue(), Some(u32::MAX - 1));
        assert_eq!(bits.left(), 1);
    }
}
