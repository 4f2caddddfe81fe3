//! What holds on the whole site: who is banned from it, and what administrators decided over the configuration.
//!
//! A picture of what is stored, read anew with each change; looking something up in it asks no database.

use crate::{
    error::Error,
    network::Network,
    person::PersonKind,
    rules::{MakeRooms, Registration},
    store::{SiteBan, Store},
};
use madang_protocol::{PersonId, UnixMillis};
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

/// The names that decisions are stored under.
pub(crate) const REGISTRATION: &str = "registration";
pub(crate) const MAKE_ROOMS: &str = "make_rooms";

/// Whose hand is held by a ban of where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// By their own bans, by those of others from there, and by those of the place.
    Guest,
    /// By their own, and by those of the place.
    Account,
    /// By none: somebody has to be able to lift them.
    Administrator,
}

impl Class {
    pub(crate) const fn of(kind: &PersonKind) -> Self {
        match kind {
            PersonKind::Guest => Self::Guest,
            PersonKind::Account { admin: false, .. } => Self::Account,
            PersonKind::Account { admin: true, .. } => Self::Administrator,
        }
    }
}

#[derive(Default)]
pub(crate) struct Site {
    bans: Vec<SiteBan>,
    by_person: HashMap<PersonId, Vec<usize>>,
    by_network: HashMap<Network, Vec<usize>>,
    /// How long the prefixes are that there are bans of: whether IPv4, and bits.
    widths: BTreeSet<(bool, u32)>,
    /// Decided over the configuration.
    pub(crate) registration: Option<Registration>,
    pub(crate) make_rooms: Option<MakeRooms>,
}

impl Site {
    /// With at most so many bans.
    pub(crate) fn read(store: &dyn Store, bans: usize, now: UnixMillis) -> Result<Self, Error> {
        let registration = store.setting(REGISTRATION)?;
        let make_rooms = store.setting(MAKE_ROOMS)?;
        Ok(Self {
            // A word that this binary does not know decides nothing.
            registration: registration.as_deref().and_then(Registration::parse),
            make_rooms: make_rooms.as_deref().and_then(MakeRooms::parse),
            ..Self::new(store.site_bans(now, bans)?)
        })
    }

    pub(crate) fn new(bans: Vec<SiteBan>) -> Self {
        let mut site = Self::default();
        for (at, ban) in bans.iter().enumerate() {
            if let Some(person) = ban.person {
                site.by_person.entry(person).or_default().push(at);
            }
            for network in &ban.networks {
                let network = network.plain();
                site.widths.insert(network.width());
                site.by_network.entry(network).or_default().push(at);
            }
        }
        site.bans = bans;
        site
    }

    pub(crate) fn bans(&self) -> usize {
        self.bans.len()
    }

    /// Why somebody may do nothing here now: of several reasons the one that holds longest.
    pub(crate) fn banned(
        &self,
        person: Option<PersonId>,
        class: Class,
        address: Option<IpAddr>,
        now: UnixMillis,
    ) -> Option<&SiteBan> {
        if self.bans.is_empty() || class == Class::Administrator {
            return None;
        }
        let own = person.and_then(|person| self.by_person.get(&person)).into_iter().flatten();
        let own = own.filter_map(|at| self.bans.get(*at));
        let near = address.into_iter().flat_map(|address| self.near(address));
        let near = near.filter(|ban| class == Class::Guest || ban.person.is_none());
        let in_force = own.chain(near).filter(|ban| ban.is_in_force(now));
        in_force.max_by_key(|ban| ban.until.map_or(i64::MAX, |until| until.0))
    }

    /// The bans of networks that have this address.
    fn near(&self, address: IpAddr) -> impl Iterator<Item = &SiteBan> {
        let address = address.to_canonical();
        let mine = self.widths.iter().filter(move |(v4, _)| *v4 == address.is_ipv4());
        let networks = mine.map(move |(_, bits)| Network::around(address, *bits));
        networks.filter_map(|network| self.by_network.get(&network)).flatten().filter_map(|at| self.bans.get(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::ActionId;

    fn ban(n: u64, person: Option<u64>, until: Option<i64>, networks: &[&str]) -> SiteBan {
        SiteBan {
            id: ActionId::from_random(n << 1),
            person: person.map(|n| PersonId::from_random(n << 1)),
            name: String::new(),
            networks: networks.iter().map(|network| network.parse().expect("a network")).collect(),
            at: UnixMillis(0),
            until: until.map(UnixMillis),
            reason: n.to_string(),
            by: String::new(),
        }
    }

    #[test]
    fn a_ban_of_a_person_holds_guests_from_there_and_one_of_a_place_holds_everybody_but_administrators() {
        let site = Site::new(vec![
            ban(1, Some(1), None, &["192.0.2.1", "2001:db8:1:2::/64"]),
            ban(2, None, Some(100), &["198.51.100.9/24"]),
        ]);
        let held = |person: u64, class, address: &str, now| {
            let address = Some(address.parse().expect("an address"));
            let ban = site.banned(Some(PersonId::from_random(person << 1)), class, address, UnixMillis(now));
            ban.map(|ban| ban.reason.clone()).unwrap_or_default()
        };
        assert_eq!(held(1, Class::Account, "203.0.113.1", 5), "1", "wherever they are");
        assert_eq!(held(9, Class::Guest, "::ffff:192.0.2.1", 5), "1");
        assert_eq!(held(9, Class::Guest, "2001:db8:1:2:3::4", 5), "1");
        assert_eq!(held(9, Class::Account, "192.0.2.1", 5), "", "who has an account is known");
        assert_eq!(held(9, Class::Account, "198.51.100.200", 99), "2");
        assert_eq!(held(9, Class::Account, "198.51.100.200", 100), "", "it is over");
        assert_eq!(held(9, Class::Account, "198.51.101.1", 5), "");
        assert_eq!(held(1, Class::Administrator, "198.51.100.1", 5), "");
        assert_eq!(Site::default().banned(None, Class::Guest, None, UnixMillis(0)), None);
    }
}
