//! Going back in what is buffered, and to the live edge again.

use super::{
    Input,
    sim::{ALL, World},
};
use crate::{Delay, PlayerEvent, target::goal_s};

/// A viewer who has watched for a while, so that there is something to go back to.
fn watching(delay: Delay) -> World {
    let mut world = World::new(delay);
    world.come(0);
    world.run_for(25_000);
    world
}

fn behind_s(world: &World) -> f64 {
    world.mean_delay_s(world.now_ms - 2_000, world.now_ms)
}

#[test]
fn who_goes_back_stays_there_until_they_want_the_live_edge() {
    for delay in ALL {
        let mut world = watching(delay);
        let live_s = behind_s(&world);
        world.input(Input::Rewind { by_s: -10.0 });
        world.run_for(15_000);
        let back_s = behind_s(&world);
        assert!((back_s - live_s - 10.0).abs() < 0.5, "{delay:?}: {live_s} then {back_s}");
        assert_eq!(world.state(), Some(&PlayerEvent::Playing));
        world.input(Input::GoLive);
        world.run_for(10_000);
        // Smooth had no three seconds to begin with.
        let back_s = behind_s(&world);
        assert!(back_s < live_s.max(goal_s(delay)) + 0.6, "{delay:?}: {live_s}, then {back_s} again");
    }
}

#[test]
fn steps_add_up_and_end_where_the_buffer_does() {
    let mut world = watching(Delay::Balanced);
    let live_s = behind_s(&world);
    for _ in 0..2 {
        world.input(Input::Rewind { by_s: -5.0 });
    }
    world.run_for(3_000);
    assert!((behind_s(&world) - live_s - 10.0).abs() < 0.5, "{}", behind_s(&world));
    // Further than there is anything: the oldest there is, and it plays.
    world.input(Input::Rewind { by_s: -500.0 });
    world.run_for(3_000);
    assert!(behind_s(&world) > 18.0, "{}", behind_s(&world));
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn forward_to_near_the_live_edge_is_the_live_edge() {
    let mut world = watching(Delay::Balanced);
    let live_s = behind_s(&world);
    world.input(Input::Rewind { by_s: -10.0 });
    world.run_for(5_000);
    world.input(Input::Rewind { by_s: 30.0 });
    world.run_for(10_000);
    assert!((behind_s(&world) - live_s).abs() < 0.6, "{} and {live_s}", behind_s(&world));
}

#[test]
fn who_paused_for_longer_than_is_kept_can_go_to_what_is() {
    let mut world = watching(Delay::Balanced);
    world.pause();
    world.run_quickly_for(300_000);
    let (length_s, at_s) = world.engine.reach(&world.element.view()).expect("something");
    assert!(at_s < -60.0 && length_s > 150.0, "{at_s} of {length_s}");
    // To the middle of it.
    world.input(Input::Rewind { by_s: length_s / 2.0 - at_s });
    world.run_for(1_000);
    let (length_s, at_s) = world.engine.reach(&world.element.view()).expect("something");
    assert!((at_s - length_s / 2.0).abs() < 2.0, "{at_s} of {length_s}");
    assert!(world.element.paused);
}

#[test]
fn who_paused_hears_of_an_end_when_it_is_reached() {
    let mut world = watching(Delay::Balanced);
    world.pause();
    world.run_for(5_000);
    // The streamer is gone for a while, the connection drops, and at last the broadcast ends.
    world.publisher_leaves();
    world.run_for(3_000);
    world.publisher_returns();
    world.run_for(2_000);
    world.cut(false);
    world.run_for(5_000);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing), "{:?}", world.events);
    world.on_air = false;
    world.cut(true);
    world.run_for(60_000);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing), "{:?}", world.events);
    // A room that is off the air is not asked again and again for somebody who does not look.
    let asked = world.opened.len();
    world.run_for(120_000);
    assert_eq!(world.opened.len(), asked);
    // What is left is played from where it was paused, to its end; then it is said.
    let (at_s, seeks) = (world.element.position_s, world.seeks.len());
    let left_s = world.element.view().ranges.end_s().expect("something") - at_s;
    assert!(left_s > 5.0, "{left_s}");
    world.resume();
    world.run_for(2_000);
    assert_eq!((world.state(), world.seeks.len()), (Some(&PlayerEvent::Playing), seeks), "{:?}", world.events);
    assert!((world.element.position_s - at_s - 2.0).abs() < 0.2, "{at_s} then {}", world.element.position_s);
    world.run_for(20_000);
    assert!(matches!(world.state(), Some(PlayerEvent::Ended | PlayerEvent::NotLive { .. })), "{:?}", world.state());
}

#[test]
fn who_paused_at_the_very_end_is_told_that_it_goes_on() {
    let mut world = watching(Delay::Balanced);
    world.publisher_leaves();
    world.run_for(5_000);
    assert!(matches!(world.state(), Some(PlayerEvent::Away { .. })));
    world.pause();
    world.publisher_returns();
    world.run_for(2_000);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn a_tab_that_is_shown_again_stays_where_its_viewer_went() {
    let mut world = watching(Delay::Balanced);
    world.input(Input::Rewind { by_s: -10.0 });
    world.run_for(3_000);
    let back_s = behind_s(&world);
    world.input(Input::Visible(false));
    world.run_for(1_000);
    world.input(Input::Visible(true));
    world.run_for(3_000);
    assert!((behind_s(&world) - back_s).abs() < 0.3, "{back_s} then {}", behind_s(&world));
}
