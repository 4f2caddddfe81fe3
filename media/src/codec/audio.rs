//! Configurations of sound.

use bytes::{BufMut, Bytes, BytesMut};

use super::{AudioCodec, CodecError};
use crate::aac::AudioSpecificConfig;
use crate::bits::Bits;

/// A configuration, as much as a player has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    /// The codec.
    pub codec: AudioCodec,
    /// As it came in the sequence header; of MP3, the head of a frame.
    pub config: Bytes,
    /// What MP4's configuration box holds: for `esds` what its last descriptor holds.
    pub record: Bytes,
    /// For a MIME type (RFC 6381).
    pub codec_string: String,
    /// Ticks of a second that frames are counted in.
    pub timescale: u32,
    /// Rate of the decoded sound.
    pub output_rate_hz: u32,
    /// Coded channels.
    pub channels: u8,
    /// Channels of the decoded sound.
    pub output_channels: u8,
    /// Ticks of a frame; 0 where each says by itself.
    frame_ticks: u32,
}

impl AudioConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// See [`CodecError`].
    pub fn read(codec: AudioCodec, config: &Bytes) -> Result<Self, CodecError> {
        match codec {
            AudioCodec::Aac => {
                let aac = AudioSpecificConfig::parse(config)?;
                Ok(Self {
                    codec,
                    config: config.clone(),
                    record: config.clone(),
                    codec_string: aac.codec_string(),
                    timescale: aac.sample_rate_hz,
                    output_rate_hz: aac.output_rate_hz,
                    channels: aac.channels,
                    output_channels: aac.output_channels(),
                    frame_ticks: aac.frame_samples,
                })
            }
            AudioCodec::Mp3 => mp3(config),
            AudioCodec::Opus => opus(config),
            AudioCodec::Flac => flac(config),
        }
        .map(|read| Self { config: config.clone(), ..read })
    }

    /// Of MP3: what of a frame is its configuration, as long as that stays the same.
    pub fn head_of_mp3(frame: &Bytes) -> Bytes {
        // Sync word, version, layer and protection; then the rate without padding and bit rate; then the channels.
        match **frame {
            [0xff, b, c, d, ..] => Bytes::copy_from_slice(&[0xff, b, c & 0x0c, d & 0xc0]),
            _ => Bytes::new(),
        }
    }

    /// Ticks of [`timescale`](Self::timescale) that a frame lasts.
    pub fn ticks(&self, frame: &[u8]) -> u32 {
        if self.codec == AudioCodec::Opus { opus_ticks(frame) } else { self.frame_ticks }
    }

    fn plain(codec: AudioCodec, name: &str, record: Bytes, rate_hz: u32, channels: u8, frame_ticks: u32) -> Self {
        Self {
            codec,
            config: Bytes::new(),
            record,
            codec_string: name.to_owned(),
            timescale: rate_hz,
            output_rate_hz: rate_hz,
            channels,
            output_channels: channels,
            frame_ticks,
        }
    }
}

/// From the head of a frame (ISO/IEC 11172-3 §2.4.1.3, 13818-3).
fn mp3(head: &[u8]) -> Result<AudioConfig, CodecError> {
    let [0xff, b, c, d, ..] = *head else { return Err(CodecError::Broken) };
    // Layer III is 01; version: 11 is MPEG-1, 10 MPEG-2, 00 MPEG-2.5.
    if b & 0xe6 != 0xe2 {
        return Err(CodecError::Broken);
    }
    let (halvings, samples) = match (b >> 3) & 3 {
        3 => (0, 1152),
        2 => (1, 576),
        0 => (2, 576),
        _ => return Err(CodecError::Broken),
    };
    let rate = [44_100u32, 48_000, 32_000].get(usize::from((c >> 2) & 3)).ok_or(CodecError::Broken)? >> halvings;
    let channels = if d >> 6 == 3 { 1 } else { 2 };
    Ok(AudioConfig::plain(AudioCodec::Mp3, "mp3", Bytes::new(), rate, channels, samples))
}

/// From an identification header (RFC 7845 §5.1) to a `dOps` box (Opus in ISO BMFF §4.3.2), which is big endian.
fn opus(head: &[u8]) -> Result<AudioConfig, CodecError> {
    let rest = head.strip_prefix(b"OpusHead").ok_or(CodecError::Broken)?;
    let [version, channels, skip0, skip1, r0, r1, r2, r3, gain0, gain1, family, mapping @ ..] = rest else {
        return Err(CodecError::Broken);
    };
    let table = if *family == 0 { 0 } else { usize::from(*channels).saturating_add(2) };
    let mapping = mapping.get(..table).ok_or(CodecError::Broken)?;
    if version >> 4 != 0 || *channels == 0 || (*family == 0 && *channels > 2) {
        return Err(CodecError::Broken);
    }
    let mut record = BytesMut::with_capacity(16);
    record.put_slice(&[0, *channels, *skip1, *skip0, *r3, *r2, *r1, *r0, *gain1, *gain0, *family]);
    record.put_slice(mapping);
    Ok(AudioConfig::plain(AudioCodec::Opus, "opus", record.freeze(), 48_000, *channels, 0))
}

/// 48 kHz samples of a packet, by its first bytes (RFC 6716 §3.1, §3.2.5). A packet that says nothing sensible lasts as usual.
fn opus_ticks(packet: &[u8]) -> u32 {
    let Some(first) = packet.first() else { return 960 };
    let config = usize::from(first >> 3);
    let lengths: &[u32] = match config {
        0..=11 => &[480, 960, 1920, 2880],
        12..=15 => &[480, 960, 480, 960],
        _ => &[120, 240, 480, 960],
    };
    let frames = match first & 3 {
        0 => 1,
        3 => u32::from(packet.get(1).copied().unwrap_or(1) & 0x3f),
        _ => 2,
    };
    let ticks = lengths.get(config & 3).copied().unwrap_or(960).saturating_mul(frames);
    // 120 ms are the most.
    if (1..=5760).contains(&ticks) { ticks } else { 960 }
}

/// From STREAMINFO (FLAC format §METADATA_BLOCK_STREAMINFO), with or without the marker and block header before it, to a `dfLa`
/// box (FLAC in ISO BMFF §3.3.2).
fn flac(config: &[u8]) -> Result<AudioConfig, CodecError> {
    let info = config.strip_prefix(b"fLaC").and_then(|rest| rest.get(4..)).unwrap_or(config);
    let info = info.get(..34).ok_or(CodecError::Broken)?;
    let mut bits = Bits::new(info);
    let mut read = |skipped, n| bits.skip(skipped).and_then(|()| bits.read(n)).ok_or(CodecError::Broken);
    let (block, rate, channels) = (read(16, 16)?, read(48, 20)?, read(0, 3)?.saturating_add(1));
    if rate == 0 || block < 16 {
        return Err(CodecError::Broken);
    }
    let mut record = BytesMut::from(&[0, 0, 0, 0, 0x80, 0, 0, 34][..]);
    record.put_slice(info);
    let channels = u8::try_from(channels).unwrap_or(8);
    Ok(AudioConfig::plain(AudioCodec::Flac, "flac", record.freeze(), rate, channels, block))
}
