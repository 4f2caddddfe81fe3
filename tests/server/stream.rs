//! A frame's way through the whole server: published over RTMP, watched over HTTP-FLV, told over `/ws`.

use crate::{
    house::{House, PATIENCE},
    rtmp_client::{self, Client},
};
use bytes::Bytes;
use madang_media::flv::{Item, Reader, Tag, TagKind};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};

const CLIP: &[u8] = include_bytes!("../../media/tests/data/baseline.flv");

/// The tags of a clip of two seconds.
pub fn tags() -> Vec<Tag> {
    let mut reader = Reader::new();
    reader.push(Bytes::from_static(CLIP));
    let mut tags = Vec::new();
    while let Some(item) = reader.next().expect("the clip is whole") {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    tags
}

/// An encoder that sends the clip over and over, ten times as fast as it was recorded, until it is dropped.
pub struct Encoder {
    task: JoinHandle<()>,
}

impl Encoder {
    pub async fn start(house: &House, key: &str) -> Self {
        let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
        let status = client.publish("live", key).await.expect("an answer");
        assert_eq!(status.code, "NetStream.Publish.Start", "{status:?}");
        let tags = tags();
        let length = tags.last().map_or(0, |tag| tag.at.0) + 33;
        let task = tokio::spawn(async move {
            let mut pace = tokio::time::interval(Duration::from_millis(2));
            for round in 0.. {
                for tag in &tags {
                    pace.tick().await;
                    let at = u32::try_from(tag.at.0 + round * length).expect("a short test");
                    let sent = match tag.kind {
                        TagKind::Audio => client.audio(at, &tag.body).await,
                        TagKind::Video => client.video(at, &tag.body).await,
                        TagKind::Script => Ok(()),
                    };
                    if sent.is_err() {
                        return;
                    }
                }
            }
        });
        Self { task }
    }

    pub async fn ended(&mut self) {
        tokio::time::timeout(PATIENCE, &mut self.task).await.expect("it ends in time").expect("it does not panic");
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An HTTP/1.0 viewer, so that the body comes without chunk headers.
pub struct Viewer {
    socket: TcpStream,
    reader: Reader,
}

impl Viewer {
    pub async fn join(house: &House, slug: &str) -> Self {
        Self::join_as(house, slug, None).await
    }

    /// With a browser's cookie.
    pub async fn join_as(house: &House, slug: &str, cookie: Option<&str>) -> Self {
        Self::join_path(house, &format!("/live/{slug}.flv"), cookie).await
    }

    pub async fn join_path(house: &House, path: &str, cookie: Option<&str>) -> Self {
        let mut socket = TcpStream::connect(house.addresses.http).await.expect("connects");
        let cookie = cookie.map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.0\r\nhost: x\r\n{cookie}\r\n");
        socket.write_all(request.as_bytes()).await.expect("is sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.expect("a head"));
        }
        let head = String::from_utf8(head).expect("text");
        assert!(head.contains(" 200 "), "{head}");
        assert!(head.to_ascii_lowercase().contains("content-type: video/x-flv"), "{head}");
        Self { socket, reader: Reader::new() }
    }

    pub async fn item(&mut self) -> Option<Item> {
        let read = async {
            loop {
                if let Some(item) = self.reader.next().expect("FLV") {
                    return Some(item);
                }
                let mut bytes = vec![0; 16 * 1024];
                match self.socket.read(&mut bytes).await.expect("reads") {
                    0 => return None,
                    count => self.reader.push(Bytes::copy_from_slice(&bytes[..count])),
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("media in time")
    }

    /// The next picture's or sound's tag.
    pub async fn media(&mut self) -> Option<Tag> {
        loop {
            match self.item().await? {
                Item::Tag(tag) if tag.kind != TagKind::Script => return Some(tag),
                _ => {}
            }
        }
    }
}

/// Waits until the room is on the air.
pub async fn live(house: &House, slug: &str) {
    let mut socket = house.socket().await;
    socket.say(&format!(r#"{{"type":"join","room":"{slug}"}}"#)).await;
    socket.hear(|event| event["type"] == "room" && event["card"]["live"]["state"] == "live").await;
}

#[tokio::test]
async fn what_is_published_is_watched_from_a_key_frame_on() {
    let house = House::open().await;
    let key = house.make_room("my-room");
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut viewer = Viewer::join(&house, "my-room").await;
    let first = viewer.item().await.expect("media");
    assert!(matches!(first, Item::Header { has_audio: true, has_video: true }), "{first:?}");
    let mut frames: Vec<Tag> = Vec::new();
    let (mut headers, mut sounds) = (0, 0);
    while frames.len() < 100 {
        let tag = viewer.media().await.expect("media");
        match tag.kind {
            _ if tag.is_sequence_header() => headers += 1,
            TagKind::Video => frames.push(tag),
            _ => sounds += 1,
        }
    }
    assert!(frames[0].is_keyframe(), "the first picture can be decoded");
    assert_eq!(headers, 2, "one configuration for each track");
    assert!(sounds > 50);
    assert!(frames.windows(2).all(|pair| pair[0].at <= pair[1].at), "time goes forward");
    let published: Vec<Tag> = tags();
    assert!(frames.iter().all(|frame| published.iter().any(|tag| tag.body == frame.body)), "to the byte");
}

#[tokio::test]
async fn going_on_and_off_the_air_is_told_and_counted() {
    let house = House::open().await;
    let key = house.make_room("my-room");
    let mut socket = house.socket().await;
    socket.say(r#"{"type":"join_directory"}"#).await;
    let encoder = Encoder::start(&house, &key).await;
    socket.hear(|event| event["type"] == "directory_room" && event["card"]["live"]["state"] == "live").await;
    let viewer = Viewer::join(&house, "my-room").await;
    socket.hear(|event| event["type"] == "directory_room" && event["card"]["watching"] == 1).await;
    drop(viewer);
    socket.hear(|event| event["type"] == "directory_room" && event["card"]["watching"] == 0).await;
    drop(encoder);
    socket.hear(|event| event["type"] == "directory_room" && event["card"]["live"]["state"] == "offline").await;
    let answer = house.get("/live/my-room.flv").await;
    assert_eq!((answer.status, answer.json()["state"].as_str()), (503, Some("offline")));
    let _again = Encoder::start(&house, &key).await;
    socket.hear(|event| event["type"] == "directory_room" && event["card"]["live"]["state"] == "live").await;
    assert!(Viewer::join(&house, "my-room").await.media().await.is_some());
}

#[tokio::test]
async fn a_wrong_key_is_refused_in_words_without_the_key() {
    let house = House::open().await;
    house.make_room("my-room");
    let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
    let wrong = format!("sk_{}", "a".repeat(32));
    let status = client.publish("live", &wrong).await.expect("an answer");
    assert!(status.code.starts_with("NetStream.Publish."), "{status:?}");
    assert_eq!(status.level, "error");
    assert!(!status.description.contains(&wrong) && status.description.len() > 10, "{status:?}");
}

#[tokio::test]
async fn a_blank_around_a_good_key_is_forgiven() {
    let house = House::open().await;
    let key = house.make_room("my-room");
    for pasted in [format!("{key} "), format!("\t{key}")] {
        let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
        let status = client.publish("live", &pasted).await.expect("an answer");
        assert_eq!(status.code, "NetStream.Publish.Start", "{status:?}");
    }
}

#[tokio::test]
async fn revoking_a_key_cuts_who_publishes_with_it() {
    let house = House::open().await;
    let key = house.make_room("my-room");
    let mut encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut viewer = Viewer::join(&house, "my-room").await;
    let listed = house.command(&["room", "keys", "my-room"]);
    let id = listed.split('\t').next().expect("an id");
    house.command(&["room", "revoke-key", "my-room", id]);
    encoder.ended().await;
    while viewer.media().await.is_some() {}
    let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
    let status = client.publish("live", &key).await.expect("an answer");
    assert_ne!(status.code, "NetStream.Publish.Start");
}

#[tokio::test]
async fn hostile_bytes_do_not_disturb_those_who_watch() {
    let house = House::open().await;
    let key = house.make_room("my-room");
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut viewer = Viewer::join(&house, "my-room").await;
    for hostile in
        [rtmp_client::nested_connect(), b"\x02\x00\x0d@setDataFrame".to_vec(), vec![0xff; 60_000], vec![0; 60_000]]
    {
        for kind in [20, 18, 17, 15, 22, 8, 9, 1, 3, 4] {
            let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
            // The server may hang up before everything is sent; that is its right.
            let _ = client.message(3, 0, kind, 0, &hostile).await;
            assert!(viewer.media().await.is_some());
        }
    }
    for _ in 0..50 {
        assert!(viewer.media().await.is_some());
    }
    assert_eq!(house.get("/healthz").await.status, 200);
}

/// One frame of HTTP/2 (RFC 9113 §4.1).
fn http2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame");
    [&length.to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Over HTTP/2 a viewer can keep its flow-control window shut: nothing is ever written, so no stalled socket gives it away.
#[tokio::test]
async fn nobody_watches_over_plain_http2() {
    let house = House::open().await;
    let key = house.make_room("my-room");
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut viewer = TcpStream::connect(house.addresses.http).await.expect("connects");
    let path = b"/live/my-room.flv";
    // GET, http, the path and the authority by the static table of HPACK (RFC 7541 §A).
    let head = [&[0x82, 0x86, 0x04, path.len() as u8], &path[..], &[0x01, 1, b'x']].concat();
    let request = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        http2_frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]),
        http2_frame(1, 0x5, 1, &head),
    ];
    viewer.write_all(&request.concat()).await.expect("is sent");
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(PATIENCE, viewer.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "the connection stays open: {answer:?}");
    let mut socket = house.socket().await;
    socket.say(r#"{"type":"join","room":"my-room"}"#).await;
    socket.hear(|event| event["type"] == "counts" && event["watching"] == 0).await;
}

#[tokio::test]
async fn the_server_ends_while_people_watch() {
    let house = House::open().await;
    let key = house.make_room("my-room");
    let mut encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut viewer = Viewer::join(&house, "my-room").await;
    house.close().await;
    while viewer.media().await.is_some() {}
    encoder.ended().await;
}
