//! The chat panel's state as signals. What people do with it is `hands.rs`, in the browser only; on the server a desk stands still.

use super::talk::Talk;
use crate::{
    i18n::{Messages, use_messages},
    piece::{Piece, Spot},
    reactive::{Shared, Var},
    realtime::{Realtime, use_realtime},
};
use leptos::web_sys;
use madang_protocol::RoomSlug;

/// What a handler was called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The place to write has the focus.
    Near,
    Click,
    /// The pointer is over something in the log.
    Over,
    Focus,
    Leave,
    Press,
    Release,
    Scroll,
    LogKey,
    Input,
    Key,
    NameKey,
    Submit,
}

/// Where the part of the program that is fetched later (`deeds.rs`) shows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    OverLog,
    Replying,
    Choices,
    Left,
    Naming,
}

/// One panel's state.
#[derive(Clone, Copy)]
pub struct Desk {
    pub words: Messages,
    pub realtime: Realtime,
    pub talk: Var<Talk>,
    /// What scrolls, and in it what holds the rows.
    pub log: Spot,
    pub rows: Spot,
    pub field: Spot,
    /// Whether the part is there.
    pub ready: Var<bool>,
    /// Whether more is written than can be said.
    pub over: Var<bool>,
    /// Whether a name is being changed.
    pub renames: Var<bool>,
    #[cfg(feature = "hydrate")]
    pub(super) hands: super::hands::Hands,
}

impl Desk {
    /// A desk for the room, joined for as long as the current owner lives.
    pub fn new(slug: &RoomSlug) -> Self {
        let realtime = use_realtime();
        let talk = realtime.talk(slug).unwrap_or_else(|| Shared::new(Talk::new(slug.clone(), Default::default())));
        let desk = Self {
            words: use_messages(),
            realtime,
            talk: talk.into(),
            log: Spot::new(),
            rows: Spot::new(),
            field: Spot::new(),
            ready: Var::default(),
            over: Var::default(),
            renames: Var::default(),
            #[cfg(feature = "hydrate")]
            hands: super::hands::Hands::default(),
        };
        #[cfg(feature = "hydrate")]
        super::hands::run(desk);
        desk
    }

    /// Something was done in the panel.
    pub fn hear(self, what: Heard, event: &web_sys::Event) {
        #[cfg(feature = "hydrate")]
        super::hands::hear(self, what, event);
        #[cfg(not(feature = "hydrate"))]
        let _ = (what, event);
    }

    /// What the part shows there, once it is there.
    pub fn slot(self, slot: Slot) -> Piece {
        #[cfg(feature = "hydrate")]
        return Piece::Live(Box::new(move || {
            let deeds = if self.ready.get() { super::deeds::chat_deeds() } else { None };
            deeds.map_or(Piece::Nothing, |deeds| leptos::prelude::untrack(|| deeds.view(self, slot)))
        }));
        #[cfg(not(feature = "hydrate"))]
        {
            let _ = slot;
            Piece::Nothing
        }
    }

    /// A text that follows the chat.
    pub fn text(
        self,
        read: impl Fn(&Talk) -> String + Copy + Send + 'static,
    ) -> impl Fn() -> String + Copy + Send + 'static {
        move || self.talk.with(read)
    }

    /// A condition that follows the chat.
    pub fn is(self, read: impl Fn(&Talk) -> bool + Copy + Send + 'static) -> impl Fn() -> bool + Copy + Send + 'static {
        move || self.talk.with(read)
    }
}
