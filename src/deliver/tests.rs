//! The media routes on a real server and real sockets: what players, browsers and stalled viewers meet.

use super::{acceptor::AcceptorLimits, *};
use crate::live::{
    LiveLimits, Publisher, PublisherInfo,
    testing::{aac_config, avc_config, inter, key, sound},
};
use crate::permits::Stay;
use axum::{
    body::Body,
    http::{HeaderMap, Request},
    response::Response,
};
use futures_util::future::BoxFuture;
use madang_media::flv::{self, Item, TagKind};
use madang_protocol::{KeyId, PersonId, RoomId, RoomSlug, UnixMillis};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::ServiceExt;

struct Shelf;

impl Reception for Shelf {
    fn address(&self, peer: IpAddr, _: &HeaderMap) -> IpAddr {
        peer
    }

    fn browser(&self, headers: &HeaderMap) -> Option<PersonId> {
        headers.get("cookie")?.to_str().ok()?.parse().ok()
    }

    fn is_own_page(&self, _: &HeaderMap) -> bool {
        true
    }

    fn person<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Option<PersonId>> {
        Box::pin(std::future::ready(self.browser(headers)))
    }

    fn may_play<'a>(&'a self, slug: &'a RoomSlug, asked: Asked<'a>) -> BoxFuture<'a, Result<Play, NotPlayed>> {
        let found = |id, last_live| {
            let room = FoundRoom { id, owner: owner(), open: asked.token.is_none(), last_live };
            Ok(Play { room, stay: Stay::for_ever() })
        };
        let answer = match (slug.as_str(), asked.token) {
            ("on-air", _) | ("by-token", Some("good")) => found(room(), Some(UnixMillis(7))),
            ("was-live", _) => found(RoomId::from_random(90), Some(UnixMillis(7))),
            ("never-live", _) => found(RoomId::from_random(91), None),
            ("broken", _) => Err(NotPlayed::Unavailable),
            _ => Err(NotPlayed::Unknown),
        };
        Box::pin(async move { answer })
    }
}

fn room() -> RoomId {
    RoomId::from_random(42)
}

fn owner() -> PersonId {
    PersonId::from_random(70)
}

struct Bench {
    live: Arc<Live>,
    deliver: Arc<Deliver>,
    delivered: Arc<AtomicU64>,
}

impl Bench {
    fn new(limits: LiveLimits, viewers_per_address: usize) -> Self {
        // Nobody tends these rooms: a publisher that goes ends its stream.
        let live = Live::new(LiveLimits { grace: Duration::ZERO, ..limits });
        let delivered = Arc::new(AtomicU64::new(0));
        let deliver = Arc::new(Deliver {
            live: live.clone(),
            reception: Arc::new(Shelf),
            viewers: AddressLimit::new(viewers_per_address),
            answers: Bound::new(4),
            delivered_bytes: Counter::from_arc(delivered.clone()),
            stills: Default::default(),
        });
        Self { live, deliver, delivered }
    }

    fn publisher(&self) -> Publisher {
        let who = PublisherInfo {
            from: [127, 0, 0, 1].into(),
            encoder: String::new(),
            key: KeyId::from_random(1),
            since: UnixMillis(5),
        };
        self.live.publish(room(), who)
    }

    fn on_air(&self) -> Publisher {
        let mut publisher = self.publisher();
        for tag in [avc_config(), aac_config(), key(0, 100)] {
            publisher.push(tag).expect("not cut");
        }
        publisher.flush();
        publisher
    }

    async fn ask(&self, method: &str, path: &str) -> Response {
        let router: Router = routes(self.deliver.clone());
        let peer = axum::extract::ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1)));
        let request = Request::builder().method(method).uri(path).extension(peer).body(Body::empty()).expect("valid");
        router.oneshot(request).await.expect("infallible")
    }

    async fn serve(&self, limits: AcceptorLimits) -> SocketAddr {
        self.serve_by(MediaAcceptor::new(limits)).await
    }

    async fn serve_by(&self, acceptor: MediaAcceptor) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("settable");
        let address = listener.local_addr().expect("bound");
        let mut server = axum_server::from_tcp(listener).expect("a listener").acceptor(acceptor);
        server.http_builder().http1().max_buf_size(64 * 1024);
        let service = routes(self.deliver.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(server.serve(service));
        address
    }

    async fn until_viewers(&self, expected: u32) {
        let waited = async {
            while self.live.statistics(room()).map_or(0, |s| s.viewers) != expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waited).await.expect("the count arrives there");
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.expect("short");
    String::from_utf8(bytes.to_vec()).expect("text")
}

async fn get_on(mut socket: TcpStream) -> TcpStream {
    let request = b"GET /live/on-air.flv HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    socket.write_all(request).await.expect("open");
    socket
}

async fn get(address: SocketAddr) -> TcpStream {
    get_on(TcpStream::connect(address).await.expect("listening")).await
}

/// Everything up to the end: the head, and the body without its chunks' frames.
async fn read_all(mut socket: TcpStream) -> (String, Vec<u8>) {
    let mut raw = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut raw)).await.expect("it ends").expect("read");
    let split = raw.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let (head, mut rest) = raw.split_at(split);
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk's size");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).expect("text"), 16).expect("hexadecimal");
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
        if size == 0 {
            return (String::from_utf8(head.to_vec()).expect("text"), body);
        }
    }
}

fn items(body: &[u8]) -> Vec<Item> {
    let mut reader = flv::Reader::new();
    reader.push(bytes::Bytes::copy_from_slice(body));
    std::iter::from_fn(|| reader.next().expect("well formed")).collect()
}

#[tokio::test]
async fn rooms_that_cannot_be_watched_say_why() {
    let bench = Bench::new(LiveLimits::default(), 0);
    for path in [
        "/live/by-token.flv",
        "/live/by-token.flv?token=bad",
        "/live/no-such-room.flv",
        "/live/on-air.mkv",
        "/live/ON-AIR.flv",
        "/live/.flv",
        "/live/%2e%2e.flv",
    ] {
        let response = bench.ask("GET", path).await;
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(header(&response, "content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
        assert!(text(response).await.starts_with("There is no such room here, or it is not for everybody"));
    }
    for (path, body) in [
        ("/live/was-live.flv", r#"{"state":"offline","since":7}"#),
        ("/live/never-live.flv", r#"{"state":"never","since":null}"#),
    ] {
        let response = bench.ask("GET", path).await;
        assert_eq!(response.status(), 503);
        assert_eq!(header(&response, "retry-after"), Some("5"));
        assert_eq!(header(&response, "content-type"), Some("application/json"));
        assert_eq!(header(&response, "cache-control"), Some("no-store"));
        assert_eq!(text(response).await, body);
    }
    let _publisher = bench.publisher();
    let response = bench.ask("GET", "/live/on-air.flv").await;
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, Some("1")));
    assert_eq!(text(response).await, r#"{"state":"starting","since":5}"#);
    let response = bench.ask("GET", "/live/broken.flv").await;
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, Some("10")));
    assert_eq!(bench.ask("POST", "/live/on-air.flv").await.status(), 405);
}

#[tokio::test]
async fn head_says_the_same_without_joining_and_any_site_may_play() {
    let bench = Bench::new(LiveLimits::default(), 0);
    let _publisher = bench.on_air();
    assert_eq!(bench.ask("HEAD", "/live/by-token.flv?preview=1&token=good").await.status(), 200);
    let response = bench.ask("HEAD", "/live/on-air.flv").await;
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), Some("video/x-flv"));
    assert_eq!(header(&response, "content-length"), None);
    assert_eq!(bench.live.statistics(room()).map(|s| s.viewers), Some(0));
    assert_eq!(bench.ask("HEAD", "/live/was-live.flv").await.status(), 503);
    let response = bench.ask("OPTIONS", "/live/on-air.flv").await;
    assert_eq!(response.status(), 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&response, "access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn an_address_watches_so_many_and_no_more() {
    let bench = Bench::new(LiveLimits::default(), 2);
    let _publisher = bench.on_air();
    let one = bench.ask("GET", "/live/on-air.flv").await;
    let two = bench.ask("GET", "/live/on-air.flv").await;
    assert_eq!((one.status().as_u16(), two.status().as_u16()), (200, 200));
    let three = bench.ask("GET", "/live/on-air.flv").await;
    assert_eq!((three.status().as_u16(), header(&three, "retry-after")), (429, Some("10")));
    drop(one);
    assert_eq!(bench.ask("GET", "/live/on-air.flv").await.status(), 200);
}

#[tokio::test]
async fn two_viewers_get_identical_bytes_that_are_a_whole_stream() {
    let bench = Bench::new(LiveLimits { flight: Duration::ZERO, ..LiveLimits::default() }, 0);
    let address = bench.serve(AcceptorLimits::default()).await;
    let mut publisher = bench.on_air();
    let viewers = [tokio::spawn(read_all(get(address).await)), tokio::spawn(read_all(get(address).await))];
    bench.until_viewers(2).await;
    let mut sent = vec![key(0, 100)];
    for n in 1..100 {
        let tags = [if n % 30 == 0 { key(n * 33, 20_000) } else { inter(n * 33, 2_000) }, sound(n * 33 + 5)];
        for tag in tags {
            sent.push(tag.clone());
            publisher.push(tag).expect("not cut");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(publisher);
    let [one, two] = viewers;
    let (one, two) = (one.await.expect("no panic"), two.await.expect("no panic"));
    assert!(one.0.starts_with("HTTP/1.1 200 OK\r\n") && one.0.contains("content-type: video/x-flv\r\n"), "{}", one.0);
    assert!(one.0.contains("cache-control: no-store\r\n") && one.0.contains("x-content-type-options: nosniff\r\n"));
    assert!(one.1 == two.1);
    let items = items(&one.1);
    assert_eq!(items.first(), Some(&Item::Header { has_audio: true, has_video: true }));
    let media: Vec<_> = items
        .into_iter()
        .filter_map(|item| match item {
            Item::Tag(tag) if tag.kind != TagKind::Script && !tag.is_sequence_header() => Some(tag),
            _ => None,
        })
        .collect();
    assert_eq!(media, sent);
    bench.until_viewers(0).await;
    assert_eq!(bench.delivered.load(Ordering::Relaxed), 2 * one.1.len() as u64);
}

#[tokio::test]
async fn a_viewer_that_leaves_is_noticed() {
    let bench = Bench::new(LiveLimits::default(), 0);
    let address = bench.serve(AcceptorLimits::default()).await;
    let _publisher = bench.on_air();
    let viewer = get(address).await;
    bench.until_viewers(1).await;
    drop(viewer);
    bench.until_viewers(0).await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let bench = Bench::new(LiveLimits::default(), 0);
    let address =
        bench.serve(AcceptorLimits { opening: Duration::from_millis(100), ..AcceptorLimits::default() }).await;
    let mut silent = TcpStream::connect(address).await.expect("listening");
    let read = tokio::time::timeout(Duration::from_secs(5), silent.read(&mut [0; 1])).await.expect("it is closed");
    assert!(matches!(read, Ok(0) | Err(_)));
}

/// A megabyte every 50 ms, and a viewer who reads nothing of it: it costs a bounded number of bytes for a bounded time, while
/// the one beside it gets everything.
#[tokio::test]
async fn a_viewer_that_takes_nothing_is_closed_and_costs_little_until_then() {
    const STALLED: Duration = Duration::from_secs(2);
    let limits = LiveLimits { flight: Duration::ZERO, lag: Duration::from_secs(3600), ..LiveLimits::default() };
    let ring_bytes = limits.ring_bytes;
    let bench = Bench::new(limits, 0);
    let recorder = PrometheusBuilder::new().build_recorder();
    let limits = AcceptorLimits { stalled: STALLED, ..AcceptorLimits::default() };
    let address = bench.serve_by(metrics::with_local_recorder(&recorder, || MediaAcceptor::new(limits))).await;
    let mut publisher = bench.on_air();
    let good = tokio::spawn(read_all(get(address).await));
    bench.until_viewers(1).await;
    let narrow = tokio::net::TcpSocket::new_v4().expect("a socket");
    narrow.set_recv_buffer_size(8 * 1024).expect("settable");
    let mut stalled = get_on(narrow.connect(address).await.expect("listening")).await;
    bench.until_viewers(2).await;
    let mut sent = 0;
    let begun = std::time::Instant::now();
    for n in 1..=400 {
        publisher.push(key(n * 40, 100_000)).expect("not cut");
        sent += 100_000;
        assert!(bench.live.statistics(room()).expect("on air").held_bytes <= ring_bytes);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench.until_viewers(1).await;
    assert!(begun.elapsed() >= STALLED);
    drop(publisher);
    let (_, body) = good.await.expect("no panic");
    assert!(body.len() > sent, "the other viewer got all of it");
    bench.until_viewers(0).await;
    let metrics = recorder.handle().render();
    let count = |times: u32| metrics.contains(&format!("madang_http_paces_found_anew_total {times}\n"));
    assert_eq!(count(0), !has_bbr(), "{metrics}");
    assert!(metrics.contains("madang_http_paces_found_anew_total "), "{metrics}");
    // What was taken from the ring for the stalled one went into the kernel's buffers and hyper's, whatever came after.
    let taken = bench.delivered.load(Ordering::Relaxed) - body.len() as u64;
    assert!(taken < 1_000_000, "{taken} bytes");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stalled.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the socket is closed");
}

/// A viewer with a cookie of its own, or none: the cookie here is the person's id as it is written.
async fn watch_as(address: SocketAddr, person: Option<PersonId>, query: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.expect("listening");
    let cookie = person.map(|person| format!("Cookie: {person}\r\n")).unwrap_or_default();
    let request = format!("GET /live/on-air.flv{query} HTTP/1.1\r\nHost: a.example\r\n{cookie}\r\n");
    socket.write_all(request.as_bytes()).await.expect("open");
    socket
}

#[tokio::test]
async fn browsers_that_take_media_watch_and_nobody_else_does() {
    let bench =
        Bench::new(LiveLimits { flight: Duration::ZERO, lag: Duration::from_secs(3600), ..LiveLimits::default() }, 0);
    let address = bench.serve(AcceptorLimits::default()).await;
    let mut publisher = bench.on_air();
    let mut reading = Vec::new();
    let mut read = |mut socket: TcpStream| {
        reading.push(tokio::spawn(async move {
            let mut bytes = vec![0; 64 * 1024];
            while socket.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
        }));
    };
    for _ in 0..3 {
        read(watch_as(address, Some(PersonId::from_random(10)), "").await);
    }
    read(watch_as(address, Some(PersonId::from_random(20)), "?preview=1").await);
    read(watch_as(address, Some(owner()), "?preview=1").await);
    read(watch_as(address, None, "").await);
    read(watch_as(address, None, "").await);
    let deaf = watch_as(address, Some(PersonId::from_random(30)), "").await;
    bench.until_viewers(8).await;
    for n in 1..=60 {
        publisher.push(key(n * 40, 50_000)).expect("not cut");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let now = std::time::Instant::now();
    bench.live.count_audience(now);
    // Two tabs of strangers at one address are one; the deaf one's buffers took something at first.
    assert!(matches!(bench.live.status(room()).watching, 3 | 4), "{}", bench.live.status(room()).watching);
    // Ten seconds on: only the readers' sockets take anything.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for n in 61..=120 {
        publisher.push(key(n * 40, 50_000)).expect("not cut");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench.live.count_audience(now + Duration::from_millis(10_050));
    assert_eq!(bench.live.status(room()).watching, 3, "one of three tabs, one guest, one stranger");
    drop(deaf);
    reading.iter().for_each(tokio::task::JoinHandle::abort);
    bench.until_viewers(0).await;
    bench.live.count_audience(std::time::Instant::now() + Duration::from_secs(3));
    assert_eq!((bench.live.status(room()).watching, bench.live.presence().remembered()), (0, 0));
}
