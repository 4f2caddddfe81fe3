//! Tabs that nobody looks at.

use super::{Input, sim::World};
use crate::Delay;

#[test]
fn a_hidden_and_muted_tab_is_forgotten_and_comes_back_live() {
    let mut world = World::watched(Delay::Balanced);
    world.element.muted = true;
    world.input(Input::Visible(false));
    let hidden_ms = world.now_ms;
    world.run_for(59_000);
    assert!(world.connected(), "a minute is not over");
    world.run_for(2_000);
    assert!(!world.connected(), "nobody looks, and nobody hears");
    world.run_for(600_000);
    assert!(world.opened.iter().all(|at_ms| *at_ms < hidden_ms), "it keeps asking: {:?}", world.opened);
    world.input(Input::Visible(true));
    let shown_ms = world.now_ms;
    world.run_for(10_000);
    let first_ms =
        world.delays.iter().find(|(at_ms, delay_s)| *at_ms > shown_ms && *delay_s < 1.2).expect("live again").0;
    assert!(first_ms - shown_ms < 1_000, "{} ms", first_ms - shown_ms);
}

#[test]
fn a_hidden_tab_that_is_heard_goes_on() {
    let mut world = World::watched(Delay::Balanced);
    world.input(Input::Visible(false));
    world.run_for(300_000);
    assert!(world.connected());
}

#[test]
fn a_hidden_tab_that_is_paused_is_forgotten_once_its_place_would_be() {
    let mut world = World::watched(Delay::Balanced);
    world.pause();
    world.input(Input::Visible(false));
    world.run_for(179_000);
    assert!(world.connected());
    world.run_for(2_000);
    assert!(!world.connected(), "nobody looks, and there is nothing to hear");
    world.input(Input::Visible(true));
    world.resume();
    let from_ms = world.now_ms;
    world.run_for(10_000);
    assert!(world.mean_delay_s(from_ms + 2_000, from_ms + 10_000) < 1.3);
}

#[test]
fn a_paused_picture_stays_what_it_is_when_its_tab_is_shown_again() {
    for offered in [false, true] {
        let mut world = World::new(Delay::Lowest);
        world.come(0);
        if offered {
            world.input(Input::Offered);
        }
        world.run_for(10_000);
        let (seeks, at_s) = (world.seeks.len(), world.element.position_s);
        world.pause();
        world.run_for(5_000);
        for visible in [false, true] {
            world.input(Input::Visible(visible));
            world.run_for(5_000);
        }
        assert_eq!((world.seeks.len(), world.element.position_s), (seeks, at_s), "frames: {offered}");
    }
}

#[test]
fn where_nobody_can_tell_whether_it_is_seen_a_hidden_tab_goes_on() {
    let mut world = World::watched(Delay::Balanced);
    world.engine.abilities.picture_apart = false;
    world.element.muted = true;
    world.input(Input::Visible(false));
    world.run_for(120_000);
    assert!(world.connected());
    world.pause();
    world.run_for(181_000);
    assert!(!world.connected(), "there is nothing to see, wherever it is");
}
