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
fn where_nobody_can_tell_whether_it_is_seen_a_hidden_tab_goes_on() {
    let mut world = World::watched(Delay::Balanced);
    world.engine.abilities.picture_apart = false;
    world.element.muted = true;
    world.input(Input::Visible(false));
    world.run_for(120_000);
    assert!(world.connected());
}
