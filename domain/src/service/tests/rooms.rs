//! Rooms and the directory.

use crate::CutReason;
use crate::{
    Actor, DomainChange, DomainLimits, Error, Limit, OnAirStatus,
    testing::{Cut, House, draft, next, slug},
};
use madang_protocol::{Field, FieldIssue, KeyId, LiveState, PersonId, Problem, RoomDraft, UnixMillis, Visibility};
use std::collections::HashSet;

fn slug_taken() -> Error {
    Error::Invalid(vec![FieldIssue::new(Field::Slug, Problem::Taken)])
}

async fn listed(house: &House) -> Vec<String> {
    house.domain.directory().await.expect("read").into_iter().map(|card| card.slug.to_string()).collect()
}

#[tokio::test]
async fn a_room_is_made_read_edited_and_deleted() {
    let house = House::new();
    let domain = &house.domain;
    let mut changes = domain.changes();
    assert!(domain.slug_free(&slug("my-room")).await.expect("read"));
    let (owner, room, _) = house.room("my-room").await;
    assert_eq!(next(&mut changes).await, DomainChange::Room(room.id));
    assert!(!domain.slug_free(&slug("my-room")).await.expect("read"));
    assert_eq!(domain.room(&slug("my-room")).await, Ok(Some(room.clone())));
    assert_eq!(domain.person(owner.id).await.expect("read").expect("there").name, "Ana");

    let page = domain.room_page(&slug("my-room"), Some(owner.id)).await.expect("read").expect("there");
    assert!(page.mine && page.description == "Two\nlines" && page.card.live == LiveState::Never);
    let seen = domain.room_page(&slug("my-room"), None).await.expect("read").expect("there");
    assert!(!seen.mine);
    assert_eq!(domain.rooms_of(owner.id).await.expect("read"), [page.card]);

    let edit = RoomDraft { title: "Another".into(), ..draft("moved") };
    let edited = domain.edit_room(owner.id, &room.slug, edit).await.expect("edited");
    assert_eq!((edited.id, edited.title.as_str(), edited.created), (room.id, "Another", room.created));
    let moved = DomainChange::RoomMoved { id: room.id, from: slug("my-room"), to: slug("moved") };
    assert_eq!(next(&mut changes).await, moved);
    assert_eq!(next(&mut changes).await, DomainChange::Room(room.id));
    assert_eq!(domain.room(&slug("my-room")).await, Ok(None));

    domain.delete_room(owner.id, &slug("moved")).await.expect("deleted");
    assert_eq!(next(&mut changes).await, DomainChange::RoomDeleted { id: room.id, slug: slug("moved") });
    assert_eq!(house.air.cuts(), [Cut::Room(room.id, CutReason::RoomDeleted)]);
    assert_eq!(domain.card(room.id).await, Ok(None));
    assert_eq!(domain.delete_room(owner.id, &slug("moved")).await, Err(Error::NotFound));
}

#[tokio::test]
async fn a_stranger_is_refused_everywhere_and_the_operator_nowhere() {
    let house = House::new();
    let domain = &house.domain;
    let (owner, room, _) = house.room("my-room").await;
    let (stranger, _) = house.guest().await;
    let key = domain.keys(owner.id, &room.slug).await.expect("read").remove(0).id;
    let none = KeyId::from_random(2);
    for (who, at, answer) in [
        (Actor::from(&stranger), room.slug.clone(), Error::Forbidden),
        (Actor::from(PersonId::from_random(2)), room.slug.clone(), Error::Forbidden),
        (Actor::from(&owner), slug("nowhere"), Error::NotFound),
        (Actor::Operator, slug("nowhere"), Error::NotFound),
    ] {
        let answers = [
            domain.edit_room(who, &at, draft("stolen")).await.map(drop),
            domain.delete_room(who, &at).await,
            domain.studio(who, &at, None).await.map(drop),
            domain.keys(who, &at).await.map(drop),
            domain.create_key(who, &at, "mine").await.map(drop),
            domain.rotate_key(who, &at, key).await.map(drop),
            domain.rotate_key(who, &at, none).await.map(drop),
            domain.revoke_key(who, &at, key).await,
            domain.end_stream(who, &at).await,
        ];
        assert!(answers.iter().all(|given| *given == Err(answer.clone())), "{who:?} {answers:?}");
    }
    assert_eq!(domain.room(&room.slug).await, Ok(Some(room.clone())), "nothing was changed");
    assert_eq!(domain.keys(owner.id, &room.slug).await.expect("read").len(), 1);
    assert_eq!(house.air.cuts(), []);

    assert!(domain.studio(Actor::Operator, &room.slug, None).await.expect("allowed").0.mine);
    domain.create_key(Actor::Operator, &room.slug, "spare").await.expect("allowed");
    domain.revoke_key(Actor::Operator, &room.slug, key).await.expect("allowed");
    domain.end_stream(Actor::Operator, &room.slug).await.expect("allowed");
    domain.edit_room(Actor::Operator, &room.slug, draft("my-room")).await.expect("allowed");
    domain.delete_room(Actor::Operator, &room.slug).await.expect("allowed");
}

#[tokio::test]
async fn the_directory_shows_live_then_starting_then_newest_last_live() {
    let house = House::new();
    let mut rooms = Vec::new();
    for name in ["never", "quiet", "crowd", "starts", "ended", "ended-later"] {
        rooms.push(house.room(&format!("{name}-x")).await.1);
    }
    let [_, quiet, crowd, starts, ended, later] = rooms.as_slice() else { panic!("six rooms") };
    house.air.live(quiet.id, 5, 1);
    house.air.live(crowd.id, 6, 9);
    house.air.put(starts.id, OnAirStatus { starting: Some(UnixMillis(7)), ..OnAirStatus::default() });
    for (room, at) in [(ended, 10), (later, 20)] {
        house.domain.broadcast_started(room.id, UnixMillis(at)).await.expect("kept");
        house.domain.broadcast_ended(room.id, UnixMillis(at + 1)).await.expect("kept");
    }
    assert_eq!(listed(&house).await, ["crowd-x", "quiet-x", "starts-x", "ended-later-x", "ended-x", "never-x"]);
    let cards = house.domain.directory().await.expect("read");
    let states: Vec<LiveState> = cards.iter().map(|card| card.live).collect();
    let (at, none) = (UnixMillis, LiveState::Never);
    let (live, starting) = (|n| LiveState::Live { since: at(n) }, LiveState::Starting { since: at(7) });
    let offline = |n| LiveState::Offline { since: at(n) };
    assert_eq!(states, [live(6), live(5), starting, offline(21), offline(11), none]);
    assert_eq!(cards[0].watching, 9);
    assert_eq!(house.domain.card(crowd.id).await, Ok(Some(cards[0].clone())));
    house.air.off(crowd.id);
    assert_eq!(listed(&house).await[0], "quiet-x");
}

#[tokio::test]
async fn the_directory_is_bounded() {
    let house = House::with(DomainLimits { directory: 2, ..DomainLimits::default() });
    for name in ["one-x", "two-x", "three-x"] {
        house.room(name).await;
    }
    assert_eq!(listed(&house).await.len(), 2);
}

#[tokio::test]
async fn an_unlisted_room_is_for_those_who_know_it() {
    let house = House::new();
    let (owner, room, _) = house.room("secret-room").await;
    assert!(house.domain.directory_card(room.id).await.expect("read").is_some());
    let unlisted = RoomDraft { visibility: Visibility::Unlisted, ..draft("secret-room") };
    house.domain.edit_room(owner.id, &room.slug, unlisted).await.expect("edited");
    house.air.live(room.id, 1, 5);
    assert_eq!(listed(&house).await, Vec::<String>::new());
    assert_eq!(house.domain.directory_card(room.id).await, Ok(None));
    let page = house.domain.room_page(&room.slug, None).await.expect("read").expect("there");
    assert!(page.card.live.is_live() && page.visibility == Visibility::Unlisted);
    assert!(house.domain.card(room.id).await.expect("read").is_some());
}

#[tokio::test]
async fn a_taken_slug_is_refused_and_leaves_nothing() {
    let house = House::new();
    house.room("my-room").await;
    let (other, _) = house.guest().await;
    assert_eq!(house.domain.create_room(other.id, draft("MY-ROOM")).await.map(drop), Err(slug_taken()));
    assert_eq!(house.domain.rooms_of(other.id).await, Ok(vec![]));
    assert_eq!(house.number("SELECT count(*) FROM stream_keys"), 1);
    house.domain.create_room(other.id, draft("free-room")).await.expect("a room");
    let moved = house.domain.edit_room(other.id, &slug("free-room"), draft("my-room")).await;
    assert_eq!(moved, Err(slug_taken()));
    let refused = house.domain.create_room(PersonId::from_random(2), draft("my-room")).await;
    assert_eq!(refused.map(drop), Err(slug_taken()));
    assert_eq!(house.domain.person(PersonId::from_random(2)).await, Ok(None), "a refused visitor is not written down");
}

#[tokio::test]
async fn a_person_has_so_many_rooms() {
    let house = House::with(DomainLimits { rooms_per_person: 2, ..DomainLimits::default() });
    let (owner, _) = house.guest().await;
    for name in ["one-x", "two-x"] {
        house.domain.create_room(owner.id, draft(name)).await.expect("a room");
    }
    let third = || house.domain.create_room(owner.id, draft("three-x"));
    let limit = Error::LimitReached { limit: Limit::RoomsPerPerson, max: 2 };
    assert_eq!(third().await.map(drop), Err(limit));
    house.domain.delete_room(owner.id, &slug("one-x")).await.expect("deleted");
    third().await.expect("there is room again");
}

#[tokio::test]
async fn a_new_name_shows_in_all_rooms_of_the_person() {
    let house = House::new();
    let (owner, first, _) = house.room("one-x").await;
    let mut changes = house.domain.changes();
    let renamed = RoomDraft { owner_name: "Bea".into(), ..draft("two-x") };
    let (second, _) = house.domain.create_room(owner.id, renamed).await.expect("a room");
    assert_eq!(next(&mut changes).await, DomainChange::Room(first.id));
    assert_eq!(next(&mut changes).await, DomainChange::Room(second.id));
    assert_eq!(house.domain.card(first.id).await.expect("read").expect("there").owner, "Bea");
    house.domain.rename_person(owner.id, owner.id, " Cem ").await.expect("renamed");
    assert_eq!(house.domain.room(&second.slug).await.expect("read").expect("there").owner_name, "Cem");
    let (stranger, _) = house.guest().await;
    assert_eq!(house.domain.rename_person(stranger.id, owner.id, "Dua").await, Err(Error::Forbidden));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_rooms_at_once() {
    let house = House::new();
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let domain = house.domain.clone();
            tokio::spawn(async move {
                let (owner, _) = domain.guest().await?;
                let (room, key) = domain.create_room(owner.id, draft(&format!("room-{n}"))).await?;
                let (_, keys, _) = domain.studio(owner.id, &room.slug, None).await?;
                Ok::<_, Error>((room.id, key.hash().as_bytes().to_owned(), keys.len()))
            })
        })
        .collect();
    let (mut ids, mut hashes) = (HashSet::new(), HashSet::new());
    for task in tasks {
        let (id, hash, keys) = task.await.expect("no panic").expect("a room");
        assert!(ids.insert(id) && hashes.insert(hash) && keys == 1);
    }
    assert_eq!(house.domain.rooms().await.expect("read").len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_want_one_slug_one_has_it() {
    let house = House::new();
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let domain = house.domain.clone();
            tokio::spawn(async move {
                let (owner, _) = domain.guest().await?;
                domain.create_room(owner.id, draft("wanted")).await.map(drop)
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.expect("no panic") {
            Ok(()) => made += 1,
            Err(error) => assert_eq!(error, slug_taken()),
        }
    }
    assert_eq!(made, 1);
}
