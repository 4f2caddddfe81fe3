//! Fragmented MP4 as Media Source Extensions takes it (ISO/IEC 14496-12 §8.8): init segments and fragments.
//!
//! Writing only, and only what a live stream needs: no edit lists, no indexes.

mod boxes;
mod fragment;
mod init;

use bytes::Bytes;

use crate::codec::{AudioCodec, VideoCodec};

pub use fragment::{Sample, fragment, only_sample};
pub use init::init_segment;

/// Ticks of a second on a video track: FLV stamps are whole milliseconds, so nothing is rounded.
pub const VIDEO_TIMESCALE: u32 = 1000;

/// A track of an init segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Its number, not 0; fragments name it.
    pub id: u32,
    /// Ticks of a second, not 0.
    pub timescale: u32,
    /// The codec and its configuration.
    pub codec: Codec,
}

/// A sample entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Pictures (ISO/IEC 14496-15 §5.4.2 and the codecs' own bindings).
    Video {
        /// Which.
        codec: VideoCodec,
        /// What its configuration box holds.
        record: Bytes,
        /// Width after cropping, in samples.
        width: u16,
        /// Height after cropping, in samples.
        height: u16,
        /// Sample aspect ratio, width to height.
        sar: (u16, u16),
    },
    /// Sound (ISO/IEC 14496-14 §5.6 and the codecs' own bindings).
    Audio {
        /// Which.
        codec: AudioCodec,
        /// What its configuration box holds; for AAC the AudioSpecificConfig, for MP3 nothing.
        record: Bytes,
        /// The core codec's sample rate.
        sample_rate_hz: u32,
        /// Coded channels.
        channels: u8,
    },
}

/// What does not fit into a box's 32-bit sizes and offsets: more than 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data are too long for an MP4 box")]
pub struct TooLong;

#[cfg(test)]
mod tests;
