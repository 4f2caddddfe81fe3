//! What travels from the ring to every viewer: flights of framed FLV tags, and the headers they are decoded with.
//!
//! All of it is immutable and shared: a viewer is handed references, never a copy.

use bytes::Bytes;
use madang_media::Millis;
use std::{sync::Arc, time::Instant};

/// What a decoder must have been given before the flights of an epoch.
///
/// A new epoch begins when a codec configuration changes, when a track appears, and when another publisher takes over. An FLV
/// header cannot come twice in one response, so there are two forms of the same thing: [`Headers::first`] starts a response,
/// [`Headers::change`] goes into one that is under way.
#[derive(Debug)]
pub struct Headers {
    /// Grows by one at each change, for as long as the room stays on the air.
    pub epoch: u64,
    /// The oldest epoch from which on tracks were only added: its flights decode with these headers too.
    pub(super) compatible_from: u64,
    /// FLV header (flags: the tracks that exist), `onMetaData`, and the sequence headers.
    pub first: Bytes,
    /// `onMetaData` and the sequence headers alone.
    pub change: Bytes,
}

/// An immutable run of whole, framed FLV tags. A key frame always starts a flight.
#[derive(Debug)]
pub struct Flight {
    /// Position in the room's broadcast: the first is 0, and each is one more than the one before.
    pub seq: u64,
    /// The tags, each with its PreviousTagSize.
    pub bytes: Bytes,
    /// Stamp of the first tag, on the room's timeline.
    pub at: Millis,
    /// The latest stamp in it.
    pub end: Millis,
    pub starts_with_keyframe: bool,
    /// Whether a viewer may begin here: at a key frame, or anywhere while there is no picture.
    pub joinable: bool,
    /// What its tags are decoded with.
    pub headers: Arc<Headers>,
    /// When it was closed, by the server's steady clock.
    pub(super) closed: Instant,
}

/// A closed flight that has no place in the ring yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub bytes: Bytes,
    pub at: Millis,
    pub end: Millis,
    pub starts_with_keyframe: bool,
    pub joinable: bool,
    pub headers: Arc<Headers>,
}

/// What a subscriber is given next.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// Comes before the first flight, and before the first flight of each newer epoch. `joining` is set once, at the start.
    Headers {
        headers: Arc<Headers>,
        joining: bool,
    },
    Flight(Arc<Flight>),
    /// The subscriber was too far behind and stands at a newer place now.
    Skipped(Skip),
    /// The broadcast is over, or the subscriber had to skip too often. Nothing follows.
    Ended,
}

/// What a slow subscriber missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// Flights that are not delivered.
    pub flights: u64,
    /// How far behind the newest tag the subscriber was.
    pub behind: Millis,
}

impl Delivery {
    /// What an FLV response writes for it; `None` where there is nothing to write.
    pub fn flv(&self) -> Option<&Bytes> {
        match self {
            Self::Headers { headers, joining: true } => Some(&headers.first),
            Self::Headers { headers, joining: false } => Some(&headers.change),
            Self::Flight(flight) => Some(&flight.bytes),
            Self::Skipped(_) | Self::Ended => None,
        }
    }
}
