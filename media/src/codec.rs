//! The codecs a live stream may have: what their configurations say, and by which names and boxes MP4 carries them.
//!
//! One table row each. A configuration is what FLV calls a sequence header, without the tag's own bytes.

mod audio;
mod size;
mod video;

pub use audio::AudioConfig;
pub use video::{Picture, VideoConfig};

use crate::{aac::AacError, avc::AvcError};

/// A codec of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// H.264.
    Avc,
    /// H.265.
    Hevc,
    /// AV1.
    Av1,
    /// VP9.
    Vp9,
}

/// A codec of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// AAC, with or without SBR and PS.
    Aac,
    /// MPEG-1 or 2 layer 3; it has no configuration, each frame says what it is.
    Mp3,
    /// Opus.
    Opus,
    /// FLAC.
    Flac,
}

/// Codec, FourCC of Enhanced RTMP (which is MP4's sample entry), configuration box (ISO/IEC 14496-15, AV1 and VP codec bindings).
const VIDEO: [(VideoCodec, [u8; 4], [u8; 4]); 4] = [
    (VideoCodec::Avc, *b"avc1", *b"avcC"),
    (VideoCodec::Hevc, *b"hvc1", *b"hvcC"),
    (VideoCodec::Av1, *b"av01", *b"av1C"),
    (VideoCodec::Vp9, *b"vp09", *b"vpcC"),
];

type FourCc = [u8; 4];

/// Codec, FourCC, sample entry, configuration box.
const AUDIO: [(AudioCodec, FourCc, FourCc, FourCc); 4] = [
    (AudioCodec::Aac, *b"mp4a", *b"mp4a", *b"esds"),
    (AudioCodec::Mp3, *b".mp3", *b"mp4a", *b"esds"),
    (AudioCodec::Opus, *b"Opus", *b"Opus", *b"dOps"),
    (AudioCodec::Flac, *b"fLaC", *b"fLaC", *b"dfLa"),
];

/// The FourCCs that are carried, as `connect` answers them; those of pictures first.
pub fn four_ccs() -> impl Iterator<Item = &'static str> {
    video_four_ccs().chain(audio_four_ccs())
}

/// Those of pictures.
pub fn video_four_ccs() -> impl Iterator<Item = &'static str> {
    VIDEO.iter().filter_map(|(_, four_cc, _)| str::from_utf8(four_cc).ok())
}

/// Those of sound.
pub fn audio_four_ccs() -> impl Iterator<Item = &'static str> {
    AUDIO.iter().filter_map(|(_, four_cc, ..)| str::from_utf8(four_cc).ok())
}

impl VideoCodec {
    pub(crate) fn of_four_cc(wanted: &[u8; 4]) -> Option<Self> {
        VIDEO.iter().find(|(_, four_cc, _)| four_cc == wanted).map(|(codec, ..)| *codec)
    }

    /// Sample entry and configuration box.
    pub(crate) fn boxes(self) -> ([u8; 4], [u8; 4]) {
        let row = VIDEO.iter().find(|(codec, ..)| *codec == self);
        row.map_or_else(Default::default, |(_, entry, config)| (*entry, *config))
    }
}

impl AudioCodec {
    pub(crate) fn of_four_cc(wanted: &[u8; 4]) -> Option<Self> {
        AUDIO.iter().find(|(_, four_cc, ..)| four_cc == wanted).map(|(codec, ..)| *codec)
    }

    /// Sample entry and configuration box.
    pub(crate) fn boxes(self) -> ([u8; 4], [u8; 4]) {
        let row = AUDIO.iter().find(|(codec, ..)| *codec == self);
        row.map_or_else(Default::default, |(_, _, entry, config)| (*entry, *config))
    }
}

/// Why bytes are not a usable configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// An H.264 configuration cannot be used.
    #[error(transparent)]
    Avc(#[from] AvcError),
    /// An AAC configuration cannot be used.
    #[error(transparent)]
    Aac(#[from] AacError),
    /// The configuration of another codec ends before its last field, or states what does not exist.
    #[error("the codec's configuration is cut short or states what does not exist")]
    Broken,
}

#[cfg(test)]
mod tests;
