//! What every [`EntranceStore`](super::EntranceStore) must do.

use super::{EntranceStore as _, NewLink, RoomPassword};
use crate::{Error, PasswordDigest, Room, SqliteStore, store::Store, testing, token::Token};
use madang_protocol::{LinkId, PasswordId, PersonId, RoomId, UnixMillis};

fn room_id(n: u64) -> RoomId {
    RoomId::from_random(n << 1)
}

fn link_id(n: u64) -> LinkId {
    LinkId::from_random(n << 1)
}

/// Two rooms of one guest.
fn store() -> SqliteStore {
    let mut store = SqliteStore::in_memory().expect("opens");
    let owner = PersonId::from_random(2);
    store.add_guest(owner, "Ana", UnixMillis(1)).expect("kept");
    for n in [1, 2] {
        let draft = testing::draft(&format!("room-{n}"));
        store.add_room(&Room::from_draft(room_id(n), owner, draft, UnixMillis(1))).expect("kept");
    }
    store
}

/// Link `n` of room 1, made at `n`.
fn link(n: u64, ends: i64, uses: Option<u32>) -> (NewLink, Token) {
    let code = Token::generate().expect("random");
    let created = UnixMillis(i64::try_from(n).expect("small"));
    let (hash, name) = (code.hash(), format!("link {n}"));
    (NewLink { id: link_id(n), room: room_id(1), name, hash, created, ends: UnixMillis(ends), uses }, code)
}

#[test]
fn a_room_has_one_password() {
    let mut store = store();
    let password = |n: u64| RoomPassword {
        id: PasswordId::from_random(n << 1),
        digest: PasswordDigest::from_stored(format!("$argon2id${n}")),
        since: UnixMillis(5),
    };
    assert_eq!(store.room_password(room_id(1)), Ok(None));
    for n in [1, 2] {
        store.set_room_password(room_id(1), &password(n)).expect("kept");
        assert_eq!(store.room_password(room_id(1)), Ok(Some(password(n))));
    }
    assert_eq!(store.room_password(room_id(2)), Ok(None));
    assert_eq!(store.set_room_password(room_id(9), &password(1)), Err(Error::NotFound));
    store.remove_room(room_id(1)).expect("removed");
    assert_eq!(store.room_password(room_id(1)), Ok(None));
}

#[test]
fn a_link_is_found_by_its_code_in_its_room_only_and_counts() {
    let mut store = store();
    let (bounded, code) = link(1, 100, Some(2));
    store.add_room_link(&bounded).expect("kept");
    let (free, _) = link(2, 100, None);
    store.add_room_link(&free).expect("kept");
    assert_eq!(store.add_room_link(&NewLink { room: room_id(9), ..link(3, 100, None).0 }), Err(Error::NotFound));
    let found = store.find_room_link(room_id(1), &code.hash()).expect("read").expect("there");
    assert_eq!((found.id, found.name.as_str(), found.used, found.uses), (link_id(1), "link 1", 0, Some(2)));
    assert_eq!(store.find_room_link(room_id(2), &code.hash()), Ok(None), "another room's");
    assert_eq!(store.room_link(room_id(2), link_id(1)), Ok(None), "another room's");
    let mut used = |link, now| store.use_room_link(room_id(1), link, UnixMillis(now));
    assert_eq!([used(link_id(1), 9), used(link_id(1), 99), used(link_id(1), 99)], [Ok(true), Ok(true), Ok(false)]);
    assert_eq!([used(link_id(2), 99), used(link_id(2), 100), used(link_id(7), 9)], [Ok(true), Ok(false), Ok(false)]);
    assert_eq!(store.use_room_link(room_id(2), link_id(2), UnixMillis(9)), Ok(false));
    let links = store.room_links(room_id(1)).expect("read");
    assert_eq!(links.iter().map(|link| (link.id, link.used)).collect::<Vec<_>>(), [(link_id(2), 1), (link_id(1), 2)]);
}

#[test]
fn a_link_is_revoked_once_and_those_that_are_over_are_forgotten() {
    let mut store = store();
    for n in 1..=5 {
        // The third and the fifth go on.
        store.add_room_link(&link(n, if n == 3 || n == 5 { 1000 } else { 50 }, None).0).expect("kept");
    }
    for at in [20, 30] {
        store.revoke_room_link(room_id(1), link_id(3), UnixMillis(at)).expect("kept");
    }
    assert_eq!(store.room_link(room_id(1), link_id(3)).expect("read").expect("there").revoked, Some(UnixMillis(20)));
    assert_eq!(store.use_room_link(room_id(1), link_id(3), UnixMillis(25)), Ok(false));
    assert_eq!(store.revoke_room_link(room_id(2), link_id(5), UnixMillis(1)), Err(Error::NotFound));
    store.forget_room_links(room_id(1), UnixMillis(60), 2).expect("kept");
    let left: Vec<_> = store.room_links(room_id(1)).expect("read").iter().map(|link| link.id).collect();
    assert_eq!(left, [5, 4, 3].map(link_id));
    store.remove_room(room_id(1)).expect("removed");
    assert_eq!(store.room_links(room_id(1)), Ok(vec![]));
}
