//! The one declaration of what this server answers and who may use it: paths, messages of `/ws`, commands of RTMP. The router is built
//! from it; the table in docs/SECURITY.md and the test that tries everything as everybody come from it too. What is not here cannot be
//! reached.

use madang_protocol::realtime::ClientMessage;
use std::fmt::Write as _;

/// Who may use an entry. The domain decides it; this says what it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Anyone,
    /// Whoever the browser's cookie tells from others: guests and accounts.
    Known,
    /// Whoever has logged in.
    Account,
    /// Whoever may make rooms: accounts, unless `[accounts] make_rooms` says otherwise.
    RoomMaker,
    /// The room's moderators, its owner, and the site's administrators.
    Moderator,
    /// The person who owns the room.
    Owner,
    /// Where a room asks for more than its address: whoever was let in by its password or a link, and who moderates it.
    LetIn,
    /// The site's administrators.
    Administrator,
    /// Whoever has a stream key of the room, which is no matter of who they are.
    KeyHolder,
    /// Loopback addresses, or whoever has the metrics token.
    Operator,
    /// Nobody: it is answered, and refused.
    Nobody,
}

/// Everybody there is, seen from a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// A browser without a cookie.
    NoOne,
    Guest,
    /// An account that has nothing to do with the room.
    OtherAccount,
    Moderator,
    Owner,
    /// Of the site.
    Administrator,
}

impl Person {
    pub const ALL: [Self; 6] =
        [Self::NoOne, Self::Guest, Self::OtherAccount, Self::Moderator, Self::Owner, Self::Administrator];
}

impl Who {
    /// Whether that lets somebody in, as the configuration is by default and where moderator, owner and administrator have accounts.
    pub const fn allows(self, person: Person) -> bool {
        match self {
            Self::Anyone => true,
            Self::Known => !matches!(person, Person::NoOne),
            Self::Account | Self::RoomMaker => !matches!(person, Person::NoOne | Person::Guest),
            // Those who were not let in; whoever was is let in whoever they are.
            Self::Moderator | Self::LetIn => {
                matches!(person, Person::Moderator | Person::Owner | Person::Administrator)
            }
            Self::Owner => matches!(person, Person::Owner),
            Self::Administrator => matches!(person, Person::Administrator),
            Self::KeyHolder | Self::Operator | Self::Nobody => false,
        }
    }

    /// In words, for the table.
    const fn words(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Known => "who has a cookie",
            Self::Account => "who is logged in",
            Self::RoomMaker => "`make_rooms`: accounts, anyone or administrators",
            Self::Moderator => "who moderates the room",
            Self::Owner => "the room's owner",
            Self::LetIn => "who was let in, and who moderates the room",
            Self::Administrator => "the site's administrators",
            Self::KeyHolder => "who has a stream key",
            Self::Operator => "this machine, or the token",
            Self::Nobody => "nobody",
        }
    }
}

/// What stands behind a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// A page of the application; forms on it are posted to the same path.
    Page {
        posts: bool,
    },
    /// A page of a room, with the gate before it where the room asks for more than its address; the gate's form is posted to the room's own.
    Room {
        posts: bool,
    },
    /// A page that the server makes whole and no script looks at; forms on it are posted to the same path.
    Plain,
    /// A server function: GET for one that reads, POST for one that changes something. Which, it says itself.
    ServerFn,
    LogOut,
    /// The administrators' actions as a file.
    AdminLog,
    /// The moderators' actions as a file.
    ModerationLog,
    Health,
    Ready,
    Metrics,
    RoomsApi,
    RoomApi,
    Realtime,
    /// What `deliver` serves; it asks for each room whether it may be played.
    Media,
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

/// Everything but the site's files.
pub const SURFACE: &[Entry] = &[
    entry("/", Behind::Page { posts: false }, Who::Anyone),
    entry("/rooms/new", Behind::Page { posts: true }, Who::RoomMaker),
    entry("/rooms/{slug}", Behind::Room { posts: true }, Who::Anyone),
    entry("/rooms/{slug}/chat", Behind::Room { posts: false }, Who::Anyone),
    entry("/embed/{slug}", Behind::Room { posts: false }, Who::Anyone),
    entry("/rooms/{slug}/studio", Behind::Page { posts: true }, Who::Owner),
    entry("/rooms/{slug}/access", Behind::Page { posts: true }, Who::Owner),
    entry("/rooms/{slug}/moderation", Behind::Page { posts: true }, Who::Moderator),
    entry("/rooms/{slug}/moderation/log.csv", Behind::ModerationLog, Who::Moderator),
    entry("/login", Behind::Page { posts: true }, Who::Anyone),
    entry("/register", Behind::Page { posts: true }, Who::Anyone),
    entry("/account", Behind::Page { posts: true }, Who::Account),
    entry("/reset", Behind::Plain, Who::Anyone),
    entry("/logout", Behind::LogOut, Who::Anyone),
    entry("/admin", Behind::Plain, Who::Administrator),
    entry("/admin/people", Behind::Plain, Who::Administrator),
    entry("/admin/people/{person}", Behind::Plain, Who::Administrator),
    entry("/admin/rooms", Behind::Plain, Who::Administrator),
    entry("/admin/registration", Behind::Plain, Who::Administrator),
    entry("/admin/bans", Behind::Plain, Who::Administrator),
    entry("/admin/limits", Behind::Plain, Who::Administrator),
    entry("/admin/log", Behind::Plain, Who::Administrator),
    entry("/admin/log.csv", Behind::AdminLog, Who::Administrator),
    entry("/fn/list_rooms", Behind::ServerFn, Who::Anyone),
    entry("/fn/room_page", Behind::ServerFn, Who::Anyone),
    entry("/fn/slug_free", Behind::ServerFn, Who::Anyone),
    entry("/fn/room_maker", Behind::ServerFn, Who::Anyone),
    entry("/fn/set_language", Behind::ServerFn, Who::Anyone),
    entry("/fn/create_room", Behind::ServerFn, Who::RoomMaker),
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
    entry("/live/{slug}.flv", Behind::Media, Who::Anyone),
    entry("/live/{slug}.mp4", Behind::Media, Who::Anyone),
];

/// What shows something of a room, where the room asks for a password or a link. Whatever else of [`SURFACE`] and [`MESSAGES`] is about
/// one room asks for more than being let in, or comes after `join`. No list has such a room in it.
pub const GATED: &[(&str, Who)] = &[
    ("`/rooms/{slug}`", Who::LetIn),
    ("`/rooms/{slug}/chat`", Who::LetIn),
    ("`/embed/{slug}`", Who::LetIn),
    ("`/fn/room_page`", Who::LetIn),
    ("`/api/v1/rooms/{slug}`", Who::Nobody),
    ("`/live/{slug}.flv`", Who::LetIn),
    ("`/live/{slug}.mp4`", Who::LetIn),
    ("RTMP: `play`", Who::Nobody),
    ("`/ws`: `join`", Who::LetIn),
];

/// The messages of `/ws` that browsers send, by their `type`.
pub const MESSAGES: &[(&str, Who)] = &[
    ("join_directory", Who::Anyone),
    ("leave_directory", Who::Anyone),
    ("join", Who::Anyone),
    ("leave", Who::Anyone),
    ("say", Who::Known),
    ("history", Who::Anyone),
    ("rename", Who::Known),
    ("moderate", Who::Moderator),
    ("card", Who::Moderator),
    ("quality", Who::Anyone),
    ("unplayable", Who::Anyone),
    ("ping", Who::Anyone),
];

/// What encoders and players ask for over RTMP.
pub const ENCODERS: &[(&str, Who)] = &[("publish", Who::KeyHolder), ("play", Who::Anyone)];

/// A message's `type`: one that is new here is new in [`MESSAGES`].
pub const fn asks(message: &ClientMessage) -> &'static str {
    match message {
        ClientMessage::JoinDirectory => "join_directory",
        ClientMessage::LeaveDirectory => "leave_directory",
        ClientMessage::Join { .. } => "join",
        ClientMessage::Leave { .. } => "leave",
        ClientMessage::Say { .. } => "say",
        ClientMessage::History { .. } => "history",
        ClientMessage::Rename { .. } => "rename",
        ClientMessage::Moderate { .. } => "moderate",
        ClientMessage::Card { .. } => "card",
        ClientMessage::Quality { .. } => "quality",
        ClientMessage::Unplayable { .. } => "unplayable",
        ClientMessage::Ping => "ping",
    }
}

/// The declaration as the table of docs/SECURITY.md.
pub fn table() -> String {
    let mut text = String::from(
        "| what | who may | no one | guest | other account | moderator | owner | administrator |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut row = |what: &str, who: Who| {
        let _ = write!(text, "| {what} | {} |", who.words());
        for person in Person::ALL {
            text.push_str(if who.allows(person) { " yes |" } else { " – |" });
        }
        text.push('\n');
    };
    for Entry { path, behind, who } in SURFACE {
        let what = match behind {
            Behind::Plain | Behind::Page { posts: true } | Behind::Room { posts: true } => {
                format!("`{path}` and its forms")
            }
            Behind::LogOut => format!("`POST {path}`"),
            _ => format!("`{path}`"),
        };
        row(&what, *who);
    }
    for (message, who) in MESSAGES {
        row(&format!("`/ws`: `{message}`"), *who);
    }
    for (command, who) in ENCODERS {
        row(&format!("RTMP: `{command}`"), *who);
    }
    for (what, who) in GATED {
        row(&format!("of a room by password or invitation: {what}"), *who);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_table_is_the_declaration() {
        let document = include_str!("../../docs/SECURITY.md");
        let (begin, end) = ("<!-- who may do what: from src/web/surface.rs -->\n", "<!-- end -->");
        let written = document.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).map(|(table, _)| table);
        assert_eq!(written, Some(table().as_str()), "docs/SECURITY.md: put this table between its two comments");
    }
}
