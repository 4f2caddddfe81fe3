//! The sequence parameter set (ISO/IEC 14496-10 §7.3.2.1.1) as far as picture size, shape and rate go, with the parts
//! of the VUI (annex E) that state them.

use super::AvcError;
use crate::bits::Bits;

/// Wider or higher pictures are refused: the largest level allows 16,864 luma samples on a side, and no browser
/// decodes that.
const MAX_SIDE: u32 = 16_384;

/// Sample aspect ratios by aspect_ratio_idc (table E-1), from 1 on.
const ASPECT_RATIOS: [(u16, u16); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

/// Luma samples cut off the coded picture at each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crop {
    /// From the left.
    pub left: u32,
    /// From the right.
    pub right: u32,
    /// From above.
    pub top: u32,
    /// From below.
    pub bottom: u32,
}

/// What a sequence parameter set says about the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sps {
    /// profile_idc.
    pub profile: u8,
    /// The constraint flags as one byte.
    pub constraints: u8,
    /// level_idc: ten times the level.
    pub level: u8,
    /// chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// Bits per luma sample, 8 to 14.
    pub bit_depth: u8,
    /// Width before cropping, a multiple of 16.
    pub coded_width: u32,
    /// Height before cropping.
    pub coded_height: u32,
    /// What is cut off.
    pub crop: Crop,
    /// Whether every picture is a frame; otherwise fields (interlaced) may occur.
    pub progressive: bool,
    /// Sample aspect ratio, width to height; (1, 1) when not stated.
    pub sar: (u16, u16),
    /// Frames per second as a fraction, from the VUI's time_scale / (2 · num_units_in_tick); `None` when not stated.
    pub frame_rate: Option<(u64, u64)>,
}

impl Sps {
    /// Reads a NAL unit of type 7, its header byte included.
    ///
    /// A VUI that is cut short or states impossible values is taken as far as it is sound: the picture can be
    /// decoded without it.
    ///
    /// # Errors
    /// See [`AvcError`].
    pub fn parse(nal_unit: &[u8]) -> Result<Self, AvcError> {
        let (header, payload) = nal_unit.split_first().ok_or(AvcError::Truncated)?;
        if header & 0x1f != 7 {
            return Err(AvcError::NotSps(header & 0x1f));
        }
        let payload = without_emulation_prevention(payload);
        parse_payload(&mut Bits::new(&payload))
    }

    /// Width after cropping, in samples.
    pub fn width(&self) -> u32 {
        self.coded_width.saturating_sub(self.crop.left).saturating_sub(self.crop.right)
    }

    /// Height after cropping, in samples.
    pub fn height(&self) -> u32 {
        self.coded_height.saturating_sub(self.crop.top).saturating_sub(self.crop.bottom)
    }

    /// Width and height on a display with square pixels: the height is kept, the width follows the sample aspect
    /// ratio.
    pub fn display_size(&self) -> (u32, u32) {
        let (across, down) = (u64::from(self.sar.0), u64::from(self.sar.1));
        let scaled = u64::from(self.width()).saturating_mul(across).saturating_add(down / 2).checked_div(down);
        (scaled.and_then(|width| u32::try_from(width).ok()).unwrap_or(self.width()).max(1), self.height())
    }

    /// Frames per second, when stated.
    pub fn fps(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a frame rate needs no 53 bits")]
        self.frame_rate.map(|(frames, seconds)| frames as f64 / seconds as f64)
    }
}

/// Takes out the byte 3 of 0 0 3 (§7.3.1).
pub(crate) fn without_emulation_prevention(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut zeros = 0u8;
    for &byte in bytes {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros.saturating_add(1) } else { 0 };
        out.push(byte);
    }
    out
}

fn parse_payload(bits: &mut Bits<'_>) -> Result<Sps, AvcError> {
    let mut byte = || bits.read(8).and_then(|value| u8::try_from(value).ok()).ok_or(AvcError::Truncated);
    let (profile, constraints, level) = (byte()?, byte()?, byte()?);
    at_most(bits, 31, "parameter set number")?;
    let (chroma_format, separate_planes, bit_depth) =
        if has_chroma_fields(profile) { chroma_fields(bits)? } else { (1, false, 8) };
    at_most(bits, 12, "frame number length")?;
    picture_order_count(bits)?;
    at_most(bits, 16, "number of reference frames")?;
    flag(bits)?; // gaps_in_frame_num_value_allowed_flag
    let width_mbs = at_most(bits, MAX_SIDE / 16 - 1, "width")?.saturating_add(1);
    let height_units = at_most(bits, MAX_SIDE / 16 - 1, "height")?.saturating_add(1);
    let progressive = flag(bits)?;
    if !progressive {
        flag(bits)?; // mb_adaptive_frame_field_flag
    }
    flag(bits)?; // direct_8x8_inference_flag
    let fields = if progressive { 1 } else { 2 };
    let coded_width = width_mbs.saturating_mul(16);
    let coded_height = height_units.saturating_mul(16).saturating_mul(fields);
    if coded_height > MAX_SIDE {
        return Err(AvcError::Field("height"));
    }
    let crop = if flag(bits)? {
        // Chroma samples are wider and higher than luma ones; without chroma planes they count as one (§7.4.2.1.1).
        let (across, down) = match chroma_format {
            1 if !separate_planes => (2, 2),
            2 if !separate_planes => (2, 1),
            _ => (1, 1),
        };
        cropping(bits, across, u32::saturating_mul(down, fields), coded_width, coded_height)?
    } else {
        Crop::default()
    };
    let (sar, frame_rate) = if flag(bits)? { vui(bits) } else { ((1, 1), None) };
    Ok(Sps {
        profile,
        constraints,
        level,
        chroma_format,
        bit_depth,
        coded_width,
        coded_height,
        crop,
        progressive,
        sar,
        frame_rate,
    })
}

/// Profiles whose parameter set states the chroma format (§7.3.2.1.1).
const fn has_chroma_fields(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

fn chroma_fields(bits: &mut Bits<'_>) -> Result<(u8, bool, u8), AvcError> {
    let chroma_format = u8::try_from(at_most(bits, 3, "chroma format")?).unwrap_or(0);
    let separate_planes = chroma_format == 3 && flag(bits)?;
    let bit_depth = u8::try_from(at_most(bits, 6, "bit depth")?).unwrap_or(0).saturating_add(8);
    at_most(bits, 6, "bit depth")?;
    flag(bits)?; // qpprime_y_zero_transform_bypass_flag
    if flag(bits)? {
        let lists = if chroma_format == 3 { 12 } else { 8 };
        for list in 0..lists {
            if flag(bits)? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok((chroma_format, separate_planes, bit_depth))
}

/// scaling_list (§7.3.2.1.1.1): deltas stop as soon as the scale becomes 0.
fn skip_scaling_list(bits: &mut Bits<'_>, size: u32) -> Result<(), AvcError> {
    let mut last = 8i32;
    for _ in 0..size {
        let delta = bits.se().ok_or(AvcError::Truncated)?;
        let next = last.saturating_add(delta) & 0xff;
        if next == 0 {
            break;
        }
        last = next;
    }
    Ok(())
}

fn picture_order_count(bits: &mut Bits<'_>) -> Result<(), AvcError> {
    match at_most(bits, 2, "picture order count type")? {
        0 => {
            at_most(bits, 12, "picture order count length")?;
        }
        1 => {
            flag(bits)?; // delta_pic_order_always_zero_flag
            for _ in 0..2 {
                bits.se().ok_or(AvcError::Truncated)?; // offset_for_non_ref_pic, offset_for_top_to_bottom_field
            }
            for _ in 0..at_most(bits, 255, "picture order count cycle")? {
                bits.se().ok_or(AvcError::Truncated)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn cropping(bits: &mut Bits<'_>, across: u32, down: u32, width: u32, height: u32) -> Result<Crop, AvcError> {
    let mut side = |unit: u32| bits.ue().ok_or(AvcError::Truncated).map(|units| units.saturating_mul(unit));
    let crop = Crop { left: side(across)?, right: side(across)?, top: side(down)?, bottom: side(down)? };
    if crop.left.saturating_add(crop.right) >= width || crop.top.saturating_add(crop.bottom) >= height {
        return Err(AvcError::Field("cropping"));
    }
    Ok(crop)
}

/// vui_parameters (§E.1.1) up to the timing: sample aspect ratio and frame rate.
fn vui(bits: &mut Bits<'_>) -> ((u16, u16), Option<(u64, u64)>) {
    let sar = aspect_ratio(bits).unwrap_or((1, 1));
    let frame_rate = skip_to_timing(bits).and_then(|()| frame_rate(bits));
    (sar, frame_rate)
}

fn aspect_ratio(bits: &mut Bits<'_>) -> Option<(u16, u16)> {
    if !bits.bit()? {
        return None;
    }
    let (across, down) = match bits.read(8)? {
        255 => (u16::try_from(bits.read(16)?).ok()?, u16::try_from(bits.read(16)?).ok()?),
        id => *ASPECT_RATIOS.get(usize::try_from(id).ok()?.checked_sub(1)?)?,
    };
    (across > 0 && down > 0).then_some((across, down))
}

fn skip_to_timing(bits: &mut Bits<'_>) -> Option<()> {
    if bits.bit()? {
        bits.skip(1)?; // overscan_appropriate_flag
    }
    if bits.bit()? {
        bits.skip(4)?; // video_format, video_full_range_flag
        if bits.bit()? {
            bits.skip(24)?; // colour description
        }
    }
    if bits.bit()? {
        bits.ue()?; // chroma sample location, top and bottom field
        bits.ue()?;
    }
    Some(())
}

fn frame_rate(bits: &mut Bits<'_>) -> Option<(u64, u64)> {
    if !bits.bit()? {
        return None;
    }
    let (units_in_tick, time_scale) = (u64::from(bits.read(32)?), u64::from(bits.read(32)?));
    // A tick is a field's time, so a frame takes two (§E.2.1).
    (units_in_tick > 0 && time_scale > 0).then_some((time_scale, units_in_tick.saturating_mul(2)))
}

fn flag(bits: &mut Bits<'_>) -> Result<bool, AvcError> {
    bits.bit().ok_or(AvcError::Truncated)
}

/// An unsigned Exp-Golomb code the standard (or a limit of ours) bounds.
fn at_most(bits: &mut Bits<'_>, limit: u32, field: &'static str) -> Result<u32, AvcError> {
    let value = bits.ue().ok_or(AvcError::Truncated)?;
    if value > limit { Err(AvcError::Field(field)) } else { Ok(value) }
}
