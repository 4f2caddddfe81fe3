//! The browser player: HTTP-FLV in, moving pictures at a small and steady delay out.
//!
//! [`engine`] decides everything and touches nothing: events with their times go in, commands come out, so that it
//! runs in native tests and in a simulator. `web` (WASM only) is the one module that touches fetch, MediaSource and
//! the video element; it carries out commands and reports events, and takes no decision of its own.
//!
//! Units: wall-clock times are whole milliseconds (`_ms`); positions on the media timeline are seconds as `f64`
//! (`_s`), exactly as the video element gives them, because rounding a range's start could put a seek beside it.
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
#![warn(missing_docs)]

pub mod delay;
pub mod engine;
pub mod intake;
pub mod jitter;
pub mod queue;
pub mod ranges;
pub mod retry;
pub mod schedule;
pub mod target;
#[cfg(target_arch = "wasm32")]
pub mod web;

/// How far behind live a viewer wants to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Delay {
    /// As little as the measured jitter allows, from 0.1 s.
    Lowest,
    /// About 0.8 s.
    #[default]
    Balanced,
    /// 3 s: a link that stalls now and then goes unnoticed.
    Smooth,
}

impl Delay {
    /// The name in addresses and settings: `lowest`, `balanced`, `smooth`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lowest => "lowest",
            Self::Balanced => "balanced",
            Self::Smooth => "smooth",
        }
    }

    /// The setting with this name; `None` for any other text.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Lowest, Self::Balanced, Self::Smooth].into_iter().find(|delay| delay.name() == name)
    }
}

/// What the page shows. State events (all but `Delay`, `Size`, `AudioOnly`, `NeedsUnmute`) replace one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayerEvent {
    /// The stream has been asked for; nothing to show yet.
    Connecting,
    /// Pictures move, or sound is heard.
    Playing,
    /// The buffer has run dry while the connection stands. Shown by pages only when it lasts.
    Buffering,
    /// The picture has come to its end because the streamer's encoder is gone; the connection stands. Said about once a second.
    Away {
        /// Seconds that the room still waits.
        left_s: u32,
    },
    /// The connection failed and the picture has stopped.
    Waiting {
        /// Time until the next attempt.
        retry_in_ms: u32,
        /// The attempt that comes next, from 1.
        attempt: u32,
    },
    /// The room is not on air. Tried again by itself, and at once by `restart`.
    NotLive {
        /// The server's word for it, such as `offline` or `starting`; empty when the answer had none.
        state: String,
    },
    /// The server knows no such room. Not tried again until `restart`.
    NotFound,
    /// The stream ended and its last picture has been shown. Tried again by itself.
    Ended,
    /// The browser refused sound without a gesture: playing muted.
    NeedsUnmute,
    /// The browser refused even muted playback: `play()` must be called from a gesture.
    NeedsTap,
    /// Cannot go on until `restart`.
    Failed(Failure),
    /// Given about twice a second while playing. `behind_ms` is how long ago the server received what is shown, by the clock that it sends
    /// before key frames; without one, what lies in the buffer ahead of the picture plus the age of its newest data. Time spent in the
    /// encoder and on the way to the server is not in it.
    Delay {
        /// Milliseconds since the server received the picture.
        behind_ms: u32,
    },
    /// The picture's size in pixels as the stream declares it.
    Size {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The stream has no picture (`true`), or has one (`false`).
    AudioOnly(bool),
}

/// Why playback cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This browser does not play what the streamer sends.
    CodecNotPlayable {
        /// The type asked for, such as `video/mp4; codecs="hvc1.1.6.L93.B0"`, or the codec's name alone.
        mime: String,
    },
    /// The browser's decoder failed again and again on this stream.
    Decoder,
}

/// Why a player cannot be made in this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// Neither MediaSource nor ManagedMediaSource exists (iOS before 17.1).
    NoMediaSource,
    /// fetch cannot stream its answer, or cannot be aborted.
    NoStreamingFetch,
    /// There is no window: a worker, or no browser at all.
    NoWindow,
}

/// Figures for the statistics overlay, as of the moment they are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Picture size in pixels; 0 without a picture.
    pub width: u32,
    /// Picture size in pixels; 0 without a picture.
    pub height: u32,
    /// Frames shown per second, over about the last second.
    pub fps: f64,
    /// Frames decoded or dropped since the media source was built.
    pub frames_total: u32,
    /// Frames dropped since then: by the browser, or by this player because their time had passed or the browser took no more.
    pub frames_dropped: u32,
    /// Codec strings of what plays, video first, joined by a comma.
    pub codecs: String,
    /// A codec of the stream that cannot be played and is left out.
    pub left_out: Option<String>,
    /// Received bits per second, over about the last two seconds.
    pub bitrate_bps: u64,
    /// Media ahead of the picture.
    pub buffer_ms: u32,
    /// As in [`PlayerEvent::Delay`].
    pub behind_ms: u32,
    /// What the delay controller aims at for `buffer_ms`.
    pub target_ms: u32,
    /// How uneven arrivals are (the spread within a second, hiccups left out).
    pub jitter_ms: u32,
    /// How much sooner sound is heard than the encoder's stamps say, in ms; negative: later. Above 50 it is made good.
    pub drift_ms: i64,
    /// Playback rate now, 0.95 to 1.08.
    pub rate: f64,
    /// Jumps towards live, the one on joining not counted.
    pub jumps: u32,
    /// Times the buffer ran dry while playing.
    pub stalls: u32,
    /// Connections lost.
    pub reconnects: u32,
    /// MediaSources built after the first.
    pub rebuilds: u32,
    /// The stream comes over a WebSocket; over HTTP otherwise.
    pub socket: bool,
    /// The browser's way in: `MediaSource` or `ManagedMediaSource`.
    pub path: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_by_its_name() {
        for delay in [Delay::Lowest, Delay::Balanced, Delay::Smooth] {
            assert_eq!(Delay::from_name(delay.name()), Some(delay));
        }
        assert_eq!(Delay::from_name("Lowest"), None);
    }
}
