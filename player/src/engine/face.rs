//! What the page is told: each state once, and bad news only when the picture has really stopped.
//!
//! A connection that drops and is back before the buffer runs dry is nobody's business.

use super::Output;
use crate::PlayerEvent;
use std::collections::VecDeque;

/// The state on show, and those to show when the buffer is empty.
#[derive(Debug, Default)]
pub(super) struct Face {
    shown: Option<PlayerEvent>,
    later: Vec<PlayerEvent>,
}

impl Face {
    /// Shows a state, if it is another, and forgets what was to come.
    pub fn show(&mut self, event: PlayerEvent, out: &mut VecDeque<Output>) {
        self.later.clear();
        self.put(event, out);
    }

    /// Shows a state when the picture stops ([`Face::release`]).
    pub fn show_when_dry(&mut self, event: PlayerEvent) {
        // A newer wait replaces the older one; an end is told before what came of it.
        self.later.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(&event));
        self.later.push(event);
    }

    /// The picture has stopped.
    pub fn release(&mut self, out: &mut VecDeque<Output>) {
        for event in std::mem::take(&mut self.later) {
            self.put(event, out);
        }
    }

    /// The connection is back: nothing was lost that anybody saw.
    pub fn forget(&mut self) {
        self.later.clear();
    }

    /// A request has left. Only said where it is news: not on each retry of a room that is off the air or out of reach.
    pub fn connecting(&mut self, out: &mut VecDeque<Output>) {
        let news = match self.shown {
            None | Some(PlayerEvent::NotFound | PlayerEvent::Failed(_)) => true,
            Some(_) => false,
        };
        if news {
            self.put(PlayerEvent::Connecting, out);
        }
    }

    /// The buffer has run dry while data flows.
    pub fn buffering(&mut self, out: &mut VecDeque<Output>) {
        if self.playing() {
            self.put(PlayerEvent::Buffering, out);
        }
    }

    /// Whether the page believes that the picture moves.
    pub fn playing(&self) -> bool {
        self.shown == Some(PlayerEvent::Playing)
    }

    fn put(&mut self, event: PlayerEvent, out: &mut VecDeque<Output>) {
        if self.shown.as_ref() != Some(&event) {
            self.shown = Some(event.clone());
            out.push_back(Output::Event(event));
        }
    }
}
