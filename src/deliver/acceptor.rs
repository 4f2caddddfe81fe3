//! What is done to a connection before the first byte: socket options, limits, and the deadline for writes.

use super::{
    deadline::{DeadlineIo, Deadlines},
    direct,
    line::{Line, Progress},
};
use crate::{
    addresses::{AddressLimit, AddressSeat},
    config::Network,
};
use axum::{Extension, body::Body, http::Request, middleware::AddExtension, response::Response};
use axum_server::accept::Accept;
use metrics::{Counter, counter, describe_counter};
use std::{convert::Infallible, io, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower::{Layer, Service};

/// What a listener grants its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptorLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address; 0 is no limit.
    pub connections_per_address: usize,
    /// Addresses that count in all only: reverse proxies, behind which there is everybody.
    pub proxies: Vec<Network>,
    /// Time to say enough to be taken for HTTP; hyper's own deadline for a request's head begins only then.
    pub opening: Duration,
    /// A connection that takes no byte for this long, while there are bytes for it, is closed.
    pub stalled: Duration,
    /// Bytes that the kernel may hold unsent for a connection; what it holds is delay that no skip can take back.
    /// (`TCP_NOTSENT_LOWAT`; no effect where the system has no such option.)
    pub unsent_bytes: u32,
}

impl Default for AcceptorLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_address: 256,
            proxies: Vec::new(),
            opening: Duration::from_secs(10),
            stalled: Duration::from_secs(30),
            unsent_bytes: 64 * 1024,
        }
    }
}

/// Given back when the connection closes.
#[derive(Debug)]
pub struct ConnectionSeat {
    _permit: OwnedSemaphorePermit,
    _address: Option<AddressSeat>,
}

/// A connection of the HTTP listener.
pub type HttpStream = DeadlineIo<Line, ConnectionSeat>;

/// The acceptor of the HTTP listener. A connection over a limit is closed at once: an answer would cost what the limit saves.
#[derive(Clone, Debug)]
pub struct MediaAcceptor {
    connections: Arc<Semaphore>,
    addresses: AddressLimit,
    limits: AcceptorLimits,
    refused: Counter,
    found_anew: Counter,
}

impl MediaAcceptor {
    /// Metrics go to the recorder that is installed now.
    pub fn new(limits: AcceptorLimits) -> Self {
        describe_counter!("madang_http_refused_connections_total", "Connections closed because of a limit");
        describe_counter!(
            "madang_http_paces_found_anew_total",
            "Times that a live stream waited 0.2 s for its connection, which then measured its path from the start"
        );
        Self {
            connections: Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS))),
            addresses: AddressLimit::new(limits.connections_per_address),
            limits,
            refused: counter!("madang_http_refused_connections_total"),
            found_anew: counter!("madang_http_paces_found_anew_total"),
        }
    }

    /// Takes a seat for a connection and sets its socket's options.
    pub(super) fn admit(&self, stream: &TcpStream) -> io::Result<ConnectionSeat> {
        let peer = stream.peer_addr()?;
        let over = |what: &str| {
            self.refused.increment(1);
            tracing::debug!(%peer, "connection refused: too many {what}");
            io::Error::new(io::ErrorKind::ConnectionRefused, format!("too many {what}"))
        };
        let permit = self.connections.clone().try_acquire_owned().map_err(|_| over("connections"))?;
        let is_proxy = self.limits.proxies.iter().any(|proxy| proxy.contains(peer.ip()));
        let address = if is_proxy {
            None
        } else {
            Some(self.addresses.take(peer.ip()).ok_or_else(|| over("connections from this address"))?)
        };
        stream.set_nodelay(true)?;
        #[cfg(any(target_os = "android", target_os = "linux"))]
        socket2::SockRef::from(stream).set_tcp_notsent_lowat(self.limits.unsent_bytes)?;
        Ok(ConnectionSeat { _permit: permit, _address: address })
    }

    /// What [`Line::new`] is given.
    pub(super) fn found_anew(&self) -> Counter {
        self.found_anew.clone()
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.limits.connections.min(Semaphore::MAX_PERMITS).saturating_sub(self.connections.available_permits())
    }

    pub(super) const fn deadlines(&self) -> Deadlines {
        Deadlines { opening: self.limits.opening, stalled: self.limits.stalled }
    }
}

impl<S> Accept<TcpStream, S> for MediaAcceptor
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    type Stream = HttpStream;
    /// Each request carries its connection's [`Progress`].
    type Service = AddExtension<S, Progress>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let (admitted, deadlines, found_anew) = (self.admit(&stream), self.deadlines(), self.found_anew());
        Box::pin(async move {
            let seat = admitted?;
            let watches = direct::look(&stream, deadlines.opening).await?;
            let line = Line::new(stream, found_anew);
            let service = Extension(line.progress()).layer(service);
            let stream = DeadlineIo::new(line, deadlines, seat);
            let Some(question) = watches else { return Ok((stream, service)) };
            if let Err(error) = direct::serve(stream, question, service).await {
                tracing::debug!(%error, "a viewer's connection ended");
            }
            // The listener has nothing left to serve.
            Err(io::ErrorKind::ConnectionAborted.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use std::net::IpAddr;
    use tokio::{io::AsyncWriteExt as _, net::TcpListener};

    async fn accepted(listener: &TcpListener, acceptor: &MediaAcceptor) -> (TcpStream, io::Result<HttpStream>) {
        let address = listener.local_addr().expect("bound");
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let mut client = client.expect("connected");
        client.write_all(b"GET ").await.expect("is sent");
        let stream = acceptor.accept(server.expect("accepted").0, Router::new()).await.map(|(stream, _)| stream);
        (client, stream)
    }

    #[tokio::test]
    async fn sockets_get_their_options() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let acceptor = MediaAcceptor::new(AcceptorLimits { unsent_bytes: 32_768, ..AcceptorLimits::default() });
        let (_client, stream) = accepted(&listener, &acceptor).await;
        let stream = stream.expect("admitted");
        assert!(stream.get_ref().socket().nodelay().expect("readable"));
        #[cfg(target_os = "linux")]
        {
            let socket = socket2::SockRef::from(stream.get_ref().socket());
            assert_eq!(socket.tcp_notsent_lowat().expect("readable"), 32_768);
        }
        assert!(tokio::io::AsyncWrite::is_write_vectored(&stream));
    }

    #[tokio::test]
    async fn connections_are_counted_in_all_and_by_address_until_they_close() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        for limits in [
            AcceptorLimits { connections: 2, connections_per_address: 0, ..AcceptorLimits::default() },
            AcceptorLimits { connections_per_address: 2, ..AcceptorLimits::default() },
        ] {
            let acceptor = MediaAcceptor::new(limits);
            let one = accepted(&listener, &acceptor).await;
            let two = accepted(&listener, &acceptor).await;
            assert!(one.1.is_ok() && two.1.is_ok());
            let three = accepted(&listener, &acceptor).await;
            assert_eq!(three.1.err().map(|error| error.kind()), Some(io::ErrorKind::ConnectionRefused));
            assert_eq!(acceptor.open(), 2);
            drop(one);
            assert_eq!(acceptor.open(), 1);
            assert!(accepted(&listener, &acceptor).await.1.is_ok());
        }
    }

    #[tokio::test]
    async fn a_proxy_is_not_one_person() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxies = vec![IpAddr::from([127, 0, 0, 1]).into()];
        let limits = AcceptorLimits { connections_per_address: 1, proxies, ..AcceptorLimits::default() };
        let acceptor = MediaAcceptor::new(limits);
        let (one, two) = (accepted(&listener, &acceptor).await, accepted(&listener, &acceptor).await);
        assert!(one.1.is_ok() && two.1.is_ok());
    }
}
