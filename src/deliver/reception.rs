//! What delivery asks of the rest of the server: who somebody is, and whether they may play. A port, so that it can be tested without
//! storage. Every way of playing asks here, and nowhere else.

use crate::{
    live::{Browser, Presence},
    permits::Stay,
};
use axum::http::{HeaderMap, HeaderValue, header};
use futures_util::future::BoxFuture;
use madang_protocol::{PersonId, RoomId, RoomSlug, UnixMillis};
use std::net::IpAddr;

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

/// The browser that a request comes from, as it is counted among those who watch: by its cookie, or else by where it is and what it
/// says it is.
pub fn browser_of(reception: &dyn Reception, presence: &Presence, headers: &HeaderMap, address: IpAddr) -> Browser {
    match reception.browser(headers) {
        Some(person) => Browser::Known(person),
        None => {
            let program = headers.get(header::USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
            presence.stranger(address, program)
        }
    }
}

/// Knows who calls, and lets players into rooms.
pub trait Reception: Send + Sync {
    /// The address that limits count, by the peer's and the request's headers.
    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr;

    /// Whose signed cookie a request carries: one browser.
    fn browser(&self, headers: &HeaderMap) -> Option<PersonId>;

    /// Whether a request comes from a page of this site, or from no page.
    fn is_own_page(&self, headers: &HeaderMap) -> bool;

    /// Who asks, as storage knows them; nobody when it does not answer.
    fn person<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Option<PersonId>>;

    /// Whether whoever asks may play the room with this slug.
    ///
    /// # Errors
    /// [`NotPlayed`].
    fn may_play<'a>(&'a self, slug: &'a RoomSlug, asked: Asked<'a>) -> BoxFuture<'a, Result<Play, NotPlayed>>;
}
