//! The `/ws` connection: decode, rate limit, hand to the domain, batch out. The words are `madang_protocol::realtime`.
//!
//! Everything a connection is told waits in its one [`madang_domain::Outbox`]: its rooms' chats fill it, and the hub does with
//! what changes about rooms. [`session`] is what the connection has joined, [`socket`] writes what waits, and while nothing waits rooms
//! write to the socket themselves ([`wire`]).

mod hub;
mod limits;
mod meters;
mod session;
mod socket;
mod wire;

pub use hub::{Hub, Seated};
pub use limits::Connections;
pub use meters::Meters;
pub use socket::upgrade;
