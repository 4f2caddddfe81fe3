//! [`AdminStore`] on SQLite.

use super::{SqliteStore, rooms, rows};
use crate::{
    error::Error,
    network::Network,
    person::Person,
    room::Room,
    store::{AdminStore, SiteAction, SiteBan, StoredPerson},
    token::TokenHash,
};
use madang_protocol::{ActionId, PersonId, UnixMillis};
use rusqlite::{Connection, OptionalExtension, Row, ffi, params};

/// Every column of somebody in a list; what follows is the condition.
macro_rules! select_people {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, login, admin, created, locked,
                    (SELECT count(*) FROM rooms WHERE owner = persons.id) AS rooms,
                    (SELECT count(*) FROM sessions WHERE sessions.person = persons.id) AS sessions ",
            $rest
        )
    };
}

/// ?1: what the name or login holds, as typed and without case; an empty text is in every one.
const ACCOUNTS: &str = select_people!(
    "FROM accounts JOIN persons ON persons.id = accounts.person
     WHERE instr(login, ?2) > 0 OR instr(name, ?1) > 0 OR instr(lower(name), ?2) > 0
     ORDER BY login LIMIT ?4 OFFSET ?3"
);
const GUESTS: &str = select_people!(
    "FROM persons LEFT JOIN accounts ON accounts.person = persons.id
     WHERE login IS NULL AND (instr(name, ?1) > 0 OR instr(lower(name), ?2) > 0)
     ORDER BY created DESC, id DESC LIMIT ?4 OFFSET ?3"
);

const WHEREABOUTS: [&str; 3] = [
    "SELECT origin AS place FROM sessions WHERE person = ?1 AND used >= ?2 ORDER BY used DESC LIMIT ?3",
    "SELECT place FROM account_places WHERE person = ?1 AND last >= ?2 ORDER BY last DESC LIMIT ?3",
    "SELECT prefix AS place FROM chat_persons WHERE person = ?1 AND last >= ?2 ORDER BY last DESC LIMIT ?3",
];

/// Before an action that is not kept any more there is nothing, as in rooms' logs.
const ACTIONS: &str = "SELECT * FROM site_actions
     WHERE place < CASE WHEN ?1 IS NULL THEN 9223372036854775807 ELSE (SELECT place FROM site_actions WHERE id = ?1) END
     ORDER BY place DESC LIMIT ?2";

impl AdminStore for SqliteStore {
    fn people(&self, query: &str, guests: bool, skip: usize, limit: usize) -> Result<Vec<StoredPerson>, Error> {
        let mut select = self.connection.prepare_cached(if guests { GUESTS } else { ACCOUNTS })?;
        let folded = crate::password::fold(query);
        Ok(rows::readable(select.query_map(params![query, folded, number(skip), number(limit)], listed)?)?)
    }

    fn person_listed(&self, person: PersonId) -> Result<Option<StoredPerson>, Error> {
        let mut select = self.connection.prepare_cached(select_people!(
            "FROM persons LEFT JOIN accounts ON accounts.person = persons.id WHERE id = ?1"
        ))?;
        Ok(select.query_row([person.get()], listed).optional()?)
    }

    fn rooms_like(&self, query: &str, skip: usize, limit: usize) -> Result<Vec<Room>, Error> {
        rooms::like(&self.connection, query, number(skip), number(limit))
    }

    fn locked(&self, person: PersonId) -> Result<Option<UnixMillis>, Error> {
        let mut select = self.connection.prepare_cached("SELECT locked FROM accounts WHERE person = ?1")?;
        Ok(select.query_row([person.get()], |row| rows::time(row, "locked")).optional()?.flatten())
    }

    fn set_locked(&mut self, person: PersonId, since: Option<UnixMillis>) -> Result<(), Error> {
        let mut update = self.connection.prepare_cached("UPDATE accounts SET locked = ?2 WHERE person = ?1")?;
        found(update.execute(params![person.get(), since.map(|at| at.0)])?)
    }

    fn add_reset(&mut self, person: PersonId, hash: &TokenHash, ends: UnixMillis) -> Result<(), Error> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO password_resets (person, hash, ends) VALUES (?1, ?2, ?3)
             ON CONFLICT (person) DO UPDATE SET hash = ?2, ends = ?3",
        )?;
        match insert.execute(params![person.get(), hash.as_bytes().as_slice(), ends.0]) {
            Err(rusqlite::Error::SqliteFailure(cause, _))
                if cause.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY =>
            {
                Err(Error::NotFound)
            }
            added => Ok(added.map(drop)?),
        }
    }

    fn reset_of(&self, hash: &TokenHash, now: UnixMillis) -> Result<Option<Person>, Error> {
        let mut select = self.connection.prepare_cached(
            "SELECT id, name, login, admin FROM password_resets JOIN accounts ON accounts.person = password_resets.person
             JOIN persons ON persons.id = accounts.person WHERE hash = ?1 AND ends > ?2",
        )?;
        Ok(select.query_row(params![hash.as_bytes().as_slice(), now.0], rows::person).optional()?)
    }

    fn remove_reset(&mut self, person: PersonId) -> Result<(), Error> {
        self.connection.prepare_cached("DELETE FROM password_resets WHERE person = ?1")?.execute([person.get()])?;
        Ok(())
    }

    fn whereabouts(&self, person: PersonId, since: UnixMillis, limit: usize) -> Result<Vec<String>, Error> {
        let mut places = Vec::new();
        for sql in WHEREABOUTS {
            let mut select = self.connection.prepare_cached(sql)?;
            let found = select.query_map(params![person.get(), since.0, number(limit)], |row| row.get("place"))?;
            places.extend(rows::readable(found)?);
        }
        Ok(places)
    }

    fn site_bans(&self, now: UnixMillis, limit: usize) -> Result<Vec<SiteBan>, Error> {
        let mut select = self.connection.prepare_cached(
            "SELECT * FROM site_bans WHERE coalesce(until > ?1, true) ORDER BY at DESC, id DESC LIMIT ?2",
        )?;
        Ok(rows::readable(select.query_map(params![now.0, number(limit)], ban)?)?)
    }

    fn add_site_ban(&mut self, ban: &SiteBan) -> Result<(), Error> {
        self.connection.prepare_cached("DELETE FROM site_bans WHERE until <= ?1")?.execute([ban.at.0])?;
        let networks: Vec<String> = ban.networks.iter().map(ToString::to_string).collect();
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO site_bans (id, person, name, networks, at, until, reason, by_name)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        insert.execute(params![
            ban.id.get(),
            ban.person.map(PersonId::get),
            ban.name,
            rows::tags_json(&networks),
            ban.at.0,
            ban.until.map(|until| until.0),
            ban.reason,
            ban.by,
        ])?;
        Ok(())
    }

    fn remove_site_ban(&mut self, id: ActionId) -> Result<SiteBan, Error> {
        let mut delete = self.connection.prepare_cached("DELETE FROM site_bans WHERE id = ?1 RETURNING *")?;
        delete.query_row([id.get()], ban).optional()?.ok_or(Error::NotFound)
    }

    fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        let mut select = self.connection.prepare_cached("SELECT value FROM site_settings WHERE name = ?1")?;
        Ok(select.query_row([name], |row| row.get(0)).optional()?)
    }

    fn set_setting(&mut self, name: &str, value: Option<&str>) -> Result<(), Error> {
        match value {
            None => self.connection.prepare_cached("DELETE FROM site_settings WHERE name = ?1")?.execute([name])?,
            Some(value) => self
                .connection
                .prepare_cached(
                    "INSERT INTO site_settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
                )?
                .execute([name, value])?,
        };
        Ok(())
    }

    fn add_site_action(&mut self, action: &SiteAction, keep: u64) -> Result<(), Error> {
        add_action(&self.connection, action, keep)
    }

    fn site_actions(&self, before: Option<ActionId>, limit: usize) -> Result<Vec<SiteAction>, Error> {
        let mut select = self.connection.prepare_cached(ACTIONS)?;
        let found = select.query_map(params![before.map(ActionId::get), number(limit)], action)?;
        Ok(rows::readable(found)?)
    }
}

fn add_action(db: &Connection, action: &SiteAction, keep: u64) -> Result<(), Error> {
    let mut insert = db.prepare_cached(
        "INSERT INTO site_actions (id, at, by_id, by_name, act, whom, reason, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let SiteAction { id, at, by_id, by, act, whom, reason, until } = action;
    insert.execute(params![
        id.get(),
        at.0,
        by_id.map(PersonId::get),
        by,
        act,
        whom,
        reason,
        until.map(|until| until.0)
    ])?;
    let mut forget = db.prepare_cached(
        "DELETE FROM site_actions WHERE place <= (SELECT place FROM site_actions ORDER BY place DESC LIMIT 1 OFFSET ?1)",
    )?;
    forget.execute([i64::try_from(keep).unwrap_or(i64::MAX)])?;
    Ok(())
}

fn listed(row: &Row<'_>) -> Result<StoredPerson, rusqlite::Error> {
    Ok(StoredPerson {
        person: rows::person(row)?,
        since: UnixMillis(row.get("created")?),
        locked: rows::time(row, "locked")?,
        rooms: row.get("rooms")?,
        sessions: row.get("sessions")?,
    })
}

fn ban(row: &Row<'_>) -> Result<SiteBan, rusqlite::Error> {
    let person = match row.get::<_, Option<i64>>("person")? {
        None => None,
        Some(_) => Some(rows::person_id(row, "person")?),
    };
    let networks = rows::texts(row, "networks")?;
    Ok(SiteBan {
        id: rows::action_id(row, "id")?,
        person,
        name: row.get("name")?,
        networks: networks.iter().filter_map(|network| network.parse::<Network>().ok()).collect(),
        at: UnixMillis(row.get("at")?),
        until: rows::time(row, "until")?,
        reason: row.get("reason")?,
        by: row.get("by_name")?,
    })
}

fn action(row: &Row<'_>) -> Result<SiteAction, rusqlite::Error> {
    let by_id = match row.get::<_, Option<i64>>("by_id")? {
        None => None,
        Some(_) => Some(rows::person_id(row, "by_id")?),
    };
    Ok(SiteAction {
        id: rows::action_id(row, "id")?,
        at: UnixMillis(row.get("at")?),
        by_id,
        by: row.get("by_name")?,
        act: row.get("act")?,
        whom: row.get("whom")?,
        reason: row.get("reason")?,
        until: rows::time(row, "until")?,
    })
}

fn found(count: usize) -> Result<(), Error> {
    if count == 0 { Err(Error::NotFound) } else { Ok(()) }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::plan_of;

    #[test]
    fn lists_are_read_along_indexes_and_never_sorted() {
        for sql in [ACCOUNTS, GUESTS, ACTIONS] {
            let steps = plan_of(sql);
            assert!(!steps.iter().any(|step| step.contains("B-TREE")), "{sql}: {steps:#?}");
        }
    }
}
