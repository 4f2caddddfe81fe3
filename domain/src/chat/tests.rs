//! Chat as those in it see it, on a database on disk.

mod coming_and_going;
mod moderation;
mod names;
mod order;

use super::{ChatLimits, Chatter, Member, Outbox};
use crate::{DomainLimits, testing::House};
use madang_protocol::{
    PersonId, RoomId,
    chat::{Act, ChatRefusal, ChatState, Entry, Seq, Since, Standing, What},
    realtime::ServerEvent,
};
use std::{collections::VecDeque, time::Duration};
use tokio::time::timeout;

/// Nobody waits for longer than this.
const SOON: Duration = Duration::from_secs(10);

pub(crate) fn house(change: impl FnOnce(&mut ChatLimits)) -> House {
    let mut limits = DomainLimits::default();
    // Tests talk fast.
    limits.chat.burst = 100_000;
    (limits.chat.per_minute, limits.chat.guests_per_minute) = (u32::MAX, u32::MAX);
    limits.chat.idle = Duration::from_millis(5);
    change(&mut limits.chat);
    House::with(limits)
}

/// One open page.
pub(crate) struct Page {
    pub(crate) outbox: Outbox,
    pub(crate) member: Member,
    pub(crate) state: ChatState,
    waiting: VecDeque<ServerEvent>,
}

pub(crate) fn chatter(person: Option<PersonId>, address: &str) -> Chatter {
    Chatter { person, browser: 1, address: address.parse().expect("an address") }
}

impl Page {
    pub(crate) async fn open(house: &House, room: RoomId, chatter: Chatter, since: Option<Since>) -> Self {
        let outbox = house.domain.outbox();
        let (state, member) = house.domain.join_chat(room, chatter, since, &outbox).await.expect("joined");
        Self { outbox, member, state, waiting: VecDeque::new() }
    }

    pub(crate) async fn of(house: &House, room: RoomId, person: PersonId) -> Self {
        Self::open(house, room, chatter(Some(person), "192.0.2.1"), None).await
    }

    /// The next event of interest; others are passed over.
    pub(crate) async fn next<T>(&mut self, mut pick: impl FnMut(ServerEvent) -> Option<T>) -> T {
        loop {
            while let Some(event) = self.waiting.pop_front() {
                if let Some(found) = pick(event) {
                    return found;
                }
            }
            let frames = timeout(SOON, self.outbox.next()).await.expect("in time").expect("open");
            for frame in frames {
                let events: Vec<ServerEvent> = serde_json::from_slice(&frame.array()).expect("events");
                self.waiting.extend(events);
            }
        }
    }

    /// The next entries, in one event.
    pub(crate) async fn entries(&mut self) -> Vec<Entry> {
        self.next(|event| match event {
            ServerEvent::Entries { entries, .. } => Some(entries),
            _ => None,
        })
        .await
    }

    /// So many entries.
    pub(crate) async fn collect(&mut self, count: usize) -> Vec<Entry> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(self.entries().await);
        }
        all
    }

    /// Says something and waits for its confirmation, or for why not.
    pub(crate) async fn say(&mut self, text: &str) -> Result<Entry, ChatRefusal> {
        // As a browser does: no two messages have the same, whichever page they come from.
        let id = format!("{:x}", crate::random::bits().expect("randomness"));
        self.say_as(text, &id).await
    }

    pub(crate) async fn say_as(&mut self, text: &str, id: &str) -> Result<Entry, ChatRefusal> {
        self.member.say(text, id, None);
        self.answer(id).await
    }

    pub(crate) async fn answer(&mut self, id: &str) -> Result<Entry, ChatRefusal> {
        self.next(|event| match event {
            ServerEvent::Entries { entries, .. } => {
                entries.into_iter().find(|entry| matches!(&entry.what, What::Say(said) if said.id == id)).map(Ok)
            }
            ServerEvent::Rejected { id: of, reason, .. } if of == id => Some(Err(reason)),
            _ => None,
        })
        .await
    }

    pub(crate) async fn act(&mut self, act: Act) -> Result<Option<madang_protocol::ActionId>, ChatRefusal> {
        self.member.moderate(act, "because", "act");
        self.next(|event| match event {
            ServerEvent::Done { action, .. } => Some(Ok(action)),
            ServerEvent::Rejected { id, reason, .. } if id == "act" => Some(Err(reason)),
            _ => None,
        })
        .await
    }

    pub(crate) async fn standing(&mut self) -> Standing {
        self.next(|event| match event {
            ServerEvent::Standing { standing, .. } => Some(standing),
            _ => None,
        })
        .await
    }

    /// Until so many are in the chat.
    pub(crate) async fn until_chatting(&mut self, count: u32) {
        self.next(|event| match event {
            ServerEvent::Counts { chatting, .. } if chatting == count => Some(()),
            _ => None,
        })
        .await;
    }

    pub(crate) fn since(&self, seq: Seq) -> Option<Since> {
        Some(Since { epoch: self.state.epoch, seq })
    }
}

pub(crate) fn text(entry: &Entry) -> &str {
    match &entry.what {
        What::Say(said) => &said.text,
        _ => "",
    }
}

pub(crate) fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq.0).collect()
}

/// Waits until something is so.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(SOON, wait).await.expect("in time");
}
