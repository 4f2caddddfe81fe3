//! Who may not write in a room now.

use crate::store::Ban;
use madang_protocol::{PersonId, UnixMillis, chat::Muted};
use std::collections::HashMap;

/// The bans and timeouts in force, to be found by person and by address.
#[derive(Default)]
pub(super) struct Bans {
    all: Vec<Ban>,
    by_person: HashMap<PersonId, Vec<usize>>,
    by_prefix: HashMap<String, Vec<usize>>,
}

impl Bans {
    pub(super) fn new(all: Vec<Ban>) -> Self {
        let mut bans = Self::default();
        for (at, ban) in all.iter().enumerate() {
            bans.by_person.entry(ban.person).or_default().push(at);
            for prefix in &ban.prefixes {
                bans.by_prefix.entry(prefix.clone()).or_default().push(at);
            }
        }
        bans.all = all;
        bans
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Why somebody may not write now: of several reasons the one that holds longest. A guest is also held by a ban of where
    /// they write from, whoever it was about; an account only by its own.
    pub(super) fn muted(&self, person: PersonId, prefix: &str, guest: bool, now: UnixMillis) -> Option<Muted> {
        let own = self.by_person.get(&person);
        let near = if guest { self.by_prefix.get(prefix) } else { None };
        let found = own.into_iter().chain(near).flatten().filter_map(|at| self.all.get(*at));
        let in_force = found.map(|ban| &ban.muted).filter(|muted| muted.until.is_none_or(|until| until > now));
        in_force.max_by_key(|muted| (muted.banned, muted.until.map_or(i64::MAX, |until| until.0))).cloned()
    }

    /// The bans that hold somebody, and those that share an address with one of them or with where they are now.
    pub(super) fn belonging(&self, person: PersonId, prefixes: &[String]) -> Vec<&Ban> {
        let own: Vec<&Ban> = self.all.iter().filter(|ban| ban.person == person).collect();
        let near = |ban: &&Ban| {
            ban.prefixes
                .iter()
                .any(|prefix| prefixes.contains(prefix) || own.iter().any(|own| own.prefixes.contains(prefix)))
        };
        self.all.iter().filter(|ban| ban.person == person || near(ban)).collect()
    }

    /// Who is banned under a name (folded), of those with this tag if one is given: the last one.
    pub(super) fn named(&self, folded: &str, tag: Option<&str>) -> Option<&Ban> {
        let fits = |ban: &&Ban| crate::password::fold(&ban.name) == folded && tag.is_none_or(|tag| ban.tag == tag);
        self.all.iter().rev().find(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::ActionId;

    fn ban(person: u64, banned: bool, until: Option<i64>, prefixes: &[&str]) -> Ban {
        Ban {
            id: ActionId::from_random(person << 1),
            person: PersonId::from_random(person << 1),
            name: "Ana".into(),
            tag: String::new(),
            at: UnixMillis(0),
            by: "Bo".into(),
            muted: Muted { banned, until: until.map(UnixMillis), reason: String::new() },
            prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
        }
    }

    #[test]
    fn a_guest_is_held_by_their_address_and_an_account_is_not() {
        let bans = Bans::new(vec![ban(1, true, None, &["192.0.2.1/32"]), ban(2, false, Some(100), &[])]);
        let person = |n: u64| PersonId::from_random(n << 1);
        let muted = |n, prefix: &str, guest, now| bans.muted(person(n), prefix, guest, UnixMillis(now));
        assert!(muted(1, "elsewhere", true, 5).is_some_and(|muted| muted.banned));
        assert!(muted(3, "192.0.2.1/32", true, 5).is_some_and(|muted| muted.banned));
        assert_eq!(muted(3, "192.0.2.1/32", false, 5), None);
        assert!(muted(2, "x", false, 99).is_some_and(|muted| !muted.banned));
        assert_eq!(muted(2, "x", false, 100), None, "it is over");
    }

    #[test]
    fn bans_that_share_an_address_belong_together() {
        let bans =
            Bans::new(vec![ban(1, true, None, &["a", "b"]), ban(2, true, None, &["b"]), ban(3, true, None, &["c"])]);
        let belonging = |n: u64, at: &[&str]| {
            let at: Vec<String> = at.iter().map(|at| (*at).to_owned()).collect();
            bans.belonging(PersonId::from_random(n << 1), &at).len()
        };
        assert_eq!((belonging(1, &[]), belonging(2, &[]), belonging(3, &[]), belonging(9, &["c"])), (2, 2, 1, 1));
        assert_eq!(belonging(9, &["z"]), 0);
    }
}
