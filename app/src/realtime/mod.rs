//! The `Realtime` context: one WebSocket a tab, and what it told, as signals.
//!
//! Pages ask for a topic (the directory, a room); asking counts as joining for as long as the asker's reactive owner lives, and the
//! last one to go leaves. On the server, and until the page is hydrated, nothing is connected and every topic is empty.
//! `realtime/socket.rs` keeps the connection; `realtime/topics.rs` is what was joined and what came, without a browser in it.

#[cfg(feature = "hydrate")]
mod socket;
mod topics;

use crate::{
    chat::talk::Talk,
    clock::Clock,
    context::{around, put_around},
    reactive::{Memo, Shared, Var, memo},
};
use leptos::prelude::*;
use madang_protocol::{RoomCard, RoomSlug, UnixMillis, realtime::ClientMessage, studio::StudioStatus, wire::Later};
use topics::Topics;

/// How long a lost connection may come back before a page says so.
const GRACE_MS: i64 = 2_000;

/// Whether the channel stands. Times are the browser's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// Not yet connected for the first time. Also on the server.
    #[default]
    Connecting,
    Open,
    /// Down since `since`, being tried again; the last message came at `heard`.
    Lost {
        since: UnixMillis,
        heard: UnixMillis,
    },
}

/// The channel in context.
#[derive(Clone, Copy)]
pub struct Realtime {
    connection: Var<Connection>,
    topics: Var<Topics>,
    /// Whether the server is another build than the one this page was made by.
    outdated: Var<bool>,
    #[cfg(feature = "hydrate")]
    build: Var<String>,
    #[cfg(feature = "hydrate")]
    socket: socket::Handle,
}

impl Realtime {
    /// Makes the channel and puts it into context; it connects once the page is hydrated. Called once, by the app.
    pub fn provide() -> Self {
        let realtime = Self::new();
        #[cfg(feature = "hydrate")]
        crate::reactive::effect(move || socket::start(realtime));
        put_around(|around| around.realtime = Some(realtime));
        realtime
    }

    fn new() -> Self {
        Self {
            connection: Var::default(),
            topics: Var::default(),
            outdated: Var::default(),
            #[cfg(feature = "hydrate")]
            build: Var::default(),
            #[cfg(feature = "hydrate")]
            socket: socket::Handle::new(),
        }
    }

    /// Whether the channel stands.
    pub fn connection(self) -> Var<Connection> {
        self.connection
    }

    /// When the last message came, once the channel has been down long enough to tell people; `None` while all is well.
    /// What a page shows is then as old as that.
    pub fn stale_since(self, clock: Clock) -> Memo<Option<UnixMillis>> {
        memo(move || match self.connection.get() {
            Connection::Lost { since, heard } if clock.since(since) >= GRACE_MS => Some(heard),
            _ => None,
        })
    }

    /// The directory as the server keeps it, every room of it; `None` until the channel has told it.
    /// Joined for as long as the current owner lives.
    pub fn directory(self) -> Var<Option<Vec<RoomCard>>> {
        let rooms = self.topics.with_untracked(Topics::directory_rooms);
        self.join(Topic::Directory);
        rooms.into()
    }

    /// A room's card; `None` until the channel has told it. Joined for as long as the current owner lives: call it anew, in an
    /// effect or a memo, when the slug changes.
    pub fn room(self, slug: &RoomSlug) -> Var<Option<RoomCard>> {
        self.join(Topic::Room(slug.clone()));
        self.topics.try_update_untracked(|topics| topics.room(slug).card.clone()).unwrap_or_default().into()
    }

    /// Whether the channel said that the room is not there (any more). Joins as [`Self::room`] does.
    pub fn room_gone(self, slug: &RoomSlug) -> Var<bool> {
        self.join(Topic::Room(slug.clone()));
        self.topics.try_update_untracked(|topics| topics.room(slug).gone.clone()).unwrap_or_default().into()
    }

    /// A room's studio status, which only its owner is sent; `None` until then. Joins as [`Self::room`] does.
    pub fn studio(self, slug: &RoomSlug) -> Var<Option<Later<StudioStatus>>> {
        self.join(Topic::Room(slug.clone()));
        self.topics.try_update_untracked(|topics| topics.room(slug).studio.clone()).unwrap_or_default().into()
    }

    /// A room's chat. Joins as [`Self::room`] does.
    pub fn talk(self, slug: &RoomSlug) -> Option<Shared<Talk>> {
        self.join(Topic::Room(slug.clone()));
        self.topics.try_update_untracked(|topics| topics.room(slug).talk.clone())
    }

    /// Changes a room's chat, and sends what comes of it.
    #[cfg(feature = "hydrate")]
    pub(crate) fn change(self, talk: Var<Talk>, act: &mut dyn FnMut(&mut Talk, UnixMillis) -> Vec<ClientMessage>) {
        let now = crate::clock::browser_now();
        for message in talk.try_update(|talk| act(talk, now)).unwrap_or_default() {
            self.say(&message);
        }
    }

    /// Whether the server was updated since this page was loaded: it works on, and is better loaded anew.
    pub fn outdated(self) -> Var<bool> {
        self.outdated
    }

    /// Connects anew. The server reads who somebody is as the channel opens: called when that has just changed.
    pub fn reconnect(self) {
        #[cfg(feature = "hydrate")]
        self.socket.close();
    }

    /// Counts the current owner in, and out again when it is cleaned up.
    fn join(self, topic: Topic) {
        if cfg!(feature = "ssr") {
            return;
        }
        if let Some(message) = self.topics.try_update_untracked(|topics| topics.enter(&topic)).flatten() {
            self.say(&message);
        }
        let guard = Guard { realtime: self, topic };
        on_cleanup(move || drop(guard));
    }

    /// Sends when the channel stands. When it does not nothing is lost: what is joined is told again once it does.
    pub(crate) fn say(self, message: &ClientMessage) {
        #[cfg(feature = "hydrate")]
        self.socket.say(message);
        #[cfg(not(feature = "hydrate"))]
        let _ = message;
    }
}

/// What can be joined.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Topic {
    Directory,
    Room(RoomSlug),
}

/// One asker's share of a topic.
struct Guard {
    realtime: Realtime,
    topic: Topic,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let left = self.realtime.topics.try_update_untracked(|topics| topics.exit(&self.topic)).flatten();
        if let Some(message) = left {
            self.realtime.say(&message);
        }
    }
}

/// The channel. One that never connects where no app has provided any.
pub fn use_realtime() -> Realtime {
    around().realtime.unwrap_or_else(Realtime::new)
}
