//! The Madang server: sockets and wiring. What the product is lives in `madang_domain`, what it looks like in `madang_app`.
//!
//! [`Server::bind`] opens the sockets and [`Server::run`] serves until asked to stop, so that tests own the ports and the end.

pub mod addresses;
mod broadcasts;
pub mod cli;
pub mod config;
pub mod deliver;
pub mod error;
mod gate;
pub mod live;
mod memory;
mod open_files;
pub mod permits;
pub mod realtime;
mod recent;
pub mod rtmp;
mod serve;
pub mod shutdown;
pub mod state;
pub mod telemetry;
pub mod tls;
pub mod web;

pub use config::Config;
pub use error::StartError;
pub use serve::{Addresses, Server};
pub use shutdown::Shutdown;
