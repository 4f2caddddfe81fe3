//! Logins and passwords of accounts: what they may be, how they are compared and kept.

use crate::error::{Error, StorageFault};
use crate::random;
use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{Salt, SaltString},
};
use madang_protocol::{Field, FieldIssue, Problem, validation};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Shortest password, in characters (NIST SP 800-63B §5.1.1.1 as a floor).
pub(crate) const PASSWORD_MIN: usize = 8;
/// Longest password, in characters: hashing a megabyte is a way to keep a server busy.
pub(crate) const PASSWORD_MAX: usize = 256;

/// An argon2id digest with its salt and costs, as a PHC string. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordDigest(String);

impl PasswordDigest {
    pub const fn from_stored(phc: String) -> Self {
        Self(phc)
    }

    /// A digest of the same costs as ours, of a password that nobody knows.
    pub(crate) fn nobodys() -> Self {
        Self(format!("$argon2id$v=19$m=19456,t=2,p=1${}${}", "A".repeat(22), "A".repeat(43)))
    }

    /// The PHC string, for storing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordDigest(…)")
    }
}

/// What an account is asked to have, checked.
pub(crate) struct Credentials {
    /// As typed, but for white space; shown.
    pub(crate) name: String,
    /// Folded; unique.
    pub(crate) login: String,
    pub(crate) password: Password,
}

/// A password in clear, composed, so that every keyboard's way to write it is the same (RFC 8265 §4.2). `Debug` does not print it.
#[derive(Clone)]
pub(crate) struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Credentials {
    /// # Errors
    /// One issue on each of [`Field::Name`] and [`Field::Password`] that is broken.
    pub(crate) fn check(login: &str, password: &str) -> Result<Self, Error> {
        match (check_name(login), Password::check(password)) {
            (Ok(name), Ok(password)) => Ok(Self { login: fold(&name), name, password }),
            (name, password) => Err(Error::Invalid([name.err(), password.err()].into_iter().flatten().collect())),
        }
    }
}

impl Password {
    /// # Errors
    /// Empty, too short or too long, on [`Field::Password`].
    pub(crate) fn check(password: &str) -> Result<Self, FieldIssue> {
        let issue = |problem| Err(FieldIssue::new(Field::Password, problem));
        // Before any work on it: no character has more than four bytes.
        if password.len() > PASSWORD_MAX.saturating_mul(4) {
            return issue(Problem::TooLong { max: PASSWORD_MAX });
        }
        let composed: String = password.nfc().collect();
        match composed.chars().count() {
            0 => issue(Problem::Empty),
            1..PASSWORD_MIN => issue(Problem::TooShort { min: PASSWORD_MIN }),
            PASSWORD_MIN..=PASSWORD_MAX => Ok(Self(composed)),
            _ => issue(Problem::TooLong { max: PASSWORD_MAX }),
        }
    }

    /// What was typed to log in, whatever it is: what cannot be anybody's password is one that nobody has.
    pub(crate) fn typed(password: &str) -> Self {
        Self::check(password).unwrap_or(Self(String::new()))
    }

    /// Hashes the password: argon2id, 19 MiB, two passes (OWASP's first choice). Takes some 30 ms of a core: not for an
    /// asynchronous thread.
    ///
    /// # Errors
    /// [`Error::Storage`] when there are no random bytes for the salt, or no memory.
    pub(crate) fn digest(&self) -> Result<PasswordDigest, Error> {
        let failed = |cause: argon2::password_hash::Error| {
            tracing::error!(%cause, "a password could not be hashed");
            Error::Storage(StorageFault::Randomness)
        };
        let random: [u8; Salt::RECOMMENDED_LENGTH] = random::bytes()?;
        let salt = SaltString::encode_b64(&random).map_err(failed)?;
        let digest = Argon2::default().hash_password(self.0.as_bytes(), &salt).map_err(failed)?;
        Ok(PasswordDigest(digest.to_string()))
    }

    /// Whether the digest is this password's. As much work as [`Password::digest`], by the costs that the digest names.
    pub(crate) fn fits(&self, digest: &PasswordDigest) -> bool {
        let parsed = match PasswordHash::new(digest.as_str()) {
            Ok(parsed) => parsed,
            Err(cause) => {
                tracing::error!(%cause, "a stored password digest cannot be read");
                return false;
            }
        };
        Argon2::default().verify_password(self.0.as_bytes(), &parsed).is_ok()
    }
}

fn check_name(login: &str) -> Result<String, FieldIssue> {
    let name = validation::line(Field::Name, login, validation::NAME_MAX)?;
    // Two logins that look alike must not both exist.
    if name.chars().any(is_invisible) {
        return Err(FieldIssue::new(Field::Name, Problem::Characters));
    }
    Ok(name)
}

/// The form in which logins are compared: compatibility-composed (NFKC), without case. Upper case first, so that `ß` meets
/// `SS`, and letter by letter, so that `ς` meets `σ`.
pub(crate) fn fold(login: &str) -> String {
    let once = |text: &str| -> String {
        text.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
    };
    // Composing may make a letter that folds again; a second pass settles it.
    once(&once(login))
}

/// Characters with no look of their own that [`validation::line`] lets through, because texts may need them.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problems(login: &str, password: &str) -> Vec<(Field, Problem)> {
        match Credentials::check(login, password) {
            Err(Error::Invalid(issues)) => issues.iter().map(|issue| (issue.field, issue.problem)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_once() {
        assert_eq!(
            problems(" ", "short"),
            [(Field::Name, Problem::Empty), (Field::Password, Problem::TooShort { min: 8 })]
        );
        assert_eq!(problems("ana", &"x".repeat(257)), [(Field::Password, Problem::TooLong { max: 256 })]);
        assert_eq!(problems("ana", &"x".repeat(1 << 20)), [(Field::Password, Problem::TooLong { max: 256 })]);
        assert_eq!(problems("a\u{200b}na", "long enough"), [(Field::Name, Problem::Characters)]);
        assert_eq!(problems("ana", &"방".repeat(256)), []);
    }

    #[test]
    fn logins_that_read_the_same_are_the_same() {
        for (one, other) in
            [("Ana", "ANA"), ("Ａｎａ", "ana"), ("STRASSE", "straße"), ("Σίσυφος", "ΣΊΣΥΦΟΣ"), ("ﬁn", "FIN")]
        {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("ana"), fold("anna"));
    }

    #[test]
    fn a_digest_is_argon2id_with_a_salt_of_its_own() {
        let ana = Credentials::check("ana", "correct horse").expect("fine");
        let (one, other) = (ana.password.digest().expect("a digest"), ana.password.digest().expect("a digest"));
        assert_ne!(one, other);
        assert!(one.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let parsed = PasswordHash::new(one.as_str()).expect("a PHC string");
        assert!(Argon2::default().verify_password(b"correct horse", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"correct horsf", &parsed).is_err());
        assert_eq!(format!("{one:?}"), "PasswordDigest(…)");
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,24}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
