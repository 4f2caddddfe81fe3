//! The state of a panel that is used: what `deeds.rs` and its views work on. Browser only.

use super::{desk::Desk, draft::Choice};
use crate::{
    piece::Spot,
    reactive::{Kept, Var},
};
use madang_protocol::chat::{Author, ChatRefusal, Quote, Seq};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};

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

/// The part's own state of a panel.
#[derive(Clone, Copy)]
pub struct Hand {
    pub desk: Desk,
    pub tools: Spot,
    pub name: Spot,
    pub target: Var<Option<Target>>,
    /// Whether the timeouts to choose from are open.
    pub timeouts: Var<bool>,
    pub reply: Var<Option<Quote>>,
    pub choices: Var<Choices>,
    /// Characters that are left, once they are few; negative when there are too many.
    pub left: Var<Option<i32>>,
    pub naming: Var<Option<Naming>>,
    /// Counts presses, so that a late timer knows that its one is over.
    pub press: Kept<u32>,
}

impl Hand {
    pub fn new(desk: Desk) -> Self {
        Self {
            desk,
            tools: Spot::new(),
            name: Spot::new(),
            target: Var::default(),
            timeouts: Var::default(),
            reply: Var::default(),
            choices: Var::default(),
            left: Var::default(),
            naming: Var::default(),
            press: Kept::new(0),
        }
    }

    /// The panel's, once it is awake.
    pub fn of(desk: Desk) -> Option<Self> {
        desk.hands.kept.try_get_value()??.downcast_ref().copied()
    }

    pub fn name_field(self) -> Option<HtmlInputElement> {
        self.name.get_untracked()?.dyn_into().ok()
    }

    pub fn log_element(self) -> Option<HtmlElement> {
        self.desk.log.get_untracked()?.dyn_into().ok()
    }
}
