//! Fixtures and what ffprobe said about them.

use std::fs;
use std::path::Path;

use madang_media::flv::{Tag, TagKind, audio, video};

pub struct Fixture {
    /// The FLV file.
    pub bytes: Vec<u8>,
    packets: String,
    streams: String,
}

/// A packet as ffprobe lists it; times in ms.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    pub kind: String,
    pub pts: i64,
    pub dts: i64,
    pub size: usize,
    pub key: bool,
    pub hash: String,
}

impl Fixture {
    pub fn load(name: &str) -> Self {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let text = |suffix: &str| fs::read_to_string(data.join(format!("{name}.{suffix}"))).unwrap();
        Self {
            bytes: fs::read(data.join(format!("{name}.flv"))).unwrap(),
            packets: text("packets.csv"),
            streams: fs::read_to_string(data.join(format!("{name}.streams.txt"))).unwrap_or_default(),
        }
    }

    pub fn packets(&self) -> Vec<Packet> {
        self.packets.lines().map(|line| Packet::of_row(line, 1.0)).collect()
    }

    /// The first line `key=…` of the streams' facts; those of the video come first.
    pub fn fact(&self, key: &str) -> &str {
        self.facts(key)[0]
    }

    /// All lines `key=…`.
    pub fn facts(&self, key: &str) -> Vec<&str> {
        self.streams.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
    }
}

impl Packet {
    /// A row `codec_type,pts,dts,size,flags,data_hash`, its times multiplied to become ms.
    pub fn of_row(row: &str, ms_per_tick: f64) -> Self {
        let fields: Vec<_> = row.split(',').collect();
        let time = |text: &str| (text.parse::<f64>().unwrap() * ms_per_tick).round() as i64;
        Self {
            kind: fields[0].into(),
            pts: time(fields[1]),
            dts: time(fields[2]),
            size: fields[3].parse().unwrap(),
            key: fields[4].starts_with('K'),
            hash: fields[5].into(),
        }
    }

    /// What a tag is in ffprobe's terms; nothing for configurations, metadata and the end of a sequence.
    pub fn of_tag(tag: &Tag) -> Option<Self> {
        let (kind, data, key, offset) = match tag.kind {
            TagKind::Video => match video::parse(&tag.body).unwrap() {
                video::Packet::Frame { keyframe, composition, data, .. } => {
                    assert_eq!(keyframe, tag.is_keyframe());
                    ("video", data, keyframe, i64::from(composition))
                }
                _ => return None,
            },
            TagKind::Audio => match audio::parse(&tag.body).unwrap() {
                audio::Packet::Frame(_, data) => ("audio", data, true, 0),
                _ => return None,
            },
            TagKind::Script => return None,
        };
        Some(Self {
            kind: kind.into(),
            pts: tag.at.0 + offset,
            dts: tag.at.0,
            size: data.len(),
            key,
            hash: adler32(&data),
        })
    }
}

/// Adler-32 (RFC 1950 §8.2) as ffprobe prints it.
pub fn adler32(data: &[u8]) -> String {
    let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    format!("adler32:{:08x}", b << 16 | a)
}
