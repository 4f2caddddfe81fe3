//! Picture sizes inside the configurations of HEVC and AV1. Only the server asks: it tells players by `onMetaData`.

use crate::avc::without_emulation_prevention;
use crate::bits::Bits;
use crate::bytes_in::BytesIn;

/// Larger sides are not believed.
const MAX_SIDE: u32 = 16_384;

fn believable(width: u32, height: u32) -> Option<(u32, u32)> {
    let good = 1..=MAX_SIDE;
    (good.contains(&width) && good.contains(&height)).then_some((width, height))
}

/// From the first sequence parameter set (ISO/IEC 23008-2 §7.3.2.2) of an HEVCDecoderConfigurationRecord.
pub(super) fn hevc(record: &[u8]) -> Option<(u32, u32)> {
    let mut input = BytesIn::new(record);
    input.take(22)?;
    for _ in 0..input.u8()? {
        let kind = input.u8()? & 0x3f;
        for _ in 0..input.u16()? {
            let length = input.u16()?;
            let unit = input.take(usize::from(length))?;
            if kind == 33 {
                return hevc_sps(&without_emulation_prevention(unit.get(2..)?));
            }
        }
    }
    None
}

fn hevc_sps(sps: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(sps);
    bits.skip(4)?; // sps_video_parameter_set_id
    let sub_layers = bits.read(3)?;
    bits.skip(1 + 88 + 8)?; // nesting flag, general profile, general level
    let mut present = Vec::with_capacity(8);
    for _ in 0..sub_layers {
        present.push((bits.bit()?, bits.bit()?));
    }
    if sub_layers > 0 {
        for _ in sub_layers..8 {
            bits.skip(2)?;
        }
    }
    for (profile, level) in present {
        bits.skip(if profile { 88 } else { 0 })?;
        bits.skip(if level { 8 } else { 0 })?;
    }
    bits.ue()?; // sps_seq_parameter_set_id
    let chroma = bits.ue()?;
    if chroma == 3 {
        bits.skip(1)?; // separate_colour_plane_flag
    }
    let (mut width, mut height) = (bits.ue()?, bits.ue()?);
    if bits.bit()? {
        // conformance_window: in units of chroma samples (table 6-1)
        let (across, down) = match chroma {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let (left, right, top, bottom) = (bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?);
        width = width.saturating_sub(left.saturating_add(right).saturating_mul(across));
        height = height.saturating_sub(top.saturating_add(bottom).saturating_mul(down));
    }
    believable(width, height)
}

/// From the sequence header (AV1 bitstream specification §5.5) of an AV1CodecConfigurationRecord.
pub(super) fn av1(record: &[u8]) -> Option<(u32, u32)> {
    let mut input = BytesIn::new(record.get(4..)?);
    loop {
        let header = input.u8()?;
        if header & 4 != 0 {
            input.u8()?; // extension
        }
        let size = if header & 2 == 0 { input.rest().len() } else { leb128(&mut input)? };
        let payload = input.take(size)?;
        if (header >> 3) & 0xf == 1 {
            return av1_sequence(payload);
        }
    }
}

/// §4.10.5, as far as 32 bits go.
fn leb128(input: &mut BytesIn<'_>) -> Option<usize> {
    let mut value = 0u32;
    for shift in [0, 7, 14, 21] {
        let byte = input.u8()?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok();
        }
    }
    None
}

fn av1_sequence(header: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(header);
    bits.skip(3 + 1)?; // seq_profile, still_picture
    if bits.bit()? {
        bits.skip(5)?; // reduced_still_picture_header: seq_level_idx alone
    } else {
        let mut delay_bits = None;
        if bits.bit()? {
            bits.skip(32 + 32)?; // timing_info
            if bits.bit()? {
                bits.ue()?; // num_ticks_per_picture_minus_1
            }
            if bits.bit()? {
                delay_bits = Some(usize::try_from(bits.read(5)?).ok()?.saturating_add(1));
                bits.skip(32 + 5 + 5)?;
            }
        }
        let display_delay = bits.bit()?;
        for _ in 0..=bits.read(5)? {
            bits.skip(12)?; // operating_point_idc
            if bits.read(5)? > 7 {
                bits.skip(1)?; // seq_tier
            }
            if let Some(delay_bits) = delay_bits
                && bits.bit()?
            {
                bits.skip(delay_bits.saturating_mul(2).saturating_add(1))?;
            }
            if display_delay && bits.bit()? {
                bits.skip(4)?;
            }
        }
    }
    let (width_bits, height_bits) = (bits.read(4)?.saturating_add(1), bits.read(4)?.saturating_add(1));
    let (width, height) = (bits.read(width_bits)?, bits.read(height_bits)?);
    believable(width.saturating_add(1), height.saturating_add(1))
}
