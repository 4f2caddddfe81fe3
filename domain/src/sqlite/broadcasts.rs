//! Broadcasts in SQLite. Every function with two statements is called within a transaction.

use super::rows;
use crate::{
    error::{Error, StorageFault},
    random,
    store::NewBroadcast,
};
use madang_protocol::{KeyId, RoomId, UnixMillis};
use rusqlite::{Connection, params};

pub(super) fn start(db: &Connection, broadcast: &NewBroadcast) -> Result<(), Error> {
    let (room, started) = (broadcast.room.get(), broadcast.started.0);
    // Nothing in the database says which of a crash's broadcasts is older, so the row's number is random like every other.
    let id = i64::try_from(random::bits()? >> 1).map_err(|_| Error::Storage(StorageFault::Randomness))?;
    let mut touch = db.prepare_cached("UPDATE rooms SET last_live = max(coalesce(last_live, ?2), ?2) WHERE id = ?1")?;
    if touch.execute(params![room, started])? == 0 {
        return Err(Error::NotFound);
    }
    // The key may have been forgotten meanwhile; the broadcast happened all the same.
    let mut insert = db.prepare_cached(
        "INSERT INTO broadcasts (id, room, key, started, seen, encoder)
         VALUES (?1, ?2, (SELECT id FROM stream_keys WHERE id = ?3), ?4, ?4, ?5)
         ON CONFLICT (room) WHERE ended IS NULL DO NOTHING",
    )?;
    insert.execute(params![id, room, broadcast.key.map(KeyId::get), started, broadcast.encoder])?;
    Ok(())
}

pub(super) fn seen(db: &Connection, at: UnixMillis) -> Result<(), Error> {
    let mut update = db.prepare_cached("UPDATE broadcasts SET seen = max(seen, ?1) WHERE ended IS NULL")?;
    update.execute([at.0])?;
    Ok(())
}

pub(super) fn end(db: &Connection, room: RoomId, at: UnixMillis) -> Result<bool, Error> {
    let mut update = db.prepare_cached(
        "UPDATE broadcasts SET ended = max(?2, started), seen = max(?2, seen) WHERE room = ?1 AND ended IS NULL",
    )?;
    let ended = update.execute(params![room.get(), at.0])? > 0;
    let mut touch =
        db.prepare_cached("UPDATE rooms SET last_live = max(coalesce(last_live, ?2), ?2) WHERE id = ?1 AND ?3")?;
    touch.execute(params![room.get(), at.0, ended])?;
    Ok(ended)
}

pub(super) fn end_left_open(db: &Connection) -> Result<Vec<RoomId>, Error> {
    let mut touch = db.prepare_cached(
        "UPDATE rooms SET last_live = max(coalesce(last_live, seen), seen)
         FROM broadcasts WHERE broadcasts.room = rooms.id AND ended IS NULL",
    )?;
    touch.execute([])?;
    let mut update =
        db.prepare_cached("UPDATE broadcasts SET ended = max(seen, started) WHERE ended IS NULL RETURNING room AS id")?;
    let rooms = update.query_map([], |row| rows::room_id(row, "id"))?.collect::<Result<Vec<_>, _>>()?;
    Ok(rooms)
}
