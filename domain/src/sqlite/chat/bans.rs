//! Bans and timeouts in SQLite.

use super::{number, texts_json};
use crate::{error::Error, sqlite::rows, store::Ban};
use madang_protocol::{
    ActionId, PersonId, RoomId, UnixMillis,
    chat::{Muted, UNDO_MS},
};
use rusqlite::{Connection, Row, params};

const IN_FORCE: &str = "SELECT * FROM chat_bans
     WHERE room = ?1 AND lifted IS NULL AND coalesce(until > ?2, true) ORDER BY at DESC, id DESC LIMIT ?3";
const IN_FORCE_OF: &str = "SELECT * FROM chat_bans
     WHERE room = ?1 AND lifted IS NULL AND person = ?4 AND coalesce(until > ?2, true) ORDER BY at DESC, id DESC LIMIT ?3";
const FORGET_ENDED: &str = "DELETE FROM chat_bans WHERE id IN
     (SELECT id FROM chat_bans WHERE room = ?1 AND until <= ?2 ORDER BY until LIMIT ?3)";
const FORGET_LIFTED: &str = "DELETE FROM chat_bans WHERE id IN
     (SELECT id FROM chat_bans WHERE room = ?1 AND lifted_at <= ?2 ORDER BY lifted_at LIMIT ?3)";

/// Bans of each kind that one new ban forgets at most: more than it adds, so that what is over does not pile up.
const FORGOTTEN_AT_ONCE: usize = 50;

pub(super) fn in_force(
    db: &Connection,
    room: RoomId,
    person: Option<PersonId>,
    now: UnixMillis,
    limit: usize,
) -> Result<Vec<Ban>, Error> {
    let (room, limit) = (room.get(), number(limit));
    let mut found = match person {
        None => rows::readable(db.prepare_cached(IN_FORCE)?.query_map(params![room, now.0, limit], ban)?)?,
        Some(person) => {
            let mut select = db.prepare_cached(IN_FORCE_OF)?;
            rows::readable(select.query_map(params![room, now.0, limit, person.get()], ban)?)?
        }
    };
    found.reverse();
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
    // What was lifted or ran out a moment ago may come back by an undoing.
    let over = ban.at.0.saturating_sub(UNDO_MS);
    for forget in [FORGET_ENDED, FORGET_LIFTED] {
        db.prepare_cached(forget)?.execute(params![room.get(), over, number(FORGOTTEN_AT_ONCE)])?;
    }
    Ok(())
}

pub(super) fn lift(
    db: &Connection,
    room: RoomId,
    bans: &[ActionId],
    by: ActionId,
    at: UnixMillis,
) -> Result<(), Error> {
    let mut update = db.prepare_cached(
        "UPDATE chat_bans SET lifted = ?3, lifted_at = ?4 WHERE room = ?1 AND id = ?2 AND lifted IS NULL",
    )?;
    for ban in bans {
        update.execute(params![room.get(), ban.get(), by.get(), at.0])?;
    }
    Ok(())
}

pub(super) fn unlift(db: &Connection, room: RoomId, by: ActionId) -> Result<(), Error> {
    let mut update =
        db.prepare_cached("UPDATE chat_bans SET lifted = NULL, lifted_at = NULL WHERE room = ?1 AND lifted = ?2")?;
    update.execute(params![room.get(), by.get()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_are_read_and_forgotten_along_indexes() {
        let mut db = Connection::open_in_memory().expect("opens");
        crate::sqlite::migrations::migrate(&mut db, std::path::Path::new("db")).expect("migrates");
        for (sql, index) in [
            (IN_FORCE, "chat_bans_by_room"),
            (IN_FORCE_OF, "chat_bans_by_room"),
            (FORGET_ENDED, "chat_bans_by_end"),
            (FORGET_LIFTED, "chat_bans_by_lifting"),
        ] {
            let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("prepared");
            let mut rows = explain.raw_query();
            let mut steps = Vec::new();
            while let Some(row) = rows.next().expect("a step") {
                steps.push(row.get::<_, String>("detail").expect("text"));
            }
            assert!(steps.iter().any(|step| step.contains(index)), "{sql}: {steps:#?}");
            assert!(!steps.iter().any(|step| step.contains("SCAN chat")), "{sql}: {steps:#?}");
        }
    }
}
