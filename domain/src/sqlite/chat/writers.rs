//! Who has written in a room, what they were called, and what logins look like, in SQLite.

use super::number;
use crate::{error::Error, sqlite::rows, store::Writer};
use madang_protocol::{PersonId, RoomId, UnixMillis};
use rusqlite::{Connection, OptionalExtension, Row, params};

fn writer(row: &Row<'_>) -> Result<Writer, rusqlite::Error> {
    Ok(Writer {
        person: rows::person_id(row, "person")?,
        first: UnixMillis(row.get("first")?),
        name: row.get("name")?,
        tag: row.get("tag")?,
        prefix: row.get("prefix")?,
    })
}

pub(super) fn one(db: &Connection, room: RoomId, person: PersonId) -> Result<Option<Writer>, Error> {
    let mut select = db.prepare_cached("SELECT * FROM chat_persons WHERE room = ?1 AND person = ?2")?;
    Ok(select.query_row(params![room.get(), person.get()], writer).optional()?)
}

pub(super) fn named(db: &Connection, room: RoomId, folded: &str, tag: Option<&str>) -> Result<Option<Writer>, Error> {
    let mut select = db.prepare_cached(
        "SELECT * FROM chat_persons WHERE room = ?1 AND folded = ?2 AND (?3 IS NULL OR tag = ?3)
         ORDER BY last DESC LIMIT 1",
    )?;
    Ok(select.query_row(params![room.get(), folded, tag], writer).optional()?)
}

pub(super) fn person_since(db: &Connection, id: PersonId) -> Result<Option<UnixMillis>, Error> {
    let mut select = db.prepare_cached("SELECT created FROM persons WHERE id = ?1")?;
    Ok(select.query_row([id.get()], |row| row.get(0)).optional()?.map(UnixMillis))
}

pub(super) fn ensure_guest(db: &Connection, id: PersonId, at: UnixMillis) -> Result<(), Error> {
    let mut insert =
        db.prepare_cached("INSERT INTO persons (id, name, created) VALUES (?1, '', ?2) ON CONFLICT (id) DO NOTHING")?;
    insert.execute(params![id.get(), at.0])?;
    Ok(())
}

pub(super) fn keep_name(
    db: &Connection,
    person: PersonId,
    name: &str,
    until: UnixMillis,
    keep: usize,
) -> Result<(), Error> {
    let mut insert = db.prepare_cached("INSERT INTO person_names (person, name, until) VALUES (?1, ?2, ?3)")?;
    insert.execute(params![person.get(), name, until.0])?;
    let mut forget = db.prepare_cached(
        "DELETE FROM person_names WHERE person = ?1 AND place <=
             (SELECT place FROM person_names WHERE person = ?1 ORDER BY place DESC LIMIT 1 OFFSET ?2)",
    )?;
    forget.execute(params![person.get(), number(keep)])?;
    Ok(())
}

pub(super) fn earlier_names(db: &Connection, person: PersonId) -> Result<Vec<String>, Error> {
    let mut select = db.prepare_cached("SELECT name FROM person_names WHERE person = ?1 ORDER BY place DESC")?;
    Ok(rows::readable(select.query_map([person.get()], |row| row.get(0))?)?)
}

pub(super) fn login_looks_like(db: &Connection, looks: &[String], except: PersonId) -> Result<bool, Error> {
    let mut select = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM login_looks WHERE look = ?1 AND person <> ?2)")?;
    for look in looks {
        if select.query_row(params![look, except.get()], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}
