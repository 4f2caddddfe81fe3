//! How a connection ends. Every variant's text is a log line that may be read by anyone: no key, no URL, no raw bytes.

use super::{
    chunk::ChunkError,
    command::CommandError,
    gate::{PlayRefusal, Refusal},
};
use crate::live::Cut;
use madang_protocol::studio::Mishap;
use std::io;

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub enum End {
    #[error("the encoder closed the connection")]
    ByEncoder,
    #[error("the encoder did not {0}")]
    TooLate(Deadline),
    #[error("refused: {0}")]
    Refused(Refused),
    #[error("cut: {}", super::words::cut_reason(*.0))]
    Cut(Cut),
    #[error("the broadcast is over")]
    Played,
    #[error("the server is stopping")]
    Shutdown,
    #[error("this is not RTMP: {0}")]
    NotRtmp(Foreign),
    #[error("the encoder broke the protocol: {0}")]
    Chunks(#[from] ChunkError),
    #[error("a command cannot be read: {0}")]
    Command(#[from] CommandError),
    #[error("more than {0} commands a second")]
    TooManyCommands(u32),
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

/// What came in the place of RTMP, told by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    #[error("an HTTP request; web pages are on the HTTP port")]
    Http,
    #[error("a PROXY protocol header; switch that off in the proxy")]
    Proxy,
    #[error("a TLS hello; rtmps:// has a port of its own (rtmps in Leptos.toml), or use rtmp://")]
    Tls,
    #[error("RTMPE, which is not offered; use rtmp://")]
    Encrypted,
    #[error("the first byte is not a version of RTMP")]
    Garbage,
}

/// Which deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Deadline {
    #[error("finish the handshake in time")]
    Handshake,
    #[error("send audio or video in time after connecting")]
    FirstMedia,
    #[error("send audio or video any more")]
    Idle,
    #[error("read what it was sent")]
    Write,
}

/// What was refused; the encoder was told, in the words of the module `words`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the application is not `live`")]
    App,
    #[error("the stream key is empty")]
    EmptyKey,
    #[error("a whole address was given as the stream key")]
    UrlAsKey,
    #[error("{}", match .0 {
        Refusal::NotAKey => "what was given as the stream key is not one",
        Refusal::UnknownKey => "no room has this stream key",
        Refusal::Revoked { .. } => "this stream key was revoked",
        Refusal::Banned => "banned from the site",
        Refusal::Unavailable => "the server could not check the stream key",
    })]
    Key(Refusal),
    #[error("too many wrong keys came from this address")]
    Locked,
    #[error("a second stream was published in one connection")]
    SecondStream,
    #[error("the video codec is none of H.264, HEVC, AV1 and VP9")]
    VideoCodec,
    #[error("the video is HEVC under the number of H.264")]
    HevcAsAvc,
    #[error("the audio codec is none of AAC, Opus, FLAC and MP3")]
    AudioCodec,
    #[error("{}", match .0 {
        PlayRefusal::NoRoom => "there is no room of that name to watch",
        PlayRefusal::NotLive => "the room to watch is not on the air",
        PlayRefusal::TooMany => "too many streams are being watched from this address",
        PlayRefusal::Unavailable => "the server could not look the room up",
    })]
    Play(PlayRefusal),
    #[error("a command came before connect")]
    NotConnected,
}

impl End {
    /// What whoever set the encoder up is told; `published`: it had been let in with a key.
    pub(crate) fn mishap(&self, published: bool) -> Option<Mishap> {
        Some(match self {
            Self::Refused(refused) => return refused.mishap(),
            Self::NotRtmp(Foreign::Tls) => Mishap::Tls,
            Self::NotRtmp(Foreign::Http | Foreign::Proxy) => Mishap::Http,
            Self::NotRtmp(Foreign::Encrypted | Foreign::Garbage) => Mishap::NotRtmp,
            Self::Command(CommandError::Amf3) => Mishap::Amf3,
            Self::Chunks(_) | Self::Command(_) | Self::TooManyCommands(_) => Mishap::Protocol,
            Self::TooLate(Deadline::FirstMedia) if published => Mishap::NoMedia,
            Self::TooLate(Deadline::Idle) => Mishap::Silent,
            Self::Cut(Cut::TakenOver) => Mishap::TakenOver,
            Self::ByEncoder | Self::TooLate(_) | Self::Cut(_) | Self::Played | Self::Shutdown | Self::Io(_) => {
                return None;
            }
        })
    }
}

impl Refused {
    fn mishap(self) -> Option<Mishap> {
        Some(match self {
            Self::App => Mishap::App,
            Self::EmptyKey => Mishap::EmptyKey,
            Self::UrlAsKey => Mishap::UrlAsKey,
            Self::Key(Refusal::NotAKey) => Mishap::NotAKey,
            Self::Key(Refusal::UnknownKey) => Mishap::UnknownKey,
            Self::Key(Refusal::Revoked { .. }) => Mishap::RevokedKey,
            Self::Key(Refusal::Unavailable) => Mishap::Unavailable,
            Self::Locked => Mishap::Locked,
            Self::SecondStream => Mishap::SecondStream,
            Self::VideoCodec => Mishap::VideoCodec,
            Self::HevcAsAvc => Mishap::HevcAsAvc,
            Self::AudioCodec => Mishap::AudioCodec,
            Self::NotConnected => Mishap::Protocol,
            // Who is banned sees no studio.
            Self::Key(Refusal::Banned) | Self::Play(_) => return None,
        })
    }

    /// A short constant for the metric's label.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::EmptyKey | Self::UrlAsKey | Self::Key(Refusal::NotAKey) => "not_a_key",
            Self::Key(Refusal::UnknownKey) => "unknown_key",
            Self::Key(Refusal::Revoked { .. }) => "revoked_key",
            Self::Key(Refusal::Banned) => "banned",
            Self::Key(Refusal::Unavailable) => "unavailable",
            Self::Locked => "locked",
            Self::SecondStream => "second_stream",
            Self::VideoCodec | Self::HevcAsAvc => "video_codec",
            Self::AudioCodec => "audio_codec",
            Self::Play(_) => "play",
            Self::NotConnected => "not_connected",
        }
    }
}
