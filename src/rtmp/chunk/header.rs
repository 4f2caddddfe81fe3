//! The basic header and the message header of a chunk (RTMP 1.0 §5.3.1), read without consuming.

/// The value of a 24-bit timestamp field that says: the real one follows in four bytes.
const EXTENDED: u32 = 0xFF_FFFF;

/// A timestamp or a timestamp delta as the header carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub value: u32,
    /// It came in the extended field.
    pub extended: bool,
}

/// The four message header types (§5.3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Type 0: absolute stamp, everything stated.
    Full { stamp: Stamp, length: usize, kind: u8, stream: u32 },
    /// Type 1: stamp is a delta, message stream as before.
    SameStream { stamp: Stamp, length: usize, kind: u8 },
    /// Type 2: stamp is a delta, everything else as before.
    SameLength { stamp: Stamp },
    /// Type 3: everything as before, or the next piece of a message.
    Same,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Chunk stream id, 2 to 65599.
    pub id: u32,
    pub format: Format,
    /// Bytes the header took, without a repeated extended timestamp of type 3.
    pub length: usize,
}

impl Header {
    /// Reads from the start of `input`; `None` while the header is incomplete.
    pub fn read(input: &[u8]) -> Option<Self> {
        let mut cursor = Cursor { rest: input };
        let first = cursor.u8()?;
        let id = match first & 0x3F {
            0 => 64 + u32::from(cursor.u8()?),
            1 => 64 + u32::from(cursor.u8()?) + 256 * u32::from(cursor.u8()?),
            id => u32::from(id),
        };
        let format = match first >> 6 {
            0 => {
                let (field, length, kind) = (cursor.u24()?, cursor.u24()?, cursor.u8()?);
                let stream = cursor.u32()?.swap_bytes(); // the one little-endian field of RTMP
                Format::Full { stamp: cursor.stamp(field)?, length: length as usize, kind, stream }
            }
            1 => {
                let (field, length, kind) = (cursor.u24()?, cursor.u24()?, cursor.u8()?);
                Format::SameStream { stamp: cursor.stamp(field)?, length: length as usize, kind }
            }
            2 => {
                let field = cursor.u24()?;
                Format::SameLength { stamp: cursor.stamp(field)? }
            }
            _ => Format::Same,
        };
        Some(Self { id, format, length: input.len() - cursor.rest.len() })
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn u24(&mut self) -> Option<u32> {
        let (bytes, rest) = self.rest.split_first_chunk::<3>()?;
        self.rest = rest;
        let [a, b, c] = *bytes;
        Some(u32::from_be_bytes([0, a, b, c]))
    }

    fn u32(&mut self) -> Option<u32> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    fn stamp(&mut self, field: u32) -> Option<Stamp> {
        let extended = field == EXTENDED;
        Some(Stamp { value: if extended { self.u32()? } else { field }, extended })
    }
}
