//! What one connection has joined, and the events that it is owed before those of its outbox. It knows no socket.

use super::{
    hub::{Hub, Seat, Topic},
    limits::HEAVY,
    meters::{Counted, Meters},
};
use crate::{
    live::{Browser, Live, Report},
    permits::{Permits, Place},
    state::Asker,
};
use madang_domain::{Chatter, Direct, Domain, Error, Frame, Member, MustResume, Outbox, Shown};
use madang_protocol::{
    PROTOCOL_VERSION, PersonId, RoomId, RoomSlug, SessionId,
    chat::{CLIENT_ID_MAX, ChatRefusal, ChatState, Entry, Seq, Since, What},
    realtime::{ClientMessage, QUALITY_DELAY_MAX_MS, QUALITY_FRAMES_MAX, Refusal, ServerEvent},
};
use std::sync::Arc;

/// Bytes of entries in one event, about: the newest 200 messages as people write them fit into it.
const PART_BYTES: usize = 128 * 1024;

/// One connection's state. Dropping it leaves everything that was joined.
pub struct Session {
    domain: Domain,
    live: Arc<Live>,
    hub: Hub,
    meters: Meters,
    permits: Permits,
    shown: Shown,
    browser: Browser,
    rooms_max: usize,
    chatter: Chatter,
    outbox: Outbox,
    directory: Option<Seat>,
    /// Through which it is ended when its person is somebody else.
    _person: Option<Seat>,
    session: Option<SessionId>,
    rooms: Vec<Joined>,
    owed: Vec<Frame>,
    lost: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        // Rooms may hold the outbox for a moment longer, and nothing comes after the goodbye.
        self.outbox.detach();
    }
}

/// A joined room.
struct Joined {
    room: RoomSlug,
    member: Member,
    /// Through which the connection is ended when what let it in is worth nothing any more.
    _place: Place,
    _seat: Seat,
    _studio: Option<Seat>,
    _counted: Counted,
}

/// What a session needs of the server.
pub struct Ports {
    pub domain: Domain,
    pub live: Arc<Live>,
    pub hub: Hub,
    pub meters: Meters,
    pub permits: Permits,
    /// What the connection's request showed, for rooms that ask for more than their address.
    pub shown: Shown,
    /// Which browser it is, as it is counted among those who watch.
    pub browser: Browser,
    /// Rooms that one connection may have joined at once.
    pub rooms_max: usize,
}

impl Session {
    pub fn new(ports: Ports, asker: &Asker, chatter: Chatter) -> Self {
        let Ports { domain, live, hub, meters, permits, shown, browser, rooms_max } = ports;
        let you = domain.you(asker.person.as_ref());
        let outbox = domain.outbox();
        let topic = asker.person.as_ref().map(|person| Topic::Person(person.id, asker.session));
        let person = topic.map(|topic| hub.enter(topic, &outbox));
        let mut session = Self {
            domain,
            live,
            hub,
            meters,
            permits,
            shown,
            browser,
            rooms_max,
            chatter,
            outbox,
            directory: None,
            _person: person,
            session: asker.session,
            rooms: Vec::new(),
            owed: Vec::new(),
            lost: false,
        };
        session.owe(ServerEvent::Hello { protocol: PROTOCOL_VERSION, build: env!("MADANG_VERSION").to_owned(), you });
        session
    }

    /// Ends the connection if its session has ended since it was let in: from then on the hub tells.
    pub async fn look_at_session(&mut self) {
        let over = match (self.session, self.chatter.person) {
            (Some(session), _) => self.domain.ended_sessions(vec![session]).await.map(|ended| !ended.is_empty()),
            // A guest who has registered meanwhile comes back as whom they are now.
            (None, Some(person)) => self.domain.has_account(person).await,
            (None, None) => Ok(false),
        };
        // Storage that does not answer ends nobody.
        self.lost |= over.unwrap_or(false);
    }

    /// What has to be sent before anything of the outbox.
    pub fn owed(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.owed)
    }

    /// Waits for something in the outbox. Cancel safe.
    ///
    /// # Errors
    /// [`MustResume`]: close the connection so that its browser resumes.
    pub async fn next(&self) -> Result<Vec<Frame>, MustResume> {
        if self.lost {
            return Err(MustResume);
        }
        self.outbox.next().await
    }

    /// Lends rooms a way to write past the connection's task, for as long as the session is.
    pub fn attach(&self, direct: Arc<dyn Direct>) {
        self.outbox.attach(direct);
    }

    /// Nobody else writes until [`Session::next`] is waited for again.
    pub fn hold(&self) {
        self.outbox.hold();
    }

    pub fn refuse(&mut self, reason: Refusal) {
        self.owe(ServerEvent::Refused { reason });
    }

    /// What a message costs of the connection's pace.
    pub fn cost(message: &ClientMessage) -> f64 {
        match message {
            ClientMessage::JoinDirectory
            | ClientMessage::Join { .. }
            | ClientMessage::History { .. }
            | ClientMessage::Rename { .. }
            | ClientMessage::Card { .. } => HEAVY,
            ClientMessage::LeaveDirectory
            | ClientMessage::Leave { .. }
            | ClientMessage::Say { .. }
            | ClientMessage::Moderate { .. }
            | ClientMessage::Quality { .. }
            | ClientMessage::Unplayable { .. }
            | ClientMessage::Ping => 1.0,
        }
    }

    /// Reads a message; `None` for what is none.
    pub fn read(text: &str) -> Option<ClientMessage> {
        let message: ClientMessage = serde_json::from_str(text).ok()?;
        let fits = match &message {
            ClientMessage::Say { id, .. } | ClientMessage::Rename { id, .. } | ClientMessage::Moderate { id, .. } => {
                id.len() <= CLIENT_ID_MAX
            }
            ClientMessage::Quality { delay_ms, stalls, dropped, frames, .. } => {
                *delay_ms <= QUALITY_DELAY_MAX_MS && stalls.max(frames).max(dropped) <= &QUALITY_FRAMES_MAX
            }
            _ => true,
        };
        fits.then_some(message)
    }

    pub async fn message(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::JoinDirectory => self.join_directory().await,
            ClientMessage::LeaveDirectory => self.directory = None,
            ClientMessage::Join { room, since } => self.join(room, since).await,
            ClientMessage::Leave { room } => self.rooms.retain(|joined| joined.room != room),
            ClientMessage::Say { room, text, id, reply } => {
                self.meters.messages.increment(1);
                match self.member(&room) {
                    Some(member) => member.say(&text, &id, reply),
                    None => self.reject(id, ChatRefusal::NotJoined),
                }
            }
            ClientMessage::Moderate { room, act, reason, id } => match self.member(&room) {
                Some(member) => member.moderate(act, &reason, &id),
                None => self.reject(id, ChatRefusal::NotJoined),
            },
            ClientMessage::History { room, before } => self.history(room, before).await,
            ClientMessage::Rename { name, id } => self.rename(&name, id).await,
            ClientMessage::Card { room, person } => self.card(room, person).await,
            ClientMessage::Quality { room, delay_ms, stalls, dropped, frames } => {
                // Never answered: a room that one was put out of, and counts that begin anew, are nobody's fault.
                let Some(member) = self.member(&room) else { return };
                let dropped = dropped.min(frames);
                self.live.told(member.room(), self.browser, Report { delay_ms, stalls, dropped, frames });
            }
            ClientMessage::Unplayable { room } => {
                let Some(member) = self.member(&room) else { return };
                self.live.cannot_play(member.room(), self.browser);
            }
            ClientMessage::Ping => self.owe(ServerEvent::Pong),
        }
    }

    async fn join_directory(&mut self) {
        self.directory = Some(self.hub.enter(Topic::Directory, &self.outbox));
        match self.domain.directory().await {
            Ok(rooms) => self.owe(ServerEvent::Directory { rooms }),
            Err(error) => self.lose(&error, "the directory cannot be read"),
        }
    }

    async fn join(&mut self, room: RoomSlug, since: Option<Since>) {
        self.rooms.retain(|joined| joined.room != room);
        if self.rooms.len() >= self.rooms_max {
            return self.refuse(Refusal::TooManyRooms);
        }
        // What still waits from before goes out before the state of now.
        match self.outbox.take() {
            Ok(frames) => self.owed.extend(frames),
            Err(MustResume) => self.lost = true,
        }
        let (page, place) = match self.permits.join(&self.domain, &room, &self.shown, &self.outbox).await {
            Ok(let_in) => let_in,
            Err(Error::NotFound) => return self.owe(ServerEvent::RoomGone { room }),
            Err(Error::Forbidden) => return self.refuse(Refusal::NotLetIn),
            Err(error) => return self.lose(&error, "a room cannot be read"),
        };
        // Told of changes by the hub only once let in, and of the room as it is only after that.
        let seat = self.hub.enter(Topic::Room(room.clone()), &self.outbox);
        let card = match self.domain.card(place.room()).await {
            Ok(Some(card)) => card,
            Ok(None) => return self.owe(ServerEvent::RoomGone { room }),
            Err(error) => return self.lose(&error, "a room cannot be read"),
        };
        let (chat, member) = match self.domain.join_chat(place.room(), self.chatter, since, &self.outbox).await {
            Ok(joined) => joined,
            Err(Error::NotFound) => return self.owe(ServerEvent::RoomGone { room }),
            Err(error) => return self.lose(&error, "a chat cannot be joined"),
        };
        self.owe(ServerEvent::Room { card });
        self.owe_chat(&room, chat);
        let studio = if page.mine { self.studio(&room, member.room()).await } else { None };
        let counted = Counted::new(&self.meters);
        // Most connections join one room, ever.
        self.rooms.reserve_exact(1);
        self.rooms.push(Joined { room, member, _place: place, _seat: seat, _studio: studio, _counted: counted });
    }

    /// The owner is told the studio's status as it is, and each change of it.
    async fn studio(&mut self, room: &RoomSlug, id: RoomId) -> Option<Seat> {
        let person = self.chatter.person?;
        let seat = self.hub.enter(Topic::Studio(room.clone(), id, self.chatter.address), &self.outbox);
        match self.domain.studio(person, room, Some(self.chatter.address)).await {
            Ok((_, _, status)) => self.owe(ServerEvent::Studio { room: room.clone(), status: status.into() }),
            Err(error) => self.lose(&error, "a studio's status cannot be read"),
        }
        Some(seat)
    }

    async fn history(&mut self, room: RoomSlug, before: Seq) {
        let Some(member) = self.member(&room) else { return self.refuse(Refusal::Malformed) };
        match member.history(before).await {
            Ok((entries, more)) => self.owe(ServerEvent::History { room, entries, more }),
            Err(refused) => {
                self.owe(ServerEvent::Rejected { id: String::new(), reason: refused.reason, until: refused.until });
            }
        }
    }

    async fn rename(&mut self, name: &str, id: String) {
        let Some(person) = self.chatter.person else { return self.reject(id, ChatRefusal::NoCookie) };
        match self.domain.is_barred(person, self.chatter.address).await {
            Ok(false) => {}
            Ok(true) => return self.reject(id, ChatRefusal::Banned),
            Err(_) => return self.reject(id, ChatRefusal::Busy),
        }
        let rooms: Vec<RoomId> = self.rooms.iter().map(|joined| joined.member.room()).collect();
        match self.domain.rename(person, name, &rooms).await {
            Ok(you) => self.owe(ServerEvent::You { you }),
            Err(refused) => self.owe(ServerEvent::Rejected { id, reason: refused.reason, until: refused.until }),
        }
    }

    async fn card(&mut self, room: RoomSlug, person: PersonId) {
        let Some(member) = self.member(&room) else { return self.refuse(Refusal::Malformed) };
        match member.card(person).await {
            Ok(card) => self.owe(ServerEvent::Card { room, card: card.into() }),
            Err(refused) => {
                self.owe(ServerEvent::Rejected { id: String::new(), reason: refused.reason, until: refused.until });
            }
        }
    }

    fn member(&self, room: &RoomSlug) -> Option<&Member> {
        self.rooms.iter().find(|joined| joined.room == *room).map(|joined| &joined.member)
    }

    fn reject(&mut self, id: String, reason: ChatRefusal) {
        self.owe(ServerEvent::Rejected { id, reason, until: None });
    }

    /// The chat as it is. A long one goes out as its beginning and more entries after that: a frame has to be taken within seconds,
    /// and one who comes back by a slow line after a long gap would be sent away for the length of what was missed.
    fn owe_chat(&mut self, room: &RoomSlug, mut chat: ChatState) {
        let mut parts = in_parts(std::mem::take(&mut chat.entries)).into_iter();
        chat.entries = parts.next().unwrap_or_default();
        let rest: Vec<Vec<Entry>> = parts.collect();
        if let Some(last) = chat.entries.last().filter(|_| !rest.is_empty()) {
            // What follows is news to this browser.
            chat.seq = last.seq;
        }
        self.owe(ServerEvent::Chat { room: room.clone(), chat });
        for entries in rest {
            self.owe(ServerEvent::Entries { room: room.clone(), entries });
        }
    }

    fn owe(&mut self, event: ServerEvent) {
        self.owed.extend(Frame::encode(&[event]));
    }

    /// What was asked for cannot be had now: the browser comes back after a while and asks again for all of it.
    fn lose(&mut self, error: &Error, what: &'static str) {
        tracing::warn!(%error, "{what}");
        self.lost = true;
    }
}

/// Entries in their order, as many in each part as are about [`PART_BYTES`] together.
fn in_parts(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    for entry in entries {
        bytes += weight(&entry);
        if bytes > PART_BYTES && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            bytes = weight(&entry);
        }
        part.push(entry);
    }
    parts.push(part);
    parts
}

/// About how many bytes an entry is as JSON.
fn weight(entry: &Entry) -> usize {
    /// Names, numbers and the words of JSON itself.
    const AROUND: usize = 256;
    match &entry.what {
        What::Say(message) => AROUND + message.text.len() + message.reply.as_ref().map_or(0, |quote| quote.text.len()),
        What::Restore { messages } => messages.iter().map(|restored| AROUND + restored.message.text.len()).sum(),
        What::Delete { targets } => AROUND + targets.len() * 8,
        What::Stub(_) | What::System(_) => AROUND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::{
        UnixMillis,
        chat::{Author, Message, Role},
    };

    fn say(seq: u64, text: &str) -> Entry {
        let author =
            Author { id: PersonId::from_random(2), name: "Ana".to_owned(), tag: "4f2".to_owned(), role: Role::Viewer };
        let message = Message { author, text: text.to_owned(), reply: None, id: format!("id{seq}") };
        Entry { seq: Seq(seq), at: UnixMillis(0), what: What::Say(message) }
    }

    #[test]
    fn a_long_gap_is_parts_of_bounded_size_in_order() {
        let long = "가나다".repeat(500);
        let entries: Vec<Entry> = (1..=1000).map(|seq| say(seq, &long)).collect();
        let parts = in_parts(entries.clone());
        assert!(parts.len() > 30, "{}", parts.len());
        for part in &parts {
            let size = serde_json::to_vec(part).expect("JSON").len();
            assert!(size <= PART_BYTES, "{size} bytes");
        }
        assert_eq!(parts.concat(), entries);
    }

    #[test]
    fn what_people_write_goes_at_once_and_one_entry_always_does() {
        let usual: Vec<Entry> =
            (1..=200).map(|seq| say(seq, "a message of the usual length, as people write them")).collect();
        assert_eq!(in_parts(usual).len(), 1);
        assert_eq!(in_parts(vec![say(1, &"x".repeat(PART_BYTES * 2)), say(2, "y")]).len(), 2);
        assert_eq!(in_parts(Vec::new()), [Vec::new()]);
    }
}
