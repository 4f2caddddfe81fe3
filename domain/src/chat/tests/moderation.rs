//! Roles, deletions, bans, modes and filters, undone and logged.

use super::{Page, chatter, house, text};
use crate::{Error, testing::House};
use madang_protocol::{
    PersonId, RoomId, RoomSlug,
    chat::{Act, ActionRecord, ChatRefusal, ModeChange, Modes, Role, Seq, SystemLine, What, Whom},
    realtime::ServerEvent,
};
use std::time::Duration;

/// A room with its owner's page, a guest's page, and who they are.
struct Scene {
    house: House,
    owner: PersonId,
    room: RoomId,
    slug: RoomSlug,
    guest: PersonId,
    by: Page,
    page: Page,
}

async fn scene() -> Scene {
    scene_with(|_| {}).await
}

async fn scene_with(change: impl FnOnce(&mut crate::ChatLimits)) -> Scene {
    let house = house(change);
    let (owner, room, _) = house.room("one").await;
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    house.domain.rename(guest, "Bo", &[]).await.expect("renamed");
    let by = Page::of(&house, room.id, owner.id).await;
    let page = Page::open(&house, room.id, chatter(Some(guest), "198.51.100.7"), None).await;
    Scene { owner: owner.id, room: room.id, slug: room.slug, guest, by, page, house }
}

fn whom(name: &str) -> Whom {
    Whom::Name(name.into())
}

#[tokio::test]
async fn a_deleted_message_is_a_stub_and_its_text_is_gone_until_it_is_undone() {
    let mut at = scene().await;
    let said = at.page.say("regrettable").await.expect("said");
    at.page.member.say("so true", "reply", Some(said.seq));
    at.page.answer("reply").await.expect("said");
    let action = at.by.act(Act::Delete { seq: said.seq }).await.expect("deleted").expect("to be undone");
    let told = at.page.collect(1).await;
    assert_eq!(told[0].what, What::Delete { targets: vec![said.seq] });
    let since = at.by.since(Seq(0));
    let hidden = |entries: &[madang_protocol::chat::Entry]| {
        let json = serde_json::to_string(entries).expect("json");
        assert!(matches!(&entries[0].what, What::Stub(author) if author.name == "Bo"), "{json}");
        assert!(!json.contains("regrettable"), "{json}");
    };
    hidden(&at.house.domain.chat_page(at.room, None).await.expect("read").entries);
    hidden(&Page::open(&at.house, at.room, chatter(None, "192.0.2.1"), since).await.state.entries);
    hidden(&Page::open(&at.house, at.room, chatter(None, "192.0.2.1"), None).await.state.entries);
    assert_eq!(at.by.act(Act::Delete { seq: said.seq }).await, Err(ChatRefusal::NotFound), "it is deleted already");

    at.by.act(Act::Undo { action }).await.expect("undone");
    let told = at.page.collect(1).await;
    let What::Restore { messages } = &told[0].what else { panic!("a restoration") };
    assert_eq!((messages[0].seq, messages[0].message.text.as_str()), (said.seq, "regrettable"));
    let again = Page::open(&at.house, at.room, chatter(None, "192.0.2.1"), None).await;
    assert_eq!(text(&again.state.entries[0]), "regrettable");
    let What::Say(reply) = &again.state.entries[1].what else { panic!("a message") };
    assert_eq!(reply.reply.as_ref().map(|quote| quote.text.as_str()), Some("regrettable"));
    assert_eq!(at.by.act(Act::Undo { action }).await, Err(ChatRefusal::NotFound), "once");
    // Deleted again, it is in no restoration either.
    at.by.act(Act::DeleteLast { whom: whom("bo") }).await.expect("the reply");
    at.by.act(Act::DeleteLast { whom: Whom::Id(at.guest) }).await.expect("and the first");
    hidden(&Page::open(&at.house, at.room, chatter(None, "192.0.2.1"), since).await.state.entries);
}

#[tokio::test]
async fn a_ban_outlives_cleared_cookies_and_lifts_as_one() {
    let mut at = scene().await;
    at.page.say("spam").await.expect("said");
    at.by.act(Act::Ban { whom: whom("Bo"), seconds: None }).await.expect("banned");
    let muted = at.page.standing().await.muted.expect("muted");
    assert_eq!((muted.banned, muted.until, muted.reason.as_str()), (true, None, "because"));
    assert_eq!(at.page.say("more").await.map(drop), Err(ChatRefusal::Banned));
    // Their messages went with it.
    let shown = at.house.domain.chat_page(at.room, Some(at.guest)).await.expect("read");
    assert!(matches!(shown.entries[0].what, What::Stub(_)) && shown.standing.muted.is_some());

    // Cookies cleared: another person from the same address; and after the task has ended and begun anew.
    let (fresh, _) = at.house.domain.new_visitor().expect("a visitor");
    let mut evader = Page::open(&at.house, at.room, chatter(Some(fresh), "198.51.100.7"), None).await;
    assert!(evader.state.standing.muted.is_some());
    assert_eq!(evader.say("back").await.map(drop), Err(ChatRefusal::Banned));
    let mut elsewhere = Page::open(&at.house, at.room, chatter(Some(at.guest), "203.0.113.5"), None).await;
    assert_eq!(elsewhere.say("back").await.map(drop), Err(ChatRefusal::Banned), "their cookie elsewhere");
    let account = at.house.domain.create_account("cem", "correct horse", false).await.expect("an account");
    let mut neighbour = Page::open(&at.house, at.room, chatter(Some(account.id), "198.51.100.7"), None).await;
    neighbour.say("an account is not its neighbour").await.expect("said");

    drop((evader, elsewhere, neighbour, at.by, at.page));
    super::until(|| at.house.domain.chat_totals().rooms == 0).await;
    let mut evader = Page::open(&at.house, at.room, chatter(Some(fresh), "198.51.100.7"), None).await;
    assert_eq!(evader.say("back").await.map(drop), Err(ChatRefusal::Banned));
    let view = at.house.domain.moderation_view(at.owner, &at.slug).await.expect("a view");
    assert_eq!(view.bans.iter().map(|ban| ban.whom.id).collect::<Vec<_>>(), [at.guest]);

    // Lifting it for one who is held by it lifts all of it.
    let unban = Act::Unban { whom: Whom::Id(fresh) };
    at.house.domain.moderate(at.room, at.owner, unban.clone(), "").await.expect("lifted");
    assert_eq!(evader.standing().await.muted, None);
    evader.say("thanks").await.expect("said");
    let mut page = Page::open(&at.house, at.room, chatter(Some(at.guest), "198.51.100.7"), None).await;
    page.say("thanks").await.expect("said");
    assert_eq!(
        at.house.domain.moderate(at.room, at.owner, unban, "").await,
        Err(ChatRefusal::NotFound.into()),
        "nothing is left to lift"
    );
}

#[tokio::test]
async fn a_timeout_ends_by_itself() {
    let mut at = scene().await;
    at.page.say("spam").await.expect("said");
    for seconds in [0, 14 * 86_400 + 1] {
        let refused = at.by.act(Act::Timeout { whom: whom("Bo"), seconds }).await;
        assert_eq!(refused, Err(ChatRefusal::TooLong));
    }
    let action =
        at.by.act(Act::Timeout { whom: whom("Bo"), seconds: 600 }).await.expect("timed out").expect("undoable");
    assert_eq!(at.page.say("more").await.map(drop), Err(ChatRefusal::TimedOut));
    at.by.act(Act::Undo { action }).await.expect("undone");
    at.page.say("more").await.expect("said");
    at.by.act(Act::Timeout { whom: whom("Bo"), seconds: 3 }).await.expect("timed out");
    assert_eq!(at.page.say("more").await.map(drop), Err(ChatRefusal::TimedOut));
    tokio::time::sleep(Duration::from_millis(3_010)).await;
    at.page.say("more").await.expect("said");
}

#[tokio::test]
async fn a_timeout_outlives_cleared_cookies_for_as_long_as_it_lasts() {
    let mut at = scene().await;
    at.page.say("spam").await.expect("said");
    at.by.act(Act::Timeout { whom: whom("Bo"), seconds: 600 }).await.expect("timed out");
    let (fresh, _) = at.house.domain.new_visitor().expect("a visitor");
    let mut evader = Page::open(&at.house, at.room, chatter(Some(fresh), "198.51.100.7"), None).await;
    assert_eq!(evader.say("back").await.map(drop), Err(ChatRefusal::TimedOut));
    let mut other = Page::open(&at.house, at.room, chatter(Some(fresh), "203.0.113.5"), None).await;
    other.say("from elsewhere").await.expect("nobody else is meant");
    let account = at.house.domain.create_account("cem", "correct horse", false).await.expect("an account");
    let mut neighbour = Page::open(&at.house, at.room, chatter(Some(account.id), "198.51.100.7"), None).await;
    neighbour.say("an account is not its neighbour").await.expect("said");
    at.by.act(Act::Unban { whom: Whom::Id(fresh) }).await.expect("lifted");
    evader.say("thanks").await.expect("said");
}

#[tokio::test]
async fn who_is_silenced_is_not_named_by_coming_going_or_renaming() {
    let mut at = scene_with(|limits| limits.counts_every = Duration::from_millis(20)).await;
    at.by
        .next(|event| match event {
            ServerEvent::People { joined, .. } => joined.iter().any(|author| author.name == "Bo").then_some(()),
            _ => None,
        })
        .await;
    at.by.act(Act::Ban { whom: whom("Bo"), seconds: None }).await.expect("banned");
    at.page.standing().await;
    at.house.domain.rename(at.guest, "Worse", &[at.room]).await.expect("renamed");
    let Scene { house, room, guest, mut by, page, .. } = at;
    drop(page);
    by.until_chatting(1).await;
    let again = Page::open(&house, room, chatter(Some(guest), "198.51.100.7"), None).await;
    by.until_chatting(2).await;
    drop(again);
    by.until_chatting(1).await;
    // Somebody else who comes after that is the only one who is named.
    let (other, _) = house.domain.new_visitor().expect("a visitor");
    house.domain.rename(other, "Cem", &[]).await.expect("renamed");
    let _third = Page::open(&house, room, chatter(Some(other), "203.0.113.5"), None).await;
    let mut names: Vec<String> = Vec::new();
    while !names.iter().any(|name| name == "Cem") {
        let told = by.next(|event| match event {
            ServerEvent::People { joined, left, .. } => Some(joined.into_iter().chain(left).collect::<Vec<_>>()),
            _ => None,
        });
        names.extend(told.await.into_iter().map(|author| author.name));
    }
    assert_eq!(names, ["Cem"]);
}

#[tokio::test]
async fn bans_that_are_over_are_forgotten() {
    let mut at = scene().await;
    at.page.say("spam").await.expect("said");
    let db = rusqlite::Connection::open(at.house.dir.path().join("madang.sqlite3")).expect("opens");
    for _ in 0..3 {
        at.by.act(Act::Timeout { whom: whom("Bo"), seconds: 20 }).await.expect("timed out");
    }
    at.by.act(Act::Unban { whom: whom("Bo") }).await.expect("lifted");
    assert_eq!(at.house.number("SELECT count(*) FROM chat_bans"), 3, "undoing may still need them");
    // More than a minute passes.
    db.execute_batch("UPDATE chat_bans SET until = until - 80000, lifted_at = lifted_at - 80000").expect("changed");
    at.by.act(Act::Ban { whom: whom("Bo"), seconds: None }).await.expect("banned");
    assert_eq!(at.house.number("SELECT count(*) FROM chat_bans"), 1);
}

#[tokio::test]
async fn moderators_stand_below_the_owner_and_beside_each_other() {
    let mut at = scene().await;
    at.page.say("hello").await.expect("said");
    assert_eq!(at.page.act(Act::Delete { seq: Seq(1) }).await, Err(ChatRefusal::NotAllowed));
    let make = |whom, on| Act::SetModerator { whom, on };
    at.by.act(make(whom("Bo"), true)).await.expect("made");
    assert_eq!(at.page.standing().await.role, Role::Moderator);
    let line = at.page.state.entries.len();
    assert_eq!(line, 0);
    let (other, _) = at.house.domain.new_visitor().expect("a visitor");
    at.house.domain.moderate(at.room, at.owner, make(Whom::Id(at.owner), false), "").await.expect_err("oneself");
    let mut third = Page::open(&at.house, at.room, chatter(Some(other), "203.0.113.9"), None).await;
    third.say("hi").await.expect("said");
    at.by.act(make(Whom::Id(other), true)).await.expect("made");
    for whom in [Whom::Id(at.owner), Whom::Id(other)] {
        let ban = Act::Ban { whom: whom.clone(), seconds: None };
        assert_eq!(at.page.act(ban).await, Err(ChatRefusal::NotAllowed), "{whom:?}");
    }
    assert_eq!(at.page.act(make(Whom::Id(other), false)).await, Err(ChatRefusal::NotAllowed));
    let ban = Act::Ban { whom: Whom::Id(other), seconds: None };
    at.by.act(make(Whom::Id(other), false)).await.expect("unmade");
    at.page.act(ban).await.expect("a viewer again");
    let What::Say(said) = at.page.say("badged").await.expect("said").what else { panic!("a message") };
    assert_eq!(said.author.role, Role::Moderator);
    // The badge's name is nobody else's.
    let (imitator, _) = at.house.domain.new_visitor().expect("a visitor");
    let refused = at.house.domain.rename(imitator, "Во", &[at.room]).await;
    assert_eq!(refused, Err(ChatRefusal::NameTaken.into()));
}

#[tokio::test]
async fn two_who_change_two_modes_at_once_both_have_their_way() {
    let at = scene().await;
    // Neither has heard of the other's.
    at.by.member.moderate(Act::SetMode { mode: ModeChange::Slow(5) }, "", "a");
    at.by.member.moderate(Act::SetMode { mode: ModeChange::Links(false) }, "", "b");
    let mut by = at.by;
    let wanted = Modes { slow_s: 5, links: false, ..Modes::default() };
    by.next(|event| match event {
        ServerEvent::Entries { entries, .. } => entries
            .iter()
            .any(|entry| matches!(&entry.what, What::System(SystemLine::Modes { modes, .. }) if *modes == wanted))
            .then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn modes_ask_something_of_viewers_and_nothing_of_moderators() {
    let mut at = scene().await;
    let set = |modes| Act::SetModes { modes };
    let modes = |change: fn(&mut Modes)| {
        let mut modes = Modes::default();
        change(&mut modes);
        modes
    };
    for (change, said, refusal) in [
        (modes(|modes| modes.closed = true), "hello", ChatRefusal::Closed),
        (modes(|modes| modes.accounts_only = true), "hello", ChatRefusal::AccountsOnly),
        (modes(|modes| modes.links = false), "see example.com", ChatRefusal::Links),
    ] {
        at.by.act(set(change)).await.expect("set");
        assert_eq!(at.page.say(said).await.map(drop), Err(refusal));
        at.by.say(said).await.expect("said");
    }
    at.by.act(set(modes(|modes| modes.unique = true))).await.expect("set");
    at.page.say("Only once").await.expect("said");
    assert_eq!(at.page.say("only  ONCE").await.map(drop), Err(ChatRefusal::Repeated));
    let slow = at.by.act(set(modes(|modes| modes.slow_s = 100))).await.expect("set").expect("undoable");
    assert_eq!(at.page.say("too soon").await.map(drop), Err(ChatRefusal::Slow));
    at.by.act(Act::Undo { action: slow }).await.expect("undone");
    at.page.say("soon enough").await.expect("said");
    assert_eq!(at.page.say("soon  enough").await.map(drop), Err(ChatRefusal::Repeated), "the mode before is back");
    assert_eq!(at.by.act(set(modes(|modes| modes.slow_s = 121))).await, Err(ChatRefusal::TooLong));
    let lines = at.house.domain.chat_page(at.room, None).await.expect("read").entries;
    let told = lines.iter().filter(|entry| matches!(entry.what, What::System(SystemLine::Modes { .. }))).count();
    assert_eq!(told, 6);
}

#[tokio::test]
async fn a_filter_finds_words_in_whatever_letters() {
    let mut at = scene().await;
    at.by.act(Act::SetFilter { words: vec!["spam*".into()] }).await.expect("set");
    let word = at.by.act(Act::FilterWord { word: "바보".into(), on: true }).await.expect("set").expect("undoable");
    for said in ["SPAM", "ѕраmmer", "이 바보야"] {
        assert_eq!(at.page.say(said).await.map(drop), Err(ChatRefusal::Filtered), "{said}");
    }
    at.by.say("spam").await.expect("said by the owner");
    at.by.act(Act::Undo { action: word }).await.expect("undone");
    at.page.say("이 바보야").await.expect("said");
    at.by.act(Act::FilterWord { word: "SPAM*".into(), on: false }).await.expect("set");
    at.page.say("spam").await.expect("said");
    assert_eq!(crate::Domain::test_filter(&["spam*".into()], "ＳＰＡＭ!").as_deref(), Some("spam*"));
}

#[tokio::test]
async fn everything_is_in_the_log_page_by_page() {
    let mut at = scene().await;
    at.page.say("bad").await.expect("said");
    at.by.act(Act::Ban { whom: whom("bo"), seconds: Some(3600) }).await.expect("banned");
    let action = at.by.act(Act::SetModes { modes: Modes { closed: true, ..Modes::default() } }).await.expect("set");
    at.by.act(Act::Undo { action: action.expect("undoable") }).await.expect("undone");
    let page = async |before, limit| at.house.domain.action_log(at.owner, &at.slug, before, limit).await.expect("read");
    let all = page(None, 1000).await;
    let acts = |page: &[ActionRecord]| page.iter().map(|action| action.act.clone()).collect::<Vec<_>>();
    assert_eq!(acts(&all), ["undo", "set_modes", "ban"]);
    assert!(all[1].undone && !all[2].undone);
    let ban = &all[2];
    assert_eq!((ban.by.split('#').next(), ban.whom.split('#').next()), (Some("Ana"), Some("Bo")));
    assert_eq!((ban.reason.as_str(), ban.message.as_str(), ban.whom_id), ("because", "bad", Some(at.guest)));
    assert_eq!(ban.until.map(|until| until.since(ban.at)), Some(3_600_000));
    assert_eq!(page(None, 1).await, all[..1]);
    assert_eq!(page(Some(all[0].id), 10).await, all[1..]);
    assert_eq!(page(Some(all[2].id), 10).await, []);
    let refused = at.house.domain.action_log(at.guest, &at.slug, None, 10).await;
    assert_eq!(refused, Err(Error::Forbidden));
    let card = at.house.domain.person_card(at.owner, &at.slug, at.guest).await.expect("a card");
    assert!(card.messages[0].deleted && card.muted.is_some());
    assert_eq!(card.actions.len(), 1);
}

#[tokio::test]
async fn three_messages_in_two_seconds_and_ten_times_that_for_moderators() {
    let mut at = scene_with(|limits| (limits.burst, limits.rate_per) = (5, Duration::from_secs(3_600))).await;
    for n in 0..5 {
        at.page.say(&format!("message {n}")).await.expect("said");
    }
    assert_eq!(at.page.say("too fast").await.map(drop), Err(ChatRefusal::TooFast));
    for n in 0..30 {
        at.by.say(&format!("message {n}")).await.expect("said");
    }
}

#[tokio::test]
async fn a_browser_without_a_cookie_only_reads() {
    let mut at = scene().await;
    let mut nobody = Page::open(&at.house, at.room, chatter(None, "192.0.2.1"), None).await;
    assert_eq!(nobody.say("hello").await.map(drop), Err(ChatRefusal::NoCookie));
    assert_eq!(nobody.act(Act::Delete { seq: Seq(1) }).await, Err(ChatRefusal::NoCookie));
    at.page.say("hello").await.expect("said");
    assert_eq!(nobody.entries().await.len(), 1);
}

#[tokio::test]
async fn a_guest_without_a_name_is_meant_by_what_pages_call_them() {
    let mut at = scene().await;
    let (nameless, _) = at.house.domain.new_visitor().expect("a visitor");
    let mut page = Page::open(&at.house, at.room, chatter(Some(nameless), "203.0.113.9"), None).await;
    page.say("hello").await.expect("said");
    let tag = crate::chat::tag::tag(nameless);
    let ban = |name: &str| Act::Ban { whom: whom(name), seconds: None };
    assert_eq!(at.by.act(ban("Guest")).await, Err(ChatRefusal::NotFound), "many are called that");
    for name in [format!("@Guest#{tag}"), format!("@guest#{}", tag.to_uppercase()), format!("손님#{tag}")] {
        let done = at.by.act(ban(&name)).await.expect(&name).expect("can be undone");
        at.by.act(Act::Undo { action: done }).await.expect("undone");
    }
    // Also when they have left.
    drop(page);
    at.by.act(ban(&format!("@Guest#{tag}"))).await.expect("banned");
    let log = at.house.domain.action_log(at.owner, at.room, None, 10).await.expect("read");
    assert!(log.len() == 7 && log.iter().all(|record| record.whom_id == Some(nameless)), "{log:?}");
}
