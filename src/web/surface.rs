//! The one declaration of what the web side answers and who may use it. The router is built from it, and so is its test:
//! what is not here cannot be reached.

/// Who may use an entry. Ownership is checked by the domain; this says what it checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Anyone,
    /// The person who owns the room.
    Owner,
    /// Those whom the room's owner made moderators, and the owner.
    Moderator,
    /// Loopback addresses, or whoever has the metrics token.
    Operator,
}

/// What stands behind a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// A page of the application; forms on it are posted to the same path.
    Page {
        posts: bool,
    },
    /// A server function: GET for one that reads, POST for one that changes something. Which, it says itself.
    ServerFn,
    /// The moderators' actions as a file.
    ModerationLog,
    Health,
    Ready,
    Metrics,
    RoomsApi,
    RoomApi,
    Realtime,
}

/// One path and its rule. Paths are in axum's form.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub path: &'static str,
    pub behind: Behind,
    pub who: Who,
}

const fn entry(path: &'static str, behind: Behind, who: Who) -> Entry {
    Entry { path, behind, who }
}

/// Everything but the media routes (`/live/…`, open to all, in `deliver`) and the site's files.
pub const SURFACE: &[Entry] = &[
    entry("/", Behind::Page { posts: false }, Who::Anyone),
    entry("/rooms/new", Behind::Page { posts: true }, Who::Anyone),
    entry("/rooms/{slug}", Behind::Page { posts: false }, Who::Anyone),
    entry("/rooms/{slug}/chat", Behind::Page { posts: false }, Who::Anyone),
    entry("/rooms/{slug}/studio", Behind::Page { posts: true }, Who::Owner),
    entry("/rooms/{slug}/moderation", Behind::Page { posts: true }, Who::Moderator),
    entry("/rooms/{slug}/moderation/log.csv", Behind::ModerationLog, Who::Moderator),
    entry("/fn/list_rooms", Behind::ServerFn, Who::Anyone),
    entry("/fn/room_page", Behind::ServerFn, Who::Anyone),
    entry("/fn/slug_free", Behind::ServerFn, Who::Anyone),
    entry("/fn/own_name", Behind::ServerFn, Who::Anyone),
    entry("/fn/set_language", Behind::ServerFn, Who::Anyone),
    entry("/fn/create_room", Behind::ServerFn, Who::Anyone),
    entry("/fn/studio_view", Behind::ServerFn, Who::Owner),
    entry("/fn/edit_room", Behind::ServerFn, Who::Owner),
    entry("/fn/delete_room", Behind::ServerFn, Who::Owner),
    entry("/fn/create_key", Behind::ServerFn, Who::Owner),
    entry("/fn/rotate_key", Behind::ServerFn, Who::Owner),
    entry("/fn/revoke_key", Behind::ServerFn, Who::Owner),
    entry("/fn/end_stream", Behind::ServerFn, Who::Owner),
    entry("/fn/moderation_view", Behind::ServerFn, Who::Moderator),
    entry("/fn/moderate", Behind::ServerFn, Who::Moderator),
    entry("/fn/test_filter", Behind::ServerFn, Who::Moderator),
    entry("/ws", Behind::Realtime, Who::Anyone),
    entry("/api/v1/rooms", Behind::RoomsApi, Who::Anyone),
    entry("/api/v1/rooms/{slug}", Behind::RoomApi, Who::Anyone),
    entry("/healthz", Behind::Health, Who::Anyone),
    entry("/readyz", Behind::Ready, Who::Anyone),
    entry("/metrics", Behind::Metrics, Who::Operator),
];
