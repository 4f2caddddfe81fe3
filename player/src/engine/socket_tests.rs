//! When the stream is asked for over a WebSocket rather than over HTTP.

use super::{Answer, Engine, Input, Output, View, sim::ABLE};
use crate::Delay;

const CLIP: &[u8] = include_bytes!("../../../media/tests/data/baseline.flv");

/// The connections that an engine asks for at a time: their numbers, and whether over a WebSocket.
fn opens(engine: &mut Engine, now_ms: i64, input: Input) -> Vec<(u32, bool)> {
    engine.handle(now_ms, input, &View::default());
    std::iter::from_fn(|| engine.poll())
        .filter_map(|output| match output {
            Output::Open { connection, socket } => Some((connection, socket)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_browser_with_many_tabs_is_sent_to_a_socket() {
    let mut engine = Engine::new(Delay::Balanced, ABLE, 1, 0);
    let [(first, false)] = opens(&mut engine, 0, Input::Start)[..] else { panic!("a request") };
    let answered = Input::Answered { connection: first, answer: Answer::Socket };
    let [(second, true)] = opens(&mut engine, 50, answered)[..] else { panic!("a socket, at once") };
    assert_eq!(
        opens(&mut engine, 60, Input::Answered { connection: second, answer: Answer::Socket }),
        [],
        "not round and round"
    );
}

#[test]
fn a_request_that_finds_no_connection_goes_over_a_socket() {
    let mut engine = Engine::new(Delay::Balanced, ABLE, 1, 0);
    let [(first, false)] = opens(&mut engine, 0, Input::Start)[..] else { panic!("a request") };
    assert_eq!(opens(&mut engine, 2_900, Input::Tick), []);
    let [(second, true)] = opens(&mut engine, 3_100, Input::Tick)[..] else { panic!("a socket") };
    assert_ne!(first, second);
    assert_eq!(opens(&mut engine, 3_200, Input::Closed { connection: first, clean: false }), [], "the old one is over");
    // It is refused, as for a room that has ended: the next request's answer says why.
    opens(&mut engine, 3_300, Input::Closed { connection: second, clean: false });
    let [(third, false)] = opens(&mut engine, 60_000, Input::Tick)[..] else { panic!("a request") };
    let [(fourth, true)] = opens(&mut engine, 64_000, Input::Tick)[..] else { panic!("a socket") };
    assert!(third < fourth);
    opens(&mut engine, 64_100, Input::Answered { connection: fourth, answer: Answer::Stream });
    // What has brought the stream once is asked first when the stream has ended in order.
    opens(&mut engine, 64_200, Input::Bytes { connection: fourth, bytes: CLIP.into() });
    opens(&mut engine, 64_300, Input::Closed { connection: fourth, clean: true });
    assert!(matches!(opens(&mut engine, 90_000, Input::Tick)[..], [(_, true)]));
}

#[test]
fn an_answer_that_brings_nothing_is_given_up_for_a_socket() {
    let mut engine = Engine::new(Delay::Balanced, ABLE, 1, 0);
    let [(first, false)] = opens(&mut engine, 0, Input::Start)[..] else { panic!("a request") };
    opens(&mut engine, 50, Input::Answered { connection: first, answer: Answer::Stream });
    assert_eq!(opens(&mut engine, 12_000, Input::Tick), []);
    let [(second, true)] = opens(&mut engine, 12_100, Input::Tick)[..] else { panic!("a socket") };
    opens(&mut engine, 12_200, Input::Answered { connection: second, answer: Answer::Stream });
    // Nothing there either: back to a request, after a rest.
    assert_eq!(opens(&mut engine, 24_300, Input::Tick), []);
    assert!(matches!(opens(&mut engine, 90_000, Input::Tick)[..], [(_, false)]));
}
