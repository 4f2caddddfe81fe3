//! What every [`ChatStore`] must do.

use super::*;
use crate::{Error, Room, SqliteStore, store::Store, testing};
use madang_protocol::chat::{Message, Role, What};

fn person(n: u64) -> PersonId {
    PersonId::from_random(n << 1)
}

fn room() -> RoomId {
    RoomId::from_random(2)
}

fn action(n: u64) -> ActionId {
    ActionId::from_random(n << 1)
}

/// A store with room 1 of person 1, its chat open; on a file and in memory.
fn stores(test: impl Fn(&mut dyn Store)) {
    let dir = tempfile::tempdir().expect("a folder");
    let on_disk = SqliteStore::open(&dir.path().join("db")).expect("opens");
    for mut store in [SqliteStore::in_memory().expect("opens"), on_disk] {
        store.add_guest(person(1), "Ana", UnixMillis(1)).expect("kept");
        let made = Room::from_draft(room(), person(1), testing::draft("one"), UnixMillis(1));
        store.add_room(&made).expect("kept");
        store.open_chat(room(), EpochId::from_random(2)).expect("opened");
        test(&mut store);
    }
}

fn say(by: u64, at: i64, text: &str) -> NewEntry {
    let author = Author { id: person(by), name: format!("Name{by}"), tag: "abc".into(), role: Role::Viewer };
    let message = NewMessage { author, text: text.into(), reply: None, id: text.into(), prefix: format!("p{by}") };
    NewEntry { at: UnixMillis(at), what: NewWhat::Say(message) }
}

fn texts(entries: &[Entry]) -> Vec<String> {
    let text = |entry: &Entry| match &entry.what {
        What::Say(Message { text, .. }) => text.clone(),
        What::Stub(_) => "(stub)".into(),
        What::Delete { targets } => format!("-{targets:?}"),
        What::Restore { messages } => messages.iter().map(|restored| restored.message.text.as_str()).collect(),
        What::System(line) => format!("{line:?}"),
    };
    entries.iter().map(text).collect()
}

#[test]
fn a_log_is_opened_once_and_counts_without_a_gap() {
    stores(|store| {
        store.open_chat(room(), EpochId::from_random(4)).expect("open already");
        let log = store.chat_log(room()).expect("read").expect("open");
        assert_eq!((log.epoch, log.last, log.oldest), (EpochId::from_random(2), Seq(0), Seq(1)));
        assert_eq!((log.modes, log.filter), (Modes::default(), vec![]));
        assert_eq!(store.append_chat(room(), &[say(1, 1, "a"), say(2, 2, "b")]), Ok(Seq(1)));
        let refused = store.together(&mut |store| {
            store.append_chat(room(), &[say(1, 3, "never")])?;
            Err(Error::Forbidden)
        });
        assert_eq!(refused, Err(Error::Forbidden));
        let line = NewEntry { at: UnixMillis(4), what: NewWhat::System(SystemLine::StreamStarted) };
        assert_eq!(store.append_chat(room(), &[line]), Ok(Seq(3)));
        let all = store.chat_before(room(), None, 10).expect("read");
        assert_eq!(texts(&all), ["a", "b", "StreamStarted"]);
        assert_eq!(store.chat_after(room(), Seq(1), 1).map(|found| texts(&found)), Ok(vec!["b".to_owned()]));
        assert_eq!(store.chat_before(room(), Some(Seq(3)), 1).map(|found| texts(&found)), Ok(vec!["b".to_owned()]));
        assert_eq!(store.append_chat(RoomId::from_random(8), &[]), Err(Error::NotFound));
        assert_eq!(store.open_chat(RoomId::from_random(8), EpochId::from_random(2)), Err(Error::NotFound));
    });
}

#[test]
fn deleted_messages_are_stubs_until_they_are_restored() {
    stores(|store| {
        store.append_chat(room(), &[say(1, 1, "a"), say(2, 2, "b")]).expect("kept");
        let mut answer = say(2, 3, "c");
        if let NewWhat::Say(message) = &mut answer.what {
            message.reply = Some(Quote { seq: Seq(1), name: "Name1".into(), text: "a".into() });
        }
        store.append_chat(room(), &[answer]).expect("kept");
        store.delete_messages(room(), &[Seq(1), Seq(9)], action(1), UnixMillis(5)).expect("deleted");
        store
            .append_chat(room(), &[NewEntry { at: UnixMillis(5), what: NewWhat::Restore(vec![Seq(1), Seq(2)]) }])
            .expect("kept");
        let all = store.chat_before(room(), None, 10).expect("read");
        assert_eq!(texts(&all), ["(stub)", "b", "c", "b"], "a restoration has what is there now");
        let What::Say(answer) = &all[2].what else { panic!("a message") };
        assert_eq!(answer.reply.as_ref().map(|quote| quote.text.as_str()), Some(""));
        let kept = store.chat_message(room(), Seq(1)).expect("read").expect("there");
        assert_eq!((kept.text.as_str(), kept.deleted), ("a", true), "moderators still can");
        assert_eq!(
            store.messages_of(room(), person(2), 10).expect("read").iter().map(|said| said.seq).collect::<Vec<_>>(),
            [Seq(3), Seq(2)]
        );
        assert_eq!(store.restore_messages(room(), action(2)), Ok(vec![]));
        assert_eq!(store.restore_messages(room(), action(1)), Ok(vec![Seq(1)]));
        assert_eq!(texts(&store.chat_before(room(), None, 10).expect("read"))[0], "a");
    });
}

#[test]
fn old_entries_are_forgotten_in_steps() {
    stores(|store| {
        let many: Vec<NewEntry> = (0..10).map(|n| say(1, n, &n.to_string())).collect();
        store.append_chat(room(), &many).expect("kept");
        let oldest = |store: &dyn Store| store.chat_log(room()).expect("read").expect("open").oldest;
        store.prune_chat(room(), 4, 5).expect("pruned");
        assert_eq!((oldest(store), store.chat_before(room(), None, 99).expect("read").len()), (Seq(6), 5));
        for _ in 0..2 {
            store.prune_chat(room(), 4, 5).expect("pruned");
            assert_eq!((oldest(store), store.chat_before(room(), None, 99).expect("read").len()), (Seq(7), 4));
        }
        assert_eq!(store.append_chat(room(), &[say(1, 1, "next")]), Ok(Seq(11)));
    });
}

#[test]
fn settings_and_moderators_are_kept() {
    stores(|store| {
        let modes = Modes { slow_s: 7, accounts_only: true, links: false, unique: true, closed: true };
        store.set_modes(room(), &modes).expect("kept");
        store.set_filter(room(), &["a \"word\"".into()]).expect("kept");
        let log = store.chat_log(room()).expect("read").expect("open");
        assert_eq!((log.modes, log.filter), (modes, vec!["a \"word\"".to_owned()]));
        store.ensure_guest(person(2), UnixMillis(1)).expect("kept");
        store.ensure_guest(person(2), UnixMillis(2)).expect("kept already");
        assert_eq!(store.person_since(person(2)), Ok(Some(UnixMillis(1))));
        for (who, on) in [(2, true), (1, true), (2, true), (1, false)] {
            store.set_moderator(room(), person(who), on, UnixMillis(3)).expect("kept");
        }
        assert_eq!((store.moderates(person(2)), store.moderates(person(1))), (Ok(vec![room()]), Ok(Vec::new())));
        let moderators = store.moderators(room()).expect("read");
        assert_eq!(moderators, [StoredModerator { person: person(2), guest: true, name: String::new() }]);
    });
}

#[test]
fn bans_hold_until_their_end_or_until_they_are_lifted() {
    stores(|store| {
        let ban = |n: u64, until: Option<i64>| Ban {
            id: action(n),
            person: person(n),
            name: "Bo".into(),
            tag: "abc".into(),
            at: UnixMillis(i64::try_from(n).expect("small")),
            by: "Ana".into(),
            muted: Muted { banned: true, until: until.map(UnixMillis), reason: "spam".into() },
            prefixes: vec!["192.0.2.1/32".into()],
        };
        store.add_ban(room(), &ban(1, None)).expect("kept");
        store.add_ban(room(), &ban(2, Some(100))).expect("kept");
        let held = |store: &dyn Store, now| store.bans(room(), None, UnixMillis(now), 10).expect("read");
        assert_eq!(held(store, 99), [ban(1, None), ban(2, Some(100))]);
        assert_eq!(held(store, 100), [ban(1, None)]);
        assert_eq!(store.bans(room(), None, UnixMillis(5), 1), Ok(vec![ban(2, Some(100))]), "the newest");
        assert_eq!(store.bans(room(), Some(person(2)), UnixMillis(5), 10), Ok(vec![ban(2, Some(100))]));
        store.lift_bans(room(), &[action(1), action(2)], action(3), UnixMillis(50)).expect("lifted");
        assert_eq!(held(store, 5), []);
        store.unlift_bans(room(), action(3)).expect("back");
        assert_eq!(held(store, 5).len(), 2);
    });
}

#[test]
fn actions_are_listed_newest_first_and_the_oldest_forgotten() {
    stores(|store| {
        let done = |n: u64, whom: Option<u64>| StoredAction {
            record: ActionRecord {
                id: action(n),
                at: UnixMillis(5),
                by: "Ana".into(),
                act: "ban".into(),
                whom: "Bo".into(),
                whom_id: whom.map(person),
                reason: String::new(),
                message: "text".into(),
                until: None,
                undone: false,
            },
            by_id: person(1),
            before: "{}".into(),
        };
        for n in 1..=5 {
            store.add_action(room(), &done(n, Some(n % 2)), 4).expect("kept");
        }
        let ids =
            |found: Result<Vec<ActionRecord>, Error>| found.expect("read").iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(store.actions(room(), None, None, 10)), [5, 4, 3, 2].map(action));
        assert_eq!(ids(store.actions(room(), Some(action(4)), None, 1)), [action(3)]);
        assert_eq!(ids(store.actions(room(), None, Some(person(1)), 10)), [5, 3].map(action));
        store.action_undone(room(), action(3)).expect("noted");
        assert!(store.action(room(), action(3)).expect("read").expect("there").record.undone);
        assert_eq!(store.action(room(), action(1)), Ok(None));
        assert_eq!(store.action_undone(room(), action(1)), Err(Error::NotFound));
    });
}

#[test]
fn writers_are_found_by_their_latest_name() {
    stores(|store| {
        store.append_chat(room(), &[say(1, 1, "a"), say(2, 2, "b"), say(1, 3, "c")]).expect("kept");
        let found = store.writer(room(), person(1)).expect("read").expect("there");
        assert_eq!((found.first, found.name.as_str(), found.prefix.as_str()), (UnixMillis(1), "Name1", "p1"));
        assert_eq!(store.writer_named(room(), "name2", None).expect("read").map(|found| found.person), Some(person(2)));
        assert_eq!(store.writer_named(room(), "name2", Some("fff")), Ok(None));
        assert_eq!(store.writer(room(), person(3)), Ok(None));
        for n in 0..4 {
            store.keep_name(person(1), &format!("old {n}"), UnixMillis(n), 2).expect("kept");
        }
        assert_eq!(store.earlier_names(person(1)), Ok(vec!["old 3".to_owned(), "old 2".to_owned()]));
    });
}

#[test]
fn a_removed_room_takes_its_chat_along() {
    stores(|store| {
        store.append_chat(room(), &[say(1, 1, "a")]).expect("kept");
        store.set_moderator(room(), person(1), true, UnixMillis(1)).expect("kept");
        store.remove_room(room()).expect("removed");
        assert_eq!(store.chat_log(room()), Ok(None));
        assert_eq!(store.chat_before(room(), None, 10), Ok(vec![]));
        assert_eq!((store.moderators(room()), store.writer(room(), person(1))), (Ok(vec![]), Ok(None)));
    });
}
