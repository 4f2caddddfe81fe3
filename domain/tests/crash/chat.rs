//! A process that is killed in the midst of talking loses nothing that a sender saw confirmed. The test starts itself again
//! as the process that dies.

use super::draft;
use madang_domain::{
    Chatter, Domain, DomainLimits,
    protocol::{
        RoomSlug,
        chat::{Seq, What},
        realtime::ServerEvent,
    },
};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

const DATA_DIR: &str = "MADANG_TEST_CHAT_CRASH_DATA_DIR";
/// Confirmations that are waited for before the process is killed.
const CONFIRMED: usize = 40;

fn slug() -> RoomSlug {
    RoomSlug::parse("talk").expect("a slug")
}

/// Only in the process that dies: says fifty messages a second, and prints each that is confirmed.
#[tokio::test]
async fn the_process_that_dies() {
    let Some(dir) = env::var_os(DATA_DIR) else { return };
    let mut limits = DomainLimits::default();
    limits.chat.burst = 100_000;
    limits.chat.guests_per_minute = u32::MAX;
    let domain = Domain::open_with(&PathBuf::from(dir), limits).expect("opens");
    let (owner, _) = domain.guest().await.expect("a guest");
    domain.create_room(owner.id, draft("talk")).await.expect("a room");
    let chatter = Chatter { person: Some(owner.id), browser: 0, address: "192.0.2.1".parse().expect("an address") };
    let outbox = domain.outbox();
    let (_, member) = domain.join_chat(&slug(), chatter, None, &outbox).await.expect("joined");
    tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_millis(20));
        for n in 0_u64.. {
            every.tick().await;
            member.say(&format!("message {n}"), &format!("id{n}"), None);
        }
    });
    loop {
        for frame in outbox.next().await.expect("open") {
            let events: Vec<ServerEvent> = serde_json::from_slice(&frame.array()).expect("events");
            for event in events {
                let ServerEvent::Entries { entries, .. } = event else { continue };
                for entry in entries {
                    let What::Say(said) = entry.what else { continue };
                    println!("kept {} {}", entry.seq.0, said.id);
                    std::io::stdout().flush().expect("written");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_was_confirmed_is_there_once_and_in_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dies = Command::new(env::current_exe().expect("a name"))
        .args(["--exact", "chat::the_process_that_dies", "--nocapture"])
        .env(DATA_DIR, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ran");
    let said = BufReader::new(dies.stdout.take().expect("piped"));
    let mut confirmed: Vec<(u64, String)> = Vec::new();
    for line in said.lines() {
        let Ok(line) = line else { break };
        let Some((_, kept)) = line.split_once("kept ") else { continue };
        let (seq, id) = kept.split_once(' ').expect("two words");
        confirmed.push((seq.parse().expect("a number"), id.to_owned()));
        if confirmed.len() == CONFIRMED {
            // Kill -9, while messages are on their way.
            dies.kill().expect("killed");
        }
    }
    dies.wait().expect("ended");
    assert!(confirmed.len() >= CONFIRMED);

    let domain = Domain::open(dir.path()).expect("opens after the crash");
    let chat = domain.chat_page(&slug(), None).await.expect("read");
    let mut stored = chat.entries;
    if chat.more {
        let (older, _) =
            domain.chat_history(&slug(), stored.first().map(|entry| entry.seq).unwrap_or(Seq(1))).await.expect("read");
        stored.splice(0..0, older);
    }
    let stored: Vec<(u64, String)> = stored
        .into_iter()
        .filter_map(|entry| match entry.what {
            What::Say(said) => Some((entry.seq.0, said.id)),
            _ => None,
        })
        .collect();
    assert_eq!(stored.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..).take(stored.len()).collect::<Vec<_>>());
    assert_eq!(stored.get(..confirmed.len()), Some(confirmed.as_slice()), "once and in order");
}
