//! How much of everything a chat may have. One struct, so that a load test can raise them.

use super::Window;
use std::time::Duration;

/// Limits of the chat. Numbers per room unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatLimits {
    /// How long messages are gathered before they are sent together.
    pub window: Window,
    /// Frames that may wait for one connection; one more closes it, and its browser resumes.
    pub member_queue_messages: usize,
    /// The same, in bytes.
    pub member_queue_bytes: usize,
    /// Entries kept in memory to resume from, and to know repeated client ids by.
    pub recovery_entries: usize,
    /// Entries older than this are not kept in memory, but for the newest that everyone is sent on joining.
    pub recovery_age: Duration,
    /// Messages a person may send at once…
    pub burst: u32,
    /// … and how many in `rate_per` after that.
    pub rate: u32,
    pub rate_per: Duration,
    /// Messages that a person may send a minute, in all rooms together.
    pub per_minute: u32,
    /// Messages that the guests of one address may send a minute together; a sixth of it at once.
    pub guests_per_minute: u32,
    /// How many times `burst` and `rate` moderators may.
    pub moderator_rate: u32,
    /// Changes of name that a person may make at once, and in a minute after that.
    pub renames: u32,
    /// Messages and actions that may wait for a room's task; more are answered with [`crate::protocol::chat::ChatRefusal::Busy`].
    pub waiting: usize,
    /// Persons remembered who are not there any more, for their rate and their address.
    pub remembered_persons: usize,
    /// Of an address, how many leading bits a ban is about.
    pub ban_prefix_v4: u8,
    pub ban_prefix_v6: u8,
    /// Bans and timeouts in force.
    pub bans: usize,
    pub moderators: usize,
    /// Messages that one timeout or ban deletes: those of the last `purge_age`, the newest first.
    pub purge_messages: usize,
    pub purge_age: Duration,
    /// How long a message counts as said before, where nobody repeats.
    pub unique_age: Duration,
    /// Entries kept in the database; the oldest go first.
    pub kept_entries: u64,
    /// Moderators' actions kept in the database.
    pub kept_actions: u64,
    /// Earlier names kept of a person.
    pub kept_names: usize,
    /// How often counts are sent at most.
    pub counts_every: Duration,
    /// How long a room's task waits for somebody to come before it ends.
    pub idle: Duration,
}

impl Default for ChatLimits {
    fn default() -> Self {
        Self {
            window: Window::Auto,
            member_queue_messages: 64,
            member_queue_bytes: 64 * 1024,
            recovery_entries: 1000,
            recovery_age: Duration::from_secs(600),
            burst: 5,
            rate: 3,
            rate_per: Duration::from_secs(2),
            per_minute: 300,
            guests_per_minute: 600,
            moderator_rate: 10,
            renames: 6,
            waiting: 1024,
            remembered_persons: 10_000,
            ban_prefix_v4: 32,
            ban_prefix_v6: 64,
            bans: 10_000,
            moderators: 100,
            purge_messages: 100,
            purge_age: Duration::from_secs(600),
            unique_age: Duration::from_secs(600),
            kept_entries: 100_000,
            kept_actions: 10_000,
            kept_names: 20,
            counts_every: Duration::from_millis(500),
            idle: Duration::from_secs(60),
        }
    }
}
