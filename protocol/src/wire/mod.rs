//! JSON as the browser reads and writes it, in a fraction of the code that serde's derives become there.
//!
//! The server uses serde. The browser uses [`Wire`], derived beside serde's traits and from the same `#[serde(…)]` attributes, so
//! that a type says once how it looks; an attribute that the derive does not know fails the build. Text is first read into [`Json`]
//! and then into types, so that one small parser serves them all: serde compiles each type's reader anew for each kind of source,
//! which for the events of `/ws` alone was a fifth of the download.

mod later;
mod parse;
mod types;
mod write;

pub use later::Later;
pub use madang_protocol_derive::Wire;
pub use parse::parse;
pub use write::Object;

/// A value as it was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    /// As JavaScript would have it: whole up to 2^53.
    Number(f64),
    Text(String),
    List(Vec<Json>),
    /// In the order it came.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A member of an object; `Null` where there is none, which is how an absent `Option` reads.
    pub fn get(&self, name: &str) -> &Json {
        let Self::Object(members) = self else { return &Self::Null };
        members.iter().find(|(known, _)| known == name).map_or(&Self::Null, |(_, value)| value)
    }

    /// The text; empty for anything else.
    pub fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }

    /// An enum's variant and what it holds: `"word"`, or `{"word": …}`.
    pub fn variant(&self) -> (&str, &Json) {
        match self {
            Self::Text(name) => (name, &Self::Null),
            Self::Object(members) if members.len() == 1 => members.first().map_or(("", &Self::Null), |(n, v)| (n, v)),
            _ => ("", &Self::Null),
        }
    }
}

/// What the browser can read from JSON and write as JSON, exactly as serde would on the server.
pub trait Wire: Sized {
    /// `None` when `json` is something else.
    fn read(json: &Json) -> Option<Self>;

    /// Adds the value to `out`.
    fn write(&self, out: &mut String);
}

/// Reads a whole text; `None` when it is no JSON, or another type's.
pub fn from_text<T: Wire>(text: &str) -> Option<T> {
    T::read(&parse(text)?)
}

/// Writes a value.
pub fn to_text<T: Wire>(value: &T) -> String {
    let mut out = String::new();
    value.write(&mut out);
    out
}

/// A field of an object: `None` when it is there and something else.
pub fn field<T: Wire>(json: &Json, name: &str) -> Option<T> {
    T::read(json.get(name))
}

/// A field that may be absent, and is `default` then.
pub fn field_or<T: Wire>(json: &Json, name: &str, default: impl FnOnce() -> T) -> Option<T> {
    match json.get(name) {
        Json::Null => Some(T::read(&Json::Null).unwrap_or_else(default)),
        value => T::read(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        KeyId, LiveState, RoomCard, RoomSlug, UnixMillis,
        realtime::{ClientMessage, Refusal, ServerEvent},
        studio::{AudioInfo, EncoderInfo, StudioStatus},
    };
    use serde::{Deserialize, Serialize, de::DeserializeOwned};
    use std::fmt;

    /// Serde and `Wire` write the same text and read it alike.
    fn agree<T: Wire + Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: T) {
        let text = serde_json::to_string(&value).expect("serializes");
        assert_eq!(to_text(&value), text);
        assert_eq!(from_text::<T>(&text).as_ref(), Some(&value), "{text}");
        assert_eq!(serde_json::from_str::<T>(&text).expect("parses"), value);
    }

    fn slug() -> RoomSlug {
        RoomSlug::parse("my-room").expect("valid")
    }

    #[test]
    fn events_and_messages_are_serdes() {
        let live = LiveState::Live { since: UnixMillis(1_764_000_000_123) };
        let card = RoomCard {
            slug: slug(),
            title: "밤새 \"코딩\"\n\u{1}😀\\".to_owned(),
            owner: "Ana".to_owned(),
            category: "games".to_owned(),
            tags: vec!["a".to_owned(), String::new()],
            language: "ko".to_owned(),
            live,
            watching: u32::MAX,
        };
        let encoder = EncoderInfo {
            since: UnixMillis(0),
            from: "::1".to_owned(),
            encoder: String::new(),
            key: KeyId::from_random(77),
            video: None,
            audio: Some(AudioInfo { codec: "mp4a.40.2".to_owned(), sample_rate_hz: 48_000, channels: 2 }),
            bitrate_bps: 6_000_000,
            health: Some(crate::studio::Health {
                video_bps: 5_800_000,
                audio_bps: 200_000,
                fps_tenths: 600,
                gop_ms: Some(8_300),
                jitter_ms: 12,
                gaps: 0,
                offset_ms: Some(-20),
                clock_ppm: None,
                b_frames: true,
                troubles: vec![crate::studio::Trouble {
                    kind: crate::studio::TroubleKind::LongGop,
                    bad: true,
                    value: 8_300,
                }],
            }),
        };
        let attempt = crate::studio::Attempt {
            at: UnixMillis(5),
            times: 3,
            from: "192.0.2.1".to_owned(),
            encoder: "OBS".to_owned(),
            why: crate::studio::Mishap::RevokedKey,
            detail: String::new(),
            revoked: Some(UnixMillis(4)),
        };
        agree(vec![
            ServerEvent::Hello { protocol: 1, build: "x".to_owned(), you: crate::chat::You::default() },
            ServerEvent::Directory { rooms: vec![card.clone(), RoomCard { live: LiveState::Never, ..card.clone() }] },
            ServerEvent::Room { card },
            ServerEvent::RoomGone { room: slug() },
            ServerEvent::Studio {
                room: slug(),
                status: StudioStatus {
                    live,
                    watching: 0,
                    peak: 7,
                    quality: Some(crate::studio::Quality {
                        delay_p50_ms: 800,
                        delay_p95_ms: 1_400,
                        stalls_tenths: 12,
                        dropped_permille: 3,
                    }),
                    unplayable: 2,
                    encoder: Some(encoder),
                    fought_over: false,
                    attempts: vec![attempt],
                }
                .into(),
            },
            ServerEvent::Refused { reason: Refusal::TooManyRooms },
            ServerEvent::Pong,
        ]);
        let quality = ClientMessage::Quality { room: slug(), delay_ms: 800, stalls: 0, dropped: 1, frames: 300 };
        let unplayable = ClientMessage::Unplayable { room: slug() };
        agree(vec![
            ClientMessage::JoinDirectory,
            ClientMessage::Leave { room: slug() },
            quality,
            unplayable,
            ClientMessage::Ping,
        ]);
    }

    #[test]
    fn what_is_another_type_is_refused() {
        assert_eq!(from_text::<ServerEvent>(r#"{"type":"from_the_future"}"#), None);
        assert_eq!(from_text::<ServerEvent>(r#"{"type":"room_gone"}"#), None);
        assert_eq!(from_text::<ServerEvent>(r#"{"type":"room_gone","room":"a/b"}"#), None);
        assert_eq!(from_text::<u8>("256"), None);
        assert_eq!(from_text::<u32>("1.5"), None);
    }

    /// Every form that an enum's variants and a struct's fields may have.
    #[derive(Debug, PartialEq, Serialize, Deserialize, Wire)]
    #[serde(rename_all = "snake_case")]
    enum Outside {
        AWord,
        OneValue(u32),
        Fields {
            list: Vec<Inside>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            maybe: Option<i64>,
            #[serde(default, skip_serializing_if = "String::is_empty")]
            text: String,
        },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, Wire)]
    #[serde(tag = "kind", content = "of", rename_all = "snake_case")]
    enum Inside {
        Nothing,
        Text(String),
        Defaults { of: Defaults },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, Wire)]
    #[serde(default)]
    struct Defaults {
        on: bool,
        seconds: u16,
    }

    impl Default for Defaults {
        fn default() -> Self {
            Self { on: true, seconds: 7 }
        }
    }

    #[test]
    fn every_form_of_a_type_is_serdes() {
        let inside =
            || vec![Inside::Nothing, Inside::Text("\t".to_owned()), Inside::Defaults { of: Defaults::default() }];
        agree(Outside::AWord);
        agree(Outside::OneValue(3));
        agree(Outside::Fields { list: inside(), maybe: Some(-5), text: "x".to_owned() });
        agree(Outside::Fields { list: Vec::new(), maybe: None, text: String::new() });
        agree(Ok::<u32, String>(1));
        agree(Err::<u32, String>("no".to_owned()));
    }

    #[test]
    fn what_is_absent_is_the_default() {
        assert_eq!(from_text("{}"), Some(Defaults::default()));
        assert_eq!(from_text(r#"{"seconds":1}"#), Some(Defaults { on: true, seconds: 1 }));
    }
}
