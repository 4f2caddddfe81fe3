//! Persons and accounts in SQLite.

use super::rows;
use crate::{
    error::Error,
    looks,
    password::PasswordDigest,
    person::{Person, PersonKind},
    store::NewAccount,
};
use madang_protocol::{Field, PersonId, UnixMillis};
use rusqlite::{Connection, OptionalExtension, params};

pub(super) fn add_guest(db: &Connection, id: PersonId, name: &str, at: UnixMillis) -> Result<(), Error> {
    let mut insert = db.prepare_cached("INSERT INTO persons (id, name, created) VALUES (?1, ?2, ?3)")?;
    insert.execute(params![id.get(), name, at.0])?;
    Ok(())
}

/// Several statements: within a transaction.
pub(super) fn add_account(db: &Connection, account: &NewAccount<'_>) -> Result<(), Error> {
    if self::account(db, account.login)?.is_some() {
        return Err(Error::taken(Field::Name));
    }
    match person(db, account.id)?.map(|known| known.kind) {
        None => add_guest(db, account.id, account.name, account.at)?,
        Some(PersonKind::Guest) => rename(db, account.id, account.name)?,
        Some(PersonKind::Account { .. }) => return Err(Error::Forbidden),
    }
    let mut insert =
        db.prepare_cached("INSERT INTO accounts (person, login, password, admin) VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute(params![account.id.get(), account.login, account.password.as_str(), account.admin])?;
    Ok(note_look(db, account.id.get(), account.login)?)
}

fn note_look(db: &Connection, person: i64, login: &str) -> Result<(), rusqlite::Error> {
    let mut insert =
        db.prepare_cached("INSERT INTO login_looks (look, person) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    for look in looks::looks(login) {
        insert.execute(params![look, person])?;
    }
    Ok(())
}

/// Notes what every login looks like, for accounts that were made before looks were noted.
pub(super) fn note_looks(db: &Connection) -> Result<(), rusqlite::Error> {
    let mut select =
        db.prepare("SELECT person, login FROM accounts WHERE person NOT IN (SELECT person FROM login_looks)")?;
    let logins = select.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    for login in logins.collect::<Result<Vec<_>, _>>()? {
        note_look(db, login.0, &login.1)?;
    }
    Ok(())
}

pub(super) fn person(db: &Connection, id: PersonId) -> Result<Option<Person>, Error> {
    let mut select = db.prepare_cached(
        "SELECT id, name, login, admin FROM persons LEFT JOIN accounts ON accounts.person = persons.id WHERE id = ?1",
    )?;
    Ok(select.query_row([id.get()], rows::person).optional()?)
}

pub(super) fn account(db: &Connection, login: &str) -> Result<Option<Person>, Error> {
    let mut select = db.prepare_cached(
        "SELECT id, name, login, admin FROM accounts JOIN persons ON persons.id = accounts.person WHERE login = ?1",
    )?;
    Ok(select.query_row([login], rows::person).optional()?)
}

pub(super) fn password(db: &Connection, id: PersonId) -> Result<Option<PasswordDigest>, Error> {
    let mut select = db.prepare_cached("SELECT password FROM accounts WHERE person = ?1")?;
    Ok(select.query_row([id.get()], |row| row.get(0)).optional()?.map(PasswordDigest::from_stored))
}

pub(super) fn rename(db: &Connection, id: PersonId, name: &str) -> Result<(), Error> {
    let mut update = db.prepare_cached("UPDATE persons SET name = ?2 WHERE id = ?1")?;
    if update.execute(params![id.get(), name])? == 0 { Err(Error::NotFound) } else { Ok(()) }
}
