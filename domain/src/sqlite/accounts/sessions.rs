//! Sessions, and the places accounts are used from, in SQLite.

use crate::{
    error::Error,
    sqlite::rows,
    store::{FoundSession, NewSession, StoredSession},
    token::TokenHash,
};
use madang_protocol::{PersonId, SessionId, UnixMillis};
use rusqlite::{Connection, OptionalExtension, Row, ffi, params};

pub(super) fn add(db: &Connection, session: &NewSession) -> Result<(), Error> {
    let mut insert = db.prepare_cached(
        "INSERT INTO sessions (id, hash, person, since, used, origin, agent) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)",
    )?;
    let NewSession { id, hash, person, at, origin, agent } = session;
    match insert.execute(params![id.get(), hash.as_bytes().as_slice(), person.get(), at.0, origin, agent]) {
        Err(rusqlite::Error::SqliteFailure(cause, _)) if cause.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            Err(Error::NotFound)
        }
        added => Ok(added.map(drop)?),
    }
}

pub(super) fn find(db: &Connection, hash: &TokenHash) -> Result<Option<FoundSession>, Error> {
    let mut select = db.prepare_cached(
        "SELECT sessions.id AS session, hash, since, used, persons.id, name, login, admin
         FROM sessions JOIN persons ON persons.id = sessions.person JOIN accounts ON accounts.person = persons.id
         WHERE hash = ?1",
    )?;
    let found = select.query_row([hash.as_bytes().as_slice()], |row| {
        Ok(FoundSession {
            id: session_id(row, "session")?,
            hash: TokenHash::from_stored(row.get("hash")?),
            person: rows::person(row)?,
            since: UnixMillis(row.get("since")?),
            used: UnixMillis(row.get("used")?),
        })
    });
    Ok(found.optional()?)
}

pub(super) fn of(db: &Connection, person: PersonId) -> Result<Vec<StoredSession>, Error> {
    let mut select = db.prepare_cached(
        "SELECT id, since, used, origin, agent FROM sessions WHERE person = ?1 ORDER BY used DESC, since DESC, id",
    )?;
    let read = |row: &Row<'_>| {
        Ok(StoredSession {
            id: session_id(row, "id")?,
            since: UnixMillis(row.get("since")?),
            used: UnixMillis(row.get("used")?),
            origin: row.get("origin")?,
            agent: row.get("agent")?,
        })
    };
    Ok(rows::readable(select.query_map([person.get()], read)?)?)
}

pub(super) fn used(db: &Connection, sessions: &[SessionId], at: UnixMillis) -> Result<(), Error> {
    let mut update = db.prepare_cached("UPDATE sessions SET used = max(used, ?2) WHERE id = ?1")?;
    for session in sessions {
        update.execute(params![session.get(), at.0])?;
    }
    Ok(())
}

pub(super) fn left(db: &Connection, sessions: &[SessionId]) -> Result<Vec<(SessionId, UnixMillis, UnixMillis)>, Error> {
    let mut select = db.prepare_cached("SELECT since, used FROM sessions WHERE id = ?1")?;
    let mut left = Vec::with_capacity(sessions.len());
    for session in sessions {
        let times = |row: &Row<'_>| Ok((*session, UnixMillis(row.get("since")?), UnixMillis(row.get("used")?)));
        left.extend(select.query_row([session.get()], times).optional()?);
    }
    Ok(left)
}

pub(super) fn remove(db: &Connection, person: PersonId, session: SessionId) -> Result<bool, Error> {
    let mut delete = db.prepare_cached("DELETE FROM sessions WHERE id = ?1 AND person = ?2")?;
    Ok(delete.execute(params![session.get(), person.get()])? > 0)
}

pub(super) fn remove_all_but(db: &Connection, person: PersonId, keep: usize) -> Result<Vec<SessionId>, Error> {
    let mut delete = db.prepare_cached(
        "DELETE FROM sessions WHERE id IN (
             SELECT id FROM sessions WHERE person = ?1 ORDER BY used DESC, since DESC, id LIMIT -1 OFFSET ?2
         ) RETURNING id",
    )?;
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    Ok(rows::readable(delete.query_map(params![person.get(), keep], |row| session_id(row, "id"))?)?)
}

pub(super) fn forget(db: &Connection, used: UnixMillis, since: UnixMillis) -> Result<Vec<SessionId>, Error> {
    let mut delete = db.prepare_cached("DELETE FROM sessions WHERE used < ?1 OR since < ?2 RETURNING id")?;
    Ok(rows::readable(delete.query_map([used.0, since.0], |row| session_id(row, "id"))?)?)
}

pub(super) fn knows_place(db: &Connection, person: PersonId, place: &str) -> Result<bool, Error> {
    let mut select =
        db.prepare_cached("SELECT EXISTS (SELECT 1 FROM account_places WHERE person = ?1 AND place = ?2)")?;
    Ok(select.query_row(params![person.get(), place], |row| row.get(0))?)
}

pub(super) fn note_place(
    db: &Connection,
    person: PersonId,
    place: &str,
    at: UnixMillis,
    keep: usize,
) -> Result<(), Error> {
    let mut insert = db.prepare_cached(
        "INSERT INTO account_places (person, place, last) VALUES (?1, ?2, ?3)
         ON CONFLICT (person, place) DO UPDATE SET last = ?3",
    )?;
    insert.execute(params![person.get(), place, at.0])?;
    let mut forget = db.prepare_cached(
        "DELETE FROM account_places WHERE person = ?1 AND place IN (
             SELECT place FROM account_places WHERE person = ?1 ORDER BY last DESC LIMIT -1 OFFSET ?2
         )",
    )?;
    forget.execute(params![person.get(), i64::try_from(keep).unwrap_or(i64::MAX)])?;
    Ok(())
}

fn session_id(row: &Row<'_>, column: &str) -> Result<SessionId, rusqlite::Error> {
    SessionId::from_stored(row.get(column)?).ok_or_else(|| rows::damaged("a session's id is negative"))
}
