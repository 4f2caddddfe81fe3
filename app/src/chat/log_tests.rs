use super::*;
use madang_protocol::chat::{Modes, Restored, Role, Standing};

fn author(id: u64) -> Author {
    Author { id: PersonId::from_random(id << 1), name: format!("p{id}"), tag: String::new(), role: Role::Viewer }
}

fn message(by: u64, text: &str, id: &str) -> Message {
    Message { author: author(by), text: text.to_owned(), reply: None, id: id.to_owned() }
}

fn say(seq: u64, by: u64, text: &str) -> Entry {
    Entry { seq: Seq(seq), at: UnixMillis(0), what: What::Say(message(by, text, "")) }
}

fn state(seq: u64, entries: Vec<Entry>, resumed: bool) -> ChatState {
    ChatState {
        epoch: EpochId::from_random(2),
        standing: Standing::default(),
        modes: Modes::default(),
        entries,
        seq: Seq(seq),
        resumed,
        more: true,
    }
}

fn texts(log: &Log) -> Vec<String> {
    let shown = |row: &Row| match &row.body {
        Body::Said(message) => message.text.clone(),
        Body::Own { text, failed, .. } => format!("{text}{}", if failed.is_some() { "!" } else { "…" }),
        Body::Gone(_) => "×".to_owned(),
        other => format!("{other:?}"),
    };
    log.rows().iter().map(shown).collect()
}

/// Applies a patch to a list of keys, as the view does to its rows.
fn apply(standing: &mut Vec<(u32, u32)>, rows: &[Row]) {
    for step in patch(standing, rows) {
        let drawn = |row: usize| (rows[row].key, rows[row].revision);
        match step {
            Step::Remove(place) => drop(standing.remove(place)),
            Step::Insert { place, row } => standing.insert(place, drawn(row)),
            Step::Replace { place, row } => standing[place] = drawn(row),
        }
    }
    let wanted: Vec<_> = rows.iter().map(|row| (row.key, row.revision)).collect();
    assert_eq!(*standing, wanted);
}

#[test]
fn entries_come_once_and_in_order() {
    let mut log = Log::default();
    log.open(state(2, vec![say(1, 1, "a"), say(2, 2, "b")], false), None);
    assert!(log.take(vec![say(2, 2, "b"), say(3, 1, "c")], None));
    assert_eq!(texts(&log), ["a", "b", "c"]);
    assert!(!log.take(vec![say(5, 1, "e")], None), "a gap is noticed");
    assert_eq!(log.since().map(|since| since.seq), Some(Seq(3)));
}

#[test]
fn a_resumed_log_goes_on_and_another_epoch_starts_over() {
    let mut log = Log::default();
    log.open(state(1, vec![say(1, 1, "a")], false), None);
    log.open(state(3, vec![say(2, 1, "b"), say(3, 1, "c")], true), None);
    assert_eq!(texts(&log), ["a", "b", "c"]);
    log.say("mine".into(), UnixMillis(0), "kept".into(), None);
    let other = ChatState { epoch: EpochId::from_random(4), ..state(1, vec![say(1, 2, "new")], false) };
    log.open(other, None);
    assert_eq!(texts(&log), ["new", "kept…"]);
}

#[test]
fn own_words_are_confirmed_by_their_id_and_author() {
    let me = author(7).id;
    let mut log = Log::default();
    log.open(state(0, vec![], false), Some(me));
    log.say("x".into(), UnixMillis(0), "hello".into(), None);
    let theirs = Entry { seq: Seq(1), at: UnixMillis(0), what: What::Say(message(8, "stolen id", "x")) };
    log.take(vec![theirs], Some(me));
    assert_eq!(texts(&log), ["stolen id", "hello…"]);
    let mine = Entry { seq: Seq(2), at: UnixMillis(0), what: What::Say(message(7, "hello", "x")) };
    log.take(vec![mine.clone()], Some(me));
    assert_eq!(texts(&log), ["stolen id", "hello"]);
    // Sent again after a lost answer: confirmed by the place it has already.
    log.say("x".into(), UnixMillis(0), "hello".into(), None);
    assert!(log.take(vec![mine], Some(me)));
    assert_eq!(texts(&log), ["stolen id", "hello"]);
}

#[test]
fn a_deletion_leaves_a_stub_and_empties_quotes_until_it_is_undone() {
    let mut log = Log::default();
    let mut answer = message(2, "yes", "");
    answer.reply = Some(Quote { seq: Seq(1), name: "p1".into(), text: "a".into() });
    let answer = Entry { seq: Seq(2), at: UnixMillis(0), what: What::Say(answer) };
    log.open(state(2, vec![say(1, 1, "a"), answer], false), None);
    let entry = |seq, what| Entry { seq: Seq(seq), at: UnixMillis(0), what };
    log.take(vec![entry(3, What::Delete { targets: vec![Seq(1)] })], None);
    assert_eq!(texts(&log), ["×", "yes"]);
    let quote = log.rows().get(1).and_then(|row| match &row.body {
        Body::Said(message) => message.reply.clone(),
        _ => None,
    });
    assert_eq!(quote.map(|quote| quote.text), Some(String::new()));
    let back = Restored { seq: Seq(1), at: UnixMillis(0), message: message(1, "a", "") };
    log.take(vec![entry(4, What::Restore { messages: vec![back] })], None);
    assert_eq!(texts(&log), ["a", "yes"]);
}

#[test]
fn the_page_never_holds_more_rows_than_its_limit() {
    let mut log = Log::default();
    log.open(state(0, vec![], false), None);
    let mut standing = Vec::new();
    for seq in 1..=400 {
        log.take(vec![say(seq, 1, &seq.to_string())], None);
        apply(&mut standing, log.rows());
    }
    assert_eq!(log.rows().len(), ROWS_MAX);
    assert!(log.more);
    // Reading far up: what is new is counted and not drawn, until one comes down.
    assert!(!log.read_to_end(false));
    assert_eq!(log.wants_older(), Some(Seq(101)));
    assert_eq!(log.wants_older(), None);
    log.older((1..=100).map(|seq| say(seq, 1, &seq.to_string())).collect(), false);
    apply(&mut standing, log.rows());
    assert_eq!((log.rows().len(), log.more), (ROWS_MAX, false));
    assert_eq!(texts(&log).first().map(String::as_str), Some("1"));
    log.take(vec![say(401, 1, "later")], None);
    assert_eq!((log.rows().len(), log.unseen()), (ROWS_MAX, 1));
    assert!(log.read_to_end(true), "the newest rows are to be fetched");
}

#[test]
fn a_patch_finds_every_difference() {
    let mut log = Log::default();
    log.open(state(0, vec![], false), None);
    let mut standing = Vec::new();
    log.take((1..=5).map(|seq| say(seq, seq, "x")).collect(), None);
    log.say("a".into(), UnixMillis(0), "one".into(), None);
    log.say("b".into(), UnixMillis(0), "two".into(), None);
    apply(&mut standing, log.rows());
    log.mark("b", Some(Failure::Silence));
    log.discard("a");
    log.note(UnixMillis(0), "hint".into());
    log.take(vec![Entry { seq: Seq(6), at: UnixMillis(0), what: What::Delete { targets: vec![Seq(2)] } }], None);
    apply(&mut standing, log.rows());
    log.start_over();
    log.open(state(9, vec![say(9, 1, "fresh")], false), None);
    apply(&mut standing, log.rows());
    assert_eq!(texts(&log), ["fresh", "two!"]);
}

#[test]
fn who_comes_back_in_one_line_has_not_left() {
    let mut log = Log::default();
    log.people(UnixMillis(0), vec![author(1)], vec![]);
    log.people(UnixMillis(0), vec![], vec![author(2)]);
    log.people(UnixMillis(0), vec![author(2)], vec![]);
    let [Row { body: Body::People { joined, left }, .. }] = log.rows() else { panic!("one line of people") };
    assert_eq!((joined.len(), left.len()), (2, 0));
}

#[test]
fn an_undone_deletion_is_back_with_what_quotes_it() {
    let mut log = Log::default();
    let mut answer = message(2, "so true", "");
    answer.reply = Some(Quote { seq: Seq(1), name: "p1".into(), text: "first".into() });
    let answer = Entry { seq: Seq(2), at: UnixMillis(0), what: What::Say(answer) };
    log.open(state(2, vec![say(1, 1, "first"), answer], false), None);
    let entry = |seq, what| Entry { seq: Seq(seq), at: UnixMillis(0), what };
    let quoted = |log: &Log| match &log.rows()[1].body {
        Body::Said(message) => message.reply.as_ref().map(|quote| quote.text.clone()),
        _ => None,
    };
    log.take(vec![entry(3, What::Delete { targets: vec![Seq(1)] })], None);
    assert_eq!((texts(&log)[0].as_str(), quoted(&log).as_deref()), ("×", Some("")));
    let revision = log.rows()[1].revision;
    let restored = Restored { seq: Seq(1), at: UnixMillis(0), message: message(1, "first", "") };
    log.take(vec![entry(4, What::Restore { messages: vec![restored] })], None);
    assert_eq!((texts(&log)[0].as_str(), quoted(&log).as_deref()), ("first", Some("first")));
    assert!(log.rows()[1].revision > revision, "it is drawn again");
}

/// The deletion is in the older page, and that it was undone in the newer one.
#[test]
fn an_undone_deletion_is_not_done_again_by_scrolling_up() {
    let mut log = Log::default();
    let entry = |seq, what| Entry { seq: Seq(seq), at: UnixMillis(0), what };
    let restored = Restored { seq: Seq(1), at: UnixMillis(0), message: message(1, "back", "") };
    log.open(state(4, vec![entry(3, What::Restore { messages: vec![restored] }), say(4, 2, "newest")], false), None);
    assert_eq!(log.wants_older(), Some(Seq(4)));
    log.older(vec![say(1, 1, "back"), entry(2, What::Delete { targets: vec![Seq(1)] })], false);
    assert_eq!(texts(&log), ["back", "newest"]);
}
