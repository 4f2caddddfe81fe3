//! What a well-behaved encoder sees, and one that was set up wrong.

use super::{
    AUDIO_CONFIG, AUDIO_FRAME, GOOD, KEY_FRAME, REVOKED, SLOW, Server, VIDEO_CONFIG,
    rtmp_client::{
        AUDIO, Amf, COMMAND, Client, DATA, Status, USER_CONTROL, VIDEO, amf, chunks, pieces, read_amf, text,
    },
    within,
};
use crate::{live::Cut, rtmp::RtmpLimits};
use madang_media::{
    Millis,
    flv::{self, TagKind},
};
use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing_subscriber::fmt::MakeWriter;

async fn client(server: &Server) -> Client {
    Client::connect(server.address).await.expect("the handshake succeeds")
}

async fn publish(server: &Server, key: &str) -> (Client, Status) {
    let mut client = client(server).await;
    let status = within(client.publish("live", key)).await.expect("the server answers");
    (client, status)
}

/// The answer to a `connect` that asks with this field: what the server says of itself, and its code.
async fn answer_to(server: &Server, asks: &str) -> (Vec<(String, Amf)>, Amf) {
    let mut client = client(server).await;
    let fields = vec![("app".to_owned(), text("live")), (asks.to_owned(), Amf::Null)];
    client.call("connect", 1.0, 0, &[Amf::Object(fields)]).await.expect("sent");
    loop {
        let message = within(client.next()).await.expect("read").expect("an answer");
        if message.kind != COMMAND {
            continue;
        }
        let values = read_amf(&message.body);
        let [Amf::Text(name), _, Amf::Object(server), Amf::Object(said)] = &values[..] else { panic!("{values:?}") };
        assert_eq!(name, "_result");
        let code = said.iter().find(|(name, _)| name == "code").map(|(_, code)| code.clone());
        return (server.clone(), code.expect("a code"));
    }
}

#[tokio::test]
async fn an_encoder_that_knows_enhanced_rtmp_is_told_what_is_carried() {
    let server = Server::start(RtmpLimits::default()).await;
    let (pictures, sounds) = (["hvc1", "av01", "vp09", "avc1"], ["mp4a", ".mp3", "Opus", "fLaC"]);
    for asks in ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"] {
        let (told, code) = answer_to(&server, asks).await;
        assert_eq!(code, text("NetConnection.Connect.Success"));
        let field = |wanted: &str| told.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let Some(Amf::List(list)) = field("fourCcList") else { panic!("{told:?}") };
        assert_eq!(list.len(), pictures.len() + sounds.len());
        for (map, codecs) in [("videoFourCcInfoMap", pictures), ("audioFourCcInfoMap", sounds)] {
            let Some(Amf::Object(map)) = field(map) else { panic!("{told:?}") };
            assert_eq!(map.len(), codecs.len(), "{map:?}");
            for codec in codecs {
                // Enhanced RTMP v2, FourCcInfoMask: CanForward.
                assert!(map.contains(&(codec.to_owned(), Amf::Number(4.0))), "{codec} in {map:?}");
                assert!(list.contains(&text(codec)), "{codec} in {list:?}");
            }
        }
        // Enhanced RTMP v2, CapsExMask: Multitrack and ModEx, and no reconnecting on demand.
        assert_eq!(field("capsEx"), Some(Amf::Number(6.0)));
    }
    // Who does not ask is answered as ever.
    let (told, _) = answer_to(&server, "objectEncoding").await;
    assert!(
        told.iter().all(|(name, _)| !name.contains("FourCc") && !name.contains("fourCc") && name != "capsEx"),
        "{told:?}"
    );
    server.stop().await;
}

#[tokio::test]
async fn an_encoder_with_a_key_goes_on_air() {
    let server = Server::start(RtmpLimits::default()).await;
    let (mut client, status) = publish(&server, "sk_good").await;
    assert_eq!((status.level.as_str(), status.code.as_str()), ("status", "NetStream.Publish.Start"));
    let mut published = server.published().await;
    assert_eq!(published.encoder, "FMLE/3.0 (compatible; TestEncoder)");
    assert_eq!(published.app, "live");

    let metadata =
        amf(&[text("@setDataFrame"), text("onMetaData"), Amf::Object(vec![("width".into(), Amf::Number(64.0))])]);
    client.message(4, 0, DATA, 1, &metadata).await.expect("sent");
    client.video(0, VIDEO_CONFIG).await.expect("sent");
    client.audio(0, AUDIO_CONFIG).await.expect("sent");
    client.video(u32::MAX - 20, &[KEY_FRAME, &[0; 100_000]].concat()).await.expect("sent");
    client.audio(3, AUDIO_FRAME).await.expect("sent");
    client.call("deleteStream", 6.0, 0, &[Amf::Null, Amf::Number(1.0)]).await.expect("sent");

    let tags = published.all().await;
    let kinds: Vec<_> = tags.iter().map(|tag| tag.kind).collect();
    assert_eq!(kinds, [TagKind::Script, TagKind::Video, TagKind::Audio, TagKind::Video, TagKind::Audio]);
    let script = amf(&[text("onMetaData"), Amf::Object(vec![("width".into(), Amf::Number(64.0))])]);
    assert_eq!(tags.first().map(|tag| tag.body.as_ref()), Some(&script[..]));
    let stamps: Vec<_> = tags.iter().map(|tag| tag.at).collect();
    // -21 and 3 around the wrap: stamps are extended to the nearest, forwards and back.
    assert_eq!(stamps, [Millis(0), Millis(0), Millis(0), Millis(-21), Millis(3)]);
    assert_eq!(tags.get(3).map(|tag| (tag.body.len(), tag.is_keyframe())), Some((100_010, true)));
    server.stop().await;
}

#[tokio::test]
async fn an_encoder_may_stop_and_start_again_on_one_connection() {
    let server = Server::start(RtmpLimits::default()).await;
    let (mut client, _) = publish(&server, "sk_good").await;
    let mut first = server.published().await;
    client.call("FCUnpublish", 6.0, 0, &[Amf::Null, text("sk_good")]).await.expect("sent");
    assert_eq!(
        within(client.status()).await.expect("read").map(|status| status.code),
        Some("NetStream.Unpublish.Success".into())
    );
    assert_eq!(first.all().await, []);
    client.call("publish", 7.0, 1, &[Amf::Null, text("sk_good"), text("live")]).await.expect("sent");
    assert_eq!(
        within(client.status()).await.expect("read").map(|status| status.code),
        Some("NetStream.Publish.Start".into())
    );
    client.audio(0, AUDIO_CONFIG).await.expect("sent");
    assert!(server.published().await.tag().await.is_some());
}

#[tokio::test]
async fn calls_that_encoders_wait_for_are_answered_by_their_number() {
    let server = Server::start(RtmpLimits::default()).await;
    let mut client = client(&server).await;
    within(client.open("live")).await.expect("an answer");
    for (number, name) in ["releaseStream", "FCPublish", "_checkbw", "getStreamLength"].into_iter().enumerate() {
        let transaction = 7.0 + number as f64;
        client.call(name, transaction, 0, &[Amf::Null, text("sk_good")]).await.expect("sent");
        let answer = loop {
            let message = within(client.next()).await.expect("read").expect("open");
            if message.kind == COMMAND {
                break read_amf(&message.body);
            }
        };
        assert_eq!(answer.get(..2), Some(&[text("_result"), Amf::Number(transaction)][..]), "{name}");
    }
}

#[tokio::test]
async fn refusals_say_what_to_do_and_never_the_key() {
    let server = Server::start(RtmpLimits { wrong_keys_per_minute: 1_000, ..RtmpLimits::default() }).await;
    for (key, hint) in [
        ("sk_unknown_hush", "No room has this stream key"),
        ("hush", "not a stream key of this server"),
        (REVOKED, "was revoked"),
        ("", "is empty"),
        (" \t", "is empty"),
    ] {
        let (mut client, status) = publish(&server, key).await;
        assert_eq!((status.level.as_str(), status.code.as_str()), ("error", "NetStream.Publish.Denied"), "{key}");
        assert!(status.description.contains(hint), "{key}: {}", status.description);
        assert!(!status.description.contains("hush"));
        within(client.closed()).await.expect("the server closes behind its answer");
    }
}

#[tokio::test]
async fn another_application_is_refused() {
    let server = Server::start(RtmpLimits::default()).await;
    for app in ["liveabc", "live/sk_hush", ""] {
        let mut client = client(&server).await;
        let error = within(client.open(app)).await.expect("an answer");
        assert_eq!((error.name.as_str(), error.code.as_str()), ("_error", "NetConnection.Connect.InvalidApp"));
        // For librtmp, which is OBS, the same by onStatus.
        let status = within(client.status()).await.expect("read").expect("a second answer");
        assert_eq!((status.name.as_str(), status.code), ("onStatus", error.code));
        assert!(status.description.contains("/live"));
        within(client.closed()).await.expect("closed");
    }
    for app in ["live/", "live?x=1"] {
        assert_eq!(
            within(client(&server).await.open(app)).await.expect("an answer").code,
            "NetConnection.Connect.Success"
        );
    }
}

#[tokio::test]
async fn too_many_wrong_keys_lock_the_address() {
    let limits =
        RtmpLimits { wrong_keys_per_minute: 3, wrong_key_lock: Duration::from_secs(3), ..RtmpLimits::default() };
    let server = Server::start(limits).await;
    for _ in 0..3 {
        publish(&server, "sk_wrong").await;
    }
    let (_, status) = publish(&server, GOOD).await;
    let told = (1..=3).any(|left| status.description.contains(&format!("Wait {left} seconds")));
    assert!(told, "{}", status.description);
    within(async {
        loop {
            let (mut client, status) = publish(&server, GOOD).await;
            if status.code == "NetStream.Publish.Start" {
                return;
            }
            client.closed().await.expect("the server closes behind its answer");
        }
    })
    .await;
}

#[tokio::test]
async fn a_cut_publisher_is_told_why() {
    let server = Server::start(RtmpLimits::default()).await;
    for (cut, code) in [
        (Cut::TakenOver, "NetStream.Publish.BadName"),
        (Cut::KeyRevoked, "NetStream.Publish.Denied"),
        (Cut::ByOwner, "NetStream.Publish.Rejected"),
    ] {
        let (mut client, _) = publish(&server, GOOD).await;
        let mut published = server.published().await;
        client.audio(0, AUDIO_CONFIG).await.expect("sent");
        assert!(published.tag().await.is_some());
        published.cut(cut);
        let status = within(client.status()).await.expect("read").expect("told");
        assert_eq!((status.level.as_str(), status.code.as_str()), ("error", code));
        within(client.closed()).await.expect("closed");
        assert_eq!(published.tag().await, None);
    }
}

#[tokio::test]
async fn a_stopping_server_says_so() {
    let server = Server::start(RtmpLimits::default()).await;
    let (mut client, _) = publish(&server, GOOD).await;
    server.request_stop();
    assert_eq!(within(client.status()).await.expect("read").expect("told").code, "NetConnection.Connect.AppShutdown");
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn other_codecs_are_refused_in_words() {
    let server = Server::start(RtmpLimits::default()).await;
    let (mut client, _) = publish(&server, GOOD).await;
    client.video(0, b"\x90vp08\x01\x02\x03").await.expect("sent");
    let status = within(client.status()).await.expect("read").expect("told");
    assert!(status.description.contains("H.264"), "{}", status.description);
    within(client.closed()).await.expect("closed");
}

#[tokio::test]
async fn deadlines_end_those_who_send_nothing() {
    let limits = RtmpLimits {
        handshake: Duration::from_secs(1),
        first_media: Duration::from_secs(2),
        idle: Duration::from_secs(2),
        ..RtmpLimits::default()
    };
    let server = Server::start(limits).await;
    // No connect at all, a gate that does not answer, no media, no more media.
    within(client(&server).await.closed()).await.expect("closed");
    let mut waiting = client(&server).await;
    let asked = within(waiting.publish("live", SLOW)).await;
    assert_eq!(asked.expect("told").code, "NetStream.Publish.Idle");
    let (mut silent, _) = publish(&server, GOOD).await;
    assert_eq!(within(silent.status()).await.expect("read").expect("told").code, "NetStream.Publish.Idle");
    assert_eq!(server.published().await.all().await, []);
    let (mut stalled, _) = publish(&server, GOOD).await;
    let mut published = server.published().await;
    for at in 0..4 {
        stalled.audio(at * 600, AUDIO_CONFIG).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    assert_eq!(published.all().await.len(), 4, "it lives while media come, beyond the first deadline");
}

#[tokio::test]
async fn a_publisher_may_send_aggregates_and_pings() {
    let server = Server::start(RtmpLimits::default()).await;
    let (mut client, _) = publish(&server, GOOD).await;
    let mut body = bytes::BytesMut::new();
    flv::write_tag(&mut body, TagKind::Audio, 100, AUDIO_CONFIG);
    flv::write_tag(&mut body, TagKind::Audio, 123, AUDIO_FRAME);
    client.message(4, 1_000, 22, 1, &body).await.expect("sent");
    client.message(2, 0, USER_CONTROL, 0, &[0, 6, 0, 0, 0, 42]).await.expect("sent");
    let mut published = server.published().await;
    let mut stamps = Vec::new();
    for _ in 0..2 {
        stamps.extend(published.tag().await.map(|tag| tag.at));
    }
    assert_eq!(stamps, [Millis(1_000), Millis(1_023)]);
    loop {
        let message = within(client.next()).await.expect("read").expect("open");
        if message.kind == USER_CONTROL && message.body.starts_with(&[0, 7]) {
            assert_eq!(message.body, [0, 7, 0, 0, 0, 42]);
            break;
        }
    }
}

#[tokio::test]
async fn received_bytes_are_acknowledged() {
    let server = Server::start(RtmpLimits::default()).await;
    let (mut client, _) = publish(&server, GOOD).await;
    client.message(2, 0, 5, 0, &10_000_u32.to_be_bytes()).await.expect("sent");
    client.audio(0, AUDIO_CONFIG).await.expect("sent");
    for at in 0..20 {
        client.video(at, &[KEY_FRAME, &[0; 1_000]].concat()).await.expect("sent");
    }
    loop {
        let message = within(client.next()).await.expect("read").expect("open");
        if message.kind == 3 {
            let total = u32::from_be_bytes(message.body.try_into().expect("4 bytes"));
            assert!((10_000..40_000).contains(&total), "{total}");
            break;
        }
    }
}

#[tokio::test]
async fn interleaved_tracks_arrive_whole() {
    let server = Server::start(RtmpLimits::default()).await;
    let (mut client, _) = publish(&server, GOOD).await;
    let (audio, video) = ([AUDIO_CONFIG, &[1; 9_000]].concat(), [KEY_FRAME, &[2; 30_000]].concat());
    let audio_pieces = pieces(4, 10, AUDIO, 1, &audio, 4096);
    for (number, piece) in pieces(6, 20, VIDEO, 1, &video, 4096).iter().enumerate() {
        client.send(piece).await.expect("sent");
        if let Some(piece) = audio_pieces.get(number) {
            client.send(piece).await.expect("sent");
        }
    }
    let mut published = server.published().await;
    assert_eq!(published.tag().await.map(|tag| tag.body.to_vec()), Some(audio));
    assert_eq!(published.tag().await.map(|tag| tag.body.to_vec()), Some(video));
}

#[tokio::test]
async fn connections_per_address_are_bounded() {
    let server = Server::start(RtmpLimits { connections_per_address: 2, ..RtmpLimits::default() }).await;
    let _two = (client(&server).await, client(&server).await);
    assert!(Client::connect(server.address).await.is_err());
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_log_line_holds_a_key() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Server::start(RtmpLimits::default()).await;
    let (mut good, _) = publish(&server, "sk_good_hush").await;
    good.audio(0, AUDIO_CONFIG).await.expect("sent");
    server.published().await.cut(Cut::KeyRevoked);
    within(good.closed()).await.expect("closed");
    for key in ["sk_wrong_hush", "hush", "sk_wrong_hush "] {
        within(publish(&server, key).await.0.closed()).await.expect("closed");
    }
    for app in ["live/sk_good_hush", "sk_good_hush"] {
        let mut client = client(&server).await;
        let _ = within(client.open(app)).await;
        within(client.closed()).await.expect("closed");
    }
    let mut odd = client(&server).await;
    let bytes = chunks(3, 0, 20, 0, &[&amf(&[text("hush"), Amf::Number(1.0)])[..], &[0xEE; 9]].concat(), 128);
    odd.send(&bytes).await.expect("sent");
    within(odd.closed()).await.expect("closed");
    server.stop().await;
    let log = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("UTF-8");
    assert!(log.contains("StreamName(…)") && log.contains("no room has this stream key"), "{log}");
    assert!(!log.contains("hush"), "{log}");
}
