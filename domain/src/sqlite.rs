//! [`Store`] on SQLite: opening, migrations and transactions. The statements are in the modules below, by subject.

mod accounts;
mod admin;
mod broadcasts;
mod chat;
mod entrance;
mod keys;
mod migrations;
mod persons;
mod rooms;
mod rows;

use crate::{
    error::{BackupError, Error, OpenError, StorageFault},
    files,
    key::KeyHash,
    password::PasswordDigest,
    person::Person,
    room::Room,
    store::{FoundKey, ListedRoom, NewAccount, NewBroadcast, NewKey, Store},
};
use madang_protocol::{
    KeyId, PersonId, RoomId, RoomSlug, UnixMillis,
    studio::{KeyUse, StreamKeyInfo},
};
use rusqlite::{Connection, ErrorCode, OpenFlags, backup::Backup};
use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// How long a statement waits for another process's transaction. The server's own writes all come from one thread, so only
/// the command line beside it is waited for, and it writes for milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The log is cut back to this many bytes after a checkpoint, so that one busy hour does not keep the disk.
const LOG_SIZE_MAX: i64 = 16 << 20;
/// Statements kept prepared on each connection; there are about a hundred.
const STATEMENTS_KEPT: usize = 128;

/// One connection to an SQLite database.
pub struct SqliteStore {
    connection: Connection,
    /// How many `together` are under way, one inside the other.
    depth: u32,
    /// What `PRAGMA data_version` said last: it moves when any other connection commits, and not when this one does.
    seen_version: Option<i64>,
}

impl SqliteStore {
    /// Opens the database file `path` for reading and writing, makes it (mode 0600) if it is not there, and brings it to this
    /// binary's version.
    ///
    /// # Errors
    /// [`OpenError::Newer`] when a newer binary has written it; otherwise what the disk says.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        match files::make_private_file(path) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                return Err(OpenError::File { path: path.to_owned(), cause });
            }
            _ => {}
        }
        let mut store = Self::connect(path)?;
        migrations::migrate(&mut store.connection, path)?;
        Ok(store)
    }

    /// Opens a database that [`SqliteStore::open`] has made ready, for reading only.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open_reader(path: &Path) -> Result<Self, OpenError> {
        let store = Self::connect(path)?;
        let failed = |cause| OpenError::Database { path: path.to_owned(), cause };
        store.connection.pragma_update(None, "query_only", true).map_err(failed)?;
        Ok(store)
    }

    /// A database in memory, gone with the value.
    ///
    /// # Errors
    /// [`OpenError::Database`].
    pub fn in_memory() -> Result<Self, OpenError> {
        let path = Path::new(":memory:");
        let failed = |cause| OpenError::Database { path: path.to_owned(), cause };
        let mut store = Self::with(Connection::open_in_memory().map_err(failed)?).map_err(failed)?;
        migrations::migrate(&mut store.connection, path)?;
        Ok(store)
    }

    fn connect(path: &Path) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Database { path: path.to_owned(), cause };
        // Without URI parsing, so that a `?` in a folder's name is a `?`; without a mutex, since a connection has one thread.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        let store = Self::with(connection).map_err(failed)?;
        let mode = store.use_log().map_err(failed)?;
        if mode != "wal" {
            return Err(OpenError::NoWriteAheadLog { path: path.to_owned() });
        }
        store.connection.pragma_update(None, "journal_size_limit", LOG_SIZE_MAX).map_err(failed)?;
        Ok(store)
    }

    /// Turns the write-ahead log on; gives the mode that the database is in then. Of several processes that find a new
    /// database at once, SQLite lets one switch and tells the others at once that it is busy, without the waiting it does for
    /// every other lock.
    fn use_log(&self) -> Result<String, rusqlite::Error> {
        let since = Instant::now();
        loop {
            match self.connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)) {
                Err(cause)
                    if cause.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && since.elapsed() < BUSY_TIMEOUT =>
                {
                    thread::sleep(Duration::from_millis(5));
                }
                switched => return switched,
            }
        }
    }

    fn with(connection: Connection) -> Result<Self, rusqlite::Error> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // FULL syncs the log at each commit, where NORMAL may lose the last commits (never the database) with the power. A
        // revoked key that works again after a power cut is not acceptable, and group commit makes the sync cheap.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(Self { connection, depth: 0, seen_version: None })
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// [`Store::together`] with a result. Nothing here unwinds past its end: the desk catches panics inside the work.
    fn atomically<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let outermost = self.depth == 0;
        if !outermost && self.connection.is_autocommit() {
            // The outer transaction broke: what were done now would be kept on its own.
            return Err(Error::Storage(StorageFault::Database));
        }
        // IMMEDIATE takes the write lock at once and waits for it; a read that turns into a write later cannot wait.
        self.run(if outermost { "BEGIN IMMEDIATE" } else { "SAVEPOINT together" })?;
        self.depth = self.depth.saturating_add(1);
        let worked = work(self);
        self.depth = self.depth.saturating_sub(1);
        let kept = worked.and_then(|value| {
            if self.connection.is_autocommit() {
                return Err(Error::Storage(StorageFault::Database));
            }
            self.run(if outermost { "COMMIT" } else { "RELEASE together" })?;
            Ok(value)
        });
        if kept.is_err() {
            self.undo();
        }
        kept
    }

    /// Undoes to where the current `together` began. SQLite may have rolled everything back by itself (a full disk): then
    /// there is nothing left to undo, and the outer ones see that they have no transaction any more.
    fn undo(&self) {
        if self.connection.is_autocommit() {
            return;
        }
        let undone = if self.depth == 0 {
            self.run("ROLLBACK")
        } else {
            self.run("ROLLBACK TO together").and_then(|()| self.run("RELEASE together"))
        };
        if let Err(error) = undone {
            tracing::error!(%error, "a transaction could not be undone");
        }
    }

    fn copy_to(&self, to: &Path) -> Result<(), rusqlite::Error> {
        let mut copy = Connection::open(to)?;
        let backup = Backup::new(&self.connection, &mut copy)?;
        // All pages in one step: one read transaction, which no writer waits for in WAL mode. Step by step, each write of the
        // server would start the copy over.
        backup.step(-1)?;
        drop(backup);
        copy.close().map_err(|(_, cause)| cause)
    }
}

impl Store for SqliteStore {
    fn together(&mut self, work: &mut dyn FnMut(&mut dyn Store) -> Result<(), Error>) -> Result<(), Error> {
        self.atomically(|store| work(store))
    }

    fn changed_by_others(&mut self) -> Result<bool, Error> {
        let mut statement = self.connection.prepare_cached("PRAGMA data_version")?;
        let version = statement.query_row([], |row| row.get(0))?;
        drop(statement);
        Ok(self.seen_version.replace(version).is_some_and(|seen| seen != version))
    }

    fn backup(&self, to: &Path) -> Result<(), BackupError> {
        let failed = |cause: io::Error| match cause.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists { path: to.to_owned() },
            _ => BackupError::File { path: to.to_owned(), cause },
        };
        files::make_private_file(to).map_err(failed)?;
        self.copy_to(to).map_err(|cause| {
            // Half a copy must not be taken for a backup.
            if let Err(cause) = fs::remove_file(to) {
                tracing::warn!(path = %to.display(), %cause, "an unfinished backup could not be removed");
            }
            BackupError::Copy(cause)
        })
    }

    fn add_guest(&mut self, id: PersonId, name: &str, at: UnixMillis) -> Result<(), Error> {
        persons::add_guest(&self.connection, id, name, at)
    }

    fn add_account(&mut self, account: &NewAccount<'_>) -> Result<(), Error> {
        self.atomically(|store| persons::add_account(&store.connection, account))
    }

    fn person(&self, id: PersonId) -> Result<Option<Person>, Error> {
        persons::person(&self.connection, id)
    }

    fn account(&self, login: &str) -> Result<Option<Person>, Error> {
        persons::account(&self.connection, login)
    }

    fn password(&self, id: PersonId) -> Result<Option<PasswordDigest>, Error> {
        persons::password(&self.connection, id)
    }

    fn rename_person(&mut self, id: PersonId, name: &str) -> Result<(), Error> {
        persons::rename(&self.connection, id, name)
    }

    fn add_room(&mut self, room: &Room) -> Result<(), Error> {
        rooms::add(&self.connection, room)
    }

    fn change_room(&mut self, room: &Room) -> Result<(), Error> {
        rooms::change(&self.connection, room)
    }

    fn remove_room(&mut self, id: RoomId) -> Result<(), Error> {
        rooms::remove(&self.connection, id)
    }

    fn room(&self, id: RoomId) -> Result<Option<Room>, Error> {
        rooms::room(&self.connection, id)
    }

    fn room_by_slug(&self, slug: &RoomSlug) -> Result<Option<Room>, Error> {
        rooms::room_by_slug(&self.connection, slug)
    }

    fn rooms_of(&self, owner: PersonId) -> Result<Vec<Room>, Error> {
        rooms::rooms_of(&self.connection, owner)
    }

    fn rooms(&self) -> Result<Vec<Room>, Error> {
        rooms::rooms(&self.connection)
    }

    fn directory(&self, on_air: &[RoomId], limit: usize) -> Result<Vec<ListedRoom>, Error> {
        rooms::directory(&self.connection, on_air, limit)
    }

    fn add_stream_key(&mut self, key: &NewKey) -> Result<StreamKeyInfo, Error> {
        keys::add(&self.connection, key)
    }

    fn stream_keys(&self, room: RoomId) -> Result<Vec<StreamKeyInfo>, Error> {
        keys::keys_of(&self.connection, room)
    }

    fn find_stream_key(&self, hash: &KeyHash) -> Result<Option<FoundKey>, Error> {
        keys::find(&self.connection, hash)
    }

    fn stream_key(&self, room: RoomId, key: KeyId) -> Result<Option<StreamKeyInfo>, Error> {
        keys::key(&self.connection, room, key)
    }

    fn stream_key_used(&mut self, key: KeyId, usage: &KeyUse) -> Result<(), Error> {
        keys::used(&self.connection, key, usage)
    }

    fn revoke_stream_key(&mut self, room: RoomId, key: KeyId, at: UnixMillis) -> Result<(), Error> {
        keys::revoke(&self.connection, room, key, at)
    }

    fn rotate_stream_key(&mut self, old: KeyId, new: &NewKey) -> Result<StreamKeyInfo, Error> {
        self.atomically(|store| {
            match keys::key(&store.connection, new.room, old)? {
                Some(old) if old.revoked.is_none() => {}
                _ => return Err(Error::NotFound),
            }
            keys::revoke(&store.connection, new.room, old, new.created)?;
            keys::add(&store.connection, new)
        })
    }

    fn forget_revoked_keys(&mut self, room: RoomId, keep: usize) -> Result<(), Error> {
        keys::forget_revoked(&self.connection, room, keep)
    }

    fn start_broadcast(&mut self, broadcast: &NewBroadcast) -> Result<(), Error> {
        self.atomically(|store| broadcasts::start(&store.connection, broadcast))
    }

    fn broadcasts_seen(&mut self, at: UnixMillis) -> Result<(), Error> {
        broadcasts::seen(&self.connection, at)
    }

    fn end_broadcast(&mut self, room: RoomId, at: UnixMillis) -> Result<bool, Error> {
        self.atomically(|store| broadcasts::end(&store.connection, room, at))
    }

    fn end_broadcasts_left_open(&mut self) -> Result<Vec<RoomId>, Error> {
        self.atomically(|store| broadcasts::end_left_open(&store.connection))
    }
}

/// The steps by which SQLite answers a statement on a new database.
#[cfg(test)]
fn plan_of(sql: &str) -> Vec<String> {
    let mut db = Connection::open_in_memory().expect("opens");
    migrations::migrate(&mut db, Path::new("db")).expect("migrates");
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("prepared");
    let (mut rows, mut steps) = (explain.raw_query(), Vec::new());
    while let Some(row) = rows.next().expect("a step") {
        steps.push(row.get("detail").expect("text"));
    }
    steps
}
