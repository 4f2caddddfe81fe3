//! The domain as its callers see it, on a database on disk.

mod accounts;
mod admin;
mod entrance;
mod keys;
mod persons;
mod processes;
mod publish;
mod rooms;
mod sessions;
