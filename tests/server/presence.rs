//! Watching and chatting are two numbers, and both are honest.

use crate::{
    house::{House, until},
    stream::{Encoder, Viewer, live},
};
use madang_protocol::{RoomId, RoomSlug};

const ROOM: &str = "my-room";

async fn id(house: &House) -> RoomId {
    let slug = RoomSlug::parse(ROOM).expect("a slug");
    house.services.domain.room(&slug).await.expect("storage").expect("a room").id
}

#[tokio::test]
async fn tabs_of_one_browser_are_one_and_chat_alone_is_none() {
    let house = House::open().await;
    let (key, owner) = house.own_room(ROOM).await;
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, ROOM).await;
    let room = id(&house).await;
    let watching = || house.services.live.status(room).watching;
    let visitor = house.visitor().await;
    let mut popped_out = house.socket_as(&visitor).await;
    popped_out.join(ROOM).await;
    let mut tabs = Vec::new();
    for _ in 0..3 {
        tabs.push(Viewer::join_as(&house, ROOM, Some(&visitor)).await);
    }
    until("three tabs are one", || watching() == 1).await;
    popped_out.hear(|event| event["type"] == "counts" && event["watching"] == 1 && event["chatting"] == 1).await;
    let other = Viewer::join_as(&house, ROOM, Some(&house.visitor().await)).await;
    let embed = Viewer::join_as(&house, ROOM, None).await;
    let preview = Viewer::join_path(&house, "/live/my-room.flv?preview=1", Some(&owner)).await;
    until("another browser and an embed", || watching() == 3).await;
    let claimed = Viewer::join_path(&house, "/live/my-room.flv?preview=1", Some(&house.visitor().await)).await;
    until("only the owner previews", || watching() == 4).await;
    popped_out.hear(|event| event["type"] == "counts" && event["watching"] == 4).await;
    tabs.truncate(1);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(watching(), 4, "one tab of three is left");
    drop((tabs, other, embed, preview, claimed));
    until("everyone has left", || watching() == 0).await;
    popped_out.hear(|event| event["type"] == "counts" && event["watching"] == 0).await;
    assert_eq!(house.services.live.presence().remembered(), 0);
}

#[tokio::test]
async fn the_count_is_exact_after_many_came_and_went() {
    let house = House::open_with(|config| {
        config.limits.http_connections_per_address = 1000;
        config.limits.viewers_per_address = 1000;
    })
    .await;
    let key = house.make_room(ROOM);
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, ROOM).await;
    let room = id(&house).await;
    let mut here = Vec::new();
    for n in 0..150 {
        let (_, cookie) = house.services.domain.new_visitor().expect("a visitor");
        let cookie = format!("madang_person={}", cookie.as_str());
        let mut viewer = Viewer::join_as(&house, ROOM, Some(&cookie)).await;
        // One who took nothing would not be counted for long.
        here.push(tokio::spawn(async move { while viewer.item().await.is_some() {} }));
        if n % 3 == 0 {
            here.swap_remove(n * 7 % here.len()).abort();
        }
    }
    let expected = u32::try_from(here.len()).expect("few");
    until("the count is exact", || house.services.live.status(room).watching == expected).await;
    here.iter().for_each(tokio::task::JoinHandle::abort);
    until("everyone has left", || house.services.live.status(room).watching == 0).await;
    assert_eq!(house.services.live.presence().remembered(), 0);
}

#[tokio::test]
async fn the_chat_is_told_when_the_stream_starts_and_ends() {
    let house = House::open().await;
    let key = house.make_room(ROOM);
    let mut socket = house.socket().await;
    socket.join(ROOM).await;
    let line = |event: &serde_json::Value, line: &str| {
        event["entries"].as_array().is_some_and(|all| all.iter().any(|entry| entry["what"]["system"] == line))
    };
    let encoder = Encoder::start(&house, &key).await;
    socket.hear(|event| line(event, "stream_started")).await;
    drop(encoder);
    socket.hear(|event| line(event, "stream_ended")).await;
}
