use super::*;

const FRAME_S: f64 = 1.0 / 30.0;

type Plan = Schedule<u32, u32>;

/// Frames `from..to` come; the decoder gives each at once, as far as it is given any.
fn come(plan: &mut Plan, from: u32, to: u32) {
    for n in from..to {
        plan.came(f64::from(n) * FRAME_S, FRAME_S, n % 30 == 0, 1_000, n);
        decode(plan, 0.0);
    }
}

fn decode(plan: &mut Plan, now_ms: f64) {
    while let Some(n) = plan.to_decode(now_ms) {
        plan.decoded(now_ms, f64::from(n) * FRAME_S, n);
    }
}

/// Runs the clock and gives what is shown, with its time.
fn run(plan: &mut Plan, from_ms: u32, to_ms: u32) -> Vec<(u32, u32)> {
    let mut shown = Vec::new();
    for at_ms in from_ms..to_ms {
        let turn = plan.turn(f64::from(at_ms));
        shown.extend(turn.show.map(|n| (at_ms, n)));
        decode(plan, f64::from(at_ms));
    }
    shown
}

fn playing() -> Plan {
    let mut plan = Plan::default();
    plan.set_paused(0.0, false);
    plan
}

#[test]
fn each_frame_is_shown_once_at_its_time() {
    let mut plan = playing();
    come(&mut plan, 0, 30);
    let shown = run(&mut plan, 0, 900);
    assert_eq!(
        shown.iter().map(|(_, n)| *n).collect::<Vec<_>>(),
        (0..28).collect::<Vec<_>>(),
        "a little early, for the screen's own beat"
    );
    for (at_ms, n) in shown {
        let due_ms = ((f64::from(n) * FRAME_S - EARLY_S) * 1000.0).max(0.0);
        assert!((f64::from(at_ms) - due_ms).abs() < 2.0, "{n} at {at_ms}");
    }
}

#[test]
fn without_data_it_stops_says_so_and_goes_on_when_there_is_some_again() {
    let mut plan = playing();
    come(&mut plan, 0, 6);
    assert_eq!(plan.turn(0.0).runs, Some(true));
    run(&mut plan, 1, 190);
    let mut stopped = (190..260).filter_map(|at_ms| plan.turn(f64::from(at_ms)).runs);
    assert_eq!(stopped.next(), Some(false));
    assert_eq!(stopped.next(), None, "said once");
    assert!((plan.position_s(1_000.0) - 0.2).abs() < 0.001, "it stands at the end");
    come(&mut plan, 6, 7);
    assert_eq!(plan.turn(1_000.0).runs, None, "a single frame is too little");
    come(&mut plan, 7, 9);
    assert_eq!(plan.turn(1_100.0).runs, Some(true));
    assert_eq!(run(&mut plan, 1_101, 1_200).len(), 2);
}

#[test]
fn a_burst_is_decoded_and_only_what_is_due_of_it_shown() {
    let mut plan = playing();
    come(&mut plan, 0, 240);
    plan.turn(0.0);
    plan.seek(1.0, 7.5);
    let shown = run(&mut plan, 2, 200);
    let first = shown.iter().position(|(_, n)| *n >= 225).expect("it gets there");
    assert!(shown[first].0 < 120, "{shown:?}");
    assert!((plan.position_s(200.0) - 7.7).abs() < 0.01);
    assert_eq!(plan.ranges(200.0).0.len(), 1);
    assert!((plan.ranges(200.0).end_s().expect("an end") - 8.0).abs() < 1e-6);
}

#[test]
fn sound_is_the_clock_and_is_followed_smoothly() {
    let mut plan = playing();
    come(&mut plan, 0, 8);
    plan.sound_came(0.0, 2.0);
    plan.heard(0.0, 0.0, true, 0.05);
    plan.turn(0.0);
    plan.heard(100.0, 0.11, true, 0.05);
    assert!((plan.position_s(100.0) - 0.101).abs() < 1e-6, "a little at a time");
    assert!((plan.ranges(100.0).end_s().expect("an end") - 8.0 * FRAME_S).abs() < 1e-6, "where both are");
    // A frame is shown when its sound is heard, and not when it is read.
    let shown = run(&mut plan, 101, 131);
    assert!(shown.iter().all(|(_, n)| *n <= 2), "{shown:?}");
    plan.heard(140.0, 0.5, true, 0.05);
    assert!((plan.position_s(140.0) - 0.5).abs() < 1e-6, "far off: at once");
    plan.heard(150.0, 0.5, false, 0.05);
    assert_eq!(plan.turn(151.0).runs, Some(false));
    assert!((plan.position_s(500.0) - plan.position_s(150.0)).abs() < 1e-9);
    plan.sound_is_off(600.0);
    come(&mut plan, 8, 30);
    assert_eq!(plan.turn(600.0).runs, Some(true));
}

#[test]
fn a_late_frame_is_shown_late_and_sound_goes_on() {
    let mut plan = playing();
    come(&mut plan, 0, 3);
    plan.sound_came(0.0, 5.0);
    plan.heard(0.0, 0.0, true, 0.0);
    run(&mut plan, 0, 400);
    assert!((plan.position_s(400.0) - 0.4).abs() < 1e-6);
    come(&mut plan, 3, 12);
    let shown = run(&mut plan, 400, 402);
    assert!(shown.iter().any(|(_, n)| (8..12).contains(n)), "{shown:?}");
}

#[test]
fn at_rest_nothing_moves_grows_or_is_said() {
    let mut plan = playing();
    come(&mut plan, 0, 30);
    run(&mut plan, 0, 300);
    plan.set_paused(300.0, true);
    assert_eq!(plan.turn(300.0).runs, None, "the viewer knows");
    come(&mut plan, 30, 30 * 600);
    assert!(plan.coded.len() <= 30 && plan.decoded.len() <= DECODED_MAX);
    assert!(run(&mut plan, 301, 600).is_empty());
    plan.set_paused(600.0, false);
    plan.seek(600.0, 599.8);
    let shown = run(&mut plan, 601, 800);
    assert!(shown.last().is_some_and(|(_, n)| *n > 30 * 599), "{shown:?}");
}

#[test]
fn a_flood_without_key_frames_has_an_end_and_a_key_frame_mends_it() {
    let mut plan = playing();
    come(&mut plan, 0, 1);
    for n in 1..10_000 {
        plan.came(f64::from(n) * FRAME_S, FRAME_S, false, 1_000, n);
    }
    assert!(plan.coded.len() <= CODED_MAX);
    plan.came(400.0, FRAME_S, true, 1_000, 12_000);
    assert_eq!(plan.coded.back().map(|coded| coded.frame), Some(12_000));
    for n in 0..5 {
        plan.came(401.0 + f64::from(n), FRAME_S, false, 20 * 1024 * 1024, n);
    }
    assert!(plan.coded_bytes <= CODED_BYTES);
}

#[test]
fn frames_that_come_before_others_that_are_shown_earlier_do_not_count_as_ahead() {
    let mut plan = playing();
    // I P B B: the third is shown second.
    for (n, at) in [(0_u32, 0), (1, 3), (2, 1), (3, 2), (4, 6), (5, 4), (6, 5)] {
        plan.came(f64::from(at) * FRAME_S, FRAME_S, n == 0, 1_000, n);
    }
    let end_s = plan.ranges(0.0).end_s().expect("an end");
    assert!((end_s - 5.0 * FRAME_S).abs() < 1e-6, "{end_s}");
}

#[test]
fn a_gap_is_a_gap() {
    let mut plan = playing();
    come(&mut plan, 0, 10);
    plan.came(20.0, FRAME_S, true, 1_000, 600);
    let ranges = plan.ranges(0.0);
    assert_eq!(ranges.0.len(), 2);
    assert_eq!(ranges.after(1.0).map(|span| span.start_s), Some(20.0));
    for n in 0..20 {
        plan.came(100.0 + f64::from(n) * 10.0, FRAME_S, true, 1_000, n);
    }
    assert!(plan.picture.spans.len() <= SPANS_MAX);
}

#[test]
fn a_decoder_that_swallows_frames_is_given_more() {
    let mut plan = playing();
    for n in 0..20 {
        plan.came(f64::from(n) * FRAME_S, FRAME_S, n == 0, 1_000, n);
    }
    let given = std::iter::from_fn(|| plan.to_decode(0.0)).count();
    assert_eq!(given, DECODED_MAX);
    assert_eq!(plan.to_decode(200.0), None);
    assert_eq!(plan.to_decode(400.0), Some(DECODED_MAX as u32));
}

/// What a decoder of so many frames a second makes of half a minute; whether it was found out.
fn slow_decoder(plan: &mut Plan, each_ms: u32) -> bool {
    plan.sound_came(0.0, 60.0);
    plan.heard(0.0, 0.0, true, 0.0);
    let (mut given, mut busy_until) = (None, 0);
    for at_ms in 0..30_000 {
        let now_ms = f64::from(at_ms);
        if at_ms % 33 == 0 {
            let n = at_ms / 33;
            plan.came(f64::from(n) * FRAME_S, FRAME_S, n % 60 == 0, 1_000, n);
        }
        if at_ms >= busy_until {
            if let Some(n) = given.take() {
                plan.decoded(now_ms, f64::from(n) * FRAME_S, n);
            }
            given = plan.to_decode(now_ms);
            busy_until = at_ms + each_ms;
        }
        if plan.turn(now_ms).useless {
            return true;
        }
    }
    false
}

#[test]
fn a_decoder_that_cannot_keep_up_is_found_out() {
    for each_ms in [5, 20, 32] {
        assert!(!slow_decoder(&mut playing(), each_ms), "{each_ms}");
    }
    for each_ms in [40, 60, 400, 3_000] {
        assert!(slow_decoder(&mut playing(), each_ms), "{each_ms}");
    }
    assert!(slow_decoder(&mut playing(), 1_000_000), "it gives nothing at all");
}

#[test]
fn a_decoder_that_swallows_frames_is_found_out_with_sound_and_without() {
    for sound in [true, false] {
        let mut plan = playing();
        if sound {
            plan.sound_came(0.0, 60.0);
            plan.heard(0.0, 0.0, true, 0.0);
        }
        let found_ms = (0..30_000).find(|at_ms| {
            let now_ms = f64::from(*at_ms);
            if at_ms % 33 == 0 {
                let n = at_ms / 33;
                plan.came(f64::from(n) * FRAME_S, FRAME_S, n % 60 == 0, 1_000, n);
            }
            while plan.to_decode(now_ms).is_some() {}
            plan.turn(now_ms).useless
        });
        assert!(found_ms.is_some_and(|at_ms| at_ms < 6_000), "sound: {sound}, {found_ms:?}");
    }
}
