//! Which rooms' chats have a task, and the way to it.

use super::{
    ChatRefused, Chatter, Outbox,
    room::{self, Said},
};
use crate::{person::Person, room::DomainChange, service::Inner};
use madang_protocol::{
    ActionId, EpochId, PersonId, RoomId,
    chat::{Act, Entry, Modes, Seq, Since, Standing, SystemLine, You},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, mpsc, oneshot};

/// What a room's task is asked.
pub(crate) enum Command {
    Join(Box<Join>),
    Leave {
        seat: u64,
    },
    Say {
        seat: u64,
        said: Said,
    },
    /// What a moderator does from a seat.
    ActHere {
        seat: u64,
        act: Act,
        reason: String,
        id: String,
    },
    /// The same from a page.
    Act {
        by: PersonId,
        act: Act,
        reason: String,
        answer: oneshot::Sender<Result<Option<ActionId>, ChatRefused>>,
    },
    System(SystemLine),
    /// Somebody who is here is called so from now on.
    Renamed(You),
}

pub(crate) struct Join {
    pub(crate) seat: u64,
    pub(crate) chatter: Chatter,
    /// As stored; `None` for a visitor without a row.
    pub(crate) person: Option<Person>,
    pub(crate) since: Option<Since>,
    pub(crate) outbox: Outbox,
    pub(crate) answer: oneshot::Sender<Joined>,
}

/// A chat as the room's task gives it to one who joins: entries are shared, and copied by the one who joined.
pub(crate) struct Joined {
    pub(crate) epoch: EpochId,
    pub(crate) standing: Standing,
    pub(crate) modes: Modes,
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) seq: Seq,
    pub(crate) resumed: bool,
    pub(crate) more: bool,
}

/// The way to a room's task. The task itself does not hold it, so that it sees when nobody does any more.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) inbox: mpsc::UnboundedSender<Command>,
    pub(crate) shared: Arc<Shared>,
}

/// What a room's task and those outside share. Signals cannot be lost and never queue.
#[derive(Default)]
pub(crate) struct Shared {
    /// Something about the room, its owner or its moderators is different.
    pub(crate) reload: AtomicBool,
    /// What was sent already reads otherwise now.
    pub(crate) reread: AtomicBool,
    /// Entries were appended by others.
    pub(crate) catch_up: AtomicBool,
    pub(crate) gone: AtomicBool,
    pub(crate) watching: AtomicU32,
    pub(crate) some: Notify,
    /// Messages and actions that wait; what bounds an inbox that is otherwise bounded by its senders.
    pub(crate) waiting: AtomicUsize,
    pub(crate) chatting: AtomicU32,
    /// How long the room gathers messages now, in milliseconds.
    pub(crate) window_ms: AtomicU32,
    next_seat: AtomicU64,
}

impl Shared {
    pub(crate) fn signal(&self, which: &AtomicBool) {
        which.store(true, Ordering::Release);
        self.some.notify_one();
    }

    pub(crate) fn new_seat(&self) -> u64 {
        self.next_seat.fetch_add(1, Ordering::Relaxed)
    }
}

/// What all chats have done since the start, and how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatTotals {
    /// Rooms whose chat has a task.
    pub rooms: usize,
    /// Distinct people in each room, added up.
    pub people: u64,
    /// The longest that any of them gathers messages now.
    pub window: Duration,
    /// Times that entries were sent to a room.
    pub batches: u64,
    /// Entries times the connections that each was sent to.
    pub deliveries: u64,
}

/// The tasks there are, and who is in them. The locks are held for a look-up only, so plain mutexes serve.
#[derive(Default)]
pub(crate) struct Chats {
    rooms: Mutex<HashMap<RoomId, Handle>>,
    /// The rooms that somebody is in, so that news of one person reach these and no others.
    places: Mutex<HashMap<PersonId, Vec<RoomId>>>,
    batches: AtomicU64,
    deliveries: AtomicU64,
    /// Where rooms' tasks run, whoever starts them: a page is written on a thread that must not keep one.
    home: OnceLock<tokio::runtime::Handle>,
}

impl Chats {
    /// Rooms' tasks run where this is called from here on. Once.
    pub(crate) fn settle(&self) {
        if let Ok(here) = tokio::runtime::Handle::try_current() {
            let _ = self.home.set(here);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomId, Handle>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> MutexGuard<'_, HashMap<PersonId, Vec<RoomId>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is in a room now. Said by its task, once.
    pub(crate) fn came(&self, person: PersonId, room: RoomId) {
        self.places().entry(person).or_default().push(room);
    }

    pub(crate) fn went(&self, person: PersonId, room: RoomId) {
        let mut places = self.places();
        let Some(rooms) = places.get_mut(&person) else { return };
        rooms.retain(|other| *other != room);
        if rooms.is_empty() {
            places.remove(&person);
        }
    }

    /// The rooms that somebody is in.
    pub(crate) fn rooms_of(&self, person: PersonId) -> Vec<RoomId> {
        self.places().get(&person).cloned().unwrap_or_default()
    }

    pub(crate) fn sent(&self, entries: usize, members: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.deliveries.fetch_add((entries as u64).saturating_mul(members as u64), Ordering::Relaxed);
    }

    pub(crate) fn totals(&self) -> ChatTotals {
        let rooms = self.lock();
        let window = rooms.values().map(|handle| handle.shared.window_ms.load(Ordering::Relaxed)).max();
        ChatTotals {
            rooms: rooms.len(),
            people: rooms.values().map(|handle| u64::from(handle.shared.chatting.load(Ordering::Relaxed))).sum(),
            window: Duration::from_millis(window.unwrap_or_default().into()),
            batches: self.batches.load(Ordering::Relaxed),
            deliveries: self.deliveries.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn get(&self, room: RoomId) -> Option<Handle> {
        self.lock().get(&room).cloned()
    }

    /// The room's task, started if there is none.
    pub(crate) fn get_or_start(&self, domain: &Arc<Inner>, room: RoomId, watching: u32) -> Handle {
        let mut rooms = self.lock();
        if let Some(handle) = rooms.get(&room) {
            return handle.clone();
        }
        let (inbox, commands) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { watching: AtomicU32::new(watching), ..Shared::default() });
        let handle = Handle { inbox, shared: Arc::clone(&shared) };
        rooms.insert(room, handle.clone());
        let task = room::run(Arc::downgrade(domain), room, shared, commands);
        match self.home.get() {
            Some(home) => drop(home.spawn(task)),
            None => drop(tokio::spawn(task)),
        }
        handle
    }

    /// Ends a task's time in the registry if nothing waits for it, or `at_once`. After that nothing reaches it: whoever has the
    /// handle still finds the inbox closed, and asks again.
    pub(crate) fn retire(
        &self,
        room: RoomId,
        shared: &Arc<Shared>,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        at_once: bool,
    ) -> bool {
        let mut rooms = self.lock();
        if !at_once && !commands.is_empty() {
            return false;
        }
        remove_same(&mut rooms, room, shared);
        commands.close();
        true
    }

    /// For a task that broke off.
    pub(crate) fn forget(&self, room: RoomId, shared: &Arc<Shared>) {
        remove_same(&mut self.lock(), room, shared);
    }

    /// Passes on what concerns a chat.
    pub(crate) fn told(&self, change: &DomainChange) {
        match change {
            DomainChange::Room(room) | DomainChange::RoomMoved { id: room, .. } => {
                if let Some(handle) = self.get(*room) {
                    handle.shared.signal(&handle.shared.reload);
                }
            }
            DomainChange::RoomDeleted { id, .. } => {
                if let Some(handle) = self.get(*id) {
                    handle.shared.signal(&handle.shared.gone);
                }
            }
            DomainChange::LogsChanged => self.each(|handle| handle.shared.signal(&handle.shared.reread)),
            DomainChange::SessionsEnded(_) | DomainChange::GuestRegistered(_) => {}
            DomainChange::Anything => self.each(|handle| handle.shared.signal(&handle.shared.reload)),
        }
    }

    pub(crate) fn each(&self, tell: impl Fn(&Handle)) {
        let all: Vec<Handle> = self.lock().values().cloned().collect();
        all.iter().for_each(tell);
    }
}

fn remove_same(rooms: &mut HashMap<RoomId, Handle>, room: RoomId, shared: &Arc<Shared>) {
    if rooms.get(&room).is_some_and(|handle| Arc::ptr_eq(&handle.shared, shared)) {
        rooms.remove(&room);
    }
}

/// Takes a task out of the registry when it ends in whatever way.
pub(crate) struct Registered {
    pub(crate) domain: Weak<Inner>,
    pub(crate) room: RoomId,
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(domain) = self.domain.upgrade() {
            domain.shared.chats.forget(self.room, &self.shared);
        }
    }
}
