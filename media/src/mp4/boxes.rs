//! Boxes in boxes: sizes filled in once the content is there.

use bytes::{BufMut, BytesMut};

use super::TooLong;

/// Appends a box of type `kind` with what `content` appends (ISO/IEC 14496-12 §4.2).
pub(super) fn put_box(
    out: &mut BytesMut,
    kind: &[u8; 4],
    content: impl FnOnce(&mut BytesMut) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    let start = out.len();
    out.put_u32(0);
    out.put_slice(kind);
    content(out)?;
    let size = u32::try_from(out.len().saturating_sub(start)).map_err(|_| TooLong)?;
    if let Some(field) = out.get_mut(start..).and_then(|written| written.first_chunk_mut::<4>()) {
        *field = size.to_be_bytes();
    }
    Ok(())
}

/// Appends a full box: a box that starts with version and flags (§4.2.2).
pub(super) fn put_full_box(
    out: &mut BytesMut,
    kind: &[u8; 4],
    version: u8,
    flags: u32,
    content: impl FnOnce(&mut BytesMut) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    put_box(out, kind, |out| {
        out.put_u8(version);
        out.put_uint(u64::from(flags), 3);
        content(out)
    })
}

/// Appends a full box of constant content.
pub(super) fn put_plain(
    out: &mut BytesMut,
    kind: &[u8; 4],
    version: u8,
    flags: u32,
    content: &[u8],
) -> Result<(), TooLong> {
    put_full_box(out, kind, version, flags, |out| {
        out.put_slice(content);
        Ok(())
    })
}
