//! Encoders that go and come back: viewers keep their connections, and the room its time.

use crate::{
    house::{House, PATIENCE},
    rtmp_client::{Amf, Client},
    stream::{Viewer, live, tags},
};
use madang_media::{
    amf0,
    flv::{Item, Tag, TagKind},
};
use madang_protocol::RoomSlug;
use std::time::{Duration, Instant};

/// How an encoder goes.
#[derive(Clone, Copy, Debug)]
enum Leave {
    /// It says that it stops.
    Clean,
    /// Its socket is closed.
    Dropped,
    /// Its network is cut: nothing more is heard of it.
    Cut,
}

async fn publish(house: &House, key: &str) -> Client {
    let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
    let status = client.publish("live", key).await.expect("an answer");
    assert_eq!(status.code, "NetStream.Publish.Start", "{status:?}");
    client
}

/// Sends the clip once, as fast as it gets, its stamps beginning at `from`.
async fn send_clip(client: &mut Client, from: u32) {
    for tag in tags() {
        let at = from.wrapping_add(tag.at.to_stamp());
        match tag.kind {
            TagKind::Audio => client.audio(at, &tag.body).await.expect("is sent"),
            TagKind::Video => client.video(at, &tag.body).await.expect("is sent"),
            TagKind::Script => {}
        }
    }
}

/// The fields of a mark of ours.
fn mark(tag: &Tag) -> Option<amf0::Value> {
    let values = amf0::read_all(&tag.body, &amf0::Limits::default()).ok()?;
    let [name, value] = values.as_slice() else { return None };
    (tag.kind == TagKind::Script && name.as_str() == Some("madang")).then(|| value.clone())
}

/// Media up to the first tag that is marked with `field`.
async fn media_until(viewer: &mut Viewer, field: &str) -> Vec<Tag> {
    let mut media = Vec::new();
    loop {
        match viewer.item().await.expect("the connection is kept") {
            Item::Tag(tag) if mark(&tag).is_some_and(|mark| mark.get(field).is_some()) => return media,
            Item::Tag(tag) if tag.kind != TagKind::Script => media.push(tag),
            _ => {}
        }
    }
}

/// Frames and sounds without configurations.
fn frames(tags: &[Tag]) -> Vec<&Tag> {
    tags.iter().filter(|tag| !tag.is_sequence_header()).collect()
}

/// An encoder goes in this way and comes back after so long. Its viewers keep their connections and see time go on.
async fn goes_and_comes_back(leave: Leave, away: Duration) {
    let what = format!("{leave:?}, {away:?}");
    // A little more than the usual 30 s, so that it is not the machine's other work that decides.
    let house = House::open_with(|config| config.media.grace_s = 36).await;
    let key = house.make_room("my-room");
    let mut client = publish(&house, &key).await;
    send_clip(&mut client, 4_000_000_000).await;
    live(&house, "my-room").await;
    let mut viewer = Viewer::join(&house, "my-room").await;
    let mut before = Vec::new();
    let mut late = None;
    let mut ghost = None;
    match leave {
        Leave::Clean => {
            client.call("FCUnpublish", 6.0, 0, &[Amf::Null]).await.expect("is sent");
            client.call("deleteStream", 7.0, 0, &[Amf::Null, Amf::Number(1.0)]).await.expect("is sent");
        }
        Leave::Dropped => drop(client),
        Leave::Cut => ghost = Some(client),
    }
    if ghost.is_none() {
        before = media_until(&mut viewer, "away").await;
        // Who comes while the encoder is gone is let in, and has the last picture.
        let mut another = Viewer::join(&house, "my-room").await;
        assert!(!media_until(&mut another, "away").await.is_empty(), "{what}");
        late = Some(another);
    }
    tokio::time::sleep(away).await;

    let mut client = publish(&house, &key).await;
    send_clip(&mut client, 7).await;
    // The seam is marked, and then the new encoder's key frame comes.
    before.extend(media_until(&mut viewer, "discontinuity").await);
    let mut after = Vec::new();
    while after.len() < 80 {
        after.push(viewer.media().await.expect("the connection is kept"));
    }
    let (before, after) = (frames(&before), frames(&after));
    assert!(after[0].is_keyframe(), "{what}: the first thing is a picture that can be decoded");
    for kind in [TagKind::Audio, TagKind::Video] {
        let stamps: Vec<i64> =
            before.iter().chain(&after).filter(|tag| tag.kind == kind).map(|tag| tag.at.get()).collect();
        assert!(stamps.is_sorted(), "{what}, {kind:?}: {stamps:?}");
    }
    let gap = after[0].at - before.iter().map(|tag| tag.at).max().expect("media");
    assert!((1..=100).contains(&gap.get()), "{what}: viewers' time stands still meanwhile: {gap}");
    if let Some(late) = &mut late {
        while late.media().await.expect("the connection is kept").at < after[0].at {}
    }
}

#[tokio::test]
async fn an_encoder_that_comes_back_finds_its_viewers_and_the_rooms_time() {
    // It is the time itself that is tried, for all at once.
    let ways = [Leave::Clean, Leave::Dropped, Leave::Cut];
    let rooms = ways.into_iter().flat_map(|leave| [1, 10, 29].map(|away_s| (leave, away_s)));
    let rooms = rooms.map(|(leave, away_s)| goes_and_comes_back(leave, Duration::from_secs(away_s)));
    futures_util::future::join_all(rooms).await;
}

#[tokio::test]
async fn an_encoder_that_stays_away_ends_the_stream() {
    let house = House::open_with(|config| config.media.grace_s = 1).await;
    let key = house.make_room("my-room");
    let mut client = publish(&house, &key).await;
    send_clip(&mut client, 0).await;
    live(&house, "my-room").await;
    let mut viewer = Viewer::join(&house, "my-room").await;
    drop(client);
    media_until(&mut viewer, "away").await;
    while viewer.item().await.is_some() {}
    let answer = house.get("/live/my-room.flv").await;
    assert_eq!((answer.status, answer.json()["state"].as_str()), (503, Some("offline")));
}

#[tokio::test]
async fn a_ghost_is_taken_over_at_once_and_a_fight_is_told() {
    let house = House::open_with(|config| config.media.grace_s = 30).await;
    let key = house.make_room("my-room");
    let mut ghost = publish(&house, &key).await;
    send_clip(&mut ghost, 0).await;
    live(&house, "my-room").await;
    let mut viewer = Viewer::join(&house, "my-room").await;
    assert!(viewer.media().await.is_some());
    // Its network is cut: the server hears nothing, and does not know yet.
    let begun = Instant::now();
    let mut client = publish(&house, &key).await;
    send_clip(&mut client, 90_000).await;
    media_until(&mut viewer, "discontinuity").await;
    assert!(viewer.media().await.is_some());
    // Not when the ghost is found out, which takes ten.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let told = tokio::time::timeout(PATIENCE, ghost.status()).await.expect("in time").expect("reads").expect("a word");
    assert_eq!(told.code, "NetStream.Publish.BadName", "{told:?}");

    let slug = RoomSlug::parse("my-room").expect("a slug");
    let room = house.services.domain.room(&slug).await.expect("reads").expect("there").id;
    assert!(!house.services.live.status(room).fought_over);
    let _second = publish(&house, &key).await;
    let _third = publish(&house, &key).await;
    assert!(house.services.live.status(room).fought_over);
}
