//! Administration: what the site's administrators see, and who is barred from the site. What they do is in `act`.

mod act;
mod log;
mod reset;

pub use act::{AdminAct, Administered};
pub(super) use log::{Entry, by_operator, note};

use super::{Domain, sessions::is_over};
use crate::{
    clock,
    error::{Bar, Error},
    on_air::OnAirStatus,
    person::{Person, PersonKind},
    room::Room,
    rules::{MakeRooms, Registration},
    site::{Class, Site},
    store::{SiteAction, SiteBan, Store, StoredInvitation, StoredPerson, StoredSession},
};
use madang_protocol::{ActionId, PersonId, studio::Attempt};
use std::{cmp::Reverse, net::IpAddr, sync::Arc};

/// Rows of one page of a list.
const PAGE: usize = 50;
/// The last page of a list; whoever looks for more than these searches.
const PAGES_MAX: usize = 1_000;
/// Most characters of a search that are looked for.
const QUERY_MAX: usize = 64;
/// Rooms on the air that are shown: those with the most viewers.
const LIVE_SHOWN: usize = 500;
/// Bans that are shown: the newest.
const BANS_SHOWN: usize = 500;
/// The most actions that one call gives.
const ACTIONS_MAX: usize = 1_000;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Counted from 0.
    pub number: usize,
    /// Whether there is a next one.
    pub more: bool,
}

/// A room on the air.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveRoom {
    pub room: Room,
    pub status: OnAirStatus,
}

/// Everything that administrators may know of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonFile {
    pub listed: StoredPerson,
    pub rooms: Vec<Room>,
    /// The browsers that are logged in, the one used last first.
    pub sessions: Vec<StoredSession>,
    /// Bans of this person that are in force.
    pub bans: Vec<SiteBan>,
}

/// A rule: what is configured, and what administrators decided over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided<T> {
    pub configured: T,
    pub decided: Option<T>,
}

impl<T: Copy> Decided<T> {
    /// What holds.
    pub fn in_force(self) -> T {
        self.decided.unwrap_or(self.configured)
    }
}

/// Who may register and make rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub registration: Decided<Registration>,
    pub make_rooms: Decided<MakeRooms>,
    /// Those that may be used yet, newest first.
    pub invitations: Vec<StoredInvitation>,
}

impl Domain {
    /// Why a request of somebody may change nothing here: they are banned from the site, by themselves or by where they are.
    ///
    /// # Errors
    /// [`Error::Barred`].
    pub fn barred(&self, person: Option<&Person>, address: IpAddr) -> Result<(), Error> {
        let class = person.map_or(Class::Guest, |person| Class::of(&person.kind));
        bar(&self.0.shared.site(), person.map(|person| person.id), class, Some(address))
    }

    /// Whether somebody has an account.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn has_account(&self, person: PersonId) -> Result<bool, Error> {
        let read = move |store: &dyn Store| {
            Ok(store.person(person)?.is_some_and(|person| matches!(person.kind, PersonKind::Account { .. })))
        };
        self.0.desk.read(read).await
    }

    /// Whether somebody is banned from the site, as who they are or where they are.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn is_barred(&self, person: PersonId, address: IpAddr) -> Result<bool, Error> {
        let shared = Arc::clone(&self.0.shared);
        let read = move |store: &dyn Store| {
            let class = store.person(person)?.map_or(Class::Guest, |person| Class::of(&person.kind));
            Ok(bar(&shared.site(), Some(person), class, Some(address)).is_err())
        };
        self.0.desk.read(read).await
    }

    /// Whether somebody may administer the site.
    pub fn administers(person: Option<&Person>) -> bool {
        person.is_some_and(|person| matches!(person.kind, PersonKind::Account { admin: true, .. }))
    }

    /// The rooms on the air, the most watched first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for who is no administrator; [`Error::Busy`], [`Error::Storage`]. So do all that follow.
    pub async fn admin_live(&self, by: PersonId) -> Result<Vec<LiveRoom>, Error> {
        let on_air = self.0.shared.on_air();
        let mut statuses: Vec<_> = on_air.on_air().into_iter().map(|room| (room, on_air.status(room))).collect();
        statuses.sort_by_key(|(room, status)| (Reverse(status.watching), *room));
        statuses.truncate(LIVE_SHOWN);
        self.administering(by, move |store| {
            let mut live = Vec::with_capacity(statuses.len());
            for (room, status) in statuses {
                live.extend(store.room(room)?.map(|room| LiveRoom { room, status }));
            }
            Ok(live)
        })
        .await
    }

    /// Encoders that were turned away lately and belong to no room, newest first: nobody's studio shows them but one at the same address.
    ///
    /// # Errors
    /// As [`Domain::admin_live`].
    pub async fn admin_stray_attempts(&self, by: PersonId) -> Result<Vec<Attempt>, Error> {
        let attempts = self.0.shared.on_air().stray_attempts();
        self.administering(by, move |_| Ok(attempts)).await
    }

    /// Accounts, or guests, whose name or login holds `query`.
    ///
    /// # Errors
    /// As [`Domain::admin_live`].
    pub async fn admin_people(
        &self,
        by: PersonId,
        query: &str,
        guests: bool,
        number: usize,
    ) -> Result<Page<StoredPerson>, Error> {
        let (query, number) = asked(query, number);
        let read = move |store: &dyn Store| store.people(&query, guests, number.saturating_mul(PAGE), PAGE + 1);
        Ok(page(self.administering(by, read).await?, number))
    }

    /// Rooms whose address, title or owner's name holds `query`, unlisted ones included.
    ///
    /// # Errors
    /// As [`Domain::admin_live`].
    pub async fn admin_rooms(&self, by: PersonId, query: &str, number: usize) -> Result<Page<Room>, Error> {
        let (query, number) = asked(query, number);
        let read = move |store: &dyn Store| store.rooms_like(&query, number.saturating_mul(PAGE), PAGE + 1);
        Ok(page(self.administering(by, read).await?, number))
    }

    /// What is known of somebody.
    ///
    /// # Errors
    /// As [`Domain::admin_live`]; [`Error::NotFound`].
    pub async fn admin_person(&self, by: PersonId, person: PersonId) -> Result<PersonFile, Error> {
        let (rules, most) = (self.0.limits.accounts, self.0.limits.site_bans);
        self.administering(by, move |store| {
            let now = clock::now();
            let mut sessions = store.sessions(person)?;
            sessions.retain(|session| !is_over(&rules, session.since, session.used, now));
            let mut bans = store.site_bans(now, most)?;
            bans.retain(|ban| ban.person == Some(person));
            let listed = store.person_listed(person)?.ok_or(Error::NotFound)?;
            Ok(PersonFile { listed, rooms: store.rooms_of(person)?, sessions, bans })
        })
        .await
    }

    /// The bans in force, the newest first.
    ///
    /// # Errors
    /// As [`Domain::admin_live`].
    pub async fn admin_bans(&self, by: PersonId) -> Result<Vec<SiteBan>, Error> {
        self.administering(by, |store| store.site_bans(clock::now(), BANS_SHOWN)).await
    }

    /// Who may register and make rooms.
    ///
    /// # Errors
    /// As [`Domain::admin_live`].
    pub async fn admin_policy(&self, by: PersonId) -> Result<Policy, Error> {
        let (rules, site) = (self.0.limits.accounts, self.0.shared.site());
        let invitations = self.administering(by, |store| store.invitations(clock::now())).await?;
        Ok(Policy {
            registration: Decided { configured: rules.registration, decided: site.registration },
            make_rooms: Decided { configured: rules.make_rooms, decided: site.make_rooms },
            invitations,
        })
    }

    /// At most `limit` (up to 1,000) actions, newest first; those before the action `before`, for the next page. Fewer than `limit` are
    /// the last ones.
    ///
    /// # Errors
    /// As [`Domain::admin_live`].
    pub async fn admin_log(
        &self,
        by: PersonId,
        before: Option<ActionId>,
        limit: usize,
    ) -> Result<Vec<SiteAction>, Error> {
        self.administering(by, move |store| store.site_actions(before, limit.min(ACTIONS_MAX))).await
    }

    async fn administering<T: Send + 'static>(
        &self,
        by: PersonId,
        read: impl FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let read = move |store: &dyn Store| {
            must_administer(store, by)?;
            read(store)
        };
        self.0.desk.read(read).await
    }
}

/// The administrator who asks.
///
/// # Errors
/// [`Error::Forbidden`] for anybody else.
fn must_administer(store: &dyn Store, by: PersonId) -> Result<Person, Error> {
    store.person(by)?.filter(|person| Domain::administers(Some(person))).ok_or(Error::Forbidden)
}

/// # Errors
/// [`Error::Barred`] for whom a ban holds.
pub(super) fn bar(site: &Site, person: Option<PersonId>, class: Class, address: Option<IpAddr>) -> Result<(), Error> {
    match site.banned(person, class, address, clock::now()) {
        None => Ok(()),
        Some(ban) => Err(Error::Barred(Bar::Banned { until: ban.until, reason: ban.reason.clone() })),
    }
}

fn asked(query: &str, number: usize) -> (String, usize) {
    (query.trim().chars().take(QUERY_MAX).collect(), number.min(PAGES_MAX))
}

/// A page of what was read: one row more than it has, if there is a next one.
fn page<T>(mut rows: Vec<T>, number: usize) -> Page<T> {
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    Page { rows, number, more }
}
