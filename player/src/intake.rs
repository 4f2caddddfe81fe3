//! One connection's bytes in, fragments out: the FLV reader and the remuxer behind one door.
//!
//! A connection has an intake of its own, so nothing of a broken stream lives on in the next.

use bytes::Bytes;
use madang_media::{
    amf0::Value,
    flv::{self, Reader},
    mp4,
    remux::{Options, Output, Remuxer},
};

pub use madang_media::remux::TrackKind as Track;

/// What a SourceBuffer must be given before fragments.
#[derive(Clone, Debug, PartialEq)]
pub struct Init {
    /// Which track.
    pub track: Track,
    /// Type for `addSourceBuffer`, such as `audio/mp4; codecs="mp4a.40.2"`.
    pub mime: String,
    /// The init segment.
    pub bytes: Bytes,
    /// What a decoder without a container wants: `avcC`, AudioSpecificConfig and the like.
    pub record: Bytes,
    /// Width and height in pixels, for video.
    pub size: Option<(u32, u32)>,
    /// Rate in Hz and channels of the decoded sound.
    pub sound: Option<(u32, u8)>,
}

impl Init {
    /// The codec inside the type, such as `avc1.64001f`.
    pub fn codec(&self) -> &str {
        codec_of(&self.mime)
    }
}

/// The codec inside a type such as `video/mp4; codecs="avc1.64001f"`; of any other text all of it.
pub fn codec_of(mime: &str) -> &str {
    mime.split('"').nth(1).unwrap_or(mime)
}

/// A media segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// Which track.
    pub track: Track,
    /// moof and mdat.
    pub bytes: Bytes,
    /// Presentation time of its first sample on the connection's timeline.
    pub start_ms: i64,
    /// Length; a prediction for video.
    pub duration_ms: i64,
    /// Whether decoding can begin here. Always so for audio.
    pub keyframe: bool,
}

impl Fragment {
    /// The coded data, without the container. The intake makes a fragment of each frame.
    pub fn frame(&self) -> Option<Bytes> {
        mp4::only_sample(&self.bytes)
    }
}

/// What comes out of a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// The FLV header's flags.
    Promise {
        /// Audio will come.
        audio: bool,
        /// Video will come.
        video: bool,
    },
    /// A track's configuration, first or changed.
    Init(Init),
    /// Media.
    Fragment(Fragment),
    /// The publisher is gone, and the room waits for it.
    Away {
        /// Seconds that it still waits.
        left_s: u32,
    },
    /// When the server received the key frame that comes next.
    Clock {
        /// The key frame's place on the connection's timeline (of decoding).
        at_ms: i64,
        /// Unix time by the server's clock.
        unix_ms: i64,
    },
    /// A track in a codec that cannot be carried.
    Unsupported {
        /// Which track.
        track: Track,
        /// The codec's name.
        codec: String,
    },
}

/// The answer was not FLV, or stopped being it: the connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFlv;

/// Reader and remuxer of one connection.
#[derive(Debug)]
pub struct Intake {
    reader: Reader,
    remuxer: Remuxer,
}

impl Default for Intake {
    fn default() -> Self {
        Self::new()
    }
}

impl Intake {
    /// For a connection that has given nothing yet.
    pub fn new() -> Self {
        Self { reader: Reader::new(), remuxer: Remuxer::new(Options::default()) }
    }

    /// Takes the next bytes, however they are cut.
    pub fn push(&mut self, bytes: Bytes) {
        self.reader.push(bytes);
    }

    /// No more bytes will come: gives out what is held back.
    pub fn finish(&mut self) {
        self.remuxer.flush();
    }

    /// Whether the newest key frame is one at which not every decoder begins.
    pub fn open_gop(&self) -> bool {
        self.remuxer.open_gop()
    }

    /// A media source begins at the newest key frame: see [`Remuxer::begin_here`].
    pub fn begin_here(&mut self) {
        self.remuxer.begin_here();
    }

    /// How much sooner sound is heard than its stamps say, in ms: see [`Remuxer::drift`].
    pub fn drift_ms(&self) -> i64 {
        self.remuxer.drift().0
    }

    /// The next item; `None` until more bytes are pushed.
    pub fn next_item(&mut self) -> Result<Option<Item>, NotFlv> {
        loop {
            while let Some(output) = self.remuxer.poll() {
                if let Some(item) = item(output) {
                    return Ok(Some(item));
                }
            }
            match self.reader.next() {
                Ok(Some(flv::Item::Header { has_audio, has_video })) => {
                    return Ok(Some(Item::Promise { audio: has_audio, video: has_video }));
                }
                // A tag that says nothing sensible is left out; the stream goes on without it.
                Ok(Some(flv::Item::Tag(tag))) => drop(self.remuxer.push(&tag)),
                Ok(None) => return Ok(None),
                Err(_) => return Err(NotFlv),
            }
        }
    }
}

fn item(output: Output) -> Option<Item> {
    match output {
        Output::Init { track, mime, bytes, record, video, audio } => {
            let size = video.map(|video| (video.width, video.height));
            let sound = audio.map(|audio| (audio.sample_rate_hz, audio.channels));
            Some(Item::Init(Init { track, mime, bytes, record, size, sound }))
        }
        Output::Fragment { track, bytes, start, duration, keyframe } => Some(Item::Fragment(Fragment {
            track,
            bytes,
            start_ms: start.0,
            duration_ms: duration.0.max(0),
            keyframe: keyframe || track == Track::Audio,
        })),
        Output::Unsupported { track, codec } => Some(Item::Unsupported { track, codec }),
        Output::Script { at, name, value } if name == flv::MARK => {
            let number = |name| value.get(name).and_then(Value::as_f64);
            // The casts saturate; a number that is none is no time.
            let away = number("away").map(|left| Item::Away { left_s: left as u32 });
            away.or_else(|| number("clock").map(|unix| Item::Clock { at_ms: at.0, unix_ms: unix as i64 }))
        }
        Output::Script { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_promised_however_it_is_cut() {
        let header = flv::header(true, false);
        for cut in 0..=header.len() {
            let mut intake = Intake::new();
            let mut items = Vec::new();
            for part in [&header[..cut], &header[cut..]] {
                intake.push(Bytes::copy_from_slice(part));
                while let Some(item) = intake.next_item().expect("is FLV") {
                    items.push(item);
                }
            }
            assert_eq!(items, [Item::Promise { audio: true, video: false }], "cut at {cut}");
        }
    }

    /// A second of AAC (48 kHz stereo, AudioSpecificConfig 11 90) as HTTP-FLV.
    fn aac_stream() -> Vec<u8> {
        let mut stream = bytes::BytesMut::from(&flv::header(true, false)[..]);
        flv::write_tag(&mut stream, flv::TagKind::Audio, 0, &[0xaf, 0, 0x11, 0x90]);
        for frame in 0..48_u32 {
            flv::write_tag(
                &mut stream,
                flv::TagKind::Audio,
                frame * 1024 / 48,
                &[0xaf, 1, 0x21, 0x10, 0x04, 0x60, 0x8c],
            );
        }
        stream.to_vec()
    }

    fn items(stream: &[u8], part: usize) -> Vec<Item> {
        let mut intake = Intake::new();
        let mut items = Vec::new();
        for part in stream.chunks(part) {
            intake.push(Bytes::copy_from_slice(part));
            while let Some(item) = intake.next_item().expect("is FLV") {
                items.push(item);
            }
        }
        intake.finish();
        while let Some(item) = intake.next_item().expect("is FLV") {
            items.push(item);
        }
        items
    }

    #[test]
    fn a_stream_gives_the_same_fragments_however_it_is_cut() {
        let stream = aac_stream();
        let whole = items(&stream, stream.len());
        assert!(
            matches!(&whole[1], Item::Init(init) if init.mime == "audio/mp4; codecs=\"mp4a.40.2\""),
            "{:?}",
            whole[1]
        );
        let end_ms = whole.iter().filter_map(|item| match item {
            Item::Fragment(fragment) => Some(fragment.start_ms + fragment.duration_ms),
            _ => None,
        });
        assert!((1000..=1030).contains(&end_ms.max().expect("fragments")));
        for part in [1, 7, 16, 100] {
            assert_eq!(items(&stream, part), whole, "in parts of {part}");
        }
    }

    #[test]
    fn what_the_server_says_is_told_and_other_script_tags_are_not() {
        let mut stream = bytes::BytesMut::from(&flv::header(true, true)[..]);
        for (name, field, value) in [
            ("madang", "away", Value::Number(12.0)),
            ("other", "away", Value::Number(3.0)),
            ("madang", "clock", Value::Number(1_767_225_600_000.0)),
            ("madang", "x", Value::Null),
        ] {
            let mut body = bytes::BytesMut::new();
            madang_media::amf0::write(&Value::String(name.to_owned()), &mut body);
            madang_media::amf0::write(&Value::Object(vec![(field.to_owned(), value)]), &mut body);
            flv::write_tag(&mut stream, flv::TagKind::Script, 0, &body);
        }
        let clock = Item::Clock { at_ms: 0, unix_ms: 1_767_225_600_000 };
        assert_eq!(items(&stream, stream.len())[1..], [Item::Away { left_s: 12 }, clock]);
    }

    #[test]
    fn a_page_of_html_is_not_a_stream() {
        let mut intake = Intake::new();
        intake.push(Bytes::from_static(b"<!doctype html><title>502 Bad Gateway</title>"));
        assert_eq!(intake.next_item(), Err(NotFlv));
    }
}
