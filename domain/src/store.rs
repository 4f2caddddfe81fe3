//! What the domain needs stored, in the domain's words. [`crate::SqliteStore`] is the embedded default; whatever else is
//! written one day passes the same conformance tests.

mod accounts;
mod admin;
mod chat;
mod entrance;

pub use accounts::{
    AccountStore, FoundSession, NewInvitation, NewSession, StoredAccount, StoredInvitation, StoredSession,
};
pub use admin::{AdminStore, SiteAction, SiteBan, StoredPerson};
pub use chat::{
    Ban, ChatLog, ChatStore, NewEntry, NewMessage, NewWhat, StoredAction, StoredMessage, StoredModerator, Writer,
};

pub use entrance::{EntranceStore, NewLink, RoomPassword};

use crate::{
    error::{BackupError, Error},
    key::KeyHash,
    password::PasswordDigest,
    person::Person,
    room::Room,
};
use madang_protocol::{
    KeyId, PersonId, RoomId, RoomSlug, UnixMillis, Visibility,
    studio::{KeyUse, StreamKeyInfo},
};
use std::path::Path;

/// Storage of the domain. Synchronous: the domain calls it on threads of its own.
///
/// Who may do what, and how many of it, is decided above: a store keeps what it is given, and refuses only what would
/// break its own rules (a slug or a login twice, a room of nobody).
pub trait Store: AccountStore + AdminStore + ChatStore + EntranceStore + Send {
    /// Runs `work` so that all of its changes are kept, or none when it gives an error. Inside another `together` only the
    /// inner changes are undone. When the outermost returns without an error, the changes survive a loss of power.
    ///
    /// # Errors
    /// What `work` gives, or a failure to begin or to keep.
    fn together(&mut self, work: &mut dyn FnMut(&mut dyn Store) -> Result<(), Error>) -> Result<(), Error>;

    /// Whether another connection or process has written since the last call; false on the first.
    fn changed_by_others(&mut self) -> Result<bool, Error>;

    /// Writes a copy of everything into a new file, as it is at one moment, beside running writers.
    ///
    /// # Errors
    /// [`BackupError::Exists`] rather than overwriting.
    fn backup(&self, to: &Path) -> Result<(), BackupError>;

    // Persons

    /// Keeps a new guest.
    fn add_guest(&mut self, id: PersonId, name: &str, at: UnixMillis) -> Result<(), Error>;
    /// Keeps a new account; one who was a guest of that id is the account from then on, by its name. `login` is folded already.
    ///
    /// # Errors
    /// [`Error::Invalid`] (name taken) when another account has the login; [`Error::Forbidden`] when the person is an account already.
    fn add_account(&mut self, account: &NewAccount<'_>) -> Result<(), Error>;
    fn person(&self, id: PersonId) -> Result<Option<Person>, Error>;
    /// The account with this folded login.
    fn account(&self, login: &str) -> Result<Option<Person>, Error>;
    /// The digest of the account's password; `None` for a guest.
    fn password(&self, id: PersonId) -> Result<Option<PasswordDigest>, Error>;
    /// Changes the shown name.
    fn rename_person(&mut self, id: PersonId, name: &str) -> Result<(), Error>;

    // Rooms

    /// Keeps a new room; its `owner_name` is the owner's business and is not stored with it.
    ///
    /// # Errors
    /// [`Error::Invalid`] (slug taken, whatever the case of its letters), [`Error::NotFound`] for an unknown owner.
    fn add_room(&mut self, room: &Room) -> Result<(), Error>;
    /// Changes what a form can change, the slug included.
    ///
    /// # Errors
    /// As [`Store::add_room`].
    fn change_room(&mut self, room: &Room) -> Result<(), Error>;
    /// Forgets the room, its keys and its broadcasts.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn remove_room(&mut self, id: RoomId) -> Result<(), Error>;
    fn room(&self, id: RoomId) -> Result<Option<Room>, Error>;
    fn room_by_slug(&self, slug: &RoomSlug) -> Result<Option<Room>, Error>;
    /// The person's rooms, oldest first.
    fn rooms_of(&self, owner: PersonId) -> Result<Vec<Room>, Error>;
    /// Every room, oldest first.
    fn rooms(&self) -> Result<Vec<Room>, Error>;
    /// Public rooms: first those of `on_air` in its order, then the others by newest last broadcast, then by newest;
    /// `limit` in all. One query, whatever the number.
    fn directory(&self, on_air: &[RoomId], limit: usize) -> Result<Vec<ListedRoom>, Error>;

    // Stream keys

    /// # Errors
    /// [`Error::NotFound`] for an unknown room.
    fn add_stream_key(&mut self, key: &NewKey) -> Result<StreamKeyInfo, Error>;
    /// The room's keys: those that work first, oldest first; then the revoked, newest first.
    fn stream_keys(&self, room: RoomId) -> Result<Vec<StreamKeyInfo>, Error>;
    fn find_stream_key(&self, hash: &KeyHash) -> Result<Option<FoundKey>, Error>;
    /// One key of the room; `None` for another room's.
    fn stream_key(&self, room: RoomId, key: KeyId) -> Result<Option<StreamKeyInfo>, Error>;
    /// Notes the key's last use.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn stream_key_used(&mut self, key: KeyId, usage: &KeyUse) -> Result<(), Error>;
    /// Revokes; a key that is revoked already keeps its time.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a key that is not the room's.
    fn revoke_stream_key(&mut self, room: RoomId, key: KeyId, at: UnixMillis) -> Result<(), Error>;
    /// Revokes `old`, a key of the same room, and keeps `new`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a key that is not the room's or is revoked.
    fn rotate_stream_key(&mut self, old: KeyId, new: &NewKey) -> Result<StreamKeyInfo, Error>;
    /// Forgets all but the newest `keep` revoked keys of the room.
    fn forget_revoked_keys(&mut self, room: RoomId, keep: usize) -> Result<(), Error>;

    // Broadcasts

    /// Opens the room's broadcast. One that is open already goes on.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown room.
    fn start_broadcast(&mut self, broadcast: &NewBroadcast) -> Result<(), Error>;
    /// Notes that all open broadcasts still run, so that a crash ends them here.
    fn broadcasts_seen(&mut self, at: UnixMillis) -> Result<(), Error>;
    /// Closes the room's open broadcast, if there is one, and says whether there was.
    fn end_broadcast(&mut self, room: RoomId, at: UnixMillis) -> Result<bool, Error>;
    /// Closes every open broadcast at the moment it was last seen; gives their rooms.
    fn end_broadcasts_left_open(&mut self) -> Result<Vec<RoomId>, Error>;
}

/// An account to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewAccount<'a> {
    pub id: PersonId,
    /// Folded.
    pub login: &'a str,
    /// As shown.
    pub name: &'a str,
    pub password: &'a PasswordDigest,
    pub admin: bool,
    pub at: UnixMillis,
}

/// A stream key to be kept: everything but the key.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub id: KeyId,
    pub room: RoomId,
    pub name: String,
    pub hash: KeyHash,
    pub created: UnixMillis,
}

/// A stream key as it is found by its hash.
#[derive(Clone, Debug)]
pub struct FoundKey {
    pub id: KeyId,
    pub hash: KeyHash,
    pub room: RoomId,
    pub slug: RoomSlug,
    pub revoked: Option<UnixMillis>,
}

/// A room as a list needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRoom {
    pub id: RoomId,
    pub slug: RoomSlug,
    pub title: String,
    pub owner_name: String,
    pub category: String,
    pub tags: Vec<String>,
    pub language: String,
    pub visibility: Visibility,
    pub last_live: Option<UnixMillis>,
}

/// A broadcast that begins.
#[derive(Clone, Debug)]
pub struct NewBroadcast {
    pub room: RoomId,
    /// The key it came with, where the media side knows it.
    pub key: Option<KeyId>,
    pub started: UnixMillis,
    /// What the encoder calls itself; empty when it did not say.
    pub encoder: String,
}

#[cfg(test)]
mod conformance;
