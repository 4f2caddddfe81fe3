//! The codecs of Enhanced RTMP, and MP3: what a newer ffmpeg wrote is read to the byte, and ffprobe reads what we write of it.

use super::fixture::{Fixture, Packet};
use super::{ffprobe, remux};
use madang_media::Millis;
use madang_media::flv::{Tag, TagKind};
use madang_media::remux::{Options, Output, TrackKind};

/// Fixture, types of picture and sound, the codec that ffprobe names for each.
const MATRIX: [(&str, &str, Option<&str>, &str, &str); 5] = [
    ("av1_opus", "av01.0.00M.08", Some("opus"), "av1", "opus"),
    ("hevc_flac", "hvc1.1.6.L60.90", Some("flac"), "hevc", "flac"),
    ("vp9", "vp09.00.11.08", None, "vp9", ""),
    ("avc_mp3", "avc1.42c00c", Some("mp3"), "h264", "mp3"),
    ("multitrack", "avc1.42c00c", Some("mp4a.40.2"), "h264", "aac"),
];

fn of_kind(packets: Vec<Packet>, kind: &str) -> Vec<Packet> {
    packets.into_iter().filter(|packet| packet.kind == kind).collect()
}

/// Stamps, sizes and bytes, in the order of the file.
fn facts(packets: &[Packet]) -> Vec<(i64, i64, usize, &str)> {
    packets.iter().map(|packet| (packet.pts, packet.dts, packet.size, packet.hash.as_str())).collect()
}

#[test]
fn packets_are_what_a_newer_ffmpeg_says() {
    for (name, _, sound, ..) in MATRIX {
        let fixture = Fixture::load(name);
        let packets: Vec<_> = fixture.tags().iter().filter_map(Packet::of_tag).collect();
        for kind in ["video", "audio"] {
            let found = of_kind(packets.clone(), kind);
            let expected =
                if kind == "audio" && sound.is_none() { Vec::new() } else { of_kind(fixture.packets(), kind) };
            assert_eq!(facts(&found), facts(&expected), "{name} {kind}");
        }
        let keys = packets.iter().filter(|packet| packet.kind == "video" && packet.key).count();
        assert_eq!(keys, 2, "{name}: a key frame a second");
    }
}

/// What is told of a track: its type, and what a track's file is made of.
fn track(outputs: &[Output], wanted: TrackKind) -> (String, Vec<u8>) {
    let mut told = (String::new(), Vec::new());
    for output in outputs {
        match output {
            // FLAC's configuration comes once more at the end, with sums that are known then.
            Output::Init { track, mime, bytes, .. } if *track == wanted && told.1.is_empty() => {
                told = (mime.clone(), bytes.to_vec());
            }
            Output::Fragment { track, bytes, .. } if *track == wanted => told.1.extend_from_slice(bytes),
            _ => {}
        }
    }
    told
}

#[test]
fn ffprobe_reads_each_codec() {
    let Some(ffprobe) = ffprobe::find() else { return };
    for (name, picture, sound, picture_name, sound_name) in MATRIX {
        let options = Options { origin: Some(Millis(0)), ..Options::default() };
        let (outputs, fixture) = remux(name, options);
        let tracks =
            [("video", TrackKind::Video, Some(picture), picture_name), ("audio", TrackKind::Audio, sound, sound_name)];
        for (kind, wanted, codec, codec_name) in tracks {
            let Some(codec) = codec else {
                let left_out = |output: &Output| matches!(output, Output::Unsupported { codec, .. } if codec == "AC-3");
                assert_eq!(outputs.iter().filter(|output| left_out(output)).count(), 1);
                continue;
            };
            let (mime, bytes) = track(&outputs, wanted);
            assert_eq!(mime, format!("{kind}/mp4; codecs=\"{codec}\""), "{name}");
            let file = ffprobe.file(&format!("{name}-{kind}.mp4"), &bytes);
            assert_eq!(ffprobe.codecs(&file), [codec_name], "{name}");
            let (found, expected) = (ffprobe.packets(&file), of_kind(fixture.packets(), kind));
            assert_eq!(found.len(), expected.len(), "{name} {kind}");
            for (found, expected) in found.iter().zip(&expected) {
                let off = (found.pts - expected.pts).abs().max((found.dts - expected.dts).abs());
                assert!(off <= if kind == "audio" { 2 } else { 0 }, "{name} {kind}: {found:?} for {expected:?}");
                assert_eq!((found.size, &found.hash), (expected.size, &expected.hash), "{name} {kind}");
            }
            if kind == "video" {
                assert_eq!(ffprobe.stream_fact(&file, "width"), "320", "{name}");
                assert_eq!(ffprobe.stream_fact(&file, "height"), "180", "{name}");
                assert_eq!(ffprobe.decoded_frames(&file), expected.len(), "{name}");
            }
        }
    }
}

/// The number of the track that a tag of packet type multitrack is of.
fn other_track(tag: &Tag) -> Option<u8> {
    let of_several = match tag.kind {
        TagKind::Video => tag.body[0] & 0x8f == 0x86,
        TagKind::Audio => tag.body[0] == 0x95,
        TagKind::Script => false,
    };
    // After the packet type, the kind of multitrack (one track) with the true packet type, and the FourCC.
    of_several.then(|| tag.body[6])
}

#[test]
fn tracks_but_the_first_are_passed_over() {
    let (outputs, fixture) = remux("multitrack", Options::default());
    let tags = fixture.tags();
    for (kind, track, expected) in [(TagKind::Video, 1, 51), (TagKind::Audio, 1, 90), (TagKind::Audio, 2, 103)] {
        let others: Vec<_> = tags.iter().filter(|tag| tag.kind == kind && other_track(tag) == Some(track)).collect();
        assert_eq!(others.len(), expected, "{kind:?} {track}");
        for tag in others {
            assert_eq!(Packet::of_tag(tag), None);
            assert!(!tag.is_sequence_header() && !tag.is_keyframe());
        }
    }
    for (kind, wanted) in [("video", TrackKind::Video), ("audio", TrackKind::Audio)] {
        let inits = outputs.iter().filter(|output| matches!(output, Output::Init { track, .. } if *track == wanted));
        let fragments =
            outputs.iter().filter(|output| matches!(output, Output::Fragment { track, .. } if *track == wanted));
        assert_eq!((inits.count(), fragments.count()), (1, of_kind(fixture.packets(), kind).len()), "{kind}");
    }
    assert!(!outputs.iter().any(|output| matches!(output, Output::Unsupported { .. })));
}
