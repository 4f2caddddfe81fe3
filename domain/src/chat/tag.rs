//! The tag that tells guests of the same name apart.

use madang_protocol::{PersonId, chat::TAG_DIGITS};
use sha2::{Digest, Sha256};

/// Three hexadecimal digits from SHA-256 of the person's id: always the same for one guest, everywhere, and not to be chosen
/// by clearing cookies until it fits without thousands of tries. The id itself is public, so no key is needed.
pub(crate) fn tag(person: PersonId) -> String {
    let digest = Sha256::new().chain_update(b"madang guest tag ").chain_update(person.get().to_be_bytes()).finalize();
    let mut text = data_encoding::HEXLOWER.encode(&digest);
    text.truncate(TAG_DIGITS);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_guest_s_own_and_stays() {
        let one = tag(PersonId::from_random(2));
        assert_eq!(one, tag(PersonId::from_random(2)));
        assert_eq!(one.len(), TAG_DIGITS);
        let different = (0..100).map(|n| tag(PersonId::from_random(n << 1))).collect::<std::collections::HashSet<_>>();
        assert!(different.len() > 90);
    }
}
