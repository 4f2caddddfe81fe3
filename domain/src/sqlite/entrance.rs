//! [`EntranceStore`] on SQLite: rooms' passwords, and the links that let people in.

use super::{SqliteStore, rows};
use crate::{
    error::Error,
    password::PasswordDigest,
    store::{EntranceStore, NewLink, RoomPassword},
    token::TokenHash,
};
use madang_protocol::{LinkId, PasswordId, RoomId, UnixMillis, access::LinkInfo};
use rusqlite::{OptionalExtension, Row, ffi, params};

impl EntranceStore for SqliteStore {
    fn room_password(&self, room: RoomId) -> Result<Option<RoomPassword>, Error> {
        let mut select =
            self.connection.prepare_cached("SELECT id, digest, since FROM room_passwords WHERE room = ?1")?;
        let read = |row: &Row<'_>| {
            Ok(RoomPassword {
                id: PasswordId::from_stored(row.get("id")?)
                    .ok_or_else(|| rows::damaged("a password's id is negative"))?,
                digest: PasswordDigest::from_stored(row.get("digest")?),
                since: UnixMillis(row.get("since")?),
            })
        };
        Ok(select.query_row([room.get()], read).optional()?)
    }

    fn set_room_password(&mut self, room: RoomId, password: &RoomPassword) -> Result<(), Error> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO room_passwords (room, id, digest, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (room) DO UPDATE SET id = ?2, digest = ?3, since = ?4",
        )?;
        let RoomPassword { id, digest, since } = password;
        of_a_room(insert.execute(params![room.get(), id.get(), digest.as_str(), since.0]))
    }

    fn add_room_link(&mut self, link: &NewLink) -> Result<(), Error> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO room_links (id, room, name, hash, created, ends, uses) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let NewLink { id, room, name, hash, created, ends, uses } = link;
        let hash = hash.as_bytes().as_slice();
        of_a_room(insert.execute(params![id.get(), room.get(), name, hash, created.0, ends.0, uses]))
    }

    fn room_links(&self, room: RoomId) -> Result<Vec<LinkInfo>, Error> {
        let mut select =
            self.connection.prepare_cached("SELECT * FROM room_links WHERE room = ?1 ORDER BY created DESC, id")?;
        Ok(rows::readable(select.query_map([room.get()], info)?)?)
    }

    fn room_link(&self, room: RoomId, link: LinkId) -> Result<Option<LinkInfo>, Error> {
        let mut select = self.connection.prepare_cached("SELECT * FROM room_links WHERE id = ?1 AND room = ?2")?;
        Ok(select.query_row([link.get(), room.get()], info).optional()?)
    }

    fn find_room_link(&self, room: RoomId, hash: &TokenHash) -> Result<Option<LinkInfo>, Error> {
        let mut select = self.connection.prepare_cached("SELECT * FROM room_links WHERE hash = ?1 AND room = ?2")?;
        Ok(select.query_row(params![hash.as_bytes().as_slice(), room.get()], info).optional()?)
    }

    fn use_room_link(&mut self, room: RoomId, link: LinkId, now: UnixMillis) -> Result<bool, Error> {
        let mut update = self.connection.prepare_cached(
            "UPDATE room_links SET used = used + 1
             WHERE id = ?1 AND room = ?2 AND revoked IS NULL AND ends > ?3 AND (uses IS NULL OR used < uses)",
        )?;
        Ok(update.execute([link.get(), room.get(), now.0])? > 0)
    }

    fn revoke_room_link(&mut self, room: RoomId, link: LinkId, at: UnixMillis) -> Result<(), Error> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE room_links SET revoked = coalesce(revoked, ?3) WHERE id = ?1 AND room = ?2")?;
        if update.execute([link.get(), room.get(), at.0])? == 0 { Err(Error::NotFound) } else { Ok(()) }
    }

    fn forget_room_links(&mut self, room: RoomId, now: UnixMillis, keep: usize) -> Result<(), Error> {
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM room_links WHERE id IN (
                 SELECT id FROM room_links WHERE room = ?1 AND (revoked IS NOT NULL OR ends <= ?2)
                 ORDER BY created DESC, id LIMIT -1 OFFSET ?3
             )",
        )?;
        delete.execute([room.get(), now.0, i64::try_from(keep).unwrap_or(i64::MAX)])?;
        Ok(())
    }
}

/// A room's foreign key is the rule that a caller can break.
fn of_a_room(kept: Result<usize, rusqlite::Error>) -> Result<(), Error> {
    match kept {
        Err(rusqlite::Error::SqliteFailure(cause, _)) if cause.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            Err(Error::NotFound)
        }
        kept => Ok(kept.map(drop)?),
    }
}

/// All columns of `room_links` but the code's hash.
fn info(row: &Row<'_>) -> Result<LinkInfo, rusqlite::Error> {
    Ok(LinkInfo {
        id: LinkId::from_stored(row.get("id")?).ok_or_else(|| rows::damaged("a link's id is negative"))?,
        name: row.get("name")?,
        created: UnixMillis(row.get("created")?),
        ends: UnixMillis(row.get("ends")?),
        used: row.get("used")?,
        uses: row.get("uses")?,
        revoked: rows::time(row, "revoked")?,
    })
}
