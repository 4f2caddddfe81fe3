//! Stream keys: the one secret a streamer has.

use crate::{error::Error, random};
use madang_protocol::{KeyId, RoomId, RoomSlug, UnixMillis};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// What every key begins with, so that people and secret scanners recognise one.
const PREFIX: &str = "sk_";
/// 32 characters that survive URLs, double clicks and reading aloud (no `0 1 l o`): five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters after the prefix: 160 random bits.
const LENGTH: usize = 32;

/// A stream key in clear: `sk_` and 32 characters, 160 random bits.
///
/// It exists between its making and the one answer that shows it, and while a publisher is checked. No `Display`, no
/// `Serialize`, no `Clone`; `Debug` prints `StreamKey(…)`.
pub struct StreamKey(String);

impl StreamKey {
    /// # Errors
    /// [`Error::Storage`] when the operating system gives no random bytes.
    pub fn generate() -> Result<Self, Error> {
        let random: [u8; LENGTH] = random::bytes()?;
        let mut text = String::with_capacity(PREFIX.len() + LENGTH);
        text.push_str(PREFIX);
        // The alphabet has 32 letters, so five bits of a byte choose one without a bias.
        text.extend(random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31))).map(|c| char::from(*c)));
        Ok(Self(text))
    }

    /// Reads what an encoder sent; white space around it is forgiven. `None` for anything that cannot be a key.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let rest = text.strip_prefix(PREFIX)?;
        let fits = rest.len() == LENGTH && rest.bytes().all(|byte| ALPHABET.contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    /// The key itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored in its place. A plain SHA-256 is enough for 160 random bits: nothing can be guessed.
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamKey(…)")
    }
}

/// The SHA-256 of a stream key. Compared in constant time.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    pub const fn from_stored(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// Leave to publish to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishGrant {
    pub room: RoomId,
    pub slug: RoomSlug,
    pub key: KeyId,
}

/// Why a publisher is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishRefusal {
    /// The text does not look like a stream key.
    #[error("not a stream key")]
    NotAKey,
    /// It looks like one, and no room has it.
    #[error("unknown stream key")]
    UnknownKey,
    /// A room had it until then.
    #[error("stream key revoked")]
    Revoked { at: UnixMillis, room: RoomId },
    /// The room's owner, or where it comes from, is banned from the site.
    #[error("banned from the site")]
    Banned,
    /// The database could not be asked; trying again is right.
    #[error("the database is not available")]
    Unavailable,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn a_key_reads_back_and_is_never_printed() {
        let key = StreamKey::generate().expect("random");
        assert_eq!(key.expose().len(), PREFIX.len() + LENGTH);
        let again = StreamKey::parse(&format!(" {}\n", key.expose())).expect("parses");
        assert_eq!(again.hash(), key.hash());
        assert_eq!(format!("{key:?} {:?}", key.hash()), "StreamKey(…) KeyHash(…)");
    }

    #[test]
    fn the_alphabet_has_no_letter_twice_and_needs_no_escape() {
        assert_eq!(ALPHABET.iter().collect::<HashSet<_>>().len(), ALPHABET.len());
        assert!(ALPHABET.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    }

    #[test]
    fn a_thousand_keys_differ_and_use_every_letter() {
        let keys: Vec<StreamKey> = (0..1000).map(|_| StreamKey::generate().expect("random")).collect();
        assert_eq!(keys.iter().map(StreamKey::expose).collect::<HashSet<_>>().len(), keys.len());
        let letters: HashSet<u8> = keys.iter().flat_map(|key| key.expose().bytes().skip(PREFIX.len())).collect();
        assert_eq!(letters.len(), ALPHABET.len());
    }

    proptest! {
        #[test]
        fn whatever_parses_is_itself_and_nothing_but_a_key(text in "\\PC{0,48}|(sk_)?[a-z0-9_-]{30,34}|sk_[a-km-np-z2-9]{32}") {
            let shaped = text.trim().len() == 35
                && text.trim().starts_with("sk_")
                && text.trim().bytes().skip(3).all(|b| ALPHABET.contains(&b));
            match StreamKey::parse(&text) {
                Some(key) => {
                    prop_assert!(shaped);
                    prop_assert_eq!(key.expose(), text.trim());
                }
                None => prop_assert!(!shaped),
            }
        }

        #[test]
        fn one_changed_letter_is_another_hash(at in 3_usize..35, to in 0_usize..32) {
            let key = StreamKey::generate().expect("random");
            let mut text = key.expose().as_bytes().to_vec();
            let same = text[at] == ALPHABET[to];
            text[at] = ALPHABET[to];
            let other = StreamKey::parse(std::str::from_utf8(&text).expect("ascii")).expect("still a key");
            prop_assert_eq!(other.hash() == key.hash(), same);
        }
    }
}
