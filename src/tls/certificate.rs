//! The certificate that connections are given, wherever it comes from.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};
use tokio_rustls::rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// By this an authority asks for the answer to its challenge (RFC 8737 §3).
pub const ACME_TLS: &[u8] = b"acme-tls/1";

/// The certificate in force, and the answers to an authority that asks whether names are ours. Connections that stand keep what they
/// began with.
///
/// The kind of lock: a `std` one for one clone of an `Arc` a handshake, written when a certificate is new.
#[derive(Default)]
pub struct Certificate {
    in_force: RwLock<Option<Arc<CertifiedKey>>>,
    answers: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate(…)")
    }
}

impl Certificate {
    /// New connections get this one.
    pub fn replace(&self, new: CertifiedKey) {
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(new));
    }

    /// The certificate itself, in DER form; `None` before there is one.
    pub fn leaf(&self) -> Option<Vec<u8>> {
        let in_force = self.in_force.read().unwrap_or_else(PoisonError::into_inner);
        in_force.as_ref().and_then(|key| key.cert.first()).map(|leaf| leaf.to_vec())
    }

    /// Answers an authority that asks for `name`, until what is given is dropped.
    pub fn answer(self: &Arc<Self>, name: String, with: CertifiedKey) -> Answer {
        self.answers.write().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), Arc::new(with));
        Answer { certificate: Arc::clone(self), name }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // An authority names this and nothing else (RFC 8737 §3).
        if hello.alpn().is_some_and(|protocols| protocols.eq([ACME_TLS])) {
            let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
            return answers.get(hello.server_name()?).cloned();
        }
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An answer that stands while this does.
pub struct Answer {
    certificate: Arc<Certificate>,
    name: String,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.certificate.answers.write().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}
