//! A viewer whose line carries less than the stream.

use crate::{
    house::{House, PATIENCE},
    rtmp_client::Client,
    stream::{live, tags},
};
use bytes::Bytes;
use madang_media::flv::{Item, Reader, TagKind};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

/// Frames of a GOP, which is a second long, and bytes of each frame.
const FRAMES: u32 = 25;
const FRAME_BYTES: usize = 20_000;
const GOPS: u32 = 40;
/// Bytes that the viewer's side may hold: what lies in buffers is no lag that the server knows of.
const WINDOW: u32 = 32 * 1024;

/// A picture that says which GOP it belongs to and where in it.
fn frame(gop: u32, place: u32) -> Vec<u8> {
    let (head, nal) = if place == 0 { (0x17, 0x65) } else { (0x27, 0x41) };
    let length = u32::try_from(FRAME_BYTES).expect("a small frame");
    let mut body = vec![head, 1, 0, 0, 0];
    body.extend(length.to_be_bytes());
    body.push(nal);
    body.extend(gop.to_be_bytes());
    body.extend(place.to_be_bytes());
    body.resize(9 + FRAME_BYTES, 0);
    body
}

/// The GOP of a [`frame`] and the place in it.
fn place_of(body: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(body[at..at + 4].try_into().expect("four bytes"));
    (number(10), number(14))
}

struct NarrowViewer {
    socket: TcpStream,
    reader: Reader,
    seen: Vec<(u32, u32)>,
}

impl NarrowViewer {
    async fn join(house: &House) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(WINDOW).expect("is set");
        let mut socket = socket.connect(house.addresses.http).await.expect("connects");
        socket.write_all(b"GET /live/my-room.flv HTTP/1.0\r\nhost: x\r\n\r\n").await.expect("is sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.expect("a head"));
        }
        assert!(head.starts_with(b"HTTP/1.1 200") || head.starts_with(b"HTTP/1.0 200"));
        Self { socket, reader: Reader::new(), seen: Vec::new() }
    }

    /// Takes so many bytes off the line and no more.
    async fn take(&mut self, bytes: usize) {
        let mut left = bytes;
        while left > 0 {
            let mut buffer = vec![0; left.min(16 * 1024)];
            let read = tokio::time::timeout(PATIENCE, self.socket.read(&mut buffer)).await;
            let count = read.expect("media in time").expect("open");
            assert_ne!(count, 0, "the server has closed");
            buffer.truncate(count);
            self.reader.push(Bytes::from(buffer));
            left -= count;
        }
        while let Some(item) = self.reader.next().expect("FLV") {
            if let Item::Tag(tag) = item
                && tag.kind == TagKind::Video
                && !tag.is_sequence_header()
            {
                self.seen.push(place_of(&tag.body));
            }
        }
    }
}

#[tokio::test]
async fn six_tenths_of_the_bitrate_show_whole_gops_and_nothing_else() {
    // Each tag by itself, as it comes by default, and many at once.
    futures_util::future::join_all([0, 20, 350].map(shows_whole_gops)).await;
}

async fn shows_whole_gops(flight_ms: u64) {
    let house = House::open_with(|config| (config.media.flight_ms, config.media.max_skips) = (flight_ms, 1_000)).await;
    let key = house.make_room("my-room");
    let mut encoder = Client::connect(house.addresses.rtmp).await.expect("connects");
    encoder.publish("live", &key).await.expect("an answer");
    let config = tags().into_iter().find(|tag| tag.kind == TagKind::Video && tag.is_sequence_header());
    encoder.video(0, &config.expect("the clip has one").body).await.expect("is sent");
    let mut viewer: Option<NarrowViewer> = None;
    for gop in 0..GOPS {
        for place in 0..FRAMES {
            encoder.video(gop * 1_000 + place * 40, &frame(gop, place)).await.expect("is sent");
        }
        match &mut viewer {
            None => {
                live(&house, "my-room").await;
                viewer = Some(NarrowViewer::join(&house).await);
            }
            Some(viewer) => viewer.take(FRAME_BYTES * FRAMES as usize * 6 / 10).await,
        }
    }
    let seen = viewer.expect("it has joined").seen;
    let mut skips = 0;
    for pair in seen.windows(2) {
        let [(gop, place), (next_gop, next_place)] = [pair[0], pair[1]];
        if place + 1 < FRAMES {
            assert_eq!((next_gop, next_place), (gop, place + 1), "{flight_ms} ms: the GOP goes on");
        } else {
            assert!(next_gop > gop && next_place == 0, "{flight_ms} ms: {next_gop}.{next_place} after {gop}.{place}");
            skips += u32::from(next_gop > gop + 1);
        }
    }
    assert_eq!(seen.first().map(|(_, place)| *place), Some(0));
    assert!(skips >= 2, "{flight_ms} ms: the line was not too slow: {skips} skips in {} frames", seen.len());
}
