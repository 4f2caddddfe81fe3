//! The signed cookie by which a guest is known again.

use crate::{error::OpenError, files, random};
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac};
use madang_protocol::PersonId;
use sha2::Sha256;
use std::{fmt, fs, io, path::Path};

/// Version of the format, so that another can be told from it.
const VERSION: &str = "v1";
/// Longest cookie that is looked at, in bytes: `v1.` + 16 + `.` + 64.
const LENGTH: usize = 3 + 16 + 1 + 64;
/// What stands before the text whose signature lets somebody into a room; a guest's cookie has no such byte.
const PERMIT: &[u8] = b"permit\0";
/// Longest sealed text that is looked at, in bytes.
const SEALED_MAX: usize = 256;
/// The secret's size, in bytes.
const SECRET: usize = 32;

/// A cookie's value: `v1.<person id>.<HMAC-SHA-256 of what stands before, in hex>`. Whoever has it is the guest, so `Debug`
/// does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct CookieValue(String);

impl CookieValue {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text for the `Set-Cookie` header; no character in it needs quoting.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CookieValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieValue(…)")
    }
}

/// Signs and checks guest cookies with a secret of this installation.
pub(crate) struct CookieSigner(Hmac<Sha256>);

impl CookieSigner {
    /// Reads the secret from the file `path`, or makes both (mode 0600). Two processes that start at once agree on one.
    ///
    /// # Errors
    /// [`OpenError::File`], [`OpenError::CookieKey`] when the file is not a secret, [`OpenError::Randomness`].
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::File { path: path.to_owned(), cause };
        let bytes = match fs::read(path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                make_secret(path)?;
                fs::read(path).map_err(failed)?
            }
            read => read.map_err(failed)?,
        };
        let damaged = || OpenError::CookieKey { path: path.to_owned() };
        if bytes.len() != SECRET {
            return Err(damaged());
        }
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| damaged())
    }

    pub(crate) fn sign(&self, person: PersonId) -> CookieValue {
        let said = format!("{VERSION}.{person}");
        let mac = self.0.clone().chain_update(said.as_bytes()).finalize().into_bytes();
        CookieValue(format!("{said}.{}", HEXLOWER.encode(&mac)))
    }

    /// Who the cookie says it is, if this installation signed it. The signature is compared in constant time.
    pub(crate) fn verify(&self, cookie: &str) -> Option<PersonId> {
        if cookie.len() != LENGTH {
            return None;
        }
        let (said, signature) = cookie.rsplit_once('.')?;
        let (version, person) = said.split_once('.')?;
        let mac = HEXLOWER.decode(signature.as_bytes()).ok()?;
        self.0.clone().chain_update(said.as_bytes()).verify_slice(&mac).ok()?;
        if version == VERSION { person.parse().ok() } else { None }
    }

    /// Signs what says by what somebody is let into a room: `said.<HMAC-SHA-256, in hex>`. Its signature is none of a guest's cookie.
    pub(crate) fn seal(&self, said: &str) -> String {
        let mac = self.0.clone().chain_update(PERMIT).chain_update(said.as_bytes()).finalize().into_bytes();
        format!("{said}.{}", HEXLOWER.encode(&mac))
    }

    /// What was said, if this installation sealed it. The signature is compared in constant time.
    pub(crate) fn unseal<'a>(&self, sealed: &'a str) -> Option<&'a str> {
        if sealed.len() > SEALED_MAX {
            return None;
        }
        let (said, signature) = sealed.rsplit_once('.')?;
        let mac = HEXLOWER.decode(signature.as_bytes()).ok()?;
        self.0.clone().chain_update(PERMIT).chain_update(said.as_bytes()).verify_slice(&mac).ok()?;
        Some(said)
    }
}

fn make_secret(path: &Path) -> Result<(), OpenError> {
    let secret: [u8; SECRET] = random::bytes().map_err(|_| OpenError::Randomness)?;
    let spare = path.with_extension(format!("{:016x}", random::bits().map_err(|_| OpenError::Randomness)?));
    match files::make_whole(path, &spare, &secret) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
            Err(OpenError::File { path: path.to_owned(), cause })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::signer;
    use proptest::prelude::*;

    #[test]
    fn the_secret_outlives_the_process_and_is_private() {
        let (dir, first) = signer();
        let path = dir.path().join("cookie.key");
        let cookie = first.sign(PersonId::from_random(7));
        let again = CookieSigner::open(&path).expect("a signer");
        assert_eq!(again.verify(cookie.as_str()), Some(PersonId::from_random(7)));
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1, "the spare file is gone");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(format!("{cookie:?}"), "CookieValue(…)");
    }

    #[test]
    fn processes_that_start_at_once_agree_on_one_secret() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("cookie.key");
        let cookies: Vec<String> = std::thread::scope(|scope| {
            let open =
                || CookieSigner::open(&path).expect("a signer").sign(PersonId::from_random(2)).as_str().to_owned();
            let all: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            all.into_iter().map(|one| one.join().expect("no panic")).collect()
        });
        assert!(cookies.windows(2).all(|two| two[0] == two[1]));
    }

    #[test]
    fn a_file_that_is_no_secret_is_not_replaced() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("cookie.key");
        fs::write(&path, b"short").expect("written");
        assert!(matches!(CookieSigner::open(&path), Err(OpenError::CookieKey { .. })));
        assert_eq!(fs::read(&path).expect("still there"), b"short");
    }

    #[test]
    fn another_installation_s_cookie_is_refused() {
        let ((_a, ours), (_b, theirs)) = (signer(), signer());
        assert_eq!(ours.verify(theirs.sign(PersonId::from_random(2)).as_str()), None);
    }

    #[test]
    fn a_seal_is_read_back_by_its_installation_and_is_no_cookie() {
        let ((_a, ours), (_b, theirs)) = (signer(), signer());
        let sealed = ours.seal("v1.000000000000000a");
        assert_eq!((ours.unseal(&sealed), theirs.unseal(&sealed)), (Some("v1.000000000000000a"), None));
        assert_eq!(ours.verify(&sealed), None, "what lets into a room is nobody");
        assert_eq!(
            ours.unseal(ours.sign(PersonId::from_random(20)).as_str()),
            None,
            "and nobody is let in by who they are"
        );
        assert_eq!(ours.unseal(&sealed.replace('a', "b")), None);
    }

    proptest! {
        #[test]
        fn a_cookie_with_one_changed_byte_is_refused(at in 0..LENGTH, to in 0x20_u8..0x7f) {
            let (_dir, signer) = signer();
            let cookie = signer.sign(PersonId::from_random(0x1234_5678_9abc));
            let mut bytes = cookie.as_str().as_bytes().to_vec();
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            prop_assert_eq!(signer.verify(std::str::from_utf8(&bytes).expect("ascii")), None);
        }

        #[test]
        fn nothing_but_a_cookie_is_one(text in "\\PC{0,100}|v1\\.[0-9a-f]{16}\\.[0-9a-f]{64}") {
            let (_dir, signer) = signer();
            prop_assert_eq!(signer.verify(&text), None);
        }
    }
}
