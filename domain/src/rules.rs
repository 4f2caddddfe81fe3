//! The rules of accounts: who may register, who may make rooms, how long a session lasts, how often something may be tried.

use crate::person::PersonKind;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Everybody.
    #[default]
    Open,
    /// Whoever has the code of an invitation.
    Invite,
    /// Nobody: accounts are made on the command line.
    Closed,
}

impl Registration {
    pub const ALL: [Self; 3] = [Self::Open, Self::Invite, Self::Closed];

    /// As it is written in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }
}

/// Who may make rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MakeRooms {
    /// Whoever has an account.
    #[default]
    Accounts,
    /// Guests too, who are known by their browser's cookie only.
    Anyone,
    Administrators,
}

impl MakeRooms {
    pub const ALL: [Self; 3] = [Self::Accounts, Self::Anyone, Self::Administrators];

    /// As it is written in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Anyone => "anyone",
            Self::Administrators => "administrators",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }

    pub const fn allows(self, kind: &PersonKind) -> bool {
        match (self, kind) {
            (Self::Anyone, _) | (Self::Accounts, PersonKind::Account { .. }) => true,
            (Self::Administrators, PersonKind::Account { admin, .. }) => *admin,
            (Self::Accounts | Self::Administrators, PersonKind::Guest) => false,
        }
    }
}

/// The rules in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountRules {
    pub registration: Registration,
    pub make_rooms: MakeRooms,
    /// A session that is not used for this long ends.
    pub session_idle: Duration,
    /// A session ends this long after it began, however it is used.
    pub session_life: Duration,
    /// Browsers that one account may be logged in with; one more ends the one that was used least lately.
    pub sessions_per_person: usize,
    /// Threads that hash passwords, each of which takes a core and 19 MiB while it does.
    pub password_workers: usize,
    /// Passwords that may wait for them; one more is answered with [`crate::Error::Busy`].
    pub password_queue: usize,
    /// Wrong passwords, and wrong invitations, a minute from one address prefix.
    pub log_ins_per_minute: u32,
    /// Wrong passwords an hour for one account, from places where it was not logged in to before.
    pub log_ins_per_account: u32,
    /// Accounts an hour made from one address prefix.
    pub registrations_per_hour: u32,
}

impl Default for AccountRules {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            registration: Registration::default(),
            make_rooms: MakeRooms::default(),
            session_idle: Duration::from_secs(14 * DAY),
            session_life: Duration::from_secs(90 * DAY),
            sessions_per_person: 20,
            password_workers: 2,
            password_queue: 32,
            log_ins_per_minute: 10,
            log_ins_per_account: 20,
            registrations_per_hour: 10,
        }
    }
}

/// The rules of rooms that ask for more than their address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntranceRules {
    /// Wrong passwords of rooms, and wrong codes of links, a minute from one address prefix.
    pub tries_per_minute: u32,
    /// Wrong passwords of one room an hour, from wherever. Who is in already stays in, and those who moderate need none.
    pub tries_per_room: u32,
    /// For how long a browser that gave the password is let in without it.
    pub password_lasts: Duration,
    /// For how long a player may connect by the token that a page shows.
    pub play_token_lasts: Duration,
}

impl Default for EntranceRules {
    fn default() -> Self {
        Self {
            tries_per_minute: 10,
            tries_per_room: 100,
            password_lasts: Duration::from_secs(30 * 24 * 60 * 60),
            play_token_lasts: Duration::from_secs(12 * 60 * 60),
        }
    }
}
