//! What goes into the engine and what comes out of it.

use crate::{
    Delay, PlayerEvent,
    intake::{Fragment, Init, Track},
    ranges::Ranges,
};
use bytes::Bytes;

/// The server's answer to a request for the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200: bytes follow.
    Stream,
    /// 503 with a state.
    NotLive {
        /// The state's name; empty when unknown.
        state: String,
        /// `Retry-After`.
        retry_after_ms: Option<i64>,
    },
    /// 404.
    NotFound,
    /// 426: ask again over a WebSocket.
    Socket,
    /// Anything else.
    Refused {
        /// `Retry-After`.
        retry_after_ms: Option<i64>,
    },
}

/// What has happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Begin.
    Start,
    /// The request was answered.
    Answered {
        /// Number given with [`Output::Open`].
        connection: u32,
        /// How.
        answer: Answer,
    },
    /// Bytes of the stream, cut anywhere.
    Bytes {
        /// Number given with [`Output::Open`].
        connection: u32,
        /// The bytes.
        bytes: Bytes,
    },
    /// The request failed, or the answer is over.
    Closed {
        /// Number given with [`Output::Open`].
        connection: u32,
        /// Whether the answer ended as it should.
        clean: bool,
    },
    /// The media source is open and its buffers are there.
    SourceOpen {
        /// Number given with [`Output::Build`].
        source: u32,
    },
    /// The operation in flight is done (`updateend`).
    Done {
        /// Number given with [`Output::Build`].
        source: u32,
        /// Whose operation.
        track: Track,
    },
    /// The append was refused: QuotaExceededError.
    Full {
        /// Number given with [`Output::Build`].
        source: u32,
        /// Whose append.
        track: Track,
    },
    /// An append failed, the decoder failed, or the browser closed the source.
    Broken {
        /// Number given with [`Output::Build`].
        source: u32,
    },
    /// The browser does not play this type.
    NotPlayable {
        /// Number given with [`Output::Build`].
        source: u32,
        /// The type.
        mime: String,
    },
    /// The element's `playing`.
    Playing,
    /// The element's `waiting`.
    Waiting,
    /// The element's `pause`.
    Paused,
    /// The viewer wants a pause, wherever the tab is.
    Pause,
    /// The element's `pause` on a page that nobody has touched yet. Some browsers take back what they granted once they hear sound.
    Halted,
    /// The element's `play`.
    Resumed,
    /// `play()` was granted.
    PlayGranted,
    /// `play()` was refused for want of a gesture.
    PlayRefused,
    /// ManagedMediaSource wants data (`true`, startstreaming) or has enough (`false`, endstreaming).
    Streaming(bool),
    /// The tab is shown or hidden.
    Visible(bool),
    /// The machine is online again.
    Online,
    /// The machine says that it has no network.
    Offline,
    /// The viewer chose another setting.
    SetDelay(Delay),
    /// The viewer wants the live edge.
    GoLive,
    /// The viewer wants to be elsewhere in what is buffered, and stays there until they want the live edge. A place near the edge is
    /// the edge.
    Rewind {
        /// Seconds from where the picture is; less than zero is back.
        by_s: f64,
    },
    /// Frames can be shown one by one from now on ([`Way::Frames`]).
    Offered,
    /// Try again at once: the room is said to be live.
    Restart,
    /// Time passes. A few times a second; nothing depends on its pace while data flows.
    Tick,
}

/// How frames come to the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Through MediaSource: the browser keeps what it needs ahead, and one can go back.
    #[default]
    Buffered,
    /// Each decoded by itself and shown when its time has come: the lowest delay.
    Frames,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Ask for the stream. Everything of earlier connections is dropped.
    Open {
        /// Number of the connection.
        connection: u32,
        /// Over a WebSocket, and not by a request.
        socket: bool,
    },
    /// Abort the request, answered or not.
    Abort {
        /// Number of the connection.
        connection: u32,
    },
    /// Put a new media source with these tracks into the element, in place of the old one.
    Build {
        /// Number of the source.
        source: u32,
        /// Track and type; each is added before anything is appended.
        tracks: Vec<(Track, String)>,
        /// Whether it is a media source, or takes frames.
        way: Way,
    },
    /// Give a decoder its configuration. Of [`Way::Frames`] only; failures are told by `Broken`.
    Configure {
        /// Number of the source.
        source: u32,
        /// The track's configuration.
        init: Init,
    },
    /// Decode a frame and show it at its time. Of [`Way::Frames`] only; failures are told by `Broken`.
    Decode {
        /// Number of the source.
        source: u32,
        /// The frame, on the connection's timeline.
        fragment: Fragment,
        /// From that timeline to the source's, in seconds.
        offset_s: f64,
    },
    /// Append; answered by `Done`, `Full` or `Broken`.
    Append {
        /// Number of the source.
        source: u32,
        /// Whose buffer.
        track: Track,
        /// Whole segments.
        bytes: Bytes,
        /// `timestampOffset` to set first, in seconds.
        offset_s: f64,
        /// `changeType` to call first.
        change_type: Option<String>,
    },
    /// Remove; answered by `Done` or `Broken`.
    Remove {
        /// Number of the source.
        source: u32,
        /// Whose buffer.
        track: Track,
        /// From here, in seconds.
        start_s: f64,
        /// To here.
        end_s: f64,
    },
    /// Set the position. Always inside a buffered range.
    Seek {
        /// In seconds.
        to_s: f64,
    },
    /// Set the playback rate.
    Rate(f64),
    /// Call `play()`; answered by `PlayGranted` or `PlayRefused`.
    Play,
    /// Mute the element.
    Mute,
    /// Tell the page.
    Event(PlayerEvent),
}

/// The video element at the time of an input.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// `currentTime`.
    pub position_s: f64,
    /// `buffered` of the element: where every track has data.
    pub ranges: Ranges,
    /// `paused`.
    pub paused: bool,
    /// `seeking`.
    pub seeking: bool,
    /// `muted`.
    pub muted: bool,
}

/// What the browser can do.
#[derive(Clone, Copy, Debug)]
pub struct Abilities {
    /// Whether a media source takes this type, such as `audio/mp4; codecs="opus"`; true where that is not known.
    pub plays: fn(&str) -> bool,
    /// `SourceBuffer.changeType` exists.
    pub change_type: bool,
    /// The browser says when the picture is in a window of its own; where it does not, a hidden tab may be watched all the same.
    pub picture_apart: bool,
}
