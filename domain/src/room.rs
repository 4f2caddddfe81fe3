//! Rooms as they are stored, how they are shown, and the news of their changes.

use crate::{on_air::OnAirStatus, person::Actor};
use madang_protocol::{PersonId, RoomCard, RoomDraft, RoomId, RoomPage, RoomSlug, SessionId, UnixMillis, Visibility};

/// A room, with its owner's name as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub id: RoomId,
    pub owner: PersonId,
    pub owner_name: String,
    pub slug: RoomSlug,
    pub title: String,
    pub description: String,
    pub category: String,
    pub tags: Vec<String>,
    pub language: String,
    pub visibility: Visibility,
    pub created: UnixMillis,
    /// When the last broadcast ended; its start while it runs; none if there never was one.
    pub last_live: Option<UnixMillis>,
}

impl Room {
    pub(crate) fn from_draft(id: RoomId, owner: PersonId, draft: RoomDraft, created: UnixMillis) -> Self {
        let RoomDraft { owner_name, slug, title, description, category, tags, language, visibility } = draft;
        Self {
            id,
            owner,
            owner_name,
            slug,
            title,
            description,
            category,
            tags,
            language,
            visibility,
            created,
            last_live: None,
        }
    }

    /// Takes everything a form can change; whose room it is, its age and its last broadcast stay.
    pub(crate) fn edited(&self, draft: RoomDraft) -> Self {
        let draft = RoomDraft { owner_name: self.owner_name.clone(), ..draft };
        Self { last_live: self.last_live, ..Self::from_draft(self.id, self.owner, draft, self.created) }
    }

    /// The room as the directory shows it, with what the media side says.
    pub fn card(&self, status: &OnAirStatus) -> RoomCard {
        RoomCard {
            slug: self.slug.clone(),
            title: self.title.clone(),
            owner: self.owner_name.clone(),
            category: self.category.clone(),
            tags: self.tags.clone(),
            language: self.language.clone(),
            live: status.live_state(self.last_live),
            watching: status.watching,
        }
    }

    /// The room as its own page shows it to `viewer`.
    pub fn page(&self, status: &OnAirStatus, viewer: Option<Actor>) -> RoomPage {
        RoomPage {
            card: self.card(status),
            description: self.description.clone(),
            visibility: self.visibility,
            mine: viewer.is_some_and(|actor| actor.manages(self)),
            play_token: String::new(),
        }
    }
}

/// News, told after the change is safe in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainChange {
    /// The room is new, or something about it has changed: ask for its card again.
    Room(RoomId),
    /// The room has another slug; [`DomainChange::Room`] follows.
    RoomMoved {
        id: RoomId,
        from: RoomSlug,
        to: RoomSlug,
    },
    RoomDeleted {
        id: RoomId,
        slug: RoomSlug,
    },
    /// These browsers are not logged in any more, or not as the same person.
    SessionsEnded(Vec<SessionId>),
    /// Who was a guest has an account: their cookie lets nobody in any more.
    GuestRegistered(PersonId),
    /// Somebody's messages are nameless now: what was read of the logs is old.
    LogsChanged,
    /// Another process (the command line) wrote: anything may be different.
    Anything,
}
