//! What the player shows instead of a moving picture, and how late it is: decided from plain values, so that it is tested natively.
//! The words for a scene are here too; nothing here touches a browser.

use crate::i18n::Messages;
use madang_protocol::{LiveState, UnixMillis};

/// What the media side said last. `madang_player`'s events, as far as the page shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Feed {
    /// No player runs: the room is not live, or the page has not been hydrated yet.
    #[default]
    Idle,
    Connecting,
    Playing,
    /// The buffer has been empty for [`BUFFERING_AFTER_MS`].
    Buffering,
    /// The streamer's encoder is gone, and the connection stands; it is waited for so long.
    Away {
        left_s: u32,
    },
    /// The connection is gone and will be tried again.
    Waiting {
        attempt: u32,
    },
    /// The server says that the room is not live.
    NotLive,
    NotFound,
    /// The server ended the stream in good order.
    Ended,
    Failed(Fault),
}

/// Why the player cannot go on by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The browser cannot play this codec (RFC 6381 string, or the mime type).
    Codec(String),
    /// The browser has no MediaSource that takes fragmented MP4.
    TooOld,
    /// Anything else; starting anew may help.
    Broken,
}

/// An empty buffer shorter than this is not worth a word.
pub const BUFFERING_AFTER_MS: u32 = 400;

/// What is on the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scene {
    Never,
    Offline { since: UnixMillis },
    Starting,
    Connecting,
    Playing,
    Buffering,
    Away { left_s: u32 },
    Reconnecting { attempt: u32 },
    Ended,
    NotFound,
    Codec(String),
    TooOld,
    Broken,
}

impl Scene {
    /// `room` is `None` once the room was deleted; `seen`: this visit has shown a moving picture.
    pub fn of(room: Option<LiveState>, feed: &Feed, seen: bool) -> Self {
        let Some(room) = room else { return Self::NotFound };
        match feed {
            Feed::Failed(Fault::Codec(codec)) => Self::Codec(codec.clone()),
            Feed::Failed(Fault::TooOld) => Self::TooOld,
            Feed::Failed(Fault::Broken) => Self::Broken,
            Feed::NotFound => Self::NotFound,
            Feed::Playing => Self::Playing,
            Feed::Buffering => Self::Buffering,
            Feed::Away { left_s } => Self::Away { left_s: *left_s },
            Feed::Waiting { attempt } if room.is_live() => Self::Reconnecting { attempt: *attempt },
            // What the room says is newer than what a closed connection said.
            Feed::Idle | Feed::Connecting | Feed::NotLive | Feed::Ended | Feed::Waiting { .. } => match room {
                LiveState::Live { .. } if *feed == Feed::Ended => Self::Ended,
                LiveState::Live { .. } => Self::Connecting,
                LiveState::Starting { .. } => Self::Starting,
                LiveState::Never | LiveState::Offline { .. } if seen => Self::Ended,
                LiveState::Offline { since } => Self::Offline { since },
                LiveState::Never => Self::Never,
            },
        }
    }

    /// For CSS and tests.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Offline { .. } => "offline",
            Self::Starting => "starting",
            Self::Connecting => "connecting",
            Self::Playing => "playing",
            Self::Buffering => "buffering",
            Self::Away { .. } => "away",
            Self::Reconnecting { .. } => "reconnecting",
            Self::Ended => "ended",
            Self::NotFound => "not-found",
            Self::Codec(_) => "codec",
            Self::TooOld => "too-old",
            Self::Broken => "broken",
        }
    }

    /// Words and what happens next; both empty while the picture moves. `ago` says how long before now a moment was.
    pub fn words(&self, m: Messages, ago: impl Fn(UnixMillis) -> String) -> (String, String) {
        let (title, next) = match self {
            Self::Playing => ("", String::new()),
            Self::Never => (m.player_never_title(), m.player_never_next().to_owned()),
            Self::Offline { since } => (m.player_offline_title(), m.player_offline_next(ago(*since))),
            Self::Starting => (m.player_starting_title(), m.player_starting_next().to_owned()),
            Self::Connecting => (m.player_connecting_title(), m.player_connecting_next().to_owned()),
            Self::Buffering => (m.player_buffering_title(), m.player_buffering_next().to_owned()),
            Self::Away { left_s } => (m.player_away_title(), m.player_away_next(clock(i64::from(*left_s) * 1000))),
            Self::Reconnecting { attempt } => (m.player_reconnecting_title(), m.player_reconnecting_next(attempt)),
            Self::Ended => (m.player_ended_title(), m.player_ended_next().to_owned()),
            Self::NotFound => (m.player_notfound_title(), m.player_notfound_next().to_owned()),
            Self::Codec(codec) => (m.player_codec_title(), m.player_codec_next(codec)),
            Self::TooOld => (m.player_old_title(), m.player_old_next().to_owned()),
            Self::Broken => (m.player_failed_title(), m.player_failed_next().to_owned()),
        };
        (title.to_owned(), next)
    }

    /// Whether the streamer, not the viewer's connection, is what is waited for: a calm picture, no turning wheel.
    pub const fn is_waiting_for_streamer(&self) -> bool {
        matches!(self, Self::Never | Self::Offline { .. } | Self::Ended)
    }

    /// Whether it is over for the player, and trying again may help: the streamer may have changed the codec by then.
    pub const fn may_go_on(&self) -> bool {
        matches!(self, Self::Codec(_) | Self::Broken)
    }
}

/// What the viewer prefers between little delay and few stops. The words come before the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delay {
    Lowest,
    #[default]
    Balanced,
    Smooth,
}

impl Delay {
    pub const ALL: [Self; 3] = [Self::Lowest, Self::Balanced, Self::Smooth];

    /// The word in `?delay=` and in the browser's storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lowest => "lowest",
            Self::Balanced => "balanced",
            Self::Smooth => "smooth",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str() == text)
    }

    pub const fn label(self, m: Messages) -> &'static str {
        match self {
            Self::Lowest => m.player_delay_lowest(),
            Self::Balanced => m.player_delay_balanced(),
            Self::Smooth => m.player_delay_smooth(),
        }
    }

    pub const fn note(self, m: Messages) -> &'static str {
        match self {
            Self::Lowest => m.player_delay_lowest_note(),
            Self::Balanced => m.player_delay_balanced_note(),
            Self::Smooth => m.player_delay_smooth_note(),
        }
    }

    /// Later than this is not live any more: the delay aimed at, and two seconds that the player makes up by itself.
    const fn edge_ms(self) -> u32 {
        match self {
            Self::Lowest => 2500,
            Self::Balanced => 3000,
            Self::Smooth => 5500,
        }
    }

    /// Whether a picture `behind_ms` late counts as live. Unknown counts as live.
    pub fn at_edge(self, behind_ms: Option<u32>) -> bool {
        behind_ms.is_none_or(|ms| ms <= self.edge_ms())
    }
}

/// "0.4 s behind", from ten seconds on "0:12 behind".
pub fn behind(m: Messages, ms: u32) -> String {
    if ms < 10_000 {
        m.player_behind(format_args!("{}.{}", ms / 1000, ms % 1000 / 100))
    } else {
        m.player_behind_clock(clock(i64::from(ms)))
    }
}

/// `0:12`, `41:10`, `2:41:10`; a negative span is none.
pub fn clock(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;

    const LIVE: Option<LiveState> = Some(LiveState::Live { since: UnixMillis(1) });
    const OFFLINE: Option<LiveState> = Some(LiveState::Offline { since: UnixMillis(1) });

    #[test]
    fn before_anything_runs_the_room_says_what_is_shown() {
        let first = |room| Scene::of(room, &Feed::Idle, false);
        assert_eq!(first(Some(LiveState::Never)), Scene::Never);
        assert_eq!(first(OFFLINE), Scene::Offline { since: UnixMillis(1) });
        assert_eq!(first(Some(LiveState::Starting { since: UnixMillis(1) })), Scene::Starting);
        assert_eq!(first(LIVE), Scene::Connecting);
        assert_eq!(first(None), Scene::NotFound);
    }

    #[test]
    fn who_has_watched_is_told_that_it_ended_not_that_it_is_offline() {
        assert_eq!(Scene::of(OFFLINE, &Feed::NotLive, true), Scene::Ended);
        assert_eq!(Scene::of(OFFLINE, &Feed::Waiting { attempt: 3 }, true), Scene::Ended);
        assert_eq!(Scene::of(LIVE, &Feed::Ended, true), Scene::Ended);
    }

    #[test]
    fn what_is_buffered_plays_on_after_the_room_went_offline() {
        assert_eq!(Scene::of(OFFLINE, &Feed::Playing, true), Scene::Playing);
    }

    #[test]
    fn a_lost_connection_to_a_live_room_is_the_viewers() {
        assert_eq!(Scene::of(LIVE, &Feed::Waiting { attempt: 2 }, true), Scene::Reconnecting { attempt: 2 });
        assert_eq!(Scene::of(LIVE, &Feed::Connecting, true), Scene::Connecting);
    }

    #[test]
    fn a_fault_is_shown_whatever_the_room_does() {
        assert_eq!(Scene::of(LIVE, &Feed::Failed(Fault::TooOld), false), Scene::TooOld);
        assert_eq!(Scene::of(OFFLINE, &Feed::Failed(Fault::Codec("hvc1".into())), false), Scene::Codec("hvc1".into()));
    }

    #[test]
    fn every_scene_but_the_picture_has_words_in_each_language() {
        let scenes = [
            Scene::Never,
            Scene::Offline { since: UnixMillis(0) },
            Scene::Starting,
            Scene::Connecting,
            Scene::Buffering,
            Scene::Away { left_s: 12 },
            Scene::Reconnecting { attempt: 2 },
            Scene::Ended,
            Scene::NotFound,
            Scene::Codec("hvc1".into()),
            Scene::TooOld,
            Scene::Broken,
        ];
        for locale in Locale::ALL {
            let m = Messages::new(locale);
            for scene in &scenes {
                let (title, next) = scene.words(m, |_| "an hour ago".to_owned());
                assert!(!title.is_empty() && !next.is_empty(), "{scene:?}");
            }
            assert_eq!(Scene::Playing.words(m, |_| String::new()), (String::new(), String::new()));
        }
    }

    #[test]
    fn lateness_is_said_in_tenths_then_as_a_clock() {
        let m = Messages::new(Locale::En);
        assert_eq!(behind(m, 449), "0.4 s behind");
        assert_eq!(behind(m, 9_999), "9.9 s behind");
        assert_eq!(behind(m, 12_300), "0:12 behind");
        assert_eq!(clock(9_670_000), "2:41:10");
        assert_eq!(clock(-5), "0:00");
    }

    #[test]
    fn the_live_button_is_red_near_the_edge_only() {
        assert!(Delay::Balanced.at_edge(None));
        assert!(Delay::Balanced.at_edge(Some(900)));
        assert!(!Delay::Balanced.at_edge(Some(12_000)));
        assert!(Delay::Smooth.at_edge(Some(3_400)));
        assert_eq!(Delay::parse("smooth"), Some(Delay::Smooth));
        assert_eq!(Delay::parse("Smooth"), None);
    }
}
