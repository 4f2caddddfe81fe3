//! What the chat needs stored.

use crate::error::Error;
use madang_protocol::{
    ActionId, EpochId, PersonId, RoomId, UnixMillis,
    chat::{ActionRecord, Author, CardMessage, Entry, Modes, Muted, Quote, Seq, SystemLine},
};

/// Storage of chats. The store counts a log's entries: whoever appends is told where its entries came to stand.
pub trait ChatStore {
    /// The room's log; `None` before it was opened.
    fn chat_log(&self, room: RoomId) -> Result<Option<ChatLog>, Error>;
    /// Opens the room's log with this epoch, unless it is open already.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown room.
    fn open_chat(&mut self, room: RoomId, epoch: EpochId) -> Result<(), Error>;
    /// Appends entries without a gap after the newest, and gives the place of the first. Notes who wrote.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a log that is not open.
    fn append_chat(&mut self, room: RoomId, entries: &[NewEntry]) -> Result<Seq, Error>;
    /// The newest `limit` entries before `before`, oldest first. Deleted messages are stubs, quotations of them are empty.
    fn chat_before(&self, room: RoomId, before: Option<Seq>, limit: usize) -> Result<Vec<Entry>, Error>;
    /// The oldest `limit` entries after `after`, as [`ChatStore::chat_before`] gives them.
    fn chat_after(&self, room: RoomId, after: Seq, limit: usize) -> Result<Vec<Entry>, Error>;
    /// Forgets entries so that `keep` are left, at most `step` of them, the oldest first.
    fn prune_chat(&mut self, room: RoomId, keep: u64, step: u64) -> Result<(), Error>;

    /// A message, deleted or not; `None` for an entry that is none.
    fn chat_message(&self, room: RoomId, seq: Seq) -> Result<Option<StoredMessage>, Error>;
    /// What the person said under this client id, as [`ChatStore::chat_before`] gives it.
    fn said_as(&self, room: RoomId, person: PersonId, client: &str) -> Result<Option<Entry>, Error>;
    /// The person's newest messages in the room, newest first, deleted ones too.
    fn messages_of(&self, room: RoomId, person: PersonId, limit: usize) -> Result<Vec<CardMessage>, Error>;
    /// Marks messages as deleted by an action; those that were already stay as they are.
    fn delete_messages(&mut self, room: RoomId, seqs: &[Seq], by: ActionId, at: UnixMillis) -> Result<(), Error>;
    /// Takes back what an action deleted; gives which those are, oldest first.
    fn restore_messages(&mut self, room: RoomId, by: ActionId) -> Result<Vec<Seq>, Error>;

    fn set_modes(&mut self, room: RoomId, modes: &Modes) -> Result<(), Error>;
    fn set_filter(&mut self, room: RoomId, words: &[String]) -> Result<(), Error>;
    /// The room's moderators, in the order in which they became that: who, whether they are a guest, their name now.
    fn moderators(&self, room: RoomId) -> Result<Vec<StoredModerator>, Error>;
    /// The rooms in which somebody is a moderator.
    fn moderates(&self, person: PersonId) -> Result<Vec<RoomId>, Error>;
    fn set_moderator(&mut self, room: RoomId, person: PersonId, on: bool, at: UnixMillis) -> Result<(), Error>;

    /// Bans and timeouts that are in force at `now`, oldest first; of one person, or of everyone. The newest `limit` of them.
    fn bans(&self, room: RoomId, person: Option<PersonId>, now: UnixMillis, limit: usize) -> Result<Vec<Ban>, Error>;
    /// Adds a ban, and forgets some that are over by then for so long that nothing about them can be undone.
    fn add_ban(&mut self, room: RoomId, ban: &Ban) -> Result<(), Error>;
    /// Lifts bans, by an action at this time.
    fn lift_bans(&mut self, room: RoomId, bans: &[ActionId], by: ActionId, at: UnixMillis) -> Result<(), Error>;
    /// Puts bans back in force that an action lifted.
    fn unlift_bans(&mut self, room: RoomId, by: ActionId) -> Result<(), Error>;

    /// Notes an action, and forgets all but the newest `keep` of the room.
    fn add_action(&mut self, room: RoomId, action: &StoredAction, keep: u64) -> Result<(), Error>;
    fn action(&self, room: RoomId, id: ActionId) -> Result<Option<StoredAction>, Error>;
    fn action_undone(&mut self, room: RoomId, id: ActionId) -> Result<(), Error>;
    /// Actions of the room, newest first: those before one of them, and those about one person.
    fn actions(
        &self,
        room: RoomId,
        before: Option<ActionId>,
        whom: Option<PersonId>,
        limit: usize,
    ) -> Result<Vec<ActionRecord>, Error>;

    /// What is known of somebody who has written in the room.
    fn writer(&self, room: RoomId, person: PersonId) -> Result<Option<Writer>, Error>;
    /// The last one who wrote under a name (folded), of those with this tag if one is given.
    fn writer_named(&self, room: RoomId, folded: &str, tag: Option<&str>) -> Result<Option<Writer>, Error>;

    /// Since when somebody is kept.
    fn person_since(&self, id: PersonId) -> Result<Option<UnixMillis>, Error>;
    /// Keeps a guest unless they are kept already. Accounts are left alone.
    fn ensure_guest(&mut self, id: PersonId, at: UnixMillis) -> Result<(), Error>;
    /// Remembers what somebody was called until now; the newest `keep` names.
    fn keep_name(&mut self, person: PersonId, name: &str, until: UnixMillis, keep: usize) -> Result<(), Error>;
    /// What somebody was called before, newest first.
    fn earlier_names(&self, person: PersonId) -> Result<Vec<String>, Error>;
    /// Whether an account of somebody else has a login that looks like one of these.
    fn login_looks_like(&self, looks: &[String], except: PersonId) -> Result<bool, Error>;
}

/// A room's log and what is asked of its writers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatLog {
    pub epoch: EpochId,
    /// The newest entry; 0 for none.
    pub last: Seq,
    /// The oldest that is kept.
    pub oldest: Seq,
    pub modes: Modes,
    /// As the words were typed.
    pub filter: Vec<String>,
}

/// An entry to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    pub at: UnixMillis,
    pub what: NewWhat,
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewWhat {
    Say(NewMessage),
    Delete(Vec<Seq>),
    /// The messages as they are when it is read.
    Restore(Vec<Seq>),
    System(SystemLine),
}

/// A message to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    pub author: Author,
    pub text: String,
    pub reply: Option<Quote>,
    /// The browser's id.
    pub id: String,
    /// Where it came from, as bans see it.
    pub prefix: String,
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    pub author: Author,
    pub text: String,
    pub deleted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredModerator {
    pub person: PersonId,
    pub guest: bool,
    pub name: String,
}

/// Somebody who cannot write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// The action that did it.
    pub id: ActionId,
    pub person: PersonId,
    pub name: String,
    pub tag: String,
    pub at: UnixMillis,
    /// The name of who did it.
    pub by: String,
    pub muted: Muted,
    /// Guests who write from there are meant too: `192.0.2.1/32`.
    pub prefixes: Vec<String>,
}

/// An action as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAction {
    pub record: ActionRecord,
    pub by_id: PersonId,
    /// What stood before, as JSON of the act's own kind; empty where that is not needed.
    pub before: String,
}

/// Somebody who has written in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    pub person: PersonId,
    pub first: UnixMillis,
    pub name: String,
    pub tag: String,
    /// Where their last message came from.
    pub prefix: String,
}

#[cfg(test)]
mod conformance;
