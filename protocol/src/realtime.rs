//! The messages of `/ws`: JSON text, one client message a frame, server events in arrays (a batch a frame).
//! docs/PROTOCOL.md shows an example of each, and `tests/examples.rs` reads them.

use crate::{
    ActionId, PersonId, RoomSlug, UnixMillis,
    chat::{Act, Author, ChatRefusal, ChatState, Entry, PersonCard, Seq, Since, Standing, You},
    rooms::RoomCard,
    studio::StudioStatus,
    wire::{Later, Wire},
};
use serde::{Deserialize, Serialize};

/// Longest message a client may send, in bytes.
pub const CLIENT_MESSAGE_MAX: usize = 8 * 1024;
/// The close code after which a client connects again and resumes: it could not keep up, or the server wants it elsewhere.
pub const CLOSE_RESUME: u16 = 4000;

/// How often a browser may tell how the picture does; what comes earlier is not counted.
pub const QUALITY_EVERY_MS: u64 = 10_000;
/// The most that it may say of a delay, in ms, and of frames and stalls: more was never in ten seconds.
pub const QUALITY_DELAY_MAX_MS: u32 = 600_000;
pub const QUALITY_FRAMES_MAX: u32 = 100_000;

/// What a browser asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Send the directory, and each change to it.
    JoinDirectory,
    LeaveDirectory,
    /// Send the room's state and its chat, and each change to them. The owner is sent the studio's status too.
    Join {
        room: RoomSlug,
        /// Where the chat was left, to go on from there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Since>,
    },
    Leave {
        room: RoomSlug,
    },
    /// Says something in a joined room. Confirmed by the entry that everyone is sent, which carries `id`;
    /// the same id sent again is not said again, but confirmed again.
    Say {
        room: RoomSlug,
        text: String,
        id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<Seq>,
    },
    /// Older entries than `before`, answered by [`ServerEvent::History`].
    History {
        room: RoomSlug,
        before: Seq,
    },
    /// Changes the sender's name, everywhere. Answered by [`ServerEvent::You`] or [`ServerEvent::Rejected`].
    Rename {
        name: String,
        id: String,
    },
    /// A moderator's action. Answered by [`ServerEvent::Done`] or [`ServerEvent::Rejected`] with the same `id`.
    Moderate {
        room: RoomSlug,
        act: Act,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
        id: String,
    },
    /// For moderators: what is known of somebody. Answered by [`ServerEvent::Card`].
    Card {
        room: RoomSlug,
        person: PersonId,
    },
    /// How the picture has done in the last seconds, from a browser that plays it in a joined room: at most one in
    /// [`QUALITY_EVERY_MS`], of which a room's sums are made. Never answered.
    Quality {
        room: RoomSlug,
        /// How far behind live.
        delay_ms: u32,
        /// Times that it stopped.
        stalls: u32,
        /// Frames that were not shown.
        dropped: u32,
        /// Frames in all.
        frames: u32,
    },
    /// This browser cannot play the picture of a joined room, for its codec: the streamer is told how many say so. Never answered.
    Unplayable {
        room: RoomSlug,
    },
    /// Answered by [`ServerEvent::Pong`]; browsers cannot see WebSocket pings.
    Ping,
}

/// What the server tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerEvent {
    /// First on every connection. A browser whose `protocol` is another reloads its page.
    Hello {
        protocol: u32,
        build: String,
        you: You,
    },
    /// The whole directory, live rooms first. Sent on joining it.
    Directory {
        rooms: Vec<RoomCard>,
    },
    /// A room in the directory is new or has changed.
    DirectoryRoom {
        card: RoomCard,
    },
    /// A room has left the directory.
    DirectoryGone {
        room: RoomSlug,
    },
    /// The joined room's state. Sent on joining it and at each change.
    Room {
        card: RoomCard,
    },
    /// The joined room was deleted, or never was.
    RoomGone {
        room: RoomSlug,
    },
    /// The joined room's chat, on joining.
    Chat {
        room: RoomSlug,
        chat: ChatState,
    },
    /// New entries of a joined room's chat, in order and without a gap.
    Entries {
        room: RoomSlug,
        entries: Vec<Entry>,
    },
    /// How many watch and how many are in the chat; at most twice a second.
    Counts {
        room: RoomSlug,
        watching: u32,
        chatting: u32,
    },
    /// Who came and went, in rooms of few people.
    People {
        room: RoomSlug,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        joined: Vec<Author>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<Author>,
    },
    /// The receiver may do something else in the room than before.
    Standing {
        room: RoomSlug,
        standing: Standing,
    },
    /// How the receiver is called now.
    You {
        you: You,
    },
    /// The answer to [`ClientMessage::History`], oldest first.
    History {
        room: RoomSlug,
        entries: Vec<Entry>,
        /// Whether there are older ones still.
        more: bool,
    },
    /// A message, a name or an action was not taken.
    Rejected {
        /// The client's id of what it sent.
        id: String,
        reason: ChatRefusal,
        /// When it may be tried again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<UnixMillis>,
    },
    /// An action was taken.
    Done {
        id: String,
        /// To undo it by, until [`crate::chat::UNDO_MS`] have passed; `None` for what cannot be undone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<ActionId>,
    },
    /// The answer to [`ClientMessage::Card`].
    Card {
        room: RoomSlug,
        card: Later<PersonCard>,
    },
    /// To the room's owner only.
    Studio {
        room: RoomSlug,
        status: Later<StudioStatus>,
    },
    /// A message was refused; the connection stays.
    Refused {
        reason: Refusal,
    },
    Pong,
}

/// Why a message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Not JSON of a known type.
    Malformed,
    /// More messages than the limit.
    TooFast,
    /// More rooms joined than the limit.
    TooManyRooms,
    /// The room asks for a password or an invitation link, and this browser has not shown it, or it is worth nothing any more.
    NotLetIn,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_look_as_documented() {
        let join = ClientMessage::Join { room: RoomSlug::parse("my-room").expect("valid"), since: None };
        assert_eq!(serde_json::to_string(&join).expect("serializes"), r#"{"type":"join","room":"my-room"}"#);
        let refused = ServerEvent::Refused { reason: Refusal::TooFast };
        assert_eq!(serde_json::to_string(&refused).expect("serializes"), r#"{"type":"refused","reason":"too_fast"}"#);
    }
}
