//! Chat as browsers have it: who hears what, once and in order, and who may do what.

use crate::house::{House, PATIENCE, said, until};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

const ROOM: &str = "my-room";

async fn house() -> House {
    let house = House::open_with(unhurried).await;
    house.make_room(ROOM);
    house
}

/// Limits that a test does not meet by saying much.
fn unhurried(config: &mut madang::Config) {
    config.limits.chat_burst = 10_000;
    config.limits.chat_messages = 10_000;
    config.limits.chat_per_minute_per_person = 0;
    config.limits.chat_per_minute_per_address = 0;
    config.limits.ws_messages_per_second = 10_000;
}

#[tokio::test]
async fn what_is_said_reaches_everyone_in_the_room_in_order_and_its_sender_too() {
    let house = house().await;
    let (ana, bo) = (house.visitor().await, house.visitor().await);
    assert_ne!(ana, bo);
    let (mut ana, mut bo) = (house.socket_as(&ana).await, house.socket_as(&bo).await);
    let chat = ana.join(ROOM).await;
    assert_eq!(
        (said(&chat["entries"]), chat["more"].clone(), chat["resumed"].clone()),
        (vec![], json!(false), json!(false))
    );
    bo.join(ROOM).await;
    for n in 0..20 {
        ana.chat(ROOM, &format!("message {n}"), &format!("a{n}")).await;
    }
    let told = bo.messages(ROOM, 20).await;
    let texts: Vec<_> = told.iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(texts, (0..20).map(|n| format!("message {n}")).collect::<Vec<_>>());
    assert!(told.windows(2).all(|two| two[0].0 < two[1].0), "{told:?}");
    assert_eq!(ana.messages(ROOM, 20).await, told, "the sender's confirmation is what everyone is sent");
}

#[tokio::test]
async fn a_confirmation_carries_the_id_of_the_one_who_sent_it() {
    let house = house().await;
    let mut socket = house.socket_as(&house.visitor().await).await;
    socket.join(ROOM).await;
    socket.chat(ROOM, "<b>안녕</b> 👩‍👩‍👧", "my-id").await;
    let event = socket.hear(|event| event["type"] == "entries").await;
    let message = &event["entries"][0]["what"]["say"];
    assert_eq!((message["id"].as_str(), message["text"].as_str()), (Some("my-id"), Some("<b>안녕</b> 👩‍👩‍👧")));
}

#[tokio::test]
async fn rooms_hear_nothing_of_each_other() {
    let house = house().await;
    house.make_room("other-room");
    let cookie = house.visitor().await;
    let (mut here, mut there) = (house.socket_as(&cookie).await, house.socket_as(&house.visitor().await).await);
    here.join(ROOM).await;
    there.join("other-room").await;
    here.chat(ROOM, "secret", "1").await;
    here.messages(ROOM, 1).await;
    there.chat("other-room", "mine", "2").await;
    let event = there.hear(|event| event["type"] == "entries").await;
    assert_eq!((event["room"].as_str(), said(&event["entries"]).len()), (Some("other-room"), 1));
    there.chat(ROOM, "not joined", "3").await;
    there.hear(|event| event["type"] == "rejected" && event["id"] == "3" && event["reason"] == "not_joined").await;
    there.say(&json!({"type": "leave", "room": "other-room"}).to_string()).await;
    there.chat("other-room", "left", "4").await;
    there.hear(|event| event["type"] == "rejected" && event["id"] == "4").await;
}

#[tokio::test]
async fn who_comes_back_is_told_what_was_missed_and_nothing_else() {
    let house = house().await;
    let (ana, bo) = (house.visitor().await, house.visitor().await);
    let (mut ana, mut first) = (house.socket_as(&ana).await, house.socket_as(&bo).await);
    ana.join(ROOM).await;
    let epoch = first.join(ROOM).await["epoch"].clone();
    for n in 0..10 {
        ana.chat(ROOM, &format!("{n}"), &format!("a{n}")).await;
    }
    let heard = first.messages(ROOM, 10).await;
    drop(first);
    for n in 10..50 {
        ana.chat(ROOM, &format!("{n}"), &format!("a{n}")).await;
    }
    ana.messages(ROOM, 50).await;
    let mut again = house.socket_as(&bo).await;
    let since = json!({"epoch": epoch, "seq": heard.last().expect("ten").0});
    again.say(&json!({"type": "join", "room": ROOM, "since": since}).to_string()).await;
    let chat = again.hear(|event| event["type"] == "chat").await["chat"].clone();
    assert_eq!(chat["resumed"], true);
    let missed: Vec<String> = said(&chat["entries"]).into_iter().map(|(_, text)| text).collect();
    assert_eq!(missed, (10..50).map(|n| n.to_string()).collect::<Vec<_>>());
    ana.chat(ROOM, "after", "after").await;
    assert_eq!(again.messages(ROOM, 1).await[0].1, "after");
    let mut stranger = house.socket_as(&bo).await;
    let wrong = json!({"epoch": "000000000000000a", "seq": 3});
    stranger.say(&json!({"type": "join", "room": ROOM, "since": wrong}).to_string()).await;
    assert_eq!(stranger.hear(|event| event["type"] == "chat").await["chat"]["resumed"], false);
}

#[tokio::test]
async fn a_long_gap_is_told_in_frames_of_bounded_size() {
    let house = house().await;
    let mut ana = house.socket_as(&house.visitor().await).await;
    let epoch = ana.join(ROOM).await["epoch"].clone();
    let text = "가나다라마".repeat(100);
    for n in 0..400 {
        ana.chat(ROOM, &text, &format!("a{n}")).await;
        ana.messages(ROOM, 1).await;
    }
    let mut late = house.socket().await;
    let since = json!({"epoch": epoch, "seq": 0});
    late.say(&json!({"type": "join", "room": ROOM, "since": since}).to_string()).await;
    let chat = late.hear(|event| event["type"] == "chat").await["chat"].clone();
    let mut told = said(&chat["entries"]);
    assert_eq!((chat["resumed"].clone(), chat["seq"].as_u64()), (json!(true), told.last().map(|last| last.0)));
    assert!(told.len() < 100, "{} messages in the first frame", told.len());
    told.extend(late.messages(ROOM, 400 - told.len()).await);
    assert_eq!(told.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..=400).collect::<Vec<_>>());
    let longest = late.longest;
    assert!(longest <= 256 * 1024, "a frame of {longest} bytes");
}

#[tokio::test]
async fn what_is_sent_twice_is_said_once_and_confirmed_twice() {
    let house = house().await;
    let cookie = house.visitor().await;
    let (mut ana, mut bo) = (house.socket_as(&cookie).await, house.socket_as(&house.visitor().await).await);
    ana.join(ROOM).await;
    bo.join(ROOM).await;
    ana.chat(ROOM, "once", "same").await;
    let first = ana.messages(ROOM, 1).await;
    drop(ana);
    // The confirmation was lost with the connection, for all that the browser knows.
    let mut ana = house.socket_as(&cookie).await;
    ana.join(ROOM).await;
    ana.chat(ROOM, "once", "same").await;
    assert_eq!(ana.messages(ROOM, 1).await, first);
    ana.chat(ROOM, "marker", "other").await;
    let told: Vec<String> = bo.messages(ROOM, 2).await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(told, ["once", "marker"]);
}

#[tokio::test]
async fn history_is_read_backwards_to_its_beginning() {
    let house = house().await;
    let mut ana = house.socket_as(&house.visitor().await).await;
    ana.join(ROOM).await;
    for n in 0..450 {
        ana.chat(ROOM, &n.to_string(), &format!("a{n}")).await;
        if n % 50 == 49 {
            ana.messages(ROOM, 50).await;
        }
    }
    let mut reader = house.socket().await;
    let chat = reader.join(ROOM).await;
    let mut messages = said(&chat["entries"]);
    assert_eq!((messages.len(), chat["more"].clone()), (200, json!(true)));
    loop {
        let before = messages.first().expect("some").0;
        reader.say(&json!({"type": "history", "room": ROOM, "before": before}).to_string()).await;
        let page = reader.hear(|event| event["type"] == "history").await;
        messages.splice(0..0, said(&page["entries"]));
        if page["more"] == false {
            break;
        }
    }
    let texts: Vec<String> = messages.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, (0..450).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_browser_without_a_cookie_reads_and_is_told_why_it_cannot_write() {
    let house = house().await;
    let mut socket = house.socket().await;
    let hello = socket.hear(|event| event["type"] == "hello").await;
    assert_eq!(hello["you"]["id"], Value::Null);
    socket.join(ROOM).await;
    socket.chat(ROOM, "hello", "1").await;
    socket.hear(|event| event["type"] == "rejected" && event["reason"] == "no_cookie").await;
    socket.say(&json!({"type": "rename", "name": "Ana", "id": "2"}).to_string()).await;
    socket.hear(|event| event["type"] == "rejected" && event["id"] == "2").await;
}

#[tokio::test]
async fn a_guest_has_a_tag_and_takes_a_name_for_what_comes_after() {
    let house = house().await;
    let mut socket = house.socket_as(&house.visitor().await).await;
    let you = socket.hear(|event| event["type"] == "hello").await["you"].clone();
    assert_eq!(you["tag"].as_str().map(str::len), Some(3));
    socket.join(ROOM).await;
    socket.say(&json!({"type": "rename", "name": "도현", "id": "1"}).to_string()).await;
    socket.hear(|event| event["type"] == "you" && event["you"]["name"] == "도현").await;
    socket.chat(ROOM, "hello", "2").await;
    let event = socket.hear(|event| event["type"] == "entries").await;
    let author = &event["entries"][0]["what"]["say"]["author"];
    assert_eq!((author["name"].as_str(), &author["tag"]), (Some("도현"), &you["tag"]));
}

#[tokio::test]
async fn the_chats_own_rate_is_kept() {
    let house = House::open().await;
    house.make_room(ROOM);
    let mut socket = house.socket_as(&house.visitor().await).await;
    socket.join(ROOM).await;
    for n in 0..8 {
        socket.chat(ROOM, &n.to_string(), &n.to_string()).await;
    }
    let refused = socket.hear(|event| event["type"] == "rejected").await;
    assert_eq!(refused["reason"], "too_fast");
    assert!(refused["until"].is_number(), "{refused}");
}

#[tokio::test]
async fn moderators_delete_and_mute_and_nobody_else_does() {
    let house = House::open_with(unhurried).await;
    let (_, owner) = house.own_room(ROOM).await;
    let guest = house.visitor().await;
    let (mut owner, mut guest) = (house.socket_as(&owner).await, house.socket_as(&guest).await);
    assert_eq!(owner.join(ROOM).await["standing"]["role"], "owner");
    assert_eq!(guest.join(ROOM).await["standing"]["role"], "viewer");
    guest.chat(ROOM, "rude", "1").await;
    let event = owner.hear(|event| event["type"] == "entries" && !said(&event["entries"]).is_empty()).await;
    let entry = event["entries"].as_array().expect("entries").iter().find(|entry| entry["what"]["say"].is_object());
    let entry = entry.expect("a message").clone();
    let moderate = |act: Value, id: &str| json!({"type": "moderate", "room": ROOM, "act": act, "id": id}).to_string();
    guest.say(&moderate(json!({"delete": {"seq": entry["seq"]}}), "g")).await;
    guest.hear(|event| event["type"] == "rejected" && event["reason"] == "not_allowed").await;
    owner.say(&moderate(json!({"delete": {"seq": entry["seq"]}}), "o1")).await;
    owner.hear(|event| event["type"] == "done" && event["id"] == "o1").await;
    guest
        .hear(|event| {
            event["entries"].as_array().is_some_and(|all| all.iter().any(|one| one["what"]["delete"].is_object()))
        })
        .await;
    let whom = json!({"id": entry["what"]["say"]["author"]["id"]});
    owner.say(&moderate(json!({"timeout": {"whom": whom, "seconds": 60}}), "o2")).await;
    owner.hear(|event| event["type"] == "done" && event["id"] == "o2").await;
    guest.hear(|event| event["type"] == "standing" && event["standing"]["muted"].is_object()).await;
    guest.chat(ROOM, "still here", "2").await;
    guest.hear(|event| event["type"] == "rejected" && event["reason"] == "timed_out").await;
    owner.say(&json!({"type": "card", "room": ROOM, "person": whom["id"]}).to_string()).await;
    let card = owner.hear(|event| event["type"] == "card").await;
    assert_eq!(card["card"]["messages"][0]["text"], "rude");
}

#[tokio::test]
async fn the_log_of_actions_is_a_file_for_moderators_that_no_spreadsheet_runs() {
    let house = House::open_with(unhurried).await;
    let (_, owner) = house.own_room(ROOM).await;
    let guest = house.visitor().await;
    let (mut boss, mut socket) = (house.socket_as(&owner).await, house.socket_as(&guest).await);
    boss.join(ROOM).await;
    socket.join(ROOM).await;
    socket.chat(ROOM, "=cmd|' /C calc'!A0", "1").await;
    let event = boss.hear(|event| event["type"] == "entries" && !said(&event["entries"]).is_empty()).await;
    let seq = said(&event["entries"])[0].0;
    let act = json!({"delete": {"seq": seq}});
    boss.say(
        &json!({"type": "moderate", "room": ROOM, "act": act, "reason": "a \"formula\", really", "id": "1"})
            .to_string(),
    )
    .await;
    boss.hear(|event| event["type"] == "done").await;
    let path = "/rooms/my-room/moderation/log.csv";
    let file = house.request("GET", path, &[("cookie", &owner)], "").await;
    assert_eq!((file.status, file.header("cache-control")), (200, Some("no-store")));
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(file.header("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    assert!(file.body.contains(r#""'=cmd|' /C calc'!A0""#), "{}", file.body);
    assert!(file.body.contains(r#""a ""formula"", really""#), "{}", file.body);
    for cookie in [guest.as_str(), "madang_person=forged"] {
        assert_eq!(house.request("GET", path, &[("cookie", cookie)], "").await.status, 403);
    }
    let nowhere = house.request("GET", "/rooms/nobody-here/moderation/log.csv", &[("cookie", &owner)], "").await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn a_browser_is_given_one_cookie_once_and_no_file_gives_any() {
    let house = house().await;
    for path in ["/", "/rooms/my-room", "/rooms/new"] {
        let answer = house.get(path).await;
        let cookie = answer.header("set-cookie").unwrap_or_else(|| panic!("{path}"));
        assert!(cookie.starts_with("madang_person=v1.") && cookie.contains("HttpOnly"), "{cookie}");
        assert!(cookie.contains("SameSite=Lax") && cookie.contains("Path=/"), "{cookie}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let again = house.request("GET", path, &[("cookie", &answer.cookie().expect("a cookie"))], "").await;
        assert_eq!(again.header("set-cookie"), None, "{path}");
        let forged = house.request("GET", path, &[("cookie", "madang_person=v1.0.0")], "").await;
        assert!(forged.header("set-cookie").is_some(), "{path}");
    }
    for path in ["/pkg/none.js", "/favicon.ico", "/api/v1/rooms", "/healthz", "/live/my-room.flv", "/fn/list_rooms"] {
        assert_eq!(house.get(path).await.header("set-cookie"), None, "{path}");
    }
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let head = house.upgraded("/ws", &upgrade).await;
    assert!(head.contains("101") && head.to_ascii_lowercase().contains("set-cookie: madang_person=v1."), "{head}");
}

/// A network that can be cut without anybody being told: bytes stop, and no connection ends.
struct Network {
    address: std::net::SocketAddr,
    tasks: tokio::task::JoinHandle<()>,
}

impl Network {
    async fn to(house: &House) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (address, server) = (listener.local_addr().expect("bound"), house.addresses.http);
        let tasks = tokio::spawn(async move {
            let (mut near, _) = listener.accept().await.expect("a connection");
            let mut far = TcpStream::connect(server).await.expect("connects");
            let (near_raw, far_raw) = (&mut near, &mut far);
            let _ = tokio::time::timeout(Duration::from_secs(4), copy_bidirectional(near_raw, far_raw)).await;
            // Both ends stay open, and nothing passes any more.
            std::future::pending::<()>().await;
        });
        Self { address, tasks }
    }
}

#[tokio::test]
async fn a_lost_network_takes_a_browser_out_once() {
    let house = House::open_with(|config| (config.limits.ws_ping_s, config.limits.ws_pong_s) = (2, 1)).await;
    house.make_room(ROOM);
    let room = house.services.domain.room(&ROOM.parse_slug()).await.expect("storage").expect("a room").id;
    let network = Network::to(&house).await;
    let url = format!("ws://{}/ws", house.addresses.http);
    let stream = TcpStream::connect(network.address).await.expect("connects");
    let (lost, _) = tokio_tungstenite::client_async(url, stream).await.expect("upgrades");
    let mut lost = crate::house::Socket::over(lost);
    lost.join(ROOM).await;
    let mut stays = house.socket().await;
    stays.join(ROOM).await;
    let reading = tokio::spawn(async move {
        stays.hear(|event| event["type"] == "counts" && event["chatting"] == 2).await;
        stays.hear(|event| event["type"] == "counts" && event["chatting"] == 1).await;
    });
    until("both are there", || house.services.domain.chatting(room) == 2).await;
    let begun = std::time::Instant::now();
    tokio::time::timeout(PATIENCE, reading).await.expect("found in time").expect("no panic");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(house.services.domain.chatting(room), 1);
    assert_eq!(house.services.sockets.open(), 1);
    network.tasks.abort();
}

#[tokio::test]
async fn who_reads_nothing_is_closed_to_resume_and_slows_nobody() {
    let house = House::open_with(|config| {
        unhurried(config);
        config.limits.chat_queue_messages = 8;
        config.chat.window_ms = madang::config::ChatWindow::Millis(0);
    })
    .await;
    house.make_room(ROOM);
    let mut deaf = house.socket_as(&house.visitor().await).await;
    deaf.join(ROOM).await;
    let mut ana = house.socket_as(&house.visitor().await).await;
    ana.join(ROOM).await;
    let text = "가나다라마".repeat(100);
    for n in 0..6000 {
        ana.chat(ROOM, &text, &n.to_string()).await;
        ana.messages(ROOM, 1).await;
        if house.services.sockets.open() == 1 {
            break;
        }
    }
    until("the deaf one is out", || house.services.sockets.open() == 1).await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_keeps_what_it_confirmed() {
    let house = house().await;
    let mut ana = house.socket_as(&house.visitor().await).await;
    ana.join(ROOM).await;
    ana.chat(ROOM, "kept", "1").await;
    ana.messages(ROOM, 1).await;
    let closing = tokio::spawn(async move { ana.close_code().await });
    house.close().await;
    assert_eq!(closing.await.expect("no panic"), Some(1012));
}

trait ParseSlug {
    fn parse_slug(&self) -> madang_protocol::RoomSlug;
}

impl ParseSlug for str {
    fn parse_slug(&self) -> madang_protocol::RoomSlug {
        madang_protocol::RoomSlug::parse(self).expect("a slug")
    }
}
