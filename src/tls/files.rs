//! The certificate and its key from files that somebody else renews.

use super::{Certificate, TlsError};
use crate::Shutdown;
use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::MissedTickBehavior;
use tokio_rustls::rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

/// The files are read again this often. New connections get a new certificate within twice that.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Longest file that is read, in bytes: long chains have some kilobytes.
const FILE_MAX: u64 = 1024 * 1024;

/// What the two files held when they were last read.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The two files, and what was found there.
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
    in_force: Arc<Certificate>,
    /// What was found at the last look, so that each trouble is told once.
    seen: Result<Contents, String>,
}

impl Files {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`]; they cannot be read or used together.
    pub fn open(certificate: &Path, key: &Path) -> Result<(Arc<Certificate>, Self), TlsError> {
        let contents = read(certificate, key)?;
        let in_force = Arc::new(Certificate::default());
        in_force.replace(parse(&contents, certificate, key)?);
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Ok((Arc::clone(&in_force), Self { certificate, key, in_force, seen: Ok(contents) }))
    }

    /// Follows the files until `shutdown`. What cannot be used is told in the log, and the old certificate stays.
    pub async fn keep(mut self, mut shutdown: Shutdown) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {
                    let looked = tokio::task::spawn_blocking(move || { self.look(); self }).await;
                    match looked {
                        Ok(files) => self = files,
                        Err(error) => return tracing::error!(%error, "the certificate's files are no longer looked at"),
                    }
                }
                () = shutdown.requested() => return,
            }
        }
    }

    fn look(&mut self) {
        let found = read(&self.certificate, &self.key).map_err(|error| error.to_string());
        if found == self.seen {
            return;
        }
        let parsed = match &found {
            Ok(contents) => parse(contents, &self.certificate, &self.key).map_err(|error| error.to_string()),
            Err(why) => Err(why.clone()),
        };
        match parsed {
            Ok(new) => {
                self.in_force.replace(new);
                tracing::info!(file = %self.certificate.display(), "the certificate has changed: new connections get the new one");
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
    pair(&contents.certificate, &contents.key, certificate, key)
}

/// A certificate with its key, both in PEM form; the paths are where they come from.
pub(super) fn pair(chain: &[u8], private: &[u8], certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let none = || TlsError::NoCertificate { path: certificate.to_owned() };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(none)?;
    let private =
        PrivateKeyDer::from_pem_slice(private).map_err(|source| TlsError::NoKey { path: key.to_owned(), source })?;
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
        certificate.leaf().expect("there is one")
    }

    #[test]
    fn what_cannot_be_used_leaves_the_old_certificate_in_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, key_file) = (folder.path().join("a.pem"), folder.path().join("a.key"));
        let (first, first_key) = pair();
        std::fs::write(&file, first).expect("written");
        std::fs::write(&key_file, &first_key).expect("written");
        let (certificate, mut files) = Files::open(&file, &key_file).expect("usable");
        let old = in_force(&certificate);
        let (second, second_key) = pair();
        for broken in [&second[..], "junk", ""] {
            std::fs::write(&file, broken).expect("written");
            files.look();
            assert_eq!(in_force(&certificate), old, "{broken}");
        }
        std::fs::remove_file(&file).expect("it was there");
        files.look();
        assert_eq!(in_force(&certificate), old);
        std::fs::write(&file, second).expect("written");
        std::fs::write(&key_file, second_key).expect("written");
        files.look();
        assert_ne!(in_force(&certificate), old);
    }

    #[test]
    fn what_is_wrong_at_the_start_is_named_without_the_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, key_file) = (folder.path().join("a.pem"), folder.path().join("a.key"));
        let why = || Files::open(&file, &key_file).map(drop).expect_err("unusable").to_string();
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
