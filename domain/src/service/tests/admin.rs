//! Administration: what administrators do and nobody else, whom bans hold, and what is written down.

use super::accounts::{PASSWORD, visit, with};
use crate::{
    AdminAct, Admission, Bar, CutReason, DomainLimits, Error, MakeRooms, NotThat, OnAirStatus, Person, PublishRefusal,
    Registration, Visit,
    chat::tests::{Page, chatter},
    testing::{Cut, House, draft, encoder},
};
use madang_protocol::{
    KeyId, PersonId,
    chat::{Act, ChatRefusal, Whom},
};

/// Somebody's first visit from another household.
fn elsewhere() -> Visit {
    visit("203.0.113.9", None)
}

async fn boss(house: &House) -> PersonId {
    house.domain.create_account("Boss", PASSWORD, true).await.expect("made").id
}

async fn ana(house: &House) -> Person {
    let made = house.domain.register("Ana", PASSWORD, Admission::Policy, &visit("192.0.2.1", None)).await;
    made.expect("made").0
}

fn banned(error: &Error) -> bool {
    matches!(error, Error::Barred(Bar::Banned { .. }))
}

/// The log, the newest first, without who.
async fn log(house: &House, by: PersonId) -> Vec<(String, String)> {
    let actions = house.domain.admin_log(by, None, 100).await.expect("read");
    actions.into_iter().map(|action| (action.act, action.whom)).collect()
}

#[tokio::test]
async fn nobody_but_administrators_administers() {
    let house = House::new();
    let (boss, ana) = (boss(&house).await, ana(&house).await);
    let (guest, _) = house.guest().await;
    for nobody in [ana.id, guest.id, PersonId::from_random(99)] {
        let done = house.domain.administer(nobody, AdminAct::Promote { person: nobody, on: true }, "").await;
        assert_eq!(done.err(), Some(Error::Forbidden));
        assert_eq!(house.domain.admin_live(nobody).await, Err(Error::Forbidden));
        assert_eq!(house.domain.admin_log(nobody, None, 10).await, Err(Error::Forbidden));
        assert_eq!(house.domain.admin_person(nobody, ana.id).await, Err(Error::Forbidden));
    }
    let people = house.domain.admin_people(boss, "AN", false, 0).await.expect("read");
    assert_eq!(people.rows.iter().map(|row| row.person.name.as_str()).collect::<Vec<_>>(), ["Ana"]);
    assert_eq!(house.domain.admin_people(boss, "", true, 0).await.expect("read").rows.len(), 1, "the guest");
    house.domain.administer(boss, AdminAct::Promote { person: ana.id, on: true }, "helps").await.expect("done");
    assert!(house.domain.admin_live(ana.id).await.is_ok());
    assert_eq!(log(&house, boss).await[0], ("promote".into(), "ana".into()));
}

#[tokio::test]
async fn the_last_administrator_stays_and_none_is_locked_or_banned() {
    let house = House::new();
    let (boss, ana) = (boss(&house).await, ana(&house).await);
    let domain = &house.domain;
    for act in [AdminAct::Promote { person: boss, on: false }, AdminAct::DeleteAccount { person: boss }] {
        let done = domain.administer(boss, act, "").await;
        assert_eq!(done.err(), Some(Error::NotThat(NotThat::LastAdministrator)));
    }
    domain.administer(boss, AdminAct::Promote { person: ana.id, on: true }, "").await.expect("done");
    let ban = AdminAct::Ban { person: ana.id, seconds: None, household: true };
    for act in [AdminAct::Lock { person: ana.id, on: true }, ban] {
        let done = domain.administer(boss, act, "").await;
        assert_eq!(done.err(), Some(Error::NotThat(NotThat::Administrator)));
    }
    domain.administer(ana.id, AdminAct::Promote { person: boss, on: false }, "").await.expect("there is another");
    assert_eq!(domain.admin_live(boss).await, Err(Error::Forbidden));
    assert_eq!(log(&house, ana.id).await[0], ("demote".into(), "boss".into()), "what was refused is not in the log");
}

#[tokio::test]
async fn a_locked_account_lets_nobody_in_until_it_is_unlocked() {
    let house = House::new();
    let boss = boss(&house).await;
    let domain = &house.domain;
    let (ana, token) =
        domain.register("Ana", PASSWORD, Admission::Policy, &visit("192.0.2.1", None)).await.expect("made");
    domain.administer(boss, AdminAct::Lock { person: ana.id, on: true }, "stolen").await.expect("done");
    assert_eq!(domain.session(token.expose()).await, Ok(None));
    assert_eq!(domain.log_in("ana", "guessed it", &elsewhere()).await.err(), Some(Error::WrongLogin), "says nothing");
    assert_eq!(domain.log_in("ana", PASSWORD, &elsewhere()).await.err(), Some(Error::Barred(Bar::Locked)));
    domain.administer(boss, AdminAct::Lock { person: ana.id, on: false }, "").await.expect("done");
    domain.log_in("ana", PASSWORD, &elsewhere()).await.expect("in");
    let browsers = domain.admin_person(boss, ana.id).await.expect("read").sessions;
    let session = browsers[0].id;
    domain.administer(boss, AdminAct::EndSession { person: ana.id, session }, "").await.expect("done");
    assert_eq!(domain.admin_person(boss, ana.id).await.expect("read").sessions, []);
}

#[tokio::test]
async fn a_new_password_is_set_once_by_the_way_that_was_given() {
    let house = House::new();
    let (boss, ana) = (boss(&house).await, ana(&house).await);
    let domain = &house.domain;
    let given = domain.administer(boss, AdminAct::ResetPassword { person: ana.id }, "").await.expect("done");
    let code = given.code.expect("a code");
    assert!(!house.files_have(code.expose()), "the code is nowhere");
    assert_eq!(domain.reset_for(code.expose(), &elsewhere()).await, Ok(Some("Ana".into())));
    assert_eq!(domain.reset_for("guessed", &elsewhere()).await, Ok(None));
    assert!(matches!(domain.use_reset(code.expose(), "short", &elsewhere()).await, Err(Error::Invalid(_))));
    let token = domain.use_reset(code.expose(), "another staple", &elsewhere()).await.expect("set");
    assert_eq!(domain.session(token.expose()).await.expect("read").map(|s| s.person.id), Some(ana.id));
    assert_eq!(domain.use_reset(code.expose(), "a third staple", &elsewhere()).await.err(), Some(Error::NotFound));
    assert_eq!(domain.log_in("ana", PASSWORD, &elsewhere()).await.err(), Some(Error::WrongLogin));
    domain.log_in("ana", "another staple", &elsewhere()).await.expect("in");
}

#[tokio::test]
async fn a_banned_person_is_out_everywhere_and_so_are_guests_from_where_they_were() {
    let house = House::new();
    let (_, other, _) = house.room("other-room").await;
    let (boss, ana) = (boss(&house).await, ana(&house).await);
    let domain = &house.domain;
    let (room, key) = domain.make_room(ana.id, draft("my-room")).await.expect("a room");
    house.air.put(room.id, OnAirStatus { encoder: Some(encoder(KeyId::from_random(2))), ..OnAirStatus::default() });
    let here = |guest| visit("192.0.2.1", guest);
    let mut page = Page::open(&house, other.id, chatter(Some(ana.id), "198.51.100.7"), None).await;
    assert!(page.say("before").await.is_ok());
    let ban = AdminAct::Ban { person: ana.id, seconds: None, household: true };
    domain.administer(boss, ban, "spam").await.expect("done");
    let muted = page.standing().await.muted.expect("told");
    assert!(muted.banned && muted.reason == "spam");
    assert_eq!(page.say("after").await.err(), Some(ChatRefusal::Banned));
    assert_eq!(house.air.cuts(), [Cut::Room(room.id, CutReason::ByAdministrator)]);
    let from = "203.0.113.9".parse().expect("an address");
    assert_eq!(domain.authorize_publish(key.expose(), from, "obs").await.err(), Some(PublishRefusal::Banned));
    let told = domain.log_in("ana", PASSWORD, &elsewhere()).await.expect_err("out");
    assert_eq!(told, Error::Barred(Bar::Banned { until: None, reason: "spam".into() }));
    assert!(banned(&domain.make_room(ana.id, draft("another")).await.expect_err("out")));
    // Cleared cookies: another guest, and another account, from the same household.
    let (fresh, _) = house.guest().await;
    let register = domain.register("Zoe", PASSWORD, Admission::Policy, &here(Some(fresh.id))).await;
    assert!(banned(&register.expect_err("out")));
    let mut cleared = Page::open(&house, other.id, chatter(Some(fresh.id), "192.0.2.1"), None).await;
    assert_eq!(cleared.say("it is me").await.err(), Some(ChatRefusal::Banned));
    assert!(domain.barred(Some(&fresh), "192.0.2.1".parse().expect("an address")).is_err());
    assert!(domain.barred(Some(&fresh), "192.0.2.2".parse().expect("an address")).is_ok(), "neighbours are not meant");
    // Lifted, everything is as it was.
    let bans = domain.admin_bans(boss).await.expect("read");
    assert_eq!((bans.len(), bans[0].by.as_str(), bans[0].reason.as_str()), (1, "Boss", "spam"));
    domain.administer(boss, AdminAct::Unban { ban: bans[0].id }, "").await.expect("lifted");
    domain.log_in("ana", PASSWORD, &elsewhere()).await.expect("in");
    domain.register("Zoe", PASSWORD, Admission::Policy, &here(Some(fresh.id))).await.expect("made");
    let log = log(&house, boss).await;
    assert_eq!(log[..2], [("unban".into(), "ana".into()), ("ban".into(), "ana".into())]);
}

#[tokio::test]
async fn a_banned_network_holds_everybody_there_but_administrators_until_it_ends() {
    let house = House::new();
    let (boss, ana) = (boss(&house).await, ana(&house).await);
    let domain = &house.domain;
    for wrong in ["", "everywhere", "10.0.0.0/8", "::/0", "2001:db8::/31", "192.0.2.1/33"] {
        let act = AdminAct::BanNetwork { network: wrong.into(), seconds: None };
        assert_eq!(domain.administer(boss, act, "").await.err(), Some(Error::NotThat(NotThat::Network)), "{wrong}");
    }
    let act = AdminAct::BanNetwork { network: " 192.0.2.77/24 ".into(), seconds: Some(3600) };
    domain.administer(boss, act, "a flood").await.expect("done");
    let at = visit("192.0.2.200", None);
    assert!(banned(&domain.log_in("ana", PASSWORD, &at).await.expect_err("out")), "accounts too");
    assert_eq!(domain.log_in("ana", "guessed it", &at).await.err(), Some(Error::WrongLogin));
    assert!(banned(&domain.register("Zoe", PASSWORD, Admission::Policy, &at).await.expect_err("out")));
    domain.log_in("boss", PASSWORD, &at).await.expect("somebody has to lift it");
    domain.log_in("ana", PASSWORD, &elsewhere()).await.expect("from elsewhere she may");
    let (_, key) = domain.make_room(ana.id, draft("my-room")).await.expect("a room");
    let refused = domain.authorize_publish(key.expose(), "192.0.2.5".parse().expect("an address"), "obs").await;
    assert_eq!(refused.err(), Some(PublishRefusal::Banned));
    let ban = &domain.admin_bans(boss).await.expect("read")[0];
    assert_eq!(ban.networks[0].to_string(), "192.0.2.0/24");
    assert_eq!(ban.until.map(|until| until.since(ban.at)), Some(3_600_000));
    assert_eq!(log(&house, boss).await[0], ("ban-network".into(), "192.0.2.0/24".into()));
}

#[tokio::test]
async fn a_banned_moderator_moderates_nothing() {
    let house = House::new();
    let (owner, room, _) = house.room("my-room").await;
    let (boss, ana) = (boss(&house).await, ana(&house).await);
    let domain = &house.domain;
    let act = Act::SetModerator { whom: Whom::Id(ana.id), on: true };
    domain.moderate(room.id, owner.id, act, "").await.expect("named");
    let ban = AdminAct::Ban { person: ana.id, seconds: None, household: false };
    domain.administer(boss, ban, "").await.expect("done");
    let done = domain.moderate(room.id, ana.id, Act::SetFilter { words: vec!["x".into()] }, "").await;
    assert_eq!(done.err().map(|refused| refused.reason), Some(ChatRefusal::NotAllowed));
}

#[tokio::test]
async fn what_administrators_decide_holds_over_the_configuration_until_it_is_taken_back() {
    let house = with(|rules| rules.registration = Registration::Closed);
    let boss = boss(&house).await;
    let domain = &house.domain;
    assert_eq!(domain.registration(), Registration::Closed);
    domain.administer(boss, AdminAct::Registration(Some(Registration::Open)), "").await.expect("done");
    domain.administer(boss, AdminAct::MakeRooms(Some(MakeRooms::Administrators)), "").await.expect("done");
    let (ana, _) = domain.register("Ana", PASSWORD, Admission::Policy, &elsewhere()).await.expect("made");
    assert_eq!(domain.make_room(ana.id, draft("my-room")).await.err(), Some(Error::Forbidden));
    let policy = domain.admin_policy(boss).await.expect("read");
    assert_eq!(
        (policy.registration.configured, policy.registration.in_force()),
        (Registration::Closed, Registration::Open)
    );
    let again = crate::Domain::open(house.dir.path()).expect("opens");
    assert_eq!((again.registration(), again.make_rooms()), (Registration::Open, MakeRooms::Administrators), "kept");
    domain.administer(boss, AdminAct::Registration(None), "").await.expect("done");
    assert_eq!(domain.registration(), Registration::Closed);
    let invited = domain.administer(boss, AdminAct::Invite { uses: 2, days: 3 }, "").await.expect("done");
    assert!(invited.code.is_some());
    let invitation = domain.admin_policy(boss).await.expect("read").invitations[0].id;
    domain.administer(boss, AdminAct::RevokeInvitation { invitation }, "").await.expect("done");
    assert_eq!(domain.admin_policy(boss).await.expect("read").invitations, []);
}

#[tokio::test]
async fn what_is_deleted_and_ended_goes_through_the_port() {
    let house = House::new();
    let (boss, ana) = (boss(&house).await, ana(&house).await);
    let domain = &house.domain;
    let (room, _) = domain.make_room(ana.id, draft("my-room")).await.expect("a room");
    let (second, _) = domain.make_room(ana.id, draft("second-room")).await.expect("a room");
    house.air.live(room.id, 5, 3);
    let live = domain.admin_live(boss).await.expect("read");
    assert_eq!((live.len(), live[0].room.slug.as_str(), live[0].status.watching), (1, "my-room", 3));
    domain.administer(boss, AdminAct::EndStream { room: room.id }, "music").await.expect("done");
    domain.administer(boss, AdminAct::DeleteRoom { room: room.id }, "").await.expect("done");
    assert_eq!(domain.room(&room.slug).await, Ok(None));
    domain.administer(boss, AdminAct::DeleteAccount { person: ana.id }, "").await.expect("done");
    assert_eq!(domain.account("ana").await, Ok(None));
    assert_eq!(domain.room(&second.slug).await, Ok(None));
    let cuts = house.air.cuts();
    assert_eq!(cuts[0], Cut::Room(room.id, CutReason::ByAdministrator));
    assert_eq!(cuts[1..], [Cut::Room(room.id, CutReason::RoomDeleted), Cut::Room(second.id, CutReason::RoomDeleted)]);
    let acts: Vec<String> = log(&house, boss).await.into_iter().map(|(act, _)| act).collect();
    assert_eq!(acts, ["delete-account", "delete-room", "end-stream", "create-account"], "the command line's too");
    assert_eq!(domain.administer(boss, AdminAct::EndStream { room: room.id }, "").await.err(), Some(Error::NotFound));
}

#[tokio::test]
async fn bans_and_the_log_are_bounded() {
    let mut limits = DomainLimits::default();
    (limits.site_bans, limits.site_actions) = (2, 3);
    let house = House::with(limits);
    let boss = boss(&house).await;
    let ban = |n: u8, seconds| AdminAct::BanNetwork { network: format!("192.0.2.{n}"), seconds };
    for n in 0..2 {
        house.domain.administer(boss, ban(n, None), "").await.expect("done");
    }
    assert!(matches!(house.domain.administer(boss, ban(3, None), "").await, Err(Error::LimitReached { max: 2, .. })));
    let first = house.domain.admin_bans(boss).await.expect("read")[1].id;
    house.domain.administer(boss, AdminAct::Unban { ban: first }, "").await.expect("done");
    // One that is over at once makes room for the next.
    house.domain.administer(boss, ban(4, Some(0)), "").await.expect("done");
    house.domain.administer(boss, ban(5, None), "").await.expect("done");
    assert_eq!(house.number("SELECT count(*) FROM site_bans"), 2);
    assert_eq!(house.number("SELECT count(*) FROM site_actions"), 3);
    let log = house.domain.admin_log(boss, None, 2).await.expect("read");
    let rest = house.domain.admin_log(boss, log.last().map(|action| action.id), 2).await.expect("read");
    assert_eq!((log.len(), rest.len()), (2, 1));
}

#[tokio::test]
async fn one_person_has_one_pace_in_all_rooms_together() {
    let mut limits = DomainLimits::default();
    limits.chat.per_minute = 3;
    let house = House::with(limits);
    let (one, two) = (house.room("room-one").await.1, house.room("room-two").await.1);
    let (guest, _) = house.guest().await;
    let (mut here, mut there) = (Page::of(&house, one.id, guest.id).await, Page::of(&house, two.id, guest.id).await);
    assert!(here.say("a").await.is_ok() && there.say("b").await.is_ok() && here.say("c").await.is_ok());
    assert_eq!(there.say("d").await.err(), Some(ChatRefusal::TooFast));
    let (other, _) = house.guest().await;
    assert!(Page::of(&house, two.id, other.id).await.say("e").await.is_ok(), "another is another");
}

#[tokio::test]
async fn the_guests_of_one_address_have_one_pace_and_who_writes_too_fast_takes_nothing_from_the_others() {
    let mut limits = DomainLimits::default();
    (limits.chat.per_minute, limits.chat.guests_per_minute) = (3, 5 * 6);
    let house = House::with(limits);
    let room = house.room("room-one").await.1;
    let mut guests = Vec::new();
    for _ in 0..3 {
        guests.push(Page::of(&house, room.id, house.guest().await.0.id).await);
    }
    for _ in 0..20 {
        let _ = guests[0].say("again").await;
    }
    assert!(guests[1].say("a").await.is_ok() && guests[1].say("b").await.is_ok(), "three were the first one's");
    assert_eq!(guests[2].say("c").await.err(), Some(ChatRefusal::TooFast), "another cookie");
}

#[tokio::test]
async fn another_process_sees_what_was_decided() {
    let house = House::new();
    let boss = boss(&house).await;
    let other = crate::Domain::open(house.dir.path()).expect("opens");
    let mut changes = other.changes();
    house.domain.administer(boss, AdminAct::Registration(Some(Registration::Closed)), "").await.expect("done");
    crate::testing::next(&mut changes).await;
    assert_eq!(other.registration(), Registration::Closed);
}
