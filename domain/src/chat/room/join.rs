//! Coming and going.

use super::Room;
use crate::chat::{
    prefix::prefix,
    registry::{Join, Joined},
    tag::tag,
};
use madang_protocol::{
    PersonId,
    chat::{Standing, You},
    realtime::ServerEvent,
};
use std::sync::atomic::Ordering;
use tokio::time::Instant;

impl Room {
    pub(super) fn join(&mut self, join: Join) {
        let Join { seat, chatter, person, since, outbox, answer } = join;
        let prefix = prefix(chatter.address, &self.limits);
        let first = self.people.join(seat, &chatter, prefix, person, outbox.clone());
        let standing = self.standing(seat);
        if let Some(seat) = self.people.seats.get_mut(&seat) {
            seat.told = standing.clone();
        }
        let view = self.log.view(since);
        let joined = Joined {
            epoch: self.log.epoch,
            standing,
            modes: self.modes,
            entries: view.entries,
            seq: self.log.last,
            resumed: view.resumed,
            more: view.more,
        };
        self.counted();
        if let Some(counts) = self.news.latest(&self.slug) {
            outbox.push(counts);
        }
        if let Some(id) = chatter.person.filter(|_| first) {
            let author = self.people.author(id);
            self.news.came(author);
        }
        // One who does not wait any more leaves by their place.
        drop(answer.send(joined));
    }

    pub(super) fn leave(&mut self, seat: u64) {
        let clock = self.clock();
        let gone = self.people.leave(seat, clock);
        if let Some(id) = gone {
            let author = self.people.author(id);
            self.news.went(author);
        }
        self.counted();
        if self.people.seats.is_empty() {
            self.empty_since = Instant::now();
        }
    }

    fn counted(&mut self) {
        let chatting = u32::try_from(self.people.chatting()).unwrap_or(u32::MAX);
        self.shared.chatting.store(chatting, Ordering::Release);
        self.news.chat(chatting);
    }

    /// What a seat may do.
    pub(super) fn standing(&self, seat: u64) -> Standing {
        let Some(seat) = self.people.seats.get(&seat) else { return Standing::default() };
        let Some(person) = seat.person else { return Standing::default() };
        let role = self.role_of(person);
        let guest = !self.people.get(person).is_some_and(|somebody| somebody.account);
        let now = crate::clock::now();
        let muted = if role.moderates() { None } else { self.bans.muted(person, &seat.prefix, guest, now) };
        Standing { role, muted }
    }

    pub(super) fn renamed(&mut self, person: PersonId, name: &str) {
        self.people.renamed(person, name);
        let Some(somebody) = self.people.get(person) else { return };
        let tag = if somebody.account { String::new() } else { tag(person) };
        let you = You { id: Some(person), name: name.to_owned(), tag };
        for seat in self.people.seats.values().filter(|seat| seat.person == Some(person)) {
            seat.outbox.tell(ServerEvent::You { you: you.clone() });
        }
    }
}
