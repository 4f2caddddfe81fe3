//! `[chat]`: how rooms' chats are sent and kept.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How rooms' chats are sent and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chat {
    /// How long messages are gathered before they are sent together.
    pub window_ms: ChatWindow,
    /// How often counts of people are sent at most, in milliseconds.
    pub counts_ms: u64,
    /// Entries kept in memory to resume from.
    pub recovery_entries: usize,
    /// Entries older than this are not kept in memory, in seconds.
    pub recovery_s: u64,
    /// Entries of a room kept in the database.
    pub kept_entries: u64,
    /// Moderators' actions of a room kept in the database.
    pub kept_actions: u64,
    /// Of an IPv4 address, how many leading bits a ban is about.
    pub ban_prefix_v4: u8,
    /// The same of an IPv6 address.
    pub ban_prefix_v6: u8,
    /// A ban or a timeout deletes its person's messages of this long, in seconds.
    pub purge_s: u64,
    /// How long a message counts as said before where nobody repeats, in seconds.
    pub unique_s: u64,
    /// How long a room's task waits for somebody to come, in seconds.
    pub idle_s: u64,
}

/// `"auto"`, or milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChatWindow {
    /// By the room's size and rate.
    #[default]
    Auto,
    Millis(u64),
}

impl Serialize for ChatWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Millis(millis) => serializer.serialize_u64(*millis),
        }
    }
}

impl<'de> Deserialize<'de> for ChatWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        let wrong = || de::Error::custom("must be \"auto\" or a number of milliseconds");
        match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Number(millis) => Ok(Self::Millis(millis)),
            Written::Text(text) if text == "auto" => Ok(Self::Auto),
            // The environment has texts only.
            Written::Text(text) => text.parse().map(Self::Millis).map_err(|_| wrong()),
        }
    }
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            window_ms: ChatWindow::Auto,
            counts_ms: 500,
            recovery_entries: 1000,
            recovery_s: 600,
            kept_entries: 100_000,
            kept_actions: 10_000,
            ban_prefix_v4: 32,
            ban_prefix_v6: 64,
            purge_s: 600,
            unique_s: 600,
            idle_s: 60,
        }
    }
}
