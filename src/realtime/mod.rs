//! The `/ws` connection: decode, rate limit, hand to the domain, batch out. What is told to whom is decided in [`hub`] and
//! [`session`]; the words are `madang_protocol::realtime`.

mod hub;
mod limits;
mod session;
mod socket;

pub use hub::Hub;
pub use limits::Connections;
pub use socket::upgrade;
