//! Chat, as the server asks for it.

use super::Domain;
use crate::{
    chat::{ChatRefused, Chatter, Member, Outbox, RoomRef},
    error::Error,
    person::Person,
};
use madang_protocol::{
    ActionId, PersonId, RoomId, RoomSlug,
    chat::{Act, ActionRecord, ChatRefusal, ChatState, Entry, ModerationView, PersonCard, Seq, Since, SystemLine, You},
};

impl Domain {
    /// A queue for one connection, as large as the limits say.
    pub fn outbox(&self) -> Outbox {
        let limits = &self.0.limits.chat;
        Outbox::new(limits.member_queue_messages, limits.member_queue_bytes)
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
        let _ = (room.into(), chatter, since, outbox);
        Err(Error::Busy)
    }

    /// The chat as somebody sees it who only looks: for pages rendered on the server. Starts nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn chat_page(&self, room: impl Into<RoomRef>, person: Option<PersonId>) -> Result<ChatState, Error> {
        let _ = (room.into(), person);
        Err(Error::Busy)
    }

    /// Up to 200 entries before `before`, oldest first, and whether there are older ones still.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn chat_history(&self, room: impl Into<RoomRef>, before: Seq) -> Result<(Vec<Entry>, bool), Error> {
        let _ = (room.into(), before);
        Err(Error::Busy)
    }

    /// Puts a system line into a room's chat. Never waits; a failure is logged.
    pub fn chat_system(&self, room: RoomId, line: SystemLine) {
        let _ = (room, line);
    }

    /// Says how many watch the room. Never waits; nothing happens when nobody is in its chat.
    pub fn chat_watching(&self, room: RoomId, watching: u32) {
        let _ = (room, watching);
    }

    /// Distinct people in the room's chat now.
    pub fn chatting(&self, room: RoomId) -> u32 {
        let _ = room;
        0
    }

    /// Rooms whose chat has a task now; for metrics.
    pub fn active_chats(&self) -> usize {
        0
    }

    /// How somebody is known: for `Hello`.
    pub fn you(&self, person: Option<&Person>) -> You {
        let _ = person;
        You::default()
    }

    /// Changes a person's shown name, everywhere. `rooms` are those they are in: nobody there may be confused with a badged
    /// one. Everyone of their connections in a chat is sent `You`.
    ///
    /// # Errors
    /// [`ChatRefused`]: empty, too long, characters, name taken, busy.
    pub async fn rename(&self, person: PersonId, name: &str, rooms: &[RoomId]) -> Result<You, ChatRefused> {
        let _ = (person, name, rooms);
        Err(ChatRefusal::Busy.into())
    }

    /// Does what a moderator does, for pages without a connection to the chat.
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
        let _ = (room.into(), by, act, reason);
        Err(ChatRefusal::Busy.into())
    }

    /// The moderation page as it opens.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] for who does not moderate there; [`Error::Busy`], [`Error::Storage`].
    pub async fn moderation_view(&self, by: PersonId, slug: &RoomSlug) -> Result<ModerationView, Error> {
        let _ = (by, slug);
        Err(Error::Busy)
    }

    /// At most `limit` (up to 1,000) actions of the room, newest first; those before the action `before`, for the next page.
    /// Fewer than `limit` are the last ones.
    ///
    /// # Errors
    /// As [`Domain::moderation_view`].
    pub async fn action_log(
        &self,
        by: PersonId,
        slug: &RoomSlug,
        before: Option<ActionId>,
        limit: usize,
    ) -> Result<Vec<ActionRecord>, Error> {
        let _ = (by, slug, before, limit);
        Err(Error::Busy)
    }

    /// What a moderator may know of somebody.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for a person who was never in this chat; as [`Domain::moderation_view`].
    pub async fn person_card(&self, by: PersonId, slug: &RoomSlug, person: PersonId) -> Result<PersonCard, Error> {
        let _ = (by, slug, person);
        Err(Error::Busy)
    }

    /// Which of `words` a text would be refused for, for the filter's test box.
    pub fn test_filter(words: &[String], text: &str) -> Option<String> {
        let _ = (words, text);
        None
    }
}
