//! Which tags become which flights.

use super::*;
use crate::live::testing::{aac_config, avc_config, inter, key, metadata, other_avc_config, script, sound};
use bytes::Bytes;
use madang_media::{
    amf0::{self, Value},
    flv::Item,
};
use madang_protocol::studio::TroubleKind;

/// When everything comes, by the clock on the wall.
const RECEIVED: UnixMillis = UnixMillis(1_767_225_600_123);

struct Bench {
    assembler: Assembler,
    now: Instant,
    closed: Vec<Draft>,
}

impl Bench {
    fn new(limits: &LiveLimits) -> Self {
        Self { assembler: Assembler::new(limits, Continues::default()), now: Instant::now(), closed: Vec::new() }
    }

    fn push(&mut self, tag: Tag) -> Result<(), Dropped> {
        self.assembler.push(&tag, self.now, RECEIVED, &mut self.closed)
    }

    fn push_all(&mut self, tags: impl IntoIterator<Item = Tag>) {
        for tag in tags {
            self.push(tag).expect("a tag that is sent");
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    fn flush(&mut self) -> Vec<Draft> {
        self.assembler.close(&mut self.closed);
        std::mem::take(&mut self.closed)
    }
}

/// Flights long enough for a picture of 30 a second and the sound beside it.
fn limits() -> LiveLimits {
    LiveLimits { flight: Duration::from_millis(40), ..LiveLimits::default() }
}

/// The tags of a flight, without those that only tell the time of a key frame.
fn tags(bytes: &Bytes) -> Vec<Tag> {
    let clock = mark::before(false, Some(RECEIVED)).expect("says something");
    all_tags(bytes).into_iter().filter(|tag| tag.body != clock).collect()
}

fn all_tags(bytes: &Bytes) -> Vec<Tag> {
    let mut reader = flv::Reader::new();
    reader.push(Bytes::copy_from_slice(&flv::header(true, true)));
    reader.push(bytes.clone());
    std::iter::from_fn(|| reader.next().expect("well formed"))
        .filter_map(|item| match item {
            Item::Tag(tag) => Some(tag),
            Item::Header { .. } => None,
        })
        .collect()
}

fn stamps(draft: &Draft) -> Vec<(TagKind, i64)> {
    tags(&draft.bytes).into_iter().map(|tag| (tag.kind, tag.at.get())).collect()
}

#[test]
fn a_key_frame_starts_a_flight_and_flights_hold_what_came_between() {
    let mut bench = Bench::new(&limits());
    bench.push_all([
        avc_config(),
        aac_config(),
        key(1000, 50),
        sound(1010),
        inter(1033, 50),
        key(1066, 50),
        sound(1070),
    ]);
    let flights = bench.flush();
    let (video, audio) = (TagKind::Video, TagKind::Audio);
    assert_eq!(
        flights.iter().map(stamps).collect::<Vec<_>>(),
        [vec![(video, 0), (audio, 10), (video, 33)], vec![(video, 66), (audio, 70)]]
    );
    assert!(flights.iter().all(|flight| flight.starts_with_keyframe && flight.joinable));
    assert!(Arc::ptr_eq(&flights[0].headers, &flights[1].headers));
}

#[test]
fn bodies_are_passed_on_to_the_byte() {
    let mut bench = Bench::new(&limits());
    let sent = [key(0, 5000), sound(3), inter(33, 700)];
    bench.push_all([avc_config(), aac_config()]);
    bench.push_all(sent.clone());
    let received: Vec<Tag> = bench.flush().iter().flat_map(|flight| tags(&flight.bytes)).collect();
    assert_eq!(received, sent);
}

#[test]
fn a_key_frame_is_preceded_by_when_it_came() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), key(0, 10), inter(33, 10), key(66, 10)]);
    for flight in bench.flush() {
        let tags = all_tags(&flight.bytes);
        let values = amf0::read_all(&tags[0].body, &amf0::Limits::default()).expect("AMF0");
        assert_eq!(values[0].as_str(), Some("madang"));
        assert_eq!(values[1].get("clock").and_then(Value::as_f64), Some(1_767_225_600_123.0));
        assert!(tags[1].is_keyframe() && tags[0].at == tags[1].at && flight.starts_with_keyframe);
        assert_eq!(tags.iter().filter(|tag| tag.kind == TagKind::Script).count(), 1);
    }
}

#[test]
fn a_flight_is_closed_at_its_age() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), aac_config(), key(0, 50)]);
    let opened = bench.now;
    assert_eq!(bench.assembler.due(), Some(opened + Duration::from_millis(40)));
    bench.pass(39);
    bench.push_all([sound(33)]);
    assert!(bench.closed.is_empty());
    bench.pass(1);
    bench.push_all([sound(54)]);
    assert_eq!(bench.closed.len(), 1);
    assert_eq!(bench.assembler.due(), None);
}

#[test]
fn a_picture_leaves_at_once_when_the_next_would_come_too_late_for_its_flight() {
    // Pictures this far apart, and what a flight of 40 ms makes of them: one in each, or two.
    for (apart_ms, pictures) in [(33, 1), (17, 2)] {
        let mut bench = Bench::new(&limits());
        bench.push_all([avc_config(), aac_config(), key(0, 10)]);
        for n in 1..=60 {
            bench.pass(10);
            bench.push_all([sound(n * apart_ms - apart_ms + 10)]);
            bench.pass(apart_ms.unsigned_abs() - 10);
            bench.push_all([inter(n * apart_ms, 10)]);
        }
        let flights = bench.flush();
        for flight in flights.iter().skip(2) {
            let kinds: Vec<TagKind> = tags(&flight.bytes).iter().map(|tag| tag.kind).collect();
            assert_eq!(kinds.last(), Some(&TagKind::Video), "{apart_ms}");
            assert_eq!(kinds.iter().filter(|kind| **kind == TagKind::Video).count(), pictures, "{apart_ms}");
        }
    }
}

#[test]
fn pictures_that_come_in_one_burst_stay_in_one_flight() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), key(0, 10)]);
    bench.push_all((1..30).map(|n| inter(n * 33, 10)));
    assert!(bench.closed.is_empty());
}

#[test]
fn a_flight_is_closed_at_its_size() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), key(0, 200_000), inter(33, 100_000), inter(66, 40_000), inter(99, 10)]);
    let sizes: Vec<usize> = bench.flush().iter().map(|flight| flight.bytes.len()).collect();
    // 44 bytes tell when the key frame came.
    assert_eq!(sizes, [200_020 + 44, 140_040, 30]);
}

#[test]
fn without_a_flight_time_each_tag_goes_by_itself() {
    let mut bench = Bench::new(&LiveLimits { flight: Duration::ZERO, ..LiveLimits::default() });
    bench.push_all([avc_config(), aac_config(), key(0, 10), sound(1), inter(33, 10)]);
    assert_eq!(bench.closed.len(), 3);
}

#[test]
fn nothing_is_sent_before_the_first_key_frame() {
    let mut bench = Bench::new(&limits());
    assert_eq!(bench.push(key(0, 10)), Err(Dropped::NotYet), "no configuration yet");
    bench.push_all([avc_config(), aac_config()]);
    assert_eq!(bench.push(inter(0, 10)), Err(Dropped::NotYet));
    bench.pass(5000);
    assert_eq!(bench.push(sound(0)), Err(Dropped::NotYet));
    bench.push_all([key(5040, 10), sound(5041)]);
    assert_eq!(stamps(&bench.flush()[0]), [(TagKind::Video, 0), (TagKind::Audio, 1)]);
}

#[test]
fn sound_alone_starts_after_half_a_second_without_a_picture() {
    let mut bench = Bench::new(&limits());
    bench.push_all([aac_config()]);
    for at in (0..500).step_by(20) {
        assert_eq!(bench.push(sound(at)), Err(Dropped::NotYet));
        bench.pass(20);
    }
    bench.push_all([sound(500)]);
    let flights = bench.flush();
    assert!(flights[0].joinable && !flights[0].starts_with_keyframe);
    assert_eq!(flights[0].headers.first.get(4), Some(&4), "an FLV header that promises sound only");
}

#[test]
fn a_track_that_appears_later_begins_an_epoch_that_the_old_flights_fit_too() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), key(0, 10), inter(33, 10), aac_config(), sound(40), inter(66, 10)]);
    let flights = bench.flush();
    let epochs: Vec<(u64, u64)> = flights.iter().map(|f| (f.headers.epoch, f.headers.compatible_from)).collect();
    assert_eq!(epochs, [(0, 0), (1, 0)]);
    assert_eq!(flights[0].headers.first.get(4), Some(&1));
    assert_eq!(flights[1].headers.first.get(4), Some(&5));
    let change: Vec<TagKind> = tags(&flights[1].headers.change).iter().map(|tag| tag.kind).collect();
    assert_eq!(change, [TagKind::Script, TagKind::Video, TagKind::Audio]);
    assert!(!flights[1].joinable);
}

#[test]
fn another_configuration_closes_the_flight_and_waits_for_its_key_frame() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), aac_config(), key(0, 10), avc_config(), inter(33, 10), other_avc_config()]);
    assert_eq!(bench.closed.len(), 1);
    assert_eq!(bench.push(inter(66, 10)), Err(Dropped::NotYet));
    bench.push_all([sound(70), key(100, 10)]);
    let flights = bench.flush();
    assert_eq!(flights.iter().map(|f| f.headers.epoch).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(flights[1].headers.compatible_from, 1);
    assert_eq!(flights.iter().map(|f| f.joinable).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn new_words_reach_those_who_watch_and_those_who_come() {
    let mut bench = Bench::new(&limits());
    bench.push_all([script(&[("framerate", Value::Number(30.0))]), avc_config(), key(0, 10)]);
    bench.push_all([script(&[("framerate", Value::Number(60.0))]), inter(33, 10)]);
    let flights = bench.flush();
    assert_eq!(stamps(&flights[1]), [(TagKind::Script, 0), (TagKind::Video, 33)]);
    assert_eq!(flights[0].headers.epoch, flights[1].headers.epoch);
    let first = tags(&flights[1].headers.change);
    assert_eq!(first[0].body, tags(&flights[1].bytes)[0].body);
    assert_eq!(bench.push(script(&[("framerate", Value::Number(60.0))])), Err(Dropped::Nothing));
}

#[test]
fn when_the_picture_ends_viewers_may_begin_at_the_sound() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), aac_config(), key(0, 10)]);
    for n in 1..=11 {
        bench.pass(1000);
        bench.push_all([sound(n * 1000)]);
    }
    let flights = bench.flush();
    let joinable: Vec<bool> = flights.iter().map(|flight| flight.joinable).collect();
    assert!(
        joinable.first() == Some(&true) && joinable.get(1) == Some(&false) && joinable.last() == Some(&true),
        "{joinable:?}"
    );
    assert_eq!(bench.push(inter(11_000, 10)), Err(Dropped::NotYet));
    bench.push_all([key(11_100, 10)]);
    assert!(bench.flush()[0].starts_with_keyframe);
}

#[test]
fn what_nobody_could_play_is_dropped() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), aac_config(), key(0, 10)]);
    let tag = |kind, body: &'static [u8]| Tag { kind, at: Millis(10), body: Bytes::from_static(body) };
    assert_eq!(bench.push(tag(TagKind::Video, b"\x12abc")), Err(Dropped::Codec));
    assert_eq!(bench.push(tag(TagKind::Video, b"\x90vp08abc")), Err(Dropped::Codec));
    assert_eq!(bench.push(tag(TagKind::Audio, b"\x90ac-3abc")), Err(Dropped::Codec));
    assert_eq!(bench.push(tag(TagKind::Video, b"\x91hvc1\0\0\0abc")), Err(Dropped::NotYet), "no such configuration");
    assert_eq!(bench.push(tag(TagKind::Audio, b"\x91Opusabc")), Err(Dropped::NotYet), "no such configuration");
    assert_eq!(bench.push(tag(TagKind::Video, b"\x96\x01avc1\x01abc")), Err(Dropped::Nothing), "the second track");
    for kind in [TagKind::Video, TagKind::Audio, TagKind::Script] {
        assert_eq!(bench.push(tag(kind, b"")), Err(Dropped::Nothing));
    }
    assert_eq!(bench.push(tag(TagKind::Video, b"\x17\x02\0\0\0")), Err(Dropped::Nothing));
    assert_eq!(
        bench.push(Tag { kind: TagKind::Script, at: Millis(0), body: metadata(&[]).slice(..5) }),
        Err(Dropped::Nothing)
    );
    assert_eq!(bench.flush().iter().map(stamps).collect::<Vec<_>>(), [vec![(TagKind::Video, 0)]]);
}

#[test]
fn another_codec_is_a_new_epoch() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), aac_config(), key(0, 10), sound(5)]);
    let tag = |kind, at, body: &'static [u8]| Tag { kind, at: Millis(at), body: Bytes::from_static(body) };
    bench.push_all([
        tag(TagKind::Video, 40, b"\x90av01\x81\0\x0c\0"),
        tag(TagKind::Video, 40, b"\x91av01\x0a\x01key"),
        tag(TagKind::Audio, 45, b"\x90OpusOpusHead\x01\x02\0\0\x80\xbb\0\0\0\0\0"),
        tag(TagKind::Audio, 45, b"\x91Opusx"),
    ]);
    let flights = bench.flush();
    let epochs: Vec<(u64, u64)> = flights.iter().map(|f| (f.headers.epoch, f.headers.compatible_from)).collect();
    assert_eq!(epochs, [(0, 0), (1, 1), (2, 2)]);
    assert!(flights[1].starts_with_keyframe && flights[1].joinable);
    let (video, audio) = (bench.assembler.tracks().video_info(), bench.assembler.tracks().audio_info());
    assert_eq!(video.map(|video| video.codec), Some("av01.0.00M.08".to_owned()));
    assert_eq!(audio.map(|audio| audio.codec), Some("opus".to_owned()));
    // And MP3, which says what it is in each frame.
    bench.push_all([tag(TagKind::Audio, 70, b"\x2f\xff\xfb\x10\xc4abc")]);
    assert_eq!(bench.flush()[0].headers.epoch, 3);
}

#[test]
fn a_take_over_is_a_new_epoch_on_the_same_timeline() {
    let continues = Continues { edge: Some(Millis(90_000)), epoch: Some(4) };
    let mut bench = Bench::new(&limits());
    bench.assembler = Assembler::new(&LiveLimits::default(), continues);
    bench.push_all([avc_config(), key(0, 10)]);
    let flights = bench.flush();
    assert_eq!((flights[0].headers.epoch, flights[0].headers.compatible_from), (5, 5));
    assert!(flights[0].at > Millis(90_000));
    let kinds: Vec<TagKind> = tags(&flights[0].bytes).iter().map(|tag| tag.kind).collect();
    assert_eq!(kinds, [TagKind::Script, TagKind::Video], "the seam is marked");
}

#[test]
fn a_jump_of_the_clock_is_marked_in_its_place() {
    let mut bench = Bench::new(&limits());
    bench.push_all([avc_config(), key(1_000_000, 10), inter(1_000_033, 10), inter(5, 10), inter(38, 10)]);
    let flights = bench.flush();
    let (video, script) = (TagKind::Video, TagKind::Script);
    let seen: Vec<_> = flights.iter().map(stamps).collect();
    assert_eq!(seen, [vec![(video, 0), (video, 33)], vec![(script, 66), (video, 66), (video, 99)]]);
    let mark = amf0::read_all(&tags(&flights[1].bytes)[0].body, &amf0::Limits::default()).expect("AMF0");
    assert_eq!(mark.get(1).and_then(|value| value.get("discontinuity")), Some(&Value::Boolean(true)));
    assert!(!flights[1].joinable);
}

#[test]
fn stamps_beyond_32_bits_wrap_in_the_bytes_only() {
    let mut bench = Bench::new(&limits());
    let continues = Continues { edge: Some(Millis((1 << 32) - 30)), epoch: None };
    bench.assembler = Assembler::new(&LiveLimits::default(), continues);
    bench.push_all([avc_config(), key(0, 10), inter(40, 10)]);
    let flights = bench.flush();
    assert_eq!((flights[0].at, flights[0].end), (Millis((1 << 32) - 10), Millis((1 << 32) + 30)));
    // The first tag is the mark of the seam.
    assert_eq!(flights[0].bytes.get(4..8), Some(&[0xff, 0xff, 0xf6, 0xff][..]));
}

/// What is wrong with a clip that is sent in its own time.
fn troubles(clip: &'static [u8]) -> Vec<TroubleKind> {
    let mut bench = Bench::new(&limits());
    let start = bench.now;
    let mut reader = flv::Reader::new();
    reader.push(Bytes::from_static(clip));
    while let Some(item) = reader.next().expect("a whole clip") {
        let Item::Tag(tag) = item else { continue };
        bench.now = start + Duration::from_millis(tag.at.0.unsigned_abs());
        let _ = bench.push(tag);
    }
    let health = bench.assembler.health(bench.now).expect("something came");
    health.troubles.into_iter().map(|trouble| trouble.kind).collect()
}

#[test]
fn an_open_gop_is_told_and_a_closed_one_is_not() {
    let open = include_bytes!("../../media/tests/data/open_gop.flv");
    assert_eq!(troubles(open), [TroubleKind::OpenGop, TroubleKind::BFrames]);
    let closed = include_bytes!("../../media/tests/data/high_bframes.flv");
    assert_eq!(troubles(closed), [TroubleKind::BFrames]);
}
