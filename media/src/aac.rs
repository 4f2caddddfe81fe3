//! AAC configuration: the AudioSpecificConfig of ISO/IEC 14496-3 §1.6.2.1, as FLV and MP4 carry it.

use crate::bits::Bits;

/// Sampling frequencies by index (§1.6.3.4); 13 and 14 are reserved, 15 is followed by the number itself.
const RATES_HZ: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// A configuration longer than this is refused; the longest real ones have about 40 bytes.
const MAX_BYTES: usize = 1024;

/// Why bytes are not a usable AudioSpecificConfig.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AacError {
    /// The configuration ends before its last field.
    #[error("the AAC configuration is cut short")]
    Truncated,
    /// More than 1,024 bytes.
    #[error("an AAC configuration of {0} bytes is too long")]
    TooLong(usize),
    /// An audio object type that is not one of the AAC family.
    #[error("MPEG-4 audio object type {0} is not AAC")]
    ObjectType(u8),
    /// A reserved sampling frequency, or zero.
    #[error("the AAC configuration states no valid sample rate")]
    SampleRate,
    /// A reserved channel configuration, or a program without channels.
    #[error("the AAC configuration states no valid channel layout")]
    Channels,
}

/// What an AudioSpecificConfig says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSpecificConfig {
    /// The core codec's audio object type (§1.5.1.1): 2 for AAC-LC, also below SBR and PS.
    pub object_type: u8,
    /// Spectral band replication is signalled explicitly, in either way (HE-AAC).
    pub sbr: bool,
    /// Parametric stereo is signalled explicitly (HE-AAC v2).
    pub ps: bool,
    /// The core codec's sample rate.
    pub sample_rate_hz: u32,
    /// The rate of the decoded sound: higher than [`sample_rate_hz`](Self::sample_rate_hz) with SBR.
    pub output_rate_hz: u32,
    /// Coded channels, 1 to 48, the low-frequency one included.
    pub channels: u8,
    /// Samples per channel and frame at [`sample_rate_hz`](Self::sample_rate_hz): 1024, 960, 512 or 480.
    pub frame_samples: u32,
}

impl AudioSpecificConfig {
    /// Reads a configuration. Bytes after it are ignored.
    ///
    /// # Errors
    /// See [`AacError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AacError> {
        if bytes.len() > MAX_BYTES {
            return Err(AacError::TooLong(bytes.len()));
        }
        let mut bits = Bits::new(bytes);
        let mut object_type = object_type(&mut bits)?;
        let sample_rate_hz = sample_rate(&mut bits)?;
        let layout = bits.read(4).ok_or(AacError::Truncated)?;
        let (mut sbr, mut ps, mut output_rate_hz) = (false, false, sample_rate_hz);
        // Hierarchical signalling: 5 is SBR, 29 is SBR with PS, the core codec follows.
        let hierarchical = object_type == 5 || object_type == 29;
        if hierarchical {
            sbr = true;
            ps = object_type == 29;
            output_rate_hz = sample_rate(&mut bits)?;
            object_type = self::object_type(&mut bits)?;
        }
        if !matches!(object_type, 1..=4 | 6 | 7 | 17 | 19..=23) {
            return Err(AacError::ObjectType(object_type));
        }
        let (channels, frame_samples) = general_audio(&mut bits, object_type, layout)?;
        if !hierarchical && let Some(extension) = sync_extension(&mut bits, object_type) {
            (output_rate_hz, ps) = (extension.rate_hz, extension.ps);
            sbr = true;
        }
        Ok(Self { object_type, sbr, ps, sample_rate_hz, output_rate_hz, channels, frame_samples })
    }

    /// Channels of the decoded sound: two for mono with parametric stereo.
    pub fn output_channels(&self) -> u8 {
        if self.ps && self.channels == 1 { 2 } else { self.channels }
    }

    /// The codec for a MIME type (RFC 6381 §3.3): `mp4a.40.2` for AAC-LC, `.5` with SBR, `.29` with PS.
    pub fn codec_string(&self) -> String {
        let object_type = match (self.sbr, self.ps) {
            (_, true) => 29,
            (true, false) => 5,
            (false, false) => self.object_type,
        };
        format!("mp4a.40.{object_type}")
    }
}

/// GetAudioObjectType (§1.6.2.1): 5 bits, 31 escapes to 6 more.
fn object_type(bits: &mut Bits<'_>) -> Result<u8, AacError> {
    let short = bits.read(5).ok_or(AacError::Truncated)?;
    let value = if short == 31 { bits.read(6).ok_or(AacError::Truncated)?.saturating_add(32) } else { short };
    u8::try_from(value).map_err(|_| AacError::Truncated)
}

fn sample_rate(bits: &mut Bits<'_>) -> Result<u32, AacError> {
    let index = bits.read(4).ok_or(AacError::Truncated)?;
    let rate = if index == 15 {
        bits.read(24).ok_or(AacError::Truncated)?
    } else {
        usize::try_from(index).ok().and_then(|index| RATES_HZ.get(index)).copied().unwrap_or(0)
    };
    if rate == 0 { Err(AacError::SampleRate) } else { Ok(rate) }
}

/// GASpecificConfig (§4.4.1): channels and samples per frame.
fn general_audio(bits: &mut Bits<'_>, object_type: u8, layout: u32) -> Result<(u8, u32), AacError> {
    let short_frames = bits.bit().ok_or(AacError::Truncated)?;
    if bits.bit().ok_or(AacError::Truncated)? {
        bits.skip(14).ok_or(AacError::Truncated)?; // coreCoderDelay
    }
    let extended = bits.bit().ok_or(AacError::Truncated)?;
    let channels = match layout {
        0 => program_channels(bits)?,
        1..=6 => u8::try_from(layout).unwrap_or(0),
        7 | 12 | 14 => 8,
        11 => 7,
        _ => return Err(AacError::Channels),
    };
    if matches!(object_type, 6 | 20) {
        bits.skip(3).ok_or(AacError::Truncated)?; // layerNr
    }
    if extended {
        match object_type {
            22 => bits.skip(16).ok_or(AacError::Truncated)?, // numOfSubFrame, layer_length
            17 | 19 | 20 | 23 => bits.skip(3).ok_or(AacError::Truncated)?, // resilience flags
            _ => {}
        }
        bits.skip(1).ok_or(AacError::Truncated)?; // extensionFlag3
    }
    let frame_samples = match (object_type, short_frames) {
        (23, false) => 512,
        (23, true) => 480,
        (_, false) => 1024,
        (_, true) => 960,
    };
    Ok((channels, frame_samples))
}

/// program_config_element (§4.4.1.1), which stands in for a layout of 0: the channels of all its elements.
fn program_channels(bits: &mut Bits<'_>) -> Result<u8, AacError> {
    let channels = (|| {
        bits.skip(4 + 2 + 4)?; // element_instance_tag, object_type, sampling_frequency_index
        let (front, side, back) = (bits.read(4)?, bits.read(4)?, bits.read(4)?);
        let low = bits.read(2)?;
        let (data, coupling) = (bits.read(3)?, bits.read(4)?);
        for mixdown_bits in [4, 4, 3] {
            if bits.bit()? {
                bits.skip(mixdown_bits)?;
            }
        }
        let mut channels = low;
        for _ in 0..front.saturating_add(side).saturating_add(back) {
            channels = channels.saturating_add(if bits.bit()? { 2 } else { 1 });
            bits.skip(4)?;
        }
        for _ in 0..low.saturating_add(data) {
            bits.skip(4)?;
        }
        for _ in 0..coupling {
            bits.skip(5)?;
        }
        bits.align();
        let comment = usize::try_from(bits.read(8)?).ok()?;
        bits.skip(comment.saturating_mul(8))?;
        u8::try_from(channels).ok()
    })()
    .ok_or(AacError::Truncated)?;
    if (1..=48).contains(&channels) { Ok(channels) } else { Err(AacError::Channels) }
}

struct SyncExtension {
    rate_hz: u32,
    ps: bool,
}

/// Backward compatible signalling of SBR and PS after the core configuration (§1.6.5.3). Anything that is not one is
/// ignored, as decoders that do not know it do. `None` for error-resilient types, whose epConfig stands before it.
fn sync_extension(bits: &mut Bits<'_>, object_type: u8) -> Option<SyncExtension> {
    if object_type >= 17 || bits.left() < 16 || bits.read(11)? != 0x2b7 {
        return None;
    }
    if self::object_type(bits).ok()? != 5 || !bits.bit()? {
        return None;
    }
    let rate_hz = sample_rate(bits).ok()?;
    let ps = bits.left() >= 12 && bits.read(11)? == 0x548 && bits.bit()?;
    Some(SyncExtension { rate_hz, ps })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> AudioSpecificConfig {
        AudioSpecificConfig::parse(bytes).unwrap()
    }

    /// Bits written as a string of 0 and 1, spaces free.
    fn bits(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').map(|byte| byte - b'0').collect();
        digits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |sum, (i, bit)| sum | bit << (7 - i))).collect()
    }

    #[test]
    fn low_complexity() {
        let stereo = parse(&[0x11, 0x90]);
        assert_eq!((stereo.object_type, stereo.sample_rate_hz, stereo.channels), (2, 48_000, 2));
        assert_eq!((stereo.frame_samples, stereo.sbr, stereo.output_rate_hz), (1024, false, 48_000));
        assert_eq!(stereo.codec_string(), "mp4a.40.2");
        let mono = parse(&[0x12, 0x08]);
        assert_eq!((mono.sample_rate_hz, mono.channels), (44_100, 1));
        assert_eq!(parse(&[0x11, 0x94]).frame_samples, 960);
        assert_eq!(parse(&[0x11, 0xb8]).channels, 8, "7.1");
    }

    #[test]
    fn hierarchical_sbr_and_ps() {
        // Object type 5, core 24 kHz, stereo, output 48 kHz, core type 2.
        let he = parse(&bits("00101 0110 0010 0011 00010 000"));
        assert_eq!((he.object_type, he.sample_rate_hz, he.output_rate_hz), (2, 24_000, 48_000));
        assert_eq!((he.sbr, he.ps, he.codec_string().as_str()), (true, false, "mp4a.40.5"));
        let he2 = parse(&bits("11101 0110 0001 0011 00010 000"));
        assert_eq!((he2.channels, he2.output_channels(), he2.codec_string().as_str()), (1, 2, "mp4a.40.29"));
    }

    #[test]
    fn backward_compatible_sbr_and_ps() {
        let he = parse(&bits("00010 0110 0010 000 01010110111 00101 1 0011 "));
        assert_eq!((he.sbr, he.ps, he.output_rate_hz, he.codec_string().as_str()), (true, false, 48_000, "mp4a.40.5"));
        let he2 = parse(&bits("00010 0110 0001 000 01010110111 00101 1 0011 10101001000 1"));
        assert_eq!((he2.ps, he2.output_channels(), he2.codec_string().as_str()), (true, 2, "mp4a.40.29"));
        // FFmpeg writes the extension with the flag off to say "no SBR here".
        let none = parse(&[0x11, 0x90, 0x56, 0xe5, 0x00]);
        assert_eq!((none.sbr, none.codec_string().as_str()), (false, "mp4a.40.2"));
    }

    #[test]
    fn escapes() {
        let rate = parse(&bits("00010 1111 000000001010110001000101 0010 000"));
        assert_eq!(rate.sample_rate_hz, 0xac45);
        assert_eq!(
            AudioSpecificConfig::parse(&bits("11111 001010 0011 0010 000 00000")),
            Err(AacError::ObjectType(42))
        );
    }

    #[test]
    fn a_program_config_element_counts_channels() {
        // Two front elements (pair, single), one back pair, one low-frequency: 2 + 1 + 2 + 1.
        let config = parse(&bits(
            "00010 0011 0000 000 0000 01 0011 0010 0000 0001 01 000 0000 0 0 0 1 0000 0 0001 1 0000 0000 0000000 00000000",
        ));
        assert_eq!(config.channels, 6);
    }

    #[test]
    fn what_is_wrong_has_a_name() {
        assert_eq!(AudioSpecificConfig::parse(&[]), Err(AacError::Truncated));
        assert_eq!(AudioSpecificConfig::parse(&[0x11]), Err(AacError::Truncated));
        assert_eq!(AudioSpecificConfig::parse(&bits("00010 1101 0010 000")), Err(AacError::SampleRate));
        assert_eq!(
            AudioSpecificConfig::parse(&bits("00010 1111 000000000000000000000000 0010 000")),
            Err(AacError::SampleRate)
        );
        assert_eq!(AudioSpecificConfig::parse(&bits("00010 0011 1111 000")), Err(AacError::Channels));
        assert_eq!(AudioSpecificConfig::parse(&[0x11; 2000]), Err(AacError::TooLong(2000)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(config) = AudioSpecificConfig::parse(&bytes) {
                prop_assert!(config.sample_rate_hz > 0 && config.channels > 0 && config.frame_samples > 0);
            }
        }
    }
}
