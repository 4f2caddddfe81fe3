use super::*;
use crate::chat::log::Body;
use madang_protocol::{
    EpochId,
    chat::{ChatState, Entry, ModeChange, Role},
};

fn you() -> You {
    You { id: Some(PersonId::from_random(20)), name: "Ana".into(), tag: "4f2".into() }
}

fn talk() -> Talk {
    Talk::new(slug(), you())
}

fn slug() -> RoomSlug {
    RoomSlug::parse("my-room").expect("a slug")
}

fn state(seq: u64, entries: Vec<Entry>, resumed: bool) -> ServerEvent {
    let chat = ChatState {
        epoch: EpochId::from_random(2),
        standing: Standing::default(),
        modes: Modes::default(),
        entries,
        seq: Seq(seq),
        resumed,
        more: false,
    };
    ServerEvent::Chat { room: slug(), chat }
}

fn mine(seq: u64, id: &str) -> Entry {
    let author = Author { id: PersonId::from_random(20), name: "Ana".into(), tag: "4f2".into(), role: Role::Viewer };
    let what = What::Say(Message { author, text: id.into(), reply: None, id: id.into() });
    Entry { seq: Seq(seq), at: UnixMillis(0), what }
}

fn sent(messages: &[ClientMessage]) -> Vec<&str> {
    messages
        .iter()
        .filter_map(|m| if let ClientMessage::Say { id, .. } = m { Some(id.as_str()) } else { None })
        .collect()
}

fn failed(talk: &Talk) -> Vec<(String, Option<Failure>)> {
    let own = |body: &Body| match body {
        Body::Own { id, failed, .. } => Some((id.clone(), *failed)),
        _ => None,
    };
    talk.log.rows().iter().filter_map(|row| own(&row.body)).collect()
}

#[test]
fn what_is_said_offline_waits_and_is_sent_once() {
    let mut talk = talk();
    for n in 0..5 {
        assert!(talk.say(format!("m{n}"), "hi".into(), None, UnixMillis(0)).is_empty());
    }
    assert_eq!(talk.tick(UnixMillis(60_000)), []);
    assert!(failed(&talk).iter().all(|(_, why)| why.is_none()), "nothing fails for want of a connection");
    let messages = talk.told(state(0, vec![], false), UnixMillis(60_000));
    assert_eq!(sent(&messages), ["m0", "m1", "m2"]);
    assert_eq!(sent(&talk.tick(UnixMillis(61_000))), ["m3"]);
    assert_eq!(sent(&talk.tick(UnixMillis(62_000))), ["m4"]);
    assert_eq!(sent(&talk.tick(UnixMillis(63_000))), [] as [&str; 0]);
}

#[test]
fn a_lost_answer_is_asked_for_again_by_the_same_id() {
    let mut talk = talk();
    talk.told(state(0, vec![], false), UnixMillis(0));
    assert_eq!(sent(&talk.say("a".into(), "hi".into(), None, UnixMillis(0))), ["a"]);
    talk.lost();
    // It had arrived: the resumed log has it, and it is not sent again.
    assert_eq!(talk.told(state(1, vec![mine(1, "a")], true), UnixMillis(5)), []);
    assert_eq!(failed(&talk), []);
    assert_eq!(sent(&talk.say("b".into(), "hi".into(), None, UnixMillis(10))), ["b"]);
    talk.lost();
    assert_eq!(sent(&talk.told(state(1, vec![], true), UnixMillis(20))), ["b"]);
}

#[test]
fn silence_fails_after_ten_seconds_and_can_be_tried_again() {
    let mut talk = talk();
    talk.told(state(0, vec![], false), UnixMillis(0));
    talk.say("a".into(), "hi".into(), None, UnixMillis(0));
    talk.tick(UnixMillis(9_999));
    assert_eq!(failed(&talk), [("a".into(), None)]);
    talk.tick(UnixMillis(10_000));
    assert_eq!(failed(&talk), [("a".into(), Some(Failure::Silence))]);
    assert!(!talk.waits());
    assert_eq!(sent(&talk.retry("a", UnixMillis(11_000))), ["a"]);
    assert_eq!(failed(&talk), [("a".into(), None)]);
    talk.told(ServerEvent::Entries { room: slug(), entries: vec![mine(1, "a")] }, UnixMillis(11_100));
    assert_eq!(failed(&talk), []);
}

#[test]
fn a_refusal_says_why_and_slow_mode_when() {
    let mut talk = talk();
    talk.told(state(0, vec![], false), UnixMillis(0));
    talk.modes.slow_s = 5;
    talk.say("a".into(), "hi".into(), None, UnixMillis(0));
    let refused = ServerEvent::Rejected { id: "a".into(), reason: ChatRefusal::Slow, until: Some(UnixMillis(4_000)) };
    talk.told(refused, UnixMillis(1_000));
    assert_eq!(failed(&talk), [("a".into(), Some(Failure::Refused(ChatRefusal::Slow)))]);
    assert_eq!(talk.wait_until, UnixMillis(4_000));
    assert_eq!(talk.discard("a"), Some("hi".into()));
    let other = ServerEvent::Rejected { id: "n1".into(), reason: ChatRefusal::NameTaken, until: None };
    talk.told(other, UnixMillis(1_000));
    assert_eq!(talk.answer, Some(("n1".into(), Answer::Refused(ChatRefusal::NameTaken, None))));
}

#[test]
fn who_waits_is_free_when_slow_mode_ends() {
    let mut talk = talk();
    talk.told(state(0, vec![], false), UnixMillis(0));
    talk.modes.slow_s = 30;
    talk.told(ServerEvent::Entries { room: slug(), entries: vec![mine(1, "a")] }, UnixMillis(1_000));
    assert_eq!(talk.wait_until, UnixMillis(31_000));
    let what = What::System(SystemLine::Modes { by: "Ana".into(), modes: Modes::default() });
    let entries = vec![Entry { seq: Seq(2), at: UnixMillis(0), what }];
    talk.told(ServerEvent::Entries { room: slug(), entries }, UnixMillis(2_000));
    assert_eq!((talk.wait_until, talk.modes), (UnixMillis(2_000), Modes::default()));
}

#[test]
fn a_gap_joins_again_from_where_it_was() {
    let mut talk = talk();
    talk.told(state(1, vec![mine(1, "")], false), UnixMillis(0));
    let messages = talk.told(ServerEvent::Entries { room: slug(), entries: vec![mine(4, "")] }, UnixMillis(0));
    let [ClientMessage::Leave { .. }, ClientMessage::Join { since: Some(since), .. }] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!(since.seq, Seq(1));
}

#[test]
fn who_writes_while_reading_far_up_comes_back_to_the_newest() {
    let mut talk = talk();
    talk.told(state(0, vec![], false), UnixMillis(0));
    talk.read_to_end(false);
    let entries = (1..=310).map(|seq| mine(seq, "")).collect();
    talk.told(ServerEvent::Entries { room: slug(), entries }, UnixMillis(0));
    let messages = talk.say("a".into(), "hi".into(), None, UnixMillis(0));
    assert!(matches!(messages.as_slice(), [ClientMessage::Leave { .. }, ClientMessage::Join { since: None, .. }]));
    assert_eq!(failed(&talk), [("a".into(), None)], "shown at once all the same");
    let messages = talk.told(state(310, vec![mine(310, "")], false), UnixMillis(1));
    assert_eq!(sent(&messages), ["a"]);
    assert_eq!(talk.log.rows().len(), 2);
}

#[test]
fn another_rooms_chat_is_not_taken_in() {
    let mut talk = talk();
    talk.told(state(0, vec![], false), UnixMillis(0));
    let elsewhere = RoomSlug::parse("elsewhere").expect("a slug");
    talk.told(ServerEvent::Entries { room: elsewhere, entries: vec![mine(1, "")] }, UnixMillis(0));
    assert!(talk.log.rows().is_empty());
}

#[test]
fn commands_are_never_said() {
    let mut talk = talk();
    assert_eq!(talk.read("hello", "i"), Typed::Words);
    assert_eq!(talk.read("//shrug", "i"), Typed::Words);
    assert!(matches!(talk.read("/nonsense", "i"), Typed::Hint(_)));
    assert_eq!(talk.read("/slow 5", "i"), Typed::NotAllowed);
    talk.standing.role = Role::Owner;
    let Typed::Send(ClientMessage::Moderate { act, .. }) = talk.read("/slow 5", "i") else { panic!("an act") };
    assert_eq!(act, Act::SetMode { mode: ModeChange::Slow(5) });
    assert_eq!(talk.read("/undo", "i"), Typed::NothingToUndo);
}

#[test]
fn unread_counts_others_while_the_page_is_hidden() {
    let mut talk = talk();
    talk.told(state(0, vec![], false), UnixMillis(0));
    talk.hidden = true;
    let mut theirs = mine(1, "");
    if let What::Say(message) = &mut theirs.what {
        message.author.id = PersonId::from_random(40);
    }
    talk.told(ServerEvent::Entries { room: slug(), entries: vec![theirs, mine(2, "")] }, UnixMillis(0));
    assert_eq!(talk.unread, 1);
}

fn theirs(seq: u64) -> Entry {
    let author = Author { id: PersonId::from_random(40), name: "Bo".into(), tag: "1aa".into(), role: Role::Viewer };
    let what = What::Say(Message { author, text: format!("text {seq}"), reply: None, id: String::new() });
    Entry { seq: Seq(seq), at: UnixMillis(0), what }
}

#[test]
fn a_join_that_was_refused_is_asked_for_again_and_said_to_be() {
    let mut talk = talk();
    let refused = || ServerEvent::Refused { reason: madang_protocol::realtime::Refusal::TooFast };
    assert!(talk.told(refused(), UnixMillis(0)).is_empty());
    assert!(talk.waits() && talk.join_at.is_some(), "the panel says so meanwhile");
    assert_eq!(talk.tick(UnixMillis(JOIN_AGAIN_MS - 1)), []);
    assert_eq!(talk.tick(UnixMillis(JOIN_AGAIN_MS)), [talk.join()]);
    assert_eq!(talk.tick(UnixMillis(JOIN_AGAIN_MS + 1)), [], "once, until it is refused again");
    talk.told(refused(), UnixMillis(9_000));
    talk.told(state(0, Vec::new(), false), UnixMillis(9_001));
    assert!(talk.joined && talk.join_at.is_none());
    talk.told(refused(), UnixMillis(9_002));
    assert_eq!(talk.join_at, None, "something else was refused");
}

#[test]
fn what_came_while_nobody_looked_is_unread_also_by_resuming() {
    let mut talk = talk();
    talk.hidden = true;
    talk.told(state(2, vec![theirs(1), theirs(2)], false), UnixMillis(0));
    assert_eq!(talk.unread, 0, "history is no news");
    talk.told(ServerEvent::Entries { room: slug(), entries: vec![theirs(3)] }, UnixMillis(1));
    assert_eq!(talk.unread, 1);
    talk.lost();
    talk.told(state(6, vec![theirs(4), mine(5, "own"), theirs(6)], true), UnixMillis(2));
    assert_eq!(talk.unread, 3);
    talk.lost();
    // The gap was too long to be filled: what is sent overlaps with what was read.
    talk.told(state(8, vec![theirs(6), theirs(7), theirs(8)], false), UnixMillis(3));
    assert_eq!(talk.unread, 5);
}

#[test]
fn what_was_said_and_deleted_before_its_confirmation_came_is_a_stub() {
    let mut talk = talk();
    talk.told(state(0, Vec::new(), false), UnixMillis(0));
    talk.say("m1".into(), "rude".into(), None, UnixMillis(0));
    talk.lost();
    let me = Author { id: PersonId::from_random(20), name: "Ana".into(), tag: "4f2".into(), role: Role::Viewer };
    let stub = Entry { seq: Seq(1), at: UnixMillis(0), what: What::Stub(me) };
    let again = talk.told(state(1, vec![stub], true), UnixMillis(5));
    assert_eq!(sent(&again), ["m1"]);
    let gone = ServerEvent::Rejected { id: "m1".into(), reason: ChatRefusal::NotFound, until: None };
    talk.told(gone, UnixMillis(6));
    assert!(failed(&talk).is_empty());
    assert!(matches!(talk.log.rows(), [row] if matches!(row.body, Body::Gone(_))));
}

#[test]
fn what_others_say_waits_for_the_picture_and_ones_own_is_confirmed_at_once() {
    let mut talk = talk();
    talk.told(state(0, Vec::new(), false), UnixMillis(0));
    let says = |seq: u64| {
        let mut entry = mine(seq, "");
        if let What::Say(message) = &mut entry.what {
            (message.author.id, message.text) = (PersonId::from_random(9), format!("{seq}"));
        }
        ServerEvent::Entries { room: slug(), entries: vec![entry] }
    };
    let shown = |talk: &Talk| talk.log.rows().iter().filter(|row| row.seq.is_some()).count();
    assert_eq!(talk.hold(3_000, UnixMillis(0)), []);
    talk.told(says(1), UnixMillis(1_000));
    talk.say("m1".into(), "hi".into(), None, UnixMillis(1_500));
    talk.told(ServerEvent::Entries { room: slug(), entries: vec![mine(2, "m1")] }, UnixMillis(1_600));
    assert_eq!((shown(&talk), talk.holds(), talk.waits()), (0, true, false), "the picture is not there yet");
    talk.show_due(UnixMillis(4_000));
    assert_eq!(shown(&talk), 1);
    // Nearer to live: what waits does not wait as long as it would have.
    talk.hold(500, UnixMillis(4_100));
    talk.show_due(UnixMillis(4_600));
    assert_eq!((shown(&talk), talk.holds()), (2, false));
    assert_eq!(failed(&talk), [], "said once");
    talk.hold(8_000, UnixMillis(5_000));
    for seq in 3..210 {
        talk.told(says(seq), UnixMillis(5_000));
    }
    assert_eq!(shown(&talk), 2 + 207 - HELD_MAX, "no more than so many wait");
    talk.hold(0, UnixMillis(5_001));
    assert_eq!(shown(&talk), 209, "all at once, in order");
    talk.hold(3_000, UnixMillis(6_000));
    talk.told(says(210), UnixMillis(6_000));
    talk.lost();
    assert!(!talk.holds(), "what waited is told again on joining");
    assert!(matches!(talk.join(), ClientMessage::Join { since: Some(since), .. } if since.seq == Seq(209)));
}
