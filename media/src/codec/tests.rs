use bytes::Bytes;
use proptest::prelude::*;

use super::*;

/// Two seconds of 320x180, `hevc_flac.flv` of the fixtures without its arrays.
const HVCC: [u8; 23] = [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 60, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 0];
const AV1C: [u8; 17] = [0x81, 0, 0x0c, 0, 0x0a, 0x0b, 2, 0, 0, 4, 0xe1, 0xe7, 0xf6, 0x60, 0x17, 0xc0, 2];

fn video(codec: VideoCodec, config: &[u8]) -> Result<VideoConfig, CodecError> {
    VideoConfig::read(codec, &Bytes::copy_from_slice(config))
}

fn audio(codec: AudioCodec, config: &[u8]) -> Result<AudioConfig, CodecError> {
    AudioConfig::read(codec, &Bytes::copy_from_slice(config))
}

#[test]
fn pictures_have_names_for_browsers() {
    let name = |codec, config: &[u8]| video(codec, config).unwrap().codec_string;
    assert_eq!(name(VideoCodec::Hevc, &HVCC), "hvc1.1.6.L60.90");
    let mut main10 = HVCC;
    (main10[1], main10[2], main10[5], main10[12]) = (0x22, 0x20, 0, 153);
    assert_eq!(name(VideoCodec::Hevc, &main10), "hvc1.2.4.H153.90");
    (main10[6], main10[7]) = (0, 0x10);
    assert_eq!(name(VideoCodec::Hevc, &main10), "hvc1.2.4.H153.0.10");
    assert_eq!(name(VideoCodec::Av1, &AV1C), "av01.0.00M.08");
    assert_eq!(name(VideoCodec::Av1, &[0x81, 0x2d, 0xc0, 0]), "av01.1.13H.10");
    assert_eq!(name(VideoCodec::Vp9, &[0, 31, 0x82, 2, 2, 2, 0, 0]), "vp09.00.31.08");
    assert_eq!(name(VideoCodec::Vp9, &[1, 0, 0, 0, 2, 0, 0xa2, 2, 2, 2, 0, 0]), "vp09.02.10.10");
    for (codec, config) in [
        (VideoCodec::Hevc, &HVCC[..22]),
        (VideoCodec::Av1, &[1, 0, 0, 0]),
        (VideoCodec::Av1, &[0x81]),
        (VideoCodec::Vp9, &[0, 31, 0x82]),
    ] {
        assert_eq!(video(codec, config), Err(CodecError::Broken));
    }
}

#[test]
fn a_record_without_its_boxs_head_is_given_one() {
    let bare = video(VideoCodec::Vp9, &[0, 31, 0x82, 2, 2, 2, 0, 0]).unwrap();
    let full = video(VideoCodec::Vp9, &[1, 0, 0, 0, 0, 31, 0x82, 2, 2, 2, 0, 0]).unwrap();
    assert_eq!(bare.record, full.record);
}

#[test]
fn sizes_are_read_where_they_are_stated() {
    assert_eq!(video(VideoCodec::Av1, &AV1C).unwrap().size(), Some((320, 180)));
    assert_eq!(video(VideoCodec::Hevc, &HVCC).unwrap().size(), None);
}

#[test]
fn opus_says_its_length_in_each_packet() {
    let head = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
    let opus = audio(AudioCodec::Opus, head).unwrap();
    assert_eq!((opus.codec_string.as_str(), opus.timescale, opus.channels), ("opus", 48_000, 2));
    assert_eq!(opus.record[..], [0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0]);
    // RFC 6716 table 2: CELT of 20 ms; SILK of 60 ms; hybrid of 10 ms twice; CELT of 2.5 ms five times.
    let packets: [(&[u8], u32); 6] =
        [(&[0xfc], 960), (&[0x18], 2880), (&[0x61], 960), (&[0x83, 5], 600), (&[], 960), (&[0xff, 0], 960)];
    for (packet, ticks) in packets {
        assert_eq!(opus.ticks(packet), ticks, "{packet:?}");
    }
    let surround = [&b"OpusHead\x01\x06\0\0\0\0\0\0\0\0\x01"[..], &[4, 2, 0, 4, 1, 2, 3, 5]].concat();
    assert_eq!(audio(AudioCodec::Opus, &surround).unwrap().record.len(), 11 + 8);
    assert_eq!(audio(AudioCodec::Opus, &surround[..24]), Err(CodecError::Broken));
    assert_eq!(audio(AudioCodec::Opus, &head[..10]), Err(CodecError::Broken));
}

#[test]
fn flac_with_and_without_its_marker() {
    let mut info = [0u8; 34];
    // Blocks of 1,024 samples; 48 kHz, mono, 16 bits.
    (info[0], info[2]) = (4, 4);
    info[10..14].copy_from_slice(&[0x0b, 0xb8, 0, 0xf0]);
    let bare = audio(AudioCodec::Flac, &info).unwrap();
    assert_eq!((bare.timescale, bare.channels, bare.ticks(&[])), (48_000, 1, 1024));
    let full = audio(AudioCodec::Flac, &[&b"fLaC\x80\0\0\x22"[..], &info].concat()).unwrap();
    assert_eq!(bare.record, full.record);
    assert_eq!(bare.record.len(), 4 + 4 + 34);
    assert_eq!(audio(AudioCodec::Flac, &info[..33]), Err(CodecError::Broken));
}

#[test]
fn a_frame_of_mp3_is_its_configuration() {
    let head = AudioConfig::head_of_mp3(&Bytes::from_static(&[0xff, 0xfb, 0x10, 0xc4, 1, 2]));
    let same = AudioConfig::head_of_mp3(&Bytes::from_static(&[0xff, 0xfb, 0x92, 0xc0, 7, 8]));
    assert_eq!(head, same, "another bit rate and padding");
    let mp3 = audio(AudioCodec::Mp3, &head).unwrap();
    assert_eq!((mp3.codec_string.as_str(), mp3.timescale, mp3.channels, mp3.ticks(&[])), ("mp3", 44_100, 1, 1152));
    let low = audio(AudioCodec::Mp3, &[0xff, 0xf3, 0x40, 0x00]).unwrap();
    assert_eq!((low.timescale, low.channels, low.ticks(&[])), (22_050, 2, 576));
    for wrong in [&[0xff, 0xfd, 0, 0][..], &[0xff, 0xeb, 0, 0], &[0xff, 0xfb, 0x0c, 0], &[0x49, 0x44, 0x33, 3], &[]] {
        assert_eq!(audio(AudioCodec::Mp3, wrong), Err(CodecError::Broken), "{wrong:?}");
    }
}

#[test]
fn each_four_cc_leads_to_its_codec() {
    assert_eq!(four_ccs().collect::<Vec<_>>(), ["avc1", "hvc1", "av01", "vp09", "mp4a", ".mp3", "Opus", "fLaC"]);
    for (codec, four_cc, _) in VIDEO {
        assert_eq!(VideoCodec::of_four_cc(&four_cc), Some(codec));
    }
    for (codec, four_cc, ..) in AUDIO {
        assert_eq!(AudioCodec::of_four_cc(&four_cc), Some(codec));
    }
    assert_eq!(VideoCodec::of_four_cc(b"Opus"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_answered(
        start in prop::sample::select(vec![vec![], HVCC.to_vec(), AV1C.to_vec(), b"OpusHead".to_vec(), vec![0xff, 0xfb]]),
        rest in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let config = [start, rest].concat();
        for (codec, ..) in VIDEO {
            if let Ok(read) = video(codec, &config) {
                let _ = read.size();
            }
        }
        for (codec, ..) in AUDIO {
            if let Ok(read) = audio(codec, &config) {
                prop_assert!(read.timescale > 0 && read.channels > 0);
                prop_assert!(read.ticks(&config) > 0);
            }
        }
    }
}
