//! Somebody in a room's chat: what joins, and the handle by which a connection speaks.

use super::{ChatRefused, Outbox};
use madang_protocol::{
    PersonId, RoomId, RoomSlug,
    chat::{Act, Entry, PersonCard, Seq},
};
use std::net::IpAddr;

/// Who joins a chat, as the connection knows them. Names and rights are the domain's to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chatter {
    /// By their cookie; `None` for a browser that keeps none, which can only read.
    pub person: Option<PersonId>,
    /// What tells browsers without a person apart, so that each is counted once: any number, such as a random one for each
    /// connection. Not looked at when there is a person.
    pub browser: u64,
    pub address: IpAddr,
}

/// A room, as the caller has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomRef {
    Id(RoomId),
    Slug(RoomSlug),
}

impl From<RoomId> for RoomRef {
    fn from(id: RoomId) -> Self {
        Self::Id(id)
    }
}

impl From<&RoomSlug> for RoomRef {
    fn from(slug: &RoomSlug) -> Self {
        Self::Slug(slug.clone())
    }
}

/// A connection's place in a room's chat. Dropping it leaves.
pub struct Member {
    room: RoomId,
    outbox: Outbox,
}

impl Member {
    /// The room, whatever its slug is now.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// Says something. Never waits; the answer comes through the outbox: the entry that everyone is sent, or `Rejected` with
    /// `id`. An `id` that this person has used lately is not said again, but confirmed again.
    pub fn say(&self, text: &str, id: &str, reply: Option<Seq>) {
        let _ = (text, id, reply, &self.outbox);
    }

    /// Does what a moderator does. Never waits; the answer, `Done` or `Rejected` with `id`, comes through the outbox.
    pub fn moderate(&self, act: Act, reason: &str, id: &str) {
        let _ = (act, reason, id);
    }

    /// Up to 200 entries before `before`, oldest first, and whether there are older ones still.
    ///
    /// # Errors
    /// [`ChatRefused`] (busy).
    pub async fn history(&self, before: Seq) -> Result<(Vec<Entry>, bool), ChatRefused> {
        let _ = before;
        Ok((Vec::new(), false))
    }

    /// What a moderator may know of somebody.
    ///
    /// # Errors
    /// [`ChatRefused`]: not a moderator, nobody known here, busy.
    pub async fn card(&self, person: PersonId) -> Result<PersonCard, ChatRefused> {
        let _ = person;
        Err(madang_protocol::chat::ChatRefusal::Busy.into())
    }
}
