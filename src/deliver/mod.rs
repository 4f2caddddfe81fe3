//! Media to viewers: `GET /live/{slug}.flv`, over HTTP or a WebSocket, the same shared bytes for everyone; what RTMP players are given
//! ([`Deliver::program`]); and `/live/{slug}.mp4`, a still.
//!
//! The handler finds the room and joins it; hyper, or over plain HTTP [`direct`], then asks the body for what comes next, and is handed
//! references to the ring's flights. [`acceptor`] has what has to be done at the socket: options, limits, and the deadline for viewers that take nothing; [`line`] keeps a stream's pace.
//! These routes stand outside every layer: nothing may buffer, compress or time out between the ring and the socket.

pub mod acceptor;
mod body;
mod deadline;
mod direct;
mod flv;
mod http2;
mod line;
mod program;
mod reception;
mod socket;
mod still;
#[cfg(test)]
mod tests;
mod tls_acceptor;

pub use acceptor::{AcceptorLimits, HttpStream, MediaAcceptor};
pub use deadline::{DeadlineIo, Deadlines};
pub use line::{Progress, has_bbr};
pub use reception::{Asked, FoundRoom, NotPlayed, Play, Reception, browser_of};
pub use tls_acceptor::TlsMediaAcceptor;

use crate::{
    addresses::{AddressLimit, AddressSeat, Bound},
    live::{Live, NotLive, Subscriber},
};
use axum::{Router, routing::get};
use madang_protocol::PersonId;
use metrics::{Counter, counter, describe_counter};
use std::{net::IpAddr, sync::Arc};

/// What the media routes need.
pub struct Deliver {
    live: Arc<Live>,
    reception: Arc<dyn Reception>,
    viewers: AddressLimit,
    answers: Bound<PersonId>,
    delivered_bytes: Counter,
    stills: still::Stills,
}

impl Deliver {
    /// `viewers_per_address` streams may be watched at once from one address, and one browser may have `answers_per_browser` of them as
    /// answers over HTTP/1.1: it has six connections to a site, and pages want some; further streams go over WebSockets. 0 is no limit.
    /// Metrics go to the recorder that is installed now.
    pub fn new(
        live: Arc<Live>,
        reception: Arc<dyn Reception>,
        viewers_per_address: usize,
        answers_per_browser: usize,
    ) -> Arc<Self> {
        describe_counter!(
            "madang_deliver_bytes_total",
            metrics::Unit::Bytes,
            "FLV bytes handed to viewers' connections"
        );
        Arc::new(Self {
            live,
            reception,
            viewers: AddressLimit::new(viewers_per_address),
            answers: Bound::new(answers_per_browser),
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
