//! What crosses between browser and server, compiled for both: ids, validation rules, views, and the messages of `/ws`.
//!
//! Nothing here does I/O and nothing here knows a language: errors are codes, the words for them live in the app's message files.

pub mod access;
pub mod account;
pub mod chat;
pub mod ids;
pub mod realtime;
pub mod rooms;
pub mod slug;
pub mod studio;
pub mod validation;
pub mod wire;

// What `derive(Wire)` writes names this crate, here as elsewhere.
extern crate self as madang_protocol;

pub use ids::{ActionId, EpochId, InvitationId, KeyId, LinkId, PasswordId, PersonId, RoomId, SessionId, UnixMillis};
pub use rooms::{LiveState, RoomCard, RoomDraft, RoomPage, Visibility};
pub use slug::RoomSlug;
pub use validation::{Field, FieldIssue, Problem};

/// Version of the messages in [`realtime`]. Raised when an older browser tab could misread a newer server.
pub const PROTOCOL_VERSION: u32 = 2;
