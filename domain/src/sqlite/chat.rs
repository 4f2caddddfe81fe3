//! [`ChatStore`] on SQLite. The statements are in the modules below, by subject.

mod actions;
mod bans;
mod entries;
mod rooms;
mod writers;

use super::SqliteStore;
use crate::{
    error::Error,
    store::{Ban, ChatLog, ChatStore, NewEntry, StoredAction, StoredMessage, StoredModerator, Writer},
};
use madang_protocol::{
    ActionId, EpochId, PersonId, RoomId, UnixMillis,
    chat::{ActionRecord, CardMessage, Entry, Modes, Seq},
};

impl ChatStore for SqliteStore {
    fn chat_log(&self, room: RoomId) -> Result<Option<ChatLog>, Error> {
        rooms::log(&self.connection, room)
    }

    fn open_chat(&mut self, room: RoomId, epoch: EpochId) -> Result<(), Error> {
        rooms::open(&self.connection, room, epoch)
    }

    fn append_chat(&mut self, room: RoomId, entries: &[NewEntry]) -> Result<Seq, Error> {
        self.atomically(|store| entries::append(&store.connection, room, entries))
    }

    fn chat_before(&self, room: RoomId, before: Option<Seq>, limit: usize) -> Result<Vec<Entry>, Error> {
        entries::before(&self.connection, room, before, limit)
    }

    fn chat_after(&self, room: RoomId, after: Seq, limit: usize) -> Result<Vec<Entry>, Error> {
        entries::after(&self.connection, room, after, limit)
    }

    fn prune_chat(&mut self, room: RoomId, keep: u64, step: u64) -> Result<(), Error> {
        self.atomically(|store| entries::prune(&store.connection, room, keep, step))
    }

    fn chat_message(&self, room: RoomId, seq: Seq) -> Result<Option<StoredMessage>, Error> {
        entries::message_of(&self.connection, room, seq)
    }

    fn said_as(&self, room: RoomId, person: PersonId, client: &str) -> Result<Option<Entry>, Error> {
        entries::said_as(&self.connection, room, person, client)
    }

    fn messages_of(&self, room: RoomId, person: PersonId, limit: usize) -> Result<Vec<CardMessage>, Error> {
        entries::messages_of(&self.connection, room, person, limit)
    }

    fn delete_messages(&mut self, room: RoomId, seqs: &[Seq], by: ActionId, at: UnixMillis) -> Result<(), Error> {
        self.atomically(|store| entries::delete(&store.connection, room, seqs, by, at))
    }

    fn restore_messages(&mut self, room: RoomId, by: ActionId) -> Result<Vec<Seq>, Error> {
        self.atomically(|store| entries::restore(&store.connection, room, by))
    }

    fn set_modes(&mut self, room: RoomId, modes: &Modes) -> Result<(), Error> {
        rooms::set_modes(&self.connection, room, modes)
    }

    fn set_filter(&mut self, room: RoomId, words: &[String]) -> Result<(), Error> {
        rooms::set_filter(&self.connection, room, words)
    }

    fn moderators(&self, room: RoomId) -> Result<Vec<StoredModerator>, Error> {
        rooms::moderators(&self.connection, room)
    }

    fn moderates(&self, person: PersonId) -> Result<Vec<RoomId>, Error> {
        rooms::moderated_by(&self.connection, person)
    }

    fn set_moderator(&mut self, room: RoomId, person: PersonId, on: bool, at: UnixMillis) -> Result<(), Error> {
        rooms::set_moderator(&self.connection, room, person, on, at)
    }

    fn bans(&self, room: RoomId, person: Option<PersonId>, now: UnixMillis, limit: usize) -> Result<Vec<Ban>, Error> {
        bans::in_force(&self.connection, room, person, now, limit)
    }

    fn add_ban(&mut self, room: RoomId, ban: &Ban) -> Result<(), Error> {
        self.atomically(|store| bans::add(&store.connection, room, ban))
    }

    fn lift_bans(&mut self, room: RoomId, bans: &[ActionId], by: ActionId, at: UnixMillis) -> Result<(), Error> {
        self.atomically(|store| bans::lift(&store.connection, room, bans, by, at))
    }

    fn unlift_bans(&mut self, room: RoomId, by: ActionId) -> Result<(), Error> {
        bans::unlift(&self.connection, room, by)
    }

    fn add_action(&mut self, room: RoomId, action: &StoredAction, keep: u64) -> Result<(), Error> {
        self.atomically(|store| actions::add(&store.connection, room, action, keep))
    }

    fn action(&self, room: RoomId, id: ActionId) -> Result<Option<StoredAction>, Error> {
        actions::one(&self.connection, room, id)
    }

    fn action_undone(&mut self, room: RoomId, id: ActionId) -> Result<(), Error> {
        actions::undone(&self.connection, room, id)
    }

    fn actions(
        &self,
        room: RoomId,
        before: Option<ActionId>,
        whom: Option<PersonId>,
        limit: usize,
    ) -> Result<Vec<ActionRecord>, Error> {
        actions::page(&self.connection, room, before, whom, limit)
    }

    fn writer(&self, room: RoomId, person: PersonId) -> Result<Option<Writer>, Error> {
        writers::one(&self.connection, room, person)
    }

    fn writer_named(&self, room: RoomId, folded: &str, tag: Option<&str>) -> Result<Option<Writer>, Error> {
        writers::named(&self.connection, room, folded, tag)
    }

    fn person_since(&self, id: PersonId) -> Result<Option<UnixMillis>, Error> {
        writers::person_since(&self.connection, id)
    }

    fn ensure_guest(&mut self, id: PersonId, at: UnixMillis) -> Result<(), Error> {
        writers::ensure_guest(&self.connection, id, at)
    }

    fn keep_name(&mut self, person: PersonId, name: &str, until: UnixMillis, keep: usize) -> Result<(), Error> {
        self.atomically(|store| writers::keep_name(&store.connection, person, name, until, keep))
    }

    fn earlier_names(&self, person: PersonId) -> Result<Vec<String>, Error> {
        writers::earlier_names(&self.connection, person)
    }

    fn login_looks_like(&self, looks: &[String], except: PersonId) -> Result<bool, Error> {
        writers::login_looks_like(&self.connection, looks, except)
    }
}

/// A count as SQLite takes it.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn stored(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

fn seq(stored: i64) -> Seq {
    Seq(u64::try_from(stored).unwrap_or(0))
}

/// Texts as they are stored.
fn texts_json(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}
