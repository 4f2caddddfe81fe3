//! What buffers and elements do that they should not, and what they cannot do: the picture goes on.

use super::{
    Abilities,
    sim::{ALL, World, init},
};
use crate::{
    Delay, PlayerEvent,
    intake::{Fragment, Init, Item, Track},
};

fn tracks_of_builds(world: &World) -> Vec<usize> {
    world.builds.iter().map(|(_, tracks)| *tracks).collect()
}

#[test]
fn a_buffer_that_hangs_is_given_up_and_the_picture_goes_on() {
    let mut world = World::watched(Delay::Balanced);
    world.append_ms = 600_000;
    world.run_for(100);
    world.append_ms = 2;
    world.run_for(9_000);
    assert_eq!(world.builds.len(), 1, "it may be slow");
    world.run_for(11_000);
    assert_eq!((world.builds.len(), world.opened.len()), (2, 1));
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn a_hole_in_the_stream_is_jumped_over() {
    for delay in ALL {
        let mut world = World::watched(delay);
        let from_ms = world.now_ms;
        let sends = move |at: i64| !(from_ms..from_ms + 1_500).contains(&at);
        (world.audio, world.video) = (Box::new(sends), Box::new(sends));
        let before = world.seeks.len();
        world.run_for(20_000);
        assert_eq!(world.seeks.len() - before, 1, "{delay:?}: {:?}", &world.seeks[before..]);
        assert_eq!((world.builds.len(), world.opened.len()), (1, 1), "{delay:?}");
        assert_eq!(world.state(), Some(&PlayerEvent::Playing), "{delay:?}");
        assert!(world.mean_delay_s(from_ms + 10_000, from_ms + 20_000) < 4.0, "{delay:?}");
    }
}

#[test]
fn an_element_that_does_not_begin_before_both_tracks_do_is_put_where_they_do() {
    for late_ms in [40, 200, 450] {
        let mut world = World::new(Delay::Balanced);
        let key_ms = 60_000 * world.gop_ms;
        world.audio = Box::new(move |at| at >= key_ms + late_ms);
        world.come(1_000);
        world.run_for(800);
        assert_eq!(world.state(), Some(&PlayerEvent::Playing), "{late_ms}: {:?}", world.events);
        let (_, first_s) = world.seeks[0];
        assert!(first_s >= late_ms as f64 / 1000.0, "{late_ms}: {first_s}");
        assert_eq!(tracks_of_builds(&world), [2], "{late_ms}");
    }
}

#[test]
fn a_picture_that_stands_with_data_before_it_is_pushed_and_then_begun_anew() {
    for (pushes, builds) in [(1, 1), (3, 1), (100, 2)] {
        let mut world = World::watched(Delay::Balanced);
        world.element.stands = pushes;
        world.run_for(20_000);
        assert_eq!(world.builds.len(), builds, "after {pushes}: {:?}", world.seeks);
        assert_eq!(world.state(), Some(&PlayerEvent::Playing), "after {pushes}");
        assert_eq!(world.opened.len(), 1, "after {pushes}");
        assert!(world.mean_delay_s(world.now_ms - 3_000, world.now_ms) < 1.5, "after {pushes}");
    }
}

#[test]
fn another_codec_goes_into_the_same_buffers_or_where_these_cannot_change_into_new_ones() {
    for (change_type, builds) in [(true, 1), (false, 2)] {
        let mut world = World::new(Delay::Balanced);
        world.able = Abilities { change_type, ..world.able };
        world.come(0);
        world.run_for(9_900);
        let (now_ms, view) = (world.now_ms, world.element.view());
        let other = Init { mime: "video/mp4; codecs=\"av01.0.00M.08\"".to_owned(), ..init(Track::Video) };
        world.engine.handle_items(now_ms, vec![Item::Init(other)], &view);
        world.run_for(6_000);
        assert_eq!(tracks_of_builds(&world), vec![2; builds], "{change_type}");
        assert_eq!(world.state(), Some(&PlayerEvent::Playing), "{change_type}");
        assert_eq!(world.engine.stats(world.now_ms, &world.element.view()).codecs, "av01.0.00M.08, mp4a.40.2");
        assert_eq!(world.opened.len(), 1, "{change_type}");
    }
}

#[test]
fn what_waits_for_a_buffer_that_hangs_has_an_end() {
    let mut world = World::watched(Delay::Balanced);
    world.append_ms = 600_000;
    world.run_for(100);
    assert!(world.engine.wants_data());
    let (now_ms, view) = (world.now_ms, world.element.view());
    for at in 0..8 {
        assert!(world.engine.wants_data(), "after {at} MB");
        let bytes = init(Track::Video).bytes.repeat(43_691).into();
        let start_ms = 60_000 + at * 40;
        let fragment = Fragment { track: Track::Video, bytes, start_ms, duration_ms: 40, keyframe: false };
        world.engine.handle_items(now_ms, vec![Item::Fragment(fragment)], &view);
    }
    assert!(!world.engine.wants_data(), "reading pauses");
    world.append_ms = 2;
    world.run_for(20_000);
    assert!(world.engine.wants_data());
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}
