//! [`Domain`]: opening it, and what its parts share. What it can do is in the modules below, by subject.

mod access;
mod accounts;
mod admin;
mod chat;
mod entrance;
mod keys;
mod moderation;
mod names;
mod operator;
mod persons;
mod publish;
mod rooms;
mod sessions;

pub use accounts::{Admission, Visit};
pub use admin::{AdminAct, Administered, Decided, LiveRoom, Page, PersonFile, Policy};
pub use entrance::Gate;
pub use sessions::Session;

use crate::{
    attempts::Attempts,
    chat::registry::Chats,
    clock,
    cookie::CookieSigner,
    desk::Desk,
    error::{BackupError, Error, OpenError},
    files,
    hashing::Hashers,
    limits::DomainLimits,
    on_air::{NothingOnAir, OnAir},
    person::Actor,
    room::{DomainChange, Room},
    rules::AccountRules,
    site::Site,
    sqlite::SqliteStore,
    store::Store,
};
use madang_protocol::{RoomId, RoomSlug};
use std::{
    fs::{File, OpenOptions},
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::broadcast;

/// Changes kept for a listener that is behind; one that is further behind is told that it has missed some.
const CHANGES_KEPT: usize = 1024;
/// How often sessions and invitations whose time is up are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);
/// How often open broadcasts are noted as running; after a crash their end is right to within this.
const SEEN_EVERY: Duration = Duration::from_secs(30);

/// The product, opened on a data directory. Cheap to clone; the threads behind it end with the last clone, after doing what
/// waits.
///
/// Several processes may have one directory open: the server, and the command line beside it.
#[derive(Clone)]
pub struct Domain(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) desk: Desk,
    signer: CookieSigner,
    pub(crate) limits: DomainLimits,
    pub(crate) shared: Arc<Shared>,
    pub(crate) hashers: Hashers,
    door: Door,
    setup: Mutex<Option<operator::Setup>>,
    /// Held by the one process that carries the streams of this directory. Released by the system when it dies.
    serving: Mutex<Option<File>>,
    /// The file that is locked for it.
    serving_path: std::path::PathBuf,
}

/// What stands between strangers and accounts, or rooms that ask: how often each may try.
struct Door {
    /// Wrong passwords, by address prefix.
    addresses: Attempts,
    /// Wrong passwords, by login, from places where it was not used before.
    accounts: Attempts,
    /// Wrong invitations, by address prefix.
    invitations: Attempts,
    /// Accounts made, by address prefix.
    registrations: Attempts,
    /// Wrong passwords of rooms and wrong links, by address prefix.
    entries: Attempts,
    /// Wrong passwords of rooms, by room.
    rooms: Attempts,
    /// Messages of all rooms' chats, by person.
    messages: Attempts,
    /// The same of guests, by address.
    guests: Attempts,
}

impl Door {
    fn new(limits: &DomainLimits) -> Self {
        let (rules, entrance) = (&limits.accounts, &limits.entrance);
        const MINUTE: Duration = Duration::from_secs(60);
        const HOUR: Duration = Duration::from_secs(60 * 60);
        Self {
            addresses: Attempts::new(rules.log_ins_per_minute, MINUTE),
            accounts: Attempts::new(rules.log_ins_per_account, HOUR),
            invitations: Attempts::new(rules.log_ins_per_minute, MINUTE),
            registrations: Attempts::new(rules.registrations_per_hour, HOUR),
            entries: Attempts::new(entrance.tries_per_minute, MINUTE),
            rooms: Attempts::new(entrance.tries_per_room, HOUR),
            messages: Attempts::new(limits.chat.per_minute, MINUTE),
            guests: Attempts::new(limits.chat.guests_per_minute / 6, MINUTE / 6),
        }
    }
}

/// What the writer's thread needs too. It must not hold [`Inner`], or the last clone would never be dropped.
pub(crate) struct Shared {
    on_air: RwLock<Arc<dyn OnAir>>,
    changes: broadcast::Sender<DomainChange>,
    /// The chats that have a task.
    pub(crate) chats: Chats,
    renames: names::Renames,
    /// What holds on the whole site. The kind of lock: taken to copy a pointer, and to put another one there.
    site: RwLock<Arc<Site>>,
}

impl Shared {
    /// What holds on the whole site now.
    pub(crate) fn site(&self) -> Arc<Site> {
        Arc::clone(&self.site.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_site(&self, site: Arc<Site>) {
        *self.site.write().unwrap_or_else(PoisonError::into_inner) = site;
    }

    fn on_air(&self) -> Arc<dyn OnAir> {
        Arc::clone(&self.on_air.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Nobody listening is fine.
    pub(crate) fn tell(&self, change: DomainChange) {
        self.chats.told(&change);
        drop(self.changes.send(change));
    }

    fn tell_rooms(&self, rooms: impl IntoIterator<Item = RoomId>) {
        for room in rooms {
            self.tell(DomainChange::Room(room));
        }
    }
}

impl Domain {
    /// Opens the data directory with the default limits. See [`Domain::open_with`].
    ///
    /// # Errors
    /// As [`Domain::open_with`].
    pub fn open(data_dir: &Path) -> Result<Self, OpenError> {
        Self::open_with(data_dir, DomainLimits::default())
    }

    /// Opens the data directory, making what is missing: the directory (0700), `madang.sqlite3` and `cookie.key` (0600).
    /// Reads and writes files before it returns, for some milliseconds.
    ///
    /// # Errors
    /// A sentence for the operator, such as [`OpenError::Newer`].
    pub fn open_with(data_dir: &Path, limits: DomainLimits) -> Result<Self, OpenError> {
        files::make_private_dir(data_dir).map_err(|cause| OpenError::Directory { path: data_dir.to_owned(), cause })?;
        let database = data_dir.join("madang.sqlite3");
        let mut writer = SqliteStore::open(&database)?;
        // Before anything is read, so that no change after that goes unnoticed.
        if let Err(error) = writer.changed_by_others() {
            tracing::warn!(%error, "changes by other processes may be noticed late");
        }
        let site = Site::read(&writer, limits.site_bans, clock::now())
            .map_err(|cause| OpenError::Read { path: database.clone(), cause })?;
        let signer = CookieSigner::open(&data_dir.join("cookie.key"))?;
        // Reads are short and mostly from memory: more threads than cores only wait for each other.
        let count = thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4));
        let mut readers: Vec<Box<dyn Store>> = Vec::with_capacity(count);
        for _ in 0..count {
            readers.push(Box::new(SqliteStore::open_reader(&database)?));
        }
        let shared = Arc::new(Shared {
            on_air: RwLock::new(Arc::new(NothingOnAir)),
            changes: broadcast::Sender::new(CHANGES_KEPT),
            chats: Chats::default(),
            renames: names::Renames::default(),
            site: RwLock::new(Arc::new(site)),
        });
        let rules = limits.accounts;
        let tick = watch(Arc::clone(&shared), limits);
        let desk = Desk::start(Box::new(writer), readers, limits.waiting_writes, limits.waiting_reads, tick)
            .map_err(OpenError::Thread)?;
        let serving_path = data_dir.join("serving.lock");
        let hashers = Hashers::start(rules.password_workers, rules.password_queue).map_err(OpenError::Thread)?;
        let (door, setup, serving) = (Door::new(&limits), Mutex::new(None), Mutex::new(None));
        let inner = Inner { desk, signer, limits, shared, hashers, door, setup, serving, serving_path };
        Ok(Self(Arc::new(inner)))
    }

    /// Says who carries the streams: called once, by the server. The first process to call it on a directory closes the
    /// broadcasts that a crash has left open; the command line never calls it.
    pub fn set_on_air(&self, on_air: Arc<dyn OnAir>) {
        *self.0.shared.on_air.write().unwrap_or_else(PoisonError::into_inner) = on_air;
        self.0.shared.chats.settle();
        if !self.begin_serving() {
            return;
        }
        let shared = Arc::clone(&self.0.shared);
        let posted = self.0.desk.post(
            |store| store.end_broadcasts_left_open(),
            move |ended| match ended {
                Ok(rooms) if !rooms.is_empty() => {
                    tracing::info!(rooms = rooms.len(), "broadcasts left open by a crash are closed");
                    shared.tell_rooms(rooms);
                }
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "broadcasts left open by a crash could not be closed"),
            },
        );
        if let Err(error) = posted {
            tracing::error!(%error, "broadcasts left open by a crash could not be closed");
        }
    }

    /// Whether this process is the one that serves the directory. A second server on it (started by mistake, about to fail
    /// on its ports) must not close the first one's broadcasts.
    fn begin_serving(&self) -> bool {
        let path = &self.0.serving_path;
        let mut serving = self.0.serving.lock().unwrap_or_else(PoisonError::into_inner);
        if serving.is_some() {
            return false;
        }
        let locked = OpenOptions::new().create(true).truncate(false).write(true).open(path).and_then(|file| {
            file.try_lock()?;
            Ok(file)
        });
        match locked {
            Ok(file) => {
                *serving = Some(file);
                true
            }
            Err(cause) => {
                tracing::warn!(path = %path.display(), %cause, "another server seems to use this data directory");
                false
            }
        }
    }

    /// News from now on, each after its change is safe in the database. A receiver that lags has missed some: ask for
    /// everything anew, as after [`DomainChange::Anything`].
    pub fn changes(&self) -> broadcast::Receiver<DomainChange> {
        self.0.shared.changes.subscribe()
    }

    /// Writes a copy of the database, as it is at one moment, into the new file `to` (0600), beside the running server. The
    /// guests' secret (`cookie.key`) is not in it.
    ///
    /// # Errors
    /// [`BackupError::Exists`] rather than overwriting.
    pub async fn backup(&self, to: &Path) -> Result<(), BackupError> {
        let to = to.to_owned();
        self.0.desk.read(move |store| store.backup(&to)).await
    }

    /// Whether the database answers; for the readiness probe.
    ///
    /// # Errors
    /// [`Error::Busy`] or [`Error::Storage`].
    pub async fn ready(&self) -> Result<(), Error> {
        self.0.desk.read(|store| store.room(RoomId::from_random(0)).map(drop)).await
    }
}

/// What the writer does when it looks up: notice other processes, note that broadcasts still run, forget what has ended.
///
/// The writer's own connection asks for `data_version`, which moves only by what *others* commit; on any other connection
/// each write of our own would look like another process's.
fn watch(shared: Arc<Shared>, limits: DomainLimits) -> impl FnMut(&mut dyn Store) + Send + 'static {
    let mut last_seen = Instant::now();
    let mut last_forgotten: Option<Instant> = None;
    move |store| {
        match store.changed_by_others() {
            Ok(true) => {
                match Site::read(store, limits.site_bans, clock::now()) {
                    Ok(site) => shared.set_site(Arc::new(site)),
                    Err(error) => tracing::warn!(%error, "what another process decided for the site could not be read"),
                }
                shared.tell(DomainChange::Anything);
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "could not look for other processes' changes"),
        }
        if last_seen.elapsed() >= SEEN_EVERY {
            last_seen = Instant::now();
            if !shared.on_air().on_air().is_empty()
                && let Err(error) = store.broadcasts_seen(clock::now())
            {
                tracing::warn!(%error, "could not note that broadcasts still run");
            }
        }
        if last_forgotten.is_none_or(|at| at.elapsed() >= FORGET_EVERY) {
            last_forgotten = Some(Instant::now());
            match forget_ended(store, &limits.accounts) {
                Ok(ended) => shared.tell_ended(&ended),
                Err(error) => tracing::warn!(%error, "could not forget sessions that have ended"),
            }
        }
    }
}

/// Sessions and invitations that let nobody in any more need not be kept.
fn forget_ended(store: &mut dyn Store, rules: &AccountRules) -> Result<Vec<madang_protocol::SessionId>, Error> {
    let now = clock::now();
    let before = |span| madang_protocol::UnixMillis(now.0.saturating_sub(sessions::millis(span)));
    store.forget_invitations(before(FORGET_EVERY))?;
    store.forget_sessions(before(rules.session_idle), before(rules.session_life))
}

/// The room, if `actor` manages it.
fn managed(store: &dyn Store, actor: Actor, slug: &RoomSlug) -> Result<Room, Error> {
    let room = store.room_by_slug(slug)?.ok_or(Error::NotFound)?;
    actor.must_manage(&room)?;
    Ok(room)
}

#[cfg(test)]
mod tests;
