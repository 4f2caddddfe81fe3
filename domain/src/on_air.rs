//! The port to the media side: what the domain asks of whoever carries the streams.

use madang_protocol::{
    KeyId, LiveState, RoomId, UnixMillis,
    studio::{Attempt, EncoderInfo, Quality, StudioStatus},
};
use std::net::IpAddr;

/// What the media side answers and does. Every method returns at once: it is called from request handlers and from the
/// database's writer thread.
pub trait OnAir: Send + Sync {
    /// The room as it is now; the default for one that nobody publishes to.
    fn status(&self, room: RoomId) -> OnAirStatus;
    /// Encoders that were turned away lately: from this room, and from none that is known but from the address `near`. Newest first.
    fn attempts(&self, room: RoomId, near: Option<IpAddr>) -> Vec<Attempt>;
    /// Encoders that were turned away lately and belong to no room, from wherever. Newest first.
    fn stray_attempts(&self) -> Vec<Attempt>;
    /// Every room with a publisher, starting ones included.
    fn on_air(&self) -> Vec<RoomId>;
    /// Ends the room's publisher, if there is one.
    fn cut_room(&self, room: RoomId, why: CutReason);
    /// Ends every publisher that came with this key.
    fn cut_key(&self, key: KeyId, why: CutReason);
}

/// A room as the media side sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnAirStatus {
    /// Since when an encoder has been connected without a first key frame.
    pub starting: Option<UnixMillis>,
    /// Since when there has been a picture (or sound, for a stream of sound).
    pub live: Option<UnixMillis>,
    /// Browsers that are being sent media now.
    pub watching: u32,
    /// The most of them at once in this broadcast.
    pub peak: u32,
    /// How the picture does for them; `None` until some have told.
    pub quality: Option<Quality>,
    /// Browsers that cannot play it.
    pub unplayable: u32,
    /// None while the room is live and waits for an encoder that is gone.
    pub encoder: Option<EncoderInfo>,
    /// Encoders take the room from each other again and again.
    pub fought_over: bool,
}

impl OnAirStatus {
    /// The state that people are shown: live before starting before offline (since `last_live`) before never.
    pub fn live_state(&self, last_live: Option<UnixMillis>) -> LiveState {
        match (self.live, self.starting, last_live) {
            (Some(since), _, _) => LiveState::Live { since },
            (None, Some(since), _) => LiveState::Starting { since },
            (None, None, Some(since)) => LiveState::Offline { since },
            (None, None, None) => LiveState::Never,
        }
    }

    /// What the room's owner is told.
    pub fn studio(self, live: LiveState, attempts: Vec<Attempt>) -> StudioStatus {
        let Self { watching, peak, quality, unplayable, encoder, fought_over, .. } = self;
        StudioStatus { live, watching, peak, quality, unplayable, encoder, fought_over, attempts }
    }
}

/// Why a publisher is cut; the encoder is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CutReason {
    /// The owner ended the stream in the studio.
    ByOwner,
    /// The key was revoked or rotated.
    KeyRevoked,
    RoomDeleted,
    /// An administrator of the site ended the stream, or banned who sends it.
    ByAdministrator,
    /// The server stops.
    Shutdown,
}

/// The answer where there is no media side: on the command line, and before the server has set its own.
pub(crate) struct NothingOnAir;

impl OnAir for NothingOnAir {
    fn status(&self, _: RoomId) -> OnAirStatus {
        OnAirStatus::default()
    }

    fn attempts(&self, _: RoomId, _: Option<IpAddr>) -> Vec<Attempt> {
        Vec::new()
    }

    fn stray_attempts(&self) -> Vec<Attempt> {
        Vec::new()
    }

    fn on_air(&self) -> Vec<RoomId> {
        Vec::new()
    }

    fn cut_room(&self, _: RoomId, _: CutReason) {}

    fn cut_key(&self, _: KeyId, _: CutReason) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_goes_before_starting_before_offline_before_never() {
        let at = |n| Some(UnixMillis(n));
        let state = |live, starting, last| OnAirStatus { live, starting, ..OnAirStatus::default() }.live_state(last);
        assert_eq!(state(at(3), at(2), at(1)), LiveState::Live { since: UnixMillis(3) });
        assert_eq!(state(None, at(2), at(1)), LiveState::Starting { since: UnixMillis(2) });
        assert_eq!(state(None, None, at(1)), LiveState::Offline { since: UnixMillis(1) });
        assert_eq!(state(None, None, None), LiveState::Never);
    }
}
