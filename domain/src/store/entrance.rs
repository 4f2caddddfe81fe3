//! What rooms that ask for more than their address need stored: passwords, and the links that let people in.

use crate::{error::Error, password::PasswordDigest, token::TokenHash};
use madang_protocol::{LinkId, PasswordId, RoomId, UnixMillis, access::LinkInfo};

/// Storage of what lets people into rooms. Who may do what is decided above.
pub trait EntranceStore {
    /// The room's password; `None` where none was ever set.
    fn room_password(&self, room: RoomId) -> Result<Option<RoomPassword>, Error>;
    /// Puts a password in the place of the one that there was.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown room.
    fn set_room_password(&mut self, room: RoomId, password: &RoomPassword) -> Result<(), Error>;

    /// # Errors
    /// [`Error::NotFound`] for an unknown room.
    fn add_room_link(&mut self, link: &NewLink) -> Result<(), Error>;
    /// The room's links, the newest first.
    fn room_links(&self, room: RoomId) -> Result<Vec<LinkInfo>, Error>;
    /// One link of the room; `None` for another room's.
    fn room_link(&self, room: RoomId, link: LinkId) -> Result<Option<LinkInfo>, Error>;
    /// The room's link with this code; `None` for another room's.
    fn find_room_link(&self, room: RoomId, hash: &TokenHash) -> Result<Option<LinkInfo>, Error>;
    /// Counts a use, if the link lets in somebody new at `now`; says whether it did.
    fn use_room_link(&mut self, room: RoomId, link: LinkId, now: UnixMillis) -> Result<bool, Error>;
    /// Revokes; a link that is revoked already keeps its time.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a link that is not the room's.
    fn revoke_room_link(&mut self, room: RoomId, link: LinkId, at: UnixMillis) -> Result<(), Error>;
    /// Of the room's links that are over at `now`, forgets all but the newest `keep`.
    fn forget_room_links(&mut self, room: RoomId, now: UnixMillis, keep: usize) -> Result<(), Error>;
}

/// A room's password as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomPassword {
    /// Another one for each password.
    pub id: PasswordId,
    pub digest: PasswordDigest,
    pub since: UnixMillis,
}

/// A link to be kept: everything but the code.
#[derive(Clone, Debug)]
pub struct NewLink {
    pub id: LinkId,
    pub room: RoomId,
    pub name: String,
    pub hash: TokenHash,
    pub created: UnixMillis,
    pub ends: UnixMillis,
    /// `None` for any number.
    pub uses: Option<u32>,
}

#[cfg(test)]
mod conformance;
