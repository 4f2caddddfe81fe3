//! What a viewer notices, proved in the simulator.

use super::{
    Answer, Input, View,
    sim::{ALL, World, offline},
};
use crate::{Delay, Failure, PlayerEvent, target::goal_s};

/// A number from 0 to `below` that looks random and is the same in each run.
fn noise(at_ms: i64, below: i64) -> i64 {
    let mut x = (at_ms as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 31;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((x >> 33) as i64) % below.max(1)
}

/// A stall holds everything sent in it until it ends.
fn stall(at_ms: i64, start_ms: i64, length_ms: i64) -> i64 {
    if (start_ms..start_ms + length_ms).contains(&at_ms) { start_ms + length_ms - at_ms } else { 0 }
}

/// The largest number of times the rate left 1 in any ten seconds.
fn flaps(world: &World) -> usize {
    let begins: Vec<i64> = world
        .rates
        .windows(2)
        .filter(|pair| pair[0].1 == 1.0 && pair[1].1 != 1.0)
        .map(|pair| pair[1].0)
        .chain(world.rates.first().filter(|(_, rate)| *rate != 1.0).map(|(at, _)| *at))
        .collect();
    begins
        .iter()
        .map(|start| begins.iter().filter(|at| (*start..start + 10_000).contains(at)).count())
        .max()
        .unwrap_or(0)
}

#[test]
fn a_join_with_an_old_key_frame_is_at_its_delay_within_seconds() {
    for delay in ALL {
        for age_ms in [0, 500, 1_000, 1_990] {
            let mut world = World::new(delay);
            world.mood = Box::new(|at| noise(at, 10));
            world.come(age_ms);
            let start_ms = world.now_ms;
            world.run_for(30_000);
            let first_ms = world.delays.first().expect("it plays").0 - start_ms;
            assert!(first_ms < 800, "{delay:?}, {age_ms}: first picture after {first_ms} ms");
            if delay == Delay::Smooth {
                continue; // Three seconds cannot be had from a two-second GOP; it is built slowly.
            }
            let early_s = world.mean_delay_s(start_ms + 5_000, start_ms + 8_000);
            assert!(early_s < goal_s(delay).max(0.2) + 0.4, "{delay:?}, {age_ms}: {early_s} s after 5 s");
            assert!(world.stalls.len() <= 1, "{delay:?}, {age_ms}: stalls {:?}", world.stalls);
            assert!(flaps(&world) <= 1, "{delay:?}: {:?}", world.rates);
        }
    }
}

#[test]
fn an_eight_second_gop_is_no_worse() {
    for delay in ALL {
        let mut world = World::new(delay);
        world.gop_ms = 8_300;
        world.come(8_000);
        let start_ms = world.now_ms;
        world.run_for(20_000);
        let delay_s = world.mean_delay_s(start_ms + 14_000, start_ms + 20_000);
        assert!(delay_s < goal_s(delay) + 0.35, "{delay:?}: {delay_s}");
        assert_eq!(world.state(), Some(&PlayerEvent::Playing));
    }
}

#[test]
fn it_recovers_from_a_stall_of_two_seconds() {
    for delay in ALL {
        let mut world = World::new(delay);
        world.come(1_000);
        let start_ms = world.now_ms;
        world.mood = Box::new(move |at| stall(at, start_ms + 60_000, 2_000) + noise(at, 10));
        world.run_for(150_000);
        let before_s = world.mean_delay_s(start_ms + 50_000, start_ms + 60_000);
        let soon_s = world.mean_delay_s(start_ms + 90_000, start_ms + 100_000);
        let after_s = world.mean_delay_s(start_ms + 140_000, start_ms + 150_000);
        assert!(soon_s < before_s + 0.6, "{delay:?}: {before_s} then {soon_s}");
        assert!((after_s - before_s).abs() < 0.3, "{delay:?}: {before_s} then {after_s}");
        assert!(flaps(&world) <= 1, "{:?}", world.rates);
    }
}

#[test]
fn after_a_long_stall_it_jumps_instead_of_hurrying() {
    for delay in [Delay::Lowest, Delay::Balanced] {
        let mut world = World::new(delay);
        world.come(0);
        let start_ms = world.now_ms;
        world.mood = Box::new(move |at| stall(at, start_ms + 30_000, 6_000));
        world.run_for(45_000);
        let after_s = world.mean_delay_s(start_ms + 37_000, start_ms + 45_000);
        assert!(after_s < goal_s(delay) + 0.6, "{delay:?}: {after_s}");
    }
}

#[test]
fn five_minutes_with_stalls_end_where_they_began() {
    for delay in [Delay::Lowest, Delay::Balanced] {
        let mut world = World::new(delay);
        world.come(1_500);
        let start_ms = world.now_ms;
        world.mood = Box::new(move |at| {
            let stalls = [(40, 700), (70, 2_000), (100, 300), (101, 300), (130, 5_000), (170, 1_000), (200, 400)];
            let held = stalls.iter().map(|(second, ms)| stall(at, start_ms + second * 1000, *ms)).max();
            held.unwrap_or(0) + noise(at, 15)
        });
        world.run_for(300_000);
        let first_s = world.mean_delay_s(start_ms + 10_000, start_ms + 20_000);
        let last_s = world.mean_delay_s(start_ms + 290_000, start_ms + 300_000);
        assert!((last_s - first_s).abs() < 0.3, "{delay:?}: {first_s} then {last_s}");
        let worst_s = world.delays.iter().map(|(_, delay_s)| *delay_s).fold(0.0, f64::max);
        assert!(worst_s < 8.5, "{delay:?}: ran away to {worst_s}");
        assert!(flaps(&world) <= 1, "{delay:?}: {:?}", world.rates);
    }
}

#[test]
fn an_uneven_network_is_learnt() {
    for (delay, jitter_ms) in [(Delay::Lowest, 60), (Delay::Lowest, 200), (Delay::Balanced, 300)] {
        let mut world = World::new(delay);
        world.mood = Box::new(move |at| noise(at / 40, jitter_ms));
        world.come(700);
        let start_ms = world.now_ms;
        world.run_for(180_000);
        let late: Vec<i64> = world.stalls.iter().filter(|at| **at > start_ms + 60_000).copied().collect();
        assert!(late.len() <= 1, "{delay:?} with {jitter_ms} ms: stalls at {late:?}");
        let delay_s = world.mean_delay_s(start_ms + 120_000, start_ms + 180_000);
        let fair_s = goal_s(delay).max(jitter_ms as f64 / 1000.0) + 0.35;
        assert!(delay_s < fair_s, "{delay:?} with {jitter_ms} ms: {delay_s}");
        assert!(flaps(&world) <= 1, "{delay:?}: {:?}", world.rates);
    }
}

#[test]
fn a_throttled_minute_is_caught_up() {
    // From second 120 each second brings nine tenths of a second, until the line is free again at second 150.
    for delay in ALL {
        let mut world = World::new(delay);
        world.come(300);
        let start_ms = world.now_ms;
        world.mood = Box::new(move |at| {
            let into = at - start_ms - 120_000;
            if (0..30_000).contains(&into) { into / 9 } else { 0 }
        });
        world.run_for(270_000);
        let before_s = world.mean_delay_s(start_ms + 110_000, start_ms + 120_000);
        let after_s = world.mean_delay_s(start_ms + 260_000, start_ms + 270_000);
        assert!((after_s - before_s).abs() < 0.4, "{delay:?}: {before_s} then {after_s}");
    }
}

#[test]
fn the_past_is_kept_short() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    world.run_for(300_000);
    let first = world.element.ranges().0.first().copied().expect("buffered");
    let behind_s = world.element.position_s - first.start_s;
    assert!((120.0..135.0).contains(&behind_s), "{behind_s} s are kept");
    assert_eq!(world.stalls.len(), 0);
}

#[test]
fn a_paused_tab_does_not_fill_up_and_comes_back_live() {
    let mut world = World::watched(Delay::Balanced);
    world.element.paused = true;
    world.input(Input::Paused);
    world.run_for(300_000);
    let buffered_s: f64 = world.element.ranges().0.iter().map(|span| span.end_s - span.start_s).sum();
    assert!(buffered_s < 200.0, "{buffered_s} s are kept");
    world.resume();
    let back_ms = world.now_ms;
    world.run_for(10_000);
    assert!(world.mean_delay_s(back_ms + 2_000, back_ms + 10_000) < 1.3);
}

#[test]
fn a_full_buffer_is_trimmed_then_rebuilt_and_never_stops() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    world.run_for(30_000);
    world.refuse = 1;
    world.run_for(5_000);
    assert!(world.removed_s > 0.0, "room was made");
    assert_eq!(world.builds.len(), 1);
    world.refuse = 6;
    world.run_for(10_000);
    assert!((2..=3).contains(&world.builds.len()), "the media source was rebuilt: {:?}", world.builds);
    assert_eq!(world.opened.len(), 1, "the connection was kept");
    let end_ms = world.now_ms;
    world.run_for(10_000);
    assert!(world.mean_delay_s(end_ms, end_ms + 10_000) < 2.0);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn a_second_track_is_not_waited_for_for_long_and_is_taken_when_it_comes() {
    let mut world = World::new(Delay::Balanced);
    let start_ms = 60_000 * world.gop_ms;
    world.audio = Box::new(move |at| at > start_ms + 12_000);
    world.come(0);
    world.run_for(2_000);
    let (built_ms, tracks) = world.builds[0];
    assert!(built_ms - start_ms < 800 && tracks == 1, "built at {} with {tracks}", built_ms - start_ms);
    world.run_for(20_000);
    assert_eq!(world.builds.iter().map(|(_, tracks)| *tracks).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(world.opened.len(), 1);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn tracks_that_are_not_promised_are_not_waited_for() {
    for (audio, video) in [(true, false), (false, true)] {
        let mut world = World::new(Delay::Lowest);
        world.promise = (audio, video);
        world.audio = Box::new(move |_| audio);
        world.video = Box::new(move |_| video);
        world.come(0);
        let start_ms = world.now_ms;
        world.run_for(10_000);
        assert!(world.builds[0].0 - start_ms < 100);
        assert_eq!(world.state(), Some(&PlayerEvent::Playing));
        let told = world.events.iter().any(|(_, event)| *event == PlayerEvent::AudioOnly(audio));
        assert!(told, "{:?}", world.events);
    }
}

#[test]
fn a_track_that_ends_does_not_stop_the_other() {
    for audio_ends in [true, false] {
        let mut world = World::new(Delay::Balanced);
        let end_ms = 60_000 * world.gop_ms + 10_000;
        if audio_ends {
            world.audio = Box::new(move |at| at < end_ms);
        } else {
            world.video = Box::new(move |at| at < end_ms);
        }
        world.come(0);
        world.run_for(30_000);
        let now_ms = world.now_ms;
        assert!(world.mean_delay_s(now_ms - 5_000, now_ms) < 3.0);
        assert_eq!(world.state(), Some(&PlayerEvent::Playing), "{:?}", world.events);
    }
}

#[test]
fn a_restarted_stream_goes_on_in_the_same_media_source() {
    let mut world = World::new(Delay::Balanced);
    world.come(500);
    world.run_for(10_000);
    world.on_air = false;
    world.cut(true);
    world.run_for(8_000);
    let states: Vec<&PlayerEvent> = world.events.iter().map(|(_, event)| event).collect();
    let ended = states.iter().position(|event| **event == PlayerEvent::Ended).expect("the end is told");
    let offline = states.iter().position(|event| matches!(event, PlayerEvent::NotLive { .. })).expect("then why");
    assert!(ended < offline);
    world.on_air = true;
    world.input(Input::Restart);
    let back_ms = world.now_ms;
    world.run_for(10_000);
    assert_eq!(world.builds.len(), 1, "no black flash");
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
    assert!(world.mean_delay_s(back_ms + 4_000, back_ms + 10_000) < 1.4);
}

#[test]
fn a_short_loss_within_the_buffer_is_not_shown() {
    let mut world = World::new(Delay::Smooth);
    world.come(0);
    world.run_for(90_000);
    world.cut(false);
    world.run_for(10_000);
    let shown =
        world.events.iter().any(|(_, event)| matches!(event, PlayerEvent::Waiting { .. } | PlayerEvent::Buffering));
    assert!(
        !shown,
        "{:?}",
        world.events.iter().filter(|(_, e)| !matches!(e, PlayerEvent::Delay { .. })).collect::<Vec<_>>()
    );
    assert_eq!(world.builds.len(), 1);
    assert_eq!(world.opened.len(), 2);
}

#[test]
fn failures_are_counted_and_retried_without_end() {
    let mut world = World::new(Delay::Balanced);
    world.answers = (0..6).map(|_| Answer::Refused { retry_after_ms: None }).collect();
    world.come(0);
    world.run_for(60_000);
    let attempts: Vec<u32> = world
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            PlayerEvent::Waiting { attempt, .. } => Some(*attempt),
            _ => None,
        })
        .collect();
    assert_eq!(attempts, [1, 2, 3, 4, 5, 6]);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn a_room_off_the_air_is_asked_again_and_at_once_when_told() {
    let mut world = World::new(Delay::Balanced);
    world.on_air = false;
    world.answers.push_back(Answer::NotLive { state: "never".to_owned(), retry_after_ms: Some(30_000) });
    world.come(0);
    world.run_for(20_000);
    assert_eq!(world.opened.len(), 1, "Retry-After is respected");
    assert_eq!(world.state(), Some(&PlayerEvent::NotLive { state: "never".to_owned() }));
    world.on_air = true;
    world.input(Input::Restart);
    world.run_for(3_000);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn a_room_that_does_not_exist_is_asked_once() {
    let mut world = World::new(Delay::Balanced);
    world.answers.push_back(Answer::NotFound);
    world.come(0);
    world.run_for(60_000);
    assert_eq!(world.opened.len(), 1);
    assert_eq!(world.state(), Some(&PlayerEvent::NotFound));
    world.answers.push_back(offline());
    world.input(Input::Restart);
    assert_eq!(world.opened.len(), 2);
}

#[test]
fn a_silent_connection_is_given_up() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    world.run_for(5_000);
    let start_ms = world.now_ms;
    world.mood = Box::new(move |at| stall(at, start_ms, 100_000));
    world.run_for(20_000);
    assert_eq!(world.opened.len(), 2);
}

#[test]
fn refused_sound_falls_back_to_muted_and_then_to_a_tap() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    world.run_for(1_000);
    world.input(Input::PlayRefused);
    assert!(world.element.muted);
    world.run_for(10);
    assert!(world.events.iter().any(|(_, event)| *event == PlayerEvent::NeedsUnmute));
    world.input(Input::PlayRefused);
    assert!(world.events.iter().any(|(_, event)| *event == PlayerEvent::NeedsTap));
}

#[test]
fn what_the_browser_takes_back_at_the_start_goes_on_muted() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    world.run_for(1_000);
    let halt = |world: &mut World| {
        world.element.paused = true;
        world.input(Input::Halted);
        world.run_for(10);
    };
    halt(&mut world);
    assert!(world.element.muted && !world.element.paused);
    assert!(world.events.iter().any(|(_, event)| *event == PlayerEvent::NeedsUnmute));
    for _ in 0..2 {
        halt(&mut world);
        assert!(!world.element.paused);
    }
    halt(&mut world);
    assert!(world.element.paused, "not for ever");
    let mut world = World::watched(Delay::Balanced);
    halt(&mut world);
    assert!(world.element.paused && !world.element.muted, "a headset's key, long after the start");
}

#[test]
fn a_codec_that_does_not_play_ends_it_with_its_name() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    world.run_for(100);
    let mime = "video/mp4; codecs=\"hvc1\"".to_owned();
    world.input(Input::NotPlayable { source: 1, mime: mime.clone() });
    world.run_for(30_000);
    assert_eq!(world.state(), Some(&PlayerEvent::Failed(Failure::CodecNotPlayable { mime })));
    assert_eq!(world.opened.len(), 1);
}

#[test]
fn a_decoder_that_fails_is_replaced_and_given_up_in_the_end() {
    let mut world = World::watched(Delay::Balanced);
    world.input(Input::Broken { source: 1 });
    world.run_for(5_000);
    assert_eq!(world.builds.len(), 2);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
    for source in 2..10 {
        world.input(Input::Broken { source });
        world.run_for(3_000);
    }
    assert_eq!(world.state(), Some(&PlayerEvent::Failed(Failure::Decoder)));
}

#[test]
fn late_callbacks_change_nothing() {
    let mut world = World::watched(Delay::Balanced);
    world.input(Input::Closed { connection: 0, clean: true });
    world.input(Input::Broken { source: 0 });
    world.input(Input::Done { source: 77, track: crate::intake::Track::Video });
    world.input(Input::NotPlayable { source: 77, mime: String::new() });
    world.run_for(3_000);
    assert_eq!((world.builds.len(), world.opened.len()), (1, 1));
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn another_setting_takes_effect_at_once() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    world.run_for(20_000);
    world.input(Input::SetDelay(Delay::Smooth));
    let at_ms = world.now_ms;
    world.run_for(5_000);
    let smooth_s = world.mean_delay_s(at_ms + 2_000, at_ms + 5_000);
    assert!((2.7..3.5).contains(&smooth_s), "{smooth_s}");
    world.input(Input::SetDelay(Delay::Lowest));
    world.run_for(5_000);
    let lowest_s = world.mean_delay_s(at_ms + 7_000, at_ms + 10_000);
    assert!(lowest_s < 0.4, "{lowest_s}");
}

#[test]
fn a_tab_shown_again_is_live_within_a_second() {
    let mut world = World::watched(Delay::Balanced);
    world.input(Input::Visible(false));
    world.element.position_s -= 2.5; // It fell behind while hidden.
    world.run_for(300);
    world.input(Input::Visible(true));
    let at_ms = world.now_ms;
    world.run_for(3_000);
    assert!(world.mean_delay_s(at_ms + 1_000, at_ms + 3_000) < 1.3);
}

#[test]
fn a_paused_picture_says_how_far_behind_it_falls() {
    let mut world = World::watched(Delay::Balanced);
    world.element.paused = true;
    world.run_for(4_000);
    let told = world.events.iter().rev().find_map(|(_, event)| match event {
        PlayerEvent::Delay { behind_ms } => Some(*behind_ms),
        _ => None,
    });
    assert!(told.is_some_and(|ms| ms > 4_000), "{told:?}");
}

#[test]
fn the_figures_add_up() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    world.run_for(20_000);
    let view = View { position_s: world.element.position_s, ranges: world.element.ranges(), ..View::default() };
    let stats = world.engine.stats(world.now_ms, &view);
    assert_eq!((stats.width, stats.height), (640, 360));
    assert_eq!(stats.codecs, "avc1.64001f, mp4a.40.2");
    assert!(stats.behind_ms >= stats.buffer_ms && stats.behind_ms < stats.buffer_ms + 100);
    assert_eq!((stats.reconnects, stats.rebuilds, stats.stalls), (0, 0, 0));
}
