//! The routes' pages. `App` says which is where.

pub mod chat;
pub mod directory;
pub mod moderation;
pub mod new_room;
pub mod not_found;
pub mod studio;
pub mod watch;
