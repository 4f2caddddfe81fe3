//! A room's chat: the entries of its log, who wrote them, the modes in force, and what moderators do.
//!
//! A log is identified by its [`EpochId`] and counts its entries 1, 2, 3 …; whoever knows both can ask for what came after.
//! Everything that changes what readers see is an entry (a message, a deletion, a system line), so that replaying them in order
//! gives everyone the same chat. docs/PROTOCOL.md shows an example of each.

mod command;
mod text;

pub use command::{Command, CommandHint, Verb, parse_command, unescaped};
pub use text::{MESSAGE_MAX, TextProblem, has_link, link_target, links, mentions, message_text};

use crate::{ActionId, EpochId, PersonId, UnixMillis, wire::Wire};
use serde::{Deserialize, Serialize};

/// Entries sent on joining, and kept in a page's first view.
pub const HISTORY_ON_JOIN: usize = 200;
/// Longest client id of a message, in bytes.
pub const CLIENT_ID_MAX: usize = 36;
/// Slow mode's longest pause between two messages of one person, in seconds.
pub const SLOW_MAX_S: u16 = 120;
/// A timeout's length where none is said, and the longest one, in seconds.
pub const TIMEOUT_DEFAULT_S: u32 = 600;
pub const TIMEOUT_MAX_S: u32 = 14 * 86_400;
/// Hexadecimal digits of a guest's tag.
pub const TAG_DIGITS: usize = 3;
/// Longest quotation of the message that is answered, in graphemes.
pub const QUOTE_MAX: usize = 80;
/// Most words a room's filter holds, and the longest of them in graphemes.
pub const FILTER_WORDS_MAX: usize = 200;
pub const FILTER_WORD_MAX: usize = 40;
/// Longest reason of a moderator's action, in graphemes.
pub const REASON_MAX: usize = 200;
/// Joins and parts are told only in rooms of at most this many people.
pub const PEOPLE_TOLD_MAX: usize = 50;
/// How long an action can be undone, in milliseconds.
pub const UNDO_MS: i64 = 10_000;

/// An entry's place in its room's log, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Wire)]
pub struct Seq(pub u64);

/// Where a reader was: resume after this entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Since {
    pub epoch: EpochId,
    pub seq: Seq,
}

/// What somebody may do in a room. The server says it; nobody can claim it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Viewer,
    Moderator,
    Owner,
}

impl Role {
    /// Whether this role moderates: a moderator, or the owner.
    pub const fn moderates(self) -> bool {
        matches!(self, Self::Moderator | Self::Owner)
    }
}

/// Who wrote something, as everyone sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Author {
    pub id: PersonId,
    pub name: String,
    /// Three hexadecimal digits that tell guests of the same name apart (`Ana#4f2`); empty for accounts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tag: String,
    #[serde(default, skip_serializing_if = "is_viewer")]
    pub role: Role,
}

fn is_viewer(role: &Role) -> bool {
    *role == Role::Viewer
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Entry {
    pub seq: Seq,
    pub at: UnixMillis,
    pub what: What,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Somebody said something.
    Say(Message),
    /// In history only: a message that was deleted. Its text is not sent any more.
    Stub(Author),
    /// These messages are deleted: readers show stubs.
    Delete { targets: Vec<Seq> },
    /// A deletion was undone: the messages as they were.
    Restore { messages: Vec<Restored> },
    /// Something happened in the room.
    System(SystemLine),
}

/// A chat message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Message {
    pub author: Author,
    /// Plain text of one line, at most [`MESSAGE_MAX`] graphemes. Never markup.
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Quote>,
    /// The id that the sender's browser gave it, by which that browser knows its own message again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

/// The message that is answered, shortened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Quote {
    pub seq: Seq,
    pub name: String,
    /// At most [`QUOTE_MAX`] graphemes; empty when that message is deleted.
    pub text: String,
}

/// A message that is back after an undone deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Restored {
    pub seq: Seq,
    pub at: UnixMillis,
    pub message: Message,
}

/// A line that nobody wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum SystemLine {
    StreamStarted,
    StreamEnded,
    /// The modes are other ones now.
    Modes {
        by: String,
        modes: Modes,
    },
    /// Somebody moderates from now on, or no more.
    Moderator {
        name: String,
        on: bool,
    },
}

/// What is asked of everyone who writes. The default lets everyone write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(default)]
pub struct Modes {
    /// Seconds between two messages of one person; 0 is off, [`SLOW_MAX_S`] the most.
    pub slow_s: u16,
    /// Guests only read.
    pub accounts_only: bool,
    /// Whether messages may hold links.
    pub links: bool,
    /// Nobody repeats what was said in the last minutes.
    pub unique: bool,
    /// Only moderators write.
    pub closed: bool,
}

impl Default for Modes {
    fn default() -> Self {
        Self { slow_s: 0, accounts_only: false, links: true, unique: false, closed: false }
    }
}

/// One mode, changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum ModeChange {
    /// Seconds; 0 is off.
    Slow(u16),
    AccountsOnly(bool),
    Links(bool),
    Unique(bool),
    Closed(bool),
}

impl ModeChange {
    /// The modes with this one changed.
    pub const fn apply(self, modes: Modes) -> Modes {
        match self {
            Self::Slow(slow_s) => Modes { slow_s, ..modes },
            Self::AccountsOnly(accounts_only) => Modes { accounts_only, ..modes },
            Self::Links(links) => Modes { links, ..modes },
            Self::Unique(unique) => Modes { unique, ..modes },
            Self::Closed(closed) => Modes { closed, ..modes },
        }
    }
}

/// Who a reader is in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Standing {
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<Muted>,
}

/// Why somebody cannot write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Muted {
    /// A ban, or only a timeout.
    pub banned: bool,
    /// `None`: until it is lifted.
    pub until: Option<UnixMillis>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How one is known: the name in the chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct You {
    /// `None` for somebody without a cookie, who can only read.
    pub id: Option<PersonId>,
    /// Empty for a guest who has not chosen one: pages then show their own word for guest.
    pub name: String,
    pub tag: String,
}

/// The chat of a room as it is on joining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ChatState {
    pub epoch: EpochId,
    pub standing: Standing,
    pub modes: Modes,
    /// Oldest first. After `since` when that could be resumed, else the newest [`HISTORY_ON_JOIN`].
    pub entries: Vec<Entry>,
    /// The newest entry there is; 0 for none. Entries after it follow as events.
    pub seq: Seq,
    /// Whether `entries` go on from what was asked. When false the page starts over with them.
    pub resumed: bool,
    /// Whether there are older entries than these.
    pub more: bool,
}

/// Why a message or an action was not taken. The words are in the message files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum ChatRefusal {
    /// Nothing is in it.
    Empty,
    /// Over [`MESSAGE_MAX`].
    TooLong,
    /// Control characters, or text that runs backwards.
    Characters,
    /// More than the rate for everyone.
    TooFast,
    /// Slow mode: wait.
    Slow,
    /// Timed out.
    TimedOut,
    Banned,
    /// Chat is closed to all but moderators.
    Closed,
    /// For accounts only.
    AccountsOnly,
    /// Links are off.
    Links,
    /// Said before, in a room where nobody repeats.
    Repeated,
    /// A word of the room's filter.
    Filtered,
    /// A `/` command that does not exist.
    UnknownCommand,
    /// Not a moderator here, or the other one is above them.
    NotAllowed,
    /// No such message, person or action; or too late to undo it.
    NotFound,
    /// The browser keeps no cookie: nobody could be recognised.
    NoCookie,
    /// The name looks like somebody's who is badged here, or is kept for the system.
    NameTaken,
    /// Not in the room.
    NotJoined,
    /// The server is too busy, or could not store it. Try again.
    Busy,
}

/// Whom an action is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    Id(PersonId),
    /// As it was typed after a command: `ana` or `ana#4f2`; the last one who wrote under it.
    Name(String),
}

/// What pages call a guest without a name, in each language; who is meant by it is said by the tag behind it.
pub const NAMELESS: [&str; 2] = ["Guest", "손님"];

/// What a moderator does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Delete {
        seq: Seq,
    },
    /// The last message of theirs that is not deleted.
    DeleteLast {
        whom: Whom,
    },
    /// Cannot write for so long: account or browser and address prefix; their messages of the last minutes are deleted.
    Timeout {
        whom: Whom,
        seconds: u32,
    },
    /// Cannot write in this room: account or browser and address prefix; for `seconds`, or until lifted.
    Ban {
        whom: Whom,
        seconds: Option<u32>,
    },
    /// Lifts a ban or a timeout.
    Unban {
        whom: Whom,
    },
    /// By the owner only.
    SetModerator {
        whom: Whom,
        on: bool,
    },
    SetModes {
        modes: Modes,
    },
    /// One mode of those in force when it is done: two who change two at once both have their way.
    SetMode {
        mode: ModeChange,
    },
    /// Words that no message may hold, as they were typed.
    SetFilter {
        words: Vec<String>,
    },
    /// One word more, or one less.
    FilterWord {
        word: String,
        on: bool,
    },
    /// Undoes an action within [`UNDO_MS`].
    Undo {
        action: ActionId,
    },
}

/// An action in a room's log, newest last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ActionRecord {
    pub id: ActionId,
    pub at: UnixMillis,
    /// Who did it, as they were called then.
    pub by: String,
    /// The word of [`Act`]: `delete`, `timeout`, `ban`, `unban`, `set_moderator`, `set_modes`, `set_filter`, `undo`.
    pub act: String,
    /// Whom it was about, as they were called then; empty where it was about nobody.
    pub whom: String,
    pub whom_id: Option<PersonId>,
    pub reason: String,
    /// The message it was about; empty where there was none.
    pub message: String,
    /// The end of a timeout or a ban; `None` where it has none.
    pub until: Option<UnixMillis>,
    pub undone: bool,
}

/// What a moderator sees of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct PersonCard {
    pub author: Author,
    pub first_seen: UnixMillis,
    /// Newest first, without the present one.
    pub earlier_names: Vec<String>,
    /// The last 20 messages in this room, newest first; deleted ones too.
    pub messages: Vec<CardMessage>,
    /// What was done to them in this room, newest first.
    pub actions: Vec<ActionRecord>,
    pub muted: Option<Muted>,
}

/// A message on a [`PersonCard`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct CardMessage {
    pub seq: Seq,
    pub at: UnixMillis,
    pub text: String,
    pub deleted: bool,
}

/// Somebody who cannot write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct BanRecord {
    pub whom: Author,
    pub muted: Muted,
    pub at: UnixMillis,
    pub by: String,
}

/// The moderation page as it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ModerationView {
    pub title: String,
    pub role: Role,
    pub modes: Modes,
    pub filter: Vec<String>,
    pub moderators: Vec<Author>,
    /// In force, oldest first; the newest 500.
    pub bans: Vec<BanRecord>,
    /// Newest first, at most 200.
    pub actions: Vec<ActionRecord>,
}
