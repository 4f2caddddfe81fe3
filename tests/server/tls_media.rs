//! Watching over HTTP/2, where the socket does not show who takes nothing.

use crate::{
    house::{House, PATIENCE},
    stream::{Encoder, http2_frame, live},
    tls::{Files, connect, frame, frame_of_kind, get_over_http2, https},
};
use std::time::{Duration, Instant};
use tokio::{io::AsyncWriteExt as _, time::timeout};

/// How long a viewer may take nothing here.
const STALLED: Duration = Duration::from_secs(1);
/// DATA (RFC 9113 §6.1).
const DATA: u8 = 0;

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

/// The window may be shut from the beginning, or be left to fill.
#[tokio::test]
async fn a_viewer_that_keeps_its_window_shut_is_sent_away() {
    let files = Files::new();
    let (house, _encoder) = house(&files).await;
    // SETTINGS_INITIAL_WINDOW_SIZE = 0 (RFC 9113 §6.5.2), and its default of 65,535 bytes.
    for settings in [&[0, 4, 0, 0, 0, 0][..], &[]] {
        let mut socket = connect(https(&house), &files.root, b"h2").await.expect("encrypted");
        socket.write_all(&get_over_http2("/live/my-room.flv", settings)).await.expect("is sent");
        assert!(frame_of_kind(&mut socket, 1).await.is_some(), "it is answered");
        let end = async { while frame(&mut socket).await.is_some() {} };
        timeout(PATIENCE, end).await.expect("the connection is closed");
    }
    let mut socket = house.socket().await;
    socket.say(r#"{"type":"join","room":"my-room"}"#).await;
    socket.hear(|event| event["type"] == "counts" && event["watching"] == 0).await;
}

#[tokio::test]
async fn a_viewer_that_takes_what_comes_stays() {
    let files = Files::new();
    let (house, _encoder) = house(&files).await;
    let mut socket = connect(https(&house), &files.root, b"h2").await.expect("encrypted");
    socket.write_all(&get_over_http2("/live/my-room.flv", &[])).await.expect("is sent");
    let begun = Instant::now();
    while begun.elapsed() < STALLED * 3 {
        let (_, media) = frame_of_kind(&mut socket, DATA).await.expect("it goes on");
        let taken = u32::try_from(media.len()).expect("a frame").to_be_bytes();
        if !media.is_empty() {
            // WINDOW_UPDATE (RFC 9113 §6.9), for the connection and for the stream.
            let update = [http2_frame(8, 0, 0, &taken), http2_frame(8, 0, 1, &taken)].concat();
            socket.write_all(&update).await.expect("is sent");
        }
    }
}
