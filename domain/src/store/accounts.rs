//! What accounts need stored beside the persons: sessions, places, invitations.

use crate::{error::Error, password::PasswordDigest, person::Person, token::TokenHash};
use madang_protocol::{InvitationId, PersonId, RoomId, SessionId, UnixMillis};

/// Storage of accounts. Who may do what is decided above.
pub trait AccountStore {
    /// Every account with what the operator's list shows, by login.
    fn accounts(&self) -> Result<Vec<StoredAccount>, Error>;
    /// The administrators, at most a hundred, oldest first.
    fn administrators(&self) -> Result<Vec<Person>, Error>;
    /// # Errors
    /// [`Error::NotFound`] for who is no account.
    fn set_password(&mut self, person: PersonId, password: &PasswordDigest) -> Result<(), Error>;
    /// # Errors
    /// [`Error::NotFound`] for who is no account.
    fn set_admin(&mut self, person: PersonId, admin: bool) -> Result<(), Error>;
    /// Forgets a person who owns no room: account, sessions, earlier names, moderator roles. Messages that they wrote stay, under the
    /// name of a guest without one. Bans and the logs of moderators' actions stay as they are.
    ///
    /// # Errors
    /// [`Error::NotFound`]; what the database says when there are rooms left.
    fn remove_person(&mut self, person: PersonId, tag: &str) -> Result<(), Error>;
    /// Gives what a guest has to an account: rooms, moderator roles, and the bans that hold them. Gives the rooms that concerns.
    fn take_over(&mut self, guest: PersonId, account: PersonId) -> Result<Vec<RoomId>, Error>;

    /// # Errors
    /// [`Error::NotFound`] for who is no account.
    fn add_session(&mut self, session: &NewSession) -> Result<(), Error>;
    fn find_session(&self, hash: &TokenHash) -> Result<Option<FoundSession>, Error>;
    /// The person's sessions, the one used last first.
    fn sessions(&self, person: PersonId) -> Result<Vec<StoredSession>, Error>;
    fn sessions_used(&mut self, sessions: &[SessionId], at: UnixMillis) -> Result<(), Error>;
    /// Of these sessions, those that are there, with when they began and were last used.
    fn sessions_left(&self, sessions: &[SessionId]) -> Result<Vec<(SessionId, UnixMillis, UnixMillis)>, Error>;
    /// Ends a session of the person's; says whether there was one.
    fn remove_session(&mut self, person: PersonId, session: SessionId) -> Result<bool, Error>;
    /// Ends the person's sessions, but for the `keep` used last. Gives which.
    fn remove_sessions(&mut self, person: PersonId, keep: usize) -> Result<Vec<SessionId>, Error>;
    /// Forgets sessions last used before `used`, and those begun before `since`. Gives which.
    fn forget_sessions(&mut self, used: UnixMillis, since: UnixMillis) -> Result<Vec<SessionId>, Error>;

    /// Whether the account was logged in to from there before.
    fn knows_place(&self, person: PersonId, place: &str) -> Result<bool, Error>;
    /// Notes that it was; the newest `keep` places are kept.
    fn note_place(&mut self, person: PersonId, place: &str, at: UnixMillis, keep: usize) -> Result<(), Error>;

    fn add_invitation(&mut self, invitation: &NewInvitation) -> Result<(), Error>;
    /// Those that may be used yet, newest first.
    fn invitations(&self, now: UnixMillis) -> Result<Vec<StoredInvitation>, Error>;
    /// Whether somebody may register by this code now.
    fn invitation_stands(&self, hash: &TokenHash, now: UnixMillis) -> Result<bool, Error>;
    /// Counts a use, if [`AccountStore::invitation_stands`]; says whether it did.
    fn use_invitation(&mut self, hash: &TokenHash, now: UnixMillis) -> Result<bool, Error>;
    /// # Errors
    /// [`Error::NotFound`].
    fn revoke_invitation(&mut self, id: InvitationId, at: UnixMillis) -> Result<(), Error>;
    /// Forgets invitations that ended before then.
    fn forget_invitations(&mut self, ended: UnixMillis) -> Result<(), Error>;
}

/// An account as the operator's list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    pub person: Person,
    pub since: UnixMillis,
    pub rooms: u32,
    pub sessions: u32,
}

/// A session to be kept: everything but what the browser shows.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub id: SessionId,
    pub hash: TokenHash,
    pub person: PersonId,
    pub at: UnixMillis,
    /// The address it logs in from, without port.
    pub origin: String,
    /// What the browser calls itself; empty when it did not say.
    pub agent: String,
}

/// A session as it is found by its hash.
#[derive(Clone, Debug)]
pub struct FoundSession {
    pub id: SessionId,
    pub hash: TokenHash,
    pub person: Person,
    pub since: UnixMillis,
    pub used: UnixMillis,
}

/// A session as its person's list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    pub id: SessionId,
    pub since: UnixMillis,
    pub used: UnixMillis,
    pub origin: String,
    pub agent: String,
}

/// An invitation to be kept: everything but the code.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub id: InvitationId,
    pub hash: TokenHash,
    pub created: UnixMillis,
    pub ends: UnixMillis,
    pub uses: u32,
}

/// An invitation as the operator's list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInvitation {
    pub id: InvitationId,
    pub created: UnixMillis,
    pub ends: UnixMillis,
    pub uses: u32,
    pub used: u32,
}
