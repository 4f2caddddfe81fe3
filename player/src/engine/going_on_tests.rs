//! A streamer who is gone for a while, and sound that a browser cannot play: the picture goes on.

use super::{
    Answer, Engine, Input, Output, View,
    sim::{ABLE, ALL, World, init},
};
use crate::{
    Delay, Failure, PlayerEvent,
    intake::Track,
    ranges::{Ranges, Span},
};
use bytes::{Bytes, BytesMut};
use madang_media::flv::{self, Reader, Tag};
use std::collections::VecDeque;

#[test]
fn while_the_publisher_is_gone_the_picture_waits_and_then_goes_on_as_before() {
    for delay in ALL {
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
fn a_picture_that_is_announced_and_does_not_come_is_not_waited_for() {
    let mut world = World::new(Delay::Balanced);
    let start_ms = 60_000 * world.gop_ms;
    world.announces = true;
    world.video = Box::new(move |at| at > start_ms + 12_000);
    world.come(0);
    world.run_for(5_000);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing), "{:?}", world.events);
    world.run_for(20_000);
    assert_eq!(world.builds.iter().map(|(_, tracks)| *tracks).collect::<Vec<_>>(), [1, 2], "it comes after all");
    assert_eq!(world.opened.len(), 1);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

/// Nothing sent from now on arrives.
fn falls_silent(world: &mut World) {
    world.mood = Box::new(|_| 600_000);
}

#[test]
fn a_network_that_holds_everything_back_is_said_however_soon_it_does() {
    for delay in ALL {
        for after_ms in [0, 300, 900, 3_000, 10_000] {
            let mut world = World::new(delay);
            world.come(1_000);
            while world.state() != Some(&PlayerEvent::Playing) {
                world.run_for(1);
            }
            world.run_for(after_ms);
            falls_silent(&mut world);
            world.run_for(7_000);
            assert_eq!(world.state(), Some(&PlayerEvent::Buffering), "{delay:?}, {after_ms}");
            assert_eq!(world.opened.len(), 1, "{delay:?}, {after_ms}");
        }
    }
}

#[test]
fn a_connection_of_the_network_before_is_not_waited_for() {
    let mut world = World::watched(Delay::Balanced);
    falls_silent(&mut world);
    world.run_for(3_000);
    assert_eq!(world.opened.len(), 1);
    world.input(Input::Online);
    assert_eq!(world.opened.len(), 2, "at once");
    world.mood = Box::new(|_| 0);
    world.run_for(5_000);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
    world.input(Input::Online);
    assert_eq!(world.opened.len(), 2, "what brings something stays");
}

#[test]
fn a_machine_that_is_offline_is_believed_where_nothing_comes() {
    let mut world = World::watched(Delay::Balanced);
    world.input(Input::Offline);
    world.run_for(20_000);
    assert_eq!(world.opened.len(), 1, "the server is near");
    falls_silent(&mut world);
    world.input(Input::Offline);
    world.run_for(3_000);
    assert!(!world.connected() || world.opened.len() > 1);
}

#[test]
fn a_managed_source_that_breaks_while_it_wants_nothing_is_followed_by_another() {
    let mut world = World::watched(Delay::Balanced);
    world.input(Input::Streaming(false));
    assert!(!world.engine.wants_data());
    world.input(Input::Broken { source: 1 });
    assert!(world.engine.wants_data());
    world.run_for(10_000);
    assert_eq!(world.builds.len(), 2);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing));
}

#[test]
fn what_the_viewer_has_paused_in_a_hidden_tab_stays_so() {
    for asked in [true, false] {
        let mut world = World::watched(Delay::Balanced);
        world.input(Input::Visible(false));
        if asked {
            world.input(Input::Pause);
        }
        world.element.paused = true;
        world.input(Input::Paused);
        world.input(Input::Broken { source: 1 });
        world.run_for(10_000);
        assert_eq!((world.builds.len(), world.element.paused), (2, asked), "asked: {asked}");
    }
}

#[test]
fn what_was_stopped_in_a_hidden_tab_and_goes_on_there_is_live_again_however_long_that_was() {
    for away_ms in [60_000, 240_000, 900_000] {
        let mut world = World::watched(Delay::Balanced);
        world.input(Input::Visible(false));
        world.pause();
        world.run_for(away_ms);
        world.resume();
        let from_ms = world.now_ms;
        world.run_for(10_000);
        let delay_s = world.mean_delay_s(from_ms + 3_000, from_ms + 10_000);
        assert!(delay_s < 1.3, "{delay_s} s after {away_ms} ms");
    }
}

#[test]
fn what_goes_on_while_the_network_is_away_plays_what_is_left_and_is_live_once_something_comes() {
    let mut world = World::watched(Delay::Balanced);
    world.pause();
    world.run_for(20_000);
    world.answers.extend([(); 2].map(|()| Answer::Refused { retry_after_ms: Some(6_000) }));
    world.cut(false);
    world.run_for(2_000);
    let from_ms = world.now_ms;
    world.resume();
    world.run_for(4_000);
    assert!(world.mean_delay_s(from_ms + 1_000, from_ms + 4_000) > 15.0, "what is left is played");
    world.run_for(20_000);
    assert!(world.mean_delay_s(world.now_ms - 5_000, world.now_ms) < 1.3, "and then what comes");
}

#[test]
fn sound_that_no_media_source_takes_costs_no_wait_for_a_key_frame_nor_the_picture_of_the_next_connection() {
    let mut world = World::new(Delay::Balanced);
    world.able.plays = |mime| !mime.starts_with("audio");
    world.gop_ms = 8_000;
    world.come(500);
    world.run_for(1_000);
    assert_eq!(world.state(), Some(&PlayerEvent::Playing), "within a second");
    world.run_for(4_000);
    world.cut(false);
    world.run_for(20_000);
    assert_eq!(world.builds.iter().map(|(_, tracks)| *tracks).collect::<Vec<_>>(), [1]);
    assert_eq!((world.opened.len(), world.state()), (2, Some(&PlayerEvent::Playing)));
    assert!(world.engine.stats(world.now_ms, &Default::default()).left_out.is_some());
}

#[test]
fn sound_alone_that_does_not_play_is_named() {
    for (promise, announces) in [((true, false), false), ((true, true), true)] {
        let mut world = World::new(Delay::Balanced);
        world.able.plays = |mime| !mime.starts_with("audio");
        (world.promise, world.announces) = (promise, announces);
        world.video = Box::new(|_| false);
        world.come(0);
        world.run_for(10_000);
        let mime = init(Track::Audio).mime;
        assert_eq!(world.state(), Some(&PlayerEvent::Failed(Failure::CodecNotPlayable { mime })), "{promise:?}");
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

/// What an engine does with this much of a stream whose key frames belong to open GOPs, in a browser that shows the first `shown_s` of it,
/// and whose media source breaks before the last round: what it says, and how many pictures it gives to each media source.
fn watches_an_open_gop(rounds: u32, shown_s: f64) -> (Vec<PlayerEvent>, Vec<usize>) {
    let mut reader = Reader::new();
    reader.push(Bytes::from_static(include_bytes!("../../../media/tests/data/open_gop.flv")));
    let mut tags = Vec::new();
    while let Some(item) = reader.next().expect("a whole clip") {
        if let flv::Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    let second = (0..tags.len()).filter(|at| tags[*at].is_keyframe()).nth(1).expect("three key frames");
    let configs: Vec<Tag> = tags.iter().filter(|tag| tag.is_sequence_header()).cloned().collect();
    let media = tags.split_off(second);
    let first_ms = media[0].at.0;
    let mut engine = Engine::new(Delay::Balanced, ABLE, 7, 0);
    let (mut now_ms, mut events, mut view) = (0, Vec::new(), View::default());
    let mut pictures = Vec::new();
    let mut answer = |engine: &mut Engine, now_ms: i64, input: Input, view: &View| {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            engine.handle(now_ms, input, view);
            while let Some(output) = engine.poll() {
                inputs.extend(match output {
                    Output::Open { connection, .. } => Some(Input::Answered { connection, answer: Answer::Stream }),
                    Output::Build { source, .. } => {
                        pictures.push(0);
                        Some(Input::SourceOpen { source })
                    }
                    Output::Append { source, track, .. } | Output::Remove { source, track, .. } => {
                        pictures[source as usize - 1] += usize::from(track == Track::Video);
                        Some(Input::Done { source, track })
                    }
                    Output::Event(event) => {
                        events.push(event);
                        None
                    }
                    _ => None,
                });
            }
        }
    };
    answer(&mut engine, 0, Input::Start, &view);
    let bytes = |bytes: BytesMut| Input::Bytes { connection: 1, bytes: bytes.freeze() };
    let mut head = BytesMut::from(&flv::header(true, true)[..]);
    configs.iter().for_each(|tag| tag.write(&mut head));
    answer(&mut engine, 0, bytes(head), &view);
    for round in 0..rounds {
        if round > 0 && round == rounds - 1 {
            answer(&mut engine, now_ms, Input::Broken { source: 1 }, &view);
        }
        for tag in &media {
            let at = i64::from(round) * 2_100 + tag.at.0 - first_ms;
            now_ms = now_ms.max(at);
            view.ranges = Ranges(vec![Span { start_s: 0.0, end_s: (now_ms as f64 / 1000.0).min(shown_s) }]);
            let mut one = BytesMut::new();
            flv::write_tag(&mut one, tag.kind, at as u32, &tag.body);
            answer(&mut engine, now_ms, bytes(one), &view);
        }
    }
    (events, pictures)
}

#[test]
fn a_browser_that_does_not_begin_at_an_open_gop_is_not_waited_for() {
    let failed = |events: &[PlayerEvent]| {
        let named = |event: &PlayerEvent| matches!(event, PlayerEvent::Failed(Failure::CodecNotPlayable { mime }) if mime == "avc1.64000c (open GOP)");
        events.iter().any(named)
    };
    assert!(failed(&watches_an_open_gop(4, 0.0).0));
    assert!(!failed(&watches_an_open_gop(1, 0.0).0), "it may take a moment");
    assert!(!failed(&watches_an_open_gop(4, 60.0).0), "it is shown");
}

#[test]
fn a_new_media_source_is_not_given_pictures_that_refer_to_the_old_one() {
    let (_, first) = watches_an_open_gop(1, 60.0);
    let (events, both) = watches_an_open_gop(2, 60.0);
    assert_eq!(both, [first[0], first[0]]);
    assert!(!events.iter().any(|event| matches!(event, PlayerEvent::Failed(_))), "{events:?}");
}

#[test]
fn the_delay_is_counted_from_when_the_server_received_the_picture() {
    let mut world = World::watched(Delay::Balanced);
    let told = |world: &World| {
        let delay = |event: &PlayerEvent| match event {
            PlayerEvent::Delay { behind_ms } => Some(i64::from(*behind_ms)),
            _ => None,
        };
        world.events.iter().rev().find_map(|(_, event)| delay(event)).expect("it says")
    };
    let here_ms = told(&world);
    // Two seconds lie in queues on the way: what comes now was received then.
    let unix_ms = 1_767_225_600_000;
    let at_ms = ((world.element.view().ranges.end_s().expect("media") - world.engine.offset_s()) * 1000.0) as i64;
    let clock = crate::intake::Item::Clock { at_ms, unix_ms: unix_ms - 2_000 };
    world.engine.handle_items(world.now_ms, vec![clock], &world.element.view());
    world.engine.set_server_time(world.now_ms, unix_ms);
    world.run_for(1_000);
    let late_ms = told(&world);
    assert!((1_900..2_100).contains(&(late_ms - here_ms)), "{here_ms}, {late_ms}");
    // A clock that is set while one watches is not asked any more, even where it could be right.
    for later_ms in [5_000, 0, -3_600_000] {
        world.engine.set_server_time(world.now_ms, unix_ms + 1_000 + later_ms);
        world.run_for(1_000);
        assert!((told(&world) - here_ms).abs() < 300, "{later_ms}: {here_ms}, {}", told(&world));
    }
}

#[test]
fn a_clock_that_cannot_be_right_is_not_asked() {
    let mut world = World::watched(Delay::Balanced);
    let at_ms = ((world.element.view().ranges.end_s().expect("media") - world.engine.offset_s()) * 1000.0) as i64;
    let clock = crate::intake::Item::Clock { at_ms, unix_ms: 1_767_225_600_000 };
    world.engine.handle_items(world.now_ms, vec![clock], &world.element.view());
    world.engine.set_server_time(world.now_ms, 1_767_225_600_000 - 3_600_000);
    world.run_for(1_000);
    let behind =
        |(_, event): &(i64, PlayerEvent)| matches!(event, PlayerEvent::Delay { behind_ms } if *behind_ms < 1_500);
    assert!(behind(world.events.last().expect("it says")));
}
