//! Real media against independent tools: what ffmpeg wrote is read to the byte, and ffprobe reads what we write.
//!
//! The fixtures and the commands that made them are in `tests/data/README.md`. Tests that run ffprobe are passed
//! over where it is not installed, unless `MADANG_REQUIRE_FFMPEG=1` is set.

mod enhanced;
mod ffprobe;
mod fixture;
mod he_aac;

use bytes::{Bytes, BytesMut};
use fixture::{Fixture, Packet};
use madang_media::codec::{AudioCodec, VideoCodec};
use madang_media::flv::{self, Item, Reader, Tag, TagKind};
use madang_media::remux::{Options, Output, Remuxer, TrackKind};
use madang_media::{Millis, aac, amf0, avc, mp4};

const NAMES: [&str; 5] = ["baseline", "high_bframes", "open_gop", "he_aac", "he_aac_v2"];

#[test]
fn packets_are_what_ffprobe_says() {
    for name in NAMES {
        let fixture = Fixture::load(name);
        let packets: Vec<_> = fixture.tags().iter().filter_map(Packet::of_tag).collect();
        assert!(packets.len() > 90, "{name}");
        assert_eq!(packets, fixture.packets(), "{name}");
    }
}

#[test]
fn any_split_gives_the_same_tags() {
    for name in NAMES {
        let fixture = Fixture::load(name);
        for size in [1, 7, 11, 1000, 1448, 4096, 1 << 20] {
            let mut reader = Reader::new();
            let mut tags = Vec::new();
            for chunk in fixture.bytes.chunks(size) {
                reader.push(chunk);
                while let Some(item) = reader.next().unwrap() {
                    tags.extend(if let Item::Tag(tag) = item { Some(tag) } else { None });
                }
            }
            assert_eq!(tags, fixture.tags(), "{name} in pieces of {size}");
            assert_eq!(reader.buffered(), 0, "{name}");
        }
    }
}

#[test]
fn what_is_read_is_written_byte_for_byte() {
    for name in NAMES {
        let fixture = Fixture::load(name);
        let mut out = BytesMut::from(&flv::header(true, true)[..]);
        for tag in fixture.tags() {
            tag.write(&mut out);
        }
        assert!(out == fixture.bytes, "{name}");
    }
}

#[test]
fn configurations_are_what_ffprobe_says() {
    for name in NAMES {
        let fixture = Fixture::load(name);
        let (config, audio) = (fixture.avc(), fixture.aac());
        let picture = config.parameters;
        let (frames, seconds) = picture.frame_rate.unwrap();
        assert_eq!(config.level.to_string(), fixture.fact("level"));
        assert_eq!(picture.width().to_string(), fixture.fact("width"));
        assert_eq!(picture.height().to_string(), fixture.fact("height"));
        assert_eq!(format!("{}:{}", picture.sar.0, picture.sar.1), fixture.fact("sample_aspect_ratio"));
        let (top, bottom) = fixture.fact("r_frame_rate").split_once('/').unwrap();
        assert_eq!(frames * bottom.parse::<u64>().unwrap(), seconds * top.parse::<u64>().unwrap());
        assert_eq!(fixture::adler32(&config.record), fixture.fact("extradata_hash"));
        assert_eq!(audio.output_rate_hz.to_string(), fixture.fact("sample_rate"));
        assert_eq!(audio.output_channels().to_string(), fixture.fact("channels"));
        assert_eq!((audio.object_type, audio.frame_samples), (2, 1024));
        assert_eq!(audio.sbr, name.starts_with("he_aac"));
    }
    assert_eq!(Fixture::load("baseline").avc().codec_string(), "avc1.42c00c");
    assert_eq!(Fixture::load("high_bframes").avc().codec_string(), "avc1.64000d");
}

#[test]
fn metadata_are_given_by_name() {
    let (outputs, _) = remux("baseline", Options::default());
    let scripts: Vec<_> = outputs
        .iter()
        .filter_map(|output| if let Output::Script { name, value, .. } = output { Some((name, value)) } else { None })
        .collect();
    let [(name, value)] = scripts[..] else { panic!("not one script: {scripts:?}") };
    assert_eq!(name, "onMetaData");
    assert_eq!(value.get("width").and_then(amf0::Value::as_f64), Some(320.0));
    assert_eq!(value.get("framerate").and_then(amf0::Value::as_f64), Some(25.0));
    assert_eq!(value.get("stereo").and_then(amf0::Value::as_bool), Some(true));
}

/// Every packet arrives with its time, key flag and bytes, and ffprobe has nothing to complain about.
#[test]
fn ffprobe_reads_each_track() {
    let Some(ffprobe) = ffprobe::find() else { return };
    for name in NAMES {
        for fragment in [Millis(0), Millis(200)] {
            let (outputs, fixture) = remux(name, Options { fragment, ..Options::default() });
            for (track, kind) in [(TrackKind::Video, "video"), (TrackKind::Audio, "audio")] {
                let file = ffprobe.file(&format!("{name}-{kind}-{}.mp4", fragment.0), &track_bytes(&outputs, track));
                let expected: Vec<_> = fixture.packets().into_iter().filter(|packet| packet.kind == kind).collect();
                same_packets(&ffprobe.packets(&file), &expected, &format!("{name} {kind} in fragments of {fragment}"));
            }
        }
    }
}

/// Both tracks in one file, as a recording or a still would have it; decoded to the last frame.
#[test]
fn ffprobe_decodes_both_tracks_in_one_file() {
    let Some(ffprobe) = ffprobe::find() else { return };
    for name in NAMES {
        let (outputs, fixture) = remux(name, Options::default());
        let (config, audio) = (fixture.avc(), fixture.aac());
        let tracks = [
            mp4::Track {
                id: madang_media::remux::VIDEO_TRACK_ID,
                timescale: mp4::VIDEO_TIMESCALE,
                codec: mp4::Codec::Video {
                    codec: VideoCodec::Avc,
                    width: config.parameters.width() as u16,
                    height: config.parameters.height() as u16,
                    sar: config.parameters.sar,
                    record: config.record,
                },
            },
            mp4::Track {
                id: madang_media::remux::AUDIO_TRACK_ID,
                timescale: audio.sample_rate_hz,
                codec: mp4::Codec::Audio {
                    codec: AudioCodec::Aac,
                    record: fixture.config(TagKind::Audio),
                    sample_rate_hz: audio.sample_rate_hz,
                    channels: audio.channels,
                },
            },
        ];
        let mut bytes = BytesMut::from(&mp4::init_segment(&tracks).unwrap()[..]);
        for output in &outputs {
            if let Output::Fragment { bytes: fragment, .. } = output {
                bytes.extend_from_slice(fragment);
            }
        }
        let file = ffprobe.file(&format!("{name}-both.mp4"), &bytes);
        for kind in ["video", "audio"] {
            let expected: Vec<_> = fixture.packets().into_iter().filter(|packet| packet.kind == kind).collect();
            let found: Vec<_> = ffprobe.packets(&file).into_iter().filter(|packet| packet.kind == kind).collect();
            same_packets(&found, &expected, &format!("{name} {kind} in one file"));
        }
        let frames = fixture.packets().iter().filter(|packet| packet.kind == "video").count();
        assert_eq!(ffprobe.decoded_frames(&file), frames, "{name}");
        assert_eq!(ffprobe.stream_fact(&file, "sample_aspect_ratio"), fixture.fact("sample_aspect_ratio"), "{name}");
    }
}

/// Only what refers to pictures before it is lost to who begins at the key frame of an open GOP, and no break is left where that was.
#[test]
fn an_open_gop_is_decoded_from_its_key_frame_on() {
    let tags = Fixture::load("open_gop").tags();
    let keys: Vec<usize> = (0..tags.len()).filter(|at| tags[*at].is_keyframe()).collect();
    let configs = tags.iter().filter(|tag| tag.is_sequence_header());
    let mut remuxer = Remuxer::new(Options::default());
    let mut outputs = Vec::new();
    for (n, tag) in configs.chain(&tags[keys[1]..]).enumerate() {
        remuxer.push(tag).unwrap();
        outputs.extend(std::iter::from_fn(|| remuxer.poll()));
        assert_eq!(remuxer.open_gop(), n > 1);
    }
    let mut from_the_start = Remuxer::new(Options::default());
    tags.iter().take_while(|tag| !tag.is_keyframe()).for_each(|tag| from_the_start.push(tag).unwrap());
    from_the_start.push(&tags[keys[0]]).unwrap();
    assert!(!from_the_start.open_gop(), "an IDR picture");

    let Some(ffprobe) = ffprobe::find() else { return };
    let file = ffprobe.file("open_gop-joined.mp4", &track_bytes(&outputs, TrackKind::Video));
    let packets = ffprobe.packets(&file);
    // 50 pictures are left of the file; two are shown before the first key frame, and two before the other.
    assert_eq!(packets.len(), 48);
    let first = packets[0].pts;
    assert!(packets.iter().all(|packet| packet.pts >= first));
    let before_the_other = packets.windows(2).filter(|pair| pair[0].key && pair[1].pts < pair[0].pts).count();
    assert_eq!(before_the_other, 1, "what is there may be referred to");
    assert_eq!(ffprobe.decoded_frames(&file), packets.len());
    // Media Source Extensions §3.5.8: a distance of more than two durations is a break.
    let furthest = packets.windows(2).map(|pair| pair[1].dts - pair[0].dts).max();
    assert!(furthest <= Some(2 * 42), "{furthest:?}");
}

/// Times of audio differ by the rounding of FLV's stamps, nothing else may.
fn same_packets(found: &[Packet], expected: &[Packet], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: number of packets");
    for (found, expected) in found.iter().zip(expected) {
        let tolerance = if expected.kind == "audio" { 1 } else { 0 };
        assert!((found.pts - expected.pts).abs() <= tolerance, "{what}: {found:?} for {expected:?}");
        assert!((found.dts - expected.dts).abs() <= tolerance, "{what}: {found:?} for {expected:?}");
        assert_eq!(
            (found.size, found.key, &found.hash),
            (expected.size, expected.key, &expected.hash),
            "{what}: {found:?} for {expected:?}"
        );
    }
}

fn remux(name: &str, options: Options) -> (Vec<Output>, Fixture) {
    let fixture = Fixture::load(name);
    let mut remuxer = Remuxer::new(options);
    let mut outputs = Vec::new();
    for tag in fixture.tags() {
        remuxer.push(&tag).unwrap();
        outputs.extend(std::iter::from_fn(|| remuxer.poll()));
    }
    remuxer.flush();
    outputs.extend(std::iter::from_fn(|| remuxer.poll()));
    (outputs, fixture)
}

/// The init segment and the fragments of a track, one after the other.
fn track_bytes(outputs: &[Output], wanted: TrackKind) -> Vec<u8> {
    let pieces = outputs.iter().filter_map(|output| match output {
        Output::Init { track, bytes, .. } | Output::Fragment { track, bytes, .. } if *track == wanted => Some(bytes),
        _ => None,
    });
    pieces.flatten().copied().collect()
}

impl Fixture {
    fn tags(&self) -> Vec<Tag> {
        let mut reader = Reader::new();
        reader.push(&self.bytes);
        let mut tags = Vec::new();
        while let Some(item) = reader.next().unwrap() {
            match item {
                Item::Tag(tag) => tags.push(tag),
                Item::Header { has_audio, has_video } => assert!(has_audio && has_video),
            }
        }
        tags
    }

    /// The codec configuration of a track, without the tag's own header.
    fn config(&self, kind: TagKind) -> Bytes {
        let tag = self.tags().into_iter().find(|tag| tag.kind == kind && tag.is_sequence_header()).unwrap();
        tag.body.slice(if kind == TagKind::Video { 5 } else { 2 }..)
    }

    fn avc(&self) -> avc::DecoderConfig {
        avc::DecoderConfig::parse(&self.config(TagKind::Video)).unwrap()
    }

    fn aac(&self) -> aac::AudioSpecificConfig {
        aac::AudioSpecificConfig::parse(&self.config(TagKind::Audio)).unwrap()
    }
}
