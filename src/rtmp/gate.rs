//! The ports: who may publish or watch ([`Gate`]), where the tags of one who may publish go ([`Outlet`]), and where those of one who may
//! watch come from ([`Program`]).

use crate::live::{Cut, Delivery, Publisher};
use madang_media::flv::Tag;
use madang_protocol::{RoomId, UnixMillis, studio::Mishap};
use std::{fmt, net::SocketAddr, pin::Pin};

/// Decides on a request to publish and gives the place to publish to.
///
/// `P` is the server's [`Publisher`]; tests put something of their own there.
pub trait Gate<P = Publisher>: Send + Sync + 'static {
    /// Called once per `publish` command, never while another of the same connection is undecided, and not at all for an address
    /// that is locked after too many wrong keys. The encoder waits for the answer and is closed when the first-media deadline
    /// passes before.
    fn publish(&self, request: PublishRequest) -> GateFuture<'_, P>;

    /// Called once per `play` command. The player waits for the answer, as an encoder does.
    fn play(&self, request: PlayRequest) -> PlayFuture<'_>;

    /// An encoder's connection has ended for a fault that somebody has to be told of.
    fn turned_away(&self, who: TurnedAway);
}

/// An encoder that was turned away, or cut for what it sent or did not send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    pub from: SocketAddr,
    pub encoder: String,
    /// The room that it had a key of, one in force or a revoked one.
    pub room: Option<RoomId>,
    pub why: Mishap,
    /// A name that it sent and that says what is wrong; never a key.
    pub detail: String,
    pub revoked: Option<UnixMillis>,
}

/// What [`Gate::play`] returns.
pub type PlayFuture<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Program>, PlayRefusal>> + Send + 'a>>;

/// A room's broadcast as one viewer is given it. Dropping it leaves the room.
pub trait Program: Send {
    /// What comes next; after [`Delivery::Ended`] always that. Cancel safe.
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Delivery> + Send + '_>>;

    /// The viewer's socket has taken that many bytes.
    fn took(&mut self, bytes: usize);
}

/// What [`Gate::publish`] returns.
pub type GateFuture<'a, P = Publisher> = Pin<Box<dyn Future<Output = Result<P, Refusal>> + Send + 'a>>;

/// Where a publisher's tags go. Dropping it ends the stream.
pub trait Outlet: Send + 'static {
    /// Takes the next tag, in the order of arrival.
    fn push(&mut self, tag: Tag) -> Result<(), Cut>;

    /// The room that it is for.
    fn room(&self) -> Option<RoomId>;

    /// Sends on what is being gathered; called when [`Attention::Due`] was reported.
    fn flush(&mut self);

    /// Resolves when the outlet wants something. Cancel safe: dropped and called anew after every read from the socket.
    fn attention(&mut self) -> impl Future<Output = Attention> + Send;
}

/// What an [`Outlet`] may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// What was gathered is old enough to be flushed.
    Due,
    /// Somebody ended this publisher.
    Cut(Cut),
}

/// An encoder asks to publish.
#[derive(Debug)]
pub struct PublishRequest {
    /// The application of the `connect` command, already checked: query and slashes are gone.
    pub app: String,
    /// The stream name, which is the stream key, as it came: blanks around it are the gate's to forgive.
    pub key: StreamName,
    pub from: SocketAddr,
    /// What the encoder calls itself (`flashVer`), printable and at most 80 characters; empty when it did not say.
    pub encoder: String,
}

impl TurnedAway {
    /// Somebody at that address, of whom nothing is known.
    pub(crate) fn by(from: SocketAddr) -> Self {
        let (encoder, detail) = Default::default();
        Self { from, encoder, room: None, why: Mishap::Protocol, detail, revoked: None }
    }
}

/// A player asks to watch.
#[derive(Debug)]
pub struct PlayRequest {
    /// The room's slug, and behind a `?` what lets the player in.
    pub name: StreamName,
    pub from: SocketAddr,
    /// What the player calls itself, as for [`PublishRequest::encoder`].
    pub program: String,
}

/// Why a [`Gate`] lets somebody not watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayRefusal {
    NoRoom,
    NotLive,
    /// Too many streams are being watched from that address.
    TooMany,
    /// The server cannot decide now.
    Unavailable,
}

/// The stream name of a publish or play command. It is a secret: there is no `Display`, and `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamName(String);

impl StreamName {
    pub(crate) fn new(name: String) -> Self {
        Self(name)
    }

    /// The name itself. Not for logs, errors or answers.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("StreamName(…)")
    }
}

/// Why a [`Gate`] says no. The words for the encoder are made here, so none of it can carry a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not of the shape of a stream key.
    NotAKey,
    /// No room has this key.
    UnknownKey,
    /// The key was valid until then.
    Revoked { at: UnixMillis, room: RoomId },
    /// The room's owner, or where it comes from, is banned from the site.
    Banned,
    /// The server cannot decide now; the same key may work in a moment.
    Unavailable,
}

impl Refusal {
    /// Whether it counts towards the lock on wrong keys.
    pub(crate) fn is_wrong_key(self) -> bool {
        !matches!(self, Self::Unavailable | Self::Banned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_does_not_show_itself() {
        let request = PublishRequest {
            app: "live".into(),
            key: StreamName::new("sk_secret".into()),
            from: SocketAddr::from(([127, 0, 0, 1], 1)),
            encoder: "OBS".into(),
        };
        let shown = format!("{request:?} {request:#?}");
        assert!(shown.contains("StreamName(…)"));
        assert!(!shown.contains("secret"));
    }
}
