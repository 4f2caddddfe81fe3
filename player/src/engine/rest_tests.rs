//! Work that a page is spared.

use super::{Input, sim::World};
use crate::{Delay, PlayerEvent, intake::Track};

#[test]
fn reading_rests_where_the_buffer_lasts_and_only_there() {
    for (delay, rests) in [(Delay::Lowest, false), (Delay::Balanced, true), (Delay::Smooth, true)] {
        let world = World::watched(delay);
        assert_eq!(world.engine.rest_ms() > 0, rests, "{delay:?}");
    }
}

#[test]
fn reading_does_not_rest_before_the_picture_moves_nor_in_a_hidden_tab() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    assert_eq!(world.engine.rest_ms(), 0, "nothing has come yet");
    world.run_for(10_000);
    world.input(Input::Visible(false));
    assert_eq!(world.engine.rest_ms(), 0, "timers of hidden tabs are slow");
    world.input(Input::Visible(true));
    assert!(world.engine.rest_ms() > 0);
}

#[test]
fn what_a_join_begins_with_is_read_at_once() {
    let mut world = World::new(Delay::Balanced);
    world.gop_ms = 8_000;
    world.come(7_900);
    while !matches!(world.state(), Some(PlayerEvent::Playing)) {
        world.run_for(1);
        assert_eq!(world.engine.rest_ms(), 0);
    }
    assert_eq!(world.engine.rest_ms(), 0, "more of the burst may be on its way");
    world.run_for(2_000);
    assert!(world.engine.rest_ms() > 0);
}

#[test]
fn a_buffer_that_has_become_thin_is_filled_at_once() {
    let mut world = World::watched(Delay::Balanced);
    let from_ms = world.now_ms;
    world.mood = Box::new(move |at_ms| if at_ms > from_ms { (from_ms + 700 - at_ms).max(0) } else { 0 });
    world.run_for(690);
    assert_eq!(world.engine.rest_ms(), 0);
    world.run_for(1_000);
    assert!(world.engine.rest_ms() > 0, "what was late has come");
}

#[test]
fn the_element_is_looked_at_once_for_both_buffers() {
    let mut world = World::watched(Delay::Balanced);
    while world.element.busy.len() < 2 {
        world.run_for(1);
    }
    let source = world.element.source;
    let mut unseen = |track| world.engine.takes_unseen(&Input::Done { source, track });
    assert!(unseen(Track::Video), "the sound is still on its way");
    assert!(!unseen(Track::Audio), "now both are there, and that shows");
}

#[test]
fn what_waits_for_a_buffer_is_not_forgotten() {
    let mut world = World::watched(Delay::Balanced);
    // The browser takes its time, and more comes.
    world.append_ms = 200;
    while world.element.busy.len() < 2 {
        world.run_for(1);
    }
    let (from_ms, source) = (world.now_ms, world.element.source);
    world.run_for(190);
    assert!(
        !world.engine.takes_unseen(&Input::Done { source, track: Track::Video }),
        "the next append is to be started"
    );
    world.run_for(2_000);
    assert!(world.mean_delay_s(from_ms + 500, from_ms + 2_000) < 1.2);
}
