//! TLS for the web and for encoders: one certificate, and the settings made of it. The certificate comes from files that are looked at
//! again and again ([`files`]), or from an authority that gives it by itself ([`acme`]).
//!
//! The cryptography is ring's: it needs a C compiler and nothing else. What comes of a connection is `deliver`'s and `rtmp`'s matter.

pub mod acme;
mod certificate;
pub mod files;
mod validity;

pub use certificate::{ACME_TLS, Certificate};
pub use validity::Validity;

use crate::{Shutdown, config::Tls};
use acme::Acme;
use files::Files;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, ServerConfig, crypto, pki_types::pem},
};

/// What the web offers by ALPN (RFC 7301), the best first; the last is for the authority only.
const WEB_PROTOCOLS: [&[u8]; 3] = [HTTP2, b"http/1.1", ACME_TLS];
/// HTTP/2 as ALPN names it (RFC 9113 §3.2).
pub const HTTP2: &[u8] = b"h2";

/// Why a certificate cannot be used. None of the words hold a key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is longer than a certificate or a key can be", path.display())]
    TooLong { path: PathBuf },
    #[error("{} holds no certificate in PEM form", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} holds no private key in PEM form: {source}", path.display())]
    NoKey { path: PathBuf, source: pem::Error },
    #[error("the certificate in {} and the key in {} cannot be used together: {source}", certificate.display(), key.display())]
    Pair { certificate: PathBuf, key: PathBuf, source: rustls::Error },
    #[error("TLS cannot be set up: {0}")]
    Settings(rustls::Error),
    #[error(transparent)]
    Acme(Box<acme::AcmeError>),
}

/// Put beside each request that came over our own TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverTls;

/// What has the certificate renewed.
pub enum Keeper {
    Files(Files),
    Acme(Box<Acme>),
}

impl Keeper {
    /// The certificate that is configured; `data` is the data directory.
    ///
    /// # Errors
    /// [`TlsError`]; there are files and they cannot be used. An authority is asked later, by [`Keeper::keep`].
    pub fn open(config: &Tls, data: &Path) -> Result<(Arc<Certificate>, Self), TlsError> {
        if config.is_automatic() {
            let (certificate, acme) = Acme::open(config, data)?;
            return Ok((certificate, Self::Acme(Box::new(acme))));
        }
        let (certificate, files) = Files::open(&config.certificate, &config.key)?;
        Ok((certificate, Self::Files(files)))
    }

    /// Works until `shutdown`.
    pub async fn keep(self, shutdown: Shutdown) {
        match self {
            Self::Files(files) => files.keep(shutdown).await,
            Self::Acme(acme) => acme.keep(shutdown).await,
        }
    }
}

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
