//! Moderators' actions in SQLite.

use super::number;
use crate::{error::Error, sqlite::rows, store::StoredAction};
use madang_protocol::{ActionId, PersonId, RoomId, UnixMillis, chat::ActionRecord};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(super) fn add(db: &Connection, room: RoomId, action: &StoredAction, keep: u64) -> Result<(), Error> {
    let mut insert = db.prepare_cached(
        "INSERT INTO chat_actions (id, room, at, by_id, by_name, act, whom, whom_name, reason, message, until, before)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let StoredAction { record, by_id, before } = action;
    insert.execute(params![
        record.id.get(),
        room.get(),
        record.at.0,
        by_id.get(),
        record.by,
        record.act,
        record.whom_id.map(PersonId::get),
        record.whom,
        record.reason,
        record.message,
        record.until.map(|until| until.0),
        before,
    ])?;
    let mut forget = db.prepare_cached(
        "DELETE FROM chat_actions WHERE room = ?1 AND place <=
             (SELECT place FROM chat_actions WHERE room = ?1 ORDER BY place DESC LIMIT 1 OFFSET ?2)",
    )?;
    forget.execute(params![room.get(), i64::try_from(keep).unwrap_or(i64::MAX)])?;
    Ok(())
}

fn record(row: &Row<'_>) -> Result<ActionRecord, rusqlite::Error> {
    let whom_id = match row.get::<_, Option<i64>>("whom")? {
        None => None,
        Some(_) => Some(rows::person_id(row, "whom")?),
    };
    Ok(ActionRecord {
        id: rows::action_id(row, "id")?,
        at: UnixMillis(row.get("at")?),
        by: row.get("by_name")?,
        act: row.get("act")?,
        whom: row.get("whom_name")?,
        whom_id,
        reason: row.get("reason")?,
        message: row.get("message")?,
        until: rows::time(row, "until")?,
        undone: row.get("undone")?,
    })
}

pub(super) fn one(db: &Connection, room: RoomId, id: ActionId) -> Result<Option<StoredAction>, Error> {
    let mut select = db.prepare_cached("SELECT * FROM chat_actions WHERE id = ?1 AND room = ?2")?;
    let read = |row: &Row<'_>| {
        Ok(StoredAction { record: record(row)?, by_id: rows::person_id(row, "by_id")?, before: row.get("before")? })
    };
    Ok(select.query_row(params![id.get(), room.get()], read).optional()?)
}

pub(super) fn undone(db: &Connection, room: RoomId, id: ActionId) -> Result<(), Error> {
    let mut update = db.prepare_cached("UPDATE chat_actions SET undone = 1 WHERE id = ?1 AND room = ?2")?;
    if update.execute(params![id.get(), room.get()])? == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Before an action that is not kept any more there is nothing: an export goes on from where it was, and never starts over.
const PAGE: &str = "SELECT * FROM chat_actions
     WHERE room = ?1 AND place < CASE WHEN ?2 IS NULL THEN 9223372036854775807 ELSE (SELECT place FROM chat_actions WHERE id = ?2) END
     ORDER BY place DESC LIMIT ?3";
const PAGE_OF: &str = "SELECT * FROM chat_actions
     WHERE room = ?1 AND whom = ?4
       AND place < CASE WHEN ?2 IS NULL THEN 9223372036854775807 ELSE (SELECT place FROM chat_actions WHERE id = ?2) END
     ORDER BY place DESC LIMIT ?3";

pub(super) fn page(
    db: &Connection,
    room: RoomId,
    before: Option<ActionId>,
    whom: Option<PersonId>,
    limit: usize,
) -> Result<Vec<ActionRecord>, Error> {
    let (room, before, limit) = (room.get(), before.map(ActionId::get), number(limit));
    let found = match whom {
        None => rows::readable(db.prepare_cached(PAGE)?.query_map(params![room, before, limit], record)?)?,
        Some(whom) => {
            let mut select = db.prepare_cached(PAGE_OF)?;
            rows::readable(select.query_map(params![room, before, limit, whom.get()], record)?)?
        }
    };
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::plan_of;

    #[test]
    fn the_action_log_is_read_along_an_index_and_never_sorted() {
        for (sql, index) in [(PAGE, "chat_actions_by_room"), (PAGE_OF, "chat_actions_by_whom")] {
            let steps = plan_of(sql);
            assert!(steps.iter().any(|step| step.contains(index)), "{steps:#?}");
            assert!(!steps.iter().any(|step| step.contains("SCAN chat") || step.contains("B-TREE")), "{steps:#?}");
        }
    }
}
