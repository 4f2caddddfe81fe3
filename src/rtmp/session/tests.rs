use super::*;
use crate::rtmp::{
    chunk::ChunkReader,
    gate::PlayRefusal,
    tests::{
        AUDIO_CONFIG, AUDIO_FRAME,
        rtmp_client::{Amf, command, connect_object, text},
    },
};
use bytes::BytesMut;
use madang_media::Millis;
use proptest::prelude::*;

fn session() -> Session {
    Session::new(SocketAddr::from(([127, 0, 0, 1], 1)), &RtmpLimits::default(), Instant::now())
}

fn message(kind: u8, stream: u32, body: &[u8]) -> Message {
    Message { at: 0, kind, stream, body: Bytes::copy_from_slice(body) }
}

fn call(session: &mut Session, name: &str, stream: u32, arguments: &[Amf]) {
    let message = message(kind::COMMAND_AMF0, stream, &command(name, 1.0, arguments));
    session.receive(message, Instant::now()).expect("a sound command");
}

fn actions(session: &mut Session) -> Vec<Action> {
    std::iter::from_fn(|| session.next_action()).collect()
}

/// The session asks and is granted.
fn publishing() -> Session {
    let mut session = session();
    call(&mut session, "connect", 0, &[connect_object("live")]);
    call(&mut session, "createStream", 0, &[Amf::Null]);
    call(&mut session, "publish", 1, &[Amf::Null, text("sk_a"), text("live")]);
    assert!(matches!(actions(&mut session)[..], [Action::Ask(_)]));
    session.granted();
    session
}

#[test]
fn the_request_carries_the_key_as_it_came() {
    let mut session = session();
    call(&mut session, "connect", 0, &[connect_object("live/")]);
    call(&mut session, "publish", 1, &[Amf::Null, text("sk_a "), text("live")]);
    let asked = actions(&mut session);
    let [Action::Ask(request)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((request.key.expose(), request.app.as_str()), ("sk_a ", "live"));
    assert!(!format!("{asked:?}").contains("sk_a"));
    session.refuse(Refused::Key(Refusal::UnknownKey), 0);
    assert!(matches!(actions(&mut session)[..], [Action::Close(End::Refused(Refused::Key(Refusal::UnknownKey)))]));
}

#[test]
fn media_counts_only_while_publishing() {
    let mut session = session();
    session.receive(message(kind::AUDIO, 1, AUDIO_FRAME), Instant::now()).expect("passed over");
    assert!(actions(&mut session).is_empty());
    let mut session = publishing();
    session.receive(message(kind::AUDIO, 1, AUDIO_CONFIG), Instant::now()).expect("taken");
    session.receive(message(kind::AUDIO, 1, &[]), Instant::now()).expect("passed over");
    assert!(matches!(actions(&mut session)[..], [Action::Tag(_)]));
    session.cut(Cut::ByOwner);
    session.receive(message(kind::AUDIO, 1, AUDIO_FRAME), Instant::now()).expect("passed over");
    assert!(actions(&mut session).is_empty());
}

#[test]
fn media_of_another_stream_is_not_mixed_in() {
    let mut session = publishing();
    call(&mut session, "createStream", 0, &[Amf::Null]);
    call(&mut session, "publish", 2, &[Amf::Null, text("audio 2"), text("live")]);
    session.receive(message(kind::AUDIO, 2, AUDIO_CONFIG), Instant::now()).expect("passed over");
    assert!(actions(&mut session).is_empty(), "the second stream is refused, the first goes on");
    session.receive(message(kind::AUDIO, 1, AUDIO_CONFIG), Instant::now()).expect("taken");
    assert!(matches!(actions(&mut session)[..], [Action::Tag(_)]));
}

#[test]
fn every_way_to_stop_ends_the_stream() {
    for (name, stream, arguments) in [
        ("FCUnpublish", 0, vec![Amf::Null, text("sk_a")]),
        ("deleteStream", 0, vec![Amf::Null, Amf::Number(1.0)]),
        ("closeStream", 1, vec![Amf::Null]),
    ] {
        let mut session = publishing();
        call(&mut session, name, stream, &arguments);
        assert!(matches!(actions(&mut session)[..], [Action::Unpublish]), "{name}");
    }
    let mut session = publishing();
    call(&mut session, "deleteStream", 0, &[Amf::Null, Amf::Number(7.0)]);
    assert!(actions(&mut session).is_empty(), "another stream");
}

#[test]
fn unknown_commands_get_an_answer_only_where_one_is_awaited() {
    let mut session = publishing();
    session.take_output();
    session.receive(message(kind::COMMAND_AMF0, 0, &command("fooBar", 0.0, &[])), Instant::now()).expect("passed over");
    assert!(session.take_output().is_empty());
    session.receive(message(kind::COMMAND_AMF0, 0, &command("fooBar", 3.0, &[])), Instant::now()).expect("answered");
    let answer = session.take_output();
    assert!(answer.windows(6).any(|window| window == b"_error"));
    assert!(!answer.windows(6).any(|window| window == b"fooBar"), "nothing of the peer's is repeated");
}

#[test]
fn a_player_asks_waits_goes_on_and_leaves() {
    let mut session = session();
    call(&mut session, "connect", 0, &[connect_object("live")]);
    call(&mut session, "play", 1, &[Amf::Null, text("room?token=t")]);
    let [Action::Play(request)] = &actions(&mut session)[..] else { panic!("it is asked for") };
    assert_eq!(request.name.expose(), "room?token=t");
    assert!(!format!("{request:?}").contains("token"), "what lets a player in is a secret");
    session.playing();
    session.take_output();
    call(&mut session, "publish", 1, &[Amf::Null, text("sk_x"), text("live")]);
    assert!(actions(&mut session).is_empty(), "one thing in one connection");
    call(&mut session, "pause", 1, &[Amf::Null, Amf::Boolean(true), Amf::Number(0.0)]);
    assert!(matches!(actions(&mut session)[..], [Action::Pause(true)]));
    call(&mut session, "pause", 1, &[Amf::Null, Amf::Boolean(false), Amf::Number(0.0)]);
    assert!(matches!(actions(&mut session)[..], [Action::Pause(false)]));
    call(&mut session, "deleteStream", 0, &[Amf::Null, Amf::Number(1.0)]);
    assert!(matches!(actions(&mut session)[..], [Action::Leave]));
    session.show(&Tag { kind: TagKind::Video, at: Millis(0), body: Bytes::from_static(b"late") });
    assert!(!session.take_output().windows(4).any(|window| window == b"late"), "nothing comes after it");
}

#[test]
fn a_refused_player_is_told_why() {
    let mut session = session();
    call(&mut session, "connect", 0, &[connect_object("live")]);
    call(&mut session, "play", 1, &[Amf::Null, text("room")]);
    actions(&mut session);
    session.refuse(Refused::Play(PlayRefusal::NotLive), 0);
    assert!(matches!(actions(&mut session)[..], [Action::Close(End::Refused(Refused::Play(PlayRefusal::NotLive)))]));
    assert!(session.take_output().windows(14).any(|window| window == b"StreamNotFound"));
}

#[test]
fn what_a_player_is_shown_is_the_tag_in_chunks() {
    for (at, chunk_header) in [(0x1234, &[0, 0x12, 0x34][..]), (0x0100_0000, &[0xff, 0xff, 0xff])] {
        let mut out = Outbound::new();
        let body: Vec<u8> = (0..5_000_u32).map(|n| (n % 251) as u8).collect();
        out.media(1, &Tag { kind: TagKind::Video, at: Millis(at), body: body.clone().into() });
        let bytes = out.take();
        assert_eq!(bytes[0], 5);
        assert_eq!(&bytes[1..4], chunk_header);
        assert_eq!(&bytes[4..12], [0, 0x13, 0x88, 9, 1, 0, 0, 0], "length, type, stream");
        let mut reader = ChunkReader::new(RtmpLimits::default().publisher());
        let mut input = BytesMut::from(&[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0x10, 0][..]);
        input.extend(bytes);
        let seen = std::iter::from_fn(|| reader.next(&mut input).expect("chunks")).last().expect("a message");
        assert_eq!((seen.kind, i64::from(seen.at), &seen.body[..]), (kind::VIDEO, at, &body[..]));
        assert!(input.is_empty());
    }
}

#[test]
fn commands_are_rationed() {
    let mut session = session();
    let now = Instant::now();
    let ping = message(kind::USER_CONTROL, 0, &[0, 6, 0, 0, 0, 1]);
    let failed = (0..100).map(|_| session.receive(ping.clone(), now)).find_map(Result::err);
    assert!(matches!(failed, Some(End::TooManyCommands(50))));
}

#[test]
fn an_acknowledgement_wraps_with_its_field() {
    let mut session = session();
    session.received(1 << 32);
    assert!(session.take_output().is_empty(), "the peer has not announced a window");
    let window = message(kind::WINDOW_ACKNOWLEDGEMENT_SIZE, 0, &2_500_000_u32.to_be_bytes());
    session.receive(window, Instant::now()).expect("taken");
    session.received((1 << 32) + 5);
    let bytes = session.take_output();
    assert!(bytes.ends_with(&[0, 0, 0, 5]), "{bytes:?}");
    session.received((1 << 32) + 6);
    assert!(session.take_output().is_empty(), "the window is not full again");
}

fn any_message() -> impl Strategy<Value = Message> {
    let kinds =
        prop_oneof![any::<u8>(), Just(8), Just(9), Just(15), Just(17), Just(18), Just(20), Just(22), Just(4), Just(5)];
    let names = "connect|createStream|publish|deleteStream|FCUnpublish|closeStream|play|x";
    let commands = (names, "live|sk_a").prop_map(|(name, word)| {
        command(&name, 1.0, &[if name == "connect" { connect_object(&word) } else { Amf::Null }, text(&word)])
    });
    let body = prop_oneof![prop::collection::vec(any::<u8>(), 0..60), commands];
    (any::<u32>(), kinds, 0..3_u32, body).prop_map(|(at, kind, stream, body)| Message {
        at,
        kind,
        stream,
        body: body.into(),
    })
}

proptest! {
    #[test]
    fn any_messages_are_taken(messages in prop::collection::vec(any_message(), 0..40)) {
        let mut session = session();
        let mut asked = 0;
        'messages: for message in messages {
            if session.receive(message, Instant::now()).is_err() {
                break;
            }
            for action in actions(&mut session) {
                match action {
                    Action::Ask(_) => {
                        asked += 1;
                        session.granted();
                    }
                    Action::Tag(_) => prop_assert!(asked > 0, "no media without a key"),
                    Action::Play(_) => session.playing(),
                    Action::Unpublish | Action::Pause(_) | Action::Leave => {}
                    Action::Close(_) => break 'messages,
                }
            }
            prop_assert!(session.take_output().len() < 64 * 1024);
        }
    }
}
