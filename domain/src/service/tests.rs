//! The domain as its callers see it, on a database on disk.

mod keys;
mod persons;
mod processes;
mod publish;
mod rooms;
