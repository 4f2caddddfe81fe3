//! What people see of their own account.

use crate::{SessionId, UnixMillis, wire::Wire};
use serde::{Deserialize, Serialize};

/// A browser that is logged in, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct SessionInfo {
    pub id: SessionId,
    /// When it logged in.
    pub since: UnixMillis,
    /// When it was last here, to within an hour.
    pub used: UnixMillis,
    /// The address it logged in from, without port.
    pub from: String,
    /// What the browser calls itself; empty when it did not say.
    pub agent: String,
    /// Whether it is the one that asks.
    pub current: bool,
}
