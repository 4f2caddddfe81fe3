//! Telling everyone: entries, counts, who came and went. Encoded once, whoever many there are.

use super::{Loaded, Room, log::Log};
use crate::{
    chat::{ChatLimits, Frame, Outbox},
    clock,
    error::{Error, StorageFault},
    store::Store,
};
use madang_protocol::{
    PersonId, RoomSlug,
    chat::{Author, Entry, PEOPLE_TOLD_MAX},
    realtime::ServerEvent,
};
use std::{sync::Arc, time::Duration};
use tokio::{task::yield_now, time::Instant};

/// Members that are given a frame before other tasks have their turn: some 250 µs, when each is a write to a socket, or five times
/// that, when each is a connection that wakes to write. A message of another room waits behind them at every step of its way: with
/// 256 beside a room of 8,000 it waited for more than 100 ms.
const MEMBERS_AT_ONCE: usize = 32;
/// Members whom counts may be sent to in a second, over all: in a very large room they come less often.
const COUNTS_PER_SECOND: u32 = 10_000;
/// Entries that are caught up with at once.
const CAUGHT_UP_AT_ONCE: usize = 200;

/// What everyone is told now and then: counts, and who came and went.
pub(super) struct News {
    watching: u32,
    chatting: u32,
    /// What everyone was told last.
    told: Option<(u32, u32)>,
    told_at: Option<Instant>,
    came: Vec<Author>,
    went: Vec<Author>,
    /// The counts, encoded, for those who join.
    encoded: Option<((u32, u32), Frame)>,
}

impl News {
    pub(super) fn new(watching: u32) -> Self {
        Self { watching, chatting: 0, told: None, told_at: None, came: Vec::new(), went: Vec::new(), encoded: None }
    }

    pub(super) fn watch(&mut self, watching: u32) {
        self.watching = watching;
    }

    pub(super) fn chat(&mut self, chatting: u32) {
        self.chatting = chatting;
    }

    /// Somebody came. One who went a moment ago has only been away for that moment.
    pub(super) fn came(&mut self, author: Author) {
        let before = self.went.len();
        self.went.retain(|went| went.id != author.id);
        if self.went.len() == before && self.came.len() <= PEOPLE_TOLD_MAX {
            self.came.push(author);
        }
    }

    pub(super) fn went(&mut self, author: Author) {
        let before = self.came.len();
        self.came.retain(|came| came.id != author.id);
        if self.came.len() == before && self.went.len() <= PEOPLE_TOLD_MAX {
            self.went.push(author);
        }
    }

    /// Says nothing of somebody's coming and going: they have just been silenced, and so has their name.
    fn hush(&mut self, person: PersonId) {
        self.came.retain(|came| came.id != person);
        self.went.retain(|went| went.id != person);
    }

    fn is_empty(&self) -> bool {
        self.told == Some((self.watching, self.chatting)) && self.came.is_empty() && self.went.is_empty()
    }

    /// When it is to be told; `None` when there is nothing to tell.
    pub(super) fn due(&self, limits: &ChatLimits, members: usize) -> Option<Instant> {
        if self.is_empty() || members == 0 {
            return None;
        }
        let members = u32::try_from(members).unwrap_or(u32::MAX);
        let spread = Duration::from_secs(1).saturating_mul(members).checked_div(COUNTS_PER_SECOND).unwrap_or_default();
        let pause = limits.counts_every.max(spread);
        let now = Instant::now();
        Some(self.told_at.and_then(|at| at.checked_add(pause)).unwrap_or(now))
    }

    /// The events, and that they are told.
    fn take(&mut self, room: &RoomSlug) -> Vec<ServerEvent> {
        let mut events = Vec::new();
        let counts = (self.watching, self.chatting);
        if self.told != Some(counts) {
            self.told = Some(counts);
            events.push(ServerEvent::Counts { room: room.clone(), watching: self.watching, chatting: self.chatting });
        }
        let (joined, left) = (std::mem::take(&mut self.came), std::mem::take(&mut self.went));
        let few = usize::try_from(self.chatting).unwrap_or(usize::MAX) <= PEOPLE_TOLD_MAX;
        if few && !(joined.is_empty() && left.is_empty()) {
            events.push(ServerEvent::People { room: room.clone(), joined, left });
        }
        self.told_at = Some(Instant::now());
        events
    }

    /// The counts as they are now, for one who joins. When the others have not heard these yet, there is something to tell
    /// even if they change back to what everybody was told last: the one who joined was told something else.
    pub(super) fn latest(&mut self, room: &RoomSlug) -> Option<Frame> {
        let counts = (self.watching, self.chatting);
        if self.told != Some(counts) {
            self.told = None;
        }
        if self.encoded.as_ref().is_none_or(|(encoded, _)| *encoded != counts) {
            let event = ServerEvent::Counts { room: room.clone(), watching: self.watching, chatting: self.chatting };
            self.encoded = Frame::encode(&[event]).map(|frame| (counts, frame));
        }
        self.encoded.as_ref().map(|(_, frame)| frame.clone())
    }

    fn forget_encoded(&mut self) {
        self.encoded = None;
    }
}

impl Room {
    /// Puts entries into the log and sends them to everyone, with whatever else is due.
    pub(super) async fn send_entries(&mut self, entries: Vec<Arc<Entry>>) {
        for entry in &entries {
            self.log.push(Arc::clone(entry));
        }
        self.log.prune(clock::now(), &self.limits);
        let mut events = Vec::new();
        if !entries.is_empty() {
            if let Some(domain) = self.domain.upgrade() {
                domain.shared.chats.sent(entries.len(), self.people.seats.len());
            }
            let entries = entries.iter().map(|entry| Entry::clone(entry)).collect();
            events.push(ServerEvent::Entries { room: self.slug.clone(), entries });
        }
        if self.news_is_due() {
            events.append(&mut self.news.take(&self.slug));
        }
        self.tell_all(&events).await;
    }

    pub(super) async fn tell_news_if_due(&mut self) {
        if self.news_is_due() {
            let events = self.news.take(&self.slug);
            self.tell_all(&events).await;
        }
    }

    fn news_is_due(&self) -> bool {
        self.news.due(&self.limits, self.people.seats.len()).is_some_and(|due| due <= Instant::now())
    }

    async fn tell_all(&self, events: &[ServerEvent]) {
        let Some(frame) = Frame::encode(events) else { return };
        give(&frame, self.people.seats.values().map(|seat| &seat.outbox)).await;
    }

    /// Reads what others appended, and sends it to everyone.
    pub(super) async fn catch_up(&mut self) {
        loop {
            let (id, last) = (self.id, self.log.last);
            let read = self.read(move |store| store.chat_after(id, last, CAUGHT_UP_AT_ONCE)).await;
            let entries = match read {
                Ok(entries) => entries,
                Err(error) => {
                    // Nobody may miss entries without knowing: their browsers resume.
                    tracing::warn!(room = %id, %error, "a chat could not be read");
                    self.people.seats.values().for_each(|seat| seat.outbox.close());
                    return;
                }
            };
            let more = entries.len() >= CAUGHT_UP_AT_ONCE;
            self.send_entries(entries.into_iter().map(Arc::new).collect()).await;
            if !more {
                return;
            }
        }
    }

    /// Reads the room's settings anew, and with `log` also the entries that everyone has been sent, since deletions change
    /// what may be shown of them.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a room that is gone; what the database says.
    pub(super) async fn reload(&mut self, log: bool) -> Result<(), Error> {
        let (id, last, count, bans) = (self.id, self.log.last, self.limits.recovery_entries, self.limits.bans);
        let read = move |store: &dyn Store| {
            let loaded = Loaded::read(store, id, bans)?;
            let next = madang_protocol::chat::Seq(last.0.saturating_add(1));
            let entries = if log { Some(store.chat_before(id, Some(next), count)?) } else { None };
            Ok((loaded, entries))
        };
        let (loaded, entries) = self.read(read).await?;
        if let Some(entries) = entries {
            self.log = Log::new(loaded.log.epoch, loaded.log.oldest, last, entries);
            self.log.prune(clock::now(), &self.limits);
        }
        self.take(loaded);
        self.news.forget_encoded();
        Ok(())
    }

    /// Tells each seat that may do something else now than it was told.
    pub(super) async fn tell_standings(&mut self) {
        let seats: Vec<u64> = self.people.seats.keys().copied().collect();
        for (n, seat) in seats.into_iter().enumerate() {
            if n % MEMBERS_AT_ONCE == MEMBERS_AT_ONCE - 1 {
                yield_now().await;
            }
            let standing = self.standing(seat);
            let room = self.slug.clone();
            let Some(seat) = self.people.seats.get_mut(&seat).filter(|seat| seat.told != standing) else { continue };
            if let Some(person) = seat.person.filter(|_| standing.muted.is_some()) {
                self.news.hush(person);
            }
            seat.told = standing.clone();
            seat.outbox.tell(ServerEvent::Standing { room, standing });
        }
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let domain = self.domain.upgrade().ok_or(Error::Storage(StorageFault::Stopped))?;
        domain.desk.read(work).await
    }
}

/// Gives a frame to many, and lets others have their turn in between, tasks and threads: a room of thousands must not slow the others.
///
/// What another room's message waits for is the database's thread. Where cores are few, the kernel would let this one go on for its whole
/// slice of some milliseconds first; giving way costs a microsecond where nobody waits.
async fn give(frame: &Frame, to: impl Iterator<Item = &Outbox>) {
    for (n, outbox) in to.enumerate() {
        if n % MEMBERS_AT_ONCE == MEMBERS_AT_ONCE - 1 {
            std::thread::yield_now();
            yield_now().await;
        }
        outbox.give(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// One came and went between two tellings; whoever came then was told the count at that moment.
    #[test]
    fn counts_that_went_back_are_told_to_those_who_heard_others() {
        let (mut news, slug) = (News::new(0), RoomSlug::parse("one").expect("a slug"));
        news.chat(1);
        assert_eq!(news.take(&slug).len(), 1);
        news.chat(2);
        assert!(news.latest(&slug).is_some());
        news.chat(1);
        assert!(news.due(&ChatLimits::default(), 1).is_some());
        assert_eq!(news.take(&slug).len(), 1);
        assert!(news.due(&ChatLimits::default(), 1).is_none());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_large_room_lets_others_have_their_turn() {
        let outboxes: Vec<Outbox> = (0..8_000).map(|_| Outbox::new(4, 1000)).collect();
        let frame = Frame::encode(&[ServerEvent::Pong]).expect("an event");
        let (turns, done) = (Cell::new(0), Cell::new(false));
        let fan_out = async {
            give(&frame, outboxes.iter()).await;
            done.set(true);
        };
        let other = async {
            while !done.get() {
                turns.set(turns.get() + 1);
                yield_now().await;
            }
        };
        tokio::join!(fan_out, other);
        assert!(turns.get() >= 8_000 / MEMBERS_AT_ONCE, "{} turns", turns.get());
        assert!(outboxes.iter().all(|outbox| outbox.take().is_ok_and(|frames| frames.len() == 1)));
    }
}
