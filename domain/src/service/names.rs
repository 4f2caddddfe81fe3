//! What people are called.

use super::Domain;
use crate::{
    chat::{ChatLimits, ChatRefused, Filter, Pace, registry::Command},
    clock,
    error::Error,
    looks::{alike, is_reserved, looks},
    person::PersonKind,
    store::Store,
};
use madang_protocol::{
    Field, FieldIssue, PersonId, Problem, RoomId, UnixMillis,
    chat::{ChatRefusal, You},
    validation,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

impl Domain {
    /// Changes a person's shown name, everywhere. `rooms` are those they are in: nobody there may be confused with a badged
    /// one, and no guest has a name there that the room's filter finds. Each of their connections in a chat is sent `You`. A
    /// name that was free here may belong to somebody with a badge in a room that they join later: they have no name there.
    ///
    /// # Errors
    /// [`ChatRefused`]: empty, too long, characters, name taken, filtered, too fast, busy.
    pub async fn rename(&self, person: PersonId, name: &str, rooms: &[RoomId]) -> Result<You, ChatRefused> {
        let name = validation::line(Field::Name, name, validation::NAME_MAX).map_err(|issue| match issue.problem {
            Problem::Empty => ChatRefusal::Empty,
            Problem::TooLong { .. } => ChatRefusal::TooLong,
            _ => ChatRefusal::Characters,
        })?;
        let wanted = looks(&name);
        if is_reserved(&wanted) {
            return Err(ChatRefusal::NameTaken.into());
        }
        let before = self.0.shared.renames.take(person, &self.0.limits.chat)?;
        let renamed = self.renamed(person, name, wanted, rooms.to_vec()).await;
        if renamed.is_err() {
            // A name that cannot be had is no change of names.
            self.0.shared.renames.give_back(person, before);
        }
        renamed
    }

    async fn renamed(
        &self,
        person: PersonId,
        name: String,
        wanted: [String; 2],
        rooms: Vec<RoomId>,
    ) -> Result<You, ChatRefused> {
        let shared = Arc::clone(&self.0.shared);
        let keep = self.0.limits.chat.kept_names;
        let work = move |store: &mut dyn Store| {
            if let Some(refusal) = refusal(store, person, &name, &wanted, &rooms)? {
                return Ok(Err(refusal));
            }
            store.ensure_guest(person, clock::now())?;
            change(store, person, &name, keep)?;
            let mut touched: Vec<RoomId> = store.rooms_of(person)?.iter().map(|room| room.id).collect();
            // A badge's name is nobody else's there, from now on.
            touched.extend(store.moderates(person)?);
            let person = store.person(person)?.ok_or(Error::NotFound)?;
            Ok(Ok((super::chat::you(&person), touched)))
        };
        let after = move |renamed: &Result<(You, Vec<RoomId>), ChatRefusal>| {
            let Ok((you, touched)) = renamed else { return };
            shared.tell_rooms(touched.iter().copied());
            for handle in shared.chats.rooms_of(person).into_iter().filter_map(|room| shared.chats.get(room)) {
                // A task that has ended has nobody to tell.
                drop(handle.inbox.send(Command::Renamed(you.clone())));
            }
        };
        let (you, _) = self.0.desk.write(work, after).await??;
        Ok(you)
    }
}

/// How often people change their names: a few times at once, and then again as time passes.
///
/// The kind of lock: a `std` mutex for one look-up a change.
pub(crate) struct Renames {
    began: Instant,
    paces: Mutex<HashMap<PersonId, Pace>>,
}

impl Default for Renames {
    fn default() -> Self {
        Self { began: Instant::now(), paces: Mutex::default() }
    }
}

/// After this everybody may change their name as often as at first, so nothing is remembered for longer.
const RENAMES_PER: Duration = Duration::from_secs(60);

impl Renames {
    /// Takes one change; gives what to give back if nothing comes of it.
    ///
    /// # Errors
    /// Too fast, and until when.
    fn take(&self, person: PersonId, limits: &ChatLimits) -> Result<Pace, ChatRefused> {
        let now = self.began.elapsed();
        let limits = ChatLimits { burst: limits.renames, rate: limits.renames, rate_per: RENAMES_PER, ..*limits };
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        if paces.len() >= limits.remembered_persons {
            paces.retain(|_, pace| now.saturating_sub(pace.since()) < RENAMES_PER);
            if paces.len() >= limits.remembered_persons {
                return Err(ChatRefusal::Busy.into());
            }
        }
        let pace = paces.entry(person).or_insert_with(Pace::new);
        let before = *pace;
        pace.take(now, &limits, 1).map(|()| before).map_err(|wait| {
            let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            let until = UnixMillis(clock::now().0.saturating_add(wait));
            ChatRefused { reason: ChatRefusal::TooFast, until: Some(until) }
        })
    }

    fn give_back(&self, person: PersonId, before: Pace) {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner).insert(person, before);
    }
}

/// Whether an owner may be called so by the form of their room. What somebody is called already they may go on being called.
///
/// # Errors
/// [`Error::Invalid`] on [`Field::Name`]: it looks like one that is reserved, or like an account's login.
pub(super) fn check_owner(store: &dyn Store, owner: PersonId, before: &str, name: &str) -> Result<(), Error> {
    if before == name {
        return Ok(());
    }
    let wanted = looks(name);
    if is_reserved(&wanted) {
        return Err(FieldIssue::new(Field::Name, Problem::Reserved).into());
    }
    if store.login_looks_like(&wanted, owner)? { Err(Error::taken(Field::Name)) } else { Ok(()) }
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

/// Why somebody cannot have a name: it looks like an account's login, or like that of an owner or a moderator of these rooms; or it
/// is a guest's, and one of the rooms' filters finds it.
fn refusal(
    store: &dyn Store,
    person: PersonId,
    name: &str,
    wanted: &[String; 2],
    rooms: &[RoomId],
) -> Result<Option<ChatRefusal>, Error> {
    if store.login_looks_like(wanted, person)? {
        return Ok(Some(ChatRefusal::NameTaken));
    }
    let guest = store.person(person)?.is_none_or(|person| matches!(person.kind, PersonKind::Guest));
    for id in rooms {
        let Some(room) = store.room(*id)? else { continue };
        let moderators = store.moderators(*id)?;
        let badged = room.owner == person || moderators.iter().any(|moderator| moderator.person == person);
        if room.owner != person && alike(&looks(&room.owner_name), wanted) {
            return Ok(Some(ChatRefusal::NameTaken));
        }
        if moderators.iter().any(|other| other.person != person && alike(&looks(&other.name), wanted)) {
            return Ok(Some(ChatRefusal::NameTaken));
        }
        let words = if guest && !badged { store.chat_log(*id)?.map(|log| log.filter) } else { None };
        if words.is_some_and(|words| Filter::new(&words).finds(name).is_some()) {
            return Ok(Some(ChatRefusal::Filtered));
        }
    }
    Ok(None)
}
