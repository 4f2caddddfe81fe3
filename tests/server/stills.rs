//! Stills of live rooms, for cards of the directory.

use crate::{
    house::House,
    stream::{Encoder, live},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Head and body, which is no text.
async fn get(house: &House, method: &str, path: &str) -> (String, Vec<u8>) {
    ask(house, &format!("{method} {path} HTTP/1.0\r\nhost: x\r\n\r\n")).await
}

async fn ask(house: &House, request: &str) -> (String, Vec<u8>) {
    let mut socket = TcpStream::connect(house.addresses.http).await.expect("connects");
    socket.write_all(request.as_bytes()).await.expect("is sent");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.expect("reads");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let body = answer.split_off(end);
    (String::from_utf8(answer).expect("text").to_ascii_lowercase(), body)
}

fn count(bytes: &[u8], name: &[u8; 4]) -> usize {
    bytes.windows(4).filter(|four| four == name).count()
}

#[tokio::test]
async fn a_live_room_has_a_still_of_one_frame() {
    let house = House::open().await;
    let key = house.make_room("my-room");
    let encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let (head, still) = get(&house, "GET", "/live/my-room.mp4").await;
    assert!(head.contains(" 200 ") && head.contains("content-type: video/mp4"), "{head}");
    assert!(head.contains("cache-control: public, max-age=10"), "{head}");
    assert!(head.contains("access-control-allow-origin: *"), "{head}");
    let boxes = [b"ftyp", b"moov", b"avcC", b"moof", b"mdat"].map(|name| count(&still, name));
    assert_eq!((boxes, count(&still, b"mp4a")), ([1; 5], 0), "one picture, no sound");
    let (_, again) = get(&house, "GET", "/live/my-room.mp4").await;
    assert_eq!(still, again, "kept for ten seconds");
    let (head, part) = ask(&house, "GET /live/my-room.mp4 HTTP/1.0\r\nhost: x\r\nrange: bytes=4-7\r\n\r\n").await;
    assert!(head.contains(" 206 ") && head.contains(&format!("content-range: bytes 4-7/{}", still.len())), "{head}");
    assert_eq!(part, b"ftyp", "Safari asks for parts");
    let (head, body) = get(&house, "HEAD", "/live/my-room.mp4").await;
    assert!(head.contains(" 200 ") && head.contains("video/mp4") && body.is_empty(), "{head}");
    assert_eq!(house.services.live.presence().watching(room(&house).await), 0, "nobody watches by looking at a still");
    drop(encoder);
    loop {
        let (head, body) = get(&house, "GET", "/live/my-room.mp4").await;
        if head.contains(" 503 ") {
            assert!(String::from_utf8_lossy(&body).contains("offline"));
            break;
        }
    }
    let (head, _) = get(&house, "GET", "/live/nobody-here.mp4").await;
    assert!(head.contains(" 404 "), "{head}");
}

async fn room(house: &House) -> madang_protocol::RoomId {
    let slug = madang_protocol::RoomSlug::parse("my-room").expect("a slug");
    house.services.domain.room(&slug).await.expect("reads").expect("there").id
}
