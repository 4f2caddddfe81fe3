//! What moderators read: the moderation page, the action log, and what is known of somebody.

use super::{
    Domain,
    chat::{find, muted, role},
};
use crate::{
    chat::{RoomRef, tag::tag},
    clock,
    error::Error,
    person::PersonKind,
    room::Room,
    store::{Ban, Store, StoredModerator},
};
use madang_protocol::{
    ActionId, PersonId,
    chat::{ActionRecord, Author, BanRecord, ModerationView, PersonCard, Role},
};

/// Actions on the moderation page, and on a person's card.
const ACTIONS_SHOWN: usize = 200;
/// Bans on the moderation page: the newest. Older ones are lifted by name.
const BANS_SHOWN: usize = 500;
/// Messages on a person's card.
const MESSAGES_SHOWN: usize = 20;
/// The most actions that one call gives.
const ACTIONS_MAX: usize = 1000;

impl Domain {
    /// The moderation page as it opens.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] for who does not moderate there; [`Error::Busy`], [`Error::Storage`].
    pub async fn moderation_view(&self, by: PersonId, room: impl Into<RoomRef>) -> Result<ModerationView, Error> {
        let room = room.into();
        let read = move |store: &dyn Store| {
            let (room, role) = moderated(store, &room, by)?;
            let log = store.chat_log(room.id)?;
            let (modes, filter) = log.map(|log| (log.modes, log.filter)).unwrap_or_default();
            Ok(ModerationView {
                role,
                modes,
                filter,
                moderators: store.moderators(room.id)?.into_iter().map(moderator).collect(),
                bans: store.bans(room.id, None, clock::now(), BANS_SHOWN)?.into_iter().map(ban_record).collect(),
                actions: store.actions(room.id, None, None, ACTIONS_SHOWN)?,
                title: room.title,
            })
        };
        self.0.desk.read(read).await
    }

    /// At most `limit` (up to 1,000) actions of the room, newest first; those before the action `before`, for the next page.
    /// Fewer than `limit` are the last ones.
    ///
    /// # Errors
    /// As [`Domain::moderation_view`].
    pub async fn action_log(
        &self,
        by: PersonId,
        room: impl Into<RoomRef>,
        before: Option<ActionId>,
        limit: usize,
    ) -> Result<Vec<ActionRecord>, Error> {
        let room = room.into();
        let read = move |store: &dyn Store| {
            let (room, _) = moderated(store, &room, by)?;
            store.actions(room.id, before, None, limit.min(ACTIONS_MAX))
        };
        self.0.desk.read(read).await
    }

    /// What a moderator may know of somebody.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for a person who is nobody anywhere; as [`Domain::moderation_view`].
    pub async fn person_card(
        &self,
        by: PersonId,
        room: impl Into<RoomRef>,
        person: PersonId,
    ) -> Result<PersonCard, Error> {
        let room = room.into();
        let read = move |store: &dyn Store| {
            let (room, _) = moderated(store, &room, by)?;
            let (known, writer) = (store.person(person)?, store.writer(room.id, person)?);
            let Some(first_seen) = writer.as_ref().map(|writer| writer.first).or(store.person_since(person)?) else {
                return Err(Error::NotFound);
            };
            let guest = known.as_ref().is_none_or(|known| matches!(known.kind, PersonKind::Guest));
            let name = known.map(|known| known.name).or(writer.map(|writer| writer.name)).unwrap_or_default();
            let tag = if guest { tag(person) } else { String::new() };
            Ok(PersonCard {
                author: Author { id: person, name, tag, role: role(store, &room, person)? },
                first_seen,
                earlier_names: store.earlier_names(person)?,
                messages: store.messages_of(room.id, person, MESSAGES_SHOWN)?,
                actions: store.actions(room.id, None, Some(person), ACTIONS_SHOWN)?,
                muted: muted(store, room.id, person, clock::now())?,
            })
        };
        self.0.desk.read(read).await
    }
}

/// The room, and what the person is there who moderates it.
fn moderated(store: &dyn Store, room: &RoomRef, by: PersonId) -> Result<(Room, Role), Error> {
    let room = find(store, room)?;
    let role = role(store, &room, by)?;
    if role.moderates() { Ok((room, role)) } else { Err(Error::Forbidden) }
}

fn moderator(moderator: StoredModerator) -> Author {
    let StoredModerator { person, guest, name } = moderator;
    Author { id: person, name, tag: if guest { tag(person) } else { String::new() }, role: Role::Moderator }
}

fn ban_record(ban: Ban) -> BanRecord {
    let Ban { person, name, tag, at, by, muted, .. } = ban;
    BanRecord { whom: Author { id: person, name, tag, role: Role::Viewer }, muted, at, by }
}
