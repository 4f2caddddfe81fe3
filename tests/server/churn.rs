//! A thousand clients who join, leave and vanish at random: the counts end exact, and nothing is left over.
//!
//! The server is a process of its own, so that its metrics count nobody else. Each client visits a few times;
//! `MADANG_CHURN_SECONDS=120` lets them go on for that long instead.

use crate::{
    house::{PATIENCE, Socket, request},
    program::{Program, make_room},
};
use madang_domain::Domain;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const CLIENTS: usize = 1_000;
const VISITS: usize = 2;
const ROOM: &str = "my-room";
const OTHER: &str = "other-room";
/// A peer that says nothing for so long is gone: `ws_ping_s` and `ws_pong_s` together, and the time that a busy machine takes.
const FOUND_WITHIN: Duration = Duration::from_secs(6);
const SETTINGS: [(&str, &str); 6] = [
    ("MADANG_LIMITS_CHAT_PER_MINUTE_PER_ADDRESS", "0"),
    ("MADANG_LIMITS_WS_CONNECTIONS_PER_ADDRESS", "0"),
    ("MADANG_LIMITS_HTTP_CONNECTIONS_PER_ADDRESS", "0"),
    ("MADANG_LIMITS_WS_PING_S", "2"),
    ("MADANG_LIMITS_WS_PONG_S", "2"),
    ("MADANG_CHAT_IDLE_S", "1"),
];

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn time(&mut self, least_ms: u64, most_ms: usize) -> Duration {
        Duration::from_millis(least_ms + self.roll(most_ms) as u64)
    }
}

/// What came of the visits, by how they ended.
#[derive(Default)]
struct Tally {
    visits: AtomicUsize,
    ends: [AtomicUsize; 4],
}

/// How long clients go on.
#[derive(Clone, Copy)]
enum Until {
    Visits(usize),
    Time(Instant),
}

impl Until {
    fn is_over(self, visits: usize) -> bool {
        match self {
            Self::Visits(most) => visits >= most,
            Self::Time(end) => Instant::now() >= end,
        }
    }
}

/// One client: visits the room again and again. Gives the socket when its last visit has no end.
async fn client(server: SocketAddr, cookie: String, mut dice: Dice, until: Until, tally: Arc<Tally>) -> Option<Socket> {
    let mut visits = 0;
    loop {
        tokio::time::sleep(dice.time(0, 2_000)).await;
        let mut socket = Socket::open(server, Some(&cookie)).await;
        if dice.roll(4) == 0 {
            socket.say(&json!({"type": "join_directory"}).to_string()).await;
        }
        socket.join(ROOM).await;
        match dice.roll(6) {
            0 => drop(socket.join(OTHER).await),
            1 => {
                socket.say(&json!({"type": "leave", "room": ROOM}).to_string()).await;
                socket.join(ROOM).await;
            }
            2 => socket.chat(ROOM, "hello", &format!("v{visits}")).await,
            _ => {}
        }
        socket.stay(dice.time(100, 2_000)).await;
        visits += 1;
        tally.visits.fetch_add(1, Ordering::Relaxed);
        let last = until.is_over(visits);
        if last && dice.roll(2) == 0 {
            return Some(socket);
        }
        let end = dice.roll(4);
        tally.ends[end].fetch_add(1, Ordering::Relaxed);
        match end {
            0 => {
                socket.say(&json!({"type": "leave", "room": ROOM}).to_string()).await;
                socket.goodbye().await;
            }
            1 => socket.goodbye().await,
            // The connection breaks without a word.
            2 => drop(socket),
            // A network that is lost: the connection stands, and nobody answers any more.
            _ => {
                tokio::time::sleep(FOUND_WITHIN).await;
                drop(socket);
            }
        }
        if last {
            return None;
        }
    }
}

/// The gauges that must be again what they were.
async fn gauges(server: SocketAddr) -> BTreeMap<String, f64> {
    let text = request(server, "GET", "/metrics", &[], "").await.body;
    let gauge = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        let kept =
            ["madang_ws_", "madang_chat_", "madang_hub_", "madang_tasks"].iter().any(|own| name.starts_with(own));
        (kept && !name.ends_with("_total")).then(|| Some((name.to_owned(), value.parse().ok()?)))?
    };
    text.lines().filter_map(gauge).collect()
}

/// Asks until the gauges, and the files that the process holds, are what they were.
async fn expect_as_before(program: &Program, before: &BTreeMap<String, f64>, files: Option<usize>) {
    let begun = Instant::now();
    loop {
        let (now, now_files) = (gauges(program.http).await, program.open_files());
        // What was about to be closed when they were counted may be among those of before.
        if &now == before && now_files <= files {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "left over: {now:#?}, {now_files:?} files; before {before:#?}, {files:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn chatting(count: usize) -> impl Fn(&Value) -> bool {
    move |event| event["type"] == "counts" && event["room"] == ROOM && event["chatting"] == count
}

#[tokio::test]
async fn a_thousand_come_and_go_and_nothing_is_left() {
    let data = tempfile::TempDir::new().expect("a data directory");
    make_room(data.path(), ROOM);
    make_room(data.path(), OTHER);
    let program = Program::start(data.path(), &SETTINGS);
    let server = program.http;
    // Everything that a first visit makes for good is made.
    let mut first = Socket::open(server, None).await;
    first.join(ROOM).await;
    first.goodbye().await;
    let quiet = |gauges: &BTreeMap<String, f64>| gauges.get("madang_chat_rooms") == Some(&0.0);
    let begun = Instant::now();
    let before = loop {
        let now = gauges(server).await;
        if quiet(&now) {
            break now;
        }
        assert!(begun.elapsed() < PATIENCE, "{now:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let (files, memory) = (program.open_files(), program.resident_kb());
    assert_eq!(before.get("madang_ws_connections"), Some(&0.0), "{before:#?}");

    // Cookies as pages give them, without the pages. Each fifth client is another tab of the browser before it.
    let domain = Domain::open(data.path()).expect("the same data");
    let visitor = || format!("madang_person={}", domain.new_visitor().expect("randomness").1.as_str());
    let mut cookies: Vec<String> = Vec::new();
    for n in 0..CLIENTS {
        cookies.push(if n % 5 == 4 { cookies[n - 1].clone() } else { visitor() });
    }
    let mut watcher = Socket::open(server, None).await;
    watcher.join(ROOM).await;
    let seconds = std::env::var("MADANG_CHURN_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let begun = Instant::now();
    let until = seconds.map_or(Until::Visits(VISITS), |seconds| Until::Time(begun + Duration::from_secs(seconds)));
    let tally = Arc::new(Tally::default());
    let mut clients = JoinSet::new();
    for (n, cookie) in cookies.into_iter().enumerate() {
        let tally = Arc::clone(&tally);
        clients.spawn(async move { (client(server, cookie.clone(), Dice(n as u64), until, tally).await, cookie) });
    }
    let mut here = Vec::new();
    let mut people = HashSet::new();
    // Whoever stays goes on reading meanwhile, as does the one who watches.
    let mut staying = JoinSet::new();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let reads_on = |mut socket: Socket| {
        let mut stopped = stopped.clone();
        async move {
            tokio::select! {
                () = socket.stay(PATIENCE * 10) => {}
                _ = stopped.changed() => {}
            }
            socket
        }
    };
    let watching = tokio::spawn(reads_on(watcher));
    while let Some(ended) = clients.join_next().await {
        let (socket, cookie) = ended.expect("no client fails");
        if let Some(socket) = socket {
            people.insert(cookie);
            staying.spawn(reads_on(socket));
        }
    }
    let took = begun.elapsed();
    // A new look: what was told before is gone by.
    let mut watcher_again = Socket::open(server, None).await;
    watcher_again.join(ROOM).await;
    watching.abort();
    watcher_again.hear(chatting(people.len() + 1)).await;
    let stayed = staying.len();
    let now = gauges(server).await;
    assert_eq!(now.get("madang_ws_connections"), Some(&((stayed + 1) as f64)), "{now:#?}");
    stop.send(true).expect("somebody stays");
    while let Some(socket) = staying.join_next().await {
        here.push(socket.expect("no panic"));
    }
    here.clear();
    watcher_again.hear(chatting(1)).await;
    watcher_again.goodbye().await;
    expect_as_before(&program, &before, files).await;
    let ends = tally.ends.each_ref().map(|end| end.load(Ordering::Relaxed));
    println!(
        "{} visits by {CLIENTS} clients in {took:?}; left {}, closed {}, broke off {}, fell silent {}; {stayed} connections of {} people \
         stayed to the end; files {files:?} before and {:?} after; memory {memory:?} KB before and {:?} KB after; gauges {before:?}",
        tally.visits.load(Ordering::Relaxed),
        ends[0],
        ends[1],
        ends[2],
        ends[3],
        people.len(),
        program.open_files(),
        program.resident_kb(),
    );
}
