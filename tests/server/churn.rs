//! Hundreds who come, leave and vanish: the counts end exact, and nothing is left over.

use crate::house::{House, Socket, until};
use madang::realtime::Seated;
use madang_protocol::RoomSlug;
use serde_json::json;

const SOCKETS: usize = 300;
const ROOM: &str = "my-room";

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

#[tokio::test]
async fn three_hundred_come_and_go_and_nothing_is_left() {
    let house = House::open_with(|config| {
        config.limits.ws_connections_per_address = 1000;
        config.limits.http_connections_per_address = 1000;
        config.chat.idle_s = 1;
    })
    .await;
    house.make_room(ROOM);
    house.make_room("other-room");
    let domain = &house.services.domain;
    let room = domain.room(&RoomSlug::parse(ROOM).expect("a slug")).await.expect("storage").expect("a room").id;
    let before = house.services.hub.seated();
    assert_eq!(before, Seated::default());
    let mut watcher = house.socket().await;
    watcher.join(ROOM).await;
    let mut dice = Dice(7);
    let mut here: Vec<Socket> = Vec::new();
    let mut joined = 0_usize;
    for n in 0..SOCKETS {
        let mut socket = house.socket().await;
        if dice.roll(4) == 0 {
            socket.say(&json!({"type": "join_directory"}).to_string()).await;
        }
        socket.join(ROOM).await;
        joined += 1;
        match dice.roll(5) {
            // Leaves and stays connected, comes back, or says that it goes.
            0 => {
                socket.say(&json!({"type": "leave", "room": ROOM}).to_string()).await;
                joined -= 1;
            }
            1 => {
                socket.say(&json!({"type": "leave", "room": ROOM}).to_string()).await;
                socket.join(ROOM).await;
            }
            2 => {
                socket.join("other-room").await;
            }
            // Vanishes at once.
            3 => {
                drop(socket);
                joined -= 1;
                continue;
            }
            _ => {}
        }
        here.push(socket);
        // Somebody who was there vanishes too.
        if n % 3 == 0 {
            let mut gone = here.swap_remove(dice.roll(here.len()));
            gone.say(r#"{"type":"join_directory"}"#).await;
            // Joined or not is asked of the socket itself: it says so when it may not write.
            gone.chat(ROOM, "x", "last").await;
            let answer = gone.hear(|event| event["id"] == "last").await;
            joined -= usize::from(answer["reason"] == "no_cookie");
        }
    }
    let expected = u32::try_from(joined + 1).expect("few");
    until("the count is exact", || domain.chatting(room) == expected).await;
    watcher.hear(|event| event["type"] == "counts" && event["chatting"] == expected).await;
    here.clear();
    until("everyone has left", || domain.chatting(room) == 1).await;
    watcher.hear(|event| event["type"] == "counts" && event["chatting"] == 1).await;
    drop(watcher);
    until("the places are given back", || house.services.sockets.open() == 0).await;
    assert_eq!(house.services.hub.seated(), before);
    until("the rooms' tasks end", || domain.active_chats() == 0).await;
    assert_eq!(domain.chatting(room), 0);
    let metrics = house.get("/metrics").await.body;
    assert!(metrics.contains("madang_chat_members"), "{metrics}");
}
