//! The pages. `route` says which is where, and a part of the program each is but a room's (`crate::part`).

pub mod access;
pub mod account;
mod asked;
pub mod chat;
pub mod directory;
pub mod embed;
pub mod log_in;
pub mod moderation;
pub mod new_room;
pub mod not_found;
pub mod register;
pub mod studio;
pub mod watch;

use crate::piece::{Piece, any};
use madang_view::part;

#[part]
pub fn directory_page() -> Piece {
    any(directory::DirectoryPage())
}

#[part]
pub fn new_room_page() -> Piece {
    any(new_room::NewRoomPage())
}

#[part]
pub fn studio_page() -> Piece {
    any(studio::StudioPage())
}

#[part]
pub fn embed_page() -> Piece {
    any(embed::EmbedPage())
}

#[part]
pub fn chat_page() -> Piece {
    any(chat::ChatPage())
}

#[part(keeping_order)]
pub fn access_page() -> Piece {
    any(access::AccessPage())
}

#[part(keeping_order)]
pub fn moderation_page() -> Piece {
    any(moderation::ModerationPage())
}

#[part(accounts)]
pub fn log_in_page() -> Piece {
    any(log_in::LogInPage())
}

#[part(accounts)]
pub fn register_page() -> Piece {
    any(register::RegisterPage())
}

#[part(accounts)]
pub fn account_page() -> Piece {
    any(account::AccountPage())
}
