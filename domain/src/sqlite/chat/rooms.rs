//! A room's log, modes, filter and moderators in SQLite.

use super::{seq, texts_json};
use crate::{
    error::Error,
    sqlite::rows,
    store::{ChatLog, StoredModerator},
};
use madang_protocol::{EpochId, PersonId, RoomId, UnixMillis, chat::Modes};
use rusqlite::{Connection, OptionalExtension, Row, ffi, params};

pub(super) fn log(db: &Connection, room: RoomId) -> Result<Option<ChatLog>, Error> {
    let mut select = db.prepare_cached("SELECT * FROM chat_rooms WHERE room = ?1")?;
    Ok(select.query_row([room.get()], read_log).optional()?)
}

fn read_log(row: &Row<'_>) -> Result<ChatLog, rusqlite::Error> {
    Ok(ChatLog {
        epoch: EpochId::from_stored(row.get("epoch")?).ok_or_else(|| rows::damaged("an epoch is negative"))?,
        last: seq(row.get("last")?),
        oldest: seq(row.get("oldest")?),
        modes: Modes {
            slow_s: row.get("slow_s")?,
            accounts_only: row.get("accounts_only")?,
            links: row.get("links")?,
            unique: row.get("nothing_twice")?,
            closed: row.get("closed")?,
        },
        filter: rows::texts(row, "filter")?,
    })
}

pub(super) fn open(db: &Connection, room: RoomId, epoch: EpochId) -> Result<(), Error> {
    let mut insert =
        db.prepare_cached("INSERT INTO chat_rooms (room, epoch) VALUES (?1, ?2) ON CONFLICT (room) DO NOTHING")?;
    match insert.execute(params![room.get(), epoch.get()]) {
        Err(rusqlite::Error::SqliteFailure(cause, _)) if cause.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            Err(Error::NotFound)
        }
        done => Ok(done.map(drop)?),
    }
}

pub(super) fn set_modes(db: &Connection, room: RoomId, modes: &Modes) -> Result<(), Error> {
    let mut update = db.prepare_cached(
        "UPDATE chat_rooms SET slow_s = ?2, accounts_only = ?3, links = ?4, nothing_twice = ?5, closed = ?6
         WHERE room = ?1",
    )?;
    let Modes { slow_s, accounts_only, links, unique, closed } = modes;
    let count = update.execute(params![room.get(), slow_s, accounts_only, links, unique, closed])?;
    if count == 0 { Err(Error::NotFound) } else { Ok(()) }
}

pub(super) fn set_filter(db: &Connection, room: RoomId, words: &[String]) -> Result<(), Error> {
    let mut update = db.prepare_cached("UPDATE chat_rooms SET filter = ?2 WHERE room = ?1")?;
    if update.execute(params![room.get(), texts_json(words)])? == 0 { Err(Error::NotFound) } else { Ok(()) }
}

pub(super) fn moderators(db: &Connection, room: RoomId) -> Result<Vec<StoredModerator>, Error> {
    let mut select = db.prepare_cached(
        "SELECT chat_moderators.person, name, login IS NULL AS guest
         FROM chat_moderators JOIN persons ON persons.id = chat_moderators.person
         LEFT JOIN accounts ON accounts.person = persons.id
         WHERE room = ?1 ORDER BY since, chat_moderators.person",
    )?;
    let read = |row: &Row<'_>| {
        Ok(StoredModerator {
            person: rows::person_id(row, "person")?,
            guest: row.get("guest")?,
            name: row.get("name")?,
        })
    };
    Ok(rows::readable(select.query_map([room.get()], read)?)?)
}

pub(super) fn moderated_by(db: &Connection, person: PersonId) -> Result<Vec<RoomId>, Error> {
    let mut select = db.prepare_cached("SELECT room FROM chat_moderators WHERE person = ?1")?;
    Ok(rows::readable(select.query_map([person.get()], |row| rows::room_id(row, "room"))?)?)
}

pub(super) fn set_moderator(
    db: &Connection,
    room: RoomId,
    person: PersonId,
    on: bool,
    at: UnixMillis,
) -> Result<(), Error> {
    if on {
        let mut insert = db.prepare_cached(
            "INSERT INTO chat_moderators (room, person, since) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        insert.execute(params![room.get(), person.get(), at.0])?;
    } else {
        let mut delete = db.prepare_cached("DELETE FROM chat_moderators WHERE room = ?1 AND person = ?2")?;
        delete.execute(params![room.get(), person.get()])?;
    }
    Ok(())
}
