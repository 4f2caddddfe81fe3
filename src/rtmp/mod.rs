//! RTMP: takes what OBS (librtmp) and ffmpeg send and hands FLV tags to whoever the [`Gate`] gives; gives players such as ffplay and VLC
//! what is on the air.
//!
//! [`run`] accepts, one task per encoder. Inside a task the bytes go `handshake` → `chunk` (messages under limits) → `session`
//! (what they mean, without sockets) → an [`Outlet`]; for who watches, a [`Program`] → `session` → the socket. Who may is not decided here
//! but behind the [`Gate`].
//!
//! `rml_rtmp` does the handshake and writes our own messages. It never parses what a peer sent: its reader and its AMF0 can be made
//! to panic or to overflow the stack by a peer that has not even shown a key.

mod chunk;
mod codecs;
mod command;
mod connection;
mod data;
mod error;
mod gate;
mod handshake;
mod limits;
mod listener;
mod message;
mod outbound;
mod prompt;
mod publisher;
mod session;
mod words;

pub use error::{Deadline, End, Refused};
pub use gate::{
    Attention, Gate, GateFuture, Outlet, PlayFuture, PlayRefusal, PlayRequest, Program, PublishRequest, Refusal,
    StreamName, TurnedAway,
};
pub use limits::RtmpLimits;
pub use listener::{Doors, run};

#[cfg(test)]
mod tests;
