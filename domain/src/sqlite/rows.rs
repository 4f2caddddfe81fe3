//! Rows into the domain's types, and back.

use crate::{
    person::{Person, PersonKind},
    room::Room,
    store::ListedRoom,
};
use madang_protocol::{
    ActionId, KeyId, PersonId, RoomId, RoomSlug, UnixMillis, Visibility,
    studio::{KeyUse, StreamKeyInfo},
};
use rusqlite::{Error, Row, types::Type};

/// `persons` with `accounts` on the left: id, name, login, admin.
pub(super) fn person(row: &Row<'_>) -> Result<Person, Error> {
    let login: Option<String> = row.get("login")?;
    let kind = match login {
        None => PersonKind::Guest,
        Some(login) => PersonKind::Account { login, admin: row.get("admin")? },
    };
    Ok(Person { id: person_id(row, "id")?, kind, name: row.get("name")? })
}

/// All columns of `rooms`, and `owner_name`.
pub(super) fn room(row: &Row<'_>) -> Result<Room, Error> {
    Ok(Room {
        id: room_id(row, "id")?,
        owner: person_id(row, "owner")?,
        owner_name: row.get("owner_name")?,
        slug: slug(row)?,
        title: row.get("title")?,
        description: row.get("description")?,
        category: row.get("category")?,
        tags: tags(row)?,
        language: row.get("language")?,
        visibility: visibility(row)?,
        created: UnixMillis(row.get("created")?),
        last_live: time(row, "last_live")?,
    })
}

pub(super) fn listed_room(row: &Row<'_>) -> Result<ListedRoom, Error> {
    Ok(ListedRoom {
        id: room_id(row, "id")?,
        slug: slug(row)?,
        title: row.get("title")?,
        owner_name: row.get("owner_name")?,
        category: row.get("category")?,
        tags: tags(row)?,
        language: row.get("language")?,
        visibility: visibility(row)?,
        last_live: time(row, "last_live")?,
    })
}

pub(super) fn stream_key(row: &Row<'_>) -> Result<StreamKeyInfo, Error> {
    let last_use = match time(row, "used")? {
        None => None,
        Some(at) => Some(KeyUse { at, from: row.get("used_from")?, encoder: row.get("used_encoder")? }),
    };
    Ok(StreamKeyInfo {
        id: key_id(row, "id")?,
        name: row.get("name")?,
        created: UnixMillis(row.get("created")?),
        last_use,
        revoked: time(row, "revoked")?,
    })
}

pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Option<UnixMillis>, Error> {
    Ok(row.get::<_, Option<i64>>(column)?.map(UnixMillis))
}

pub(super) fn person_id(row: &Row<'_>, column: &str) -> Result<PersonId, Error> {
    PersonId::from_stored(row.get(column)?).ok_or_else(|| bad(Type::Integer, "a person's id is negative"))
}

pub(super) fn room_id(row: &Row<'_>, column: &str) -> Result<RoomId, Error> {
    RoomId::from_stored(row.get(column)?).ok_or_else(|| bad(Type::Integer, "a room's id is negative"))
}

pub(super) fn key_id(row: &Row<'_>, column: &str) -> Result<KeyId, Error> {
    KeyId::from_stored(row.get(column)?).ok_or_else(|| bad(Type::Integer, "a key's id is negative"))
}

pub(super) fn action_id(row: &Row<'_>, column: &str) -> Result<ActionId, Error> {
    ActionId::from_stored(row.get(column)?).ok_or_else(|| damaged("an action's id is negative"))
}

pub(super) fn slug(row: &Row<'_>) -> Result<RoomSlug, Error> {
    RoomSlug::parse(&row.get::<_, String>("slug")?).map_err(|cause| bad(Type::Text, cause))
}

fn visibility(row: &Row<'_>) -> Result<Visibility, Error> {
    Visibility::parse(&row.get::<_, String>("visibility")?).map_err(|cause| bad(Type::Text, cause))
}

fn tags(row: &Row<'_>) -> Result<Vec<String>, Error> {
    texts(row, "tags")
}

/// A JSON array of texts.
pub(super) fn texts(row: &Row<'_>, column: &str) -> Result<Vec<String>, Error> {
    json(row, column)
}

pub(super) fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T, Error> {
    serde_json::from_str(&row.get::<_, String>(column)?).map_err(|cause| bad(Type::Text, cause))
}

/// Tags as they are stored.
pub(super) fn tags_json(tags: &[String]) -> String {
    serde_json::Value::from(tags).to_string()
}

/// A stored number that this binary never wrote.
pub(super) fn damaged(what: &'static str) -> Error {
    bad(Type::Integer, what)
}

/// A stored value that this binary never wrote.
fn bad(kind: Type, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::FromSqlConversionFailure(0, kind, cause.into())
}

/// All rows but those that cannot be read: one damaged room must not hide every other.
pub(super) fn readable<T>(rows: impl Iterator<Item = Result<T, Error>>) -> Result<Vec<T>, Error> {
    let mut out = Vec::new();
    for row in rows {
        match row {
            Ok(row) => out.push(row),
            Err(cause @ Error::FromSqlConversionFailure(..)) => tracing::error!(%cause, "a stored row is left out"),
            Err(cause) => return Err(cause),
        }
    }
    Ok(out)
}
