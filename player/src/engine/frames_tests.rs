//! Frames shown one by one: when that way is taken, and how one gets back from it.

use super::{
    Input, Way,
    frames::Past,
    sim::{World, init},
};
use crate::{
    Delay, PlayerEvent,
    intake::{Fragment, Item, Track},
};

/// A viewer in a browser that shows frames one by one, after a while.
fn watching(delay: Delay) -> World {
    let mut world = World::new(delay);
    world.come(0);
    world.run_for(500);
    world.input(Input::Offered);
    world.run_for(25_000);
    world
}

fn behind_s(world: &World) -> f64 {
    world.mean_delay_s(world.now_ms - 2_000, world.now_ms)
}

#[test]
fn only_the_lowest_delay_goes_that_way_and_it_is_lower() {
    let mut buffered = World::new(Delay::Lowest);
    buffered.come(0);
    buffered.run_for(25_500);
    let world = watching(Delay::Lowest);
    assert_eq!(world.ways, [Way::Buffered, Way::Frames]);
    assert!(behind_s(&world) < behind_s(&buffered) - 0.025, "{} and {}", behind_s(&world), behind_s(&buffered));
    assert_eq!((world.stalls.len(), world.state()), (0, Some(&PlayerEvent::Playing)));
    for delay in [Delay::Balanced, Delay::Smooth] {
        assert_eq!(watching(delay).ways, [Way::Buffered]);
    }
}

#[test]
fn a_stream_of_sound_goes_the_buffered_way() {
    let mut world = World::new(Delay::Lowest);
    world.promise = (true, false);
    world.video = Box::new(|_| false);
    world.come(0);
    world.input(Input::Offered);
    world.run_for(5_000);
    assert_eq!(world.ways, [Way::Buffered]);
}

#[test]
fn one_goes_back_in_what_was_shown_and_to_the_live_edge_again() {
    let mut world = watching(Delay::Lowest);
    let live_s = behind_s(&world);
    let (length_s, at_s) = world.engine.reach(&world.element.view()).expect("something");
    assert!((23.0..28.0).contains(&length_s) && (0.0..0.5).contains(&(length_s - at_s)), "{at_s} of {length_s}");
    world.input(Input::Rewind { by_s: -10.0 });
    world.run_for(5_000);
    assert_eq!(world.ways.last(), Some(&Way::Buffered));
    assert!((behind_s(&world) - live_s - 10.0).abs() < 0.5, "{live_s} then {}", behind_s(&world));
    world.input(Input::Rewind { by_s: -5.0 });
    world.run_for(5_000);
    assert!((behind_s(&world) - live_s - 15.0).abs() < 0.5, "{live_s} then {}", behind_s(&world));
    assert_eq!(world.ways.len(), 3, "it stays there: {:?}", world.ways);
    world.input(Input::GoLive);
    world.run_for(12_000);
    assert_eq!(world.ways[3..], [Way::Frames]);
    assert!(behind_s(&world) < live_s + 0.1, "{live_s}, then {} again", behind_s(&world));
    assert!(!world.element.paused);
}

#[test]
fn another_delay_begins_with_what_was_kept() {
    let mut world = watching(Delay::Lowest);
    world.input(Input::SetDelay(Delay::Smooth));
    world.run_for(2_500);
    assert_eq!(world.ways.last(), Some(&Way::Buffered));
    assert!((2.9..3.6).contains(&behind_s(&world)), "{}", behind_s(&world));
    world.input(Input::SetDelay(Delay::Lowest));
    world.run_for(12_000);
    assert_eq!(world.ways.last(), Some(&Way::Frames));
    assert!(behind_s(&world) < 0.3);
}

#[test]
fn a_decoder_that_fails_gives_way_to_the_buffered_way_at_once_and_twice_for_good() {
    let mut world = watching(Delay::Lowest);
    let source = world.element.source;
    world.input(Input::Broken { source });
    world.run_for(300);
    assert_eq!(world.ways.last(), Some(&Way::Buffered), "without waiting for a key frame");
    world.run_for(10_000);
    assert_eq!(world.ways.last(), Some(&Way::Frames), "once is no habit");
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
    let source = world.element.source;
    world.input(Input::Broken { source });
    world.run_for(20_000);
    assert_eq!((world.ways.len(), world.ways.last()), (5, Some(&Way::Buffered)));
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
    assert!(behind_s(&world) < 0.5, "{}", behind_s(&world));
}

#[test]
fn frames_that_are_not_shown_give_way_to_the_buffered_way_too() {
    let mut world = watching(Delay::Lowest);
    world.element.stands = 1_000;
    world.run_for(15_000);
    assert!(world.ways.len() > 2, "{:?}", world.ways);
    // A picture that moves again; and frames are not tried a third time.
    for _ in 0..3 {
        if world.ways.last() == Some(&Way::Frames) {
            world.element.stands = 1_000;
        }
        world.run_for(15_000);
    }
    assert_eq!((world.ways.last(), world.state()), (Some(&Way::Buffered), Some(&PlayerEvent::Playing)));
    assert!(behind_s(&world) < 0.5, "{}", behind_s(&world));
}

#[test]
fn forward_at_the_live_edge_changes_nothing() {
    let mut world = watching(Delay::Lowest);
    for by_s in [5.0, 10.0, -0.2] {
        world.input(Input::Rewind { by_s });
        world.run_for(3_000);
    }
    assert_eq!(world.ways, [Way::Buffered, Way::Frames]);
    assert!(behind_s(&world) < 0.3);
}

#[test]
fn who_goes_back_before_the_way_forward_is_taken_stays_there() {
    let mut world = World::new(Delay::Lowest);
    world.gop_ms = 8_000;
    world.come(0);
    world.run_for(25_000);
    let live_s = behind_s(&world);
    world.input(Input::Offered);
    world.run_for(100);
    world.input(Input::Rewind { by_s: -10.0 });
    world.run_for(15_000);
    assert_eq!(world.ways, [Way::Buffered]);
    assert!((behind_s(&world) - live_s - 10.0).abs() < 0.5, "{live_s} then {}", behind_s(&world));
}

#[test]
fn another_codec_on_the_way_does_not_keep_one_from_going_back() {
    let mut world = watching(Delay::Lowest);
    let mut other = init(Track::Video);
    other.mime = other.mime.replace("64001f", "640028");
    let view = world.element.view();
    world.engine.handle_items(world.now_ms, vec![Item::Init(other)], &view);
    world.run_for(6_000);
    let live_s = behind_s(&world);
    world.input(Input::Rewind { by_s: -12.0 });
    world.run_for(5_000);
    assert_eq!(world.ways.last(), Some(&Way::Buffered));
    assert!((behind_s(&world) - live_s - 12.0).abs() < 0.5, "{live_s} then {}", behind_s(&world));
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn a_stream_without_key_frames_keeps_no_more_than_a_media_source_would() {
    let mut past = Past::default();
    let fragment = |n: i64, keyframe| Fragment {
        track: Track::Video,
        bytes: vec![0; 1024 * 1024].into(),
        start_ms: n * 33,
        duration_ms: 33,
        keyframe,
    };
    for n in 0..500 {
        past.keep(&fragment(n, n == 0), 1);
        assert!(past.held() <= 90 * 1024 * 1024, "{}", past.held());
    }
    past.keep(&fragment(500, true), 1);
    assert_eq!(past.held(), 1024 * 1024, "a key frame begins it anew");
}

#[test]
fn what_was_kept_goes_on_over_a_lost_connection() {
    let mut world = watching(Delay::Lowest);
    world.cut(false);
    world.run_for(20_000);
    assert_eq!(world.ways.last(), Some(&Way::Frames));
    let (live_s, first) = (behind_s(&world), world.seeks.len());
    world.input(Input::Rewind { by_s: -30.0 });
    world.run_for(5_000);
    let back_s = behind_s(&world);
    // What was missed meanwhile is missing.
    assert!((25.0..35.0).contains(&(back_s - live_s)), "{live_s} then {back_s}");
    assert!(world.seeks.len() > first);
}

#[test]
fn what_is_kept_has_an_end() {
    let mut world = watching(Delay::Lowest);
    world.run_quickly_for(600_000);
    world.input(Input::Rewind { by_s: -500.0 });
    world.run_for(3_000);
    assert!((118.0..126.0).contains(&behind_s(&world)), "{}", behind_s(&world));
}

#[test]
fn what_a_hold_of_the_network_cost_is_made_good_at_once_and_once_a_minute() {
    let mut world = watching(Delay::Lowest);
    let (live_s, jumps) = (behind_s(&world), world.seeks.len());
    // Three holds of 0.6 s: the second comes too soon after the first one's jump.
    let from_ms = world.now_ms;
    let holds = [0, 30_000, 90_000].map(|after_ms| from_ms + after_ms);
    world.mood = Box::new(move |at_ms| {
        let held = holds.into_iter().find(|hold_ms| (*hold_ms..*hold_ms + 600).contains(&at_ms));
        held.map_or(0, |hold_ms| hold_ms + 600 - at_ms)
    });
    let after_hold = |world: &mut World, hold_ms: i64| {
        world.run_for(hold_ms + 5_000 - world.now_ms);
        world.mean_delay_s(hold_ms + 3_000, hold_ms + 5_000)
    };
    let [first_s, second_s, third_s] = holds.map(|hold_ms| after_hold(&mut world, hold_ms));
    assert!(first_s < live_s + 0.2 && third_s < live_s + 0.2, "{live_s}, then {first_s} and {third_s}");
    assert!(second_s > live_s + 0.3, "{live_s}, then {second_s}");
    assert_eq!(world.seeks.len() - jumps, 2, "{:?}", world.seeks);
}

#[test]
fn joining_anew_does_not_shorten_the_minute_between_two_splices() {
    let mut world = watching(Delay::Lowest);
    let from_ms = world.now_ms;
    let holds = [0, 20_000].map(|after_ms| from_ms + after_ms);
    world.mood = Box::new(move |at_ms| {
        let held = holds.into_iter().find(|hold_ms| (*hold_ms..*hold_ms + 600).contains(&at_ms));
        held.map_or(0, |hold_ms| hold_ms + 600 - at_ms)
    });
    world.run_for(8_000);
    // A pause of three seconds: what passed meanwhile is jumped over, as part of the start.
    world.pause();
    world.run_for(3_000);
    world.resume();
    world.run_for(4_000);
    let seeks = world.seeks.len();
    world.run_for(10_000);
    assert_eq!(world.seeks.len(), seeks, "{:?}", world.seeks);
}
