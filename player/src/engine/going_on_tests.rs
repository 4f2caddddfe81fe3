//! A streamer who is gone for a while, and sound that a browser cannot play: the picture goes on.

use super::{
    Input,
    sim::{World, init},
};
use crate::{Delay, PlayerEvent, intake::Track};

#[test]
fn while_the_publisher_is_gone_the_picture_waits_and_then_goes_on_as_before() {
    for delay in [Delay::Lowest, Delay::Balanced, Delay::Smooth] {
        for gone_ms in [1_000, 10_000, 29_000] {
            let mut world = World::new(delay);
            world.come(0);
            let start_ms = world.now_ms;
            world.run_for(40_000);
            let before_s = world.mean_delay_s(start_ms + 30_000, world.now_ms);
            world.publisher_leaves();
            world.run_for(gone_ms);
            let told: Vec<u32> = world
                .events
                .iter()
                .filter_map(|(_, event)| match event {
                    PlayerEvent::Away { left_s } => Some(*left_s),
                    _ => None,
                })
                .collect();
            assert!(told.is_sorted_by(|a, b| a > b), "{told:?}");
            assert!(gone_ms < 5_000 || told.len() as i64 > gone_ms / 1000 - 5, "{delay:?}, {gone_ms}: {told:?}");
            let since = world.events.len();
            world.publisher_returns();
            world.run_for(2_000);
            assert_eq!(world.state(), Some(&PlayerEvent::Playing), "{delay:?}, {gone_ms}");
            world.run_for(28_000);
            assert!(world.events[since..].iter().all(|(_, event)| !matches!(event, PlayerEvent::Waiting { .. })));
            assert_eq!((world.opened.len(), world.builds.len()), (1, 1), "{delay:?}, {gone_ms}");
            let after_s = world.mean_delay_s(world.now_ms - 10_000, world.now_ms);
            assert!(after_s < before_s + 0.3, "{delay:?}, {gone_ms}: {before_s} then {after_s}");
        }
    }
}

#[test]
fn sound_that_does_not_play_is_left_out_and_the_picture_goes_on() {
    let mut world = World::new(Delay::Balanced);
    world.come(0);
    world.run_for(100);
    world.input(Input::NotPlayable { source: 1, mime: init(Track::Audio).mime });
    world.run_for(10_000);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
    assert_eq!(world.builds.iter().map(|(_, tracks)| *tracks).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(world.opened.len(), 1);
    let left_out = world.engine.stats(world.now_ms, &Default::default()).left_out;
    assert!(left_out.is_some_and(|codec| init(Track::Audio).mime.contains(&codec)));
}
