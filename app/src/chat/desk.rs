//! The chat panel's state as signals. What people do with it is `hands.rs`, in the browser only; on the server a desk stands still.

use super::{draft::Choice, talk::Talk};
use crate::{
    i18n::{Messages, use_messages},
    realtime::{Realtime, use_realtime},
};
use leptos::{html, prelude::*, web_sys};
use madang_protocol::{
    RoomSlug,
    chat::{Author, ChatRefusal, Quote, Seq},
};

/// The message that the tools are open for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub key: u32,
    pub seq: Seq,
    pub author: Author,
    pub text: String,
}

/// What could be meant by the word before the caret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Where that word begins, in bytes.
    pub at: usize,
    pub list: Vec<Choice>,
    pub selected: usize,
}

/// A name being changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// The id of what was sent.
    pub id: String,
    pub refused: Option<ChatRefusal>,
}

/// What a handler was called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
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

/// One panel's state.
#[derive(Clone, Copy)]
pub struct Desk {
    pub words: Messages,
    pub realtime: Realtime,
    pub talk: RwSignal<Talk>,
    pub panel: NodeRef<html::Section>,
    /// What scrolls, and in it what holds the rows.
    pub log: NodeRef<html::Div>,
    pub rows: NodeRef<html::Div>,
    pub tools: NodeRef<html::Div>,
    pub field: NodeRef<html::Textarea>,
    pub name: NodeRef<html::Input>,
    pub target: RwSignal<Option<Target>>,
    /// Whether the timeouts to choose from are open.
    pub timeouts: RwSignal<bool>,
    pub reply: RwSignal<Option<Quote>>,
    pub choices: RwSignal<Choices>,
    /// Characters that are left, once they are few; negative when there are too many.
    pub left: RwSignal<Option<i32>>,
    pub naming: RwSignal<Option<Naming>>,
    #[cfg(feature = "hydrate")]
    pub(super) hands: super::hands::Hands,
}

impl Desk {
    /// A desk for the room, joined for as long as the current owner lives.
    pub fn new(slug: &RoomSlug) -> Self {
        let realtime = use_realtime();
        let talk = realtime.talk(slug).unwrap_or_else(|| ArcRwSignal::new(Talk::new(slug.clone(), Default::default())));
        let desk = Self {
            words: use_messages(),
            realtime,
            talk: talk.into(),
            panel: NodeRef::new(),
            log: NodeRef::new(),
            rows: NodeRef::new(),
            tools: NodeRef::new(),
            field: NodeRef::new(),
            name: NodeRef::new(),
            target: RwSignal::default(),
            timeouts: RwSignal::default(),
            reply: RwSignal::default(),
            choices: RwSignal::default(),
            left: RwSignal::default(),
            naming: RwSignal::default(),
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

    /// A text that follows the chat. One type for all of them.
    pub fn text(self, read: impl Fn(&Talk) -> String + Send + Sync + 'static) -> Signal<String> {
        let talk = self.talk;
        Signal::derive(move || talk.with(&read))
    }

    /// A condition that follows the chat.
    pub fn is(self, read: impl Fn(&Talk) -> bool + Send + Sync + 'static) -> Signal<bool> {
        let talk = self.talk;
        Signal::derive(move || talk.with(&read))
    }
}
