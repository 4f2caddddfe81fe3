//! Chat, as the server asks for it: joining, reading, system lines and counts.

use super::{Domain, Inner};
use crate::{
    chat::{
        ChatLimits, ChatRefused, ChatTotals, Chatter, Filter, Member, Outbox, Place, RoomRef,
        prefix::prefix,
        registry::{Command, Join, Joined},
        tag::tag,
    },
    clock,
    error::Error,
    person::{Person, PersonKind},
    random,
    room::Room,
    site::{Class, Site},
    store::{NewEntry, NewWhat, Store},
};
use madang_protocol::{
    ActionId, EpochId, PersonId, RoomId, UnixMillis,
    chat::{
        Act, ChatRefusal, ChatState, Entry, HISTORY_ON_JOIN, Modes, Muted, Role, Seq, Since, Standing, SystemLine, You,
    },
};
use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Bans and timeouts that are looked at for one person.
const BANS_OF_ONE: usize = 100;
/// How often a task that ends at that very moment is asked for again.
const TRIES: usize = 5;

impl Domain {
    /// A queue for one connection, as large as the limits say.
    pub fn outbox(&self) -> Outbox {
        let limits = self.chat_limits();
        Outbox::new(limits.member_queue_messages, limits.member_queue_bytes)
    }

    pub fn chat_limits(&self) -> &ChatLimits {
        &self.0.limits.chat
    }

    /// Joins a room's chat. Events of the room come through `outbox` from then on; the state must be sent before anything
    /// that is taken from the outbox after this returns. Entries after `state.seq` follow as events, none twice.
    ///
    /// # Errors
    /// [`Error::NotFound`] for no such room; [`Error::Busy`], [`Error::Storage`].
    pub async fn join_chat(
        &self,
        room: impl Into<RoomRef>,
        chatter: Chatter,
        since: Option<Since>,
        outbox: &Outbox,
    ) -> Result<(ChatState, Member), Error> {
        let room = room.into();
        for _ in 0..TRIES {
            let (wanted, person) = (room.clone(), chatter.person);
            let read = move |store: &dyn Store| {
                let room = find(store, &wanted)?;
                let person = person.map(|person| store.person(person)).transpose()?.flatten();
                Ok((room.id, person))
            };
            let (id, person) = self.0.desk.read::<_, Error>(read).await?;
            let handle = self.chat(id);
            let seat = handle.shared.new_seat();
            let (answer, answered) = oneshot::channel();
            let account = person.as_ref().is_some_and(|person| person.kind != PersonKind::Guest);
            let guest_from = (!account).then_some(chatter.address);
            let join = Join { seat, chatter, person, since, outbox: outbox.clone(), answer };
            let sent = handle.inbox.send(Command::Join(Box::new(join)));
            let place = Place { seat, handle };
            if sent.is_err() {
                continue;
            }
            // Nobody answers at the door of a task that has just ended.
            let Ok(joined) = answered.await else { continue };
            let member = Member {
                room: id,
                place,
                person: chatter.person,
                guest_from,
                outbox: outbox.clone(),
                domain: self.clone(),
            };
            return Ok((state(joined), member));
        }
        Err(Error::Busy)
    }

    /// The chat as somebody sees it who only looks: for pages rendered on the server. Starts nothing. A guest's ban by
    /// address is not in it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn chat_page(&self, room: impl Into<RoomRef>, person: Option<PersonId>) -> Result<ChatState, Error> {
        let room = room.into();
        let shared = Arc::clone(&self.0.shared);
        self.0.desk.read(move |store| page(store, &find(store, &room)?, person, &shared.site())).await
    }

    /// Up to 200 entries before `before`, oldest first, and whether there are older ones still.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn chat_history(&self, room: impl Into<RoomRef>, before: Seq) -> Result<(Vec<Entry>, bool), Error> {
        let room = room.into();
        let read = move |store: &dyn Store| {
            let room = match room {
                RoomRef::Id(id) => id,
                RoomRef::Slug(_) => find(store, &room)?.id,
            };
            let oldest = store.chat_log(room)?.map_or(Seq(1), |log| log.oldest);
            let entries = store.chat_before(room, Some(before), HISTORY_ON_JOIN)?;
            let more = entries.first().is_some_and(|entry| entry.seq > oldest);
            Ok((entries, more))
        };
        self.0.desk.read(read).await
    }

    /// Puts a system line into a room's chat, whether or not anybody is there. Never waits; a failure is logged.
    pub fn chat_system(&self, room: RoomId, line: SystemLine) {
        let line = match self.0.shared.chats.get(room) {
            None => line,
            Some(handle) => match handle.inbox.send(Command::System(line)) {
                Ok(()) => return,
                Err(unsent) => match unsent.0 {
                    Command::System(line) => line,
                    _ => return,
                },
            },
        };
        self.0.append_line(room, line);
    }

    /// Counts a message of somebody, whatever room it is for.
    ///
    /// # Errors
    /// How long until there may be another.
    pub(crate) fn paced(&self, person: PersonId, guest_from: Option<IpAddr>) -> Result<(), Duration> {
        let now = Instant::now();
        self.0.door.messages.take(&person.to_string(), now)?;
        // After that: one who writes too fast takes nothing from the others behind the same address.
        guest_from.map_or(Ok(()), |from| self.0.door.guests.take(&prefix(from, &self.0.limits.chat), now))
    }

    /// Says how many watch the room. Never waits; nothing happens when nobody is in its chat.
    pub fn chat_watching(&self, room: RoomId, watching: u32) {
        if let Some(handle) = self.0.shared.chats.get(room)
            && handle.shared.watching.swap(watching, Ordering::AcqRel) != watching
        {
            handle.shared.some.notify_one();
        }
    }

    /// Distinct people in the room's chat now.
    pub fn chatting(&self, room: RoomId) -> u32 {
        self.0.shared.chats.get(room).map_or(0, |handle| handle.shared.chatting.load(Ordering::Acquire))
    }

    /// For whoever watches over the server.
    pub fn chat_totals(&self) -> ChatTotals {
        self.0.shared.chats.totals()
    }

    /// How somebody is known: for `Hello`.
    pub fn you(&self, person: Option<&Person>) -> You {
        person.map_or_else(You::default, you)
    }

    /// Does what a moderator does, for pages without a connection to the chat. Gives what it can be undone by.
    ///
    /// # Errors
    /// [`ChatRefused`].
    pub async fn moderate(
        &self,
        room: impl Into<RoomRef>,
        by: PersonId,
        act: Act,
        reason: &str,
    ) -> Result<Option<ActionId>, ChatRefused> {
        let room = room.into();
        for _ in 0..TRIES {
            let wanted = room.clone();
            let id = self.0.desk.read::<_, Error>(move |store| Ok(find(store, &wanted)?.id)).await?;
            let (answer, answered) = oneshot::channel();
            let command = Command::Act { by, act: act.clone(), reason: reason.to_owned(), answer };
            if self.chat(id).inbox.send(command).is_err() {
                continue;
            }
            if let Ok(done) = answered.await {
                return done;
            }
        }
        Err(ChatRefusal::Busy.into())
    }

    /// Which of `words` a text would be refused for, for the filter's test box.
    pub fn test_filter(words: &[String], text: &str) -> Option<String> {
        Filter::new(words).finds(text).map(str::to_owned)
    }

    /// The room's task, started if there is none.
    fn chat(&self, room: RoomId) -> crate::chat::registry::Handle {
        let watching = self.0.shared.on_air().status(room).watching;
        self.0.shared.chats.get_or_start(&self.0, room, watching)
    }
}

impl Inner {
    /// Appends a system line without the room's task; if there is one by then, it catches up.
    pub(crate) fn append_line(&self, room: RoomId, line: SystemLine) {
        let shared = Arc::clone(&self.shared);
        let work = move |store: &mut dyn Store| {
            if store.chat_log(room)?.is_none() {
                store.open_chat(room, EpochId::from_random(random::bits()?))?;
            }
            store.append_chat(room, &[NewEntry { at: clock::now(), what: NewWhat::System(line) }])
        };
        let done = move |kept: Result<Seq, Error>| match kept {
            Ok(_) => {
                if let Some(handle) = shared.chats.get(room) {
                    handle.shared.signal(&handle.shared.catch_up);
                }
            }
            Err(error) => tracing::warn!(%room, %error, "a system line could not be kept"),
        };
        if let Err(error) = self.desk.post(work, done) {
            tracing::warn!(%room, %error, "a system line could not be kept");
        }
    }
}

/// How somebody is known.
pub(super) fn you(person: &Person) -> You {
    let tag = if matches!(person.kind, PersonKind::Guest) { tag(person.id) } else { String::new() };
    You { id: Some(person.id), name: person.name.clone(), tag }
}

pub(super) fn find(store: &dyn Store, room: &RoomRef) -> Result<Room, Error> {
    match room {
        RoomRef::Id(id) => store.room(*id)?,
        RoomRef::Slug(slug) => store.room_by_slug(slug)?,
    }
    .ok_or(Error::NotFound)
}

fn state(joined: Joined) -> ChatState {
    let Joined { epoch, standing, modes, entries, seq, resumed, more } = joined;
    let entries = entries.iter().map(|entry| Entry::clone(entry)).collect();
    ChatState { epoch, standing, modes, entries, seq, resumed, more }
}

fn page(store: &dyn Store, room: &Room, person: Option<PersonId>, site: &Site) -> Result<ChatState, Error> {
    let standing = match person {
        None => Standing::default(),
        Some(person) => standing(store, room, person, site, clock::now())?,
    };
    let entries = store.chat_before(room.id, None, HISTORY_ON_JOIN)?;
    let log = store.chat_log(room.id)?;
    let oldest = log.as_ref().map_or(Seq(1), |log| log.oldest);
    Ok(ChatState {
        // A log that is not open yet has no epoch to resume by.
        epoch: log.as_ref().map_or(EpochId::from_random(0), |log| log.epoch),
        standing,
        modes: log.map_or_else(Modes::default, |log| log.modes),
        seq: entries.last().map(|entry| entry.seq).unwrap_or_default(),
        more: entries.first().is_some_and(|entry| entry.seq > oldest),
        entries,
        resumed: false,
    })
}

/// What somebody may do in a room, as the database knows.
fn standing(store: &dyn Store, room: &Room, person: PersonId, site: &Site, now: UnixMillis) -> Result<Standing, Error> {
    let role = role(store, room, person)?;
    let class = store.person(person)?.map_or(Class::Guest, |known| Class::of(&known.kind));
    if let Some(ban) = site.banned(Some(person), class, None, now) {
        return Ok(Standing {
            role,
            muted: Some(Muted { banned: true, until: ban.until, reason: ban.reason.clone() }),
        });
    }
    Ok(Standing { role, muted: if role.moderates() { None } else { muted(store, room.id, person, now)? } })
}

pub(super) fn role(store: &dyn Store, room: &Room, person: PersonId) -> Result<Role, Error> {
    if room.owner == person {
        return Ok(Role::Owner);
    }
    let known = store.person(person)?;
    let administers = known.is_some_and(|known| matches!(known.kind, PersonKind::Account { admin: true, .. }));
    let moderates = administers || store.moderators(room.id)?.iter().any(|moderator| moderator.person == person);
    Ok(if moderates { Role::Moderator } else { Role::Viewer })
}

/// Of several bans the one that holds longest.
pub(super) fn muted(
    store: &dyn Store,
    room: RoomId,
    person: PersonId,
    now: UnixMillis,
) -> Result<Option<Muted>, Error> {
    let bans = store.bans(room, Some(person), now, BANS_OF_ONE)?;
    let muted = bans.into_iter().map(|ban| ban.muted);
    Ok(muted.max_by_key(|muted| (muted.banned, muted.until.map_or(i64::MAX, |until| until.0))))
}
