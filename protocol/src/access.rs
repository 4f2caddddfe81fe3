//! Who gets into a room, as its owner sees it.

use crate::{LinkId, UnixMillis, rooms::Visibility, wire::Wire};
use serde::{Deserialize, Serialize};

/// Longest that a link may let people in, in hours: a year.
pub const LINK_HOURS_MAX: u32 = 366 * 24;
/// Most people that a bounded link may let in.
pub const LINK_USES_MAX: u32 = 10_000;

/// What the page about it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct AccessView {
    pub title: String,
    pub visibility: Visibility,
    /// Since when the room has had the password that it has.
    pub password_since: Option<UnixMillis>,
    /// The newest first.
    pub links: Vec<LinkInfo>,
}

/// A link that lets people into a room, as its owner sees it after its making: everything but the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct LinkInfo {
    pub id: LinkId,
    pub name: String,
    pub created: UnixMillis,
    pub ends: UnixMillis,
    /// How many have come in by it.
    pub used: u32,
    /// How many may; `None` for any number.
    pub uses: Option<u32>,
    pub revoked: Option<UnixMillis>,
}

impl LinkInfo {
    /// Whether those who came in by it may stay.
    pub fn stands(&self, now: UnixMillis) -> bool {
        self.revoked.is_none() && self.ends > now
    }

    /// Whether it lets in somebody new.
    pub fn lets_in(&self, now: UnixMillis) -> bool {
        self.stands(now) && self.uses.is_none_or(|uses| self.used < uses)
    }
}
