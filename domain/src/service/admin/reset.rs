//! The way to a new password that an administrator gives.

use crate::{
    chat::prefix::prefix,
    clock,
    error::Error,
    password::Password,
    service::{
        Domain, Visit,
        accounts::{PLACES_KEPT, must_be_let_in},
    },
    store::Store,
    token::Token,
};
use madang_protocol::SessionId;
use std::{sync::Arc, time::Instant};

impl Domain {
    /// Whose new password this code is for, by their shown name; `None` for one that is used up, over, or no code.
    ///
    /// # Errors
    /// [`Error::TooMany`] for an address that shows too many wrong ones; [`Error::Busy`], [`Error::Storage`].
    pub async fn reset_for(&self, code: &str, visit: &Visit) -> Result<Option<String>, Error> {
        let place = prefix(visit.address, &self.0.limits.chat);
        self.0.door.invitations.take(&place, Instant::now()).map_err(Error::too_many)?;
        let Some(hash) = Token::parse(code).map(|code| code.hash()) else { return Ok(None) };
        let found = self.0.desk.read::<_, Error>(move |store| store.reset_of(&hash, clock::now())).await?;
        if found.is_some() {
            self.0.door.invitations.give_back(&place);
        }
        Ok(found.map(|person| person.name))
    }

    /// Sets the password of the code's account, uses the code up, and logs the browser in as the only one.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`madang_protocol::Field::Password`]; [`Error::NotFound`] for a code that is none any more; [`Error::Barred`];
    /// [`Error::TooMany`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn use_reset(&self, code: &str, password: &str, visit: &Visit) -> Result<Token, Error> {
        self.reset_for(code, visit).await?.ok_or(Error::NotFound)?;
        let digest = self.0.hashers.digest(Password::check(password)?).await?;
        let hash = Token::parse(code).map(|code| code.hash()).ok_or(Error::NotFound)?;
        let (token, mut session) = self.new_session(visit)?;
        let (place, known, visit) =
            (prefix(visit.address, &self.0.limits.chat), Arc::clone(&self.0.shared), visit.clone());
        let work = move |store: &mut dyn Store| {
            let person = store.reset_of(&hash, clock::now())?.ok_or(Error::NotFound)?;
            must_be_let_in(store, &known.site(), &person, visit.guest, visit.address)?;
            store.set_password(person.id, &digest)?;
            store.remove_reset(person.id)?;
            let ended = store.remove_sessions(person.id, 0)?;
            session.person = person.id;
            store.add_session(&session)?;
            store.note_place(person.id, &place, clock::now(), PLACES_KEPT)?;
            Ok(ended)
        };
        let shared = Arc::clone(&self.0.shared);
        self.0.desk.write(work, move |ended: &Vec<SessionId>| shared.tell_ended(ended)).await?;
        Ok(token)
    }
}
