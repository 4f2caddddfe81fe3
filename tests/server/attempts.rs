//! Encoders that are set up wrong: each is told why, and so is the streamer who wonders in the studio.

use crate::{
    house::{House, Socket},
    rtmp_client::{Amf, Client, amf},
    stream::Encoder,
};
use serde_json::Value;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};

const AVC_CONFIG: &[u8] =
    &[0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1e, 0xff, 0xe1, 0, 4, 0x67, 0x64, 0, 0x1e, 1, 0, 2, 0x68, 0xef];
/// hvcC in a tag of H.264.
const HEVC_AS_AVC: &[u8] = &[
    0x17, 0, 0, 0, 0, 1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x5d, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 3,
    0x20, 0, 1, 0, 2, 0x40, 1,
];

/// The owner's page of a room, open.
struct Studio {
    house: House,
    key: String,
    cookie: String,
    socket: Socket,
}

impl Studio {
    async fn open() -> Self {
        Self::patient(10).await
    }

    /// Of a server that waits for so long for encoders that send nothing.
    async fn patient(seconds: u64) -> Self {
        let house = House::open_with(|config| {
            config.limits.rtmp_first_media_s = seconds;
            config.limits.rtmp_idle_s = seconds;
            config.limits.wrong_keys_per_minute = 0;
        })
        .await;
        let (key, cookie) = house.own_room("my-room").await;
        let mut socket = house.socket_as(&cookie).await;
        socket.say(r#"{"type":"join","room":"my-room"}"#).await;
        Self { house, key, cookie, socket }
    }

    /// What the studio is told first of all, once it is why.
    async fn hears(&mut self, why: &str) -> Value {
        let newest = |event: &Value| event["status"]["attempts"][0].clone();
        let event = self.socket.hear(|event| event["type"] == "studio" && newest(event)["why"] == why).await;
        newest(&event)
    }

    async fn client(&self) -> Client {
        Client::connect(self.house.addresses.rtmp).await.expect("connects")
    }

    async fn publish(&self, app: &str, key: &str) -> Client {
        let mut client = self.client().await;
        client.publish(app, key).await.expect("an answer");
        client
    }

    /// Says something else than RTMP, and waits to be sent away.
    async fn says(&self, bytes: &[u8]) {
        let mut socket = TcpStream::connect(self.house.addresses.rtmp).await.expect("connects");
        socket.write_all(bytes).await.expect("is sent");
        let mut rest = Vec::new();
        // A reset is a way to be sent away too.
        let _ = socket.read_to_end(&mut rest).await;
    }
}

/// An encoder without sound whose stamps run faster than the clock, with a key frame each eight seconds of them.
fn pictures(mut client: Client) -> JoinHandle<()> {
    tokio::spawn(async move {
        client.video(0, AVC_CONFIG).await.expect("is sent");
        for n in 0.. {
            let kind = if n % 8 == 0 { 0x17 } else { 0x27 };
            client.video(n * 1_000, &[kind, 1, 0, 0, 0, 0, 0, 0, 1, 0x65]).await.expect("is sent");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    })
}

#[tokio::test]
async fn each_wrong_set_up_is_told_in_the_studio() {
    let mut studio = Studio::open().await;
    let key = studio.key.clone();

    studio.publish("liveabc", &key).await;
    let attempt = studio.hears("app").await;
    assert_eq!((attempt["detail"].as_str(), attempt["from"].as_str()), (Some("liveabc"), Some("127.0.0.1")));
    // A key that is pasted into the address is not repeated.
    studio.publish(&key, "").await;
    assert_eq!(studio.hears("app").await["detail"], "");

    studio.publish("live", "").await;
    studio.hears("empty_key").await;
    studio.publish("live", &format!("rtmp://127.0.0.1/live/{key}")).await;
    studio.hears("url_as_key").await;
    studio.publish("live", "my-room").await;
    studio.hears("not_a_key").await;
    // Blanks that were copied with a key are no mistake to be told of: it is on the air.
    let sending = pictures(studio.publish("live", &format!(" {key} \n")).await);
    let on_air =
        studio.socket.hear(|event| event["type"] == "studio" && event["status"]["encoder"]["health"].is_object()).await;
    assert_eq!(on_air["status"]["attempts"][0]["why"], "not_a_key", "{on_air}");
    sending.abort();
    studio.publish("live", &format!("sk_{}", "a".repeat(32))).await;
    studio.hears("unknown_key").await;

    studio.says(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await;
    studio.hears("tls").await;
    studio.says(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    studio.hears("http").await;
    studio.says(&[0; 64]).await;
    studio.hears("not_rtmp").await;

    let mut client = studio.client().await;
    client.message(3, 0, 17, 0, &[0x11, 0x0a, 0x0b, 0x01]).await.expect("is sent");
    client.closed().await.expect("closed");
    studio.hears("amf3").await;
    let mut client = studio.client().await;
    client.message(3, 0, 20, 0, &amf(&[Amf::Number(1.0)])).await.expect("is sent");
    client.closed().await.expect("closed");
    studio.hears("protocol").await;

    let mut client = studio.publish("live", &key).await;
    client.video(0, HEVC_AS_AVC).await.expect("is sent");
    client.closed().await.expect("closed");
    let attempt = studio.hears("hevc_as_avc").await;
    assert_eq!(attempt["detail"], "HEVC");
}

#[tokio::test]
async fn encoders_that_send_nothing_are_told_in_the_studio() {
    let mut studio = Studio::patient(2).await;
    let key = studio.key.clone();
    // The key was right and nothing came.
    let mut client = studio.publish("live", &key).await;
    client.closed().await.expect("closed");
    studio.hears("no_media").await;
    // It began and fell silent.
    let mut client = studio.publish("live", &key).await;
    client.video(0, AVC_CONFIG).await.expect("is sent");
    client.closed().await.expect("closed");
    studio.hears("silent").await;
}

#[tokio::test]
async fn two_encoders_with_keys_of_one_room_are_told_of() {
    let mut studio = Studio::open().await;
    let key = studio.key.clone();
    let _first = Encoder::start(&studio.house, &key).await;
    let _second = Encoder::start(&studio.house, &key).await;
    studio.hears("taken_over").await;
    let quarrel = |event: &Value| event["type"] == "studio" && event["status"]["fought_over"] == true;
    let _third = Encoder::start(&studio.house, &key).await;
    let _fourth = Encoder::start(&studio.house, &key).await;
    studio.socket.hear(quarrel).await;
}

#[tokio::test]
async fn the_studio_is_told_what_is_wrong_with_a_stream_that_plays() {
    let mut studio = Studio::open().await;
    let told = |event: &Value, kind: &str| {
        let troubles = event["status"]["encoder"]["health"]["troubles"].as_array();
        event["type"] == "studio" && troubles.is_some_and(|all| all.iter().any(|trouble| trouble["kind"] == kind))
    };
    let sending = pictures(studio.publish("live", &studio.key).await);
    let event = studio.socket.hear(|event| told(event, "long_gop")).await;
    assert_eq!(event["status"]["encoder"]["health"]["gop_ms"], 8_000, "{event}");
    sending.abort();
}

#[tokio::test]
async fn a_revoked_key_says_since_when_and_keys_stay_secret() {
    let mut studio = Studio::open().await;
    let (key, cookie) = (studio.key.clone(), studio.cookie.clone());
    let listed = studio.house.command(&["room", "keys", "my-room"]);
    let id = listed.split('\t').next().expect("an id");
    studio.house.command(&["room", "revoke-key", "my-room", id]);
    for _ in 0..3 {
        studio.publish("live", &key).await;
    }
    let attempt = studio.hears("revoked_key").await;
    assert!(attempt["revoked"].is_i64() && attempt["encoder"].is_string(), "{attempt}");
    while studio.hears("revoked_key").await["times"] != 3 {}
    // Without scripts the page says the same.
    let page = studio.house.request("GET", "/rooms/my-room/studio", &[("cookie", &cookie)], "").await;
    assert!(page.body.contains("Failed attempts") && page.body.contains("This key was revoked"), "{}", page.body);
    assert!(!page.body.contains(&key));
}

#[tokio::test]
async fn others_are_told_nothing() {
    let studio = Studio::open().await;
    studio.publish("liveabc", &studio.key).await;
    let mut stranger = studio.house.socket().await;
    stranger.say(r#"{"type":"join","room":"my-room"}"#).await;
    stranger.say(r#"{"type":"ping"}"#).await;
    stranger
        .hear(|event| {
            assert_ne!(event["type"], "studio");
            event["type"] == "pong"
        })
        .await;
}
