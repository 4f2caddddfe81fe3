//! Persons: guests by cookie, accounts, and finding either.

use super::{Domain, names};
use crate::{
    clock,
    cookie::CookieValue,
    error::Error,
    password,
    person::{Actor, Person, PersonKind},
    random,
};
use madang_protocol::{Field, PersonId, validation};

impl Domain {
    /// Makes a guest without a name and the cookie that is theirs. Called at the first need (a room is made), never for
    /// somebody who only looks.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn guest(&self) -> Result<(Person, CookieValue), Error> {
        let person = self.add_guest(String::new()).await?;
        let cookie = self.0.signer.sign(person.id);
        Ok((person, cookie))
    }

    /// A new guest's id and cookie, without a row in the database: that comes with the first thing they do (write, take a
    /// name, make a room). For the first page that a browser is shown.
    ///
    /// # Errors
    /// [`Error::Storage`] when the operating system gives no random bytes.
    pub fn new_visitor(&self) -> Result<(PersonId, CookieValue), Error> {
        let id = PersonId::from_random(random::bits()?);
        Ok((id, self.0.signer.sign(id)))
    }

    /// Makes a guest with a name and no cookie: the owner of a room made on the command line.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::Name`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn create_guest(&self, name: &str) -> Result<Person, Error> {
        let name = validation::line(Field::Name, name, validation::NAME_MAX)?;
        self.add_guest(name).await
    }

    /// The account with this login, or else a new guest of this name.
    ///
    /// # Errors
    /// As [`Domain::create_guest`].
    pub async fn person_named(&self, name: &str) -> Result<Person, Error> {
        match self.account(name).await? {
            Some(person) => Ok(person),
            None => self.create_guest(name).await,
        }
    }

    /// The account with this login, however it is written (case, width).
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn account(&self, login: &str) -> Result<Option<Person>, Error> {
        let Ok(login) = validation::line(Field::Name, login, validation::NAME_MAX) else { return Ok(None) };
        let login = password::fold(&login);
        self.0.desk.read(move |store| store.account(&login)).await
    }

    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>, Error> {
        self.0.desk.read(move |store| store.person(id)).await
    }

    /// Whose cookie it is; `None` for one that this installation did not sign, and when the database cannot be asked
    /// (logged). Before giving somebody a new cookie use [`Domain::identify`]: it tells the two apart.
    pub async fn person_of(&self, cookie: &str) -> Option<Person> {
        match self.identify(cookie).await {
            Ok(person) => person,
            Err(error) => {
                tracing::warn!(%error, "a cookie's person could not be looked up");
                None
            }
        }
    }

    /// Which guest's cookie it is, if this installation signed it. A visitor who has done nothing yet, and so is not in the database,
    /// is a guest without a name. Of a guest who has registered since it is nobody's: an account is let in by its sessions.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn identify(&self, cookie: &str) -> Result<Option<Person>, Error> {
        match self.0.signer.verify(cookie) {
            Some(id) => {
                let stored = self.person(id).await?;
                let guest = stored.unwrap_or_else(|| Person { id, kind: PersonKind::Guest, name: String::new() });
                Ok(Some(guest).filter(|guest| guest.kind == PersonKind::Guest))
            }
            None => Ok(None),
        }
    }

    /// Whose cookie it is by its signature alone; asks no database, so the person may have no row yet.
    pub fn signed_person(&self, cookie: &str) -> Option<PersonId> {
        self.0.signer.verify(cookie)
    }

    /// Changes a person's shown name, in all their rooms.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::Name`], [`Error::Forbidden`] for somebody else's, [`Error::NotFound`];
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn rename_person(&self, who: impl Into<Actor>, id: PersonId, name: &str) -> Result<(), Error> {
        let name = validation::line(Field::Name, name, validation::NAME_MAX)?;
        match who.into() {
            Actor::Person(person) if person != id => return Err(Error::Forbidden),
            _ => {}
        }
        let shared = std::sync::Arc::clone(&self.0.shared);
        let keep = self.0.limits.chat.kept_names;
        let work = move |store: &mut dyn crate::Store| {
            names::change(store, id, &name, keep)?;
            store.rooms_of(id)
        };
        let after = move |rooms: &Vec<crate::Room>| shared.tell_rooms(rooms.iter().map(|room| room.id));
        self.0.desk.write(work, after).await.map(drop)
    }

    async fn add_guest(&self, name: String) -> Result<Person, Error> {
        let id = PersonId::from_random(random::bits()?);
        let work = move |store: &mut dyn crate::Store| {
            store.add_guest(id, &name, clock::now())?;
            Ok(Person { id, kind: PersonKind::Guest, name })
        };
        self.0.desk.write(work, |_| {}).await
    }
}
