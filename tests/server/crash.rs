//! The program killed in the middle of a busy chat: what was confirmed is there, once and in order.

use crate::{
    house::{Answer, Socket, request, said},
    program::{Program, make_room},
};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};

const ROOM: &str = "my-room";

/// Limits that the test does not meet by saying much.
const UNHURRIED: [(&str, &str); 4] = [
    ("MADANG_LIMITS_CHAT_PER_MINUTE_PER_ADDRESS", "0"),
    ("MADANG_LIMITS_CHAT_BURST", "100000"),
    ("MADANG_LIMITS_CHAT_MESSAGES", "100000"),
    ("MADANG_LIMITS_WS_MESSAGES_PER_SECOND", "100000"),
];

async fn visitor(http: SocketAddr) -> String {
    let answer: Answer = request(http, "GET", "/", &[], "").await;
    answer.cookie().expect("a cookie")
}

#[tokio::test]
async fn killed_in_the_middle_of_messages_every_confirmed_one_is_kept_once_and_in_order() {
    let data = tempfile::TempDir::new().expect("a data directory");
    make_room(data.path(), ROOM);
    let program = Program::start(data.path(), &UNHURRIED);
    let cookie = visitor(program.http).await;
    let mut reader = Socket::open(program.http, None).await;
    let epoch = reader.join(ROOM).await["epoch"].clone();
    let mut writer = Socket::open(program.http, Some(&cookie)).await;
    writer.join(ROOM).await;
    for n in 0..30 {
        writer.chat(ROOM, &n.to_string(), &format!("id{n}")).await;
    }
    let heard = reader.messages(ROOM, 30).await;
    // The kill comes while more are on their way.
    let mut confirmed = writer.messages(ROOM, 30).await;
    for n in 30..200 {
        writer.chat(ROOM, &n.to_string(), &format!("id{n}")).await;
    }
    confirmed.extend(writer.messages(ROOM, 40).await);
    program.kill();
    confirmed.extend(writer.rest(ROOM).await);
    let again = Program::start(data.path(), &UNHURRIED);
    let mut fresh = Socket::open(again.http, None).await;
    let chat = fresh.join(ROOM).await;
    let kept = said(&chat["entries"]);
    let mut ordered = confirmed.clone();
    ordered.dedup();
    assert_eq!(ordered, confirmed, "nothing is confirmed twice unasked");
    let texts: Vec<u64> = kept.iter().map(|(_, text)| text.parse().expect("a number")).collect();
    assert_eq!(texts, (0..texts.len() as u64).collect::<Vec<_>>(), "each once, in order");
    for (seq, text) in &confirmed {
        assert!(kept.contains(&(*seq, text.clone())), "{text} was confirmed as {seq} and is gone");
    }
    // Both go on by themselves: the reader from where it was, the writer by sending again what was not confirmed.
    let mut reader = Socket::open(again.http, None).await;
    let since = json!({"epoch": epoch, "seq": heard.last().expect("some").0});
    reader.say(&json!({"type": "join", "room": ROOM, "since": since}).to_string()).await;
    let chat = reader.hear(|event| event["type"] == "chat").await["chat"].clone();
    let mut all = if chat["resumed"] == true { heard } else { Vec::new() };
    all.extend(said(&chat["entries"]));
    let mut writer = Socket::open(again.http, Some(&cookie)).await;
    writer.join(ROOM).await;
    for n in confirmed.len()..200 {
        writer.chat(ROOM, &n.to_string(), &format!("id{n}")).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    while all.len() < 200 {
        all.extend(reader.messages(ROOM, 1).await);
    }
    let texts: Vec<String> = all.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, (0..200).map(|n| n.to_string()).collect::<Vec<_>>(), "all there, once, in order");
}
