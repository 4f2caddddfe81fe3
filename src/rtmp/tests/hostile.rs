//! Input made to break a server. After each the process lives, and a publisher beside it has lost nothing.

use super::{
    AUDIO_CONFIG, AUDIO_FRAME, GOOD, Published, Server, TestGate,
    rtmp_client::{
        AUDIO, Amf, COMMAND, Client, DATA, SET_CHUNK_SIZE, USER_CONTROL, amf, chunks, command, connect_object,
        nested_connect, pieces, text,
    },
    within,
};
use crate::rtmp::{
    RtmpLimits,
    connection::{Players, Shared, serve},
    limits::WrongKeys,
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpStream,
    sync::{mpsc, watch},
};

/// A server with a publisher on it that is to notice nothing.
struct Scene {
    server: Server,
    bystander: Client,
    seen: Published,
    at: u32,
}

impl Scene {
    async fn set() -> Self {
        let limits = RtmpLimits {
            handshake: Duration::from_secs(2),
            farewell: Duration::from_millis(200),
            connections_per_address: 200,
            ..RtmpLimits::default()
        };
        let server = Server::start(limits).await;
        let mut bystander = Client::connect(server.address).await.expect("the handshake succeeds");
        within(bystander.publish("live", GOOD)).await.expect("the server answers");
        let seen = server.published().await;
        let mut scene = Self { server, bystander, seen, at: 0 };
        scene.bystander.audio(0, AUDIO_CONFIG).await.expect("sent");
        assert!(scene.seen.tag().await.is_some());
        scene
    }

    async fn client(&self) -> Client {
        Client::connect(self.server.address).await.expect("the handshake succeeds")
    }

    async fn publisher(&self) -> (Client, Published) {
        let mut client = self.client().await;
        let status = within(client.publish("live", GOOD)).await.expect("the server answers");
        assert_eq!(status.code, "NetStream.Publish.Start");
        (client, self.server.published().await)
    }

    /// Sends what ends the sender's connection, and nothing else.
    async fn ends(&mut self, what: &str, mut client: Client, bytes: &[u8]) {
        // The server may close while it is still being sent to.
        let _ = client.send(bytes).await;
        within(client.closed()).await.expect(what);
        self.undisturbed(what).await;
    }

    /// The bystander's next frames arrive, in order and at once.
    async fn undisturbed(&mut self, what: &str) {
        for _ in 0..3 {
            self.at += 23;
            self.bystander.audio(self.at, AUDIO_FRAME).await.expect(what);
            let tag = self.seen.tag().await.expect(what);
            assert_eq!((tag.at.0, tag.body.as_ref()), (self.at.into(), AUDIO_FRAME), "{what}");
        }
    }
}

#[tokio::test]
async fn a_connect_nested_ten_thousand_deep() {
    let mut scene = Scene::set().await;
    let bytes = chunks(3, 0, COMMAND, 0, &nested_connect(), 128);
    scene.ends("nested", scene.client().await, &bytes).await;
}

/// Answers to pings fill the way back until a write of ours waits.
#[tokio::test]
async fn a_peer_that_reads_no_answer_is_closed() {
    let limits =
        RtmpLimits { write: Duration::from_millis(200), commands_per_second: u32::MAX, ..RtmpLimits::default() };
    let (published, _publishers) = mpsc::unbounded_channel();
    let gate = Arc::new(TestGate { published });
    let (wrong_keys, players) = (WrongKeys::new(&limits), Players::new(&limits));
    let shared = Shared { gate, wrong_keys, players, limits };
    let (_stop, shutdown) = watch::channel(false);
    let (near, mut far) = duplex(16 * 1024);
    let served = tokio::spawn(async move { serve(near, ([127, 0, 0, 1], 1).into(), &shared, shutdown).await });
    far.write_all(&[&[3][..], &[0; 1536]].concat()).await.expect("sent");
    let mut hello = vec![0; 1 + 1536 + 1536];
    far.read_exact(&mut hello).await.expect("an answer");
    far.write_all(&hello[1..1537]).await.expect("sent");
    let ping = chunks(2, 0, USER_CONTROL, 0, &[0, 6, 0, 0, 0, 1], 128);
    within(async { while far.write_all(&ping).await.is_ok() {} }).await;
    within(served).await.expect("no panic");
}

#[tokio::test]
async fn a_set_data_frame_with_nothing_behind_it() {
    let mut scene = Scene::set().await;
    let (mut client, mut seen) = scene.publisher().await;
    for body in [amf(&[text("@setDataFrame")]), Vec::new(), vec![2], vec![2, 0xFF, 0xFF, 1], vec![0; 9]] {
        client.message(4, 0, DATA, 1, &body).await.expect("sent");
        client.message(4, 0, 15, 1, &body).await.expect("sent");
    }
    client.audio(7, AUDIO_CONFIG).await.expect("sent");
    assert_eq!(seen.tag().await.map(|tag| tag.at.0), Some(7), "they are passed over and the stream goes on");
    scene.undisturbed("set data frame").await;
}

#[tokio::test]
async fn values_of_every_amf0_type() {
    let mut scene = Scene::set().await;
    let date = Amf::Raw([&[0x0B][..], &1.7e12_f64.to_be_bytes(), &[0, 0]].concat());
    let long = Amf::Raw([&[0x0C, 0, 0, 0, 3][..], b"abc"].concat());
    let typed = Amf::Raw(vec![0x10, 0, 1, b'T', 0, 1, b'x', 5, 0, 0, 9]);
    let mut client = scene.client().await;
    client
        .call("connect", 1.0, 0, &[connect_object("live"), date.clone(), long.clone(), typed.clone()])
        .await
        .expect("sent");
    assert_eq!(within(client.status()).await.expect("read").expect("told").code, "NetConnection.Connect.Success");
    client.call("publish", 2.0, 1, &[Amf::Null, text(GOOD), long.clone()]).await.expect("sent");
    assert_eq!(within(client.status()).await.expect("read").expect("told").code, "NetStream.Publish.Start");
    let mut seen = scene.server.published().await;
    client.message(4, 0, DATA, 1, &amf(&[text("onMetaData"), date, long, typed])).await.expect("sent");
    assert!(seen.tag().await.is_some());
    scene.undisturbed("AMF0 types").await;
}

#[tokio::test]
async fn chunk_sizes_of_nothing_and_of_everything() {
    let mut scene = Scene::set().await;
    for size in [0_u32, 1 << 31, u32::MAX] {
        let bytes = chunks(2, 0, SET_CHUNK_SIZE, 0, &size.to_be_bytes(), 128);
        scene.ends("chunk size", scene.client().await, &bytes).await;
    }
}

#[tokio::test]
async fn huge_and_unfinished_messages() {
    let mut scene = Scene::set().await;
    for kind in [COMMAND, AUDIO, 9, 22, 99] {
        let huge = [3, 0, 0, 0, 0xFF, 0xFF, 0xFF, kind, 0, 0, 0, 0];
        scene.ends("a huge message", scene.client().await, &huge).await;
    }
    let unfinished: Vec<u8> =
        (3..60).flat_map(|id| pieces(id, 0, AUDIO, 1, &[0; 60_000], 128).into_iter().take(1).flatten()).collect();
    scene.ends("unfinished messages", scene.client().await, &unfinished).await;
}

#[tokio::test]
async fn sixty_four_thousand_chunk_streams() {
    let mut scene = Scene::set().await;
    let mut bytes = Vec::new();
    for id in 0..65_000_u32 {
        let [low, high, ..] = id.to_le_bytes();
        bytes.extend([1, low, high, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]);
    }
    scene.ends("chunk streams", scene.client().await, &bytes).await;
}

#[tokio::test]
async fn headers_that_refer_to_nothing_and_messages_inside_others() {
    let mut scene = Scene::set().await;
    scene.ends("type 3 first", scene.client().await, &[0xC3; 40]).await;
    let mut bytes: Vec<u8> = pieces(6, 0, AUDIO, 1, &[1; 500], 128).into_iter().take(2).flatten().collect();
    bytes.extend(chunks(6, 40, AUDIO, 1, &[2; 500], 128));
    scene.ends("inside", scene.client().await, &bytes).await;
}

#[tokio::test]
async fn handshakes_that_do_not_end() {
    let mut scene = Scene::set().await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut socket = TcpStream::connect(scene.server.address).await.expect("connected");
        socket.write_all(&[3, 1, 2, 3]).await.expect("sent");
        slow.push(socket);
    }
    scene.undisturbed("while they hang").await;
    for mut socket in slow {
        let mut scrap = Vec::new();
        // The end of the connection or its reset: both are one.
        let _ = within(socket.read_to_end(&mut scrap)).await;
    }
    scene.undisturbed("after they were sent away").await;
}

#[tokio::test]
async fn a_flood_of_commands() {
    let mut scene = Scene::set().await;
    let one = chunks(3, 0, COMMAND, 0, &command("connect", 1.0, &[connect_object("live")]), 128);
    scene.ends("a flood", scene.client().await, &one.repeat(2_000)).await;
}

#[tokio::test]
async fn publishing_before_connecting() {
    let mut scene = Scene::set().await;
    let bytes = chunks(3, 0, COMMAND, 1, &command("publish", 1.0, &[Amf::Null, text(GOOD)]), 128);
    scene.ends("no connect", scene.client().await, &bytes).await;
}

#[tokio::test]
async fn random_bytes_behind_the_handshake_and_instead_of_it() {
    let mut scene = Scene::set().await;
    let mut runner = TestRunner::deterministic();
    let any = proptest::collection::vec(proptest::num::u8::ANY, 1..2_000);
    for _ in 0..30 {
        let bytes = any.new_tree(&mut runner).expect("a value").current();
        let mut client = scene.client().await;
        let _ = client.send(&bytes).await;
        drop(client);
        let mut socket = TcpStream::connect(scene.server.address).await.expect("connected");
        let _ = socket.write_all(&bytes).await;
        drop(socket);
        let (mut publisher, _) = scene.publisher().await;
        let _ = publisher.send(&bytes).await;
    }
    scene.undisturbed("random bytes").await;
}

#[tokio::test]
async fn someone_who_reads_nothing() {
    let mut scene = Scene::set().await;
    let (mut deaf, _) = scene.publisher().await;
    // A window this small has the server acknowledge every read, to a peer that never reads.
    deaf.message(2, 0, 5, 0, &1_u32.to_be_bytes()).await.expect("sent");
    for at in 0..200 {
        deaf.audio(at, &[AUDIO_FRAME, &[0; 8_000]].concat()).await.expect("sent");
    }
    scene.undisturbed("a deaf publisher").await;
}
