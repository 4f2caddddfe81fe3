//! Several processes on one directory, restarts, backups, and the end of the threads.

use crate::{
    Actor, BackupError, Domain, DomainChange, Error, OnAir, OpenError, Shown,
    testing::{House, RecordingOnAir, draft, next, slug},
};
use madang_protocol::{LiveState, UnixMillis};
use std::{fs, sync::Arc, time::Duration};
use tokio::{sync::broadcast::error::TryRecvError, time::sleep};

#[tokio::test]
async fn the_command_line_works_beside_the_server_and_is_noticed() {
    let house = House::new();
    house.room("before").await;
    let mut changes = house.domain.changes();
    let line = Domain::open(house.dir.path()).expect("opens beside");
    let owner = line.person_named("Operator").await.expect("a guest");
    let (room, key) = line.create_room(owner.id, draft("made-outside")).await.expect("a room");
    assert_eq!(next(&mut changes).await, DomainChange::Anything);
    assert!(house.domain.room(&room.slug).await.expect("read").is_some());
    let here = "127.0.0.1".parse().expect("an address");
    assert!(house.domain.authorize_publish(key.expose(), here, "").await.is_ok());
    line.delete_room(Actor::Operator, &room.slug).await.expect("deleted");
    drop(line);
    assert_eq!(house.domain.room(&room.slug).await, Ok(None));
}

#[tokio::test]
async fn its_own_writes_are_told_once_and_precisely() {
    let house = House::new();
    let mut changes = house.domain.changes();
    let (_, room, _) = house.room("my-room").await;
    assert_eq!(next(&mut changes).await, DomainChange::Room(room.id));
    sleep(crate::desk::TICK * 3).await;
    assert_eq!(changes.try_recv(), Err(TryRecvError::Empty));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_at_once() {
    let house = House::new();
    let other = Domain::open(house.dir.path()).expect("opens beside");
    let make = |domain: Domain, name: &'static str| {
        tokio::spawn(async move {
            for n in 0..15 {
                let owner = domain.create_guest("Ana").await?;
                domain.create_room(owner.id, draft(&format!("{name}-{n}"))).await?;
            }
            Ok::<_, Error>(())
        })
    };
    let (one, two) = (make(house.domain.clone(), "server"), make(other, "line"));
    one.await.expect("no panic").expect("made");
    two.await.expect("no panic").expect("made");
    assert_eq!(house.domain.rooms().await.expect("read").len(), 30);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let house = House::new();
    let (owner, room, key) = house.room("my-room").await;
    let (guest, cookie) = house.guest().await;
    let House { domain, dir, air } = house;
    drop((domain, air));
    let again = Domain::open(dir.path()).expect("opens");
    assert_eq!(again.room(&room.slug).await, Ok(Some(room.clone())));
    assert_eq!(again.person_of(cookie.as_str()).await, Some(guest));
    assert!(again.room_page(&room.slug, &Shown::person(Some(owner.id))).await.expect("there").0.mine);
    let grant = again.authorize_publish(key.expose(), "::1".parse().expect("an address"), "").await;
    assert_eq!(grant.expect("granted").room, room.id);
}

#[tokio::test]
async fn a_broadcast_that_a_crash_left_open_is_closed_by_the_next_server_only() {
    let house = House::new();
    let (_, room, _) = house.room("my-room").await;
    house.domain.broadcast_started(room.id, UnixMillis(5)).await.expect("kept");
    let open = "SELECT count(*) FROM broadcasts WHERE ended IS NULL";

    let second = Domain::open(house.dir.path()).expect("opens beside");
    second.set_on_air(Arc::new(RecordingOnAir::default()));
    second.create_guest("Ana").await.expect("written after whatever it did");
    assert_eq!(house.number(open), 1, "the first server still runs");
    drop(second);

    let House { domain, dir, air } = house;
    drop((domain, air));
    let third = Domain::open(dir.path()).expect("opens");
    third.create_guest("Ana").await.expect("written");
    assert_eq!(third.room(&room.slug).await.expect("read").expect("there").last_live, Some(UnixMillis(5)));
    let air: Arc<dyn OnAir> = Arc::new(RecordingOnAir::default());
    let mut changes = third.changes();
    third.set_on_air(air);
    assert_eq!(next(&mut changes).await, DomainChange::Room(room.id));
    let house = House { domain: third, dir, air: Arc::default() };
    assert_eq!(house.number(open), 0);
    let card = house.domain.card(room.id).await.expect("read").expect("there");
    assert_eq!(card.live, LiveState::Offline { since: UnixMillis(5) });
}

#[tokio::test]
async fn the_threads_end_with_the_last_clone_and_what_waits_is_done() {
    let house = House::new();
    let (owner, _) = house.guest().await;
    let shared = Arc::downgrade(&house.domain.0.shared);
    let domain = house.domain.clone();
    // Another process holds the database, so that the room is in the queue when it is given up.
    let other = rusqlite::Connection::open(house.dir.path().join("madang.sqlite3")).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let making = domain.create_room(owner.id, draft("given-up"));
    assert!(tokio::time::timeout(Duration::from_millis(20), making).await.is_err());
    other.execute_batch("ROLLBACK").expect("unlocked");
    let House { domain: last, dir, air } = house;
    drop((domain, air, last));
    assert!(shared.upgrade().is_none(), "a thread still holds what it shares");
    let again = Domain::open(dir.path()).expect("opens");
    assert!(again.room(&slug("given-up")).await.expect("read").is_some());
}

#[tokio::test]
async fn a_backup_beside_a_busy_server_opens_as_it_was() {
    let house = House::new();
    let (_, room, _) = house.room("my-room").await;
    let target = tempfile::tempdir().expect("a folder");
    let path = target.path().join("madang.sqlite3");
    let writing = async {
        for n in 0..30 {
            house.room(&format!("busy-{n}")).await;
        }
    };
    let (done, ()) = tokio::join!(house.domain.backup(&path), writing);
    done.expect("copied");
    assert!(matches!(house.domain.backup(&path).await, Err(BackupError::Exists { .. })));
    let copy = Domain::open(target.path()).expect("opens");
    assert_eq!(copy.room(&room.slug).await, Ok(Some(room)));
    copy.ready().await.expect("answers");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let above = tempfile::tempdir().expect("a folder");
    let dir = above.path().join("data/madang");
    let domain = Domain::open(&dir).expect("opens");
    domain.set_on_air(Arc::new(RecordingOnAir::default()));
    domain.guest().await.expect("a guest");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for file in ["madang.sqlite3", "madang.sqlite3-wal", "madang.sqlite3-shm", "cookie.key"] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
}

#[test]
fn what_cannot_be_opened_is_a_sentence() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    fs::write(&file, "not a folder").expect("written");
    let Err(error) = Domain::open(&file) else { panic!("a file was opened as a folder") };
    assert!(matches!(error, OpenError::Directory { .. }) && error.to_string().contains("--data"), "{error}");
    fs::write(
        dir.path().join("madang.sqlite3"),
        "this is no database, and it is long enough to be looked at".repeat(99),
    )
    .expect("written");
    let Err(error) = Domain::open(dir.path()) else { panic!("a text was opened as a database") };
    assert!(matches!(error, OpenError::Database { .. }), "{error}");
}
