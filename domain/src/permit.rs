//! By what somebody is let into a room, and the two sealed texts that say so: the cookie of a browser that was let in, and the token by
//! which a player without cookies plays. Neither is good for the other's use, for another room, or for publishing.

use crate::cookie::{CookieSigner, CookieValue};
use madang_protocol::{LinkId, PasswordId, PersonId, RoomId, UnixMillis};
use std::fmt;

/// What the names of such cookies begin with; the room's id follows, so that each room has its own.
pub const PERMIT_COOKIE: &str = "madang_in_";
/// Permits of one request that are looked at: about as many as browsers keep cookies of one site.
const PERMITS_MAX: usize = 200;
/// The first words of the sealed texts, with the version of their format.
const ENTER: &str = "in1";
const PLAY: &str = "play1";

/// By what somebody is let into a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grant {
    /// The address was enough.
    Open,
    /// They moderate the room, or own it, or administer the site.
    Role(PersonId),
    /// They gave the password, when it was this one.
    Password(PasswordId),
    /// They came by this link.
    Link(LinkId),
}

/// Somebody may be in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    pub room: RoomId,
    pub grant: Grant,
    /// Until when, if that is known. It may end before: by another password, a revoked link, another visibility.
    pub ends: Option<UnixMillis>,
}

/// What a request shows of who sends it, for a room that asks.
#[derive(Clone, Default)]
pub struct Shown {
    pub person: Option<PersonId>,
    /// The values of its cookies whose names begin with [`PERMIT_COOKIE`].
    pub permits: Vec<String>,
    /// The play token in its address. Good for playing only.
    pub token: Option<String>,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").field("person", &self.person).finish_non_exhaustive()
    }
}

impl Shown {
    /// What somebody shows who has nothing but an identity.
    pub const fn person(person: Option<PersonId>) -> Self {
        Self { person, permits: Vec::new(), token: None }
    }
}

/// The token by which a player without cookies plays one room: letters, digits and dots, which fit an address. No `Display`, no
/// `Serialize`; `Debug` prints `PlayToken(…)`.
#[derive(Clone, PartialEq, Eq)]
pub struct PlayToken(String);

impl PlayToken {
    /// The token itself, for an address that is shown to whom it lets in.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlayToken(…)")
    }
}

/// The cookie of a browser that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermitCookie {
    pub name: String,
    pub value: CookieValue,
    /// How long the browser keeps it, in seconds.
    pub lasts_s: u32,
}

/// A sealed text's claim, whose signature and time were right. Whether the grant still stands, the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) room: RoomId,
    pub(crate) grant: Grant,
}

/// A permit as a cookie, until then.
pub(crate) fn cookie(signer: &CookieSigner, permit: &Permit, until: UnixMillis, now: UnixMillis) -> PermitCookie {
    PermitCookie {
        name: format!("{PERMIT_COOKIE}{}", permit.room),
        value: CookieValue::new(signer.seal(&said(ENTER, permit, until))),
        lasts_s: u32::try_from(until.since(now) / 1000).unwrap_or(u32::MAX),
    }
}

/// A permit as a play token, until then; `None` where no token is needed.
pub(crate) fn play_token(signer: &CookieSigner, permit: &Permit, until: UnixMillis) -> Option<PlayToken> {
    (permit.grant != Grant::Open).then(|| PlayToken(signer.seal(&said(PLAY, permit, until))))
}

/// What a request claims at `now`.
pub(crate) fn claims(signer: &CookieSigner, shown: &Shown, now: UnixMillis) -> Vec<Claim> {
    let permits = shown.permits.iter().take(PERMITS_MAX).map(|sealed| (ENTER, sealed));
    let sealed = permits.chain(shown.token.iter().map(|sealed| (PLAY, sealed)));
    sealed.filter_map(|(purpose, sealed)| claim(purpose, signer.unseal(sealed)?, now)).collect()
}

/// The same without what is no permit at `now`, for who keeps it: a request may have any number of cookies.
pub(crate) fn sift(signer: &CookieSigner, mut shown: Shown, now: UnixMillis) -> Shown {
    shown.permits.truncate(PERMITS_MAX);
    shown.permits.retain(|sealed| signer.unseal(sealed).and_then(|said| claim(ENTER, said, now)).is_some());
    shown.permits.shrink_to_fit();
    shown
}

fn said(purpose: &str, permit: &Permit, until: UnixMillis) -> String {
    let grant = match permit.grant {
        Grant::Open => "o".to_owned(),
        Grant::Role(id) => format!("r{id}"),
        Grant::Password(id) => format!("p{id}"),
        Grant::Link(id) => format!("l{id}"),
    };
    format!("{purpose}.{}.{grant}.{:x}", permit.room, until.0)
}

fn claim(purpose: &str, said: &str, now: UnixMillis) -> Option<Claim> {
    let mut words = said.split('.');
    if words.next()? != purpose {
        return None;
    }
    let room = words.next()?.parse().ok()?;
    let (kind, id) = words.next()?.split_at_checked(1)?;
    let grant = match kind {
        "r" => Grant::Role(id.parse().ok()?),
        "p" => Grant::Password(id.parse().ok()?),
        "l" => Grant::Link(id.parse().ok()?),
        _ => return None,
    };
    let until = i64::from_str_radix(words.next()?, 16).ok()?;
    (words.next().is_none() && until > now.0).then_some(Claim { room, grant })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::signer;
    use proptest::prelude::*;

    fn permit(grant: Grant) -> Permit {
        Permit { room: RoomId::from_random(14), grant, ends: None }
    }

    fn showing(permits: &[&str], token: Option<&str>) -> Shown {
        let permits = permits.iter().map(|permit| (*permit).to_owned()).collect();
        Shown { person: None, permits, token: token.map(str::to_owned) }
    }

    #[test]
    fn a_permit_reads_back_until_its_time_and_for_its_own_use() {
        let (_dir, signer) = signer();
        let (now, until) = (UnixMillis(1_000), UnixMillis(61_000));
        for grant in [
            Grant::Role(PersonId::from_random(u64::MAX)),
            Grant::Password(PasswordId::from_random(4)),
            Grant::Link(LinkId::from_random(6)),
        ] {
            let permit = permit(grant);
            let cookie = cookie(&signer, &permit, until, now);
            let token = play_token(&signer, &permit, until).expect("a token");
            assert_eq!((cookie.name.as_str(), cookie.lasts_s), ("madang_in_0000000000000007", 60));
            let (enter, play) = (cookie.value.as_str(), token.expose());
            let claimed = vec![Claim { room: permit.room, grant }];
            assert_eq!(claims(&signer, &showing(&["junk", enter], None), now), claimed);
            assert_eq!(claims(&signer, &showing(&[], Some(play)), now), claimed);
            assert_eq!(claims(&signer, &showing(&[play], Some(enter)), now), [], "neither is the other");
            assert_eq!(claims(&signer, &showing(&[enter], Some(play)), until), [], "their time is up");
            assert_eq!(format!("{cookie:?} {token:?}").matches('…').count(), 2, "neither is printed");
            assert!(crate::StreamKey::parse(play).is_none(), "it is no key");
        }
        assert_eq!(play_token(&signer, &permit(Grant::Open), until), None);
        assert_eq!(claims(&signer, &showing(&[&signer.seal("in1.000000000000000e.o.ffffff")], None), now), []);
    }

    #[test]
    fn of_many_permits_some_are_looked_at() {
        let (_dir, signer) = signer();
        let cookie = cookie(&signer, &permit(Grant::Link(LinkId::from_random(6))), UnixMillis(9), UnixMillis(1)).value;
        let many = vec![cookie.as_str().to_owned(); 3 * PERMITS_MAX];
        let shown = Shown { permits: many, ..Shown::default() };
        assert_eq!(claims(&signer, &shown, UnixMillis(1)).len(), PERMITS_MAX);
        let mixed = showing(&["junk", cookie.as_str(), &"x".repeat(10_000)], None);
        assert_eq!(sift(&signer, mixed, UnixMillis(1)).permits, [cookie.as_str()], "and what is none is not kept");
    }

    proptest! {
        #[test]
        fn a_permit_with_one_changed_byte_is_none(at in 0_usize..100, to in 0x21_u8..0x7f) {
            let (_dir, signer) = signer();
            let cookie =
                cookie(&signer, &permit(Grant::Link(LinkId::from_random(6))), UnixMillis(1 << 40), UnixMillis(1)).value;
            let mut bytes = cookie.as_str().as_bytes().to_vec();
            let at = at % bytes.len();
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            let changed = String::from_utf8(bytes).expect("ascii");
            prop_assert_eq!(claims(&signer, &showing(&[&changed], Some(&changed)), UnixMillis(1)), []);
        }

        #[test]
        fn nothing_but_a_permit_is_one(text in "\\PC{0,200}|(in1|play1)\\.[0-9a-f]{16}\\.[rpl][0-9a-f]{16}\\.[0-9a-f]{1,20}\\.[0-9a-f]{64}") {
            let (_dir, signer) = signer();
            prop_assert_eq!(claims(&signer, &showing(&[&text], Some(&text)), UnixMillis(1)), []);
        }
    }
}
