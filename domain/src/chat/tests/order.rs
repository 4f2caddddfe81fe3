//! One order for everyone, nothing twice, nothing lost.

use super::{Page, SOON, chatter, house, seqs, text};
use crate::chat::{MustResume, Window};
use madang_protocol::{
    chat::{Act, ChatRefusal, Modes, Seq, SystemLine, What},
    realtime::ServerEvent,
};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_sees_the_same_order_without_a_gap() {
    let house = house(|limits| limits.member_queue_messages = 10_000);
    let (owner, room, _) = house.room("one").await;
    let mut reader = Page::of(&house, room.id, owner.id).await;
    let mut pages = Vec::new();
    for _ in 0..8 {
        let (person, _) = house.domain.new_visitor().expect("a visitor");
        pages.push(Page::of(&house, room.id, person).await);
    }
    let talking = pages.into_iter().map(|mut page| {
        tokio::spawn(async move {
            for n in 0..25 {
                page.member.say(&format!("message {n}"), &format!("id{n}"), None);
                tokio::task::yield_now().await;
            }
            page.collect(200).await
        })
    });
    let talking: Vec<_> = talking.collect();
    let read = reader.collect(200).await;
    assert_eq!(seqs(&read), (1..=200).collect::<Vec<_>>());
    for one in talking {
        assert_eq!(one.await.expect("no panic"), read);
    }
    // Each one's own messages are in the order in which they were sent.
    let first = read.iter().filter_map(|entry| match &entry.what {
        What::Say(said) => Some((said.author.id, said.id.clone())),
        _ => None,
    });
    let (one, _) = first.clone().next().expect("some");
    let own: Vec<String> = first.filter(|(by, _)| *by == one).map(|(_, id)| id).collect();
    assert_eq!(own, (0..25).map(|n| format!("id{n}")).collect::<Vec<_>>());
    let (stored, more) = house.domain.chat_history(room.id, Seq(201)).await.expect("read");
    assert_eq!((stored, more), (read, false));
}

#[tokio::test]
async fn what_is_said_twice_is_confirmed_twice_and_said_once() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    let first = page.say_as("hello", "a").await.expect("said");
    assert_eq!(page.say_as("hello", "a").await.expect("confirmed"), first);
    let mut other_tab = Page::of(&house, room.id, owner.id).await;
    assert_eq!(other_tab.say_as("hello", "a").await.expect("confirmed"), first);
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let mut other = Page::of(&house, room.id, guest).await;
    assert_eq!(other.say_as("hello", "a").await.expect("another's id is another id").seq, Seq(2));
}

#[tokio::test]
async fn what_is_said_again_long_after_is_still_said_once() {
    let house = house(|limits| (limits.recovery_entries, limits.member_queue_messages) = (200, 10_000));
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    let first = page.say_as("hello", "a").await.expect("said");
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let mut other = Page::of(&house, room.id, guest).await;
    for n in 0..250 {
        other.say(&format!("message {n}")).await.expect("said");
    }
    assert_eq!(page.say_as("hello", "a").await.expect("confirmed"), first);
    assert_eq!(other.say("next").await.expect("said").seq, Seq(252), "nothing was said in between");
}

#[tokio::test]
async fn what_was_deleted_does_not_come_back_by_being_sent_again() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut moderator = Page::of(&house, room.id, owner.id).await;
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let mut page = Page::of(&house, room.id, guest).await;
    let said = page.say_as("hello", "a").await.expect("said");
    moderator.act(Act::Delete { seq: said.seq }).await.expect("deleted");
    assert_eq!(page.say_as("hello", "a").await, Err(ChatRefusal::NotFound));
    assert_eq!(page.say("next").await.expect("said").seq, Seq(3), "the message, its deletion, and this");
}

#[tokio::test]
async fn one_who_comes_back_goes_on_where_they_were() {
    let house = house(|limits| limits.recovery_entries = 200);
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    assert_eq!((page.state.seq, page.state.resumed, page.state.more), (Seq(0), false, false));
    for n in 1..=5 {
        page.say(&format!("message {n}")).await.expect("said");
    }
    let back = Page::open(&house, room.id, chatter(Some(owner.id), "192.0.2.1"), page.since(Seq(3))).await;
    assert!(back.state.resumed);
    assert_eq!(seqs(&back.state.entries), [4, 5]);
    // The task ends and another begins: the log is the same one.
    let since = page.since(Seq(3));
    drop((page, back));
    super::until(|| house.domain.chat_totals().rooms == 0).await;
    let mut again = Page::open(&house, room.id, chatter(Some(owner.id), "192.0.2.1"), since).await;
    assert!(again.state.resumed);
    assert_eq!(again.state.entries.iter().map(text).collect::<Vec<_>>(), ["message 4", "message 5"]);
    for n in 6..=300 {
        again.say_as(&format!("message {n}"), &format!("m{n}")).await.expect("said");
    }
    let late = Page::open(&house, room.id, chatter(Some(owner.id), "192.0.2.1"), since).await;
    assert!(!late.state.resumed && late.state.more, "a gap says so");
    assert_eq!(seqs(&late.state.entries), (101..=300).collect::<Vec<_>>());
    let (older, more) = late.member.history(Seq(101)).await.expect("read");
    assert_eq!((seqs(&older), more), ((1..=100).collect::<Vec<_>>(), false));
}

#[tokio::test]
async fn one_who_does_not_read_is_closed_and_the_others_are_not() {
    let house = house(|limits| limits.member_queue_messages = 4);
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let asleep = Page::of(&house, room.id, guest).await;
    for n in 0..10 {
        page.say(&format!("message {n}")).await.expect("said");
    }
    assert_eq!(timeout(SOON, asleep.outbox.next()).await.expect("in time"), Err(MustResume));
    let back = Page::open(&house, room.id, chatter(Some(guest), "192.0.2.1"), asleep.since(Seq(0))).await;
    assert_eq!(seqs(&back.state.entries), (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_and_takes_no_place() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    page.say("one").await.expect("said");
    let db = rusqlite::Connection::open(house.dir.path().join("madang.sqlite3")).expect("opens");
    db.execute_batch("CREATE TRIGGER full BEFORE INSERT ON chat_entries BEGIN SELECT RAISE(ABORT, 'full'); END")
        .expect("made");
    assert_eq!(page.say_as("two", "a").await.map(|entry| entry.seq), Err(ChatRefusal::Busy));
    db.execute_batch("DROP TRIGGER full").expect("dropped");
    assert_eq!(page.say_as("two", "a").await.map(|entry| entry.seq), Ok(Seq(2)));
}

#[tokio::test]
async fn messages_of_a_window_go_in_one_frame() {
    let house = house(|limits| limits.window = Window::Fixed(Duration::from_secs(3)));
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    page.say("at once").await.expect("said");
    for n in 0..20 {
        page.member.say(&format!("message {n}"), &format!("id{n}"), None);
    }
    assert_eq!(page.entries().await.len(), 20);
}

#[tokio::test]
async fn a_system_line_is_in_order_whether_or_not_anybody_is_there() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    house.domain.chat_system(room.id, SystemLine::StreamStarted);
    assert_eq!(house.domain.chat_totals().rooms, 0, "nobody is there to tell");
    let mut page = Page::of(&house, room.id, owner.id).await;
    let mut seen = std::mem::take(&mut page.state.entries);
    if seen.is_empty() {
        seen = page.collect(1).await;
    }
    assert_eq!(seen[0].what, What::System(SystemLine::StreamStarted));
    page.say("hello").await.expect("said");
    house.domain.chat_system(room.id, SystemLine::StreamEnded);
    let ended = page.collect(1).await;
    assert_eq!((ended[0].seq, &ended[0].what), (Seq(3), &What::System(SystemLine::StreamEnded)));
    let shown = house.domain.chat_page(room.id, None).await.expect("read");
    assert_eq!(seqs(&shown.entries), [1, 2, 3]);
}

#[tokio::test]
async fn markup_is_text_and_commands_are_not_said() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    for markup in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "</script><!--",
        "{{constructor.constructor('alert(1)')()}}",
        "\\u003cscript\\u003e",
        "a\u{2028}b",
    ] {
        let expected = markup.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(page.say(markup).await.as_ref().map(text), Ok(expected.as_str()));
    }
    assert_eq!(page.say("/banana").await.map(drop), Err(ChatRefusal::UnknownCommand));
    assert_eq!(page.say("//shrug").await.as_ref().map(text), Ok("/shrug"));
    assert_eq!(page.say("  ").await.map(drop), Err(ChatRefusal::Empty));
    assert_eq!(page.say(&"x".repeat(501)).await.map(drop), Err(ChatRefusal::TooLong));
    assert_eq!(page.say("a\u{202e}b").await.map(drop), Err(ChatRefusal::Characters));
}

#[tokio::test]
async fn a_reply_quotes_what_it_answers_however_old() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut page = Page::of(&house, room.id, owner.id).await;
    let said = page.say("what is this?").await.expect("said");
    page.member.say("a test", "r", Some(said.seq));
    let What::Say(reply) = page.answer("r").await.expect("said").what else { panic!("a message") };
    let quote = reply.reply.expect("a quotation");
    assert_eq!((quote.seq, quote.name.as_str(), quote.text.as_str()), (Seq(1), "Ana", "what is this?"));
    page.member.say("nothing", "s", Some(Seq(99)));
    let What::Say(reply) = page.answer("s").await.expect("said").what else { panic!("a message") };
    assert_eq!(reply.reply, None);
}

#[tokio::test]
async fn a_large_room_does_not_keep_a_small_one_waiting() {
    let house = house(|_| {});
    let (owner, large, _) = house.room("large").await;
    let (_, small, _) = house.room("small").await;
    let crowd = house.domain.outbox();
    let mut members = Vec::new();
    for browser in 0..8_000 {
        let chatter = crate::Chatter { browser, ..chatter(None, "192.0.2.9") };
        members.push(house.domain.join_chat(large.id, chatter, None, &crowd).await.expect("joined").1);
    }
    let mut speaker = Page::of(&house, large.id, owner.id).await;
    assert_eq!(house.domain.chatting(large.id), 8_001);
    let mut few = Page::of(&house, small.id, owner.id).await;
    for n in 0..20 {
        speaker.member.say(&format!("message {n}"), &format!("id{n}"), None);
        few.say(&format!("message {n}")).await.expect("said while the others are told");
    }
    speaker.next(|event| matches!(event, ServerEvent::Entries { .. }).then_some(())).await;
    drop(members);
    speaker.until_chatting(1).await;
}

#[tokio::test]
async fn a_message_that_could_not_be_kept_uses_up_no_slow_mode() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut by = Page::of(&house, room.id, owner.id).await;
    by.act(Act::SetModes { modes: Modes { slow_s: 100, ..Modes::default() } }).await.expect("set");
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let mut page = Page::of(&house, room.id, guest).await;
    let db = rusqlite::Connection::open(house.dir.path().join("madang.sqlite3")).expect("opens");
    let full = "CREATE TRIGGER full BEFORE INSERT ON chat_entries BEGIN SELECT RAISE(ABORT, 'full'); END";
    db.execute_batch(full).expect("made");
    assert_eq!(page.say_as("hello", "a").await.map(drop), Err(ChatRefusal::Busy));
    db.execute_batch("DROP TRIGGER full").expect("dropped");
    page.say_as("hello", "a").await.expect("it waits for nothing");
    assert_eq!(page.say("again").await.map(drop), Err(ChatRefusal::Slow), "what is kept does");
}
