//! Group commit: what one write does to the others, and what a panic does to none.

use super::*;
use crate::SqliteStore;
use madang_protocol::{PersonId, UnixMillis};
use std::sync::{Barrier, mpsc};

fn person(n: u64) -> PersonId {
    PersonId::from_random(n << 1)
}

/// A desk on one file, and the folder it is in.
fn desk() -> (Desk, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("db");
    let writer = Box::new(SqliteStore::open(&path).expect("opens"));
    let readers: Vec<Box<dyn Store>> = vec![Box::new(SqliteStore::open_reader(&path).expect("opens"))];
    (Desk::start(writer, readers, 64, 64, |_| {}).expect("threads"), dir)
}

fn add(n: u64) -> impl FnOnce(&mut dyn Store) -> Result<(), Error> + Send + 'static {
    move |store| store.add_guest(person(n), "Ana", UnixMillis(1))
}

async fn is_there(desk: &Desk, n: u64) -> bool {
    desk.read::<_, Error>(move |store| Ok(store.person(person(n))?.is_some())).await.expect("read")
}

#[tokio::test]
async fn one_that_fails_in_a_group_fails_alone() {
    let (desk, _dir) = desk();
    let gate = Arc::new(Barrier::new(2));
    let held = Arc::clone(&gate);
    // The writer stands in this one until the others wait behind it, so that they are one group.
    desk.post(
        move |_| {
            held.wait();
            Ok(())
        },
        |_| {},
    )
    .expect("posted");
    let (told, answers) = mpsc::channel();
    for n in 1..=3 {
        let told = told.clone();
        let work = move |store: &mut dyn Store| {
            add(n)(store)?;
            match n {
                1 => Err(Error::Forbidden),
                2 => panic!("a bug"),
                _ => Ok(()),
            }
        };
        desk.post(work, move |answer| told.send((n, answer)).expect("heard")).expect("posted");
    }
    gate.wait();
    desk.write(add(4), |()| {}).await.expect("written");
    let answers: Vec<_> = answers.try_iter().collect();
    let broken = Err(Error::Storage(StorageFault::Stopped));
    assert_eq!(answers, [(1, Err(Error::Forbidden)), (2, broken), (3, Ok(()))]);
    let there = [is_there(&desk, 1).await, is_there(&desk, 2).await, is_there(&desk, 3).await];
    assert_eq!(there, [false, false, true]);
}

#[tokio::test]
async fn what_is_told_after_a_write_is_in_the_database_already() {
    let (desk, dir) = desk();
    let path = dir.path().join("db");
    let (told, seen) = mpsc::channel();
    let after = move |(): &()| {
        let other = SqliteStore::open_reader(&path).expect("opens");
        told.send(other.person(person(1)).expect("read").is_some()).expect("heard");
    };
    desk.write(add(1), after).await.expect("written");
    assert_eq!(seen.try_recv(), Ok(true));
}

#[tokio::test]
async fn a_panic_in_a_listener_or_a_read_ends_nothing() {
    let (desk, _dir) = desk();
    let answer = desk.write(add(1), |()| panic!("a bug")).await;
    assert_eq!(answer, Err(Error::Storage(StorageFault::Stopped)));
    let read = desk.read::<(), Error>(|_| panic!("a bug")).await;
    assert_eq!(read, Err(Error::Storage(StorageFault::Stopped)));
    desk.write(add(2), |()| {}).await.expect("written");
    assert!(is_there(&desk, 1).await && is_there(&desk, 2).await);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let (_desk, dir) = desk();
    let mut reader = SqliteStore::open_reader(&dir.path().join("db")).expect("opens");
    assert!(reader.add_guest(person(1), "Ana", UnixMillis(1)).is_err());
}
