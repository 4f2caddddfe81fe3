//! Containers and codecs of live streams: FLV, AMF0, configurations of codecs, fragmented MP4, and the remuxer
//! that turns FLV tags into fragments a browser's MediaSource plays.
//!
//! Everything here is a pure function of its input: no sockets, files, clocks or threads, so the server and the
//! WASM player run the same code. Input is hostile until proven otherwise: every parser is bounded, and the lints
//! below keep panics out of the crate (arithmetic included).
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
#![warn(missing_docs)]

pub mod aac;
pub mod amf0;
pub mod avc;
mod bits;
mod bytes_in;
pub mod codec;
pub mod flv;
pub mod mp4;
pub mod remux;
pub mod time;

pub use time::Millis;
