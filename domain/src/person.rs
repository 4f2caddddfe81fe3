//! Persons: accounts and guests, and on whose authority something is asked.

use crate::{error::Error, room::Room};
use madang_protocol::PersonId;

/// Someone who owns rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub kind: PersonKind,
    /// The shown name; empty for a guest who has not typed one. Several persons may have the same.
    pub name: String,
}

/// How a person is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonKind {
    /// By a signed cookie only.
    Guest,
    /// By a login (folded, unique) and a password.
    Account { login: String, admin: bool },
}

/// On whose authority something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person, for what they own.
    Person(PersonId),
    /// Whoever runs the machine, for everything: the command line.
    Operator,
}

impl Actor {
    /// Whether this actor may change `room`, see its keys and end its stream.
    pub fn manages(self, room: &Room) -> bool {
        match self {
            Self::Person(id) => id == room.owner,
            Self::Operator => true,
        }
    }

    /// # Errors
    /// [`Error::Forbidden`] unless [`Actor::manages`].
    pub(crate) fn must_manage(self, room: &Room) -> Result<(), Error> {
        if self.manages(room) { Ok(()) } else { Err(Error::Forbidden) }
    }
}

impl From<PersonId> for Actor {
    fn from(id: PersonId) -> Self {
        Self::Person(id)
    }
}

impl From<&Person> for Actor {
    fn from(person: &Person) -> Self {
        Self::Person(person.id)
    }
}
