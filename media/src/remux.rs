//! stub
use crate::{Millis, amf0, flv::Tag};
use bytes::Bytes;
/// t
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackKind {
    /// a
    Audio,
    /// v
    Video,
}
/// o
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The stamp that maps to `start`; `None`: that of the first frame put out.
    pub origin: Option<Millis>,
    /// Where on the media timeline the origin lies.
    pub start: Millis,
    /// Length of a fragment; zero: each frame is one, at once.
    pub fragment: Millis,
}
/// v
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoParams {
    /// w
    pub width: u32,
    /// h
    pub height: u32,
}
/// a
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioParams {
    /// r
    pub sample_rate_hz: u32,
    /// c
    pub channels: u8,
}
/// o
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// i
    Init {
        /// t
        track: TrackKind,
        /// m
        mime: String,
        /// b
        bytes: Bytes,
        /// v
        video: Option<VideoParams>,
        /// a
        audio: Option<AudioParams>,
    },
    /// f
    Fragment {
        /// t
        track: TrackKind,
        /// b
        bytes: Bytes,
        /// s
        start: Millis,
        /// d
        duration: Millis,
        /// k
        keyframe: bool,
    },
    /// s
    Script {
        /// a
        at: Millis,
        /// n
        name: String,
        /// v
        value: amf0::Value,
    },
    /// u
    Unsupported {
        /// t
        track: TrackKind,
        /// c
        codec: String,
    },
}
/// e
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemuxError {
    /// a
    #[error("AMF0")]
    Script(#[from] amf0::Amf0Error),
}
/// r
#[derive(Debug)]
pub struct Remuxer {}
impl Remuxer {
    /// n
    pub fn new(_options: Options) -> Self { Self {} }
    /// p
    pub fn push(&mut self, _tag: &Tag) -> Result<(), RemuxError> { Ok(()) }
    /// p
    pub fn poll(&mut self) -> Option<Output> { None }
    /// f
    pub fn flush(&mut self) {}
}
