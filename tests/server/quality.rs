//! How the picture does for viewers: their browsers tell, the owner reads the sum, and nobody can make it up.

use crate::{
    house::House,
    stream::{Encoder, Viewer, live},
};
use serde_json::{Value, json};

const ROOM: &str = "my-room";

fn quality(delay_ms: u32) -> String {
    json!({"type": "quality", "room": ROOM, "delay_ms": delay_ms, "stalls": 1, "dropped": 3, "frames": 300}).to_string()
}

fn is_told(event: &Value) -> bool {
    event["type"] == "studio" && event["status"]["quality"].is_object()
}

#[tokio::test]
async fn the_owner_reads_how_the_picture_does_for_those_who_watch() {
    let house = House::open().await;
    let (key, owner) = house.own_room(ROOM).await;
    let mut studio = house.socket_as(&owner).await;
    studio.join(ROOM).await;
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, ROOM).await;
    let cookie = house.visitor().await;
    let _viewer = Viewer::join_as(&house, ROOM, Some(&cookie)).await;
    studio.hear(|event| event["type"] == "studio" && event["status"]["watching"] == 1).await;
    // Somebody who only reads the chat has no picture to tell of, whatever they say.
    let mut reader = house.socket_as(&house.visitor().await).await;
    reader.join(ROOM).await;
    reader.say(&quality(500_000)).await;
    let mut watcher = house.socket_as(&cookie).await;
    watcher.join(ROOM).await;
    watcher.say(&quality(700)).await;
    // Twice as much said is not heard twice.
    watcher.say(&quality(500_000)).await;
    let event = studio.hear(is_told).await;
    let told = &event["status"]["quality"];
    assert!((600..=800).contains(&told["delay_p95_ms"].as_u64().expect("a number")), "{told}");
    assert_eq!((&told["stalls_tenths"], &told["dropped_permille"]), (&json!(3600), &json!(10)));
    assert_eq!(event["status"]["peak"], 1);
    let metrics = house.get("/metrics").await.body;
    assert!(metrics.contains("madang_viewer_delay_seconds_bucket{le=\"0.8\"}"), "{metrics}");
    assert!(metrics.contains("madang_viewer_stalls_total") && !metrics.contains(ROOM), "of no room by itself");
}

#[tokio::test]
async fn the_owner_reads_how_many_cannot_play_it() {
    let house = House::open().await;
    let (key, owner) = house.own_room(ROOM).await;
    let mut studio = house.socket_as(&owner).await;
    studio.join(ROOM).await;
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, ROOM).await;
    let unplayable = json!({"type": "unplayable", "room": ROOM}).to_string();
    let is_told = |many: u64| move |event: &Value| event["type"] == "studio" && event["status"]["unplayable"] == many;
    // One browser in two tabs, another, and one that is in another room.
    let cookie = house.visitor().await;
    let mut sockets = Vec::new();
    for cookie in [cookie.clone(), cookie.clone(), house.visitor().await] {
        let mut socket = house.socket_as(&cookie).await;
        socket.join(ROOM).await;
        socket.say(&unplayable).await;
        sockets.push(socket);
    }
    let mut elsewhere = house.socket().await;
    elsewhere.say(&unplayable).await;
    studio.hear(is_told(2)).await;
    drop((sockets, elsewhere));
    // Who plays it after all is no more of them.
    let _viewer = Viewer::join_as(&house, ROOM, Some(&cookie)).await;
    studio.hear(|event| event["type"] == "studio" && event["status"]["watching"] == 1).await;
    let mut watcher = house.socket_as(&cookie).await;
    watcher.join(ROOM).await;
    watcher.say(&quality(700)).await;
    studio.hear(is_told(1)).await;
}

#[tokio::test]
async fn what_no_picture_ever_did_is_refused() {
    let house = House::open().await;
    house.make_room(ROOM);
    let mut socket = house.socket().await;
    let refused = |event: &Value| event["type"] == "refused" && event["reason"] == "malformed";
    socket.join(ROOM).await;
    for (delay_ms, stalls, dropped, frames) in
        [(600_001_i64, 0, 0, 0), (0, 100_001, 0, 0), (0, 0, 100_001, 0), (0, 0, 0, 100_001), (-1, 0, 0, 0)]
    {
        let nonsense = json!({"type": "quality", "room": ROOM, "delay_ms": delay_ms, "stalls": stalls, "dropped": dropped, "frames": frames});
        socket.say(&nonsense.to_string()).await;
        socket.hear(refused).await;
    }
}
