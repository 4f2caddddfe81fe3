//! Secrets that a browser or a person shows to be let in: sessions, invitations, the first administrator's link.

use crate::{error::Error, random};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// Random bytes in a token: 256 bits.
const BYTES: usize = 32;
/// Characters of a token: base64url without padding (RFC 4648 §5).
const LENGTH: usize = 43;

/// A secret of 256 random bits, in clear: 43 characters that need no escaping in a cookie or an address.
///
/// No `Display`, no `Serialize`; `Debug` prints `Token(…)`. What is stored is its [`TokenHash`].
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// # Errors
    /// [`Error::Storage`] when the operating system gives no random bytes.
    pub(crate) fn generate() -> Result<Self, Error> {
        let random: [u8; BYTES] = random::bytes()?;
        Ok(Self(BASE64URL_NOPAD.encode(&random)))
    }

    /// Reads what was shown; `None` for anything that cannot be a token.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        fits.then(|| Self(text.to_owned()))
    }

    /// The secret itself, for the one answer that sets or shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The SHA-256 of a token: enough for 256 random bits. Compared in constant time.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    pub const fn from_stored(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_reads_back_differs_and_is_never_printed() {
        let (one, other) = (Token::generate().expect("random"), Token::generate().expect("random"));
        let again = Token::parse(&format!(" {}\n", one.expose())).expect("parses");
        assert_eq!(again.hash(), one.hash());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(format!("{one:?} {:?}", one.hash()), "Token(…) TokenHash(…)");
    }

    proptest! {
        #[test]
        fn nothing_but_a_token_is_one(text in "\\PC{0,60}|[A-Za-z0-9_-]{42,44}") {
            let shaped = text.trim().len() == LENGTH
                && text.trim().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            prop_assert_eq!(Token::parse(&text).is_some(), shaped);
        }
    }
}
