//! HE-AAC, with and without parametric stereo: what it says of itself, and that it is decoded at twice its core's rate.

use super::fixture::{self, Fixture};
use super::{ffprobe, remux, track_bytes};
use madang_media::flv::TagKind;
use madang_media::remux::{AudioParams, Options, Output, TrackKind};

struct Sound {
    name: &'static str,
    /// The audio object type that the configuration begins with.
    first_type: u8,
    ps: bool,
    core_channels: u8,
    codec: &'static str,
    /// As ffprobe names it.
    profile: &'static str,
}

const SOUNDS: [Sound; 2] = [
    // Backward compatible: AAC-LC comes first, SBR after it.
    Sound { name: "he_aac", first_type: 2, ps: false, core_channels: 2, codec: "mp4a.40.5", profile: "HE-AAC" },
    // Hierarchical: SBR with PS comes first, AAC-LC after it.
    Sound { name: "he_aac_v2", first_type: 29, ps: true, core_channels: 1, codec: "mp4a.40.29", profile: "HE-AACv2" },
];

/// Samples of a decoded frame, per channel.
const FRAME_SAMPLES: u32 = 2048;
const OUTPUT_RATE_HZ: u32 = 48_000;

#[test]
fn both_ways_to_signal_it_are_read() {
    for sound in SOUNDS {
        let fixture = Fixture::load(sound.name);
        let (bytes, config) = (fixture.config(TagKind::Audio), fixture.aac());
        assert_eq!(bytes[0] >> 3, sound.first_type, "{}", sound.name);
        assert_eq!((config.object_type, config.sbr, config.ps), (2, true, sound.ps), "{}", sound.name);
        assert_eq!((config.sample_rate_hz, config.output_rate_hz), (24_000, OUTPUT_RATE_HZ), "{}", sound.name);
        assert_eq!((config.channels, config.output_channels()), (sound.core_channels, 2), "{}", sound.name);
        assert_eq!((config.frame_samples, config.codec_string().as_str()), (1024, sound.codec), "{}", sound.name);
        assert_eq!(fixture::adler32(&bytes), fixture.facts("extradata_hash")[1], "{}", sound.name);
    }
}

#[test]
fn a_player_is_told_of_the_decoded_sound() {
    for sound in SOUNDS {
        let (outputs, _) = remux(sound.name, Options::default());
        let told: Vec<_> = outputs
            .iter()
            .filter_map(|output| match output {
                Output::Init { mime, audio: Some(audio), .. } => Some((mime.clone(), *audio)),
                _ => None,
            })
            .collect();
        let decoded = AudioParams { sample_rate_hz: OUTPUT_RATE_HZ, channels: 2 };
        assert_eq!(told, [(format!("audio/mp4; codecs=\"{}\"", sound.codec), decoded)], "{}", sound.name);
    }
}

#[test]
fn ffprobe_decodes_the_whole_spectrum() {
    let Some(ffprobe) = ffprobe::find() else { return };
    for sound in SOUNDS {
        let (outputs, fixture) = remux(sound.name, Options::default());
        let file = ffprobe.file(&format!("{}-decoded.mp4", sound.name), &track_bytes(&outputs, TrackKind::Audio));
        for (key, value) in [("profile", sound.profile), ("sample_rate", "48000"), ("channels", "2")] {
            assert_eq!(ffprobe.stream_fact(&file, key), value, "{}", sound.name);
        }
        let packets = ffprobe.packets(&file);
        assert_eq!(packets.len(), fixture.packets().iter().filter(|packet| packet.kind == "audio").count());
        for (n, packet) in packets.iter().enumerate() {
            let ms = n as f64 * f64::from(FRAME_SAMPLES) * 1000.0 / f64::from(OUTPUT_RATE_HZ);
            assert_eq!(packet.pts, ms.round() as i64, "{}: packet {n}", sound.name);
        }
        assert_eq!(ffprobe.decoded_samples(&file), vec![FRAME_SAMPLES; packets.len()], "{}", sound.name);
    }
}
