//! Watching over HTTP/2, where the socket does not show who takes nothing.

use crate::{
    house::{House, PATIENCE},
    stream::{Encoder, live},
    tls::{Files, connect, https},
};
use bytes::Bytes;
use h2::{Reason, client::SendRequest};
use madang_media::flv::Reader;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a viewer may take nothing here.
const STALLED: Duration = Duration::from_secs(2);

async fn house(files: &Files) -> (House, Encoder) {
    let house = House::open_with(|config| {
        files.set(config);
        config.limits.http_stalled_s = STALLED.as_secs();
    })
    .await;
    let key = house.make_room("my-room");
    let encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    (house, encoder)
}

/// A browser's connection, whose streams begin with a window of so many bytes.
pub async fn browser(house: &House, files: &Files, window: u32) -> SendRequest<Bytes> {
    let socket = connect(https(house), &files.root, b"h2").await.expect("encrypted");
    assert_eq!(socket.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window).initial_connection_window_size(16 * 1024 * 1024);
    let (requests, connection) = builder.handshake(socket).await.expect("HTTP/2");
    // Its end shows in the requests.
    tokio::spawn(async move { drop(connection.await) });
    requests
}

/// The status, some headers in one line, and what comes as the body.
pub async fn get(requests: &SendRequest<Bytes>, path: &str) -> (http::response::Parts, h2::RecvStream) {
    let request = http::Request::get(format!("https://live.example:8443{path}")).body(()).expect("a request");
    let mut requests = requests.clone().ready().await.expect("the connection stands");
    let (answer, _) = requests.send_request(request, true).expect("is sent");
    timeout(PATIENCE, answer).await.expect("in time").expect("an answer").into_parts()
}

/// The window may be shut from the beginning, or be left to fill. A tab beside it in the same browser goes on.
#[tokio::test]
async fn a_viewer_that_keeps_its_window_shut_is_sent_away_alone() {
    let files = Files::new();
    let (house, _encoder) = house(&files).await;
    for window in [0, 65_535] {
        let requests = browser(&house, &files, window).await;
        let (head, mut shut) = get(&requests, "/live/my-room.flv").await;
        assert_eq!(head.status, 200);
        let end = async {
            loop {
                match shut.data().await {
                    // What is taken is not given back to the window.
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return error.reason(),
                    None => return None,
                }
            }
        };
        let reason = timeout(PATIENCE, end).await.expect("the stream ends");
        assert_eq!(reason, Some(Reason::CANCEL), "{window}");
        let (head, _) = get(&requests, "/healthz").await;
        assert_eq!(head.status, 200, "the connection stands");
    }
    let mut socket = house.socket().await;
    socket.say(r#"{"type":"join","room":"my-room"}"#).await;
    socket.hear(|event| event["type"] == "counts" && event["watching"] == 0).await;
}

#[tokio::test]
async fn a_viewer_that_takes_what_comes_stays_and_gets_it_whole() {
    let files = Files::new();
    let (house, _encoder) = house(&files).await;
    let requests = browser(&house, &files, 65_535).await;
    let (_, mut body) = get(&requests, "/live/my-room.flv").await;
    let (begun, mut reader, mut items) = (Instant::now(), Reader::new(), 0);
    while begun.elapsed() < STALLED * 3 {
        let bytes = timeout(PATIENCE, body.data()).await.expect("in time").expect("it goes on").expect("no reset");
        body.flow_control().release_capacity(bytes.len()).expect("it was taken");
        reader.push(bytes);
        while reader.next().expect("FLV").is_some() {
            items += 1;
        }
    }
    assert!(items > 100, "{items}");
}

/// A page that is long is not taken for a stalled one when its line is slow.
#[tokio::test]
async fn one_who_takes_a_little_again_and_again_stays() {
    let files = Files::new();
    let (house, _encoder) = house(&files).await;
    let requests = browser(&house, &files, 20 * 1024).await;
    let (_, mut body) = get(&requests, "/live/my-room.flv").await;
    let mut pace = tokio::time::interval(STALLED / 4);
    for _ in 0..12 {
        pace.tick().await;
        let bytes = timeout(PATIENCE, body.data()).await.expect("in time").expect("it goes on").expect("no reset");
        body.flow_control().release_capacity(bytes.len()).expect("it was taken");
    }
}
