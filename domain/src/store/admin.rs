//! What administration needs stored: lists to page through, bans across the site, decisions over the configuration, the log.

use crate::{error::Error, network::Network, person::Person, room::Room, token::TokenHash};
use madang_protocol::{ActionId, PersonId, UnixMillis};

/// Storage of administration. Who may do what is decided above.
pub trait AdminStore {
    /// Accounts by login, or guests, the newest first, whose login or name holds `query`, or all of them: `limit` after `skip`.
    fn people(&self, query: &str, guests: bool, skip: usize, limit: usize) -> Result<Vec<StoredPerson>, Error>;
    /// One person, as the lists show them.
    fn person_listed(&self, person: PersonId) -> Result<Option<StoredPerson>, Error>;
    /// Rooms whose slug or title holds `query`, or whose owner's name does, the newest first: `limit` after `skip`.
    fn rooms_like(&self, query: &str, skip: usize, limit: usize) -> Result<Vec<Room>, Error>;

    /// Since when nobody is let in to the account; `None` for one that is not locked, and for who is none.
    fn locked(&self, person: PersonId) -> Result<Option<UnixMillis>, Error>;
    /// # Errors
    /// [`Error::NotFound`] for who is no account.
    fn set_locked(&mut self, person: PersonId, since: Option<UnixMillis>) -> Result<(), Error>;

    /// Keeps the way to a new password, in the place of an earlier one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who is no account.
    fn add_reset(&mut self, person: PersonId, hash: &TokenHash, ends: UnixMillis) -> Result<(), Error>;
    /// Whose way to a new password this is, if it is one still.
    fn reset_of(&self, hash: &TokenHash, now: UnixMillis) -> Result<Option<Person>, Error>;
    fn remove_reset(&mut self, person: PersonId) -> Result<(), Error>;

    /// Where somebody was seen since then, as addresses or networks: where they are logged in, where they logged in, where they wrote.
    /// The newest `limit` of each.
    fn whereabouts(&self, person: PersonId, since: UnixMillis, limit: usize) -> Result<Vec<String>, Error>;
    /// The bans in force at `now`, the newest `limit` of them, the newest first.
    fn site_bans(&self, now: UnixMillis, limit: usize) -> Result<Vec<SiteBan>, Error>;
    /// Keeps a ban, and forgets those that were over by then.
    fn add_site_ban(&mut self, ban: &SiteBan) -> Result<(), Error>;
    /// Forgets a ban; gives it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn remove_site_ban(&mut self, id: ActionId) -> Result<SiteBan, Error>;

    fn setting(&self, name: &str) -> Result<Option<String>, Error>;
    /// Keeps a decision, or forgets it.
    fn set_setting(&mut self, name: &str, value: Option<&str>) -> Result<(), Error>;

    /// Notes an action, and forgets all but the newest `keep`.
    fn add_site_action(&mut self, action: &SiteAction, keep: u64) -> Result<(), Error>;
    /// Actions, newest first: those before one of them, or the newest; `limit` at most.
    fn site_actions(&self, before: Option<ActionId>, limit: usize) -> Result<Vec<SiteAction>, Error>;
}

/// Somebody as administrators' lists show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPerson {
    pub person: Person,
    pub since: UnixMillis,
    /// Since when nobody is let in to the account.
    pub locked: Option<UnixMillis>,
    pub rooms: u32,
    pub sessions: u32,
}

/// Somebody, or everybody from somewhere, who may read and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteBan {
    /// The action that did it.
    pub id: ActionId,
    /// Whom; `None` for everybody from its networks.
    pub person: Option<PersonId>,
    /// What they were called then.
    pub name: String,
    /// Guests from there are meant too; where it is about nobody in particular, everybody is.
    pub networks: Vec<Network>,
    pub at: UnixMillis,
    /// `None`: until it is lifted.
    pub until: Option<UnixMillis>,
    pub reason: String,
    /// The name of who did it.
    pub by: String,
}

impl SiteBan {
    pub fn is_in_force(&self, now: UnixMillis) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// What an administrator or the operator did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteAction {
    pub id: ActionId,
    pub at: UnixMillis,
    /// Who; `None` for the operator, on the command line.
    pub by_id: Option<PersonId>,
    /// What they were called then.
    pub by: String,
    /// A code, such as `ban`.
    pub act: String,
    /// Whom or what it was done to, in the words that it is known by.
    pub whom: String,
    pub reason: String,
    pub until: Option<UnixMillis>,
}
