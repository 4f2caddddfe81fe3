//! Stream keys through their life.

use crate::{
    CutReason, DomainChange, DomainLimits, Error, Limit, PublishRefusal,
    testing::{Cut, House, next, slug},
};
use madang_protocol::{Field, FieldIssue, KeyId, Problem, studio::KeyUse};
use std::net::{IpAddr, Ipv4Addr};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn a_key_is_made_used_rotated_and_revoked() {
    let house = House::new();
    let domain = &house.domain;
    let (owner, room, first) = house.room("my-room").await;
    let keys = || async { domain.keys(owner.id, &room.slug).await.expect("read") };
    assert_eq!(keys().await[0].name, "default");

    let grant = domain.authorize_publish(first.expose(), HERE, "obs-output 31\u{7}").await.expect("granted");
    assert_eq!((grant.room, &grant.slug, grant.key), (room.id, &room.slug, keys().await[0].id));
    let Some(KeyUse { at, from, encoder }) = keys().await[0].last_use.clone() else { panic!("never used") };
    assert!(at >= room.created);
    assert_eq!((from.as_str(), encoder.as_str()), ("127.0.0.1", "obs-output 31"));
    assert_eq!(domain.key_stands(grant.room, grant.key, None).await, Ok(true));

    let mut changes = domain.changes();
    let (info, second) = domain.rotate_key(owner.id, &room.slug, grant.key).await.expect("rotated");
    assert_eq!((info.name.as_str(), info.last_use, info.revoked), ("default", None, None));
    assert_eq!(next(&mut changes).await, DomainChange::Room(room.id));
    assert_eq!(house.air.cuts(), [Cut::Key(grant.key, CutReason::KeyRevoked)]);
    assert_eq!(
        domain.key_stands(grant.room, grant.key, None).await,
        Ok(false),
        "a publisher that came between is told too"
    );
    let revoked = keys().await[1].revoked.expect("revoked");
    let refused = domain.authorize_publish(first.expose(), HERE, "").await;
    assert_eq!(refused, Err(PublishRefusal::Revoked { at: revoked, room: room.id }));
    assert_eq!(domain.rotate_key(owner.id, &room.slug, grant.key).await.map(drop), Err(Error::NotFound));

    let grant = domain.authorize_publish(second.expose(), HERE, "").await.expect("granted");
    for _ in 0..2 {
        domain.revoke_key(owner.id, &room.slug, grant.key).await.expect("revoked, and again");
    }
    let refused = domain.authorize_publish(second.expose(), HERE, "").await;
    assert!(matches!(refused, Err(PublishRefusal::Revoked { .. })));
    assert_eq!(house.air.cuts()[1], Cut::Key(grant.key, CutReason::KeyRevoked));
}

#[tokio::test]
async fn a_room_has_several_keys_by_name() {
    let house = House::with(DomainLimits { keys_per_room: 3, ..DomainLimits::default() });
    let domain = &house.domain;
    let (owner, room, first) = house.room("my-room").await;
    let (laptop, second) = domain.create_key(owner.id, &room.slug, "  Laptop ").await.expect("a key");
    assert_eq!(laptop.name, "Laptop");
    for key in [&first, &second] {
        assert_eq!(domain.authorize_publish(key.expose(), HERE, "").await.expect("granted").room, room.id);
    }
    let issue = |problem| Err(Error::Invalid(vec![FieldIssue::new(Field::KeyName, problem)]));
    let make = |name: &'static str| async { domain.create_key(owner.id, &room.slug, name).await.map(drop) };
    assert_eq!(make("laptop").await, issue(Problem::Taken));
    assert_eq!(make(" ").await, issue(Problem::Empty));
    assert_eq!(make("studio").await, Ok(()));
    assert_eq!(make("fourth").await, Err(Error::LimitReached { limit: Limit::KeysPerRoom, max: 3 }));
    domain.revoke_key(owner.id, &room.slug, laptop.id).await.expect("revoked");
    assert_eq!(make("laptop").await, Ok(()), "the name and the place are free again");
}

#[tokio::test]
async fn another_room_s_key_cannot_be_touched_through_one_s_own() {
    let house = House::new();
    let (owner, room, key) = house.room("my-room").await;
    let (thief, _, _) = house.room("their-room").await;
    let id = house.domain.keys(owner.id, &room.slug).await.expect("read")[0].id;
    let theirs = slug("their-room");
    assert_eq!(house.domain.revoke_key(thief.id, &theirs, id).await, Err(Error::NotFound));
    assert_eq!(house.domain.rotate_key(thief.id, &theirs, id).await.map(drop), Err(Error::NotFound));
    assert_eq!(house.domain.revoke_key(owner.id, &room.slug, KeyId::from_random(2)).await, Err(Error::NotFound));
    assert!(house.domain.authorize_publish(key.expose(), HERE, "").await.is_ok());
    assert_eq!(house.air.cuts(), []);
}

#[tokio::test]
async fn many_rotations_do_not_fill_the_room() {
    let house = House::with(DomainLimits { revoked_keys_per_room: 3, keys_per_room: 1, ..DomainLimits::default() });
    let (owner, room, first) = house.room("my-room").await;
    for _ in 0..8 {
        let id = house.domain.keys(owner.id, &room.slug).await.expect("read")[0].id;
        house.domain.rotate_key(owner.id, &room.slug, id).await.expect("rotated");
    }
    assert_eq!(house.domain.keys(owner.id, &room.slug).await.expect("read").len(), 4);
    let refused = house.domain.authorize_publish(first.expose(), HERE, "").await;
    assert_eq!(refused, Err(PublishRefusal::UnknownKey), "forgotten, and still refused");
}

#[tokio::test]
async fn no_file_has_a_key_or_a_password() {
    let house = House::new();
    let (owner, room, first) = house.room("my-room").await;
    let (info, second) = house.domain.create_key(owner.id, &room.slug, "laptop").await.expect("a key");
    let (_, third) = house.domain.rotate_key(owner.id, &room.slug, info.id).await.expect("rotated");
    for key in [&first, &third] {
        house.domain.authorize_publish(key.expose(), HERE, "obs-output 31").await.expect("granted");
    }
    house.domain.create_account("ana", "correct horse battery", false).await.expect("an account");
    assert!(house.files_have("obs-output 31"), "the search finds what is there");
    for secret in [first.expose(), second.expose(), third.expose(), "correct horse battery"] {
        assert!(!house.files_have(secret));
        assert!(!house.files_have(secret.trim_start_matches("sk_")));
    }
}
