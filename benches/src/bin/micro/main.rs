//! What single steps of a frame's way cost, as tables for docs/PERFORMANCE.md: chunks to messages, messages to tags, tags to fragments.
//!
//! usage: bench-micro RUNS FILE.flv
//!
//! Both sides of a comparison are run in turn on the same bytes, in pieces as a socket gives them. What the kernel does in a server, which
//! is to put bytes into a buffer, is not counted.

// The parts of the server that are compiled here have their tests where they belong.
#![cfg(not(test))]

#[path = "../../../../src/addresses.rs"]
#[allow(dead_code, reason = "the reader and the session are compiled with what they stand beside in the server")]
mod addresses;
#[path = "../../../../src/recent.rs"]
#[allow(dead_code, reason = "as above")]
mod recent;
#[path = "../../../../src/rtmp"]
#[allow(dead_code, reason = "as above")]
mod rtmp {
    pub mod chunk;
    mod codecs;
    mod command;
    mod data;
    mod error;
    mod gate;
    pub mod limits;
    pub mod message;
    mod outbound;
    pub mod session;
    mod words;
}
#[path = "../../../../tests/support/rtmp_client.rs"]
#[allow(dead_code, reason = "only what writes chunks is used")]
mod rtmp_client;

/// What the session names of the live side.
#[allow(dead_code, reason = "nobody cuts anybody here")]
mod live {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("cut")]
    pub enum Cut {
        TakenOver,
        ByOwner,
        KeyRevoked,
        ByAdministrator,
        Shutdown,
    }
    pub struct Publisher;
    pub struct Delivery;
}

mod ingest;
mod play;

use anyhow::Context as _;
use std::time::Duration;

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let usage = "usage: bench-micro RUNS FILE.flv";
    let runs: usize = words.next().and_then(|word| word.parse().ok()).context(usage)?;
    let file = std::fs::read(words.next().context(usage)?).context("the file cannot be read")?;
    ingest::table(runs.max(1))?;
    play::table(runs.max(1), &file)
}

/// The middle of them; and in words, from the least to the greatest.
fn spread(mut times: Vec<f64>, digits: usize) -> (f64, String) {
    times.sort_by(f64::total_cmp);
    let at = |index: usize| times.get(index).copied().unwrap_or(f64::NAN);
    let (least, middle, most) = (at(0), at(times.len() / 2), at(times.len().saturating_sub(1)));
    (middle, format!("{middle:.digits$} ({least:.digits$} to {most:.digits$})"))
}

/// Microseconds for each of `count`.
fn micros_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}
