//! What can go wrong, as codes. Causes go to the log where they happen; nothing here holds a secret.

use madang_protocol::{Field, FieldIssue, Problem, UnixMillis};
use std::{io, path::PathBuf};

/// Why the domain did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such room, key or person (or not any more).
    #[error("not found")]
    NotFound,
    /// It exists, and is not theirs to see or change.
    #[error("not allowed")]
    Forbidden,
    /// What was typed is refused; at least one issue.
    #[error("refused: {0:?}")]
    Invalid(Vec<FieldIssue>),
    /// As many as allowed exist already.
    #[error("limit reached: {limit:?}, {max}")]
    LimitReached { limit: Limit, max: usize },
    /// There is no such account, or that is not its password: which, nobody is told.
    #[error("wrong login")]
    WrongLogin,
    /// An administrator has barred them from the site.
    #[error("barred: {0:?}")]
    Barred(Bar),
    /// An administrator may do much, and not this.
    #[error("not even an administrator: {0:?}")]
    NotThat(NotThat),
    /// Tried too often; again after this many seconds.
    #[error("too many attempts, again in {retry_after_s} s")]
    TooMany { retry_after_s: u32 },
    /// Too much is waiting, or another process holds the database. Trying again in a second is right.
    #[error("busy")]
    Busy,
    /// The database failed; the cause is in the log.
    #[error("storage failed: {0:?}")]
    Storage(StorageFault),
}

/// Which limit of [`crate::DomainLimits`] was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    RoomsPerPerson,
    KeysPerRoom,
    LinksPerRoom,
    /// Bans across the site.
    Bans,
}

/// What keeps somebody out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bar {
    /// The account is locked.
    Locked,
    Banned {
        /// `None`: until it is lifted.
        until: Option<UnixMillis>,
        reason: String,
    },
}

/// What even administrators may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotThat {
    /// The site needs one.
    LastAdministrator,
    /// Locking or banning one, whose role has to be taken first.
    Administrator,
    /// Banning what is no address and no network, or a network that nobody bans on purpose: wider than /16, or /32 of IPv6.
    Network,
}

/// The kinds of storage failure an operator can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageFault {
    /// No room on the disk.
    DiskFull,
    /// The database file cannot be read, written or trusted.
    Database,
    /// The operating system gives no random bytes.
    Randomness,
    /// The domain is shutting down, or a query broke off.
    Stopped,
}

impl Error {
    pub(crate) fn too_many(wait: std::time::Duration) -> Self {
        Self::TooMany { retry_after_s: u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX) }
    }

    pub(crate) fn taken(field: Field) -> Self {
        Self::Invalid(vec![FieldIssue::new(field, Problem::Taken)])
    }
}

impl From<FieldIssue> for Error {
    fn from(issue: FieldIssue) -> Self {
        Self::Invalid(vec![issue])
    }
}

impl From<rusqlite::Error> for Error {
    /// Logs the cause (SQL text and SQLite's message, never a bound value) and keeps its kind.
    fn from(cause: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match cause.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                tracing::warn!(%cause, "another process holds the database");
                Self::Busy
            }
            Some(ErrorCode::DiskFull) => {
                tracing::error!(%cause, "the disk that holds the database is full");
                Self::Storage(StorageFault::DiskFull)
            }
            _ => {
                tracing::error!(%cause, "the database failed");
                Self::Storage(StorageFault::Database)
            }
        }
    }
}

/// Why the data directory could not be opened. Each is a sentence for the operator's terminal.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot make the data directory {}: {cause}; give another with --data", path.display())]
    Directory { path: PathBuf, cause: io::Error },
    #[error("cannot make or read {}: {cause}; check who owns it and its permissions", path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error(
        "{} does not hold 32 bytes; restore it from a backup, or remove it: guests then lose the rooms they made",
        path.display()
    )]
    CookieKey { path: PathBuf },
    #[error(
        "the database {} has version {found}, and this madang knows versions up to {known}: \
         run the newer madang that wrote it, or restore an older backup",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("cannot open the database {}: {cause}", path.display())]
    Database { path: PathBuf, cause: rusqlite::Error },
    #[error("the database {} cannot keep a write-ahead log; put the data directory on a local disk", path.display())]
    NoWriteAheadLog { path: PathBuf },
    #[error("the database {} cannot be read: {cause}", path.display())]
    Read { path: PathBuf, cause: Error },
    #[error("the operating system gives no random bytes")]
    Randomness,
    #[error("cannot start a thread for the database: {0}")]
    Thread(io::Error),
}

/// Why no backup was written.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} exists already; a backup never overwrites: give another name", path.display())]
    Exists { path: PathBuf },
    #[error("cannot write {}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("the database could not be copied: {0}")]
    Copy(rusqlite::Error),
    #[error(transparent)]
    Domain(#[from] Error),
}
