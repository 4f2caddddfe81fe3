//! TLS for the web and for encoders: one certificate from files, looked at again and again, and the settings made of it.
//!
//! The cryptography is ring's: it needs a C compiler and nothing else. What comes of a connection is `deliver`'s and `rtmp`'s matter.

mod certificate;

pub use certificate::{Certificate, Keeper, TlsError};

use std::sync::Arc;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto},
};

/// What the web offers by ALPN (RFC 7301), the best first.
const WEB_PROTOCOLS: [&[u8]; 2] = [HTTP2, b"http/1.1"];
/// HTTP/2 as ALPN names it (RFC 9113 §3.2).
pub const HTTP2: &[u8] = b"h2";

/// Put beside each request that came over our own TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverTls;

/// For HTTPS: HTTP/2 where the browser can, HTTP/1.1 otherwise.
///
/// # Errors
/// [`TlsError::Settings`]; the build's cryptography lacks something.
pub fn web(certificate: &Arc<Certificate>) -> Result<TlsAcceptor, TlsError> {
    acceptor(certificate, &WEB_PROTOCOLS)
}

/// For RTMPS, which names no protocol.
///
/// # Errors
/// As [`web`].
pub fn encoders(certificate: &Arc<Certificate>) -> Result<TlsAcceptor, TlsError> {
    acceptor(certificate, &[])
}

fn acceptor(certificate: &Arc<Certificate>, protocols: &[&[u8]]) -> Result<TlsAcceptor, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Settings)?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::<Certificate>::clone(certificate));
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}
