//! What viewers on the ring would notice: where they begin, what they miss, in which order things come.

use super::*;
use bytes::Bytes;
use proptest::prelude::*;

fn limits() -> LiveLimits {
    LiveLimits::default()
}

fn headers(epoch: u64, compatible_from: u64) -> Arc<Headers> {
    Arc::new(Headers {
        epoch,
        compatible_from,
        first: Bytes::from_static(b"first"),
        change: Bytes::from_static(b"change"),
    })
}

fn append(ring: &mut Ring, at: i64, key: bool, headers: &Arc<Headers>) {
    append_sized(ring, at, key, key, 1000, headers);
}

fn append_sized(ring: &mut Ring, at: i64, key: bool, joinable: bool, size: usize, headers: &Arc<Headers>) {
    let draft = Draft {
        bytes: Bytes::from(vec![0; size]),
        at: Millis(at),
        end: Millis(at + 39),
        starts_with_keyframe: key,
        joinable,
        headers: headers.clone(),
    };
    ring.append(draft, Instant::now(), &mut Vec::new());
}

/// 25 flights a second from `from` up to `to` (ms), a key frame every `gop` ms.
fn broadcast(ring: &mut Ring, from: i64, to: i64, gop: i64, headers: &Arc<Headers>) {
    for at in (from..to).step_by(40) {
        append(ring, at, at % gop == 0, headers);
    }
}

/// Everything there is for the cursor, in words: `H` headers on joining, `h` a change, `+n` a flight by its time, `!` a skip.
fn drain(ring: &Ring, cursor: &mut Cursor) -> Vec<String> {
    let mut seen = Vec::new();
    while let Step::Give(delivery) = ring.step(cursor) {
        match delivery {
            Delivery::Headers { headers, joining: true } => seen.push(format!("H{}", headers.epoch)),
            Delivery::Headers { headers, joining: false } => seen.push(format!("h{}", headers.epoch)),
            Delivery::Flight(flight) => seen.push(format!("+{}", flight.at.get())),
            Delivery::Skipped(_) => seen.push("!".to_owned()),
            Delivery::Ended => {
                seen.push("end".to_owned());
                break;
            }
        }
    }
    seen
}

/// A viewer who has seen all there is: one flight of a stream with a key frame every `gop` ms.
fn watched(gop: i64) -> (Ring, Arc<Headers>, Cursor) {
    let (mut ring, headers, mut cursor) = (Ring::new(&limits()), headers(1, 1), Cursor::default());
    broadcast(&mut ring, 0, 40, gop, &headers);
    assert_eq!(drain(&ring, &mut cursor), ["H1", "+0"]);
    (ring, headers, cursor)
}

#[test]
fn a_viewer_begins_with_headers_and_the_newest_key_frame() {
    let mut ring = Ring::new(&limits());
    broadcast(&mut ring, 0, 2200, 1000, &headers(1, 1));
    assert_eq!(drain(&ring, &mut Cursor::default()), ["H1", "+2000", "+2040", "+2080", "+2120", "+2160"]);
}

#[test]
fn a_viewer_of_a_stream_without_picture_begins_a_second_back() {
    let mut ring = Ring::new(&limits());
    let sound = headers(1, 1);
    for at in (0..4000).step_by(40) {
        append_sized(&mut ring, at, false, true, 500, &sound);
    }
    let seen = drain(&ring, &mut Cursor::default());
    assert_eq!(seen.first().map(String::as_str), Some("H1"));
    assert_eq!(seen.get(1).map(String::as_str), Some("+3000"));
}

#[test]
fn the_backlog_of_a_long_gop_is_exempt_from_the_lag_limit() {
    let mut ring = Ring::new(&limits());
    broadcast(&mut ring, 0, 9000, 1_000_000, &headers(1, 1));
    let seen = drain(&ring, &mut Cursor::default());
    assert_eq!(seen.len(), 1 + 225);
    assert!(!seen.contains(&"!".to_owned()));
}

#[test]
fn a_gop_longer_than_the_ring_keeps_its_key_frame() {
    let mut ring = Ring::new(&limits());
    broadcast(&mut ring, 0, 20_000, 1_000_000, &headers(1, 1));
    assert_eq!(drain(&ring, &mut Cursor::default()).get(1).map(String::as_str), Some("+0"));
    broadcast(&mut ring, 1_000_000, 1_000_100, 1_000_000, &headers(1, 1));
    assert_eq!(ring.flights.len(), 3);
}

#[test]
fn bytes_beat_everything_and_then_a_viewer_waits_for_a_key_frame() {
    let mut ring = Ring::new(&LiveLimits { ring_bytes: 100_000, ..limits() });
    let h = headers(1, 1);
    let mut cursor = Cursor::default();
    append(&mut ring, 0, true, &h);
    assert_eq!(drain(&ring, &mut cursor), ["H1", "+0"]);
    broadcast(&mut ring, 40, 8000, 1_000_000, &h);
    assert!(ring.held_bytes() <= 100_000);
    // Both the one who was watching and the one who comes now get nothing that they could not decode.
    let mut late = Cursor::default();
    assert_eq!(drain(&ring, &mut cursor), ["!"]);
    assert_eq!(drain(&ring, &mut late), Vec::<String>::new());
    append(&mut ring, 8000, false, &h);
    append(&mut ring, 8040, true, &h);
    append(&mut ring, 8080, false, &h);
    assert_eq!(drain(&ring, &mut cursor), ["+8040", "+8080"]);
    assert_eq!(drain(&ring, &mut late), ["H1", "+8040", "+8080"]);
}

#[test]
fn a_slow_viewer_skips_to_the_newest_key_frame() {
    let (mut ring, h, mut cursor) = watched(1000);
    broadcast(&mut ring, 40, 7080, 1000, &h);
    assert_eq!(drain(&ring, &mut cursor), ["!", "+7000", "+7040"]);
}

#[test]
fn a_gop_that_was_begun_is_shown_to_its_end() {
    let (mut ring, h, mut cursor) = watched(1000);
    // Four seconds behind: over the limit, and not twice over it.
    broadcast(&mut ring, 40, 4080, 1000, &h);
    let seen = drain(&ring, &mut cursor);
    assert_eq!(seen[..24], (1..25).map(|n| format!("+{}", n * 40)).collect::<Vec<_>>());
    assert_eq!(seen[24..], ["!", "+4000", "+4040"]);
}

#[test]
fn where_gops_are_longer_than_the_delay_nobody_waits_for_the_end_of_one() {
    let (mut ring, headers) = (Ring::new(&limits()), headers(0, 0));
    broadcast(&mut ring, 0, 4_000, 8_000, &headers);
    let mut cursor = Cursor::default();
    drain(&ring, &mut cursor);
    // The viewer falls behind by four seconds, over the limit and not twice over it, and a key frame comes in that time: at the end of
    // the GOP they are in there would be no newer one.
    broadcast(&mut ring, 4_000, 8_200, 8_000, &headers);
    assert_eq!(drain(&ring, &mut cursor)[..2], ["!", "+8000"]);
}

#[test]
fn nobody_is_moved_to_where_they_stand() {
    let (mut ring, h, mut cursor) = watched(20_000);
    // Five seconds behind, inside the only GOP there is: every frame of it is needed.
    broadcast(&mut ring, 40, 5000, 20_000, &h);
    let seen = drain(&ring, &mut cursor);
    assert_eq!(seen.len(), 124);
    assert!(!seen.contains(&"!".to_owned()));
}

#[test]
fn too_many_skips_end_it() {
    let mut ring = Ring::new(&LiveLimits { max_skips: 3, ..limits() });
    let h = headers(1, 1);
    broadcast(&mut ring, 0, 40, 1000, &h);
    let mut cursor = Cursor::default();
    drain(&ring, &mut cursor);
    let mut skips = 0;
    for n in 1..10 {
        broadcast(&mut ring, n * 6000, n * 6000 + 6000, 1000, &h);
        let seen = drain(&ring, &mut cursor);
        skips += seen.iter().filter(|word| *word == "!").count();
        if seen.contains(&"end".to_owned()) {
            break;
        }
    }
    assert_eq!(skips, 3);
    assert!(cursor.is_ended());
    assert_eq!(drain(&ring, &mut cursor), ["end"]);
}

#[test]
fn headers_come_before_their_flights_even_over_a_skip() {
    let mut ring = Ring::new(&limits());
    broadcast(&mut ring, 0, 80, 1000, &headers(1, 1));
    let (mut fast, mut slow) = (Cursor::default(), Cursor::default());
    assert_eq!(drain(&ring, &mut fast), ["H1", "+0", "+40"]);
    assert_eq!(drain(&ring, &mut slow), ["H1", "+0", "+40"]);
    broadcast(&mut ring, 80, 120, 1000, &headers(2, 2));
    assert_eq!(drain(&ring, &mut fast), ["h2", "+80"]);
    broadcast(&mut ring, 7000, 7040, 1000, &headers(3, 3));
    assert_eq!(drain(&ring, &mut fast), ["h3", "+7000"]);
    assert_eq!(drain(&ring, &mut slow), ["!", "h3", "+7000"]);
}

#[test]
fn who_joins_before_a_track_appears_is_told_of_it_at_once() {
    let mut ring = Ring::new(&limits());
    broadcast(&mut ring, 0, 80, 1000, &headers(1, 1));
    let mut early = Cursor::default();
    assert_eq!(drain(&ring, &mut early), ["H1", "+0", "+40"]);
    broadcast(&mut ring, 80, 160, 1000, &headers(2, 1));
    assert_eq!(drain(&ring, &mut early), ["h2", "+80", "+120"]);
    assert_eq!(drain(&ring, &mut Cursor::default()), ["H2", "+0", "+40", "+80", "+120"]);
    // A changed configuration is another matter: the old flights need the old one.
    broadcast(&mut ring, 160, 200, 1000, &headers(3, 3));
    let seen = drain(&ring, &mut Cursor::default());
    assert_eq!(seen, ["H1", "+0", "+40", "h2", "+80", "+120", "h3", "+160"]);
}

#[test]
fn the_bitrate_is_that_of_the_last_seconds() {
    let mut ring = Ring::new(&limits());
    let start = Instant::now();
    let h = headers(1, 1);
    for n in 0..250u32 {
        let draft = Draft {
            bytes: Bytes::from(vec![0; 5000]),
            at: Millis(i64::from(n) * 40),
            end: Millis(i64::from(n) * 40),
            starts_with_keyframe: n == 0,
            joinable: n == 0,
            headers: h.clone(),
        };
        ring.append(draft, start + Duration::from_millis(u64::from(n) * 40), &mut Vec::new());
    }
    let at = |ms| ring.bitrate_bps(start + Duration::from_millis(ms));
    assert!((990_000..=1_010_000).contains(&at(9_960)), "{}", at(9_960));
    assert!(at(12_000) < 700_000);
    assert_eq!(at(20_000), 0);
}

proptest! {
    /// Whatever comes and however a viewer dawdles: headers first, epochs never back, flights never twice, the first flight and
    /// each after a skip decodable, memory within its bound.
    #[test]
    fn every_viewer_can_decode_what_it_is_given(
        flights in prop::collection::vec((0i64..3000, prop::bool::weighted(0.2), prop::bool::weighted(0.1), 1usize..3000), 1..300),
        pace in 1usize..40,
    ) {
        let mut ring = Ring::new(&LiveLimits { ring_bytes: 60_000, max_skips: u32::MAX, ..limits() });
        let mut cursor = Cursor::default();
        let (mut at, mut epoch) = (0, 1);
        let (mut last_seq, mut given, mut needs_key) = (None, None, true);
        for (n, (gap, key, change, size)) in flights.into_iter().enumerate() {
            at += gap;
            epoch += u64::from(change);
            append_sized(&mut ring, at, key, key, size, &headers(epoch, epoch));
            prop_assert!(ring.held_bytes() <= 60_000 || ring.flights.len() == 1);
            if n % pace != 0 {
                continue;
            }
            while let Step::Give(delivery) = ring.step(&mut cursor) {
                match delivery {
                    Delivery::Headers { headers, joining } => {
                        prop_assert_eq!(joining, given.is_none());
                        prop_assert!(given.is_none_or(|given| given < headers.epoch));
                        given = Some(headers.epoch);
                    }
                    Delivery::Flight(flight) => {
                        prop_assert_eq!(given, Some(flight.headers.epoch));
                        prop_assert!(last_seq.is_none_or(|last| last < flight.seq));
                        prop_assert!(flight.starts_with_keyframe || !needs_key);
                        prop_assert!(needs_key || last_seq.is_some_and(|last| last + 1 == flight.seq));
                        (last_seq, needs_key) = (Some(flight.seq), false);
                    }
                    Delivery::Skipped(skip) => {
                        prop_assert!(skip.flights > 0);
                        needs_key = true;
                    }
                    Delivery::Ended => prop_assert!(false, "nothing ended"),
                }
            }
        }
    }
}
