//! How whoever wants to play is let into a room: a port, so that it can be tested without storage. Every way of playing asks here, and
//! nowhere else.

use crate::permits::Stay;
use axum::http::HeaderMap;
use futures_util::future::BoxFuture;
use madang_protocol::{PersonId, RoomId, RoomSlug, UnixMillis};

/// A room that exists and may be watched by whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundRoom {
    pub id: RoomId,
    pub owner: PersonId,
    /// Whether anybody may watch it who has its address.
    pub open: bool,
    /// When its last broadcast ended; none if there never was one.
    pub last_live: Option<UnixMillis>,
}

/// What somebody shows who wants to play.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request's, with its cookies; empty where there is none (RTMP).
    pub headers: &'a HeaderMap,
    /// The play token of the address.
    pub token: Option<&'a str>,
}

/// Leave to play.
pub struct Play {
    pub room: FoundRoom,
    /// To be held and looked at for as long as something is played.
    pub stay: Stay,
}

/// Why nothing is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPlayed {
    /// There is no such room, or it is not the asker's to see: which, nobody is told.
    Unknown,
    /// The rooms cannot be asked now; the cause is in the log.
    Unavailable,
}

/// Lets players into rooms.
pub trait Rooms: Send + Sync {
    /// Whether whoever asks may play the room with this slug.
    ///
    /// # Errors
    /// [`NotPlayed`].
    fn may_play<'a>(&'a self, slug: &'a RoomSlug, asked: Asked<'a>) -> BoxFuture<'a, Result<Play, NotPlayed>>;
}
