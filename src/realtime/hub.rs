//! One task that turns changes of rooms into encoded events, once for everyone, and hands them to those who joined.
//!
//! It listens to the domain (rooms made, edited, deleted) and to `live` (on the air or not, who watches), builds the room's
//! card, and puts it into the outbox of each connection in the directory or in the room. Nobody else is woken.

use crate::{Shutdown, live::Live};
use madang_domain::{Domain, DomainChange, Frame, OnAir, OnAirStatus, Outbox, Room};
use madang_protocol::{
    PersonId, RoomCard, RoomId, RoomSlug, SessionId, Visibility, realtime::ServerEvent, studio::StudioStatus,
};
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{MissedTickBehavior, interval},
};

/// Changes that come within this time are looked up together.
const GATHER: Duration = Duration::from_millis(25);
/// How often studios are looked at for figures that change without an event.
const STUDIO_EVERY: Duration = Duration::from_secs(1);
/// How often the sessions of connections are looked at for those whose time is up.
const SESSIONS_EVERY: Duration = Duration::from_secs(60);
/// Cards of the directory in one frame.
const CARDS_A_FRAME: usize = 32;

/// Where connections hear of rooms' changes. Cheap to clone.
///
/// The kind of lock: one `std` mutex around the seats, taken to join, to leave and to tell; telling a thousand takes well under
/// a millisecond, for an outbox takes a frame by reference.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<Seats>>);

#[derive(Default)]
struct Seats {
    next: u64,
    directory: HashMap<u64, Outbox>,
    rooms: HashMap<RoomSlug, Joined>,
    /// As whom each connection of somebody known was let in.
    people: HashMap<u64, (PersonId, Option<SessionId>, Outbox)>,
}

/// Those who joined one room.
#[derive(Default)]
struct Joined {
    members: HashMap<u64, Outbox>,
    studios: HashMap<u64, StudioSeat>,
    /// Which room they were told of: another may come to have its slug, and is nothing of theirs.
    id: Option<RoomId>,
    card: Option<RoomCard>,
}

/// One of the owner's connections.
struct StudioSeat {
    room: RoomId,
    /// Where it comes from: what was turned away there may be the owner's too.
    near: IpAddr,
    outbox: Outbox,
    told: Option<StudioStatus>,
}

impl Joined {
    fn is_empty(&self) -> bool {
        self.members.is_empty() && self.studios.is_empty()
    }
}

/// What a seat is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    Directory,
    Room(RoomSlug),
    /// The owner's: the studio's status too.
    Studio(RoomSlug, RoomId, IpAddr),
    /// The connection itself, as whom it was let in: an account's ends with its session, a guest's when they register.
    Person(PersonId, Option<SessionId>),
}

/// A connection's place. Dropping it leaves.
pub struct Seat {
    hub: Hub,
    topic: Topic,
    number: u64,
}

/// How many seats are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seated {
    pub directory: usize,
    pub rooms: usize,
    pub members: usize,
}

impl Hub {
    /// Starts the task; it ends with `shutdown`.
    pub fn start(domain: Domain, live: Arc<Live>, mut shutdown: Shutdown) -> Self {
        let hub = Self::default();
        let task = Task { domain, live, hub: hub.clone(), shown: HashMap::new(), news: Vec::new() };
        tokio::spawn(async move {
            tokio::select! {
                () = task.run() => {}
                () = shutdown.requested() => {}
            }
        });
        hub
    }

    /// From now on `outbox` is told of every change. What stands now is for the caller to ask, after this.
    pub fn enter(&self, topic: Topic, outbox: &Outbox) -> Seat {
        let mut seats = self.seats();
        let number = seats.next;
        seats.next += 1;
        let outbox = outbox.clone();
        match &topic {
            Topic::Directory => drop(seats.directory.insert(number, outbox)),
            Topic::Room(room) => {
                drop(seats.rooms.entry(room.clone()).or_default().members.insert(number, outbox));
            }
            Topic::Studio(room, id, near) => {
                let seat = StudioSeat { room: *id, near: *near, outbox, told: None };
                drop(seats.rooms.entry(room.clone()).or_default().studios.insert(number, seat));
            }
            Topic::Person(person, session) => drop(seats.people.insert(number, (*person, *session, outbox))),
        }
        Seat { hub: self.clone(), topic, number }
    }

    /// For tests and metrics: who is there.
    pub fn seated(&self) -> Seated {
        let seats = self.seats();
        let members = seats.rooms.values().map(|room| room.members.len()).sum();
        Seated { directory: seats.directory.len(), rooms: seats.rooms.len(), members }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        // The maps are whole at every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_directory(&self, news: &[ServerEvent]) {
        for part in news.chunks(CARDS_A_FRAME) {
            let Some(frame) = Frame::encode(part) else { continue };
            self.seats().directory.values().for_each(|outbox| outbox.push(frame.clone()));
        }
    }

    /// The card, if more than the number of those who watch has changed (the chat's own counts say that number); and the
    /// studio's status.
    fn tell_room(&self, id: RoomId, card: &RoomCard, status: &OnAirStatus, live: &Live) {
        let mut seats = self.seats();
        let Some(room) = seats.rooms.get_mut(&card.slug) else { return };
        if room.id.is_some_and(|known| known != id) {
            drop(seats);
            return self.tell_gone(&card.slug);
        }
        room.id = Some(id);
        let same = room.card.as_ref().is_some_and(|told| RoomCard { watching: card.watching, ..told.clone() } == *card);
        if !same {
            room.card = Some(card.clone());
            if let Some(frame) = Frame::encode(&[ServerEvent::Room { card: card.clone() }]) {
                room.members.values().for_each(|outbox| outbox.push(frame.clone()));
            }
        }
        for seat in room.studios.values_mut() {
            let attempts = OnAir::attempts(live, seat.room, Some(seat.near));
            let status = status.clone().studio(card.live, attempts);
            if seat.told.as_ref() != Some(&status) {
                seat.told = Some(status.clone());
                if let Some(frame) =
                    Frame::encode(&[ServerEvent::Studio { room: card.slug.clone(), status: status.into() }])
                {
                    seat.outbox.push(frame);
                }
            }
        }
    }

    /// They are told once, and of nothing more: a room that is made at the same slug later is somebody else's, and lets in whom it wants.
    fn tell_gone(&self, room: &RoomSlug) {
        let Some(joined) = self.seats().rooms.remove(room) else { return };
        if let Some(frame) = Frame::encode(&[ServerEvent::RoomGone { room: room.clone() }]) {
            joined.members.values().for_each(|outbox| outbox.push(frame.clone()));
        }
    }

    /// Ends connections of people who are not who they were let in as any more: their browsers come back as whoever they are then.
    fn end(&self, is_over: impl Fn(PersonId, Option<SessionId>) -> bool) {
        let seats = self.seats();
        let over = seats.people.values().filter(|(person, session, _)| is_over(*person, *session));
        over.for_each(|(_, _, outbox)| outbox.close());
    }

    /// The sessions that connections were let in by.
    fn sessions(&self) -> Vec<SessionId> {
        let mut sessions: Vec<SessionId> =
            self.seats().people.values().filter_map(|(_, session, _)| *session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// Rooms that somebody has joined, by the slug they joined them by.
    fn joined(&self) -> Vec<RoomSlug> {
        self.seats().rooms.keys().cloned().collect()
    }

    /// Rooms whose owner looks at their studio.
    fn studios(&self) -> Vec<RoomId> {
        let seats = self.seats();
        seats.rooms.values().filter_map(|room| room.studios.values().next().map(|seat| seat.room)).collect()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.hub.seats();
        let (room, gone) = match &self.topic {
            Topic::Directory => {
                let gone = seats.directory.remove(&self.number);
                drop(seats);
                return drop(gone);
            }
            Topic::Person(..) => {
                let gone = seats.people.remove(&self.number);
                drop(seats);
                return drop(gone);
            }
            Topic::Room(slug) => (slug, seats.rooms.get_mut(slug).and_then(|room| room.members.remove(&self.number))),
            Topic::Studio(slug, ..) => {
                let gone = seats.rooms.get_mut(slug).and_then(|room| room.studios.remove(&self.number));
                (slug, gone.map(|seat| seat.outbox))
            }
        };
        if seats.rooms.get(room).is_some_and(Joined::is_empty) {
            seats.rooms.remove(room);
        }
        drop(seats);
        // The last of an outbox may free what waits in it: not under the lock.
        drop(gone);
    }
}

struct Task {
    domain: Domain,
    live: Arc<Live>,
    hub: Hub,
    /// The rooms that the directory shows, and their slugs there.
    shown: HashMap<RoomId, RoomSlug>,
    /// Changes of the directory, to be told together.
    news: Vec<ServerEvent>,
}

/// What to look up after a change.
#[derive(Default)]
struct Due {
    rooms: HashSet<RoomId>,
    gone: Vec<(RoomId, RoomSlug)>,
    moved: Vec<(RoomId, RoomSlug)>,
    sessions: Vec<SessionId>,
    registered: Vec<PersonId>,
    /// Sessions may have ended of which nobody told: in another process, or by their time.
    look_at_sessions: bool,
    everything: bool,
}

impl Task {
    async fn run(mut self) {
        let (mut domain_changes, mut live_changes) = (self.domain.changes(), self.live.changes());
        let mut attempts = 0;
        let mut studio = interval(STUDIO_EVERY);
        studio.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sessions = interval(SESSIONS_EVERY);
        sessions.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.carry_out(Due { everything: true, ..Due::default() }).await;
        loop {
            let mut due = Due::default();
            tokio::select! {
                change = domain_changes.recv() => match change {
                    Ok(change) => due.note(change),
                    Err(RecvError::Lagged(_)) => due.everything = true,
                    Err(RecvError::Closed) => return,
                },
                change = live_changes.recv() => match change {
                    Ok(change) => { due.rooms.insert(change.room); }
                    Err(RecvError::Lagged(_)) => due.everything = true,
                    Err(RecvError::Closed) => return,
                },
                _ = sessions.tick() => due.look_at_sessions = true,
                _ = studio.tick() => {
                    let noted = self.live.attempts().noted();
                    let news = std::mem::replace(&mut attempts, noted) != noted;
                    let studios = self.hub.studios().into_iter();
                    due.rooms.extend(studios.filter(|room| news || self.live.status(*room).encoder.is_some()));
                    if due.rooms.is_empty() {
                        continue;
                    }
                }
            }
            tokio::time::sleep(GATHER).await;
            while let Ok(change) = domain_changes.try_recv() {
                due.note(change);
            }
            while let Ok(change) = live_changes.try_recv() {
                due.rooms.insert(change.room);
            }
            self.carry_out(due).await;
        }
    }

    async fn carry_out(&mut self, due: Due) {
        if !due.sessions.is_empty() || !due.registered.is_empty() {
            let ended: HashSet<SessionId> = due.sessions.into_iter().collect();
            let registered: HashSet<PersonId> = due.registered.into_iter().collect();
            self.hub.end(|person, session| match session {
                Some(session) => ended.contains(&session),
                None => registered.contains(&person),
            });
        }
        if due.look_at_sessions || due.everything {
            self.look_at_sessions().await;
        }
        for (id, slug) in due.moved.into_iter().chain(due.gone) {
            self.tell_gone(id, &slug);
        }
        if due.everything {
            self.refresh_all().await;
        }
        for room in due.rooms {
            self.refresh(room).await;
        }
        self.hub.tell_directory(&std::mem::take(&mut self.news));
    }

    async fn look_at_sessions(&self) {
        match self.domain.ended_sessions(self.hub.sessions()).await {
            Ok(ended) if ended.is_empty() => {}
            Ok(ended) => {
                let ended: HashSet<SessionId> = ended.into_iter().collect();
                self.hub.end(|_, session| session.is_some_and(|session| ended.contains(&session)));
            }
            // The next look asks again.
            Err(error) => tracing::warn!(%error, "the sessions of connections cannot be looked at"),
        }
    }

    /// After changes that nobody listed: every room that is or was shown.
    async fn refresh_all(&mut self) {
        // Before the rooms are read: whatever is joined by then is there to be read.
        let joined = self.hub.joined();
        let rooms = match self.domain.rooms().await {
            Ok(rooms) => rooms,
            Err(error) => return tracing::warn!(%error, "the rooms cannot be read"),
        };
        let there: HashMap<RoomId, &RoomSlug> = rooms.iter().map(|room| (room.id, &room.slug)).collect();
        let shown = self.shown.iter().filter(|(id, _)| !there.contains_key(id));
        for (id, slug) in shown.map(|(id, slug)| (*id, slug.clone())).collect::<Vec<_>>() {
            self.tell_gone(id, &slug);
        }
        // The directory knows nothing of those that are not public; those who are in them do.
        let slugs: HashSet<&RoomSlug> = there.values().copied().collect();
        joined.iter().filter(|slug| !slugs.contains(slug)).for_each(|slug| self.hub.tell_gone(slug));
        for room in rooms {
            self.tell(room);
        }
    }

    async fn refresh(&mut self, id: RoomId) {
        match self.domain.room_by_id(id).await {
            Ok(Some(room)) => self.tell(room),
            Ok(None) => {
                if let Some(slug) = self.shown.get(&id).cloned() {
                    self.tell_gone(id, &slug);
                }
            }
            Err(error) => tracing::warn!(%error, "a room cannot be read"),
        }
    }

    fn tell(&mut self, room: Room) {
        let status = self.live.status(room.id);
        let card = room.card(&status);
        if let Some(earlier) = self.shown.get(&room.id).filter(|earlier| **earlier != room.slug).cloned() {
            self.tell_gone(room.id, &earlier);
        }
        self.hub.tell_room(room.id, &card, &status, &self.live);
        match room.visibility {
            Visibility::Public => {
                self.shown.insert(room.id, room.slug);
                self.news.push(ServerEvent::DirectoryRoom { card });
            }
            Visibility::Unlisted | Visibility::Password | Visibility::Invitation => {
                if let Some(room) = self.shown.remove(&room.id) {
                    self.news.push(ServerEvent::DirectoryGone { room });
                }
            }
        }
    }

    /// Tells those in the room that it is gone; and the directory, if it showed it: the slug of an unlisted room is for those only
    /// who were told it.
    fn tell_gone(&mut self, id: RoomId, room: &RoomSlug) {
        self.hub.tell_gone(room);
        if self.shown.get(&id) == Some(room) {
            self.shown.remove(&id);
            self.news.push(ServerEvent::DirectoryGone { room: room.clone() });
        }
    }
}

impl Due {
    fn note(&mut self, change: DomainChange) {
        match change {
            DomainChange::Room(room) => {
                self.rooms.insert(room);
            }
            DomainChange::RoomMoved { id, from, .. } => self.moved.push((id, from)),
            DomainChange::RoomDeleted { id, slug } => self.gone.push((id, slug)),
            DomainChange::SessionsEnded(sessions) => self.sessions.extend(sessions),
            DomainChange::GuestRegistered(person) => self.registered.push(person),
            // The chats' matter.
            DomainChange::LogsChanged => {}
            DomainChange::Anything => self.everything = true,
        }
    }
}
