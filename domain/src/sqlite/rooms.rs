//! Rooms in SQLite, and the directory.

use super::rows;
use crate::{error::Error, room::Room, store::ListedRoom};
use madang_protocol::{Field, PersonId, RoomId, RoomSlug, Visibility};
use rusqlite::{Connection, OptionalExtension, ffi, params};

/// Every column of a room with its owner's name; what follows is the condition.
macro_rules! select_rooms {
    ($rest:literal) => {
        concat!(
            "SELECT rooms.id, owner, persons.name AS owner_name, slug, title, description, category, tags, language, ",
            "coalesce(asks, visibility) AS visibility, rooms.created, last_live FROM rooms JOIN persons ON persons.id = rooms.owner ",
            $rest
        )
    };
}

pub(super) fn add(db: &Connection, room: &Room) -> Result<(), Error> {
    let mut insert = db.prepare_cached(
        "INSERT INTO rooms (id, owner, slug, title, description, category, tags, language, visibility, asks, created, last_live)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let (listed, asks) = stored(room.visibility);
    let added = insert.execute(params![
        room.id.get(),
        room.owner.get(),
        room.slug.as_str(),
        room.title,
        room.description,
        room.category,
        rows::tags_json(&room.tags),
        room.language,
        listed,
        asks,
        room.created.0,
        room.last_live.map(|at| at.0),
    ]);
    added.map_err(explained)?;
    Ok(())
}

pub(super) fn change(db: &Connection, room: &Room) -> Result<(), Error> {
    let mut update = db.prepare_cached(
        "UPDATE rooms SET slug = ?2, title = ?3, description = ?4, category = ?5, tags = ?6, language = ?7,
         visibility = ?8, asks = ?9 WHERE id = ?1",
    )?;
    let (listed, asks) = stored(room.visibility);
    let changed = update.execute(params![
        room.id.get(),
        room.slug.as_str(),
        room.title,
        room.description,
        room.category,
        rows::tags_json(&room.tags),
        room.language,
        listed,
        asks,
    ]);
    if changed.map_err(explained)? == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Whether the directory may show the room, and what it asks of those who come.
const fn stored(visibility: Visibility) -> (&'static str, Option<&'static str>) {
    match visibility {
        Visibility::Public | Visibility::Unlisted => (visibility.as_str(), None),
        Visibility::Password | Visibility::Invitation => (Visibility::Unlisted.as_str(), Some(visibility.as_str())),
    }
}

/// The slug's UNIQUE and the owner's foreign key are the two rules a caller can break.
fn explained(cause: rusqlite::Error) -> Error {
    let code = match &cause {
        rusqlite::Error::SqliteFailure(failure, _) => failure.extended_code,
        _ => 0,
    };
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE => Error::taken(Field::Slug),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Error::NotFound,
        _ => cause.into(),
    }
}

pub(super) fn remove(db: &Connection, id: RoomId) -> Result<(), Error> {
    let mut delete = db.prepare_cached("DELETE FROM rooms WHERE id = ?1")?;
    if delete.execute([id.get()])? == 0 { Err(Error::NotFound) } else { Ok(()) }
}

pub(super) fn room(db: &Connection, id: RoomId) -> Result<Option<Room>, Error> {
    let mut select = db.prepare_cached(select_rooms!("WHERE rooms.id = ?1"))?;
    Ok(select.query_row([id.get()], rows::room).optional()?)
}

pub(super) fn room_by_slug(db: &Connection, slug: &RoomSlug) -> Result<Option<Room>, Error> {
    let mut select = db.prepare_cached(select_rooms!("WHERE slug = ?1"))?;
    Ok(select.query_row([slug.as_str()], rows::room).optional()?)
}

pub(super) fn rooms_of(db: &Connection, owner: PersonId) -> Result<Vec<Room>, Error> {
    let mut select = db.prepare_cached(select_rooms!("WHERE owner = ?1 ORDER BY rooms.created, slug"))?;
    Ok(rows::readable(select.query_map([owner.get()], rows::room)?)?)
}

pub(super) fn rooms(db: &Connection) -> Result<Vec<Room>, Error> {
    let mut select = db.prepare_cached(select_rooms!("ORDER BY rooms.created, slug"))?;
    Ok(rows::readable(select.query_map([], rows::room)?)?)
}

/// Rooms by what their address, title or owner's name holds, the newest first. Administrators' own, so it may read them all.
pub(super) fn like(db: &Connection, query: &str, skip: i64, limit: i64) -> Result<Vec<Room>, Error> {
    let mut select = db.prepare_cached(select_rooms!(
        "WHERE instr(lower(slug), ?2) > 0 OR instr(lower(title), ?2) > 0 OR instr(title, ?1) > 0
            OR instr(persons.name, ?1) > 0 OR instr(lower(persons.name), ?2) > 0
         ORDER BY rooms.created DESC, rooms.id DESC LIMIT ?4 OFFSET ?3"
    ))?;
    Ok(rows::readable(select.query_map(params![query, query.to_lowercase(), skip, limit], rows::room)?)?)
}

/// ?1: ids on air, a JSON array; ?2: how many.
const DIRECTORY: &str = "WITH air (id, place) AS MATERIALIZED (SELECT value, key FROM json_each(?1)),
          shown (id, place) AS (
              SELECT rooms.id, place FROM air CROSS JOIN rooms ON rooms.id = air.id WHERE visibility = 'public'
              UNION ALL
              SELECT * FROM (
                  SELECT id, NULL FROM rooms
                  WHERE visibility = 'public' AND id NOT IN (SELECT id FROM air)
                  ORDER BY last_live DESC, created DESC LIMIT ?2
              )
          )
     SELECT rooms.id, persons.name AS owner_name, slug, title, category, tags, language, visibility, last_live
     FROM shown CROSS JOIN rooms ON rooms.id = shown.id JOIN persons ON persons.id = rooms.owner
     ORDER BY place IS NULL, place, last_live DESC, rooms.created DESC, slug LIMIT ?2";

/// Public rooms on air in the order given, then the rest. The rest is read along `rooms_by_last_live` and only as far as the
/// limit, so that the cost follows the directory's size and not the number of rooms.
pub(super) fn directory(db: &Connection, on_air: &[RoomId], limit: usize) -> Result<Vec<ListedRoom>, Error> {
    let mut select = db.prepare_cached(DIRECTORY)?;
    let air = serde_json::Value::from(on_air.iter().map(|id| id.get()).collect::<Vec<_>>()).to_string();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(rows::readable(select.query_map(params![air, limit], rows::listed_room)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::plan_of;

    #[test]
    fn the_directory_reads_along_its_index_and_never_all_rooms() {
        let steps = plan_of(DIRECTORY);
        assert!(steps.iter().any(|step| step.contains("INDEX rooms_by_last_live")), "{steps:#?}");
        assert!(!steps.iter().any(|step| step.contains("SCAN rooms") || step.contains("SCAN persons")), "{steps:#?}");
        // One sort, of what is shown: the inner order comes from the index.
        assert_eq!(steps.iter().filter(|step| step.contains("TEMP B-TREE")).count(), 1, "{steps:#?}");
    }
}
