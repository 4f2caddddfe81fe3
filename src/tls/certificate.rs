//! The certificate and its key, from files that somebody else renews.

use crate::Shutdown;
use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::time::MissedTickBehavior;
use tokio_rustls::rustls::{
    self,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// The files are read again this often. New connections get a new certificate within twice that.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Longest file that is read, in bytes: long chains have some kilobytes.
const FILE_MAX: u64 = 1024 * 1024;

/// Why a certificate cannot be used.
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
}

/// What the two files held when they were last read.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The certificate in force. Connections that stand keep what they began with.
///
/// The kind of lock: a `std` one for one clone of an `Arc` a handshake, written when a file has changed.
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    in_force: RwLock<Arc<CertifiedKey>>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("certificate", &self.certificate).field("key", &self.key).finish()
    }
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`]; they cannot be read or used together.
    pub fn open(certificate: &Path, key: &Path) -> Result<(Arc<Self>, Keeper), TlsError> {
        let contents = read(certificate, key)?;
        let in_force = RwLock::new(Arc::new(parse(&contents, certificate, key)?));
        let this = Arc::new(Self { certificate: certificate.to_owned(), key: key.to_owned(), in_force });
        Ok((Arc::clone(&this), Keeper { certificate: this, seen: Ok(contents) }))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Looks whether the files have changed.
pub struct Keeper {
    certificate: Arc<Certificate>,
    /// What was found at the last look, so that each trouble is told once.
    seen: Result<Contents, String>,
}

impl Keeper {
    /// Follows the files until `shutdown`. What cannot be used is told in the log, and the old certificate stays.
    pub async fn keep(mut self, mut shutdown: Shutdown) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {
                    let looked = tokio::task::spawn_blocking(move || { self.look(); self }).await;
                    match looked {
                        Ok(keeper) => self = keeper,
                        Err(error) => return tracing::error!(%error, "the certificate's files are no longer looked at"),
                    }
                }
                () = shutdown.requested() => return,
            }
        }
    }

    fn look(&mut self) {
        let this = &self.certificate;
        let found = read(&this.certificate, &this.key).map_err(|error| error.to_string());
        if found == self.seen {
            return;
        }
        let parsed = match &found {
            Ok(contents) => parse(contents, &this.certificate, &this.key).map_err(|error| error.to_string()),
            Err(why) => Err(why.clone()),
        };
        match parsed {
            Ok(new) => {
                *this.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                tracing::info!(file = %this.certificate.display(), "the certificate has changed: new connections get the new one");
            }
            Err(why) => tracing::warn!(%why, "the new certificate cannot be used: the old one stays in force"),
        }
        self.seen = found;
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Contents, TlsError> {
    Ok(Contents { certificate: read_file(certificate)?, key: read_file(key)? })
}

fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes))
        .map_err(|source| TlsError::Read { path: path.to_owned(), source })?;
    if bytes.len() as u64 > FILE_MAX { Err(TlsError::TooLong { path: path.to_owned() }) } else { Ok(bytes) }
}

fn parse(contents: &Contents, certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let none = || TlsError::NoCertificate { path: certificate.to_owned() };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&contents.certificate).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(none)?;
    let private = PrivateKeyDer::from_pem_slice(&contents.key)
        .map_err(|source| TlsError::NoKey { path: key.to_owned(), source })?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|source| TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new certificate and its key, in PEM form.
    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn in_force(certificate: &Certificate) -> Vec<u8> {
        certificate.in_force.read().expect("no panic").cert[0].to_vec()
    }

    #[test]
    fn what_cannot_be_used_leaves_the_old_certificate_in_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, key_file) = (folder.path().join("a.pem"), folder.path().join("a.key"));
        let (first, first_key) = pair();
        std::fs::write(&file, first).expect("written");
        std::fs::write(&key_file, &first_key).expect("written");
        let (certificate, mut keeper) = Certificate::open(&file, &key_file).expect("usable");
        let old = in_force(&certificate);
        let (second, second_key) = pair();
        for broken in [&second[..], "junk", ""] {
            std::fs::write(&file, broken).expect("written");
            keeper.look();
            assert_eq!(in_force(&certificate), old, "{broken}");
        }
        std::fs::remove_file(&file).expect("it was there");
        keeper.look();
        assert_eq!(in_force(&certificate), old);
        std::fs::write(&file, second).expect("written");
        std::fs::write(&key_file, second_key).expect("written");
        keeper.look();
        assert_ne!(in_force(&certificate), old);
    }

    #[test]
    fn what_is_wrong_at_the_start_is_named_without_the_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, key_file) = (folder.path().join("a.pem"), folder.path().join("a.key"));
        let why = || Certificate::open(&file, &key_file).map(drop).expect_err("unusable").to_string();
        assert!(why().contains("a.pem"));
        let ((certificate, _), (_, other_key)) = (pair(), pair());
        std::fs::write(&file, "no certificate").expect("written");
        std::fs::write(&key_file, &other_key).expect("written");
        assert!(why().contains("no certificate"));
        std::fs::write(&file, certificate).expect("written");
        let words = why();
        assert!(words.contains("together"), "{words}");
        assert!(other_key.lines().all(|line| !words.contains(line)));
    }
}
