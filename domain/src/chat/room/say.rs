//! Saying something: the checks, the batch on its way to the database, and its landing.

use super::{Room, log::likeness, people::Seat};
use crate::{
    clock,
    error::{Error, StorageFault},
    store::{NewEntry, NewMessage, NewWhat, Store},
};
use madang_protocol::{
    PersonId, UnixMillis,
    chat::{ChatRefusal, Entry, Message, QUOTE_MAX, Quote, Role, Seq, What},
    realtime::ServerEvent,
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};
use unicode_segmentation::UnicodeSegmentation;

/// What somebody says, its text checked.
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) has_link: bool,
    pub(crate) id: String,
    pub(crate) reply: Option<Seq>,
}

/// A message that was taken and is not kept yet.
pub(super) struct Pending {
    ticket: Ticket,
    message: NewMessage,
    at: UnixMillis,
    /// What it answers, if that has to be looked up.
    quotes: Option<Seq>,
}

/// What is remembered of a message while it is written.
struct Ticket {
    /// Who is told if it fails: the seat that sent it last.
    seat: u64,
    person: PersonId,
    id: String,
    likeness: u64,
    /// When it was said, and when its person had said something before: slow mode counts what is kept only.
    at: UnixMillis,
    before: Option<UnixMillis>,
    /// The database may not have them yet.
    new: bool,
}

/// A batch on its way.
pub(super) struct Flight {
    tickets: Vec<Ticket>,
    landing: oneshot::Receiver<Result<Landed, Error>>,
}

/// A batch that is kept.
pub(super) struct Landed {
    /// The place of the first of `entries`.
    first: Seq,
    /// What was appended, with its quotations.
    entries: Vec<NewEntry>,
    /// What had been said before under the same id, by its place among the tickets. The memory of ids is shorter than the log.
    again: Vec<(usize, Entry)>,
}

/// Waits for the batch on its way; for ever when there is none. Cancelling it loses nothing.
pub(super) async fn landing(flight: &mut Option<Flight>) -> Result<Landed, Error> {
    match flight {
        Some(flight) => (&mut flight.landing).await.unwrap_or(Err(Error::Storage(StorageFault::Stopped))),
        None => std::future::pending().await,
    }
}

impl Room {
    pub(super) fn say(&mut self, seat: u64, said: Said) {
        let Some(Seat { person, outbox, prefix, address, .. }) = self.people.seats.get(&seat) else { return };
        let (outbox, prefix, address) = (outbox.clone(), prefix.clone(), *address);
        let refuse = |id: String, reason, until| outbox.tell(ServerEvent::Rejected { id, reason, until });
        let Some(person) = *person else { return refuse(said.id, ChatRefusal::NoCookie, None) };
        if self.said_already(seat, person, &said.id) {
            return;
        }
        if let Some(banned) = self.banned(person, Some(address), clock::now()) {
            return refuse(said.id, ChatRefusal::Banned, banned.until);
        }
        let likeness = likeness(&said.text);
        match self.may_say(person, &prefix, &said, likeness) {
            Err((reason, until)) => refuse(said.id, reason, until),
            Ok(now) => self.gather(seat, person, prefix, said, likeness, now),
        }
    }

    /// Whether this is a message once more; if so, it is confirmed again.
    fn said_already(&mut self, seat: u64, person: PersonId, id: &str) -> bool {
        if id.is_empty() {
            return false;
        }
        let waiting = self.gathering.iter_mut().map(|pending| &mut pending.ticket);
        let flying = self.flight.iter_mut().flat_map(|flight| flight.tickets.iter_mut());
        if let Some(ticket) = waiting.chain(flying).find(|ticket| ticket.person == person && ticket.id == id) {
            ticket.seat = seat;
            return true;
        }
        let Some(entry) = self.log.said_as(person, id) else { return false };
        let entries = vec![Entry::clone(entry)];
        if let Some(seat) = self.people.seats.get(&seat) {
            seat.outbox.tell(ServerEvent::Entries { room: self.slug.clone(), entries });
        }
        true
    }

    /// # Errors
    /// Why not, and until when.
    fn may_say(
        &mut self,
        person: PersonId,
        prefix: &str,
        said: &Said,
        likeness: u64,
    ) -> Result<UnixMillis, (ChatRefusal, Option<UnixMillis>)> {
        let (now, clock, limits, modes) = (clock::now(), self.clock(), self.limits, self.modes);
        let moderates = self.people.role(person).moderates();
        let last_in_log = if modes.slow_s > 0 { self.log.last_said(person) } else { None };
        let Some(somebody) = self.people.get_mut(person) else { return Err((ChatRefusal::NotJoined, None)) };
        let guest = !somebody.account;
        let times = if moderates { limits.moderator_rate } else { 1 };
        if let Err(wait) = somebody.pace.take(clock, &limits, times) {
            return Err((ChatRefusal::TooFast, Some(later(now, wait))));
        }
        if moderates {
            return Ok(now);
        }
        let last_said = somebody.last_said.max(last_in_log);
        if let Some(muted) = self.bans.muted(person, prefix, guest, now) {
            let reason = if muted.banned { ChatRefusal::Banned } else { ChatRefusal::TimedOut };
            return Err((reason, muted.until));
        }
        let refusal = if modes.closed {
            ChatRefusal::Closed
        } else if modes.accounts_only && guest {
            ChatRefusal::AccountsOnly
        } else if !modes.links && said.has_link {
            ChatRefusal::Links
        } else if self.filter.finds(&said.text).is_some() {
            ChatRefusal::Filtered
        } else if modes.unique && self.was_said(likeness, now) {
            ChatRefusal::Repeated
        } else {
            let pause = Duration::from_secs(u64::from(modes.slow_s));
            return match last_said.map(|at| later(at, pause)) {
                Some(until) if until > now => Err((ChatRefusal::Slow, Some(until))),
                _ => Ok(now),
            };
        };
        Err((refusal, None))
    }

    fn was_said(&self, likeness: u64, now: UnixMillis) -> bool {
        let age = i64::try_from(self.limits.unique_age.as_millis()).unwrap_or(i64::MAX);
        let waiting = self.gathering.iter().map(|pending| &pending.ticket);
        let mut waiting = waiting.chain(self.flight.iter().flat_map(|flight| &flight.tickets));
        waiting.any(|ticket| ticket.likeness == likeness)
            || self.log.has_like(likeness, UnixMillis(now.0.saturating_sub(age)))
    }

    fn gather(&mut self, seat: u64, person: PersonId, prefix: String, said: Said, likeness: u64, now: UnixMillis) {
        let author = self.people.author(person);
        let (mut new, mut before) = (false, None);
        if let Some(somebody) = self.people.get_mut(person) {
            before = somebody.last_said.replace(now);
            new = !somebody.stored;
        }
        let quoted = said.reply.and_then(|seq| self.log.get(seq));
        let reply = quoted.and_then(|entry| match &entry.what {
            What::Say(message) => Some(quote(entry.seq, &message.author.name, &message.text)),
            _ => None,
        });
        let quotes = said.reply.filter(|seq| quoted.is_none() && *seq <= self.log.last);
        self.rate.count(self.clock());
        self.gathering.push(Pending {
            ticket: Ticket { seat, person, id: said.id.clone(), likeness, at: now, before, new },
            message: NewMessage { author, text: said.text, reply, id: said.id, prefix },
            at: now,
            quotes,
        });
    }

    /// When the next batch may go.
    pub(super) fn batch_due(&self) -> Instant {
        let window = self.limits.window.span(self.people.seats.len(), self.rate.at(self.clock()));
        self.shared.window_ms.store(u32::try_from(window.as_millis()).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.last_batch.and_then(|last| last.checked_add(window)).unwrap_or(self.started)
    }

    pub(super) fn launch_if_due(&mut self) {
        if self.flight.is_none() && !self.gathering.is_empty() && Instant::now() >= self.batch_due() {
            self.launch();
        }
    }

    /// Gives what was gathered to the database.
    fn launch(&mut self) {
        let (mut tickets, mut messages) = (Vec::with_capacity(self.gathering.len()), Vec::new());
        for Pending { ticket, message, at, quotes } in self.gathering.drain(..) {
            messages.push((message, at, quotes, ticket.new));
            tickets.push(ticket);
        }
        self.last_batch = Some(Instant::now());
        let (id, kept) = (self.id, self.limits.kept_entries);
        let work = move |store: &mut dyn Store| {
            let (mut entries, mut again) = (Vec::with_capacity(messages.len()), Vec::new());
            for (n, (mut message, at, quotes, new)) in messages.into_iter().enumerate() {
                if let Some(entry) = store.said_as(id, message.author.id, &message.id)? {
                    again.push((n, entry));
                    continue;
                }
                if new {
                    store.ensure_guest(message.author.id, at)?;
                }
                if let Some(seq) = quotes
                    && let Some(found) = store.chat_message(id, seq)?.filter(|found| !found.deleted)
                {
                    message.reply = Some(quote(seq, &found.author.name, &found.text));
                }
                entries.push(NewEntry { at, what: NewWhat::Say(message) });
            }
            let first = store.append_chat(id, &entries)?;
            store.prune_chat(id, kept, PRUNED_AT_ONCE)?;
            Ok(Landed { first, entries, again })
        };
        let (tell, landing) = oneshot::channel();
        let posted = self.domain.upgrade().ok_or(Error::Busy).and_then(|domain| {
            // The task may have broken off meanwhile; the messages are kept all the same.
            domain.desk.post(work, move |landed| drop(tell.send(landed)))
        });
        match posted {
            Ok(()) => self.flight = Some(Flight { tickets, landing }),
            Err(error) => self.reject(tickets, &error),
        }
    }

    /// The batch came back.
    pub(super) async fn landed(&mut self, landed: Result<Landed, Error>) {
        let Some(Flight { tickets, .. }) = self.flight.take() else { return };
        match landed {
            Err(error) => self.reject(tickets, &error),
            Ok(Landed { first, entries, again }) => {
                for (n, entry) in again {
                    if let Some(ticket) = tickets.get(n) {
                        self.unsaid(ticket);
                        self.confirm_again(ticket, entry);
                    }
                }
                for ticket in &tickets {
                    if let Some(somebody) = self.people.get_mut(ticket.person) {
                        somebody.stored = true;
                    }
                }
                if first.0 != self.log.last.0.saturating_add(1) {
                    // Others appended before: theirs come first, and these with them.
                    return self.catch_up().await;
                }
                let entries = (first.0..).zip(entries).filter_map(|(seq, entry)| said(Seq(seq), entry)).collect();
                self.send_entries(entries).await;
            }
        }
    }

    /// Tells one who said something twice what became of it.
    fn confirm_again(&self, ticket: &Ticket, entry: Entry) {
        let Some(seat) = self.people.seats.get(&ticket.seat) else { return };
        seat.outbox.tell(match entry.what {
            What::Say(_) => ServerEvent::Entries { room: self.slug.clone(), entries: vec![entry] },
            // It was deleted, and does not come back by being sent again.
            _ => ServerEvent::Rejected { id: ticket.id.clone(), reason: ChatRefusal::NotFound, until: None },
        });
    }

    /// A message was not said (again): its person need not wait because of it.
    fn unsaid(&mut self, ticket: &Ticket) {
        if let Some(somebody) = self.people.get_mut(ticket.person)
            && somebody.last_said == Some(ticket.at)
        {
            somebody.last_said = ticket.before;
        }
    }

    /// Tells those whose messages were not kept. No place in the log was taken.
    fn reject(&mut self, tickets: Vec<Ticket>, error: &Error) {
        tracing::warn!(room = %self.id, messages = tickets.len(), %error, "messages could not be kept");
        // The newest first: each gives back the time before it.
        tickets.iter().rev().for_each(|ticket| self.unsaid(ticket));
        for Ticket { seat, id, .. } in tickets {
            if let Some(seat) = self.people.seats.get(&seat) {
                seat.outbox.tell(ServerEvent::Rejected { id, reason: ChatRefusal::Busy, until: None });
            }
        }
    }

    /// Waits until nothing is gathered or on its way.
    pub(super) async fn settle(&mut self) {
        loop {
            if self.flight.is_some() {
                let landed = landing(&mut self.flight).await;
                self.landed(landed).await;
            } else if self.gathering.is_empty() {
                return;
            } else {
                self.launch();
            }
        }
    }

    pub(super) fn role_of(&self, person: PersonId) -> Role {
        self.people.role(person)
    }
}

/// Old entries that one batch forgets at most: more than it adds as a rule.
const PRUNED_AT_ONCE: u64 = 512;

/// A kept message as everyone is sent it.
fn said(seq: Seq, entry: NewEntry) -> Option<Arc<Entry>> {
    let NewEntry { at, what: NewWhat::Say(NewMessage { author, text, reply, id, .. }) } = entry else { return None };
    Some(Arc::new(Entry { seq, at, what: What::Say(Message { author, text, reply, id }) }))
}

fn quote(seq: Seq, name: &str, text: &str) -> Quote {
    let mut graphemes = text.grapheme_indices(true);
    let short = match graphemes.nth(QUOTE_MAX) {
        None => text,
        // One less, for the sign that something is missing.
        Some(_) => {
            let end = text.grapheme_indices(true).nth(QUOTE_MAX.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
            text.get(..end).unwrap_or(text)
        }
    };
    let text = if short.len() < text.len() { format!("{}…", short.trim_end()) } else { short.to_owned() };
    Quote { seq, name: name.to_owned(), text }
}

fn later(at: UnixMillis, by: Duration) -> UnixMillis {
    UnixMillis(at.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_are_short() {
        assert_eq!(quote(Seq(1), "Ana", "hello").text, "hello");
        let long = "👩‍👩‍👧‍👦".repeat(100);
        let text = quote(Seq(1), "Ana", &long).text;
        assert_eq!(text.graphemes(true).count(), QUOTE_MAX);
        assert!(text.ends_with('…'));
    }
}
