//! The other ways to watch: over a WebSocket, and over RTMP as ffplay and VLC do.

use crate::{
    house::{House, PATIENCE},
    rtmp_client::{Amf, Client, VIDEO},
    stream::{Encoder, Viewer, live},
};
use futures_util::StreamExt as _;
use madang_media::flv::{Item, Reader, Tag, TagKind};
use std::process::{Command, Stdio};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest as _},
};

async fn on_air(slug: &str) -> (House, Encoder) {
    let house = House::open().await;
    let key = house.make_room(slug);
    let encoder = Encoder::start(&house, &key).await;
    live(&house, slug).await;
    (house, encoder)
}

async fn counted(house: &House, watching: u64) {
    let mut socket = house.socket().await;
    socket.say(r#"{"type":"join","room":"my-room"}"#).await;
    socket.hear(|event| event["watching"] == watching || event["card"]["watching"] == watching).await;
}

type WebSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn socket(house: &House) -> WebSocket {
    socket_as(house, "").await
}

async fn socket_as(house: &House, cookie: &str) -> WebSocket {
    let address = format!("ws://{}/live/my-room.flv", house.addresses.http);
    let mut request = address.into_client_request().expect("a request");
    request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
    tokio_tungstenite::connect_async(request).await.expect("upgrades").0
}

/// The next message; `None` at the end.
async fn heard(socket: &mut WebSocket) -> Option<Message> {
    timeout(PATIENCE, socket.next()).await.expect("in time")?.ok()
}

#[tokio::test]
async fn a_websocket_brings_the_same_stream_and_counts_its_viewer() {
    let (house, encoder) = on_air("my-room").await;
    let mut socket = socket(&house).await;
    let mut reader = Reader::new();
    let mut tags: Vec<Tag> = Vec::new();
    while tags.iter().filter(|tag| tag.kind == TagKind::Video).count() < 60 {
        let Some(Message::Binary(bytes)) = heard(&mut socket).await else { panic!("media") };
        assert!(bytes.len() <= 16 * 1024);
        reader.push(bytes);
        while let Some(item) = reader.next().expect("FLV") {
            if let Item::Tag(tag) = item {
                tags.push(tag);
            }
        }
    }
    let pictures: Vec<&Tag> =
        tags.iter().filter(|tag| tag.kind == TagKind::Video && !tag.is_sequence_header()).collect();
    assert!(pictures[0].is_keyframe(), "the first picture can be decoded");
    assert!(pictures.windows(2).all(|pair| pair[0].at <= pair[1].at), "time goes forward");
    // It goes on reading, as a player does.
    let watching = tokio::spawn(async move {
        let mut close = None;
        while let Some(message) = heard(&mut socket).await {
            if let Message::Close(frame) = message {
                close = frame.map(|frame| u16::from(frame.code));
            }
        }
        close
    });
    counted(&house, 1).await;
    drop(encoder);
    let close = timeout(PATIENCE, watching).await.expect("in time").expect("no panic");
    assert_eq!(close, Some(1000), "the broadcast is over");
    counted(&house, 0).await;
}

/// A browser has six connections to a site: with streams in all of them no page would load.
#[tokio::test]
async fn a_browser_keeps_connections_for_pages() {
    let (house, _encoder) = on_air("my-room").await;
    let cookie = house.visitor().await;
    let mut tabs = Vec::new();
    for _ in 0..4 {
        tabs.push(Viewer::join_as(&house, "my-room", Some(&cookie)).await);
    }
    let fifth = house.request("GET", "/live/my-room.flv", &[("cookie", &cookie)], "").await;
    assert_eq!((fifth.status, fifth.header("upgrade")), (426, Some("websocket")));
    let mut over_socket = socket_as(&house, &cookie).await;
    assert!(matches!(heard(&mut over_socket).await, Some(Message::Binary(_))));
    // Players without a cookie are nobody's tabs.
    let _others: Vec<Viewer> = futures_util::future::join_all((0..6).map(|_| Viewer::join(&house, "my-room"))).await;
    tabs.pop();
    // Its connection's end is seen by the server at the next write.
    let freed = async { while !house.upgraded("/live/my-room.flv", &[("cookie", &cookie)]).await.contains(" 200 ") {} };
    timeout(PATIENCE, freed).await.expect("in time");
}

#[tokio::test]
async fn a_websocket_to_a_room_that_is_not_live_is_refused_as_http_is() {
    let house = House::open().await;
    house.make_room("my-room");
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let answer = house.request("GET", "/live/my-room.flv", &upgrade, "").await;
    assert_eq!((answer.status, answer.json()["state"].as_str()), (503, Some("never")));
    assert_eq!(house.request("GET", "/live/nobody.flv", &upgrade, "").await.status, 404);
}

#[tokio::test]
async fn a_viewer_who_only_writes_over_a_websocket_is_closed() {
    let (house, _encoder) = on_air("my-room").await;
    let mut socket = socket(&house).await;
    let long = Message::Binary(vec![0; 4096].into());
    futures_util::SinkExt::send(&mut socket, long).await.expect("is sent");
    while heard(&mut socket).await.is_some() {}
    counted(&house, 0).await;
}

#[tokio::test]
async fn an_rtmp_player_is_shown_the_stream_from_a_key_frame_on() {
    let (house, encoder) = on_air("my-room").await;
    let mut player = Client::connect(house.addresses.rtmp).await.expect("connects");
    let status = player.play("my-room?of=no-meaning").await.expect("an answer");
    assert_eq!(status.code, "NetStream.Play.Start", "{status:?}");
    let mut pictures = Vec::new();
    while pictures.len() < 60 {
        let message = timeout(PATIENCE, player.media()).await.expect("in time").expect("reads").expect("media");
        if message.kind == VIDEO {
            pictures.push(message);
        }
    }
    assert_eq!(pictures[0].body[..2], [0x17, 0], "the configuration comes first");
    assert_eq!(pictures[1].body[..2], [0x17, 1], "then a key frame");
    assert!(pictures.windows(2).all(|pair| pair[0].at <= pair[1].at), "time goes forward");
    player.call("pause", 0.0, 1, &[Amf::Null, Amf::Boolean(true), Amf::Number(0.0)]).await.expect("is sent");
    let answer = timeout(PATIENCE, player.status()).await.expect("in time").expect("reads").expect("an answer");
    assert_eq!(answer.code, "NetStream.Pause.Notify");
    player.call("pause", 0.0, 1, &[Amf::Null, Amf::Boolean(false), Amf::Number(0.0)]).await.expect("is sent");
    let answer = timeout(PATIENCE, player.status()).await.expect("in time").expect("reads").expect("an answer");
    assert_eq!(answer.code, "NetStream.Unpause.Notify");
    assert!(timeout(PATIENCE, player.media()).await.expect("in time").expect("reads").is_some());
    drop(encoder);
    let over = timeout(PATIENCE, player.status()).await.expect("in time").expect("reads").expect("an answer");
    assert_eq!(over.code, "NetStream.Play.UnpublishNotify");
}

#[tokio::test]
async fn an_rtmp_player_counts_as_watching_and_within_its_addresss_bound() {
    let house = House::open_with(|config| config.limits.viewers_per_address = 1).await;
    let key = house.make_room("my-room");
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut player = Client::connect(house.addresses.rtmp).await.expect("connects");
    assert_eq!(player.play("my-room").await.expect("an answer").code, "NetStream.Play.Start");
    assert!(player.media().await.expect("reads").is_some());
    counted(&house, 1).await;
    let mut second = Client::connect(house.addresses.rtmp).await.expect("connects");
    let refused = second.play("my-room").await.expect("an answer");
    assert_eq!((refused.code.as_str(), refused.level.as_str()), ("NetStream.Play.Failed", "error"));
    assert_eq!(house.get("/live/my-room.flv").await.status, 429, "over HTTP too");
    drop(player);
    counted(&house, 0).await;
}

/// Encoders find a connection however many watch.
#[tokio::test]
async fn players_leave_encoders_their_connections() {
    let house = House::open_with(|config| config.limits.rtmp_players_per_address = 3).await;
    let key = house.make_room("my-room");
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut players = Vec::new();
    for _ in 0..3 {
        let mut player = Client::connect(house.addresses.rtmp).await.expect("connects");
        assert_eq!(player.play("my-room").await.expect("an answer").code, "NetStream.Play.Start");
        players.push(player);
    }
    let mut one_more = Client::connect(house.addresses.rtmp).await.expect("connects");
    assert_eq!(one_more.play("my-room").await.expect("an answer").code, "NetStream.Play.Failed");
    // Over this port as many as may connect at all could still publish.
    let other = house.make_room("other-room");
    let _another = Encoder::start(&house, &other).await;
    live(&house, "other-room").await;
}

#[tokio::test]
async fn a_player_that_waits_hears_the_end_and_one_that_goes_on_begins_with_a_key_frame() {
    let (house, encoder) = on_air("my-room").await;
    let mut players = Vec::new();
    for _ in 0..2 {
        let mut player = Client::connect(house.addresses.rtmp).await.expect("connects");
        assert_eq!(player.play("my-room").await.expect("an answer").code, "NetStream.Play.Start");
        player.call("pause", 0.0, 1, &[Amf::Null, Amf::Boolean(true), Amf::Number(0.0)]).await.expect("is sent");
        assert_eq!(player.status().await.expect("reads").expect("an answer").code, "NetStream.Pause.Notify");
        players.push(player);
    }
    // Somebody else is given what they are not meanwhile.
    let mut viewer = Viewer::join(&house, "my-room").await;
    for _ in 0..60 {
        assert!(viewer.media().await.is_some());
    }
    let mut goes_on = players.pop().expect("two");
    goes_on.call("pause", 0.0, 1, &[Amf::Null, Amf::Boolean(false), Amf::Number(0.0)]).await.expect("is sent");
    assert_eq!(goes_on.status().await.expect("reads").expect("an answer").code, "NetStream.Unpause.Notify");
    let mut video = async || loop {
        let media = timeout(PATIENCE, goes_on.media()).await.expect("in time").expect("reads").expect("media");
        if media.kind == VIDEO {
            return media.body;
        }
    };
    assert_eq!(video().await[..2], [0x17, 0], "the configuration");
    assert_eq!(video().await[..2], [0x17, 1], "then a key frame");
    drop(encoder);
    let mut waits = players.pop().expect("one");
    let over = timeout(PATIENCE, waits.status()).await.expect("in time").expect("reads").expect("an answer");
    assert_eq!(over.code, "NetStream.Play.UnpublishNotify");
}

#[tokio::test]
async fn a_room_that_is_not_there_or_not_live_is_refused_in_words() {
    let house = House::open().await;
    house.make_room("my-room");
    for room in ["my-room", "nobody", "", "../my-room", "My-Room"] {
        let mut player = Client::connect(house.addresses.rtmp).await.expect("connects");
        let refused = player.play(room).await.expect("an answer");
        assert_eq!(refused.code, "NetStream.Play.StreamNotFound", "{room}");
        assert!(refused.description.ends_with('.'));
        timeout(PATIENCE, player.closed()).await.expect("in time").expect("closed");
    }
}

#[tokio::test]
async fn ffmpeg_watches_over_rtmp() {
    if Command::new("ffprobe").arg("-version").stdout(Stdio::null()).status().is_err() {
        assert!(std::env::var_os("MADANG_REQUIRE_FFMPEG").is_none(), "ffprobe is not here");
        eprintln!("not run: there is no ffprobe here");
        return;
    }
    let (house, _encoder) = on_air("my-room").await;
    let address = format!("rtmp://{}/live/my-room", house.addresses.rtmp);
    // A house runs on this thread.
    let probe = tokio::task::spawn_blocking(move || {
        Command::new("ffprobe")
            .args(["-loglevel", "error", "-rw_timeout", "10000000", "-read_intervals", "%+#60", "-show_entries"])
            .args(["stream=codec_name:packet=pts", "-of", "compact"])
            .arg(address)
            .stdin(Stdio::null())
            .output()
    });
    let seen = timeout(PATIENCE * 3, probe).await.expect("in time").expect("no panic").expect("ffprobe runs");
    let text = String::from_utf8_lossy(&seen.stdout);
    assert!(seen.status.success(), "{}", String::from_utf8_lossy(&seen.stderr));
    assert!(text.contains("codec_name=h264") && text.contains("codec_name=aac"), "{text}");
    assert!(text.matches("packet|").count() >= 60, "{text}");
}
