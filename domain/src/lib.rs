//! What the product is, with no socket in it: persons, rooms, stream keys, broadcasts, and where they are stored.
//!
//! [`Domain`] is the one door: handlers, server functions, the RTMP session and the command line each make one call on it.
//! What it needs from the media side it declares as the port [`OnAir`]; how it stores it declares as [`Store`].
//! No words for users are here: errors are codes, and the app's message files say them.

mod attempts;
mod chat;
mod clock;
mod cookie;
mod desk;
mod error;
mod files;
mod hashing;
mod key;
mod limits;
mod looks;
mod network;
mod on_air;
mod password;
mod permit;
mod person;
mod queue;
mod random;
mod room;
mod rules;
mod service;
mod site;
mod sqlite;
mod store;
#[cfg(test)]
mod testing;
mod token;

pub use chat::{
    ChatLimits, ChatRefused, ChatTotals, Chatter, Direct, Frame, Member, MustResume, Outbox, RoomRef, Sent, Window,
    auto_window,
};
pub use cookie::CookieValue;
pub use error::{BackupError, Bar, Error, Limit, NotThat, OpenError, StorageFault};
pub use key::{KeyHash, PublishGrant, PublishRefusal, StreamKey};
pub use limits::DomainLimits;
pub use madang_protocol as protocol;
pub use network::{Network, NotANetwork};
pub use on_air::{CutReason, OnAir, OnAirStatus};
pub use password::PasswordDigest;
pub use permit::{Grant, PERMIT_COOKIE, Permit, PermitCookie, PlayToken, Shown};
pub use person::{Actor, Person, PersonKind};
pub use room::{DomainChange, Room};
pub use rules::{AccountRules, EntranceRules, MakeRooms, Registration};
pub use service::{
    AdminAct, Administered, Admission, Decided, Domain, Gate, LiveRoom, Page, PersonFile, Policy, Session, Visit,
};
pub use sqlite::SqliteStore;
pub use store::{
    AccountStore, AdminStore, Ban, ChatLog, ChatStore, EntranceStore, FoundKey, FoundSession, ListedRoom, NewAccount,
    NewBroadcast, NewEntry, NewInvitation, NewKey, NewLink, NewMessage, NewSession, NewWhat, RoomPassword, SiteAction,
    SiteBan, Store, StoredAccount, StoredAction, StoredInvitation, StoredMessage, StoredModerator, StoredPerson,
    StoredSession, Writer,
};
pub use token::{Token, TokenHash};
