//! Who gets into a room, as its owner says: for everybody, by a password, by links.

use super::{Domain, managed, sessions::millis};
use crate::{
    clock,
    error::{Error, Limit},
    password::Password,
    person::Actor,
    random,
    room::{DomainChange, Room},
    store::{NewLink, RoomPassword, Store},
    token::Token,
};
use madang_protocol::{
    Field, FieldIssue, LinkId, PasswordId, Problem, RoomId, RoomSlug, UnixMillis, Visibility,
    access::{AccessView, LINK_HOURS_MAX, LINK_USES_MAX, LinkInfo},
    validation,
};
use std::{sync::Arc, time::Duration};

/// Links that are over and are still shown.
const ENDED_LINKS_KEPT: usize = 50;

impl Domain {
    /// What the page about it shows.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn access(&self, who: impl Into<Actor>, slug: &RoomSlug) -> Result<AccessView, Error> {
        let (who, slug) = (who.into(), slug.clone());
        let read = move |store: &dyn Store| {
            let room = managed(store, who, &slug)?;
            let password_since = store.room_password(room.id)?.map(|password| password.since);
            let links = store.room_links(room.id)?;
            Ok(AccessView { title: room.title, visibility: room.visibility, password_since, links })
        };
        self.0.desk.read(read).await
    }

    /// Says who gets in, and the password by which; an empty one leaves the password as it is. Whoever is in by what is worth nothing
    /// any more has to go, also from the chat and from before the picture.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Invalid`] on [`Field::Password`] (8 to 256 characters; empty where the room
    /// asks for one and has none); [`Error::Busy`], [`Error::Storage`].
    pub async fn set_access(
        &self,
        who: impl Into<Actor>,
        slug: &RoomSlug,
        visibility: Visibility,
        password: &str,
    ) -> Result<(), Error> {
        let (who, slug, shared) = (who.into(), slug.clone(), Arc::clone(&self.0.shared));
        // Hashing is for those who may set it.
        let asked = slug.clone();
        self.0.desk.read::<_, Error>(move |store| managed(store, who, &asked).map(drop)).await?;
        let new = match password {
            "" => None,
            typed => {
                let digest = self.0.hashers.digest(Password::check(typed)?).await?;
                Some(RoomPassword { id: PasswordId::from_random(random::bits()?), digest, since: clock::now() })
            }
        };
        let work = move |store: &mut dyn Store| {
            let room = managed(store, who, &slug)?;
            if let Some(new) = &new {
                store.set_room_password(room.id, new)?;
            } else if visibility == Visibility::Password && store.room_password(room.id)?.is_none() {
                return Err(FieldIssue::new(Field::Password, Problem::Empty).into());
            }
            let room = Room { visibility, ..room };
            store.change_room(&room)?;
            Ok(room.id)
        };
        let after = move |room: &RoomId| shared.tell(DomainChange::Room(*room));
        let room = self.0.desk.write(work, after).await?;
        tracing::info!(%room, visibility = visibility.as_str(), "who gets into the room was said");
        Ok(())
    }

    /// Makes a link that lets people in for so long, so many of them or any number. The code is in this answer and nowhere else.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Invalid`] on [`Field::KeyName`], and on [`Field::Invitation`] for no time or
    /// uses, or too many; [`Error::LimitReached`] ([`Limit::LinksPerRoom`]); [`Error::Busy`], [`Error::Storage`].
    pub async fn new_link(
        &self,
        who: impl Into<Actor>,
        slug: &RoomSlug,
        name: &str,
        lasts: Duration,
        uses: Option<u32>,
    ) -> Result<(LinkInfo, Token), Error> {
        let name = validation::line(Field::KeyName, name, validation::NAME_MAX)?;
        let longest = Duration::from_secs(u64::from(LINK_HOURS_MAX).saturating_mul(3600));
        if lasts.is_zero() || lasts > longest || uses.is_some_and(|uses| !(1..=LINK_USES_MAX).contains(&uses)) {
            return Err(FieldIssue::new(Field::Invitation, Problem::NotAChoice).into());
        }
        let (who, slug) = (who.into(), slug.clone());
        let (code, id) = (Token::generate()?, LinkId::from_random(random::bits()?));
        let (hash, max) = (code.hash(), self.0.limits.links_per_room);
        let work = move |store: &mut dyn Store| {
            let (room, now) = (managed(store, who, &slug)?.id, clock::now());
            if store.room_links(room)?.iter().filter(|link| link.stands(now)).count() >= max {
                return Err(Error::LimitReached { limit: Limit::LinksPerRoom, max });
            }
            let ends = UnixMillis(now.0.saturating_add(millis(lasts)));
            store.add_room_link(&NewLink { id, room, name, hash, created: now, ends, uses })?;
            store.forget_room_links(room, now, ENDED_LINKS_KEPT)?;
            let made = store.room_link(room, id)?.ok_or(Error::NotFound)?;
            Ok((room, made))
        };
        let (room, info) = self.0.desk.write(work, |_| {}).await?;
        tracing::info!(%room, link = %info.id, "a link into the room was made");
        Ok((info, code))
    }

    /// Revokes a link; whoever came in by it has to go, also from the chat and from before the picture. Revoking twice is fine.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn revoke_link(&self, who: impl Into<Actor>, slug: &RoomSlug, link: LinkId) -> Result<(), Error> {
        let (who, slug, shared) = (who.into(), slug.clone(), Arc::clone(&self.0.shared));
        let work = move |store: &mut dyn Store| {
            let room = managed(store, who, &slug)?.id;
            store.revoke_room_link(room, link, clock::now())?;
            Ok(room)
        };
        let room = self.0.desk.write(work, move |room: &RoomId| shared.tell(DomainChange::Room(*room))).await?;
        tracing::info!(%room, %link, "a link into the room was revoked");
        Ok(())
    }
}
