//! A certificate from an authority that asks over TLS whether the names are ours: ACME (RFC 8555) with TLS-ALPN-01 (RFC 8737).
//!
//! The authority connects to port 443 of each name. Nothing else is needed: no file in a web root, no change of DNS.

mod order;
mod store;

use super::{Certificate, TlsError, Validity};
use crate::{Shutdown, config::Tls};
use order::Authority;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use store::{Issued, Store};
use tokio::time::timeout;

/// Whether a renewal is due is looked at least this often, for clocks are set and machines sleep.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// An order that takes longer has failed.
const ORDER_MAX: Duration = Duration::from_secs(5 * 60);
/// After a failure it is tried again so much later, then twice as late each time: Let's Encrypt counts five failures an hour.
const RETRY_FIRST: Duration = Duration::from_secs(15 * 60);
const RETRY_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// Why there is no certificate, or no new one. None of the words hold a key.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    #[error("the authority cannot be asked, or says no: {}", chain(.0))]
    Protocol(#[from] instant_acme::Error),
    #[error("the authority offers no TLS-ALPN-01 for {name}")]
    NoChallenge { name: String },
    #[error(
        "the authority does not find that {name} is ours: {why}; port 443 of that name must reach the https address of this server"
    )]
    Refused { name: String, why: String },
    #[error("the authority took more than {} s", ORDER_MAX.as_secs())]
    TooLong,
    #[error("the answer to the authority cannot be made: {0}")]
    Answer(#[from] rcgen::Error),
    #[error("what the authority gave cannot be used: {0}")]
    Unusable(#[from] TlsError),
    #[error("{} cannot be kept or read: {source}", path.display())]
    Store { path: PathBuf, source: std::io::Error },
}

/// An error and what caused it, for HTTP's own words say no more than that it failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

/// Gets certificates and has them renewed.
pub struct Acme {
    authority: Authority,
    store: Store,
    in_force: Arc<Certificate>,
    /// Of the certificate in force.
    validity: Option<Validity>,
}

impl Acme {
    /// Takes up the certificate that an earlier run has kept in `data`, if there is one for these names.
    ///
    /// # Errors
    /// [`TlsError::Acme`]; the folder cannot be used.
    pub fn open(config: &Tls, data: &Path) -> Result<(Arc<Certificate>, Self), TlsError> {
        let store = Store::open(data, &config.acme_directory, &config.acme_domains)?;
        let in_force = Arc::new(Certificate::default());
        let authority = Authority::new(config, Arc::clone(&in_force));
        let mut this = Self { authority, store, in_force: Arc::clone(&in_force), validity: None };
        match this.store.certificate() {
            Ok(Some(issued)) => {
                if let Err(why) = this.take(&issued) {
                    tracing::warn!(%why, "the certificate that was kept cannot be used: a new one is asked for");
                }
            }
            Ok(None) => {}
            Err(why) => tracing::warn!(%why, "a new certificate is asked for"),
        }
        Ok((in_force, this))
    }

    /// How long the certificate that was kept holds; `None` where there is none.
    ///
    /// # Errors
    /// [`TlsError`]; the folder cannot be used.
    pub fn kept(config: &Tls, data: &Path) -> Result<Option<Validity>, TlsError> {
        Ok(Self::open(config, data)?.1.validity)
    }

    /// Has the certificate renewed whenever it is time, until `shutdown`.
    pub async fn keep(mut self, mut shutdown: Shutdown) {
        let mut retry = RETRY_FIRST;
        loop {
            let due = self.validity.map_or(Duration::ZERO, |validity| {
                validity.renew().duration_since(SystemTime::now()).unwrap_or_default()
            });
            let wait = if due.is_zero() {
                tokio::select! {
                    renewed = self.renew() => match renewed {
                        Ok(()) => {
                            retry = RETRY_FIRST;
                            continue;
                        }
                        Err(why) => {
                            let minutes = retry.as_secs() / 60;
                            match self.validity.map(|validity| validity.left(SystemTime::now()).as_secs() / 3_600) {
                                None => tracing::error!(%why, minutes, "no certificate was obtained, so HTTPS does not work; it is tried again later"),
                                Some(hours_left) => tracing::warn!(%why, minutes, hours_left, "the certificate was not renewed; it is tried again later"),
                            }
                            let wait = retry;
                            retry = (retry * 2).min(RETRY_MAX);
                            wait
                        }
                    },
                    () = shutdown.requested() => return,
                }
            } else {
                due.min(LOOK_EVERY)
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.requested() => return,
            }
        }
    }

    async fn renew(&mut self) -> Result<(), AcmeError> {
        let issued = timeout(ORDER_MAX, self.authority.order(&self.store)).await.unwrap_or(Err(AcmeError::TooLong))?;
        self.take(&issued)?;
        metrics::counter!("madang_acme_certificates_total").increment(1);
        tracing::info!("a new certificate was obtained: new connections get it");
        // What is not kept is asked for again at the next start; that is no reason not to use it now.
        if let Err(why) = self.store.keep(&issued) {
            tracing::warn!(%why, "the new certificate is in force, but not kept");
        }
        Ok(())
    }

    fn take(&mut self, issued: &Issued) -> Result<(), TlsError> {
        let key =
            super::files::pair(issued.chain.as_bytes(), issued.key.as_bytes(), &self.store.file(), &self.store.file())?;
        let validity = key.cert.first().and_then(|leaf| Validity::of(leaf));
        let validity = validity.ok_or_else(|| TlsError::NoCertificate { path: self.store.file() })?;
        self.in_force.replace(key);
        self.validity = Some(validity);
        Ok(())
    }
}
