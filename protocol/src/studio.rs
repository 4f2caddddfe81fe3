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
    /// `None` until something has come.
    #[serde(default)]
    pub health: Option<Health>,
}

/// How well the stream comes in, over the last seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Health {
    pub video_bps: u64,
    pub audio_bps: u64,
    /// Pictures in ten seconds.
    pub fps_tenths: u32,
    /// The longest distance of key frames among the last ones.
    pub gop_ms: Option<u32>,
    /// How much later some frames arrive than others.
    pub jitter_ms: u32,
    /// Jumps of the stamps in the last minute.
    pub gaps: u32,
    /// The newest sound's stamp minus the newest picture's.
    pub offset_ms: Option<i64>,
    /// How much faster the encoder's clock runs than the server's, in millionths; known after a minute.
    pub clock_ppm: Option<i64>,
    /// Whether pictures are shown in another order than they are decoded in.
    pub b_frames: bool,
    /// The worst first.
    pub troubles: Vec<Trouble>,
}

/// Something that a streamer can mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Trouble {
    pub kind: TroubleKind,
    /// Viewers notice it now.
    pub bad: bool,
    /// The figure that shows it, in the unit of its kind.
    pub value: i64,
}

/// What may be wrong with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// Key frames are far apart; ms.
    LongGop,
    /// Frames arrive unevenly; ms.
    Jitter,
    /// Stamps jumped; times in the last minute.
    Gaps,
    /// More than `media.plan_kbps`; bits a second.
    Bitrate,
    NoAudio,
    /// Sound and picture arrive apart; ms.
    Offset,
    /// The encoder's clock runs at another pace; millionths.
    Clock,
    /// Pictures come at changing distances; ten times the rate.
    VariableRate,
    /// Pictures are sent in another order than they are shown in, which costs delay.
    BFrames,
    /// Key frames of H.264 that do not stand alone: who comes may see nothing, in some browsers.
    OpenGop,
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
    /// The most that have watched this broadcast at once.
    #[serde(default)]
    pub peak: u32,
    /// How the picture does for those who watch; `None` until some have told.
    #[serde(default)]
    pub quality: Option<Quality>,
    /// Browsers that have said in this broadcast that they cannot play it, and did not play since; 1,000 at most.
    #[serde(default)]
    pub unplayable: u32,
    /// None too while the room is live and waits for an encoder that is gone.
    pub encoder: Option<EncoderInfo>,
    /// Encoders take the room from each other again and again.
    pub fought_over: bool,
    /// What went wrong in the last hour for this room, and for nobody's room from where the reader is; newest first, at most 10.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
}

/// How the picture does for viewers, over the last minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Quality {
    /// Half of the viewers are less far behind live.
    pub delay_p50_ms: u32,
    /// Of twenty viewers nineteen are.
    pub delay_p95_ms: u32,
    /// Times that the picture stopped in an hour of watching, times ten.
    pub stalls_tenths: u32,
    /// Frames of a thousand that were not shown.
    pub dropped_permille: u32,
}

/// An encoder that was turned away, or whose stream was ended for what it sent or did not send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Attempt {
    /// The last time.
    pub at: UnixMillis,
    /// How often the same happened in a row.
    pub times: u32,
    /// Address without port.
    pub from: String,
    /// What the encoder calls itself; empty when it did not come so far.
    pub encoder: String,
    pub why: Mishap,
    /// What it sent that was wrong, where that says something: an application's name, a codec. Never a key.
    pub detail: String,
    /// When the key was revoked.
    pub revoked: Option<UnixMillis>,
}

/// Why an encoder is not on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// The address does not end in `/live`.
    App,
    EmptyKey,
    /// A whole address stands in the key's place.
    UrlAsKey,
    /// What stands there has not the shape of a key.
    NotAKey,
    UnknownKey,
    RevokedKey,
    /// Too many wrong keys came from the address.
    Locked,
    /// The room's owner, or the address, is banned from the site.
    Banned,
    /// The server could not look the key up.
    Unavailable,
    SecondStream,
    VideoCodec,
    /// HEVC under the number of H.264, as old encoders send it.
    HevcAsAvc,
    AudioCodec,
    /// A key was right, and no picture or sound came.
    NoMedia,
    /// Picture and sound stopped coming while the connection stood.
    Silent,
    /// `rtmps://` to the plain port.
    Tls,
    /// A browser or a proxy.
    Http,
    /// Something else that is not RTMP.
    NotRtmp,
    /// Commands in AMF3, which nobody reads any more.
    Amf3,
    /// RTMP that breaks its own rules.
    Protocol,
    /// Another encoder with a key of the room took over.
    TakenOver,
}
