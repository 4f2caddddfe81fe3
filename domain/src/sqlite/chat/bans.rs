//! Bans and timeouts in SQLite.

use super::texts_json;
use crate::{error::Error, sqlite::rows, store::Ban};
use madang_protocol::{ActionId, PersonId, RoomId, UnixMillis, chat::Muted};
use rusqlite::{Connection, Row, params};

pub(super) fn in_force(
    db: &Connection,
    room: RoomId,
    person: Option<PersonId>,
    now: UnixMillis,
) -> Result<Vec<Ban>, Error> {
    let found = match person {
        None => {
            let mut select = db.prepare_cached(
                "SELECT * FROM chat_bans WHERE room = ?1 AND lifted IS NULL AND coalesce(until > ?2, true)
                 ORDER BY at, id",
            )?;
            rows::readable(select.query_map(params![room.get(), now.0], ban)?)?
        }
        Some(person) => {
            let mut select = db.prepare_cached(
                "SELECT * FROM chat_bans
                 WHERE room = ?1 AND lifted IS NULL AND person = ?3 AND coalesce(until > ?2, true) ORDER BY at, id",
            )?;
            rows::readable(select.query_map(params![room.get(), now.0, person.get()], ban)?)?
        }
    };
    Ok(found)
}

fn ban(row: &Row<'_>) -> Result<Ban, rusqlite::Error> {
    Ok(Ban {
        id: rows::action_id(row, "id")?,
        person: rows::person_id(row, "person")?,
        name: row.get("name")?,
        tag: row.get("tag")?,
        at: UnixMillis(row.get("at")?),
        by: row.get("by_name")?,
        muted: Muted { banned: row.get("banned")?, until: rows::time(row, "until")?, reason: row.get("reason")? },
        prefixes: rows::texts(row, "prefixes")?,
    })
}

pub(super) fn add(db: &Connection, room: RoomId, ban: &Ban) -> Result<(), Error> {
    let mut insert = db.prepare_cached(
        "INSERT INTO chat_bans (id, room, person, name, tag, banned, at, until, reason, by_name, prefixes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    insert.execute(params![
        ban.id.get(),
        room.get(),
        ban.person.get(),
        ban.name,
        ban.tag,
        ban.muted.banned,
        ban.at.0,
        ban.muted.until.map(|until| until.0),
        ban.muted.reason,
        ban.by,
        texts_json(&ban.prefixes),
    ])?;
    Ok(())
}

pub(super) fn lift(db: &Connection, room: RoomId, bans: &[ActionId], by: ActionId) -> Result<(), Error> {
    let mut update =
        db.prepare_cached("UPDATE chat_bans SET lifted = ?3 WHERE room = ?1 AND id = ?2 AND lifted IS NULL")?;
    for ban in bans {
        update.execute(params![room.get(), ban.get(), by.get()])?;
    }
    Ok(())
}

pub(super) fn unlift(db: &Connection, room: RoomId, by: ActionId) -> Result<(), Error> {
    let mut update = db.prepare_cached("UPDATE chat_bans SET lifted = NULL WHERE room = ?1 AND lifted = ?2")?;
    update.execute(params![room.get(), by.get()])?;
    Ok(())
}
