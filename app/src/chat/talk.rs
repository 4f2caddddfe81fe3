//! A joined room's chat: its log, who is there, what may be done, and what is on its way to the server. Pure: it takes what the
//! channel told and gives what to send.

use super::log::{Failure, Log};
use madang_protocol::{
    ActionId, PersonId, RoomSlug, UnixMillis,
    chat::{
        Act, Author, ChatRefusal, Command, CommandHint, Entry, Message, Modes, PersonCard, Quote, Seq, Standing,
        SystemLine, UNDO_MS, What, You, parse_command,
    },
    realtime::{ClientMessage, ServerEvent},
    wire::Later,
};
use std::collections::VecDeque;

/// How long a message may be without an answer, in milliseconds.
const ANSWER_WITHIN_MS: i64 = 10_000;
/// Most people kept for completing a name.
const PEOPLE_MAX: usize = 200;
/// Messages sent at once after a lost connection; those behind them follow one by one.
const BURST: usize = 3;
/// Most batches of entries that wait for the picture.
const HELD_MAX: usize = 200;
/// How long after a refused join it is asked for again, in milliseconds: by then the server takes messages again.
const JOIN_AGAIN_MS: i64 = 5_000;

/// What is said of a rename, a moderator's action, or a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken.
    Done,
    Refused(ChatRefusal, Option<UnixMillis>),
}

/// One message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sending {
    id: String,
    text: String,
    reply: Option<Seq>,
    /// `None`: not yet sent over the connection that stands.
    sent: Option<UnixMillis>,
    failed: bool,
}

/// The chat of one room.
#[derive(Clone, Debug)]
pub struct Talk {
    pub room: RoomSlug,
    pub log: Log,
    pub you: You,
    pub standing: Standing,
    pub modes: Modes,
    /// Whether the server sends this chat now.
    pub joined: bool,
    /// When to ask for it again, after the server has refused to send it.
    pub join_at: Option<UnixMillis>,
    pub counts: Option<(u32, u32)>,
    /// Who was seen here, the last one first.
    pub people: Vec<Author>,
    /// When one may write again, by the page's clock.
    pub wait_until: UnixMillis,
    /// The last action of this page that can be undone, and when it was done.
    pub undo: Option<(ActionId, UnixMillis)>,
    pub card: Option<Later<PersonCard>>,
    /// The last answer to something with an id that is no message; without an id the news of one's own name.
    pub answer: Option<(String, Answer)>,
    /// Messages that came while the page was hidden.
    pub unread: u32,
    pub hidden: bool,
    /// How long what others say waits before it is shown, in milliseconds: as long as the picture is behind.
    hold_ms: i64,
    held: VecDeque<(UnixMillis, Vec<Entry>)>,
    sending: Vec<Sending>,
}

impl Talk {
    pub fn new(room: RoomSlug, you: You) -> Self {
        Self {
            room,
            log: Log::default(),
            you,
            standing: Standing::default(),
            modes: Modes::default(),
            joined: false,
            join_at: None,
            counts: None,
            people: Vec::new(),
            wait_until: UnixMillis::default(),
            undo: None,
            card: None,
            answer: None,
            unread: 0,
            hidden: false,
            hold_ms: 0,
            held: VecDeque::new(),
            sending: Vec::new(),
        }
    }

    pub const fn moderates(&self) -> bool {
        self.standing.role.moderates()
    }

    /// What to send to join the room, or to join it again where it was left.
    pub fn join(&self) -> ClientMessage {
        ClientMessage::Join { room: self.room.clone(), since: self.log.since() }
    }

    /// The connection is lost: what was not confirmed is sent again on the next one. The ids keep it from being said twice.
    pub fn lost(&mut self) {
        (self.joined, self.join_at) = (false, None);
        self.log.loading = false;
        // What waited is told again on joining.
        self.held.clear();
        for sending in &mut self.sending {
            sending.sent = None;
        }
    }

    /// Takes in what the server told; gives what to send in answer. Events of other rooms change nothing.
    pub fn told(&mut self, event: ServerEvent, now: UnixMillis) -> Vec<ClientMessage> {
        match event {
            ServerEvent::Hello { you, .. } => self.be(you),
            ServerEvent::You { you } => {
                self.be(you);
                self.answer = Some((String::new(), Answer::Done));
            }
            ServerEvent::Chat { room, chat } if room == self.room => {
                (self.joined, self.join_at) = (true, None);
                self.held.clear();
                self.standing = chat.standing.clone();
                self.modes = chat.modes;
                let read = self.log.since().filter(|since| since.epoch == chat.epoch);
                for entry in &chat.entries {
                    if let What::Say(message) = &entry.what {
                        self.seen(&message.author);
                    }
                    // What is there on coming for the first time is history, and not news.
                    if read.is_some_and(|read| entry.seq > read.seq) {
                        self.count_unread(&entry.what);
                    }
                }
                let ids: Vec<String> = chat.entries.iter().filter_map(|entry| self.confirmed(&entry.what)).collect();
                self.sending.retain(|sending| !ids.contains(&sending.id));
                self.log.open(chat, self.you.id);
                return self.flush(BURST, now);
            }
            ServerEvent::Entries { room, entries } if room == self.room => {
                for id in entries.iter().filter_map(|entry| self.confirmed(&entry.what)).collect::<Vec<_>>() {
                    self.sending.retain(|sending| sending.id != id);
                    self.wait_until = UnixMillis(now.0 + i64::from(self.pause_s()) * 1_000);
                }
                if self.hold_ms == 0 && self.held.is_empty() {
                    return self.take(entries, now);
                }
                // What is deleted is not shown first: nothing waits for it.
                let deletes = entries.iter().any(|entry| matches!(entry.what, What::Delete { .. }));
                let hold_ms = if deletes { 0 } else { self.hold_ms };
                if deletes {
                    self.held.iter_mut().for_each(|(due, _)| due.0 = due.0.min(now.0));
                }
                self.held.push_back((UnixMillis(now.0 + hold_ms), entries));
                return self.show_due(now);
            }
            ServerEvent::Counts { room, watching, chatting } if room == self.room => {
                self.counts = Some((watching, chatting));
            }
            ServerEvent::People { room, joined, left } if room == self.room => {
                for author in joined.iter().rev() {
                    self.seen(author);
                }
                self.log.people(now, joined, left);
            }
            ServerEvent::Standing { room, standing } if room == self.room => self.standing = standing,
            ServerEvent::History { room, entries, more } if room == self.room => self.log.older(entries, more),
            ServerEvent::Card { room, card } if room == self.room => self.card = Some(card),
            // What was asked for and not given may be asked for again.
            ServerEvent::Refused { .. } => {
                self.log.loading = false;
                if !self.joined {
                    self.join_at = Some(UnixMillis(now.0 + JOIN_AGAIN_MS));
                }
            }
            ServerEvent::Rejected { id, reason, until } => {
                if id.is_empty() {
                    self.log.loading = false;
                }
                self.rejected(id, reason, until, now);
            }
            ServerEvent::Done { id, action } => {
                // What was undone cannot be undone again.
                self.undo = action.map(|action| (action, now));
                self.answer = Some((id, Answer::Done));
            }
            _ => {}
        }
        Vec::new()
    }

    fn take(&mut self, entries: Vec<Entry>, now: UnixMillis) -> Vec<ClientMessage> {
        for entry in &entries {
            self.notice(&entry.what, now);
            self.count_unread(&entry.what);
        }
        if self.log.take(entries, self.you.id) { Vec::new() } else { self.join_again() }
    }

    /// From now on what comes waits for so long before it is shown; what waits already waits no longer than that. Gives what to send.
    pub fn hold(&mut self, hold_ms: u32, now: UnixMillis) -> Vec<ClientMessage> {
        self.hold_ms = i64::from(hold_ms);
        let latest = now.0 + self.hold_ms;
        for (due, _) in &mut self.held {
            due.0 = due.0.min(latest);
        }
        self.show_due(now)
    }

    /// Whether something waits for the picture.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Shows what has waited long enough, in order, and gives what to send.
    pub fn show_due(&mut self, now: UnixMillis) -> Vec<ClientMessage> {
        let mut messages = Vec::new();
        while let Some((_, entries)) = self.held.pop_front_if(|(due, _)| *due <= now) {
            messages.extend(self.take(entries, now));
        }
        while self.held.len() > HELD_MAX
            && let Some((_, entries)) = self.held.pop_front()
        {
            messages.extend(self.take(entries, now));
        }
        messages
    }

    fn be(&mut self, you: You) {
        if self.you != you {
            self.you = you;
            self.log.redraw();
        }
    }

    /// Seconds between two messages of this person.
    const fn pause_s(&self) -> u16 {
        if self.moderates() { 0 } else { self.modes.slow_s }
    }

    fn rejected(&mut self, id: String, reason: ChatRefusal, until: Option<UnixMillis>, now: UnixMillis) {
        let Some(at) = self.sending.iter().position(|sending| sending.id == id) else {
            self.answer = Some((id, Answer::Refused(reason, until)));
            return;
        };
        if reason == ChatRefusal::NotFound {
            // It was said when it was sent first, and deleted since: the log has a stub for it.
            self.sending.remove(at);
            self.log.discard(&id);
            return;
        }
        if let Some(sending) = self.sending.get_mut(at) {
            sending.failed = true;
        }
        self.log.mark(&id, Some(Failure::Refused(reason)));
        if let Some(until) = until
            && matches!(reason, ChatRefusal::Slow | ChatRefusal::TooFast)
        {
            // The two clocks may differ: no wait is longer than slow mode's, or ten seconds.
            let longest = i64::from(self.pause_s().max(10)) * 1_000;
            self.wait_until = UnixMillis(now.0 + until.0.saturating_sub(now.0).clamp(0, longest));
        }
    }

    /// Keeps who wrote for completing names, and what changed for everyone.
    fn notice(&mut self, what: &What, now: UnixMillis) {
        match what {
            What::Say(message) => self.seen(&message.author),
            What::System(SystemLine::Modes { modes, .. }) => {
                self.modes = *modes;
                // Nobody waits longer than the mode that is in force now.
                let longest = now.0 + i64::from(self.pause_s()) * 1_000;
                self.wait_until = self.wait_until.min(UnixMillis(longest));
            }
            _ => {}
        }
    }

    fn count_unread(&mut self, what: &What) {
        if let What::Say(message) = what {
            self.unread += u32::from(self.hidden && Some(message.author.id) != self.you.id);
        }
    }

    fn seen(&mut self, author: &Author) {
        self.people.retain(|known| known.id != author.id);
        self.people.insert(0, author.clone());
        self.people.truncate(PEOPLE_MAX);
    }

    /// The id of one's own message that this confirms.
    fn confirmed(&self, what: &What) -> Option<String> {
        match what {
            What::Say(Message { author, id, .. }) if Some(author.id) == self.you.id && !id.is_empty() => {
                Some(id.clone())
            }
            _ => None,
        }
    }

    /// Leaves and joins: some of the log is missing.
    fn join_again(&mut self) -> Vec<ClientMessage> {
        self.joined = false;
        self.held.clear();
        vec![ClientMessage::Leave { room: self.room.clone() }, self.join()]
    }

    /// The reader is at the newest row or not; gives what to send to get there.
    pub fn read_to_end(&mut self, at_end: bool) -> Vec<ClientMessage> {
        if self.log.read_to_end(at_end) && self.joined {
            self.log.start_over();
            return self.join_again();
        }
        Vec::new()
    }

    /// The reader is at the oldest row; gives what to send for more.
    pub fn read_to_start(&mut self) -> Option<ClientMessage> {
        if !self.joined {
            return None;
        }
        let before = self.log.wants_older()?;
        Some(ClientMessage::History { room: self.room.clone(), before })
    }

    /// Shows one's words at once, and gives what to send now; without a connection they wait for the next one.
    pub fn say(&mut self, id: String, text: String, reply: Option<Quote>, now: UnixMillis) -> Vec<ClientMessage> {
        let answered = reply.as_ref().map(|quote| quote.seq);
        // One sees what one says.
        let mut messages = self.read_to_end(true);
        self.log.say(id.clone(), now, text.clone(), reply);
        self.sending.push(Sending { id, text, reply: answered, sent: None, failed: false });
        messages.extend(self.flush(1, now));
        messages
    }

    /// Tries a failed message again, under its id: should it have arrived after all, it is not said twice.
    pub fn retry(&mut self, id: &str, now: UnixMillis) -> Vec<ClientMessage> {
        self.log.mark(id, None);
        if let Some(sending) = self.sending.iter_mut().find(|sending| sending.id == id) {
            (sending.failed, sending.sent) = (false, None);
        }
        self.flush(1, now)
    }

    /// Forgets a failed message; gives its text back.
    pub fn discard(&mut self, id: &str) -> Option<String> {
        self.log.discard(id);
        let at = self.sending.iter().position(|sending| sending.id == id)?;
        Some(self.sending.remove(at).text)
    }

    /// Whether [`Talk::tick`] has something to do.
    pub fn waits(&self) -> bool {
        self.undo.is_some() || self.join_at.is_some() || self.sending.iter().any(|sending| !sending.failed)
    }

    /// A second has passed: marks what has had no answer, and gives what to send next.
    pub fn tick(&mut self, now: UnixMillis) -> Vec<ClientMessage> {
        if self.undo.is_some_and(|(_, done)| now.since(done) >= UNDO_MS) {
            self.undo = None;
        }
        if self.join_at.is_some_and(|at| at <= now) {
            self.join_at = None;
            return vec![self.join()];
        }
        for sending in &mut self.sending {
            if !sending.failed && sending.sent.is_some_and(|sent| now.since(sent) >= ANSWER_WITHIN_MS) {
                sending.failed = true;
                self.log.mark(&sending.id, Some(Failure::Silence));
            }
        }
        self.flush(1, now)
    }

    /// Sends at most `most` of what waits, the oldest first.
    fn flush(&mut self, most: usize, now: UnixMillis) -> Vec<ClientMessage> {
        if !self.joined {
            return Vec::new();
        }
        let waiting = self.sending.iter_mut().filter(|sending| sending.sent.is_none() && !sending.failed).take(most);
        let send = |sending: &mut Sending| {
            sending.sent = Some(now);
            ClientMessage::Say {
                room: self.room.clone(),
                text: sending.text.clone(),
                id: sending.id.clone(),
                reply: sending.reply,
            }
        };
        waiting.map(send).collect()
    }

    /// A moderator's action as a message.
    pub fn act(&self, act: Act, reason: String, id: String) -> ClientMessage {
        ClientMessage::Moderate { room: self.room.clone(), act, reason, id }
    }

    /// What a typed text is: words to be said, or a command and what to send for it.
    pub fn read(&self, text: &str, id: &str) -> Typed {
        let act = |act, reason| Typed::Send(self.act(act, reason, id.to_owned()));
        match parse_command(text) {
            None => Typed::Words,
            Some(Err(hint)) => Typed::Hint(hint),
            Some(Ok(Command::Help)) => Typed::Help,
            Some(Ok(Command::Rename(name))) => Typed::Send(ClientMessage::Rename { name, id: id.to_owned() }),
            Some(Ok(_)) if !self.moderates() => Typed::NotAllowed,
            Some(Ok(Command::Act { act: what, reason })) => act(what, reason),
            Some(Ok(Command::Undo)) => match self.undo {
                Some((action, _)) => act(Act::Undo { action }, String::new()),
                None => Typed::NothingToUndo,
            },
        }
    }

    /// Whether this is the reader's own.
    pub fn is_mine(&self, id: PersonId) -> bool {
        self.you.id == Some(id)
    }
}

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    Words,
    Send(ClientMessage),
    Help,
    Hint(CommandHint),
    NotAllowed,
    NothingToUndo,
}

#[cfg(test)]
#[path = "talk_tests.rs"]
mod tests;
