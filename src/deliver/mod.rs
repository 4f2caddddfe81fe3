//! Media to viewers: `GET /live/{slug}.flv`, over HTTP or a WebSocket, the same shared bytes for everyone; what RTMP players are given
//! ([`Deliver::program`]); and `/live/{slug}.mp4`, a still.
//!
//! The handler finds the room and joins it; hyper then asks the body for what comes next, and is handed references to the ring's
//! flights. [`acceptor`] has what has to be done at the socket: options, limits, and the deadline for viewers that take nothing.
//! These routes stand outside every layer: nothing may buffer, compress or time out between the ring and the socket.

pub mod acceptor;
mod body;
mod deadline;
mod flv;
mod http2;
mod program;
mod rooms;
mod socket;
mod still;
#[cfg(test)]
mod tests;
mod tls_acceptor;

pub use acceptor::{AcceptorLimits, HttpStream, MediaAcceptor};
pub use deadline::{DeadlineIo, Deadlines, Progress};
pub use rooms::{Asked, FoundRoom, NotPlayed, Play, Rooms};
pub use tls_acceptor::TlsMediaAcceptor;

use crate::{
    addresses::{AddressLimit, AddressSeat, Bound},
    live::{Live, NotLive, Subscriber},
};
use axum::{Router, http::HeaderMap, routing::get};
use futures_util::future::BoxFuture;
use madang_protocol::PersonId;
use metrics::{Counter, counter, describe_counter};
use std::{net::IpAddr, sync::Arc};

/// How the address that limits count is made from the peer's and the request's headers.
pub type AddressOf = Arc<dyn Fn(IpAddr, &HeaderMap) -> IpAddr + Send + Sync>;

/// Whose signed cookie a request carries.
pub type PersonOf = Arc<dyn Fn(&HeaderMap) -> Option<PersonId> + Send + Sync>;

/// Who asks for a preview, which only a room's owner has.
pub type OwnerOf = Arc<dyn Fn(&HeaderMap) -> BoxFuture<'static, Option<PersonId>> + Send + Sync>;

/// Answers without an end that one browser may have over HTTP/1.1. It has six connections to a site, and pages want some of them; further
/// streams go over WebSockets, which it has many more of.
const ANSWERS_PER_BROWSER: usize = 4;

/// Whether a request comes from a page of this site, or from no page.
pub type IsOwn = Arc<dyn Fn(&HeaderMap) -> bool + Send + Sync>;

/// What the media routes need.
pub struct Deliver {
    live: Arc<Live>,
    rooms: Arc<dyn Rooms>,
    viewers: AddressLimit,
    answers: Bound<PersonId>,
    address_of: AddressOf,
    person_of: PersonOf,
    owner_of: OwnerOf,
    is_own: IsOwn,
    delivered_bytes: Counter,
    stills: still::Stills,
}

impl Deliver {
    /// `viewers_per_address` streams may be watched at once from one address; 0 is no limit. Metrics go to the recorder that is
    /// installed now.
    pub fn new(
        live: Arc<Live>,
        rooms: Arc<dyn Rooms>,
        viewers_per_address: usize,
        address_of: AddressOf,
        person_of: PersonOf,
        owner_of: OwnerOf,
        is_own: IsOwn,
    ) -> Arc<Self> {
        describe_counter!(
            "madang_deliver_bytes_total",
            metrics::Unit::Bytes,
            "FLV bytes handed to viewers' connections"
        );
        Arc::new(Self {
            live,
            rooms,
            viewers: AddressLimit::new(viewers_per_address),
            answers: Bound::new(ANSWERS_PER_BROWSER),
            address_of,
            person_of,
            owner_of,
            is_own,
            delivered_bytes: counter!("madang_deliver_bytes_total"),
            stills: still::Stills::default(),
        })
    }
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    /// Too many streams are being watched from that address.
    TooMany,
    NotLive(NotLive),
}

impl Deliver {
    /// A place among those who watch a room, whatever they watch it over.
    fn enter(&self, room: FoundRoom, address: Option<IpAddr>) -> Result<(Subscriber, Option<AddressSeat>), Closed> {
        let seat = address.map(|address| self.viewers.take(address).ok_or(Closed::TooMany)).transpose()?;
        let subscriber = self.live.subscribe(room.id).map_err(Closed::NotLive)?;
        Ok((subscriber, seat))
    }
}

/// `GET`, `HEAD` and `OPTIONS` of `/live/{slug}.flv` and `/live/{slug}.mp4`. Serve it with connection information
/// (`into_make_service_with_connect_info::<SocketAddr>`), or nobody is counted.
pub fn routes<S: Clone + Send + Sync + 'static>(deliver: Arc<Deliver>) -> Router<S> {
    Router::new().route("/live/{file}", get(flv::watch).head(flv::ask).options(flv::preflight)).with_state(deliver)
}
