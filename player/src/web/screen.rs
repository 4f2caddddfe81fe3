//! The screen of frames that are shown one by one, in place of a media source.

use super::{Inner, feed, frames};
use crate::engine::Input;
use std::rc::Rc;

impl Inner {
    /// Keeps the picture in view, and takes what showed it out of the element.
    pub(super) fn make_way(&self) {
        let screen = self.screen.take();
        if screen.is_some() || self.source.borrow().is_some() {
            self.picture.hold(&self.video, &self.window);
        }
    }

    pub(super) fn build_screen(self: &Rc<Self>, id: u32) {
        let Some(opening) = self.opening.get() else { return self.feed(Input::Broken { source: id }) };
        self.make_way();
        if let Some(source) = self.source.take() {
            source.end();
        }
        let weak = Rc::downgrade(self);
        let hear = move |said| {
            let input = match said {
                frames::Said::Playing => Input::Playing,
                frames::Said::Waiting => Input::Waiting,
                frames::Said::Came => Input::Tick,
                frames::Said::Broken => Input::Broken { source: id },
            };
            feed(&weak, input);
        };
        match opening(&self.video, Rc::new(hear)) {
            Ok(screen) => {
                self.screen.replace(Some((id, screen)));
                self.feed(Input::SourceOpen { source: id });
            }
            Err(_) => self.feed(Input::Broken { source: id }),
        }
    }

    pub(super) fn screen(&self) -> Option<(u32, Rc<dyn frames::Screen>)> {
        self.screen.borrow().clone()
    }

    pub(super) fn with_screen(&self, source: u32, act: impl FnOnce(&dyn frames::Screen)) {
        if let Some((_, screen)) = self.screen().filter(|(id, _)| *id == source) {
            act(&*screen);
        }
    }
}
