//! Accounts as people use them: registering, logging in and out, changing the password, deleting the account. What the operator does
//! with them is in `operator`, sessions are in `sessions`.

use super::{
    Domain, Shared,
    admin::{self, bar, by_operator},
};
use crate::{
    chat::{prefix::prefix, registry::Command, tag::tag},
    clock,
    error::{Bar, Error},
    looks::{is_reserved, looks},
    on_air::CutReason,
    password::{self, Credentials, Password, PasswordDigest},
    person::{Person, PersonKind},
    room::{DomainChange, Room},
    rules::Registration,
    site::{Class, Site},
    store::{NewAccount, Store},
    token::{Token, TokenHash},
};
use madang_protocol::{Field, FieldIssue, PersonId, Problem, RoomId, SessionId, validation};
use std::{net::IpAddr, sync::Arc, time::Instant};

/// Places remembered of an account, where its owner is not kept out by others' wrong passwords.
pub(super) const PLACES_KEPT: usize = 16;

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub address: IpAddr,
    /// What the browser calls itself; empty when it did not say.
    pub agent: String,
    /// The guest that the browser is known as, by its signed cookie.
    pub guest: Option<PersonId>,
    /// The session that it showed; what is logged in anew takes its place.
    pub session: Option<SessionId>,
}

/// By what somebody asks to be let in who has no account.
#[derive(Clone, Debug)]
pub enum Admission {
    /// By the registration policy alone.
    Policy,
    /// By an invitation's code, as typed.
    Invitation(String),
    /// By the link that the first start printed: the account is an administrator.
    Setup(String),
}

impl Domain {
    /// Makes an account and logs it in. Whoever was a guest is the account from then on: rooms, moderator roles, bans and what they wrote
    /// stay theirs, and their guest's cookie is worth nothing any more.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::Name`] (taken, reserved, or what a name may not be), [`Field::Password`] and
    /// [`Field::Invitation`] (wrong, used up or ended); [`Error::Forbidden`] when registration is closed, or the set-up link is void;
    /// [`Error::Barred`] for who is banned from the site; [`Error::TooMany`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn register(
        &self,
        name: &str,
        password: &str,
        admission: Admission,
        visit: &Visit,
    ) -> Result<(Person, Token), Error> {
        let (door, now) = (&self.0.door, Instant::now());
        let place = prefix(visit.address, &self.0.limits.chat);
        if !matches!(admission, Admission::Setup(_)) {
            bar(&self.0.shared.site(), visit.guest, Class::Guest, Some(visit.address))?;
        }
        let entry = self.admitted(admission, &place).await?;
        let credentials = Credentials::check(name, password)?;
        let wanted = looks(&credentials.name);
        if is_reserved(&wanted) {
            return Err(FieldIssue::new(Field::Name, Problem::Reserved).into());
        }
        let (login, mine) = (credentials.login.clone(), wanted.clone());
        let free = move |store: &dyn Store| must_be_free(store, &login, &mine, None);
        self.0.desk.read(free).await?;
        door.registrations.take(&place, now).map_err(Error::too_many)?;
        let made = self.make(credentials, entry, visit, place.clone()).await;
        if made.is_err() {
            door.registrations.give_back(&place);
        }
        made
    }

    /// Whether somebody may come in at all, before their password is hashed.
    async fn admitted(&self, admission: Admission, place: &str) -> Result<Entry, Error> {
        let code = match (admission, self.registration()) {
            (Admission::Setup(code), _) => {
                let hash = Token::parse(&code).map(|code| code.hash()).ok_or(Error::Forbidden)?;
                return if self.setup_stands(&hash) { Ok(Entry::Setup) } else { Err(Error::Forbidden) };
            }
            (_, Registration::Open) => return Ok(Entry::Open),
            (_, Registration::Closed) => return Err(Error::Forbidden),
            (Admission::Invitation(code), Registration::Invite) => code,
            (Admission::Policy, Registration::Invite) => String::new(),
        };
        if code.trim().is_empty() {
            return Err(FieldIssue::new(Field::Invitation, Problem::Empty).into());
        }
        self.0.door.invitations.take(place, Instant::now()).map_err(Error::too_many)?;
        let wrong = || Error::from(FieldIssue::new(Field::Invitation, Problem::Wrong));
        let hash = Token::parse(&code).map(|code| code.hash()).ok_or_else(wrong)?;
        let stands = self.0.desk.read::<_, Error>(move |store| store.invitation_stands(&hash, clock::now())).await?;
        if !stands {
            return Err(wrong());
        }
        self.0.door.invitations.give_back(place);
        Ok(Entry::Invited(hash))
    }

    async fn make(
        &self,
        credentials: Credentials,
        entry: Entry,
        visit: &Visit,
        place: String,
    ) -> Result<(Person, Token), Error> {
        let Credentials { name, login, password } = credentials;
        let digest = self.0.hashers.digest(password).await?;
        let (token, mut session) = self.new_session(visit)?;
        let (guest, keep, logged) = (visit.guest, self.0.limits.chat.kept_names, self.0.limits.site_actions);
        let fresh = PersonId::from_random(crate::random::bits()?);
        let admin = matches!(entry, Entry::Setup);
        let work = move |store: &mut dyn Store| {
            must_be_free(store, &login, &looks(&name), guest)?;
            match entry {
                Entry::Open => {}
                Entry::Invited(hash) => {
                    if !store.use_invitation(&hash, clock::now())? {
                        return Err(FieldIssue::new(Field::Invitation, Problem::Wrong).into());
                    }
                }
                Entry::Setup if store.administrators()?.is_empty() => {}
                Entry::Setup => return Err(Error::Forbidden),
            }
            let known = guest.map(|guest| store.person(guest)).transpose()?.flatten();
            let id = match known.as_ref().map(|known| &known.kind) {
                // The cookie of an account's former guest lets nobody in.
                Some(PersonKind::Account { .. }) => fresh,
                Some(PersonKind::Guest) | None => guest.unwrap_or(fresh),
            };
            if let Some(before) = known.filter(|known| known.id == id && !known.name.is_empty() && known.name != name) {
                store.keep_name(before.id, &before.name, clock::now(), keep)?;
            }
            let account = NewAccount { id, login: &login, name: &name, password: &digest, admin, at: clock::now() };
            store.add_account(&account)?;
            if admin {
                by_operator(store, admin::Entry::new("first-administrator", &*login), logged)?;
            }
            session.person = id;
            store.add_session(&session)?;
            store.note_place(id, &place, clock::now(), PLACES_KEPT)?;
            let rooms: Vec<_> = store.rooms_of(id)?.into_iter().map(|room| room.id).collect();
            Ok((Person { id, kind: PersonKind::Account { login, admin }, name }, rooms))
        };
        let shared = Arc::clone(&self.0.shared);
        let after = move |(person, rooms): &(Person, Vec<_>)| {
            shared.tell(DomainChange::GuestRegistered(person.id));
            shared.tell_rooms(rooms.iter().copied());
            if admin {
                // Who moderates everywhere is another one in every room.
                shared.tell(DomainChange::Anything);
            }
            renamed(&shared, person);
        };
        let (person, _) = self.0.desk.write(work, after).await?;
        if admin {
            self.end_setup();
        }
        tracing::info!(person = %person.id, admin, "account registered");
        Ok((person, token))
    }

    /// Logs in. A guest's rooms and moderator roles, and the bans that hold them, go to the account: whoever logs in shows that they are
    /// both. Messages stay under the name that they were written under.
    ///
    /// # Errors
    /// [`Error::WrongLogin`] for a wrong password and an unknown name alike, after the same work; [`Error::TooMany`] for an address, or
    /// an account from places it was not used from, after too many of those; [`Error::Barred`] after a right password only;
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn log_in(&self, login: &str, password: &str, visit: &Visit) -> Result<(Person, Token), Error> {
        let (door, now) = (&self.0.door, Instant::now());
        let place = prefix(visit.address, &self.0.limits.chat);
        door.addresses.take(&place, now).map_err(Error::too_many)?;
        // A name that nobody can have is looked for all the same: the answer takes as long.
        let login = password::fold(&validation::line(Field::Name, login, validation::NAME_MAX).unwrap_or_default());
        let (asked, from) = (login.clone(), place.clone());
        let read = move |store: &dyn Store| {
            let person = store.account(&asked)?;
            let id = person.as_ref().map_or(PersonId::from_random(0), |person| person.id);
            Ok((person, store.password(id)?, store.knows_place(id, &from)?))
        };
        let (person, digest, known_place) = self.0.desk.read::<_, Error>(read).await?;
        if !known_place {
            door.accounts.take(&login, now).map_err(Error::too_many)?;
        }
        let fits = self.0.hashers.fits(Password::typed(password), digest.clone()).await;
        if fits != Ok(false) {
            // A right password, or none that was looked at, is no attempt.
            door.addresses.give_back(&place);
            if !known_place {
                door.accounts.give_back(&login);
            }
        }
        match (fits?, person, digest) {
            (true, Some(person), Some(digest)) => self.let_in(person, digest, visit, place).await,
            _ => {
                tracing::info!(from = %place, "a log-in was refused");
                Err(Error::WrongLogin)
            }
        }
    }

    async fn let_in(
        &self,
        person: Person,
        digest: PasswordDigest,
        visit: &Visit,
        place: String,
    ) -> Result<(Person, Token), Error> {
        let (token, mut session) = self.new_session(visit)?;
        session.person = person.id;
        let (guest, replaced) = (visit.guest, visit.session);
        let (most, address, known) =
            (self.0.limits.accounts.sessions_per_person, visit.address, Arc::clone(&self.0.shared));
        let work = move |store: &mut dyn Store| {
            // Asked again where writes are in order: it may be another one since.
            if store.password(person.id)?.as_ref() != Some(&digest) {
                return Err(Error::WrongLogin);
            }
            must_be_let_in(store, &known.site(), &person, guest, address)?;
            let mut ended = Vec::new();
            if let Some(old) = replaced {
                ended.extend(store.remove_session(person.id, old)?.then_some(old));
            }
            store.add_session(&session)?;
            ended.extend(store.remove_sessions(person.id, most)?);
            store.note_place(person.id, &place, clock::now(), PLACES_KEPT)?;
            let former = guest.map(|guest| store.person(guest)).transpose()?.flatten();
            let mut rooms = Vec::new();
            if let Some(guest) = former.filter(|known| known.kind == PersonKind::Guest) {
                rooms = store.take_over(guest.id, person.id)?;
            }
            Ok((person, ended, rooms))
        };
        let shared = Arc::clone(&self.0.shared);
        let after = move |(_, ended, rooms): &(Person, Vec<SessionId>, Vec<_>)| {
            shared.tell_ended(ended);
            shared.tell_rooms(rooms.iter().copied());
        };
        let (person, _, rooms) = self.0.desk.write(work, after).await?;
        tracing::info!(person = %person.id, rooms_taken_over = rooms.len(), "logged in");
        Ok((person, token))
    }

    /// Changes the password; every other browser is logged out, and this one goes on with a new session.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::CurrentPassword`] (wrong) and [`Field::Password`]; [`Error::TooMany`]; [`Error::NotFound`] for who
    /// is no account; [`Error::Busy`], [`Error::Storage`].
    pub async fn change_password(
        &self,
        person: PersonId,
        current: &str,
        new: &str,
        visit: &Visit,
    ) -> Result<Token, Error> {
        let new = Password::check(new)?;
        let digest = self.confirmed(person, current, visit).await?;
        let new = self.0.hashers.digest(new).await?;
        let (token, mut session) = self.new_session(visit)?;
        session.person = person;
        let work = move |store: &mut dyn Store| {
            if store.password(person)?.as_ref() != Some(&digest) {
                return Err(FieldIssue::new(Field::CurrentPassword, Problem::Wrong).into());
            }
            store.set_password(person, &new)?;
            let ended = store.remove_sessions(person, 0)?;
            store.add_session(&session)?;
            Ok(ended)
        };
        let shared = Arc::clone(&self.0.shared);
        self.0.desk.write(work, move |ended: &Vec<SessionId>| shared.tell_ended(ended)).await?;
        tracing::info!(%person, "password changed");
        Ok(token)
    }

    /// Deletes the account with its rooms, their keys and chats, its sessions and names. What its person wrote in others' rooms stays,
    /// without a name.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::CurrentPassword`] (wrong); [`Error::TooMany`]; [`Error::NotFound`] for who is no account;
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn delete_account(&self, person: PersonId, password: &str, visit: &Visit) -> Result<(), Error> {
        self.confirmed(person, password, visit).await?;
        self.remove_account(person).await
    }

    /// The digest that the password is the right one for.
    async fn confirmed(&self, person: PersonId, password: &str, visit: &Visit) -> Result<PasswordDigest, Error> {
        let (door, now) = (&self.0.door, Instant::now());
        // Counted apart from log-ins: whoever has got hold of a session does not lock its owner out. A login has no such sign.
        let (place, owner) = (prefix(visit.address, &self.0.limits.chat), format!("#{person}"));
        door.addresses.take(&place, now).map_err(Error::too_many)?;
        door.accounts.take(&owner, now).map_err(Error::too_many)?;
        let digest = self.0.desk.read::<_, Error>(move |store| store.password(person)).await?.ok_or(Error::NotFound)?;
        let fits = self.0.hashers.fits(Password::typed(password), Some(digest.clone())).await;
        if fits != Ok(false) {
            door.addresses.give_back(&place);
            door.accounts.give_back(&owner);
        }
        if fits? { Ok(digest) } else { Err(FieldIssue::new(Field::CurrentPassword, Problem::Wrong).into()) }
    }

    async fn remove_account(&self, person: PersonId) -> Result<(), Error> {
        let shared = Arc::clone(&self.0.shared);
        let after = move |removed: &Removed| removed.tell(&shared);
        let removed = self.0.desk.write(move |store| remove_in(store, person), after).await?;
        tracing::info!(%person, rooms = removed.rooms.len(), "account deleted");
        Ok(())
    }
}

/// What went away with an account.
pub(super) struct Removed {
    rooms: Vec<Room>,
    ended: Vec<SessionId>,
    /// Rooms that they moderated.
    moderated: Vec<RoomId>,
    admin: bool,
}

impl Removed {
    /// Tells those whom it concerns, once it is kept.
    pub(super) fn tell(&self, shared: &Shared) {
        for room in &self.rooms {
            shared.on_air().cut_room(room.id, CutReason::RoomDeleted);
            shared.tell(DomainChange::RoomDeleted { id: room.id, slug: room.slug.clone() });
        }
        shared.tell_ended(&self.ended);
        shared.tell_rooms(self.moderated.iter().copied());
        shared.tell(DomainChange::LogsChanged);
        if self.admin {
            shared.tell(DomainChange::Anything);
        }
    }
}

/// Removes an account with everything that goes with it.
///
/// # Errors
/// [`Error::NotFound`] for who is no account.
pub(super) fn remove_in(store: &mut dyn Store, person: PersonId) -> Result<Removed, Error> {
    let known = store.person(person)?.ok_or(Error::NotFound)?;
    let PersonKind::Account { admin, .. } = known.kind else { return Err(Error::NotFound) };
    let rooms = store.rooms_of(person)?;
    for room in &rooms {
        store.remove_room(room.id)?;
    }
    let ended = store.remove_sessions(person, 0)?;
    let moderated = store.moderates(person)?;
    store.remove_person(person, &tag(person))?;
    Ok(Removed { rooms, ended, moderated, admin })
}

/// # Errors
/// [`Error::Barred`]: the account is locked, or it, the guest that its browser was, or where it is, is banned from the site.
pub(super) fn must_be_let_in(
    store: &dyn Store,
    site: &Site,
    person: &Person,
    guest: Option<PersonId>,
    address: IpAddr,
) -> Result<(), Error> {
    if store.locked(person.id)?.is_some() {
        return Err(Error::Barred(Bar::Locked));
    }
    let class = Class::of(&person.kind);
    bar(site, Some(person.id), class, Some(address))?;
    if class == Class::Administrator { Ok(()) } else { bar(site, guest, Class::Guest, None) }
}

/// By what somebody was let in.
enum Entry {
    Open,
    Invited(TokenHash),
    Setup,
}

/// # Errors
/// [`Error::Invalid`] on [`Field::Name`] when an account of somebody else has the login, or one that looks like it.
pub(super) fn must_be_free(
    store: &dyn Store,
    login: &str,
    looks: &[String; 2],
    except: Option<PersonId>,
) -> Result<(), Error> {
    let except = except.unwrap_or(PersonId::from_random(0));
    if store.account(login)?.is_some() || store.login_looks_like(looks, except)? {
        return Err(Error::taken(Field::Name));
    }
    Ok(())
}

/// Everyone who sees somebody in a chat sees their name as it is now.
fn renamed(shared: &Shared, person: &Person) {
    for handle in shared.chats.rooms_of(person.id).into_iter().filter_map(|room| shared.chats.get(room)) {
        // A task that has ended has nobody to tell.
        drop(handle.inbox.send(Command::Renamed(super::chat::you(person))));
    }
}
