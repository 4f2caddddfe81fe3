//! `/ws`: who joined what is told of it, and nobody can use it to hurt.

use crate::house::House;

/// A slug may be somebody else's room later, and one that lets in whom it wants.
#[tokio::test]
async fn whoever_was_in_a_room_hears_nothing_of_the_next_one_at_its_address() {
    let house = House::open().await;
    let (_, owner) = house.own_room("my-room").await;
    let mut earlier = house.socket_as(&owner).await;
    earlier.join("my-room").await;
    house.command(&["room", "delete", "my-room"]);
    earlier.hear(|event| event["type"] == "room_gone").await;
    let (key, _) = house.own_room("my-room").await;
    let _encoder = crate::stream::Encoder::start(&house, &key).await;
    crate::stream::live(&house, "my-room").await;
    earlier.say(r#"{"type":"ping"}"#).await;
    earlier
        .hear(|event| {
            assert!(event["type"] != "studio" && event["type"] != "room", "{event}");
            event["type"] == "pong"
        })
        .await;
}

#[tokio::test]
async fn a_room_made_by_another_process_appears_in_the_directory() {
    let house = House::open().await;
    let mut socket = house.socket().await;
    socket.hear(|event| event["type"] == "hello" && event["protocol"] == madang_protocol::PROTOCOL_VERSION).await;
    socket.say(r#"{"type":"join_directory"}"#).await;
    socket.hear(|event| event["type"] == "directory" && event["rooms"] == serde_json::json!([])).await;
    house.make_room("my-room");
    socket.hear(|event| event["type"] == "directory_room" && event["card"]["slug"] == "my-room").await;
    house.command(&["room", "delete", "my-room"]);
    socket.hear(|event| event["type"] == "directory_gone" && event["room"] == "my-room").await;
}

#[tokio::test]
async fn a_joined_room_tells_its_state_and_one_that_is_not_there_says_so() {
    let house = House::open().await;
    house.make_room("my-room");
    let mut socket = house.socket().await;
    socket.say(r#"{"type":"join","room":"my-room"}"#).await;
    let event = socket.hear(|event| event["type"] == "room").await;
    assert_eq!(event["card"]["live"]["state"], "never");
    socket.say(r#"{"type":"join","room":"nobody-here"}"#).await;
    socket.hear(|event| event["type"] == "room_gone" && event["room"] == "nobody-here").await;
}

#[tokio::test]
async fn nonsense_is_refused_and_the_socket_stays() {
    let house = House::open().await;
    let mut socket = house.socket().await;
    for nonsense in ["", "{", "[]", r#"{"type":"join","room":"../etc"}"#, r#"{"type":"say"}"#] {
        socket.say(nonsense).await;
        socket.hear(|event| event["type"] == "refused" && event["reason"] == "malformed").await;
    }
    socket.say(r#"{"type":"ping"}"#).await;
    socket.hear(|event| event["type"] == "pong").await;
}

#[tokio::test]
async fn rooms_joined_are_limited() {
    let house = House::open_with(|config| config.limits.ws_rooms = 1).await;
    house.make_room("room-one");
    house.make_room("room-two");
    let mut socket = house.socket().await;
    socket.say(r#"{"type":"join","room":"room-one"}"#).await;
    socket.say(r#"{"type":"join","room":"room-two"}"#).await;
    socket.hear(|event| event["type"] == "refused" && event["reason"] == "too_many_rooms").await;
}

#[tokio::test]
async fn a_flood_is_refused_then_closed_and_others_go_on() {
    let house = House::open_with(|config| config.limits.ws_messages_per_second = 5).await;
    let (mut flood, mut other) = (house.socket().await, house.socket().await);
    for _ in 0..60 {
        flood.say(r#"{"type":"ping"}"#).await;
    }
    flood.hear(|event| event["reason"] == "too_fast").await;
    for _ in 0..60 {
        flood.say(r#"{"type":"ping"}"#).await;
    }
    assert_eq!(flood.close_code().await, Some(1008));
    other.say(r#"{"type":"ping"}"#).await;
    other.hear(|event| event["type"] == "pong").await;
}

#[tokio::test]
async fn what_reads_the_database_costs_more() {
    let house = House::open_with(|config| config.limits.ws_messages_per_second = 4).await;
    let mut socket = house.socket().await;
    for _ in 0..20 {
        socket.say(r#"{"type":"join","room":"nobody-here"}"#).await;
    }
    socket.hear(|event| event["reason"] == "too_fast").await;
}

#[tokio::test]
async fn hostile_json_is_refused_and_the_server_goes_on() {
    let house = House::open().await;
    house.make_room("my-room");
    let mut socket = house.socket_as(&house.visitor().await).await;
    socket.join("my-room").await;
    let deep = "[".repeat(4000);
    let deep_say =
        format!(r#"{{"type":"say","room":"my-room","id":"1","text":{}"a"{}}}"#, "[".repeat(2000), "]".repeat(2000));
    let long_id = format!(r#"{{"type":"say","room":"my-room","text":"a","id":"{}"}}"#, "x".repeat(100));
    for hostile in [
        deep.as_str(),
        &deep_say,
        &long_id,
        r#"{"type":"say","room":"my-room","text":1,"id":"1"}"#,
        r#"{"type":"say","room":"my-room","text":"a","id":"1","reply":-1}"#,
        r#"{"type":"say","room":"my-room","text":"a","id":"1","reply":1e400}"#,
        r#"{"type":"history","room":"my-room","before":"first"}"#,
        r#"{"type":"join","room":"my-room","since":{"epoch":"../../etc","seq":0}}"#,
        r#"{"type":"moderate","room":"my-room","act":{"ban":{"whom":{"id":"0"}}},"id":"1"}"#,
        r#"{"type":"card","room":"my-room","person":"zzzz"}"#,
        r#"{"type":"say","type":"ping"}"#,
        "null",
    ] {
        socket.say(hostile).await;
        socket.hear(|event| event["type"] == "refused" && event["reason"] == "malformed").await;
    }
    let huge = format!(r#"{{"type":"say","room":"my-room","id":"1","text":"{}"}}"#, "a".repeat(100_000));
    socket.say(&huge).await;
    socket.closed().await;
    house.socket().await.hear(|event| event["type"] == "hello").await;
}

#[tokio::test]
async fn another_sites_page_gets_no_socket() {
    let house = House::open().await;
    let upgrade = [
        ("connection", "upgrade, close"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(house.request("GET", "/ws", &upgrade, "").await.status, 403);
}

#[tokio::test]
async fn an_unlisted_rooms_end_is_told_to_those_in_it_and_not_to_the_directory() {
    let house = House::open().await;
    for slug in ["secret-one", "secret-two"] {
        house.command(&["room", "create", "--owner", "Ana", "--title", "A room", "--unlisted", "--slug", slug]);
    }
    house.make_room("open-room");
    let (mut inside, mut directory) = (house.socket().await, house.socket().await);
    for room in ["secret-one", "secret-two"] {
        inside.join(room).await;
    }
    directory.say(r#"{"type":"join_directory"}"#).await;
    let told = directory.hear(|event| event["type"] == "directory").await;
    assert_eq!(told["rooms"].as_array().map(Vec::len), Some(1), "{told}");
    // By another process, and by this one.
    house.command(&["room", "delete", "secret-one"]);
    let slug = madang_protocol::RoomSlug::parse("secret-two").expect("a slug");
    house.services.domain.delete_room(madang_domain::Actor::Operator, &slug).await.expect("deleted");
    // Each once, in whichever order the two ways bring them.
    let mut gone = Vec::new();
    while gone.len() < 2 {
        gone.push(inside.hear(|event| event["type"] == "room_gone").await["room"].clone());
    }
    gone.sort_by_key(ToString::to_string);
    assert_eq!(gone, ["secret-one", "secret-two"]);
    house.command(&["room", "delete", "open-room"]);
    let gone = directory.hear(|event| event["type"] == "directory_gone").await;
    assert_eq!(gone["room"], "open-room");
}
