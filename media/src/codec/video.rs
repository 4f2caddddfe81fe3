//! Configurations of pictures.

use std::fmt::Write as _;

use bytes::{BufMut, Bytes, BytesMut};

use super::{CodecError, VideoCodec, size};
use crate::avc;

/// A configuration, as much as a player has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoConfig {
    /// The codec.
    pub codec: VideoCodec,
    /// As it came in the sequence header.
    pub config: Bytes,
    /// The content of MP4's configuration box.
    pub record: Bytes,
    /// For a MIME type (RFC 6381).
    pub codec_string: String,
    /// Bytes of the length before each NAL unit; 0 where a frame has none.
    pub nal_length_size: u8,
    /// What an H.264 configuration says of the picture. For the others see [`VideoConfig::size`].
    pub picture: Option<Picture>,
}

/// A picture's size, shape and pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width after cropping, in samples.
    pub width: u32,
    /// Height after cropping.
    pub height: u32,
    /// Sample aspect ratio, width to height.
    pub sar: (u16, u16),
    /// Frames and the seconds they take, where stated.
    pub frame_rate: Option<(u64, u64)>,
}

impl Picture {
    pub(crate) fn fps(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a frame rate needs no 53 bits")]
        self.frame_rate.map(|(frames, seconds)| frames as f64 / seconds as f64)
    }
}

impl VideoConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// See [`CodecError`].
    pub fn read(codec: VideoCodec, config: &Bytes) -> Result<Self, CodecError> {
        let (mut record, mut nal_length_size, mut picture) = (config.clone(), 0, None);
        let codec_string = match codec {
            VideoCodec::Avc => {
                let avc = avc::DecoderConfig::parse(config)?;
                nal_length_size = avc.nal_length_size;
                let sps = avc.parameters;
                let (width, height) = (sps.width(), sps.height());
                picture = Some(Picture { width, height, sar: sps.sar, frame_rate: sps.frame_rate });
                avc.codec_string()
            }
            VideoCodec::Hevc => {
                nal_length_size = (config.get(21).ok_or(CodecError::Broken)? & 3).saturating_add(1);
                hevc_string(config).filter(|_| nal_length_size != 3).ok_or(CodecError::Broken)?
            }
            VideoCodec::Av1 => av1_string(config).ok_or(CodecError::Broken)?,
            VideoCodec::Vp9 => {
                // Some write the box's version and flags before the record, some do not.
                if !config.starts_with(&[1, 0, 0, 0]) {
                    let mut full = BytesMut::from(&[1, 0, 0, 0][..]);
                    full.put_slice(config);
                    record = full.freeze();
                }
                vp9_string(&record).ok_or(CodecError::Broken)?
            }
        };
        Ok(Self { codec, config: config.clone(), record, codec_string, nal_length_size, picture })
    }

    /// Width and height on a display with square pixels, where the configuration states them: VP9's does not.
    pub fn size(&self) -> Option<(u32, u32)> {
        match self.codec {
            VideoCodec::Avc => avc::DecoderConfig::parse(&self.config).ok().map(|avc| avc.parameters.display_size()),
            VideoCodec::Hevc => size::hevc(&self.config),
            VideoCodec::Av1 => size::av1(&self.config),
            VideoCodec::Vp9 => None,
        }
    }
}

/// ISO/IEC 14496-15 annex E.3, from an HEVCDecoderConfigurationRecord (§8.3.3.1).
fn hevc_string(record: &[u8]) -> Option<String> {
    let (head, _) = record.split_first_chunk::<23>()?;
    let [1, profile, c0, c1, c2, c3, constraints @ .., _, _, _, _, _, _, _, _, _, _] = *head else { return None };
    let [constraints @ .., level] = constraints;
    let space = ["", "A", "B", "C"].get(usize::from(profile >> 6))?;
    let compatibility = u32::from_be_bytes([c0, c1, c2, c3]).reverse_bits();
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    let mut out = format!("hvc1.{space}{}.{compatibility:X}.{tier}{level}", profile & 0x1f);
    let last = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    for byte in constraints.iter().take(last) {
        let _ = write!(out, ".{byte:X}");
    }
    Some(out)
}

/// AV1 Codec ISO Media File Format Binding §5, from an AV1CodecConfigurationRecord (§2.3.3).
fn av1_string(record: &[u8]) -> Option<String> {
    let [0x81, profile_level, flags, _, ..] = *record else { return None };
    let (profile, level) = (profile_level >> 5, profile_level & 0x1f);
    let tier = if flags & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (flags & 0x40 != 0, profile == 2 && flags & 0x20 != 0) {
        (true, true) => 12,
        (true, false) => 10,
        (false, _) => 8,
    };
    Some(format!("av01.{profile}.{level:02}{tier}.{depth:02}"))
}

/// VP Codec ISO Media File Format Binding, from a `vpcC` box's content.
fn vp9_string(record: &[u8]) -> Option<String> {
    let [_, _, _, _, profile, level, depth, _, _, ..] = *record else { return None };
    // An unknown level is taken for the lowest: browsers refuse 0.
    Some(format!("vp09.{profile:02}.{:02}.{:02}", level.max(10), depth >> 4))
}
