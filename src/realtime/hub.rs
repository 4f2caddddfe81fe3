//! One task that turns changes of rooms into encoded events, once for everyone.
//!
//! It listens to the domain (rooms made, edited, deleted) and to `live` (on the air or not, viewers), builds the room's card, and
//! broadcasts it as text. A connection that lags behind the bounded channel is told the whole state anew.

use crate::{Shutdown, live::Live};
use axum::extract::ws::Utf8Bytes;
use madang_domain::{Domain, DomainChange};
use madang_protocol::{RoomId, RoomSlug, Visibility, realtime::ServerEvent};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::broadcast::{self, error::RecvError};

/// Events that a connection may be behind before it is told everything anew.
const BEHIND_MAX: usize = 256;
/// Changes that come within this time are looked up together.
const GATHER: Duration = Duration::from_millis(25);

/// A room's change, encoded for both who may be told.
#[derive(Debug)]
pub struct Change {
    pub room: RoomSlug,
    /// For those who joined the directory; `None` when the directory does not show the room and did not before.
    pub directory: Option<Utf8Bytes>,
    /// For those who joined the room.
    pub joined: Option<Utf8Bytes>,
}

/// Where connections hear of changes. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    changes: broadcast::Sender<Arc<Change>>,
}

impl Hub {
    /// Starts the task; it ends with `shutdown`.
    pub fn start(domain: Domain, live: Arc<Live>, mut shutdown: Shutdown) -> Self {
        let (sender, _) = broadcast::channel(BEHIND_MAX);
        let hub = Self { changes: sender.clone() };
        tokio::spawn(async move {
            let task = Task { domain, live, sender, shown: HashMap::new() };
            tokio::select! {
                () = task.run() => {}
                () = shutdown.requested() => {}
            }
        });
        hub
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }
}

/// The text of one event.
pub fn encode(event: &ServerEvent) -> Utf8Bytes {
    // Events hold texts and numbers only, which JSON can always hold.
    serde_json::to_string(event).unwrap_or_default().into()
}

struct Task {
    domain: Domain,
    live: Arc<Live>,
    sender: broadcast::Sender<Arc<Change>>,
    /// The rooms that the directory shows, and their slugs there.
    shown: HashMap<RoomId, RoomSlug>,
}

/// What to look up after a change.
#[derive(Default)]
struct Due {
    rooms: HashSet<RoomId>,
    gone: Vec<(RoomId, RoomSlug)>,
    moved: Vec<RoomSlug>,
    everything: bool,
}

impl Task {
    async fn run(mut self) {
        let (mut domain_changes, mut live_changes) = (self.domain.changes(), self.live.changes());
        self.refresh_all().await;
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
        for slug in due.moved {
            self.tell_gone(slug);
        }
        for (id, slug) in due.gone {
            self.shown.remove(&id);
            self.tell_gone(slug);
        }
        if due.everything {
            self.refresh_all().await;
        }
        for room in due.rooms {
            self.refresh(room).await;
        }
    }

    /// After changes that nobody listed: every room that is or was shown.
    async fn refresh_all(&mut self) {
        let rooms = match self.domain.rooms().await {
            Ok(rooms) => rooms,
            Err(error) => return tracing::warn!(%error, "the rooms cannot be read"),
        };
        let mut all: HashSet<RoomId> = self.shown.keys().copied().collect();
        all.extend(rooms.iter().map(|room| room.id));
        for room in all {
            self.refresh(room).await;
        }
    }

    async fn refresh(&mut self, id: RoomId) {
        let room = match self.domain.room_by_id(id).await {
            Ok(room) => room,
            Err(error) => return tracing::warn!(%error, "a room cannot be read"),
        };
        let Some(room) = room else {
            if let Some(slug) = self.shown.remove(&id) {
                self.tell_gone(slug);
            }
            return;
        };
        let (card, slug) = (room.card(&self.live.status(id)), room.slug);
        if let Some(earlier) = self.shown.get(&id).filter(|earlier| **earlier != slug).cloned() {
            self.shown.remove(&id);
            self.tell_gone(earlier);
        }
        let directory = match room.visibility {
            Visibility::Public => {
                self.shown.insert(id, slug.clone());
                Some(ServerEvent::DirectoryRoom { room: card.clone() })
            }
            Visibility::Unlisted => self.shown.remove(&id).map(|room| ServerEvent::DirectoryGone { room }),
        };
        let change = Change {
            room: slug,
            directory: directory.as_ref().map(encode),
            joined: Some(encode(&ServerEvent::Room { room: card })),
        };
        // No one connected is no error.
        let _ = self.sender.send(Arc::new(change));
    }

    fn tell_gone(&self, slug: RoomSlug) {
        let change = Change {
            directory: Some(encode(&ServerEvent::DirectoryGone { room: slug.clone() })),
            joined: Some(encode(&ServerEvent::RoomGone { room: slug.clone() })),
            room: slug,
        };
        let _ = self.sender.send(Arc::new(change));
    }
}

impl Due {
    fn note(&mut self, change: DomainChange) {
        match change {
            DomainChange::Room(room) => {
                self.rooms.insert(room);
            }
            DomainChange::RoomMoved { from, .. } => self.moved.push(from),
            DomainChange::RoomDeleted { id, slug } => self.gone.push((id, slug)),
            DomainChange::Anything => self.everything = true,
        }
    }
}
