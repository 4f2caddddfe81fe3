//! Who is in a room: seats of connections, and the people who sit in them.

use crate::{
    chat::{Chatter, Filter, Outbox, pace::Pace, tag::tag},
    looks::{alike, is_reserved, looks},
    person::{Person, PersonKind},
};
use madang_protocol::{
    PersonId, UnixMillis,
    chat::{Author, Role, Standing},
};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

/// How long somebody who left is remembered: their rate, and slow mode's longest pause.
const REMEMBERED: Duration = Duration::from_secs(madang_protocol::chat::SLOW_MAX_S as u64);

/// One connection.
pub(super) struct Seat {
    pub(super) outbox: Outbox,
    pub(super) person: Option<PersonId>,
    browser: u64,
    /// Where it comes from, as the room's bans see it.
    pub(super) prefix: String,
    pub(super) address: IpAddr,
    /// What it was told last that it may do.
    pub(super) told: Standing,
}

/// One person, in however many tabs.
pub(super) struct Somebody {
    pub(super) name: String,
    /// The name, unless it could be taken for a badged one's here; worked out when it is needed.
    shown: Option<String>,
    pub(super) account: bool,
    /// Whether the database has them.
    pub(super) stored: bool,
    tabs: u32,
    /// When the last tab went.
    left: Duration,
    pub(super) pace: Pace,
    pub(super) last_said: Option<UnixMillis>,
}

/// A person whose badge nobody may imitate.
pub(super) struct Badge {
    pub(super) person: PersonId,
    pub(super) role: Role,
    looks: [String; 2],
}

impl Badge {
    pub(super) fn new(person: PersonId, role: Role, name: &str) -> Self {
        Self { person, role, looks: looks(name) }
    }
}

#[derive(Default)]
pub(super) struct People {
    pub(super) seats: BTreeMap<u64, Seat>,
    persons: HashMap<PersonId, Somebody>,
    /// Browsers without a person, and how many seats each has.
    browsers: HashMap<u64, u32>,
    badges: Vec<Badge>,
    /// Words that no guest's name may hold here.
    filter: Arc<Filter>,
    present: usize,
}

impl People {
    /// Takes a seat; true for the first one of a person.
    pub(super) fn join(
        &mut self,
        seat: u64,
        chatter: &Chatter,
        prefix: String,
        person: Option<Person>,
        outbox: Outbox,
    ) -> bool {
        let Chatter { person: id, browser, address } = *chatter;
        self.seats.insert(seat, Seat { outbox, person: id, browser, prefix, address, told: Standing::default() });
        let Some(id) = id else {
            let tabs = self.browsers.entry(browser).or_default();
            *tabs = tabs.saturating_add(1);
            return false;
        };
        let somebody = self.persons.entry(id).or_insert_with(|| Somebody {
            name: String::new(),
            shown: None,
            account: false,
            stored: false,
            tabs: 0,
            left: Duration::ZERO,
            pace: Pace::new(),
            last_said: None,
        });
        if let Some(person) = person {
            somebody.stored = true;
            somebody.account = matches!(person.kind, PersonKind::Account { .. });
            if somebody.name != person.name {
                somebody.name = person.name;
                somebody.shown = None;
            }
        }
        somebody.tabs = somebody.tabs.saturating_add(1);
        let first = somebody.tabs == 1;
        if first {
            self.present = self.present.saturating_add(1);
        }
        first
    }

    /// Frees a seat; gives the person whose last one it was.
    pub(super) fn leave(&mut self, seat: u64, now: Duration) -> Option<PersonId> {
        let seat = self.seats.remove(&seat)?;
        let Some(id) = seat.person else {
            if let Some(tabs) = self.browsers.get_mut(&seat.browser) {
                *tabs = tabs.saturating_sub(1);
                if *tabs == 0 {
                    self.browsers.remove(&seat.browser);
                }
            }
            return None;
        };
        let somebody = self.persons.get_mut(&id)?;
        somebody.tabs = somebody.tabs.saturating_sub(1);
        if somebody.tabs > 0 {
            return None;
        }
        somebody.left = now;
        self.present = self.present.saturating_sub(1);
        Some(id)
    }

    /// Distinct people who are here.
    pub(super) fn chatting(&self) -> usize {
        self.present.saturating_add(self.browsers.len())
    }

    pub(super) fn absent(&self) -> bool {
        self.persons.len() > self.present
    }

    /// Forgets those who have been away for long, or all who are away when they are more than `most`.
    pub(super) fn forget(&mut self, now: Duration, most: usize) {
        let too_many = self.persons.len().saturating_sub(self.present) > most;
        self.persons
            .retain(|_, somebody| somebody.tabs > 0 || (!too_many && now.saturating_sub(somebody.left) < REMEMBERED));
    }

    pub(super) fn get_mut(&mut self, id: PersonId) -> Option<&mut Somebody> {
        self.persons.get_mut(&id)
    }

    pub(super) fn get(&self, id: PersonId) -> Option<&Somebody> {
        self.persons.get(&id)
    }

    /// Sets whose badges there are: the owner first. Names that imitate one are hidden from then on.
    pub(super) fn set_badges(&mut self, badges: Vec<Badge>) {
        self.badges = badges;
        self.persons.values_mut().for_each(|somebody| somebody.shown = None);
    }

    /// Sets which words guests' names may not hold. Names that do are hidden from then on.
    pub(super) fn set_filter(&mut self, filter: Arc<Filter>) {
        self.filter = filter;
        self.persons.values_mut().for_each(|somebody| somebody.shown = None);
    }

    /// Those who are here.
    pub(super) fn here(&self) -> impl Iterator<Item = PersonId> {
        self.persons.iter().filter(|(_, somebody)| somebody.tabs > 0).map(|(id, _)| *id)
    }

    pub(super) fn role(&self, id: PersonId) -> Role {
        self.badges.iter().find(|badge| badge.person == id).map_or(Role::Viewer, |badge| badge.role)
    }

    /// Somebody as everyone here sees them. A name that could be taken for a badged one's is left empty: it was free where it
    /// was chosen, and is not here. So is a reserved one, which an owner may have in a room of their own, and a guest's that
    /// holds a word of the room's filter.
    pub(super) fn author(&mut self, id: PersonId) -> Author {
        let role = self.role(id);
        let Some(somebody) = self.persons.get_mut(&id) else {
            return Author { id, name: String::new(), tag: tag(id), role };
        };
        let (badges, filter, guest) = (&self.badges, &self.filter, !somebody.account);
        let name = somebody.shown.get_or_insert_with(|| {
            let mine = looks(&somebody.name);
            let imitates =
                || is_reserved(&mine) || badges.iter().any(|badge| badge.person != id && alike(&badge.looks, &mine));
            let filtered = || guest && filter.finds(&somebody.name).is_some();
            let hidden = role == Role::Viewer && !somebody.name.is_empty() && (imitates() || filtered());
            if hidden { String::new() } else { somebody.name.clone() }
        });
        let tag = if somebody.account { String::new() } else { tag(id) };
        Author { id, name: name.clone(), tag, role }
    }

    pub(super) fn renamed(&mut self, id: PersonId, name: &str) {
        if let Some(somebody) = self.persons.get_mut(&id) {
            somebody.name = name.to_owned();
            somebody.shown = None;
            somebody.stored = true;
        }
    }

    /// Who is known by a name here (folded), of those with this tag if one is given: the last one who wrote.
    pub(super) fn named(&self, folded: &str, wanted: Option<&str>) -> Option<PersonId> {
        let fits = |(id, somebody): &(&PersonId, &Somebody)| {
            crate::password::fold(&somebody.name) == folded
                && wanted.is_none_or(|wanted| !somebody.account && tag(**id) == wanted)
        };
        self.persons.iter().filter(fits).max_by_key(|(id, somebody)| (somebody.last_said, **id)).map(|(id, _)| *id)
    }

    /// Where somebody's connections come from.
    pub(super) fn prefixes(&self, id: PersonId) -> Vec<String> {
        let mut prefixes: Vec<String> =
            self.seats.values().filter(|seat| seat.person == Some(id)).map(|seat| seat.prefix.clone()).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        prefixes
    }
}
