//! A process that is killed loses nothing it has acknowledged. The test starts itself again as the process that dies.

use super::draft;
use madang_domain::{Domain, protocol::RoomSlug};
use std::{env, path::PathBuf, process::Command};

const DATA_DIR: &str = "MADANG_TEST_CRASH_DATA_DIR";

/// Only in the process that dies: prints each room that was acknowledged, then aborts in the midst of its work.
#[tokio::test]
async fn the_process_that_dies() {
    let Some(dir) = env::var_os(DATA_DIR) else { return };
    let domain = Domain::open(&PathBuf::from(dir)).expect("opens");
    for n in 0..20 {
        let (owner, cookie) = domain.guest().await.expect("a guest");
        let slug = format!("room-{n}");
        let (room, key) = domain.create_room(owner.id, draft(&slug)).await.expect("a room");
        println!("made {} {} {}", room.slug, key.expose(), cookie.as_str());
    }
    let busy = domain.clone();
    tokio::spawn(async move {
        while let Ok((owner, _)) = busy.guest().await {
            drop(busy.create_room(owner.id, draft("in-the-midst")).await);
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    std::process::abort();
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_crash() {
    let dir = tempfile::tempdir().expect("a folder");
    let dies = Command::new(env::current_exe().expect("a name"))
        .args(["--exact", "rooms::the_process_that_dies", "--nocapture"])
        .env(DATA_DIR, dir.path())
        .output()
        .expect("ran");
    assert!(!dies.status.success(), "it was to be killed");
    let said = String::from_utf8(dies.stdout).expect("text");
    let made: Vec<Vec<&str>> =
        said.lines().filter_map(|line| line.split_once("made ").map(|(_, rest)| rest.split(' ').collect())).collect();
    assert_eq!(made.len(), 20, "{said}");

    let domain = Domain::open(dir.path()).expect("opens after the crash");
    for one in made {
        let [slug, key, cookie] = one.as_slice() else { panic!("three words") };
        let slug = RoomSlug::parse(slug).expect("a slug");
        let room = domain.room(&slug).await.expect("read").expect("there");
        assert_eq!(domain.person_of(cookie).await.map(|person| person.id), Some(room.owner));
        let from = "192.0.2.1".parse().expect("an address");
        assert_eq!(domain.authorize_publish(key, from, "").await.expect("granted").room, room.id);
    }
}
