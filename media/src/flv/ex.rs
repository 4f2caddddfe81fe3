//! The longer tag headers of Enhanced RTMP v2 (§ExVideoTagHeader, §ExAudioTagHeader): a FourCC for the codec, extensions, and several
//! tracks in one tag.

use crate::bytes_in::BytesIn;

/// Packet types that video and sound have in common.
pub(super) const SEQUENCE_START: u8 = 0;
pub(super) const CODED_FRAMES: u8 = 1;
pub(super) const SEQUENCE_END: u8 = 2;
/// Extensions of the header.
const MOD_EX: u8 = 7;

/// What follows the header, for the track that is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ex<'a> {
    pub packet_type: u8,
    pub four_cc: [u8; 4],
    pub data: &'a [u8],
}

/// The header ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Truncated;

/// Reads on after the first byte, whose low half is `packet_type`. Of several tracks the first, number 0, is taken; `None` where a tag
/// has only others. `multitrack` is the packet type that says so. Extensions are passed over: a fraction of a millisecond is all
/// that they state so far.
pub(super) fn read<'a>(packet_type: u8, multitrack: u8, input: BytesIn<'a>) -> Result<Option<Ex<'a>>, Truncated> {
    follow(packet_type, multitrack, input).ok_or(Truncated)
}

fn follow(mut packet_type: u8, multitrack: u8, mut input: BytesIn<'_>) -> Option<Option<Ex<'_>>> {
    while packet_type == MOD_EX {
        let size = match input.u8()? {
            255 => usize::from(input.u16()?),
            size => usize::from(size),
        };
        input.take(size.saturating_add(1))?;
        packet_type = input.u8()? & 0x0f;
    }
    if packet_type != multitrack {
        let four_cc = input.four_cc()?;
        return Some(Some(Ex { packet_type, four_cc, data: input.rest() }));
    }
    let first = input.u8()?;
    packet_type = first & 0x0f;
    // 0 one track, 1 several of one codec, 2 several with a codec each.
    let kind = first >> 4;
    let shared = if kind == 2 { None } else { Some(input.four_cc()?) };
    while !input.rest().is_empty() {
        let four_cc = match shared {
            Some(four_cc) => four_cc,
            None => input.four_cc()?,
        };
        let track = input.u8()?;
        let data = if kind == 0 {
            input.take(input.rest().len())?
        } else {
            let size = input.u24()?;
            input.take(usize::try_from(size).ok()?)?
        };
        if track == 0 {
            return Some(Some(Ex { packet_type, four_cc, data }));
        }
    }
    Some(None)
}
