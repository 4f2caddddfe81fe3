//! The acceptor of the HTTPS listener: what [`MediaAcceptor`] does, and the TLS handshake.

use super::{
    acceptor::{ConnectionSeat, MediaAcceptor},
    deadline::{DeadlineIo, Progress},
};
use crate::tls::{HTTP2, OverTls};
use axum::{Extension, middleware::AddExtension};
use axum_server::accept::Accept;
use metrics::{Counter, counter, describe_counter};
use std::{io, pin::Pin, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::Layer;

/// Connections count together with those of the acceptor it was made of. Handshakes happen each in its own task.
#[derive(Clone)]
pub struct TlsMediaAcceptor {
    plain: MediaAcceptor,
    tls: TlsAcceptor,
    /// Time for the handshake; a peer that says nothing holds its seat for so long.
    handshake: Duration,
    failed: Counter,
}

impl TlsMediaAcceptor {
    pub fn new(plain: MediaAcceptor, tls: TlsAcceptor) -> Self {
        describe_counter!(
            "madang_tls_failed_handshakes_total",
            "HTTPS connections that ended before they were encrypted"
        );
        let handshake = plain.deadlines().opening;
        Self { plain, tls, handshake, failed: counter!("madang_tls_failed_handshakes_total") }
    }

    async fn shake_hands(self, stream: TcpStream) -> io::Result<HttpsStream> {
        let seat = self.plain.admit(&stream)?;
        let shaken = match timeout(self.handshake, self.tls.accept(stream)).await {
            Ok(shaken) => shaken,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long")),
        };
        let stream = shaken.inspect_err(|error| {
            self.failed.increment(1);
            tracing::debug!(%error, "a TLS handshake failed");
        })?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        let stream = DeadlineIo::new(stream, self.plain.deadlines(), seat);
        Ok(if http2 { stream.http2() } else { stream })
    }
}

/// A connection of the HTTPS listener. The deadlines stand outside the encryption: what they see taken may wait in rustls' buffer, which
/// is bounded, and a socket that takes nothing fills it at once.
pub type HttpsStream = DeadlineIo<TlsStream<TcpStream>, ConnectionSeat>;

impl<S: Send + 'static> Accept<TcpStream, S> for TlsMediaAcceptor {
    type Stream = HttpsStream;
    /// Each request carries its connection's [`Progress`], and that it came over TLS.
    type Service = AddExtension<AddExtension<S, Progress>, OverTls>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let acceptor = self.clone();
        Box::pin(async move {
            let stream = acceptor.shake_hands(stream).await?;
            let service = Extension(OverTls).layer(Extension(stream.progress()).layer(service));
            Ok((stream, service))
        })
    }
}
