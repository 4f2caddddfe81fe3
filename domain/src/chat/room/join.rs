//! Coming and going.

use super::Room;
use crate::{
    chat::{
        prefix::prefix,
        registry::{Join, Joined},
    },
    site::Class,
};
use madang_protocol::{
    PersonId, UnixMillis,
    chat::{Muted, Standing, You},
    realtime::ServerEvent,
};
use std::{net::IpAddr, sync::atomic::Ordering};
use tokio::time::Instant;

impl Room {
    pub(super) fn join(&mut self, join: Join) {
        let Join { seat, chatter, person, since, outbox, answer } = join;
        let prefix = prefix(chatter.address, &self.limits);
        let first = self.people.join(seat, &chatter, prefix, person, outbox.clone());
        let standing = self.standing(seat);
        let silent = standing.muted.is_some();
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
            self.note(id, true);
            // Who may not write has no say by their name either.
            if !silent {
                let author = self.people.author(id);
                self.news.came(author);
            }
        }
        // One who does not wait any more leaves by their place.
        drop(answer.send(joined));
    }

    pub(super) fn leave(&mut self, seat: u64) {
        let clock = self.clock();
        let silent = self.standing(seat).muted.is_some();
        let gone = self.people.leave(seat, clock);
        if let Some(id) = gone {
            self.note(id, false);
            if !silent {
                let author = self.people.author(id);
                self.news.went(author);
            }
        }
        self.counted();
        if self.people.seats.is_empty() {
            self.empty_since = Instant::now();
        }
    }

    /// Writes down outside that somebody is here now, or not any more.
    fn note(&self, person: PersonId, here: bool) {
        let Some(domain) = self.domain.upgrade() else { return };
        let chats = &domain.shared.chats;
        if here { chats.came(person, self.id) } else { chats.went(person, self.id) }
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
        let own = || if role.moderates() { None } else { self.bans.muted(person, &seat.prefix, guest, now) };
        Standing { role, muted: self.banned(person, Some(seat.address), now).or_else(own) }
    }

    /// Why somebody may do nothing on the whole site now.
    pub(super) fn banned(&self, person: PersonId, address: Option<IpAddr>, now: UnixMillis) -> Option<Muted> {
        let class = if self.administrators.contains(&person) {
            Class::Administrator
        } else if self.people.get(person).is_some_and(|somebody| somebody.account) {
            Class::Account
        } else {
            Class::Guest
        };
        let site = self.domain.upgrade()?.shared.site();
        let ban = site.banned(Some(person), class, address, now)?;
        Some(Muted { banned: true, until: ban.until, reason: ban.reason.clone() })
    }

    pub(super) fn renamed(&mut self, you: &You) {
        let Some(person) = you.id else { return };
        self.people.renamed(person, &you.name);
        for seat in self.people.seats.values().filter(|seat| seat.person == Some(person)) {
            seat.outbox.tell(ServerEvent::You { you: you.clone() });
        }
    }
}
