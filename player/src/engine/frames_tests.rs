//! Frames shown one by one: when that way is taken, and how one gets back from it.

use super::{Input, Way, sim::World};
use crate::{Delay, PlayerEvent};

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
fn a_decoder_that_fails_is_given_up_for_the_buffered_way_at_once() {
    let mut world = watching(Delay::Lowest);
    let source = world.element.source;
    world.input(Input::Broken { source });
    world.run_for(300);
    assert_eq!(world.ways.last(), Some(&Way::Buffered), "without waiting for a key frame");
    world.run_for(10_000);
    assert_eq!((world.ways.len(), world.state()), (3, Some(&PlayerEvent::Playing)));
    assert!(behind_s(&world) < 0.5, "{}", behind_s(&world));
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
