//! Somebody in a room's chat: what joins, and the handle by which a connection speaks.

use super::{
    ChatRefused, Outbox,
    registry::{Command, Handle},
    room::Said,
};
use crate::{clock, service::Domain};
use madang_protocol::{
    PersonId, RoomId, RoomSlug, UnixMillis,
    chat::{self, Act, CLIENT_ID_MAX, ChatRefusal, Entry, PersonCard, Seq},
    realtime::ServerEvent,
};
use std::{net::IpAddr, sync::atomic::Ordering};

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

/// A seat in a room, made before it is asked for: dropping it leaves, whether or not anybody still waits for the answer.
pub(crate) struct Place {
    pub(crate) seat: u64,
    pub(crate) handle: Handle,
}

impl Drop for Place {
    fn drop(&mut self) {
        // A task that has ended has nobody in it.
        drop(self.handle.inbox.send(Command::Leave { seat: self.seat }));
    }
}

/// A connection's place in a room's chat. Dropping it leaves, once, from any thread and without waiting.
pub struct Member {
    pub(crate) room: RoomId,
    pub(crate) place: Place,
    pub(crate) person: Option<PersonId>,
    /// The address that a guest writes from: another cookie is no larger allowance.
    pub(crate) guest_from: Option<IpAddr>,
    pub(crate) outbox: Outbox,
    pub(crate) domain: Domain,
}

impl Member {
    /// The room, whatever its slug is now.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// Says something. Never waits; the answer comes through the outbox: the entry that everyone is sent, or `Rejected` with
    /// `id`. An `id` that this person has used lately is not said again, but confirmed again. A text that begins with `//` is
    /// said with one slash; one that begins with a single `/` is a command that nobody understood, and is refused.
    pub fn say(&self, text: &str, id: &str, reply: Option<Seq>) {
        let refuse = |reason| self.refuse(id, reason);
        if id.len() > CLIENT_ID_MAX {
            return refuse(ChatRefusal::TooLong);
        }
        let text = match chat::message_text(text) {
            Ok(text) => text,
            Err(problem) => return refuse(problem.into()),
        };
        let Some(text) = chat::unescaped(&text) else { return refuse(ChatRefusal::UnknownCommand) };
        if let Err(wait) = self.person.map_or(Ok(()), |person| self.domain.paced(person, self.guest_from)) {
            let until =
                Some(UnixMillis(clock::now().0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))));
            let id = id.to_owned();
            return self.outbox.tell(ServerEvent::Rejected { id, reason: ChatRefusal::TooFast, until });
        }
        let said = Said { has_link: chat::has_link(text), text: text.to_owned(), id: id.to_owned(), reply };
        self.send(id, Command::Say { seat: self.place.seat, said });
    }

    /// Does what a moderator does. Never waits; the answer, `Done` or `Rejected` with `id`, comes through the outbox.
    pub fn moderate(&self, act: Act, reason: &str, id: &str) {
        let (reason, id_) = (reason.to_owned(), id.to_owned());
        self.send(id, Command::ActHere { seat: self.place.seat, act, reason, id: id_ });
    }

    /// Up to 200 entries before `before`, oldest first, and whether there are older ones still.
    ///
    /// # Errors
    /// [`ChatRefused`] (busy).
    pub async fn history(&self, before: Seq) -> Result<(Vec<Entry>, bool), ChatRefused> {
        Ok(self.domain.chat_history(self.room, before).await?)
    }

    /// What a moderator may know of somebody.
    ///
    /// # Errors
    /// [`ChatRefused`]: not a moderator, nobody known here, busy.
    pub async fn card(&self, person: PersonId) -> Result<PersonCard, ChatRefused> {
        let by = self.person.ok_or(ChatRefusal::NotAllowed)?;
        Ok(self.domain.person_card(by, self.room, person).await?)
    }

    fn send(&self, id: &str, command: Command) {
        let Handle { inbox, shared } = &self.place.handle;
        if shared.waiting.fetch_add(1, Ordering::AcqRel) >= self.domain.chat_limits().waiting {
            shared.waiting.fetch_sub(1, Ordering::AcqRel);
            return self.refuse(id, ChatRefusal::Busy);
        }
        if inbox.send(command).is_err() {
            // The room was deleted.
            shared.waiting.fetch_sub(1, Ordering::AcqRel);
            self.refuse(id, ChatRefusal::NotJoined);
        }
    }

    fn refuse(&self, id: &str, reason: ChatRefusal) {
        self.outbox.tell(ServerEvent::Rejected { id: id.to_owned(), reason, until: None });
    }
}
