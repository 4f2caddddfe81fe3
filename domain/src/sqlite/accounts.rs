//! [`AccountStore`] on SQLite. The statements are in the modules below, by subject.

mod invitations;
mod sessions;

use super::{SqliteStore, rows};
use crate::{
    error::Error,
    password::PasswordDigest,
    person::Person,
    store::{AccountStore, FoundSession, NewInvitation, NewSession, StoredAccount, StoredInvitation, StoredSession},
    token::TokenHash,
};
use madang_protocol::{InvitationId, PersonId, RoomId, SessionId, UnixMillis};
use rusqlite::{Connection, params};

/// Most administrators whose badge is shown.
const ADMINISTRATORS_MAX: i64 = 100;

impl AccountStore for SqliteStore {
    fn accounts(&self) -> Result<Vec<StoredAccount>, Error> {
        accounts(&self.connection)
    }

    fn administrators(&self) -> Result<Vec<Person>, Error> {
        let mut select = self.connection.prepare_cached(
            "SELECT id, name, login, admin FROM accounts JOIN persons ON persons.id = accounts.person
             WHERE admin = 1 ORDER BY created, id LIMIT ?1",
        )?;
        Ok(rows::readable(select.query_map([ADMINISTRATORS_MAX], rows::person)?)?)
    }

    fn set_password(&mut self, person: PersonId, password: &PasswordDigest) -> Result<(), Error> {
        // A way to a new password that was given before this one is over with it.
        let mut resets = self.connection.prepare_cached("DELETE FROM password_resets WHERE person = ?1")?;
        resets.execute([person.get()])?;
        let mut update = self.connection.prepare_cached("UPDATE accounts SET password = ?2 WHERE person = ?1")?;
        found(update.execute(params![person.get(), password.as_str()])?)
    }

    fn set_admin(&mut self, person: PersonId, admin: bool) -> Result<(), Error> {
        let mut update = self.connection.prepare_cached("UPDATE accounts SET admin = ?2 WHERE person = ?1")?;
        found(update.execute(params![person.get(), admin])?)
    }

    fn remove_person(&mut self, person: PersonId, tag: &str) -> Result<(), Error> {
        self.atomically(|store| remove_person(&store.connection, person, tag))
    }

    fn take_over(&mut self, guest: PersonId, account: PersonId) -> Result<Vec<RoomId>, Error> {
        self.atomically(|store| take_over(&store.connection, guest, account))
    }

    fn add_session(&mut self, session: &NewSession) -> Result<(), Error> {
        sessions::add(&self.connection, session)
    }

    fn find_session(&self, hash: &TokenHash) -> Result<Option<FoundSession>, Error> {
        sessions::find(&self.connection, hash)
    }

    fn sessions(&self, person: PersonId) -> Result<Vec<StoredSession>, Error> {
        sessions::of(&self.connection, person)
    }

    fn sessions_used(&mut self, sessions: &[SessionId], at: UnixMillis) -> Result<(), Error> {
        self.atomically(|store| sessions::used(&store.connection, sessions, at))
    }

    fn sessions_left(&self, sessions: &[SessionId]) -> Result<Vec<(SessionId, UnixMillis, UnixMillis)>, Error> {
        sessions::left(&self.connection, sessions)
    }

    fn remove_session(&mut self, person: PersonId, session: SessionId) -> Result<bool, Error> {
        sessions::remove(&self.connection, person, session)
    }

    fn remove_sessions(&mut self, person: PersonId, keep: usize) -> Result<Vec<SessionId>, Error> {
        sessions::remove_all_but(&self.connection, person, keep)
    }

    fn forget_sessions(&mut self, used: UnixMillis, since: UnixMillis) -> Result<Vec<SessionId>, Error> {
        sessions::forget(&self.connection, used, since)
    }

    fn knows_place(&self, person: PersonId, place: &str) -> Result<bool, Error> {
        sessions::knows_place(&self.connection, person, place)
    }

    fn note_place(&mut self, person: PersonId, place: &str, at: UnixMillis, keep: usize) -> Result<(), Error> {
        self.atomically(|store| sessions::note_place(&store.connection, person, place, at, keep))
    }

    fn add_invitation(&mut self, invitation: &NewInvitation) -> Result<(), Error> {
        invitations::add(&self.connection, invitation)
    }

    fn invitations(&self, now: UnixMillis) -> Result<Vec<StoredInvitation>, Error> {
        invitations::standing(&self.connection, now)
    }

    fn invitation_stands(&self, hash: &TokenHash, now: UnixMillis) -> Result<bool, Error> {
        invitations::stands(&self.connection, hash, now)
    }

    fn use_invitation(&mut self, hash: &TokenHash, now: UnixMillis) -> Result<bool, Error> {
        invitations::use_one(&self.connection, hash, now)
    }

    fn revoke_invitation(&mut self, id: InvitationId, at: UnixMillis) -> Result<(), Error> {
        invitations::revoke(&self.connection, id, at)
    }

    fn forget_invitations(&mut self, ended: UnixMillis) -> Result<(), Error> {
        invitations::forget(&self.connection, ended)
    }
}

fn found(count: usize) -> Result<(), Error> {
    if count == 0 { Err(Error::NotFound) } else { Ok(()) }
}

fn accounts(db: &Connection) -> Result<Vec<StoredAccount>, Error> {
    let mut select = db.prepare_cached(
        "SELECT id, name, login, admin, created,
                (SELECT count(*) FROM rooms WHERE owner = persons.id) AS rooms,
                (SELECT count(*) FROM sessions WHERE sessions.person = persons.id) AS sessions
         FROM accounts JOIN persons ON persons.id = accounts.person ORDER BY login",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(StoredAccount {
            person: rows::person(row)?,
            since: UnixMillis(row.get("created")?),
            rooms: row.get("rooms")?,
            sessions: row.get("sessions")?,
        })
    };
    Ok(rows::readable(select.query_map([], read)?)?)
}

fn remove_person(db: &Connection, person: PersonId, tag: &str) -> Result<(), Error> {
    // Answers to their messages name them too.
    const NAMELESS: [&str; 3] = [
        "UPDATE chat_entries SET reply_name = '' FROM chat_entries AS said
         WHERE said.person = ?1 AND said.room IN (SELECT room FROM chat_persons WHERE person = ?1)
           AND chat_entries.room = said.room AND chat_entries.reply = said.seq AND ?2 = ?2",
        "UPDATE chat_entries SET name = '', tag = ?2
         WHERE person = ?1 AND room IN (SELECT room FROM chat_persons WHERE person = ?1)",
        "UPDATE chat_persons SET name = '', folded = '', tag = ?2 WHERE person = ?1",
    ];
    for sql in NAMELESS {
        db.prepare_cached(sql)?.execute(params![person.get(), tag])?;
    }
    found(db.prepare_cached("DELETE FROM persons WHERE id = ?1")?.execute([person.get()])?)
}

fn take_over(db: &Connection, guest: PersonId, account: PersonId) -> Result<Vec<RoomId>, Error> {
    let mut select = db.prepare_cached(
        "SELECT id AS room FROM rooms WHERE owner = ?1
         UNION SELECT room FROM chat_moderators WHERE person = ?1
         UNION SELECT room FROM chat_bans WHERE person = ?1 AND lifted IS NULL",
    )?;
    let rooms = rows::readable(select.query_map([guest.get()], |row| rows::room_id(row, "room"))?)?;
    if rooms.is_empty() {
        return Ok(rooms);
    }
    const MOVES: [&str; 4] = [
        "UPDATE rooms SET owner = ?2 WHERE owner = ?1",
        "INSERT INTO chat_moderators (room, person, since)
         SELECT room, ?2, since FROM chat_moderators WHERE person = ?1 ON CONFLICT DO NOTHING",
        "DELETE FROM chat_moderators WHERE person = ?1 AND ?2 = ?2",
        "UPDATE chat_bans SET person = ?2 WHERE person = ?1 AND lifted IS NULL",
    ];
    for sql in MOVES {
        db.prepare_cached(sql)?.execute(params![guest.get(), account.get()])?;
    }
    Ok(rooms)
}
