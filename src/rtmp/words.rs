//! What encoders are told: the status code they act on and a sentence that says what to do.
//!
//! Who shows what (read in their sources): OBS closes on `NetStream.Publish.Denied` and `Rejected` (newer ones on `BadName` too), stops
//! without retrying and writes code and description to its log; `_error` to `connect` is passed over, so a wrong application is told by
//! `onStatus` as well. ffmpeg prints `Server error:` and the description (255 bytes at most) for any status of level `error`.
//! GStreamer takes `Denied` for "permission denied" and `BadName` for "the stream already exists", hence `Denied` for keys.
//! Encoder logs are English and so are these; no sentence repeats what the encoder sent.

use super::{
    error::Refused,
    gate::{PlayRefusal, Refusal},
};
use crate::live::Cut;

/// Level, code and description of an `onStatus` or `_error` (RTMP 1.0 §7.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub level: &'static str,
    pub code: &'static str,
    pub description: String,
}

impl Status {
    pub fn ok(code: &'static str, description: &str) -> Self {
        Self { level: "status", code, description: description.into() }
    }

    pub fn error(code: &'static str, description: impl Into<String>) -> Self {
        Self { level: "error", code, description: description.into() }
    }
}

const DENIED: &str = "NetStream.Publish.Denied";
const REJECTED: &str = "NetStream.Publish.Rejected";
const BAD_NAME: &str = "NetStream.Publish.BadName";
const NOT_FOUND: &str = "NetStream.Play.StreamNotFound";
const FAILED: &str = "NetStream.Play.Failed";
pub const INVALID_APP: &str = "NetConnection.Connect.InvalidApp";

/// The words for a refusal. `wait_s` is how long an address stays locked, for the refusals that lock.
pub fn refusal(refused: Refused, wait_s: u64) -> Status {
    match refused {
        Refused::App => Status::error(
            INVALID_APP,
            "The server address must end in /live. Put the stream key in its own field, not in the address.",
        ),
        Refused::EmptyKey => {
            Status::error(DENIED, "The stream key is empty. Copy it from the studio page of your room.")
        }
        Refused::UrlAsKey => Status::error(
            DENIED,
            "The stream key is a whole address. Put rtmp://…/live into the server's field and only the key into its own.",
        ),
        Refused::Key(Refusal::NotAKey) => Status::error(
            DENIED,
            "This is not a stream key of this server. Copy the whole key from the studio page of your room.",
        ),
        Refused::Key(Refusal::UnknownKey) => Status::error(
            DENIED,
            "No room has this stream key. Copy it again from the studio page of your room, or make a new one there.",
        ),
        Refused::Key(Refusal::Revoked { .. }) => Status::error(
            DENIED,
            "This stream key was revoked. Make a new one on the studio page of your room and enter it here.",
        ),
        Refused::Key(Refusal::Banned) => Status::error(
            DENIED,
            "You cannot publish here: an administrator of this site has banned it. Ask whoever runs it.",
        ),
        Refused::Key(Refusal::Unavailable) => {
            Status::error(REJECTED, "The server cannot check the stream key right now. Try again in a minute.")
        }
        Refused::Locked => Status::error(
            DENIED,
            format!(
                "Too many wrong stream keys came from this address. Wait {wait_s} seconds, then use the right key."
            ),
        ),
        Refused::SecondStream => {
            Status::error(BAD_NAME, "This connection publishes already. Send one stream per connection.")
        }
        Refused::VideoCodec => Status::error(
            REJECTED,
            "Only H.264, HEVC, AV1 and VP9 video can be shown. Choose an H.264 encoder: every browser plays it.",
        ),
        Refused::AudioCodec => Status::error(
            REJECTED,
            "Only AAC, Opus, FLAC and MP3 sound can be played. Choose an AAC encoder: every browser plays it.",
        ),
        Refused::HevcAsAvc => Status::error(
            REJECTED,
            "The video is HEVC, but is announced as H.264. Update the encoder, or choose an H.264 (x264, AVC) video encoder.",
        ),
        Refused::Play(PlayRefusal::NoRoom) => Status::error(
            NOT_FOUND,
            "There is no such room here. The address ends in /live/ and the last part of the room's page's address.",
        ),
        Refused::Play(PlayRefusal::NotLive) => {
            Status::error(NOT_FOUND, "Nobody is on the air in this room. Try again when it is live.")
        }
        Refused::Play(PlayRefusal::TooMany) => {
            Status::error(FAILED, "Too many streams are being watched from your address. Close one and try again.")
        }
        Refused::Play(PlayRefusal::Unavailable) => {
            Status::error(FAILED, "The server cannot look the room up right now. Try again in a moment.")
        }
        Refused::NotConnected => Status::error("NetConnection.Call.Failed", "Send connect first."),
    }
}

/// The words for a publisher that somebody ended.
pub fn cut(cut: Cut) -> Status {
    match cut {
        Cut::TakenOver => Status::error(BAD_NAME, "A newer connection with a key of this room took over."),
        Cut::ByOwner => {
            Status::error(REJECTED, "The stream was ended in the studio. Start streaming again to go back on air.")
        }
        Cut::KeyRevoked => {
            Status::error(DENIED, "This stream key was revoked. Make a new one on the studio page of your room.")
        }
        Cut::ByAdministrator => {
            Status::error(REJECTED, "An administrator of this site ended the stream. Ask whoever runs it.")
        }
        Cut::Shutdown => shutdown(),
    }
}

/// A few words for the log.
pub fn cut_reason(cut: Cut) -> &'static str {
    match cut {
        Cut::TakenOver => "a newer connection took over",
        Cut::ByOwner => "ended in the studio",
        Cut::KeyRevoked => "its stream key was revoked",
        Cut::ByAdministrator => "ended by an administrator",
        Cut::Shutdown => "the server is stopping",
    }
}

pub fn shutdown() -> Status {
    Status::error("NetConnection.Connect.AppShutdown", "The server is stopping or restarting. Try again in a moment.")
}

/// A player may begin.
pub fn play_start() -> Status {
    Status::ok("NetStream.Play.Start", "Here is what is on the air.")
}

/// The broadcast is over for who watches it.
pub fn play_over() -> Status {
    Status::ok("NetStream.Play.UnpublishNotify", "The broadcast is over.")
}

/// A player was heard that wants to wait, or to go on.
pub fn paused(on: bool) -> Status {
    if on {
        Status::ok("NetStream.Pause.Notify", "Waiting.")
    } else {
        Status::ok("NetStream.Unpause.Notify", "Going on with what is live now.")
    }
}

/// Media stopped coming, or never came.
pub fn idle() -> Status {
    Status::error("NetStream.Publish.Idle", "No audio or video arrived for too long, so the connection is closed.")
}

pub fn unknown_command() -> Status {
    Status::error("NetConnection.Call.Failed", "This server does not know that command.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::{RoomId, UnixMillis};

    #[test]
    fn every_description_fits_what_ffmpeg_shows_and_says_what_to_do() {
        let (at, room) = (UnixMillis(0), RoomId::from_random(2));
        let keys = [
            Refusal::NotAKey,
            Refusal::UnknownKey,
            Refusal::Revoked { at, room },
            Refusal::Banned,
            Refusal::Unavailable,
        ]
        .map(Refused::Key);
        let others = [
            Refused::App,
            Refused::EmptyKey,
            Refused::UrlAsKey,
            Refused::HevcAsAvc,
            Refused::Locked,
            Refused::SecondStream,
            Refused::VideoCodec,
            Refused::AudioCodec,
            Refused::NotConnected,
        ];
        let plays = [PlayRefusal::NoRoom, PlayRefusal::NotLive, PlayRefusal::TooMany, PlayRefusal::Unavailable];
        for refused in keys.into_iter().chain(others).chain(plays.map(Refused::Play)) {
            let status = refusal(refused, 60);
            assert_eq!(status.level, "error");
            assert!(status.description.len() < 255, "{refused:?}");
            assert!(status.description.ends_with('.'), "{refused:?}");
            assert!(!refused.to_string().is_empty());
        }
    }
}
