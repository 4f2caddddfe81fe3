//! The acceptor of the HTTPS listener: what [`MediaAcceptor`] does, and the TLS handshake. A connection over HTTP/2 it serves itself.

use super::{
    acceptor::{ConnectionSeat, MediaAcceptor},
    deadline::DeadlineIo,
    http2,
    line::{Line, Progress},
};
use crate::{
    Shutdown,
    tls::{ACME_TLS, HTTP2, OverTls},
};
use axum::{Extension, middleware::AddExtension, response::Response};
use axum_server::accept::Accept;
use http::Request;
use hyper::body::Incoming;
use metrics::{Counter, counter, describe_counter};
use std::{convert::Infallible, io, pin::Pin, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::{Layer, Service};

/// Connections count together with those of the acceptor it was made of. Handshakes happen each in its own task.
#[derive(Clone)]
pub struct TlsMediaAcceptor {
    plain: MediaAcceptor,
    tls: TlsAcceptor,
    /// Time for the handshake; a peer that says nothing holds its seat for so long.
    handshake: Duration,
    shutdown: Shutdown,
    failed: Counter,
}

impl TlsMediaAcceptor {
    pub fn new(plain: MediaAcceptor, tls: TlsAcceptor, shutdown: Shutdown) -> Self {
        describe_counter!(
            "madang_tls_failed_handshakes_total",
            "HTTPS connections that ended before they were encrypted"
        );
        let handshake = plain.deadlines().opening;
        Self { plain, tls, handshake, shutdown, failed: counter!("madang_tls_failed_handshakes_total") }
    }

    /// The connection, and whether HTTP/2 was agreed on.
    async fn shake_hands(&self, stream: TcpStream) -> io::Result<(HttpsStream, bool)> {
        let seat = self.plain.admit(&stream)?;
        let line = Line::new(stream, self.plain.found_anew());
        let shaken = match timeout(self.handshake, self.tls.accept(line)).await {
            Ok(shaken) => shaken,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long")),
        };
        let stream = shaken.inspect_err(|error| {
            self.failed.increment(1);
            tracing::debug!(%error, "a TLS handshake failed");
        })?;
        let protocol = stream.get_ref().1.alpn_protocol();
        if protocol == Some(ACME_TLS) {
            // The authority has seen what it wanted, and nothing else may be said (RFC 8737 §3).
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "an authority's look at its answer"));
        }
        let http2 = protocol == Some(HTTP2);
        let stream = DeadlineIo::new(stream, self.plain.deadlines(), seat);
        Ok((if http2 { stream.http2() } else { stream }, http2))
    }
}

/// A connection of the HTTPS listener. The deadlines stand outside the encryption: what they see taken may wait in rustls' buffer, which
/// is bounded, and a socket that takes nothing fills it at once. [`Progress`] counts what the socket takes.
pub type HttpsStream = DeadlineIo<TlsStream<Line>, ConnectionSeat>;

impl<S> Accept<TcpStream, S> for TlsMediaAcceptor
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Stream = HttpsStream;
    /// Each request carries its connection's [`Progress`], and that it came over TLS.
    type Service = AddExtension<AddExtension<S, Progress>, OverTls>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let acceptor = self.clone();
        Box::pin(async move {
            let (stream, http2) = acceptor.shake_hands(stream).await?;
            let progress = stream.get_ref().get_ref().0.progress();
            let service = Extension(OverTls).layer(Extension(progress).layer(service));
            if http2 {
                http2::serve(stream, service, acceptor.plain.deadlines().stalled, acceptor.shutdown).await;
                // The listener has nothing left to serve.
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Ok((stream, service))
        })
    }
}
