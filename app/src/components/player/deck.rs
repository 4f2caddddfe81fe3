//! The player's state as signals, and the commands that buttons and keys give. The browser's side of both is `browser.rs`; on the
//! server a deck stands still.

use super::scene::{Delay, Feed, Scene};
use crate::{
    piece::Piece,
    reactive::{Memo, Var, memo},
};
use leptos::{ev::MouseEvent, html, prelude::*};
use madang_protocol::{LiveState, RoomSlug};

/// What a viewer may ask of the player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    TogglePlay,
    ToggleMute,
    /// Sound on, and play if it does not: the answer to the browser's refusal of autoplay.
    Unmute,
    /// In per cent.
    SetVolume(u8),
    VolumeUp,
    VolumeDown,
    GoLive,
    /// Elsewhere in what is buffered, in ms from where the picture is.
    Rewind(i32),
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser's player makes them"))]
    SetDelay(Delay),
    ToggleFullscreen,
    /// Picture and chat fill the window, or no longer.
    ToggleTheatre,
    /// What others write waits until the picture is as far, or no longer.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser's player makes them"))]
    ToggleInStep,
    TogglePictureInPicture,
    ToggleStats,
    ToggleSettings,
    ToggleShortcuts,
    ClosePanel,
    /// Start anew after a failure.
    Again,
    /// Somebody is there: show the controls for a while.
    Wake,
    /// The video or the screen has changed: read their state.
    Look,
}

/// What lies open on the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser's player makes them"))]
pub enum Panel {
    Settings,
    Shortcuts,
}

/// What the browser refused until somebody taps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser's player makes them"))]
pub enum Ask {
    Unmute,
    Play,
}

/// How a player is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The watch page: sound, shortcuts, preferences kept.
    Watch,
    /// The studio: muted, few controls, nothing kept.
    Preview,
}

/// The numbers of the statistics overlay, ready to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures(pub Vec<(Figure, String)>);

/// A row of the statistics overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser's player makes them"))]
pub enum Figure {
    Size,
    Frames,
    Codecs,
    Bitrate,
    Buffer,
    Behind,
    Drift,
    Rate,
    Skips,
    Stalls,
    Reconnects,
    Transport,
}

/// What comes after the first picture: starts what runs, gives what is seen.
pub type Extra = fn(Deck) -> Piece;

/// Whose stream it is.
#[derive(Clone)]
pub struct Subject {
    pub slug: RoomSlug,
    pub title: Memo<String>,
    /// The owner's name.
    pub owner: Memo<String>,
    /// What is known of the room; `None` once it is deleted.
    pub room: Memo<Option<LiveState>>,
}

/// One player's state.
#[derive(Clone, Copy)]
pub struct Deck {
    pub usage: Use,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the browser's side reads it"))]
    pub slug: StoredValue<RoomSlug>,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the browser's side reads it"))]
    pub title: Memo<String>,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the browser's side reads it"))]
    pub owner: Memo<String>,
    pub stage: NodeRef<html::Div>,
    pub video: NodeRef<html::Video>,
    /// What is known of the room; `None` once it is deleted.
    pub room: Memo<Option<LiveState>>,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the browser's side reads it"))]
    pub feed: Var<Feed>,
    /// What is on the stage.
    pub scene: Memo<Scene>,
    /// Whether this visit has shown a moving picture.
    pub seen: Var<bool>,
    pub paused: Var<bool>,
    pub muted: Var<bool>,
    /// In per cent.
    pub volume: Var<u8>,
    pub delay: Var<Delay>,
    pub behind_ms: Var<Option<u32>>,
    pub ask: Var<Option<Ask>>,
    pub sound_only: Var<bool>,
    pub panel: Var<Option<Panel>>,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the browser's side reads it"))]
    pub stats_open: Var<bool>,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the browser's side reads it"))]
    pub figures: Var<Figures>,
    pub fullscreen: Var<bool>,
    pub theatre: Var<bool>,
    /// The chat waits for the picture.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the browser's side reads it"))]
    pub in_step: Var<bool>,
    pub can_fullscreen: Var<bool>,
    pub can_pip: Var<bool>,
    /// Nobody has moved for a while.
    pub idle: Var<bool>,
    /// Once it has been downloaded.
    pub extra: Var<Option<Extra>>,
    #[cfg(feature = "hydrate")]
    pub(super) machine: super::browser::Machine,
}

impl Deck {
    /// A deck at rest. Signals belong to the current owner.
    pub fn new(usage: Use, of: Subject) -> Self {
        let room = of.room;
        let (feed, seen) = (Var::<Feed>::default(), Var::<bool>::default());
        Self {
            usage,
            slug: StoredValue::new(of.slug),
            title: of.title,
            owner: of.owner,
            stage: NodeRef::new(),
            video: NodeRef::new(),
            room,
            feed,
            scene: memo(move || feed.with(|feed| Scene::of(room.get(), feed, seen.get()))),
            seen,
            paused: Var::new(true),
            muted: Var::new(usage == Use::Preview),
            volume: Var::new(100),
            delay: Var::default(),
            behind_ms: Var::default(),
            ask: Var::default(),
            sound_only: Var::default(),
            panel: Var::default(),
            stats_open: Var::default(),
            figures: Var::default(),
            fullscreen: Var::default(),
            theatre: Var::default(),
            in_step: Var::default(),
            can_fullscreen: Var::new(true),
            can_pip: Var::default(),
            idle: Var::default(),
            extra: Var::default(),
            #[cfg(feature = "hydrate")]
            machine: super::browser::Machine::default(),
        }
    }

    /// Whether what plays is as late as it should be.
    pub fn at_edge(self) -> bool {
        !self.paused.get() && self.delay.get().at_edge(self.behind_ms.get())
    }

    /// Whether nobody looks for the controls: the picture plays and nobody has moved for a while.
    pub fn rests(self) -> bool {
        self.idle.get() && self.scene.get() == Scene::Playing && !self.paused.get() && self.panel.with(Option::is_none)
    }

    /// A click's handler that gives `command`. One type for every button: each type of handler is code of its own in the browser.
    pub fn on_click(self, command: Command) -> impl Fn(MouseEvent) + Clone + 'static {
        move |_| self.send(command)
    }

    /// Does what was asked. Called by event handlers, so within the user's gesture.
    pub fn send(self, command: Command) {
        #[cfg(feature = "hydrate")]
        super::browser::obey(self, command);
        #[cfg(not(feature = "hydrate"))]
        let _ = command;
    }
}

/// The command of a key on the watch page (`KeyboardEvent.key`).
#[cfg_attr(not(any(test, feature = "hydrate")), expect(dead_code, reason = "only a browser has keys"))]
pub fn command_of_key(key: &str) -> Option<Command> {
    Some(match key {
        " " | "k" | "K" => Command::TogglePlay,
        "m" | "M" => Command::ToggleMute,
        "ArrowUp" | "0" => Command::VolumeUp,
        "ArrowDown" | "9" => Command::VolumeDown,
        "ArrowLeft" => Command::Rewind(-5_000),
        "ArrowRight" => Command::Rewind(5_000),
        "j" | "J" => Command::Rewind(-10_000),
        "l" | "L" => Command::Rewind(10_000),
        "f" | "F" => Command::ToggleFullscreen,
        "t" | "T" => Command::ToggleTheatre,
        "i" | "I" => Command::TogglePictureInPicture,
        "s" | "S" => Command::ToggleStats,
        "e" | "E" | "End" => Command::GoLive,
        "?" => Command::ToggleShortcuts,
        "Escape" => Command::ClosePanel,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_usual_ones() {
        assert_eq!(command_of_key("k"), Some(Command::TogglePlay));
        assert_eq!(command_of_key("End"), Some(Command::GoLive));
        assert_eq!(command_of_key("ArrowLeft"), Some(Command::Rewind(-5_000)));
        assert_eq!(command_of_key("Tab"), None);
    }
}
