//! Chat: one task per active room puts what people say in order, keeps it, and hands it to everyone there; moderation, names
//! and history with it. No socket is here: a connection gives an [`Outbox`], takes frames from it, and may lend it a way to be written to
//! directly.

mod filter;
mod frame;
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
pub use frame::Frame;
pub use limits::ChatLimits;
pub(crate) use member::Place;
pub use member::{Chatter, Member, RoomRef};
pub use outbox::{Direct, MustResume, Outbox, Sent};
pub(crate) use pace::Pace;
pub use refused::ChatRefused;
pub use registry::ChatTotals;
pub use window::{Window, auto_window};

#[cfg(test)]
pub(crate) mod tests;
