//! Accounts as the operator has them: on the command line, and by the link of the first start.

use super::{
    Domain,
    accounts::{Removed, must_be_free, remove_in},
    admin::{Entry, by_operator},
    sessions::millis,
};
use crate::{
    clock,
    error::Error,
    looks::looks,
    password::{Credentials, Password},
    person::{Person, PersonKind},
    random,
    room::DomainChange,
    store::{NewAccount, NewInvitation, Store, StoredAccount, StoredInvitation},
    token::{Token, TokenHash},
};
use madang_protocol::{Field, FieldIssue, InvitationId, PersonId, Problem, SessionId, UnixMillis};
use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

/// How long the set-up link is good for.
const SETUP_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Most people that one invitation is for, and most days it lasts.
pub(crate) const INVITATION_USES_MAX: u32 = 10_000;
pub(crate) const INVITATION_DAYS_MAX: u32 = 366;

/// The set-up link of this start: what it holds, and since when.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    code: TokenHash,
    since: Instant,
}

impl Domain {
    /// Makes an account; its shown name is the login as typed. The operator may give a name that is reserved.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::Name`] (taken or looking like one that is, empty, too long, invisible characters) and
    /// [`Field::Password`] (8 to 256 characters); [`Error::Busy`], [`Error::Storage`].
    pub async fn create_account(&self, login: &str, password: &str, admin: bool) -> Result<Person, Error> {
        let Credentials { name, login, password } = Credentials::check(login, password)?;
        let (asked, wanted) = (login.clone(), looks(&name));
        self.0.desk.read(move |store| must_be_free(store, &asked, &wanted, None)).await?;
        let digest = self.0.hashers.digest(password).await?;
        let (id, keep) = (PersonId::from_random(random::bits()?), self.0.limits.site_actions);
        let work = move |store: &mut dyn Store| {
            must_be_free(store, &login, &looks(&name), None)?;
            let account = NewAccount { id, login: &login, name: &name, password: &digest, admin, at: clock::now() };
            store.add_account(&account)?;
            by_operator(store, Entry::new("create-account", &*login), keep)?;
            Ok(Person { id, kind: PersonKind::Account { login, admin }, name })
        };
        self.0.desk.write(work, |_| {}).await
    }

    /// Every account, by login.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn accounts(&self) -> Result<Vec<StoredAccount>, Error> {
        self.0.desk.read(|store| store.accounts()).await
    }

    /// Gives an account another password, and logs it out everywhere.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::Password`]; [`Error::NotFound`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn set_password(&self, login: &str, password: &str) -> Result<(), Error> {
        let password = Password::check(password)?;
        let (person, login) = self.known(login).await?;
        let digest = self.0.hashers.digest(password).await?;
        let keep = self.0.limits.site_actions;
        let work = move |store: &mut dyn Store| {
            store.set_password(person, &digest)?;
            by_operator(store, Entry::new("set-password", login), keep)?;
            store.remove_sessions(person, 0)
        };
        let shared = Arc::clone(&self.0.shared);
        self.0.desk.write(work, move |ended: &Vec<SessionId>| shared.tell_ended(ended)).await.map(drop)
    }

    /// Makes an account an administrator, or no longer one.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn set_admin(&self, login: &str, admin: bool) -> Result<(), Error> {
        let ((person, login), keep) = (self.known(login).await?, self.0.limits.site_actions);
        let shared = Arc::clone(&self.0.shared);
        // Who moderates is another one in every room.
        let after = move |(): &()| shared.tell(DomainChange::Anything);
        let work = move |store: &mut dyn Store| {
            store.set_admin(person, admin)?;
            by_operator(store, Entry::new(if admin { "promote" } else { "demote" }, login), keep)
        };
        self.0.desk.write(work, after).await
    }

    /// Deletes an account, as [`Domain::delete_account`] does, without its password.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn delete_account_of(&self, login: &str) -> Result<(), Error> {
        let ((person, login), keep) = (self.known(login).await?, self.0.limits.site_actions);
        let shared = Arc::clone(&self.0.shared);
        let work = move |store: &mut dyn Store| {
            by_operator(store, Entry::new("delete-account", login), keep)?;
            remove_in(store, person)
        };
        self.0.desk.write(work, move |removed: &Removed| removed.tell(&shared)).await.map(drop)
    }

    /// Makes an invitation for `uses` people that lasts `days`. The code is in this answer and nowhere else.
    ///
    /// # Errors
    /// [`Error::Invalid`] on [`Field::Invitation`] for no uses or days, or too many of them; [`Error::Busy`], [`Error::Storage`].
    pub async fn invite(&self, uses: u32, days: u32) -> Result<(InvitationId, Token), Error> {
        let (invitation, code) = new_invitation(uses, days)?;
        let (id, keep) = (invitation.id, self.0.limits.site_actions);
        let work = move |store: &mut dyn Store| {
            store.add_invitation(&invitation)?;
            by_operator(store, Entry { until: Some(invitation.ends), ..Entry::new("invite", id.to_string()) }, keep)
        };
        self.0.desk.write(work, |()| {}).await?;
        Ok((id, code))
    }

    /// The invitations that may be used yet, newest first.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn invitations(&self) -> Result<Vec<StoredInvitation>, Error> {
        self.0.desk.read(|store| store.invitations(clock::now())).await
    }

    /// Revokes an invitation. Those who came by it stay.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn revoke_invitation(&self, id: InvitationId) -> Result<(), Error> {
        let keep = self.0.limits.site_actions;
        let work = move |store: &mut dyn Store| {
            store.revoke_invitation(id, clock::now())?;
            by_operator(store, Entry::new("revoke-invitation", id.to_string()), keep)
        };
        self.0.desk.write(work, |()| {}).await
    }

    /// The account with this login: who, and the login as it is stored.
    async fn known(&self, login: &str) -> Result<(PersonId, String), Error> {
        let person = self.account(login).await?.ok_or(Error::NotFound)?;
        let PersonKind::Account { login, .. } = person.kind else { return Err(Error::NotFound) };
        Ok((person.id, login))
    }

    /// The code of the link by which the first administrator registers ([`crate::Admission::Setup`]), where there is none yet. It is
    /// known to this process only: it ends with it, after its first use, after a day, or when another is asked for.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn begin_setup(&self) -> Result<Option<Token>, Error> {
        let none = self.0.desk.read::<_, Error>(|store| Ok(store.administrators()?.is_empty())).await?;
        if !none {
            return Ok(None);
        }
        let code = Token::generate()?;
        let setup = Setup { code: code.hash(), since: Instant::now() };
        *self.0.setup.lock().unwrap_or_else(PoisonError::into_inner) = Some(setup);
        Ok(Some(code))
    }

    pub(super) fn setup_stands(&self, code: &TokenHash) -> bool {
        let setup = *self.0.setup.lock().unwrap_or_else(PoisonError::into_inner);
        setup.is_some_and(|setup| setup.code == *code && setup.since.elapsed() < SETUP_LIFE)
    }

    pub(super) fn end_setup(&self) {
        *self.0.setup.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What is kept of an invitation, and its code.
///
/// # Errors
/// [`Error::Invalid`] on [`Field::Invitation`] for no uses or days, or too many of them.
pub(super) fn new_invitation(uses: u32, days: u32) -> Result<(NewInvitation, Token), Error> {
    if !(1..=INVITATION_USES_MAX).contains(&uses) || !(1..=INVITATION_DAYS_MAX).contains(&days) {
        return Err(FieldIssue::new(Field::Invitation, Problem::NotAChoice).into());
    }
    let (code, id, now) = (Token::generate()?, InvitationId::from_random(random::bits()?), clock::now());
    let ends = now.0.saturating_add(millis(Duration::from_secs(u64::from(days).saturating_mul(86_400))));
    let invitation = NewInvitation { id, hash: code.hash(), created: now, ends: UnixMillis(ends), uses };
    Ok((invitation, code))
}
