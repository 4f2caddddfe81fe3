//! What every [`Store`] must do, whatever it stores in. `conformance!` makes the tests for one kind of store.

use super::{NewAccount, NewBroadcast, NewKey, Store};
use crate::{Error, PasswordDigest, PersonKind, Room, StreamKey, testing};
use madang_protocol::{
    Field, FieldIssue, KeyId, PersonId, Problem, RoomId, RoomSlug, UnixMillis, Visibility, studio::KeyUse,
};

/// One test for each rule, on a new store from `$make`, which gives the store and whatever must outlive it.
macro_rules! conformance {
    ($name:ident, $make:expr, [$($rule:ident),* $(,)?]) => {
        mod $name {
            $(
                #[test]
                fn $rule() {
                    let (mut store, _outlives) = $make;
                    super::$rule(&mut store);
                }
            )*
        }
    };
    ($name:ident, $make:expr) => {
        conformance!($name, $make, [
            persons_are_kept, a_login_is_unique, rooms_are_kept, a_slug_is_unique_whatever_its_case,
            a_room_needs_an_owner, together_keeps_all_or_nothing, an_inner_failure_undoes_only_itself,
            the_directory_is_in_order, stream_keys_are_found_by_hash, keys_are_revoked_once, a_key_rotates,
            old_revoked_keys_are_forgotten, a_removed_room_takes_everything_along, a_room_has_one_broadcast_at_a_time,
            broadcasts_left_open_end_where_they_were_seen, its_own_writes_are_not_others, a_backup_is_whole,
        ]);
    };
}

conformance!(in_memory, (crate::SqliteStore::in_memory().expect("opens"), ()));
conformance!(on_disk, {
    let dir = tempfile::tempdir().expect("a folder");
    (crate::SqliteStore::open(&dir.path().join("db")).expect("opens"), dir)
});

fn person(n: u64) -> PersonId {
    PersonId::from_random(n << 1)
}

fn room_id(n: u64) -> RoomId {
    RoomId::from_random(n << 1)
}

fn slug(text: &str) -> RoomSlug {
    RoomSlug::parse(text).expect("a slug")
}

/// Room `n`, `room-n`, of person `owner`, made at `n`.
fn room(n: u64, owner: u64) -> Room {
    Room::from_draft(
        room_id(n),
        person(owner),
        testing::draft(&format!("room-{n}")),
        UnixMillis(i64::try_from(n).expect("small")),
    )
}

fn key(n: u64, room: u64) -> NewKey {
    NewKey {
        id: KeyId::from_random(n << 1),
        room: room_id(room),
        name: format!("key {n}"),
        hash: StreamKey::generate().expect("random").hash(),
        created: UnixMillis(i64::try_from(n).expect("small")),
    }
}

fn broadcast(room: u64, started: i64) -> NewBroadcast {
    NewBroadcast { room: room_id(room), key: None, started: UnixMillis(started), encoder: "obs".into() }
}

/// Person 1 with room 1.
fn with_room(store: &mut dyn Store) -> Room {
    store.add_guest(person(1), "Ana", UnixMillis(1)).expect("kept");
    let room = room(1, 1);
    store.add_room(&room).expect("kept");
    room
}

fn taken(field: Field) -> Error {
    Error::Invalid(vec![FieldIssue::new(field, Problem::Taken)])
}

fn persons_are_kept(store: &mut dyn Store) {
    store.add_guest(person(1), "", UnixMillis(1)).expect("kept");
    let found = store.person(person(1)).expect("read").expect("there");
    assert_eq!((found.kind, found.name.as_str()), (PersonKind::Guest, ""));
    store.rename_person(person(1), "아나").expect("kept");
    assert_eq!(store.person(person(1)).expect("read").expect("there").name, "아나");
    assert_eq!(store.password(person(1)), Ok(None));
    assert_eq!(store.person(person(2)), Ok(None));
    assert_eq!(store.rename_person(person(2), "Bob"), Err(Error::NotFound));
}

fn a_login_is_unique(store: &mut dyn Store) {
    let digest = PasswordDigest::from_stored("$argon2id$x".into());
    let ana =
        NewAccount { id: person(1), login: "ana", name: "Ana", password: &digest, admin: true, at: UnixMillis(1) };
    store.add_account(&ana).expect("kept");
    let found = store.account("ana").expect("read").expect("there");
    assert_eq!(found.kind, PersonKind::Account { login: "ana".into(), admin: true });
    assert_eq!(store.person(person(1)), Ok(Some(found)));
    assert_eq!(store.password(person(1)), Ok(Some(digest.clone())));
    assert_eq!(store.add_account(&NewAccount { id: person(2), ..ana }), Err(taken(Field::Name)));
    assert_eq!(store.person(person(2)), Ok(None), "nothing of the refused account is left");
    assert_eq!(store.account("bob"), Ok(None));
}

fn rooms_are_kept(store: &mut dyn Store) {
    let made = with_room(store);
    assert_eq!(store.room(made.id), Ok(Some(Room { owner_name: "Ana".into(), ..made.clone() })));
    let mut draft = testing::draft("elsewhere");
    draft.tags = vec!["한국어".into(), "a \"quoted\" tag".into()];
    draft.visibility = Visibility::Unlisted;
    let changed = Room { owner_name: "Ana".into(), ..made.edited(draft) };
    store.change_room(&changed).expect("kept");
    assert_eq!(store.room_by_slug(&slug("elsewhere")), Ok(Some(changed.clone())));
    assert_eq!(store.room_by_slug(&slug("room-1")), Ok(None));
    assert_eq!(store.rooms_of(person(1)), Ok(vec![changed.clone()]));
    store.add_room(&room(2, 1)).expect("kept");
    let ids = |rooms: Vec<Room>| rooms.iter().map(|room| room.id).collect::<Vec<_>>();
    assert_eq!(ids(store.rooms().expect("read")), [room_id(1), room_id(2)]);
    assert_eq!(store.rooms_of(person(9)), Ok(vec![]));
    store.remove_room(changed.id).expect("removed");
    assert_eq!(store.room(changed.id), Ok(None));
    assert_eq!(store.remove_room(changed.id), Err(Error::NotFound));
    assert_eq!(store.change_room(&changed), Err(Error::NotFound));
}

fn a_slug_is_unique_whatever_its_case(store: &mut dyn Store) {
    with_room(store);
    let same = Room { slug: slug("ROOM-1"), ..room(2, 1) };
    assert_eq!(store.add_room(&same), Err(taken(Field::Slug)));
    store.add_room(&room(2, 1)).expect("kept");
    assert_eq!(store.change_room(&same), Err(taken(Field::Slug)));
    store.remove_room(room_id(1)).expect("removed");
    store.change_room(&same).expect("the slug is free again");
}

fn a_room_needs_an_owner(store: &mut dyn Store) {
    assert_eq!(store.add_room(&room(1, 7)), Err(Error::NotFound));
    assert_eq!(store.add_stream_key(&key(1, 1)).map(drop), Err(Error::NotFound));
    assert_eq!(store.start_broadcast(&broadcast(1, 1)), Err(Error::NotFound));
}

fn together_keeps_all_or_nothing(store: &mut dyn Store) {
    let refused = store.together(&mut |store| {
        store.add_guest(person(1), "Ana", UnixMillis(1))?;
        store.add_room(&room(1, 1))?;
        Err(Error::Forbidden)
    });
    assert_eq!(refused, Err(Error::Forbidden));
    assert_eq!((store.person(person(1)), store.room(room_id(1))), (Ok(None), Ok(None)));
    let kept = store.together(&mut |store| {
        store.add_guest(person(1), "Ana", UnixMillis(1))?;
        store.add_room(&room(1, 1))
    });
    assert_eq!(kept, Ok(()));
    assert!(store.room(room_id(1)).expect("read").is_some());
}

fn an_inner_failure_undoes_only_itself(store: &mut dyn Store) {
    let kept = store.together(&mut |store| {
        store.add_guest(person(1), "Ana", UnixMillis(1))?;
        let inner = store.together(&mut |store| {
            store.add_guest(person(2), "Bob", UnixMillis(1))?;
            store.together(&mut |store| store.add_guest(person(3), "Cem", UnixMillis(1)))?;
            store.add_guest(person(1), "Ana again", UnixMillis(1))
        });
        assert!(matches!(inner, Err(Error::Storage(_))), "{inner:?}");
        store.together(&mut |store| store.add_guest(person(4), "Dua", UnixMillis(1)))
    });
    assert_eq!(kept, Ok(()));
    let there = [1, 2, 3, 4].map(|n| store.person(person(n)).expect("read").is_some());
    assert_eq!(there, [true, false, false, true]);
}

fn the_directory_is_in_order(store: &mut dyn Store) {
    store.add_guest(person(1), "Ana", UnixMillis(1)).expect("kept");
    for n in 1..=7 {
        store.add_room(&room(n, 1)).expect("kept");
    }
    store.change_room(&Room { visibility: Visibility::Unlisted, ..room(7, 1) }).expect("kept");
    for (n, at) in [(2, 20), (3, 30)] {
        store.start_broadcast(&broadcast(n, at)).expect("kept");
        assert_eq!(store.end_broadcast(room_id(n), UnixMillis(at + 5)), Ok(true));
    }
    let shown = |store: &dyn Store, on_air: &[u64], limit| {
        let on_air: Vec<RoomId> = on_air.iter().map(|n| room_id(*n)).collect();
        let rooms = store.directory(&on_air, limit).expect("read");
        rooms.into_iter().map(|room| room.id).collect::<Vec<_>>()
    };
    let ids = |rooms: &[u64]| rooms.iter().map(|n| room_id(*n)).collect::<Vec<_>>();
    assert_eq!(shown(store, &[], 240), ids(&[3, 2, 6, 5, 4, 1]), "newest broadcast, then newest room");
    assert_eq!(shown(store, &[4, 1, 7, 99], 240), ids(&[4, 1, 3, 2, 6, 5]), "unlisted and unknown rooms are left out");
    assert_eq!(shown(store, &[4, 1], 3), ids(&[4, 1, 3]));
    assert_eq!(shown(store, &[4, 1], 1), ids(&[4]));
    let first = store.directory(&[], 1).expect("read").remove(0);
    assert_eq!((first.owner_name.as_str(), first.last_live), ("Ana", Some(UnixMillis(35))));
    assert_eq!((first.tags, first.visibility), (room(3, 1).tags, Visibility::Public));
}

fn stream_keys_are_found_by_hash(store: &mut dyn Store) {
    with_room(store);
    let kept = key(1, 1);
    let info = store.add_stream_key(&kept).expect("kept");
    let found = store.find_stream_key(&kept.hash).expect("read").expect("there");
    assert_eq!((found.id, found.room, found.slug.as_str(), found.revoked), (kept.id, room_id(1), "room-1", None));
    assert_eq!(found.hash, kept.hash);
    assert!(store.find_stream_key(&key(2, 1).hash).expect("read").is_none());
    assert_eq!(store.stream_key(room_id(1), kept.id), Ok(Some(info.clone())));
    assert_eq!(store.stream_key(room_id(2), kept.id), Ok(None), "another room's");
    let usage = KeyUse { at: UnixMillis(9), from: "2001:db8::1".into(), encoder: "obs 31".into() };
    store.stream_key_used(kept.id, &usage).expect("kept");
    let used = store.stream_keys(room_id(1)).expect("read");
    assert_eq!(used, [madang_protocol::studio::StreamKeyInfo { last_use: Some(usage.clone()), ..info }]);
    assert_eq!(store.stream_key_used(key(2, 1).id, &usage), Err(Error::NotFound));
}

fn keys_are_revoked_once(store: &mut dyn Store) {
    with_room(store);
    for n in 1..=4 {
        store.add_stream_key(&key(n, 1)).expect("kept");
    }
    let id = |n| key(n, 1).id;
    for (n, at) in [(1, 10), (3, 20), (1, 30)] {
        store.revoke_stream_key(room_id(1), id(n), UnixMillis(at)).expect("kept");
    }
    let keys = store.stream_keys(room_id(1)).expect("read");
    assert_eq!(keys.iter().map(|key| key.id).collect::<Vec<_>>(), [id(2), id(4), id(3), id(1)]);
    assert_eq!(keys[3].revoked, Some(UnixMillis(10)), "the first time counts");
    assert_eq!(store.revoke_stream_key(room_id(2), id(2), UnixMillis(1)), Err(Error::NotFound));
}

fn a_key_rotates(store: &mut dyn Store) {
    with_room(store);
    let (old, new) = (key(1, 1), key(2, 1));
    store.add_stream_key(&old).expect("kept");
    assert_eq!(store.rotate_stream_key(old.id, &new).expect("kept").id, new.id);
    let found =
        |store: &dyn Store, key: &NewKey| store.find_stream_key(&key.hash).expect("read").expect("there").revoked;
    assert_eq!((found(store, &old), found(store, &new)), (Some(UnixMillis(2)), None));
    assert_eq!(store.rotate_stream_key(old.id, &key(3, 1)), Err(Error::NotFound), "revoked already");
    assert_eq!(store.rotate_stream_key(new.id, &key(3, 2)), Err(Error::NotFound), "another room's");
    assert_eq!(store.stream_keys(room_id(1)).expect("read").len(), 2);
}

fn old_revoked_keys_are_forgotten(store: &mut dyn Store) {
    with_room(store);
    for n in 1..=5 {
        store.add_stream_key(&key(n, 1)).expect("kept");
    }
    for n in 1..=4 {
        store
            .revoke_stream_key(room_id(1), key(n, 1).id, UnixMillis(100 + i64::try_from(n).expect("small")))
            .expect("kept");
    }
    store.start_broadcast(&NewBroadcast { key: Some(key(1, 1).id), ..broadcast(1, 5) }).expect("kept");
    store.forget_revoked_keys(room_id(1), 2).expect("kept");
    let left: Vec<KeyId> = store.stream_keys(room_id(1)).expect("read").iter().map(|key| key.id).collect();
    assert_eq!(left, [5, 4, 3].map(|n| key(n, 1).id));
    assert_eq!(store.end_broadcast(room_id(1), UnixMillis(9)), Ok(true), "its broadcast is still there");
}

fn a_removed_room_takes_everything_along(store: &mut dyn Store) {
    with_room(store);
    let kept = key(1, 1);
    store.add_stream_key(&kept).expect("kept");
    store.start_broadcast(&broadcast(1, 5)).expect("kept");
    store.remove_room(room_id(1)).expect("removed");
    assert!(store.find_stream_key(&kept.hash).expect("read").is_none());
    assert_eq!(store.end_broadcast(room_id(1), UnixMillis(9)), Ok(false));
    assert_eq!(store.end_broadcasts_left_open(), Ok(vec![]));
    assert!(store.person(person(1)).expect("read").is_some(), "the owner stays");
}

fn a_room_has_one_broadcast_at_a_time(store: &mut dyn Store) {
    with_room(store);
    let last_live = |store: &dyn Store| store.room(room_id(1)).expect("read").expect("there").last_live;
    assert_eq!(last_live(store), None);
    store.start_broadcast(&broadcast(1, 5)).expect("kept");
    store.start_broadcast(&broadcast(1, 7)).expect("goes on");
    assert!(last_live(store) >= Some(UnixMillis(5)), "on the air once is not never");
    assert_eq!(store.end_broadcast(room_id(1), UnixMillis(9)), Ok(true));
    assert_eq!(store.end_broadcast(room_id(1), UnixMillis(20)), Ok(false), "there was one only");
    assert_eq!(last_live(store), Some(UnixMillis(9)));
    store.start_broadcast(&broadcast(1, 30)).expect("kept");
    assert_eq!(store.end_broadcast(room_id(1), UnixMillis(1)), Ok(true), "the clock went back");
    assert_eq!(last_live(store), Some(UnixMillis(30)));
}

fn broadcasts_left_open_end_where_they_were_seen(store: &mut dyn Store) {
    with_room(store);
    store.add_room(&room(2, 1)).expect("kept");
    store.add_room(&room(3, 1)).expect("kept");
    store.start_broadcast(&broadcast(1, 5)).expect("kept");
    store.broadcasts_seen(UnixMillis(50)).expect("kept");
    store.start_broadcast(&broadcast(2, 60)).expect("kept");
    let mut ended = store.end_broadcasts_left_open().expect("kept");
    ended.sort_unstable();
    assert_eq!(ended, [room_id(1), room_id(2)]);
    let last = [1, 2, 3].map(|n| store.room(room_id(n)).expect("read").expect("there").last_live);
    assert_eq!(last, [Some(UnixMillis(50)), Some(UnixMillis(60)), None]);
    assert_eq!(store.end_broadcasts_left_open(), Ok(vec![]));
}

fn its_own_writes_are_not_others(store: &mut dyn Store) {
    assert_eq!(store.changed_by_others(), Ok(false));
    with_room(store);
    assert_eq!(store.changed_by_others(), Ok(false));
}

fn a_backup_is_whole(store: &mut dyn Store) {
    with_room(store);
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("copy");
    store.backup(&path).expect("copied");
    let size = std::fs::metadata(&path).expect("a file").len();
    assert!(size > 0);
    assert!(matches!(store.backup(&path), Err(crate::BackupError::Exists { .. })));
    assert_eq!(std::fs::metadata(&path).expect("a file").len(), size, "not touched");
    assert!(matches!(store.backup(&dir.path().join("no/such")), Err(crate::BackupError::File { .. })));
}
