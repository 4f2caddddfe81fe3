//! Chat: one task per active room puts what people say in order, keeps it, and hands it to everyone there; moderation, names
//! and history with it. No socket is here: a connection gives an [`Outbox`] and takes frames from it.

mod filter;
mod limits;
mod member;
mod outbox;
mod pace;
pub(crate) mod prefix;
mod refused;
pub(crate) mod registry;
mod room;
pub(crate) mod tag;
mod window;

pub(crate) use filter::Filter;
pub use limits::ChatLimits;
pub(crate) use member::Place;
pub use member::{Chatter, Member, RoomRef};
pub use outbox::{Frame, MustResume, Outbox};
pub use refused::ChatRefused;
pub use window::{Window, auto_window};

#[cfg(test)]
pub(crate) mod tests;
