//! Bringing a database to this binary's version. `PRAGMA user_version` counts the migrations that ran.

use super::persons;
use crate::error::OpenError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// In order; one that was released is never changed, only followed by another.
const MIGRATIONS: [&str; 5] = [
    include_str!("../../migrations/0001_persons_rooms_keys.sql"),
    include_str!("../../migrations/0002_chat.sql"),
    include_str!("../../migrations/0003_accounts.sql"),
    include_str!("../../migrations/0004_visibility.sql"),
    include_str!("../../migrations/0005_admin.sql"),
];

/// Runs what is missing, all in one transaction, so that a crash or a second process never sees half of it.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |cause| OpenError::Database { path: path.to_owned(), cause };
    let known = MIGRATIONS.len();
    if version(connection).map_err(failed)? == stored(known) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Asked again under the lock: another process may have been here since.
    let found = version(&transaction).map_err(failed)?;
    let done = match usize::try_from(found) {
        Ok(done) if done <= known => done,
        _ => return Err(OpenError::Newer { path: path.to_owned(), found, known: stored(known) }),
    };
    for sql in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(sql).map_err(failed)?;
    }
    persons::note_looks(&transaction).map_err(failed)?;
    transaction.pragma_update(None, "user_version", stored(known)).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    if done < known {
        tracing::info!(path = %path.display(), from = done, to = known, "the database was brought up to date");
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn stored(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteStore;

    #[test]
    fn an_older_binary_refuses_a_newer_database_and_leaves_it_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("db");
        drop(SqliteStore::open(&path).expect("opens"));
        let newer = Connection::open(&path).expect("opens");
        newer.pragma_update(None, "user_version", 99).expect("set");
        let Err(error) = SqliteStore::open(&path) else { panic!("a newer database was opened") };
        assert!(matches!(error, OpenError::Newer { found: 99, known, .. } if known == stored(MIGRATIONS.len())));
        assert!(error.to_string().contains("run the newer madang"), "{error}");
        assert_eq!(version(&newer).expect("read"), 99);
    }

    #[test]
    fn processes_that_open_a_new_database_at_once_all_succeed() {
        for _ in 0..10 {
            let dir = tempfile::tempdir().expect("a folder");
            let path = dir.path().join("db");
            std::thread::scope(|scope| {
                let all: Vec<_> = (0..6).map(|_| scope.spawn(|| SqliteStore::open(&path).map(drop))).collect();
                for one in all {
                    one.join().expect("no panic").expect("opens");
                }
            });
        }
    }

    #[test]
    fn each_migration_leaves_a_sound_database() {
        let mut connection = Connection::open_in_memory().expect("opens");
        migrate(&mut connection, Path::new("db")).expect("migrates");
        let sound: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).expect("checked");
        assert_eq!((sound.as_str(), version(&connection).expect("read")), ("ok", stored(MIGRATIONS.len())));
    }
}
