//! How a connection ends. Every variant's text is a log line that may be read by anyone: no key, no URL, no raw bytes.

use super::{chunk::ChunkError, command::CommandError, gate::Refusal};
use crate::live::Cut;
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
    #[error("the server is stopping")]
    Shutdown,
    #[error("this is not RTMP: {0}")]
    NotRtmp(&'static str),
    #[error("the encoder broke the protocol: {0}")]
    Chunks(#[from] ChunkError),
    #[error("a command cannot be read: {0}")]
    Command(#[from] CommandError),
    #[error("more than {0} commands a second")]
    TooManyCommands(u32),
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
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
    #[error("the video codec is not H.264")]
    VideoCodec,
    #[error("the audio codec is not AAC")]
    AudioCodec,
    #[error("watching over RTMP is not offered")]
    Play,
    #[error("a command came before connect")]
    NotConnected,
}

impl Refused {
    /// A short constant for the metric's label.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::EmptyKey | Self::Key(Refusal::NotAKey) => "not_a_key",
            Self::Key(Refusal::UnknownKey) => "unknown_key",
            Self::Key(Refusal::Revoked { .. }) => "revoked_key",
            Self::Key(Refusal::Banned) => "banned",
            Self::Key(Refusal::Unavailable) => "unavailable",
            Self::Locked => "locked",
            Self::SecondStream => "second_stream",
            Self::VideoCodec => "video_codec",
            Self::AudioCodec => "audio_codec",
            Self::Play => "play",
            Self::NotConnected => "not_connected",
        }
    }
}
