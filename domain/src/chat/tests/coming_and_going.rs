//! Joining and leaving: counted once, and nothing left behind.

use super::{Page, chatter, house, until};
use crate::{Chatter, Error, chat::RoomRef};
use madang_protocol::{
    RoomId,
    chat::{ChatRefusal, SystemLine},
    realtime::ServerEvent,
};
use std::sync::Arc;

#[tokio::test]
async fn people_are_counted_once_and_leave_once() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut first = Page::of(&house, room.id, owner.id).await;
    let second = Page::of(&house, room.id, owner.id).await;
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let other = Page::of(&house, room.id, guest).await;
    let nobody = Page::open(&house, room.id, Chatter { browser: 7, ..chatter(None, "192.0.2.1") }, None).await;
    let same_nobody = Page::open(&house, room.id, Chatter { browser: 7, ..chatter(None, "192.0.2.1") }, None).await;
    first.until_chatting(3).await;
    drop((second, nobody));
    assert_eq!(house.domain.chatting(room.id), 3);
    drop(other);
    first.until_chatting(2).await;
    drop(same_nobody);
    first.until_chatting(1).await;
    drop(first);
    until(|| house.domain.chat_totals().rooms == 0).await;
    assert_eq!(house.number("SELECT count(*) FROM persons"), 1, "a visitor who only looks is not written down");
}

#[tokio::test]
async fn few_people_see_who_comes_and_goes() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    page.until_chatting(1).await;
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let other = Page::of(&house, room.id, guest).await;
    let mut came = |event| match event {
        ServerEvent::People { joined, .. } if joined.iter().any(|author| author.id == guest) => Some(()),
        _ => None,
    };
    page.next(&mut came).await;
    drop(other);
    let mut went = |event| match event {
        ServerEvent::People { left, .. } if left.iter().any(|author| author.id == guest) => Some(()),
        _ => None,
    };
    page.next(&mut went).await;
}

#[tokio::test]
async fn how_many_watch_is_told_to_everyone() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    house.air.live(room.id, 1, 5);
    let mut page = Page::of(&house, room.id, owner.id).await;
    let watching =
        |count| move |event| matches!(event, ServerEvent::Counts { watching, .. } if watching == count).then_some(());
    page.next(watching(5)).await;
    house.domain.chat_watching(room.id, 6);
    page.next(watching(6)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_thousand_have_come_and_gone_nothing_is_left() {
    let house = Arc::new(house(|limits| limits.idle = std::time::Duration::from_millis(1)));
    let mut rooms = Vec::new();
    for n in 0..4 {
        rooms.push(house.room(&format!("room-{n}")).await.1.id);
    }
    let churn = (0..1000_usize).map(|n| {
        let (house, room) = (Arc::clone(&house), rooms[n % rooms.len()]);
        tokio::spawn(async move {
            let outbox = house.domain.outbox();
            let (person, _) = house.domain.new_visitor().expect("a visitor");
            let join = house.domain.join_chat(room, chatter(Some(person), "192.0.2.1"), None, &outbox);
            if n % 3 == 0 {
                // Some give up while they wait.
                drop(tokio::time::timeout(std::time::Duration::from_micros(n as u64), join).await);
            } else {
                let (_, member) = join.await.expect("joined");
                member.say("hello", &format!("id{n}"), None);
                tokio::task::yield_now().await;
            }
        })
    });
    for one in churn.collect::<Vec<_>>() {
        one.await.expect("no panic");
    }
    until(|| house.domain.chat_totals().rooms == 0).await;
    // Whatever was kept is without a gap.
    let gaps = "SELECT count(*) FROM chat_rooms WHERE last <> (SELECT count(*) FROM chat_entries WHERE room = chat_rooms.room)";
    assert_eq!(house.number(gaps), 0);
}

#[tokio::test]
async fn a_deleted_room_ends_its_chat() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    page.say("hello").await.expect("said");
    house.domain.delete_room(owner.id, &room.slug).await.expect("deleted");
    until(|| house.domain.chat_totals().rooms == 0).await;
    assert_eq!(page.say("anybody?").await.map(drop), Err(ChatRefusal::NotJoined));
    let outbox = house.domain.outbox();
    let again = house.domain.join_chat(room.id, chatter(None, "192.0.2.1"), None, &outbox).await;
    assert_eq!(again.map(drop), Err(Error::NotFound));
    house.domain.chat_system(room.id, SystemLine::StreamEnded);
    assert_eq!(house.number("SELECT count(*) FROM chat_entries"), 0);
}

#[tokio::test]
async fn a_moved_room_s_events_have_its_new_slug() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    let draft = crate::testing::draft("two");
    house.domain.edit_room(owner.id, &room.slug, draft).await.expect("moved");
    until(|| true).await;
    page.member.say("hello", "a", None);
    let slug = page.next(|event| match event {
        ServerEvent::Entries { room, .. } => Some(room),
        _ => None,
    });
    assert_eq!(slug.await.as_str(), "two");
}

#[tokio::test]
async fn a_closed_domain_leaves_no_task_behind() {
    let house = house(|limits| limits.idle = std::time::Duration::from_secs(60));
    let (owner, room, _) = house.room("one").await;
    drop(Page::of(&house, room.id, owner.id).await);
    assert!(matches!(RoomRef::from(room.id), RoomRef::Id(id) if id == room.id));
    let dir = house.dir;
    drop(house.domain);
    // The same folder opens at once, and serves.
    let again = crate::Domain::open(dir.path()).expect("opens");
    again.set_on_air(house.air);
    assert_eq!(again.chatting(RoomId::from_random(2)), 0);
}
