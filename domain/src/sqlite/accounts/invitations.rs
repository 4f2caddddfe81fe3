//! Invitations to register, in SQLite.

use super::found;
use crate::{
    error::Error,
    sqlite::rows,
    store::{NewInvitation, StoredInvitation},
    token::TokenHash,
};
use madang_protocol::{InvitationId, UnixMillis};
use rusqlite::{Connection, Row, params};

pub(super) fn add(db: &Connection, invitation: &NewInvitation) -> Result<(), Error> {
    let mut insert =
        db.prepare_cached("INSERT INTO invitations (id, hash, created, ends, uses) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let NewInvitation { id, hash, created, ends, uses } = invitation;
    insert.execute(params![id.get(), hash.as_bytes().as_slice(), created.0, ends.0, uses])?;
    Ok(())
}

pub(super) fn standing(db: &Connection, now: UnixMillis) -> Result<Vec<StoredInvitation>, Error> {
    let mut select = db.prepare_cached(
        "SELECT * FROM invitations WHERE revoked IS NULL AND ends > ?1 AND used < uses ORDER BY created DESC, id",
    )?;
    let read = |row: &Row<'_>| {
        Ok(StoredInvitation {
            id: InvitationId::from_stored(row.get("id")?)
                .ok_or_else(|| rows::damaged("an invitation's id is negative"))?,
            created: UnixMillis(row.get("created")?),
            ends: UnixMillis(row.get("ends")?),
            uses: row.get("uses")?,
            used: row.get("used")?,
        })
    };
    Ok(rows::readable(select.query_map([now.0], read)?)?)
}

pub(super) fn stands(db: &Connection, hash: &TokenHash, now: UnixMillis) -> Result<bool, Error> {
    let mut select = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM invitations WHERE hash = ?1 AND revoked IS NULL AND ends > ?2 AND used < uses)",
    )?;
    Ok(select.query_row(params![hash.as_bytes().as_slice(), now.0], |row| row.get(0))?)
}

pub(super) fn use_one(db: &Connection, hash: &TokenHash, now: UnixMillis) -> Result<bool, Error> {
    let mut update = db.prepare_cached(
        "UPDATE invitations SET used = used + 1 WHERE hash = ?1 AND revoked IS NULL AND ends > ?2 AND used < uses",
    )?;
    Ok(update.execute(params![hash.as_bytes().as_slice(), now.0])? > 0)
}

pub(super) fn revoke(db: &Connection, id: InvitationId, at: UnixMillis) -> Result<(), Error> {
    let mut update = db.prepare_cached("UPDATE invitations SET revoked = coalesce(revoked, ?2) WHERE id = ?1")?;
    found(update.execute(params![id.get(), at.0])?)
}

pub(super) fn forget(db: &Connection, ended: UnixMillis) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM invitations WHERE ends < ?1")?.execute([ended.0])?;
    Ok(())
}
