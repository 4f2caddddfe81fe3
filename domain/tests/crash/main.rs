//! Processes that are killed. Each test starts this program again as the process that dies.

mod chat;
mod rooms;

use madang_domain::protocol::{RoomDraft, RoomSlug, Visibility};

fn draft(slug: &str) -> RoomDraft {
    RoomDraft {
        owner_name: "Ana".into(),
        slug: RoomSlug::parse(slug).expect("a slug"),
        title: "A room".into(),
        description: String::new(),
        category: "talk".into(),
        tags: Vec::new(),
        language: "en".into(),
        visibility: Visibility::Public,
    }
}
