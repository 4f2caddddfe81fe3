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
    /// Names for which an authority gives a certificate by itself (ACME, TLS-ALPN-01); none is that it does not.
    pub acme_domains: Vec<String>,
    /// An e-mail address that the authority may write to; empty for none.
    pub acme_contact: String,
    /// Where the authority says what it can do (RFC 8555 §7.1.1).
    pub acme_directory: String,
    /// A file with the root that the authority's own certificate leads to, in PEM form; empty takes the system's roots.
    pub acme_root: PathBuf,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            redirect: false,
            hsts_s: 365 * 24 * 60 * 60,
            acme_domains: Vec::new(),
            acme_contact: String::new(),
            acme_directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            acme_root: PathBuf::new(),
        }
    }
}

impl Tls {
    /// Whether there is a certificate, or is to be one.
    pub fn is_on(&self) -> bool {
        self.is_automatic() || self.has_files()
    }

    /// Whether an authority gives the certificate by itself.
    pub fn is_automatic(&self) -> bool {
        !self.acme_domains.is_empty()
    }

    fn has_files(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }

    /// What is wrong with it: the option and the words.
    pub(super) fn trouble(&self) -> Option<(&'static str, &'static str)> {
        if self.is_automatic() && self.has_files() {
            return Some(("tls.acme_domains", "there is a certificate in files already: choose one of the two"));
        }
        if self.acme_domains.iter().any(|name| !is_name(name)) {
            return Some((
                "tls.acme_domains",
                "must be names like live.example.org, without *: authorities give no others over TLS",
            ));
        }
        if !self.acme_directory.starts_with("https://") {
            return Some(("tls.acme_directory", "must be like https://acme-v02.api.letsencrypt.org/directory"));
        }
        if !self.acme_contact.is_empty() && !self.acme_contact.contains('@') {
            return Some(("tls.acme_contact", "must be an e-mail address, or empty"));
        }
        if self.has_files() && self.key.as_os_str().is_empty() {
            return Some(("tls.key", "must name the certificate's private key"));
        }
        if !self.has_files() && !self.key.as_os_str().is_empty() {
            return Some(("tls.certificate", "must name the certificate that the key belongs to"));
        }
        (!self.is_on() && self.redirect)
            .then_some(("tls.redirect", "there is no HTTPS to redirect to without a certificate"))
    }
}

/// A name in DNS, of two parts or more, as an authority takes it.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        (1..=63).contains(&part.len())
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let last_is_word = name.rsplit('.').next().is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_lowercase()));
    name.len() <= 253 && name.contains('.') && name.split('.').all(part) && last_is_word
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
