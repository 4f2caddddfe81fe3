//! Boxes in boxes: sizes filled in once the content is there.

use bytes::{BufMut, BytesMut};

use super::TooLong;

/// Appends a box of type `kind` with what `content` appends (ISO/IEC 14496-12 §4.2).
pub(super) fn put_box(
    out: &mut BytesMut,
    kind: &[u8; 4],
    content: impl FnOnce(&mut BytesMut) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    let start = begin(out, kind);
    content(out)?;
    finish(out, start)
}

/// Appends a full box: a box that starts with version and flags (§4.2.2).
pub(super) fn put_full_box(
    out: &mut BytesMut,
    kind: &[u8; 4],
    version: u8,
    flags: u32,
    content: impl FnOnce(&mut BytesMut) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    let start = begin(out, kind);
    put_head(out, version, flags);
    content(out)?;
    finish(out, start)
}

#[inline(never)]
fn begin(out: &mut BytesMut, kind: &[u8; 4]) -> usize {
    let start = out.len();
    BufMut::put_u32(out, 0);
    BufMut::put_slice(out, kind);
    start
}

#[inline(never)]
fn put_head(out: &mut BytesMut, version: u8, flags: u32) {
    BufMut::put_u8(out, version);
    out.put_uint(u64::from(flags), 3);
}

#[inline(never)]
fn finish(out: &mut BytesMut, start: usize) -> Result<(), TooLong> {
    let size = u32::try_from(out.len().saturating_sub(start)).map_err(|_| TooLong)?;
    if let Some(field) = out.get_mut(start..).and_then(|written| written.first_chunk_mut::<4>()) {
        *field = size.to_be_bytes();
    }
    Ok(())
}

/// What is put once for a stream. [`BufMut`] brings room for more to each place that puts something: ten kilobytes of the browser's
/// download in an init segment.
pub(super) trait Put {
    fn put_u8(&mut self, value: u8);
    fn put_u16(&mut self, value: u16);
    fn put_i16(&mut self, value: i16);
    fn put_u32(&mut self, value: u32);
    fn put_slice(&mut self, bytes: &[u8]);
    fn put_bytes(&mut self, value: u8, count: usize);
}

impl Put for BytesMut {
    #[inline(never)]
    fn put_u8(&mut self, value: u8) {
        BufMut::put_u8(self, value);
    }

    #[inline(never)]
    fn put_u16(&mut self, value: u16) {
        BufMut::put_u16(self, value);
    }

    #[inline(never)]
    fn put_i16(&mut self, value: i16) {
        BufMut::put_i16(self, value);
    }

    #[inline(never)]
    fn put_u32(&mut self, value: u32) {
        BufMut::put_u32(self, value);
    }

    #[inline(never)]
    fn put_slice(&mut self, bytes: &[u8]) {
        BufMut::put_slice(self, bytes);
    }

    #[inline(never)]
    fn put_bytes(&mut self, value: u8, count: usize) {
        BufMut::put_bytes(self, value, count);
    }
}

/// Appends a full box of constant content.
pub(super) fn put_plain(
    out: &mut BytesMut,
    kind: &[u8; 4],
    version: u8,
    flags: u32,
    content: &[u8],
) -> Result<(), TooLong> {
    let start = begin(out, kind);
    put_head(out, version, flags);
    BufMut::put_slice(out, content);
    finish(out, start)
}
