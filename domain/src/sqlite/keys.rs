//! Stream keys in SQLite: hashes and what is known of their use.

use super::rows;
use crate::{
    error::Error,
    key::KeyHash,
    store::{FoundKey, NewKey},
};
use madang_protocol::{
    KeyId, RoomId, UnixMillis,
    studio::{KeyUse, StreamKeyInfo},
};
use rusqlite::{Connection, OptionalExtension, ffi, params};

macro_rules! select_keys {
    ($rest:literal) => {
        concat!("SELECT id, name, created, used, used_from, used_encoder, revoked FROM stream_keys ", $rest)
    };
}

pub(super) fn add(db: &Connection, key: &NewKey) -> Result<StreamKeyInfo, Error> {
    let mut insert =
        db.prepare_cached("INSERT INTO stream_keys (id, room, name, hash, created) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let bytes = key.hash.as_bytes().as_slice();
    match insert.execute(params![key.id.get(), key.room.get(), key.name, bytes, key.created.0]) {
        Err(rusqlite::Error::SqliteFailure(failure, _))
            if failure.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY =>
        {
            Err(Error::NotFound)
        }
        added => {
            added?;
            Ok(StreamKeyInfo {
                id: key.id,
                name: key.name.clone(),
                created: key.created,
                last_use: None,
                revoked: None,
            })
        }
    }
}

pub(super) fn keys_of(db: &Connection, room: RoomId) -> Result<Vec<StreamKeyInfo>, Error> {
    let mut select =
        db.prepare_cached(select_keys!("WHERE room = ?1 ORDER BY revoked IS NOT NULL, revoked DESC, created, id"))?;
    Ok(rows::readable(select.query_map([room.get()], rows::stream_key)?)?)
}

pub(super) fn key(db: &Connection, room: RoomId, key: KeyId) -> Result<Option<StreamKeyInfo>, Error> {
    let mut select = db.prepare_cached(select_keys!("WHERE id = ?1 AND room = ?2"))?;
    Ok(select.query_row(params![key.get(), room.get()], rows::stream_key).optional()?)
}

pub(super) fn find(db: &Connection, hash: &KeyHash) -> Result<Option<FoundKey>, Error> {
    let mut select = db.prepare_cached(
        "SELECT stream_keys.id AS key, hash, room, slug, revoked FROM stream_keys JOIN rooms ON rooms.id = room
         WHERE hash = ?1",
    )?;
    let found = select.query_row([hash.as_bytes().as_slice()], |row| {
        Ok(FoundKey {
            id: rows::key_id(row, "key")?,
            hash: KeyHash::from_stored(row.get("hash")?),
            room: rows::room_id(row, "room")?,
            slug: rows::slug(row)?,
            revoked: rows::time(row, "revoked")?,
        })
    });
    Ok(found.optional()?)
}

pub(super) fn used(db: &Connection, key: KeyId, usage: &KeyUse) -> Result<(), Error> {
    let mut update =
        db.prepare_cached("UPDATE stream_keys SET used = ?2, used_from = ?3, used_encoder = ?4 WHERE id = ?1")?;
    let count = update.execute(params![key.get(), usage.at.0, usage.from, usage.encoder])?;
    if count == 0 { Err(Error::NotFound) } else { Ok(()) }
}

pub(super) fn revoke(db: &Connection, room: RoomId, key: KeyId, at: UnixMillis) -> Result<(), Error> {
    let mut update =
        db.prepare_cached("UPDATE stream_keys SET revoked = coalesce(revoked, ?3) WHERE id = ?1 AND room = ?2")?;
    let count = update.execute(params![key.get(), room.get(), at.0])?;
    if count == 0 { Err(Error::NotFound) } else { Ok(()) }
}

pub(super) fn forget_revoked(db: &Connection, room: RoomId, keep: usize) -> Result<(), Error> {
    let mut delete = db.prepare_cached(
        "DELETE FROM stream_keys WHERE id IN (
             SELECT id FROM stream_keys WHERE room = ?1 AND revoked IS NOT NULL
             ORDER BY revoked DESC, created DESC LIMIT -1 OFFSET ?2
         )",
    )?;
    delete.execute(params![room.get(), i64::try_from(keep).unwrap_or(i64::MAX)])?;
    Ok(())
}
