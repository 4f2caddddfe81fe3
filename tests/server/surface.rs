//! What is declared is answered, and nothing else is.

use crate::house::{House, PATIENCE};
use madang::web::{Behind, SURFACE, Who};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

#[tokio::test]
async fn everything_declared_answers_and_nothing_else_does() {
    let house = House::open().await;
    house.make_room("my-room");
    for entry in SURFACE {
        let path = entry.path.replace("{slug}", "my-room");
        if entry.behind == Behind::Media {
            assert_eq!(house.get(&path).await.json()["state"], "never", "{path}");
            continue;
        }
        let answer = match entry.behind {
            Behind::ServerFn => house.request("POST", &path, &[("content-type", "application/json")], "{}").await,
            Behind::LogOut => house.request("POST", &path, &[], "").await,
            _ => house.get(&path).await,
        };
        assert_ne!(answer.status, 405, "{path}");
        // A way to a new password is none without its code, and says so.
        let nowhere =
            answer.status == 404 && !matches!(entry.who, Who::Owner | Who::Moderator) && entry.path != "/reset";
        assert!(!nowhere, "{path} is declared and not there");
        assert!(answer.status < 500, "{path}: {}", answer.status);
    }
    for path in [
        "/fn/drop_tables",
        "/fn",
        "/admin/nothing",
        "/api/v1",
        "/api/v2/rooms",
        "/rooms",
        "/rooms/nobody-here",
        "/live/my-room.m3u8",
        "/live/nobody-here.flv",
        "/.env",
    ] {
        assert_eq!(house.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_stranger_sees_no_studio() {
    let house = House::open().await;
    house.make_room("my-room");
    let answer = house.get("/rooms/my-room/studio").await;
    assert!(matches!(answer.status, 403 | 404), "{}", answer.status);
    assert!(!answer.body.contains("sk_"));
}

#[tokio::test]
async fn another_sites_form_is_not_carried_out() {
    let house = House::open().await;
    let headers = [("origin", "https://evil.example"), ("content-type", "application/x-www-form-urlencoded")];
    let answer = house.request("POST", "/rooms/new", &headers, "title=x").await;
    assert_eq!(answer.status, 403);
    assert_eq!(house.get("/api/v1/rooms").await.json()["rooms"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn changes_are_limited_per_address() {
    let house = House::open_with(|config| config.limits.changes_per_minute = 2).await;
    for expected in [200, 200, 429] {
        let answer = house.post_form("/rooms/new", &[("title", "")], None).await;
        assert_eq!(answer.status == 429, expected == 429, "{}", answer.status);
        assert_eq!(answer.header("retry-after").is_some(), expected == 429);
    }
}

/// Whoever sends a body slowly, or never, holds one of few places for a bounded time.
#[tokio::test]
async fn a_form_that_does_not_come_is_given_up() {
    let house = House::open_with(|config| {
        config.limits.http_head_s = 1;
        config.limits.changes_per_minute = 100_000;
    })
    .await;
    let (host, form) = (house.addresses.http, "content-type: application/x-www-form-urlencoded");
    let begun = format!("POST /login HTTP/1.1\r\nhost: {host}\r\n{form}\r\ncontent-length: 100\r\n\r\nname=");
    let mut slow = Vec::new();
    for _ in 0..16 {
        let mut socket = TcpStream::connect(host).await.expect("connects");
        socket.write_all(begun.as_bytes()).await.expect("is sent");
        slow.push(socket);
    }
    let refused = async { while house.post_form("/login", &[("name", "a")], None).await.status != 429 {} };
    timeout(PATIENCE, refused).await.expect("one more of the same address is too many");
    for mut socket in slow {
        let mut answer = Vec::new();
        timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("in time").expect("reads");
        assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    }
    assert_ne!(house.post_form("/login", &[("name", "a")], None).await.status, 429, "the places are given back");
}

#[tokio::test]
async fn the_machine_can_ask_how_the_server_is() {
    let house = House::open().await;
    assert_eq!(house.get("/healthz").await.body, "ok\n");
    assert_eq!(house.get("/readyz").await.status, 200);
    assert_eq!(house.get("/metrics").await.status, 200);
    let by_proxy = house.request("GET", "/metrics", &[("x-forwarded-for", "127.0.0.1")], "").await;
    assert_eq!(by_proxy.status, 403, "a proxy on this machine is not this machine");
    let mut socket = TcpStream::connect(house.addresses.http).await.expect("connects");
    socket
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: live.example\r\nconnection: close\r\n\r\n")
        .await
        .expect("is sent");
    let mut answer = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("in time").expect("reads");
    assert!(answer.starts_with(b"HTTP/1.1 403 "), "nor is a page whose name leads here");
}

#[tokio::test]
async fn a_server_whose_storage_does_not_answer_is_alive_and_not_ready() {
    let house = House::open().await;
    let database = rusqlite::Connection::open(house.data().join("madang.sqlite3")).expect("opens");
    database.execute_batch("ALTER TABLE rooms RENAME TO lost").expect("is renamed");
    let answer = house.get("/readyz").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, "the storage does not answer\n"));
    assert_eq!(house.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn metrics_with_a_token_are_for_its_holder_only() {
    let house = House::open_with(|config| config.metrics.token = "hush".into()).await;
    assert_eq!(house.get("/metrics").await.status, 403);
    let with = |token: &'static str| [("authorization", token)];
    assert_eq!(house.request("GET", "/metrics", &with("Bearer hus"), "").await.status, 403);
    assert_eq!(house.request("GET", "/metrics", &with("Bearer hush"), "").await.status, 200);
}

#[tokio::test]
async fn a_room_that_is_not_live_says_so_and_one_that_is_not_there_too() {
    let house = House::open().await;
    house.make_room("my-room");
    let answer = house.get("/live/my-room.flv").await;
    assert_eq!((answer.status, answer.json()["state"].as_str()), (503, Some("never")));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let answer = house.get("/live/nobody-here.flv").await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.len() > 10, "a sentence");
}
