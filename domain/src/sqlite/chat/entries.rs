//! A room's entries in SQLite. Every function that writes is called within a transaction.

use super::{number, seq, stored};
use crate::{
    error::Error,
    password,
    sqlite::rows,
    store::{NewEntry, NewMessage, NewWhat, StoredMessage},
};
use madang_protocol::{
    ActionId, PersonId, RoomId, UnixMillis,
    chat::{Author, CardMessage, Entry, Message, Quote, Restored, Role, Seq, What},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(super) fn append(db: &Connection, room: RoomId, entries: &[NewEntry]) -> Result<Seq, Error> {
    let mut count =
        db.prepare_cached("UPDATE chat_rooms SET last = last + ?2 WHERE room = ?1 RETURNING last - ?2 + 1")?;
    let first: Option<i64> =
        count.query_row(params![room.get(), number(entries.len())], |row| row.get(0)).optional()?;
    let first = first.ok_or(Error::NotFound)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO chat_entries
             (room, seq, at, kind, body, person, name, tag, role, reply, reply_name, reply_text, client)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    for (place, NewEntry { at, what }) in (first..).zip(entries) {
        let mut said = None;
        let (kind, body) = match what {
            NewWhat::Say(message) => {
                said = Some(message);
                ("say", message.text.clone())
            }
            NewWhat::Delete(seqs) => ("delete", json(seqs)?),
            NewWhat::Restore(seqs) => ("restore", json(seqs)?),
            NewWhat::System(line) => ("system", json(line)?),
        };
        let author = said.map(|message| &message.author);
        let reply = said.and_then(|message| message.reply.as_ref());
        insert.execute(params![
            room.get(),
            place,
            at.0,
            kind,
            body,
            author.map(|author| author.id.get()),
            author.map_or("", |author| &author.name),
            author.map_or("", |author| &author.tag),
            role_word(author.map_or(Role::Viewer, |author| author.role)),
            reply.map(|quote| stored(quote.seq)),
            reply.map_or("", |quote| &quote.name),
            reply.map_or("", |quote| &quote.text),
            said.map_or("", |message| &message.id),
        ])?;
        if let Some(message) = said {
            note_writer(db, room, *at, message)?;
        }
    }
    Ok(seq(first))
}

fn note_writer(db: &Connection, room: RoomId, at: UnixMillis, message: &NewMessage) -> Result<(), Error> {
    let mut note = db.prepare_cached(
        "INSERT INTO chat_persons (room, person, first, last, name, folded, tag, prefix)
         VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (room, person) DO UPDATE
         SET last = excluded.last, name = excluded.name, folded = excluded.folded, tag = excluded.tag,
             prefix = excluded.prefix",
    )?;
    let Author { id, name, tag, .. } = &message.author;
    note.execute(params![room.get(), id.get(), at.0, name, password::fold(name), tag, message.prefix])?;
    Ok(())
}

macro_rules! select_entries {
    ($rest:literal) => {
        concat!(
            "SELECT said.*, quoted.deleted IS NOT NULL AS quote_deleted FROM chat_entries AS said
             LEFT JOIN chat_entries AS quoted ON quoted.room = said.room AND quoted.seq = said.reply
             WHERE said.room = ?1 AND ",
            $rest
        )
    };
}

const BEFORE: &str = select_entries!("said.seq < ?2 ORDER BY said.seq DESC LIMIT ?3");
const AFTER: &str = select_entries!("said.seq > ?2 ORDER BY said.seq LIMIT ?3");
const SAID_AS: &str =
    "SELECT seq FROM chat_entries WHERE room = ?1 AND person = ?2 AND client = ?3 AND client <> '' LIMIT 1";
const MESSAGES_OF: &str = "SELECT seq, at, body, deleted IS NOT NULL AS gone
     FROM chat_entries INDEXED BY chat_entries_by_person
     WHERE room = ?1 AND person = ?2 ORDER BY seq DESC LIMIT ?3";

pub(super) fn before(db: &Connection, room: RoomId, before: Option<Seq>, limit: usize) -> Result<Vec<Entry>, Error> {
    let mut select = db.prepare_cached(BEFORE)?;
    let before = before.map_or(i64::MAX, stored);
    let rows = select.query_map(params![room.get(), before, number(limit)], entry)?;
    let mut entries = rows::readable(rows)?;
    entries.reverse();
    with_restored(db, room, entries)
}

pub(super) fn after(db: &Connection, room: RoomId, after: Seq, limit: usize) -> Result<Vec<Entry>, Error> {
    let mut select = db.prepare_cached(AFTER)?;
    let rows = select.query_map(params![room.get(), stored(after), number(limit)], entry)?;
    let entries = rows::readable(rows)?;
    with_restored(db, room, entries)
}

pub(super) fn said_as(db: &Connection, room: RoomId, person: PersonId, client: &str) -> Result<Option<Entry>, Error> {
    let mut select = db.prepare_cached(SAID_AS)?;
    let found = select.query_row(params![room.get(), person.get(), client], |row| row.get(0)).optional()?;
    let Some(place) = found.map(seq) else { return Ok(None) };
    Ok(after(db, room, Seq(place.0.saturating_sub(1)), 1)?.pop())
}

/// An entry as readers get it. What was restored is filled in by [`with_restored`].
fn entry(row: &Row<'_>) -> Result<Entry, rusqlite::Error> {
    let kind: String = row.get("kind")?;
    let what = match kind.as_str() {
        "say" if row.get::<_, Option<i64>>("deleted")?.is_some() => What::Stub(author(row)?),
        "say" => What::Say(message(row)?),
        "delete" => What::Delete { targets: rows::json(row, "body")? },
        // Only the places are known here: see `with_restored`.
        "restore" => {
            let seqs: Vec<Seq> = rows::json(row, "body")?;
            What::Restore { messages: seqs.into_iter().map(place).collect() }
        }
        _ => What::System(rows::json(row, "body")?),
    };
    Ok(Entry { seq: seq(row.get("seq")?), at: UnixMillis(row.get("at")?), what })
}

/// A restored message of which only the place is known.
fn place(seq: Seq) -> Restored {
    let author = Author { id: PersonId::from_random(0), name: String::new(), tag: String::new(), role: Role::Viewer };
    let message = Message { author, text: String::new(), reply: None, id: String::new() };
    Restored { seq, at: UnixMillis(0), message }
}

/// Fills in restored messages as they are now; one that was deleted again, or is forgotten, is left out.
fn with_restored(db: &Connection, room: RoomId, mut entries: Vec<Entry>) -> Result<Vec<Entry>, Error> {
    let mut select =
        db.prepare_cached(select_entries!("said.seq = ?2 AND said.kind = 'say' AND said.deleted IS NULL"))?;
    for entry in &mut entries {
        let What::Restore { messages } = &mut entry.what else { continue };
        let mut found = Vec::with_capacity(messages.len());
        for Restored { seq, .. } in messages.iter() {
            let read =
                |row: &Row<'_>| Ok(Restored { seq: *seq, at: UnixMillis(row.get("at")?), message: message(row)? });
            found.extend(select.query_row(params![room.get(), stored(*seq)], read).optional()?);
        }
        *messages = found;
    }
    Ok(entries)
}

fn message(row: &Row<'_>) -> Result<Message, rusqlite::Error> {
    let reply = match row.get::<_, Option<i64>>("reply")? {
        None => None,
        Some(quoted) => {
            let gone = row.get("quote_deleted")?;
            let text = if gone { String::new() } else { row.get("reply_text")? };
            Some(Quote { seq: seq(quoted), name: row.get("reply_name")?, text })
        }
    };
    Ok(Message { author: author(row)?, text: row.get("body")?, reply, id: row.get("client")? })
}

fn author(row: &Row<'_>) -> Result<Author, rusqlite::Error> {
    let role: String = row.get("role")?;
    let role = match role.as_str() {
        "owner" => Role::Owner,
        "moderator" => Role::Moderator,
        _ => Role::Viewer,
    };
    Ok(Author { id: rows::person_id(row, "person")?, name: row.get("name")?, tag: row.get("tag")?, role })
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Moderator => "moderator",
        Role::Owner => "owner",
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|cause| {
        tracing::error!(%cause, "an entry could not be encoded");
        Error::Storage(crate::error::StorageFault::Database)
    })
}

pub(super) fn prune(db: &Connection, room: RoomId, keep: u64, step: u64) -> Result<(), Error> {
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    let mut move_on = db.prepare_cached(
        "UPDATE chat_rooms SET oldest = min(last - ?2 + 1, oldest + ?3) WHERE room = ?1 AND oldest < last - ?2 + 1
         RETURNING oldest",
    )?;
    let params = params![room.get(), keep, i64::try_from(step).unwrap_or(i64::MAX)];
    let oldest: Option<i64> = move_on.query_row(params, |row| row.get(0)).optional()?;
    if let Some(oldest) = oldest {
        db.prepare_cached("DELETE FROM chat_entries WHERE room = ?1 AND seq < ?2")?
            .execute(params![room.get(), oldest])?;
    }
    Ok(())
}

pub(super) fn message_at(row: &Row<'_>) -> Result<StoredMessage, rusqlite::Error> {
    Ok(StoredMessage {
        author: author(row)?,
        text: row.get("body")?,
        deleted: row.get::<_, Option<i64>>("deleted")?.is_some(),
    })
}

pub(super) fn message_of(db: &Connection, room: RoomId, seq: Seq) -> Result<Option<StoredMessage>, Error> {
    let mut select = db.prepare_cached("SELECT * FROM chat_entries WHERE room = ?1 AND seq = ?2 AND kind = 'say'")?;
    Ok(select.query_row(params![room.get(), stored(seq)], message_at).optional()?)
}

pub(super) fn messages_of(
    db: &Connection,
    room: RoomId,
    person: PersonId,
    limit: usize,
) -> Result<Vec<CardMessage>, Error> {
    let mut select = db.prepare_cached(MESSAGES_OF)?;
    let read = |row: &Row<'_>| {
        Ok(CardMessage {
            seq: seq(row.get("seq")?),
            at: UnixMillis(row.get("at")?),
            text: row.get("body")?,
            deleted: row.get("gone")?,
        })
    };
    Ok(rows::readable(select.query_map(params![room.get(), person.get(), number(limit)], read)?)?)
}

pub(super) fn delete(db: &Connection, room: RoomId, seqs: &[Seq], by: ActionId, at: UnixMillis) -> Result<(), Error> {
    let mut update = db.prepare_cached(
        "UPDATE chat_entries SET deleted = ?3, deleted_at = ?4
         WHERE room = ?1 AND seq = ?2 AND kind = 'say' AND deleted IS NULL",
    )?;
    for seq in seqs {
        update.execute(params![room.get(), stored(*seq), by.get(), at.0])?;
    }
    Ok(())
}

pub(super) fn restore(db: &Connection, room: RoomId, by: ActionId) -> Result<Vec<Seq>, Error> {
    let mut select = db.prepare_cached("SELECT seq FROM chat_entries WHERE room = ?1 AND deleted = ?2 ORDER BY seq")?;
    let found = rows::readable(select.query_map(params![room.get(), by.get()], |row| Ok(seq(row.get(0)?)))?)?;
    let mut update = db
        .prepare_cached("UPDATE chat_entries SET deleted = NULL, deleted_at = NULL WHERE room = ?1 AND deleted = ?2")?;
    update.execute(params![room.get(), by.get()])?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::plan_of;

    #[test]
    fn history_is_read_along_an_index_and_never_sorted() {
        for (sql, index) in [
            (BEFORE, "PRIMARY KEY"),
            (AFTER, "PRIMARY KEY"),
            (MESSAGES_OF, "chat_entries_by_person"),
            (SAID_AS, "chat_entries_by_client"),
        ] {
            let steps = plan_of(sql);
            let along = |step: &String| step.starts_with("SEARCH") && step.contains(index);
            assert!(steps.iter().all(along), "{sql}: {steps:#?}");
        }
    }
}
