use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

const AVC: [u8; 43] = [
    0x01, 0x64, 0x00, 0x2a, 0xff, 0xe1, 0x00, 0x1b, 0x67, 0x64, 0x00, 0x2a, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5,
    0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x01, 0xe0, 0x3c, 0x60, 0xc6, 0x58, 0x01, 0x00, 0x04,
    0x68, 0xeb, 0xe3, 0xcb, 0x22,
];

fn tag(kind: TagKind, at: i64, body: &[u8]) -> Tag {
    Tag { kind, at: Millis(at), body: Bytes::copy_from_slice(body) }
}

fn avc_config() -> Tag {
    tag(TagKind::Video, 0, &[&[0x17, 0, 0, 0, 0][..], &AVC].concat())
}

fn aac_config() -> Tag {
    tag(TagKind::Audio, 0, &[0xaf, 0, 0x11, 0x90])
}

fn frame(at: i64, keyframe: bool, composition: i32) -> Tag {
    let [_, a, b, c] = composition.to_be_bytes();
    tag(TagKind::Video, at, &[if keyframe { 0x17 } else { 0x27 }, 1, a, b, c, 0, 0, 0, 2, 0x65, 1])
}

fn sound(at: i64) -> Tag {
    tag(TagKind::Audio, at, &[0xaf, 1, 0x21, 0])
}

fn run(options: Options, tags: impl IntoIterator<Item = Tag>) -> Vec<Output> {
    let mut remuxer = Remuxer::new(options);
    let mut out = Vec::new();
    for tag in tags {
        remuxer.push(&tag).unwrap();
        out.extend(std::iter::from_fn(|| remuxer.poll()));
    }
    remuxer.flush();
    out.extend(std::iter::from_fn(|| remuxer.poll()));
    out
}

fn outputs(tags: impl IntoIterator<Item = Tag>) -> Vec<Output> {
    run(Options::default(), tags)
}

/// Track, decoding time in ticks, presentation start and duration in ms, key frame: a line for each fragment.
fn fragments(outputs: &[Output]) -> Vec<(TrackKind, u64, i64, i64, bool)> {
    let fragment = |output: &Output| match output {
        Output::Fragment { track, bytes, start, duration, keyframe } => {
            let tfdt = bytes.windows(4).position(|four| four == b"tfdt").unwrap() + 8;
            let decode = u64::from_be_bytes(bytes[tfdt..tfdt + 8].try_into().unwrap());
            Some((*track, decode, start.0, duration.0, *keyframe))
        }
        _ => None,
    };
    outputs.iter().filter_map(fragment).collect()
}

fn decode_times(outputs: &[Output], kind: TrackKind) -> Vec<u64> {
    fragments(outputs).into_iter().filter(|fragment| fragment.0 == kind).map(|fragment| fragment.1).collect()
}

fn inits(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Init { .. })).count()
}

#[test]
fn a_frame_comes_out_with_its_tag() {
    let mut remuxer = Remuxer::default();
    for tag in [avc_config(), frame(1000, true, 0)] {
        remuxer.push(&tag).unwrap();
    }
    let Some(Output::Init { track: TrackKind::Video, mime, video, audio: None, .. }) = remuxer.poll() else {
        panic!("no init segment")
    };
    assert_eq!(mime, "video/mp4; codecs=\"avc1.64002a\"");
    assert_eq!(video, Some(VideoParams { width: 1920, height: 1080 }));
    let fragment = remuxer.poll().unwrap();
    assert_eq!(fragments(&[fragment]), [(TrackKind::Video, 0, 0, 17, true)], "60 fps by the configuration");
    assert_eq!(remuxer.zero_stamp(), Some(Millis(1000)));
}

#[test]
fn one_time_base_for_both_tracks() {
    let out =
        outputs([avc_config(), aac_config(), frame(5000, true, 80), sound(5010), frame(5033, false, 60), sound(5031)]);
    assert_eq!(
        fragments(&out),
        [
            (TrackKind::Video, 0, 80, 17, true),
            (TrackKind::Audio, 480, 10, 21, true),
            (TrackKind::Video, 33, 93, 33, false),
            (TrackKind::Audio, 480 + 1024, 31, 22, true),
        ]
    );
}

#[test]
fn what_cannot_be_decoded_yet_is_dropped() {
    let out = outputs([
        sound(0),
        frame(0, true, 0),
        avc_config(),
        frame(33, false, 0),
        tag(TagKind::Video, 40, &[]),
        tag(TagKind::Audio, 40, &[]),
        tag(TagKind::Video, 50, &[0x17, 2, 0, 0, 0]),
        frame(66, true, 0),
    ]);
    assert_eq!(fragments(&out), [(TrackKind::Video, 0, 0, 17, true)]);
    assert_eq!(inits(&out), 1);
}

#[test]
fn the_same_configuration_is_no_change_and_another_one_is() {
    let mut other = avc_config();
    other.body = Bytes::from([&other.body[..], &[0]].concat());
    let out = outputs([
        avc_config(),
        frame(0, true, 0),
        avc_config(),
        frame(33, false, 0),
        other,
        frame(66, false, 0),
        frame(100, true, 0),
    ]);
    assert_eq!(inits(&out), 2);
    let shown: Vec<_> = fragments(&out).iter().map(|fragment| fragment.2).collect();
    assert_eq!(shown, [0, 33, 100], "after a change a key frame comes first");
    let mono = tag(TagKind::Audio, 0, &[0xaf, 0, 0x12, 0x08]);
    let out = outputs([aac_config(), sound(0), aac_config(), sound(21), mono, sound(43), sound(66)]);
    assert_eq!(inits(&out), 2);
    let times = decode_times(&out, TrackKind::Audio);
    assert_eq!(times[..2], [0, 1024]);
    assert_eq!(times[2], 2048 * 441 / 480 + 1, "the count goes on in ticks of 44,100 Hz");
}

#[test]
fn a_broken_configuration_stops_the_track_until_a_good_one() {
    let mut remuxer = Remuxer::default();
    let broken = tag(TagKind::Video, 0, &[0x17, 0, 0, 0, 0, 1, 100, 0, 31, 0xff, 0xe0, 0]);
    remuxer.push(&avc_config()).unwrap();
    remuxer.push(&frame(0, true, 0)).unwrap();
    assert_eq!(remuxer.push(&broken), Err(RemuxError::Codec(codec::CodecError::Avc(avc::AvcError::NoSps))));
    remuxer.push(&frame(33, true, 0)).unwrap();
    remuxer.push(&avc_config()).unwrap();
    remuxer.push(&frame(66, true, 0)).unwrap();
    let out: Vec<_> = std::iter::from_fn(|| remuxer.poll()).collect();
    let shown: Vec<_> = fragments(&out).iter().map(|fragment| fragment.2).collect();
    assert_eq!((inits(&out), shown), (2, vec![0, 66]));
}

#[test]
fn frames_whose_nal_units_do_not_add_up_are_left_out() {
    let mut remuxer = Remuxer::default();
    remuxer.push(&avc_config()).unwrap();
    let bad = tag(TagKind::Video, 0, &[0x17, 1, 0, 0, 0, 0, 0, 0, 9, 1]);
    assert_eq!(remuxer.push(&bad), Err(RemuxError::NalLength(avc::BadNalLength)));
    remuxer.push(&frame(33, false, 0)).unwrap();
    remuxer.push(&frame(66, true, 0)).unwrap();
    let out: Vec<_> = std::iter::from_fn(|| remuxer.poll()).collect();
    assert_eq!(fragments(&out).len(), 1, "a bad key frame is none");
}

#[test]
fn other_codecs_are_said_once() {
    let vp8 = tag(TagKind::Video, 0, b"\x90vp08");
    let ac3 = tag(TagKind::Audio, 0, b"\x90ac-3x");
    let out = outputs([vp8.clone(), ac3.clone(), vp8, ac3]);
    assert_eq!(
        out,
        [
            Output::Unsupported { track: TrackKind::Video, codec: "VP8".into() },
            Output::Unsupported { track: TrackKind::Audio, codec: "AC-3".into() },
        ]
    );
}

#[test]
fn script_data_have_a_name_and_a_value() {
    let value = amf0::Value::EcmaArray(vec![("framerate".into(), 10.0.into())]);
    let mut body = BytesMut::new();
    for value in ["@setDataFrame".into(), "onMetaData".into(), value.clone()] {
        amf0::write(&value, &mut body);
    }
    let script = tag(TagKind::Script, 0, &body);
    let bare = tag(TagKind::Script, 0, b"\x02\0\x06onCue!");
    let out = outputs([script, bare, tag(TagKind::Script, 0, &[])]);
    assert_eq!(
        out,
        [
            Output::Script { at: Millis(0), name: "onMetaData".into(), value },
            Output::Script { at: Millis(0), name: "onCue!".into(), value: amf0::Value::Undefined },
        ]
    );
    let mut remuxer = Remuxer::default();
    assert_eq!(remuxer.push(&tag(TagKind::Script, 0, &[5])), Err(RemuxError::UnnamedScript));
    assert!(matches!(remuxer.push(&tag(TagKind::Script, 0, &[2, 9])), Err(RemuxError::Script(_))));
}

#[test]
fn stamps_that_stand_still_or_run_back_still_advance() {
    let stamps = [0, 33, 33, 33, 20, 100];
    let out = outputs([avc_config()].into_iter().chain(stamps.map(|at| frame(at, at == 0, 0))));
    let times = decode_times(&out, TrackKind::Video);
    assert_eq!(times, [0, 33, 34, 35, 36, 100]);
}

#[test]
fn negative_offsets_reach_the_trun_and_time_stays_positive() {
    let out = outputs([avc_config(), frame(0, true, -40), frame(100, false, -40)]);
    let shown: Vec<_> = fragments(&out).iter().map(|fragment| fragment.2).collect();
    assert_eq!(shown, [0, 60]);
}

/// MediaSource drops video up to the next key frame when a decoding time is more than two durations after the last.
#[test]
fn a_pause_is_no_break_for_media_source() {
    let stamps = [0, 33, 66, 1066, 1100, 1133, 4000, 4033, 4066, 4100, 4133, 4166];
    let out = outputs([avc_config()].into_iter().chain(stamps.map(|at| frame(at, at == 0, 0))));
    let list = fragments(&out);
    for pair in list.windows(2) {
        assert!(pair[1].1 > pair[0].1 && pair[1].1 - pair[0].1 <= 2 * pair[0].3 as u64, "{list:?}");
    }
    let shown: Vec<_> = list.iter().map(|fragment| fragment.2).collect();
    assert_eq!(shown, stamps, "every frame is shown on time");
}

#[test]
fn a_long_hole_before_a_keyframe_stays_a_hole() {
    let out = outputs([avc_config(), frame(0, true, 0), frame(33, false, 0), frame(5000, true, 0)]);
    assert_eq!(decode_times(&out, TrackKind::Video), [0, 33, 5000]);
}

#[test]
fn sound_follows_the_count_of_samples() {
    // Stamps rounded to ms, and jitter of an encoder that stamps two frames at once.
    let stamps = (0..200i64).map(|frame| (frame / 2 * 2) * 1024 * 1000 / 48_000 + frame % 3);
    let out = outputs([aac_config()].into_iter().chain(stamps.map(sound)));
    let expected: Vec<_> = (0..200u64).map(|frame| frame * 1024).collect();
    assert_eq!(decode_times(&out, TrackKind::Audio), expected);
}

fn sound_at(skew: impl Fn(i64) -> i64) -> Vec<(TrackKind, u64, i64, i64, bool)> {
    let stamps = (0..1000i64).map(|frame| frame * 64 / 3 + skew(frame));
    fragments(&outputs([aac_config()].into_iter().chain(stamps.map(sound))))
}

#[test]
fn lost_sound_is_bridged_or_left_open() {
    let bridged = sound_at(|frame| if frame >= 500 { 200 } else { 0 });
    assert_eq!(bridged.len(), 1000);
    assert!(bridged.windows(2).all(|pair| (pair[1].2 - pair[0].2 - pair[0].3).abs() <= 1), "no gap");
    let (last, stamp) = (bridged[999].2, 999 * 64 / 3 + 200);
    assert!((last - stamp).abs() <= 2, "{last} against {stamp}");
    let open = sound_at(|frame| if frame >= 500 { 2000 } else { 0 });
    let gaps = open.windows(2).filter(|pair| pair[1].2 - pair[0].2 - pair[0].3 > 1).count();
    assert_eq!((open.len(), gaps), (1000, 1));
}

#[test]
fn a_clock_that_runs_differently_is_followed_either_way() {
    for parts in [-200, 200] {
        // Half a percent fast or slow: 107 ms over the run.
        let list = sound_at(|frame| frame * 64 / 3 / parts);
        let stamp = 999 * 64 / 3 + 999 * 64 / 3 / parts;
        assert!((list.last().unwrap().2 - stamp).abs() <= 75, "{parts}");
        assert!(list.windows(2).all(|pair| pair[1].1 > pair[0].1));
    }
}

#[test]
fn how_far_sound_has_drifted_is_said() {
    for (parts, drift) in [(-200, -42..=-41), (200, 41..=43)] {
        let mut remuxer = Remuxer::default();
        assert_eq!(remuxer.drift(), Millis(0));
        remuxer.push(&aac_config()).unwrap();
        // Half a percent of 400 frames.
        (0..400).for_each(|frame| remuxer.push(&sound(frame * 64 / 3 + frame * 64 / 3 / parts)).unwrap());
        assert!(drift.contains(&remuxer.drift().0), "{parts}: {:?}", remuxer.drift());
    }
}

#[test]
fn an_encoder_that_starts_over_goes_on_on_the_timeline() {
    let first = (0..30).map(|i| frame(1_000_000 + i * 33, i == 0, 0));
    let second = (0..30).map(|i| frame(i * 33, i == 0, 0));
    let list = fragments(&outputs([avc_config()].into_iter().chain(first).chain(second)));
    assert_eq!(list.len(), 60);
    assert!(list.windows(2).all(|pair| (1..=66).contains(&(pair[1].2 - pair[0].2))), "{list:?}");
}

#[test]
fn a_start_places_the_stream() {
    let options = Options { start: Millis(10_000), ..Options::default() };
    let out = run(options, [avc_config(), frame(77, true, 0)]);
    assert_eq!(fragments(&out), [(TrackKind::Video, 10_000, 10_000, 17, true)]);
    let options = Options { origin: Some(Millis(0)), ..Options::default() };
    assert_eq!(fragments(&run(options, [avc_config(), frame(77, true, 0)]))[0].2, 77);
}

#[test]
fn frames_may_be_gathered() {
    let options = Options { fragment: Millis(100), ..Options::default() };
    let frames = (0..8).map(|i| frame(i * 40, i == 0 || i == 5, 0));
    let out = run(options, [avc_config()].into_iter().chain(frames));
    let list = fragments(&out);
    let lines: Vec<_> = list.iter().map(|(_, decode, _, duration, key)| (*decode, *duration, *key)).collect();
    assert_eq!(lines, [(0, 120, true), (120, 80, false), (200, 120, true)]);
}

fn any_tag() -> impl Strategy<Value = Tag> {
    let at = prop_oneof![4 => 0i64..5000, 1 => any::<i64>()];
    let sane = (at.clone(), any::<bool>(), -200i32..200).prop_map(|(at, key, offset)| frame(at, key, offset));
    let noise = (
        at.clone(),
        prop::sample::select(vec![TagKind::Audio, TagKind::Video, TagKind::Script]),
        prop::collection::vec(any::<u8>(), 0..40),
    );
    let near = (at.clone(), prop::sample::select(vec![0x17u8, 0x27, 0xaf]), prop::collection::vec(any::<u8>(), 0..40));
    // Other codecs, configured well enough to be taken, and frames of them.
    let starts: [(TagKind, &[u8]); 12] = [
        (TagKind::Video, b"\x90av01\x81\0\x0c\0"),
        (TagKind::Video, b"\x91av01"),
        (TagKind::Video, b"\x90vp09\0\x1f\x82\x02\x02\x02\0\0"),
        (TagKind::Video, b"\xa3vp09"),
        (TagKind::Video, b"\x90hvc1"),
        (TagKind::Video, b"\x96\x11hvc1\0\0\0\x09"),
        (TagKind::Audio, b"\x90OpusOpusHead\x01\x02\0\0\x80\xbb\0\0\0\0\0"),
        (TagKind::Audio, b"\x91Opus"),
        (TagKind::Audio, b"\x2f\xff\xfb\x10\xc4"),
        (TagKind::Audio, b"\x2f\xff\xf3\x44"),
        (TagKind::Audio, b"\x90fLaC\x04\0\x04\0\0\0\0\0\0\0\x0b\xb8"),
        (TagKind::Audio, b"\x97\x01\0\0\x01fLaC"),
    ];
    let other = (at.clone(), prop::sample::select(starts.to_vec()), prop::collection::vec(any::<u8>(), 0..40));
    prop_oneof![
        4 => sane,
        4 => other.prop_map(|(at, (kind, start), rest)| tag(kind, at, &[start, &rest[..]].concat())),
        4 => at.prop_map(sound),
        1 => Just(avc_config()),
        1 => Just(aac_config()),
        1 => noise.prop_map(|(at, kind, body)| tag(kind, at, &body)),
        1 => near.prop_map(|(at, first, rest)| {
            let kind = if first == 0xaf { TagKind::Audio } else { TagKind::Video };
            tag(kind, at, &[&[first], &rest[..]].concat())
        }),
    ]
}

proptest! {
    #[test]
    fn any_tags_give_increasing_decoding_times(
        tags in prop::collection::vec(any_tag(), 0..80),
        length in prop_oneof![Just(0i64), 0i64..200],
        start in 0i64..10_000,
    ) {
        let mut remuxer = Remuxer::new(Options { fragment: Millis(length), start: Millis(start), origin: None });
        let mut out = Vec::new();
        for tag in [avc_config(), aac_config()].iter().chain(&tags) {
            let _ = remuxer.push(tag);
            out.extend(std::iter::from_fn(|| remuxer.poll()));
        }
        remuxer.flush();
        out.extend(std::iter::from_fn(|| remuxer.poll()));
        // A new configuration may change the ticks of audio, so times are compared up to it.
        for run in out.split(|output| matches!(output, Output::Init { .. })) {
            for kind in [TrackKind::Audio, TrackKind::Video] {
                let times = decode_times(run, kind);
                prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", times);
            }
            prop_assert!(fragments(run).iter().all(|fragment| fragment.2 >= 0 && fragment.3 >= 0));
        }
    }
}

#[test]
fn what_refers_to_pictures_that_are_not_here_is_left_out() {
    let key = |at: i64, nal: u8| tag(TagKind::Video, at, &[0x17, 1, 0, 0, 80, 0, 0, 0, 2, nal, 1]);
    let mut remuxer = Remuxer::default();
    // A key frame shown 80 ms after it is decoded; then one that is shown before it, and one that is not.
    let mut shown = |tags: &[Tag], begins: bool| -> Vec<i64> {
        let mut shown = Vec::new();
        for (n, tag) in tags.iter().enumerate() {
            remuxer.push(tag).unwrap();
            if begins && n == 0 {
                remuxer.begin_here();
            }
            let outputs: Vec<_> = std::iter::from_fn(|| remuxer.poll()).collect();
            shown.extend(fragments(&outputs).into_iter().map(|(_, _, shown, ..)| shown));
        }
        shown
    };
    let gop = |at: i64, nal| [key(at, nal), frame(at + 40, false, 0), frame(at + 80, false, 120)];
    assert!(shown(&[avc_config()], false).is_empty());
    assert_eq!(shown(&gop(0, 0x41), false), [80, 200], "the stream begins with an open GOP");
    assert_eq!(shown(&gop(120, 0x41), false), [200, 160, 320], "what was before is here");
    assert_eq!(shown(&gop(900, 0x41), false), [980, 1100], "after a gap it is not");
    assert_eq!(shown(&gop(1_020, 0x41), true), [1_100, 1_220], "nor for who begins anew");
    assert_eq!(shown(&gop(2_000, 0x65), false), [2_080, 2_040, 2_200], "nothing refers over an IDR picture");
}
