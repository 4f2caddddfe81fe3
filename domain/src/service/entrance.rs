//! Who is let into a room, by what, and whether that still stands.

use super::{Domain, Visit, chat::role, sessions::millis};
use crate::{
    chat::prefix::prefix,
    clock,
    error::Error,
    password::Password,
    permit::{self, Claim, Grant, Permit, PermitCookie, PlayToken, Shown},
    room::Room,
    store::Store,
    token::Token,
};
use madang_protocol::{Field, FieldIssue, PersonId, Problem, RoomId, RoomSlug, UnixMillis, Visibility};
use std::time::Instant;

/// What a browser meets at a room's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may go in; or there is no such room, which its page says.
    Open,
    /// It is asked for the password.
    Password,
    /// It needs a link. `shown`: it has opened one, and whether that lets it in.
    Invitation { shown: Option<bool> },
}

impl Domain {
    /// The room, and by what whoever shows this is let in.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] for who is not let in; [`Error::Busy`], [`Error::Storage`].
    pub async fn admit(&self, slug: &RoomSlug, shown: &Shown) -> Result<(Room, Permit), Error> {
        let (slug, person) = (slug.clone(), shown.person);
        let claims = permit::claims(&self.0.signer, shown, clock::now());
        let read = move |store: &dyn Store| {
            let room = store.room_by_slug(&slug)?.ok_or(Error::NotFound)?;
            let permit = admitted(store, &room, person, &claims)?.ok_or(Error::Forbidden)?;
            Ok((room, permit))
        };
        self.0.desk.read(read).await
    }

    /// What of it is worth keeping for a connection's time.
    pub fn sift(&self, shown: Shown) -> Shown {
        permit::sift(&self.0.signer, shown, clock::now())
    }

    /// What stands at the room's address for whoever shows this, and the code of a link that they have opened.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn gate(&self, slug: &RoomSlug, shown: &Shown, code: Option<&str>) -> Result<Gate, Error> {
        let (slug, person) = (slug.clone(), shown.person);
        let claims = permit::claims(&self.0.signer, shown, clock::now());
        let opened = code.is_some();
        let hash = code.and_then(Token::parse).map(|code| code.hash());
        let read = move |store: &dyn Store| {
            let Some(room) = store.room_by_slug(&slug)? else { return Ok(Gate::Open) };
            if admitted(store, &room, person, &claims)?.is_some() {
                return Ok(Gate::Open);
            }
            if room.visibility == Visibility::Password {
                return Ok(Gate::Password);
            }
            let link = hash.map(|hash| store.find_room_link(room.id, &hash)).transpose()?.flatten();
            let shown = opened.then(|| link.is_some_and(|link| link.lets_in(clock::now())));
            Ok(Gate::Invitation { shown })
        };
        self.0.desk.read(read).await
    }

    /// Of these grants of one room, those that stand now, each with its permit; `None` for a room that is gone.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn standing_permits(&self, room: RoomId, grants: Vec<Grant>) -> Result<Option<Vec<Permit>>, Error> {
        let read = move |store: &dyn Store| {
            let Some(room) = store.room(room)? else { return Ok(None) };
            let mut standing = Vec::with_capacity(grants.len());
            for grant in grants {
                standing.extend(stands(store, &room, grant, clock::now())?);
            }
            Ok(Some(standing))
        };
        self.0.desk.read(read).await
    }

    /// What lets a player without cookies play for whoever has this permit; `None` where the address is enough.
    pub fn play_token(&self, permit: &Permit) -> Option<PlayToken> {
        let lasts = millis(self.0.limits.entrance.play_token_lasts);
        let until = clock::now().0.saturating_add(lasts).min(permit.ends.map_or(i64::MAX, |ends| ends.0));
        permit::play_token(&self.0.signer, permit, UnixMillis(until))
    }

    /// Lets a browser in that gives the room's password.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::Password`] (wrong); [`Error::TooMany`] for an address, or a room, after too many of those;
    /// [`Error::NotFound`], [`Error::Forbidden`] for a room that asks for no password; [`Error::Busy`], [`Error::Storage`].
    pub async fn enter_by_password(
        &self,
        slug: &RoomSlug,
        password: &str,
        visit: &Visit,
    ) -> Result<PermitCookie, Error> {
        let slug = slug.clone();
        let read = move |store: &dyn Store| {
            let room = store.room_by_slug(&slug)?.ok_or(Error::NotFound)?;
            let asks = room.visibility == Visibility::Password;
            if asks { Ok((room.id, store.room_password(room.id)?)) } else { Err(Error::Forbidden) }
        };
        let (room, known) = self.0.desk.read::<_, Error>(read).await?;
        let (door, now) = (&self.0.door, Instant::now());
        let (place, of_room) = (prefix(visit.address, &self.0.limits.chat), room.to_string());
        door.entries.take(&place, now).map_err(Error::too_many)?;
        if let Err(wait) = door.rooms.take(&of_room, now) {
            // Nothing was tried.
            door.entries.give_back(&place);
            return Err(Error::too_many(wait));
        }
        let digest = known.as_ref().map(|known| known.digest.clone());
        let fits = self.0.hashers.fits(Password::typed(password), digest).await;
        if fits != Ok(false) {
            // A right password, or none that was looked at, is no attempt.
            door.entries.give_back(&place);
            door.rooms.give_back(&of_room);
        }
        match (fits?, known) {
            (true, Some(known)) => {
                let at = clock::now();
                let until = at.0.saturating_add(millis(self.0.limits.entrance.password_lasts));
                let permit = Permit { room, grant: Grant::Password(known.id), ends: None };
                tracing::info!(%room, "somebody was let in by the room's password");
                Ok(permit::cookie(&self.0.signer, &permit, UnixMillis(until), at))
            }
            _ => {
                tracing::info!(%room, from = %place, "a room's password was refused");
                Err(FieldIssue::new(Field::Password, Problem::Wrong).into())
            }
        }
    }

    /// Lets a browser in that has opened a link. Counted once for each browser: one that is in by that link already comes in again.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::Invitation`] (wrong, revoked, over or used up); [`Error::TooMany`] for an address after too many of
    /// those; [`Error::NotFound`], [`Error::Forbidden`] for a room that asks for no link; [`Error::Busy`], [`Error::Storage`].
    pub async fn enter_by_link(
        &self,
        slug: &RoomSlug,
        code: &str,
        shown: &Shown,
        visit: &Visit,
    ) -> Result<PermitCookie, Error> {
        let (door, place) = (&self.0.door, prefix(visit.address, &self.0.limits.chat));
        door.entries.take(&place, Instant::now()).map_err(Error::too_many)?;
        let wrong = || Error::from(FieldIssue::new(Field::Invitation, Problem::Wrong));
        let hash = Token::parse(code).map(|code| code.hash()).ok_or_else(wrong)?;
        let claims = permit::claims(&self.0.signer, shown, clock::now());
        let slug = slug.clone();
        let work = move |store: &mut dyn Store| {
            let room = store.room_by_slug(&slug)?.ok_or(Error::NotFound)?;
            if room.visibility != Visibility::Invitation {
                return Err(Error::Forbidden);
            }
            let (link, now) = (store.find_room_link(room.id, &hash)?.ok_or_else(wrong)?, clock::now());
            let grant = Grant::Link(link.id);
            let again = claims.contains(&Claim { room: room.id, grant }) && link.stands(now);
            if !again && !store.use_room_link(room.id, link.id, now)? {
                return Err(wrong());
            }
            Ok(Permit { room: room.id, grant, ends: Some(link.ends) })
        };
        let permit = self.0.desk.write(work, |_| {}).await?;
        door.entries.give_back(&place);
        tracing::info!(room = %permit.room, "somebody was let in by a link");
        Ok(permit::cookie(&self.0.signer, &permit, permit.ends.unwrap_or_default(), clock::now()))
    }
}

/// By what somebody is let in: as who they are, or else by the first of their claims that stands.
pub(super) fn admitted(
    store: &dyn Store,
    room: &Room,
    person: Option<PersonId>,
    claims: &[Claim],
) -> Result<Option<Permit>, Error> {
    if !room.visibility.is_gated() {
        return stands(store, room, Grant::Open, clock::now());
    }
    let own = claims.iter().filter(|claim| claim.room == room.id).map(|claim| claim.grant);
    for grant in person.map(Grant::Role).into_iter().chain(own) {
        let permit = stands(store, room, grant, clock::now())?;
        if permit.is_some() {
            return Ok(permit);
        }
    }
    Ok(None)
}

/// The permit, if the grant lets somebody into the room at `now`.
fn stands(store: &dyn Store, room: &Room, grant: Grant, now: UnixMillis) -> Result<Option<Permit>, Error> {
    let permit = |ends| Permit { room: room.id, grant, ends };
    if !room.visibility.is_gated() {
        // Everybody is let in, whatever brought them.
        return Ok(Some(permit(None)));
    }
    Ok(match grant {
        Grant::Open => None,
        Grant::Role(person) => role(store, room, person)?.moderates().then(|| permit(None)),
        Grant::Password(id) if room.visibility == Visibility::Password => {
            store.room_password(room.id)?.filter(|known| known.id == id).map(|_| permit(None))
        }
        Grant::Link(id) if room.visibility == Visibility::Invitation => {
            let link = store.room_link(room.id, id)?.filter(|link| link.stands(now));
            link.map(|link| permit(Some(link.ends)))
        }
        Grant::Password(_) | Grant::Link(_) => None,
    })
}
