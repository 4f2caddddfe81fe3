//! Big-endian reading from a slice that never runs past its end: each read gives `None` when too little is left.

/// A position in borrowed input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BytesIn<'a> {
    rest: &'a [u8],
}

impl<'a> BytesIn<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// What has not been read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `n` bytes.
    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn f64(&mut self) -> Option<f64> {
        self.array().map(f64::from_be_bytes)
    }

    /// Four letters that name something.
    pub(crate) fn four_cc(&mut self) -> Option<[u8; 4]> {
        self.array()
    }

    /// An unsigned 24-bit number.
    pub(crate) fn u24(&mut self) -> Option<u32> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// A signed 24-bit number (SI24 of FLV).
    pub(crate) fn i24(&mut self) -> Option<i32> {
        let [a, b, c] = self.array()?;
        // Placed in the upper bytes, the arithmetic shift extends the sign.
        Some(i32::from_be_bytes([a, b, c, 0]) >> 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_big_endian_and_signs_are_kept() {
        let mut input = BytesIn::new(&[1, 2, 3, 0xff, 0xff, 0xfe, 0, 0, 1, 9]);
        assert_eq!(input.u8(), Some(1));
        assert_eq!(input.u16(), Some(0x0203));
        assert_eq!(input.i24(), Some(-2));
        assert_eq!(input.i24(), Some(1));
        assert_eq!(input.u16(), None);
        assert_eq!(input.rest(), &[9]);
    }
}
