//! What people are called.

use super::Domain;
use crate::{
    chat::{ChatRefused, registry::Command},
    clock,
    error::Error,
    looks::{alike, is_reserved, looks},
    person::PersonKind,
    store::Store,
};
use madang_protocol::{
    Field, FieldIssue, PersonId, Problem, RoomId,
    chat::{ChatRefusal, You},
    validation,
};
use std::sync::Arc;

impl Domain {
    /// Changes a person's shown name, everywhere. `rooms` are those they are in: nobody there may be confused with a badged
    /// one. Each of their connections in a chat is sent `You`. A name that was free here may belong to somebody with a badge
    /// in a room that they join later: they have no name there.
    ///
    /// # Errors
    /// [`ChatRefused`]: empty, too long, characters, name taken, busy.
    pub async fn rename(&self, person: PersonId, name: &str, rooms: &[RoomId]) -> Result<You, ChatRefused> {
        let name = validation::line(Field::Name, name, validation::NAME_MAX).map_err(|issue| match issue.problem {
            Problem::Empty => ChatRefusal::Empty,
            Problem::TooLong { .. } => ChatRefusal::TooLong,
            _ => ChatRefusal::Characters,
        })?;
        let rooms = rooms.to_vec();
        let shared = Arc::clone(&self.0.shared);
        let keep = self.0.limits.chat.kept_names;
        let wanted = looks(&name);
        if is_reserved(&wanted) {
            return Err(ChatRefusal::NameTaken.into());
        }
        let work = move |store: &mut dyn Store| {
            if is_taken(store, person, &wanted, &rooms)? {
                return Ok(None);
            }
            store.ensure_guest(person, clock::now())?;
            change(store, person, &name, keep)?;
            let touched: Vec<RoomId> = store.rooms_of(person)?.iter().map(|room| room.id).collect();
            Ok(store.person(person)?.map(|person| (person, touched)))
        };
        let after = move |renamed: &Option<(crate::Person, Vec<RoomId>)>| {
            let Some((person, touched)) = renamed else { return };
            shared.tell_rooms(touched.iter().copied());
            shared.chats.each(|handle| {
                let renamed = Command::Renamed { person: person.id, name: person.name.clone() };
                // A task that has ended has nobody to tell.
                drop(handle.inbox.send(renamed));
            });
        };
        let renamed = self.0.desk.write(work, after).await?;
        let (person, _) = renamed.ok_or(ChatRefusal::NameTaken)?;
        Ok(self.you(Some(&person)))
    }
}

/// # Errors
/// [`Error::Invalid`] on [`Field::Name`] for a name that looks like an account's, and for an account, which is shown without a tag,
/// also for one that is kept for the house.
pub(super) fn must_be_free(store: &dyn Store, person: PersonId, name: &str) -> Result<(), Error> {
    let wanted = looks(name);
    if store.login_looks_like(&wanted, person)? {
        return Err(Error::taken(Field::Name));
    }
    let known = store.person(person)?.map(|person| person.kind);
    if matches!(known, Some(PersonKind::Account { .. })) && is_reserved(&wanted) {
        return Err(FieldIssue::new(Field::Name, Problem::Reserved).into());
    }
    Ok(())
}

/// Gives somebody another name, and remembers the one they had.
pub(super) fn change(store: &mut dyn Store, person: PersonId, name: &str, keep: usize) -> Result<(), Error> {
    let before = store.person(person)?.ok_or(Error::NotFound)?.name;
    if before == name {
        return Ok(());
    }
    if !before.is_empty() {
        store.keep_name(person, &before, clock::now(), keep)?;
    }
    store.rename_person(person, name)
}

/// Whether a name looks like an account's login, or like that of an owner or a moderator of these rooms.
fn is_taken(store: &dyn Store, person: PersonId, wanted: &[String; 2], rooms: &[RoomId]) -> Result<bool, Error> {
    if store.login_looks_like(wanted, person)? {
        return Ok(true);
    }
    for id in rooms {
        let Some(room) = store.room(*id)? else { continue };
        if room.owner != person && alike(&looks(&room.owner_name), wanted) {
            return Ok(true);
        }
        let moderators = store.moderators(*id)?;
        if moderators.iter().any(|other| other.person != person && alike(&looks(&other.name), wanted)) {
            return Ok(true);
        }
    }
    Ok(false)
}
