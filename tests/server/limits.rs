//! Each limit of `Leptos.toml` reaches the place that it is for: with 1 it is met there, with 0 it is not.

use crate::{
    house::{House, PATIENCE},
    rtmp_client::{self, Client},
    stream::{Encoder, Viewer, live},
};
use futures_util::future::BoxFuture;
use madang::config::Limits;
use madang_domain::Actor;
use madang_protocol::{RoomSlug, Visibility};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

struct Limit {
    name: &'static str,
    set: fn(&mut Limits, u8),
    /// Whether the server stops at one; what takes time is waited for that long.
    is_met: for<'a> fn(&'a House, Duration) -> BoxFuture<'a, bool>,
}

const LIMITS: &[Limit] = &[
    Limit { name: "http_connections", set: |l, n| l.http_connections = n.into(), is_met: |h, _| in_all(h, web) },
    Limit {
        name: "http_connections_per_address",
        set: |l, n| l.http_connections_per_address = n.into(),
        is_met: |h, _| by_address(h, web),
    },
    Limit { name: "http_head_s", set: |l, n| l.http_head_s = n.into(), is_met: |h, wait| Box::pin(slow_head(h, wait)) },
    Limit {
        name: "http_stalled_s",
        set: |l, n| l.http_stalled_s = n.into(),
        is_met: |h, wait| Box::pin(stalled(h, wait)),
    },
    Limit { name: "http_body_bytes", set: |l, n| l.http_body_bytes = n.into(), is_met: |h, _| Box::pin(body(h)) },
    Limit {
        name: "changes_per_minute",
        set: |l, n| l.changes_per_minute = n.into(),
        is_met: |h, _| Box::pin(changes(h)),
    },
    Limit {
        name: "changes_per_minute_per_account",
        set: |l, n| (l.changes_per_minute, l.changes_per_minute_per_account) = (0, n.into()),
        is_met: |h, _| Box::pin(account_changes(h)),
    },
    Limit {
        name: "chat_per_minute_per_person",
        set: |l, n| l.chat_per_minute_per_person = n.into(),
        is_met: |h, _| Box::pin(chatted(h)),
    },
    Limit {
        name: "chat_per_minute_per_address",
        set: |l, n| l.chat_per_minute_per_address = n.into(),
        is_met: |h, _| Box::pin(chatted_by_two(h)),
    },
    Limit {
        name: "log_ins_per_minute",
        set: |l, n| l.log_ins_per_minute = n.into(),
        is_met: |h, _| Box::pin(log_ins(h)),
    },
    Limit {
        name: "registrations_per_hour",
        set: |l, n| l.registrations_per_hour = n.into(),
        is_met: |h, _| Box::pin(registrations(h)),
    },
    Limit {
        name: "room_tries_per_minute",
        set: |l, n| l.room_tries_per_minute = n.into(),
        is_met: |h, _| Box::pin(room_tries(h)),
    },
    Limit {
        name: "room_tries_per_room",
        set: |l, n| l.room_tries_per_room = n.into(),
        is_met: |h, _| Box::pin(room_tries(h)),
    },
    Limit { name: "links_per_room", set: |l, n| l.links_per_room = n.into(), is_met: |h, _| Box::pin(links(h)) },
    Limit {
        name: "viewers_per_address",
        set: |l, n| l.viewers_per_address = n.into(),
        is_met: |h, _| Box::pin(viewers(h)),
    },
    Limit {
        name: "http_streams_per_browser",
        set: |l, n| l.http_streams_per_browser = n.into(),
        is_met: |h, _| Box::pin(streams(h)),
    },
    Limit { name: "rtmp_players", set: |l, n| l.rtmp_players = n.into(), is_met: |h, _| Box::pin(players(h)) },
    Limit {
        name: "rtmp_players_per_address",
        set: |l, n| l.rtmp_players_per_address = n.into(),
        is_met: |h, _| Box::pin(players(h)),
    },
    Limit {
        name: "rtmp_command_bytes",
        set: |l, n| l.rtmp_command_bytes = 300 * usize::from(n),
        is_met: |h, wait| Box::pin(long_command(h, wait)),
    },
    Limit {
        name: "rtmp_chunk_streams",
        set: |l, n| l.rtmp_chunk_streams = n.into(),
        is_met: |h, wait| Box::pin(chunk_streams(h, wait)),
    },
    Limit { name: "rtmp_connections", set: |l, n| l.rtmp_connections = n.into(), is_met: |h, _| in_all(h, encoder) },
    Limit {
        name: "rtmp_connections_per_address",
        set: |l, n| l.rtmp_connections_per_address = n.into(),
        is_met: |h, _| by_address(h, encoder),
    },
    Limit {
        name: "rtmp_handshake_s",
        set: |l, n| l.rtmp_handshake_s = n.into(),
        is_met: |h, wait| Box::pin(handshake(h, wait)),
    },
    Limit {
        name: "wrong_keys_per_minute",
        set: |l, n| l.wrong_keys_per_minute = n.into(),
        is_met: |h, _| Box::pin(wrong_keys(h)),
    },
    Limit {
        name: "wrong_key_lock_s",
        set: |l, n| (l.wrong_keys_per_minute, l.wrong_key_lock_s) = (1, 60 * u64::from(n)),
        is_met: |h, _| Box::pin(wrong_keys(h)),
    },
    Limit { name: "ws_connections", set: |l, n| l.ws_connections = n.into(), is_met: |h, _| in_all(h, channel) },
    Limit {
        name: "ws_connections_per_address",
        set: |l, n| l.ws_connections_per_address = n.into(),
        is_met: |h, _| by_address(h, channel),
    },
    Limit { name: "ws_rooms", set: |l, n| l.ws_rooms = n.into(), is_met: |h, _| Box::pin(joined(h)) },
];

#[tokio::test]
async fn each_limit_is_met_where_it_belongs_and_zero_is_no_limit() {
    let mut wrong = Vec::new();
    for Limit { name, set, is_met } in LIMITS {
        for (n, expected, wait) in [(1, true, PATIENCE), (0, false, NEVER)] {
            let house = House::open_with(|config| set(&mut config.limits, n)).await;
            let met = timeout(PATIENCE * 2, is_met(&house, wait)).await.expect(name);
            if met != expected {
                wrong.push(format!("{name} = {n}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// How long something that must not happen is waited for; where it does happen it takes a second, and some for the buffers to fill.
const NEVER: Duration = Duration::from_secs(4);

/// Sends the request and gives the answer's status with the connection, which stays; `None` when it is closed without one.
async fn ask(mut socket: TcpStream, request: &str) -> Option<(u16, TcpStream)> {
    socket.write_all(request.as_bytes()).await.ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let status = String::from_utf8_lossy(&head).split(' ').nth(1).and_then(|status| status.parse().ok());
    Some((status.expect("a status"), socket))
}

async fn connect(house: &House) -> TcpStream {
    TcpStream::connect(house.addresses.http).await.expect("connects")
}

/// Two addresses of this machine, where it has two.
const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const THERE: Ipv4Addr = if cfg!(target_os = "linux") { Ipv4Addr::new(127, 0, 0, 2) } else { HERE };

/// Opens a connection from that address; `None` when it is turned away.
type Open = for<'a> fn(&'a House, Ipv4Addr) -> BoxFuture<'a, Option<TcpStream>>;

/// One connection is let in, and one from another address is not.
fn in_all(house: &House, open: Open) -> BoxFuture<'_, bool> {
    Box::pin(async move {
        let _first = open(house, HERE).await.expect("the first is let in");
        open(house, THERE).await.is_none()
    })
}

/// One connection is let in, another from there is not, and one from another address is.
fn by_address(house: &House, open: Open) -> BoxFuture<'_, bool> {
    Box::pin(async move {
        let _first = open(house, HERE).await.expect("the first is let in");
        let second = open(house, HERE).await;
        second.is_none() && (THERE == HERE || open(house, THERE).await.is_some())
    })
}

async fn from(address: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((address, 0).into()).expect("an address of this machine");
    socket.connect(to).await.expect("connects")
}

fn web(house: &House, address: Ipv4Addr) -> BoxFuture<'_, Option<TcpStream>> {
    Box::pin(async move {
        let socket = from(address, house.addresses.http).await;
        Some(ask(socket, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await?.1)
    })
}

fn encoder(house: &House, address: Ipv4Addr) -> BoxFuture<'_, Option<TcpStream>> {
    Box::pin(async move {
        let mut socket = from(address, house.addresses.rtmp).await;
        socket.write_all(&[&[3][..], &[0; 1536]].concat()).await.ok()?;
        socket.read_u8().await.ok()?;
        Some(socket)
    })
}

fn channel(house: &House, address: Ipv4Addr) -> BoxFuture<'_, Option<TcpStream>> {
    let upgrade = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    Box::pin(async move {
        let (status, socket) = ask(from(address, house.addresses.http).await, upgrade).await?;
        assert!(matches!(status, 101 | 429), "{status}");
        (status == 101).then_some(socket)
    })
}

/// Whether the other side closes, soon.
async fn closes(socket: &mut TcpStream, wait: Duration) -> bool {
    let mut scrap = [0; 4096];
    timeout(wait, async { while socket.read(&mut scrap).await.is_ok_and(|count| count > 0) {} }).await.is_ok()
}

async fn slow_head(house: &House, wait: Duration) -> bool {
    let mut slow = connect(house).await;
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: some.example\r\n").await.expect("is sent");
    closes(&mut slow, wait).await
}

async fn handshake(house: &House, wait: Duration) -> bool {
    closes(&mut TcpStream::connect(house.addresses.rtmp).await.expect("connects"), wait).await
}

async fn stalled(house: &House, wait: Duration) -> bool {
    let key = house.make_room("my-room");
    let _encoder = Encoder::start(house, &key).await;
    live(house, "my-room").await;
    let narrow = TcpSocket::new_v4().expect("a socket");
    narrow.set_recv_buffer_size(4 * 1024).expect("settable");
    let mut viewer = narrow.connect(house.addresses.http).await.expect("connects");
    viewer.write_all(b"GET /live/my-room.flv HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("is sent");
    let mut socket = house.socket().await;
    socket.say(r#"{"type":"join","room":"my-room"}"#).await;
    socket.hear(|event| event["watching"] == 1).await;
    // A closed connection stops watching two seconds later, one that only takes nothing after ten.
    let gone = socket.hear(|event| event["watching"] == 0);
    timeout(wait.min(Duration::from_secs(8)), gone).await.is_ok()
}

async fn body(house: &House) -> bool {
    house.post_form("/rooms/new", &[("title", "")], None).await.status == 413
}

async fn changes(house: &House) -> bool {
    house.post_form("/rooms/new", &[], None).await;
    house.post_form("/rooms/new", &[], None).await.status == 429
}

async fn account_changes(house: &House) -> bool {
    let mut ana = crate::house::Browser::registered(house, "Ana").await;
    ana.post("/rooms/new", &[]).await;
    ana.post("/rooms/new", &[]).await.status == 429
}

async fn chatted(house: &House) -> bool {
    house.make_room("room-one");
    house.make_room("room-two");
    let mut socket = house.socket_as(&house.visitor().await).await;
    for room in ["room-one", "room-two"] {
        socket.join(room).await;
        socket.chat(room, "hello", room).await;
    }
    let answer = socket
        .hear(|event| event["type"] == "rejected" || event["type"] == "entries" && event["room"] == "room-two")
        .await;
    answer["type"] == "rejected"
}

async fn chatted_by_two(house: &House) -> bool {
    house.make_room("room-one");
    let mut reader = house.socket_as(&house.visitor().await).await;
    reader.join("room-one").await;
    for guest in ["ana", "bo"] {
        let mut socket = house.socket_as(&house.visitor().await).await;
        socket.join("room-one").await;
        socket.chat("room-one", guest, guest).await;
        let answer = socket.hear(|event| event["type"] == "rejected" || event["type"] == "entries").await;
        if answer["type"] == "rejected" {
            assert_eq!((guest, answer["reason"].as_str()), ("bo", Some("too_fast")), "{answer}");
            return true;
        }
    }
    false
}

async fn log_ins(house: &House) -> bool {
    let wrong = [("name", "nobody"), ("password", "guessed this")];
    assert_eq!(house.post_form("/login", &wrong, None).await.status, 422);
    house.post_form("/login", &wrong, None).await.status == 429
}

async fn registrations(house: &House) -> bool {
    let form = |name| [("name", name), ("password", crate::house::PASSWORD)];
    assert_eq!(house.post_form("/register", &form("Ana"), None).await.status, 303);
    house.post_form("/register", &form("Bea"), None).await.status == 429
}

async fn room_tries(house: &House) -> bool {
    house.make_room("my-room");
    let (domain, room) = (&house.services.domain, RoomSlug::parse("my-room").expect("a slug"));
    domain.set_access(Actor::Operator, &room, Visibility::Password, "right staple").await.expect("set");
    let wrong = [("do", "password"), ("password", "wrong staple")];
    assert_eq!(house.post_form("/rooms/my-room", &wrong, None).await.status, 422);
    house.post_form("/rooms/my-room", &wrong, None).await.status == 429
}

async fn links(house: &House) -> bool {
    house.make_room("my-room");
    let room = RoomSlug::parse("my-room").expect("a slug");
    let make = || house.services.domain.new_link(Actor::Operator, &room, "a", Duration::from_secs(60), None);
    make().await.expect("the first");
    make().await.is_err()
}

async fn viewers(house: &House) -> bool {
    let key = house.make_room("my-room");
    let _encoder = Encoder::start(house, &key).await;
    live(house, "my-room").await;
    let watch = "GET /live/my-room.flv HTTP/1.1\r\nhost: x\r\n\r\n";
    let first = ask(connect(house).await, watch).await.expect("an answer");
    let second = ask(connect(house).await, watch).await.expect("an answer");
    assert_eq!(first.0, 200);
    second.0 == 429
}

/// Whether a browser's second stream is sent to a WebSocket.
async fn streams(house: &House) -> bool {
    let cookie = on_air(house).await;
    let _first = Viewer::join_as(house, "my-room", Some(&cookie)).await;
    let head = house.upgraded("/live/my-room.flv", &[("cookie", &cookie)]).await;
    head.contains(" 426 ")
}

/// Whether a second player over RTMP is refused.
async fn players(house: &House) -> bool {
    on_air(house).await;
    let mut players = Vec::new();
    for _ in 0..2 {
        let mut player = Client::connect(house.addresses.rtmp).await.expect("connects");
        players.push((player.play("my-room").await.expect("an answer").code, player));
    }
    assert_eq!(players[0].0, "NetStream.Play.Start");
    players[1].0 != "NetStream.Play.Start"
}

/// A room on the air, for as long as the house stands; gives a browser's cookie.
async fn on_air(house: &House) -> String {
    let key = house.make_room("my-room");
    let encoder = Encoder::start(house, &key).await;
    live(house, "my-room").await;
    std::mem::forget(encoder);
    house.visitor().await
}

/// Whether a command of more than 300 bytes ends the connection.
async fn long_command(house: &House, wait: Duration) -> bool {
    let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
    let arguments = [rtmp_client::connect_object("live"), rtmp_client::text(&"x".repeat(400))];
    client.call("connect", 1.0, 0, &arguments).await.expect("is sent");
    closes(&mut client.socket, wait).await
}

/// Whether a second chunk stream ends the connection.
async fn chunk_streams(house: &House, wait: Duration) -> bool {
    let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
    for stream in [3, 4] {
        // It may be closed by then.
        let _ = client
            .message(stream, 0, 20, 0, &rtmp_client::command("connect", 1.0, &[rtmp_client::connect_object("live")]))
            .await;
    }
    closes(&mut client.socket, wait).await
}

async fn wrong_keys(house: &House) -> bool {
    let key = house.make_room("my-room");
    let publish = async |key: &str| {
        let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
        client.publish("live", key).await.expect("an answer")
    };
    publish(&format!("sk_{}", "a".repeat(32))).await;
    publish(&key).await.description.contains("Too many wrong stream keys")
}

async fn joined(house: &House) -> bool {
    house.make_room("room-one");
    house.make_room("room-two");
    let mut socket = house.socket().await;
    socket.say(r#"{"type":"join","room":"room-one"}"#).await;
    socket.say(r#"{"type":"join","room":"room-two"}"#).await;
    let answer = socket
        .hear(|event| event["type"] == "refused" || event["type"] == "room" && event["card"]["slug"] == "room-two")
        .await;
    answer["type"] == "refused"
}
