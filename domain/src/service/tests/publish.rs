//! The media side's questions and news.

use crate::{
    CutReason, DomainChange, DomainLimits, OnAirStatus, PublishRefusal, StreamKey,
    testing::{Cut, House, encoder, next},
};
use madang_protocol::{LiveState, UnixMillis};
use std::net::{IpAddr, Ipv4Addr};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn what_is_no_key_and_what_is_nobody_s_are_refused() {
    let house = House::new();
    let (_, room, key) = house.room("my-room").await;
    let refused = |text: String| {
        let domain = &house.domain;
        async move { domain.authorize_publish(&text, HERE, "obs").await.expect_err("refused") }
    };
    for text in ["", "my-room", "sk_", "SK_AAAA", &room.id.to_string(), &format!("{}x", key.expose())] {
        assert_eq!(refused(text.to_owned()).await, PublishRefusal::NotAKey, "{text}");
    }
    let unknown = StreamKey::generate().expect("random");
    assert_eq!(refused(unknown.expose().to_owned()).await, PublishRefusal::UnknownKey);
    house.domain.delete_room(crate::Actor::Operator, &room.slug).await.expect("deleted");
    assert_eq!(refused(key.expose().to_owned()).await, PublishRefusal::UnknownKey);
}

#[tokio::test]
async fn what_an_encoder_says_of_itself_is_bounded() {
    let house = House::new();
    let (owner, room, key) = house.room("my-room").await;
    let mapped: IpAddr = "::ffff:192.0.2.7".parse().expect("an address");
    let said = format!(" \u{1b}[31mobs\r\n{}", "x".repeat(100_000));
    house.domain.authorize_publish(key.expose(), mapped, &said).await.expect("granted");
    let usage = house.domain.keys(owner.id, &room.slug).await.expect("read")[0].last_use.clone().expect("used");
    assert!(usage.encoder.starts_with("[31mobsxxx") && usage.encoder.len() <= 128, "{}", usage.encoder);
    assert_eq!(usage.from, "192.0.2.7");
}

#[tokio::test]
async fn a_room_goes_from_never_over_live_to_offline() {
    let house = House::new();
    let domain = &house.domain;
    let (owner, room, key) = house.room("my-room").await;
    let state = || async { domain.card(room.id).await.expect("read").expect("there").live };
    assert_eq!(state().await, LiveState::Never);
    let grant = domain.authorize_publish(key.expose(), HERE, "obs").await.expect("granted");

    let info = encoder(grant.key);
    let starting = OnAirStatus { starting: Some(UnixMillis(5)), encoder: Some(info.clone()), ..OnAirStatus::default() };
    house.air.put(room.id, starting.clone());
    assert_eq!(state().await, LiveState::Starting { since: UnixMillis(5) });
    let mut changes = domain.changes();
    house.air.put(room.id, OnAirStatus { live: Some(UnixMillis(6)), starting: None, watching: 3, ..starting });
    domain.broadcast_started(room.id, UnixMillis(6)).await.expect("kept");
    assert_eq!(next(&mut changes).await, DomainChange::Room(room.id));
    assert_eq!(state().await, LiveState::Live { since: UnixMillis(6) });
    let (page, _, status) = domain.studio(owner.id, &room.slug, None).await.expect("read");
    assert_eq!((page.card.watching, status.watching, status.encoder), (3, 3, Some(info)));
    // Another encoder takes over: the broadcast goes on.
    domain.broadcast_started(room.id, UnixMillis(8)).await.expect("kept");
    domain.end_stream(owner.id, &room.slug).await.expect("ended");
    assert_eq!(house.air.cuts(), [Cut::Room(room.id, CutReason::ByOwner)]);

    house.air.off(room.id);
    domain.broadcast_ended(room.id, UnixMillis(9)).await.expect("kept");
    domain.broadcast_ended(room.id, UnixMillis(99)).await.expect("nothing to end");
    assert_eq!(state().await, LiveState::Offline { since: UnixMillis(9) });
    assert_eq!(house.number("SELECT count(*) FROM broadcasts"), 1);
    let right = "SELECT count(*) FROM broadcasts JOIN stream_keys ON stream_keys.id = key
                 WHERE started = 6 AND ended = 9 AND encoder = 'obs-output 31'";
    assert_eq!(house.number(right), 1);
}

#[tokio::test]
async fn a_flood_is_answered_busy_and_nothing_breaks() {
    let house = House::with(DomainLimits { waiting_writes: 4, ..DomainLimits::default() });
    let (_, room, key) = house.room("my-room").await;
    // Another process holds the database, so that the writer waits.
    let other = rusqlite::Connection::open(house.dir.path().join("madang.sqlite3")).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (domain, key) = (house.domain.clone(), key.expose().to_owned());
            tokio::spawn(async move { domain.authorize_publish(&key, HERE, "obs").await.map(drop) })
        })
        .collect();
    // At most four are with the writer and four in the queue; the rest are answered while it waits.
    while tasks.iter().filter(|task| task.is_finished()).count() < 12 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(house.domain.room(&room.slug).await.expect("reads go on").is_some());
    other.execute_batch("ROLLBACK").expect("unlocked");
    let (mut granted, mut unavailable) = (0, 0);
    for task in tasks {
        match task.await.expect("no panic") {
            Ok(()) => granted += 1,
            Err(refusal) => {
                assert_eq!(refusal, PublishRefusal::Unavailable);
                unavailable += 1;
            }
        }
    }
    assert!(granted >= 4 && unavailable >= 12, "{granted} {unavailable}");
    assert!(house.domain.authorize_publish(key.expose(), HERE, "obs").await.is_ok());
}
