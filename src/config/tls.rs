//! `[tls]`: the certificate, and what follows from having one.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The certificate, and what follows from having one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// A file with the certificate and those that lead to its authority, in PEM form; empty is no TLS.
    pub certificate: PathBuf,
    /// The file with its private key, in PEM form.
    pub key: PathBuf,
    /// Whether plain HTTP is sent on to HTTPS.
    pub redirect: bool,
    /// How long browsers remember that this host is reached over HTTPS only, in seconds; 0 does not say so.
    pub hsts_s: u64,
}

impl Default for Tls {
    fn default() -> Self {
        // Half a year and a bit: what is asked of a site that means it.
        Self { certificate: PathBuf::new(), key: PathBuf::new(), redirect: false, hsts_s: 15_768_000 }
    }
}

impl Tls {
    /// Whether there is a certificate.
    pub fn is_on(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }

    /// What is wrong with it: the option and the words.
    pub(super) fn trouble(&self) -> Option<(&'static str, &'static str)> {
        if self.is_on() && self.key.as_os_str().is_empty() {
            return Some(("tls.key", "must name the certificate's private key"));
        }
        if !self.is_on() && !self.key.as_os_str().is_empty() {
            return Some(("tls.certificate", "must name the certificate that the key belongs to"));
        }
        (!self.is_on() && self.redirect)
            .then_some(("tls.redirect", "there is no HTTPS to redirect to without a certificate"))
    }
}

/// An address that may be left away, as an empty text.
pub(super) mod optional_address {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use std::net::SocketAddr;

    pub fn serialize<S: Serializer>(address: &Option<SocketAddr>, serializer: S) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => serializer.collect_str(address),
            None => serializer.serialize_str(""),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| D::Error::custom("must be like 0.0.0.0:1936, or empty")),
        }
    }
}
