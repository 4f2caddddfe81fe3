//! The messages of `/ws`: JSON text, one client message a frame, server events in arrays (a batch a frame).
//! docs/PROTOCOL.md shows an example of each.

use crate::wire::Wire;
use crate::{RoomSlug, rooms::RoomCard, studio::StudioStatus};
use serde::{Deserialize, Serialize};

/// Longest message a client may send, in bytes.
pub const CLIENT_MESSAGE_MAX: usize = 8 * 1024;

/// What a browser asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Send the directory, and each change to it.
    JoinDirectory,
    LeaveDirectory,
    /// Send the room's state, and each change to it. The owner is sent the studio's status too.
    Join {
        room: RoomSlug,
    },
    Leave {
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
    },
    /// The whole directory, live rooms first. Sent on joining it.
    Directory {
        rooms: Vec<RoomCard>,
    },
    /// A room in the directory is new or has changed.
    DirectoryRoom {
        room: RoomCard,
    },
    /// A room has left the directory.
    DirectoryGone {
        room: RoomSlug,
    },
    /// The joined room's state. Sent on joining it and at each change.
    Room {
        room: RoomCard,
    },
    /// The joined room was deleted, or never was.
    RoomGone {
        room: RoomSlug,
    },
    /// To the room's owner only.
    Studio {
        room: RoomSlug,
        status: StudioStatus,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_look_as_documented() {
        let join = ClientMessage::Join { room: RoomSlug::parse("my-room").expect("valid") };
        assert_eq!(serde_json::to_string(&join).expect("serializes"), r#"{"type":"join","room":"my-room"}"#);
        let refused = ServerEvent::Refused { reason: Refusal::TooFast };
        assert_eq!(serde_json::to_string(&refused).expect("serializes"), r#"{"type":"refused","reason":"too_fast"}"#);
    }
}
