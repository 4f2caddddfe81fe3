//! How much of everything there may be. One struct, so that a load test can raise them.

use crate::{
    chat::ChatLimits,
    rules::{AccountRules, EntranceRules},
};

/// Limits of the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainLimits {
    /// Rooms one person may own.
    pub rooms_per_person: usize,
    /// Keys of one room that are not revoked.
    pub keys_per_room: usize,
    /// Revoked keys of one room that are remembered, so that their use can be explained; older ones are forgotten.
    pub revoked_keys_per_room: usize,
    /// Links of one room that let people in; ended and revoked ones do not count.
    pub links_per_room: usize,
    /// Rooms in the directory.
    pub directory: usize,
    /// Writes that may wait; the next is answered with [`crate::Error::Busy`].
    pub waiting_writes: usize,
    /// Reads that may wait; the next is answered with [`crate::Error::Busy`].
    pub waiting_reads: usize,
    /// Bans across the site that are in force.
    pub site_bans: usize,
    /// Administrators' actions that are kept.
    pub site_actions: u64,
    pub chat: ChatLimits,
    pub accounts: AccountRules,
    pub entrance: EntranceRules,
}

impl Default for DomainLimits {
    fn default() -> Self {
        Self {
            rooms_per_person: 10,
            keys_per_room: 20,
            revoked_keys_per_room: 50,
            links_per_room: 100,
            directory: 240,
            waiting_writes: 1024,
            waiting_reads: 4096,
            site_bans: 10_000,
            site_actions: 10_000,
            chat: ChatLimits::default(),
            accounts: AccountRules::default(),
            entrance: EntranceRules::default(),
        }
    }
}
