use super::*;
use crate::rtmp::tests::rtmp_client::{Amf, amf, command, connect_object, nested_connect, text};
use proptest::prelude::*;

fn read(body: &[u8]) -> Result<Command, CommandError> {
    parse(kind::COMMAND_AMF0, body)
}

#[test]
fn what_encoders_send_is_understood() {
    let key = [Amf::Null, text("sk_secret")];
    assert_eq!(read(&command("releaseStream", 2.0, &key)), Ok(Command::ReleaseStream { transaction: 2.0 }));
    assert_eq!(read(&command("FCPublish", 3.0, &key)), Ok(Command::FcPublish { transaction: 3.0 }));
    assert_eq!(read(&command("createStream", 4.0, &[Amf::Null])), Ok(Command::CreateStream { transaction: 4.0 }));
    let publish = read(&command("publish", 5.0, &[Amf::Null, text("sk_secret"), text("live")]));
    let name = StreamName::new("sk_secret".into());
    assert_eq!(publish, Ok(Command::Publish { transaction: 5.0, name }));
    assert!(!format!("{publish:?}").contains("secret"));
    assert_eq!(read(&command("_checkbw", 6.0, &[Amf::Null])), Ok(Command::CheckBandwidth { transaction: 6.0 }));
    assert_eq!(read(&command("getStreamLength", 7.0, &key)), Ok(Command::GetStreamLength { transaction: 7.0 }));
    assert_eq!(read(&command("FCUnpublish", 8.0, &key)), Ok(Command::FcUnpublish { transaction: 8.0 }));
    let delete = command("deleteStream", 9.0, &[Amf::Null, Amf::Number(1.0)]);
    assert_eq!(read(&delete), Ok(Command::DeleteStream { stream: Some(1) }));
    assert_eq!(read(&command("closeStream", 0.0, &[Amf::Null])), Ok(Command::CloseStream));
    assert_eq!(read(&command("_result", 1.0, &[])), Ok(Command::Answer));
    assert_eq!(read(&command("sk_secret", 1.0, &[])), Ok(Command::Unknown { transaction: 1.0 }));
}

#[test]
fn an_amf3_command_is_amf0_behind_a_byte() {
    let body = [&[0], &command("createStream", 4.0, &[Amf::Null])[..]].concat();
    assert_eq!(parse(kind::COMMAND_AMF3, &body), Ok(Command::CreateStream { transaction: 4.0 }));
}

fn connect(app: &str) -> Connect {
    match read(&command("connect", 1.0, &[connect_object(app)])) {
        Ok(Command::Connect(connect)) => connect,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_application_is_taken_without_slashes_and_query() {
    for app in ["live", "live/", "/live", "live?token=1", "live/?token=1"] {
        assert_eq!(connect(app).app.normal(), "live", "{app}");
    }
    assert_eq!(connect("live/sk_secret").app.normal(), "live/sk_secret");
}

#[test]
fn an_application_that_may_hold_a_key_is_not_shown() {
    assert_eq!(connect("liveabc").app.shown(), "liveabc");
    assert_eq!(connect("").app.shown(), "(empty)");
    for app in ["live/sk_secret", "sk_secret", "live_123456789_abcdefghijkl"] {
        let shown = format!("{:?}", connect(app));
        assert!(!shown.contains("secret") && !shown.contains("123456789"), "{shown}");
    }
}

#[test]
fn the_encoder_is_made_safe_to_show() {
    let object = Amf::Object(vec![("flashVer".into(), text(&format!(" a\x1b[2J\nb{}", "c".repeat(500))))]);
    let Ok(Command::Connect(connect)) = read(&command("connect", 1.0, &[object])) else { panic!("a connect") };
    assert!(connect.encoder.starts_with("a[2Jb"));
    assert!(connect.encoder.chars().count() <= ENCODER_CHARS);
}

#[test]
fn a_query_behind_the_stream_name_is_left_out() {
    let body = command("publish", 5.0, &[Amf::Null, text("sk_a?bandwidthtest=true"), text("live")]);
    let Ok(Command::Publish { name, .. }) = read(&body) else { panic!("a publish") };
    assert_eq!(name.expose(), "sk_a");
}

#[test]
fn nesting_is_bounded() {
    assert!(matches!(read(&nested_connect()), Err(CommandError::Amf0(_))));
}

#[test]
fn dates_long_strings_and_typed_objects_are_values_like_others() {
    let date = [&[0x0B][..], &1.7e12_f64.to_be_bytes(), &[0, 0]].concat();
    let long = [&[0x0C, 0, 0, 0, 3][..], b"abc"].concat();
    let typed = [&[0x10, 0, 1, b'T', 0, 1, b'x'][..], &[5], &[0, 0, 9]].concat();
    let object = Amf::Object(vec![
        ("when".into(), Amf::Raw(date)),
        ("much".into(), Amf::Raw(long)),
        ("thing".into(), Amf::Raw(typed)),
        ("app".into(), text("live")),
    ]);
    let Ok(Command::Connect(connect)) = read(&command("connect", 1.0, &[object])) else { panic!("a connect") };
    assert_eq!(connect.app.normal(), "live");
}

#[test]
fn commands_without_what_they_need_are_refused() {
    assert_eq!(read(&[]), Err(CommandError::NoName));
    assert_eq!(read(&amf(&[Amf::Number(1.0)])), Err(CommandError::NoName));
    assert_eq!(read(&command("connect", 1.0, &[])), Err(CommandError::MissingArgument("connect")));
    assert_eq!(read(&command("publish", 1.0, &[Amf::Null])), Err(CommandError::MissingArgument("publish")));
    assert_eq!(read(&command("deleteStream", 1.0, &[])), Ok(Command::DeleteStream { stream: None }));
}

proptest! {
    #[test]
    fn any_bytes_are_taken(body in prop::collection::vec(any::<u8>(), 0..300), amf3: bool) {
        let _ = parse(if amf3 { kind::COMMAND_AMF3 } else { kind::COMMAND_AMF0 }, &body);
    }

    #[test]
    fn any_arguments_are_taken(name in "connect|publish|deleteStream|play|x", rest in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&[command(&name, 1.0, &[]), rest].concat());
    }
}
