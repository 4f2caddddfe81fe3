//! `[accounts]`: who may have an account, and what that is needed for.

use madang_domain::{MakeRooms, Registration};
use serde::{Deserialize, Serialize};

/// Who may have an account, and what that is needed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// `open`, `invite` or `closed`.
    pub registration: Registration,
    /// `accounts`, `anyone` or `administrators`.
    pub make_rooms: MakeRooms,
    /// A browser that was not here for this many days is logged out.
    pub session_idle_days: u32,
    /// A browser is logged out after this many days, however it is used.
    pub session_days: u32,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            registration: Registration::default(),
            make_rooms: MakeRooms::default(),
            session_idle_days: 14,
            session_days: 90,
        }
    }
}
