//! What a room's owner sees in the studio.

use crate::wire::Wire;
use crate::{KeyId, UnixMillis, rooms::LiveState};
use serde::{Deserialize, Serialize};

/// A stream key as its owner sees it after its making: everything but the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct StreamKeyInfo {
    pub id: KeyId,
    pub name: String,
    pub created: UnixMillis,
    pub last_use: Option<KeyUse>,
    pub revoked: Option<UnixMillis>,
}

/// When, from where and by what a key was last used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct KeyUse {
    pub at: UnixMillis,
    /// Address without port.
    pub from: String,
    /// What the encoder calls itself; empty when it did not say.
    pub encoder: String,
}

/// The encoder that publishes now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct EncoderInfo {
    pub since: UnixMillis,
    /// Address without port.
    pub from: String,
    /// What the encoder calls itself; empty when it did not say.
    pub encoder: String,
    pub key: KeyId,
    /// Codec strings (RFC 6381) of the tracks seen so far.
    pub video: Option<VideoInfo>,
    pub audio: Option<AudioInfo>,
    /// Over the last seconds, all tracks together.
    pub bitrate_bps: u64,
}

/// The video track in words a streamer can check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct VideoInfo {
    /// RFC 6381, such as `avc1.64001f`.
    pub codec: String,
    pub width: u32,
    pub height: u32,
}

/// The audio track in words a streamer can check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct AudioInfo {
    /// RFC 6381, such as `mp4a.40.2`.
    pub codec: String,
    pub sample_rate_hz: u32,
    pub channels: u8,
}

/// The studio's status line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct StudioStatus {
    pub live: LiveState,
    pub watching: u32,
    /// None too while the room is live and waits for an encoder that is gone.
    pub encoder: Option<EncoderInfo>,
    /// Encoders take the room from each other again and again.
    pub fought_over: bool,
}
