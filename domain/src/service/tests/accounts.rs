//! Registering, logging in, and what an account takes along when it comes and when it goes.

use crate::{
    Admission, CutReason, DomainChange, DomainLimits, Error, MakeRooms, PersonKind, Registration, Visit,
    testing::{Cut, House, draft, next, slug},
};
use madang_protocol::{
    Field, FieldIssue, PersonId, Problem,
    chat::{Act, Whom},
};

pub(super) const PASSWORD: &str = "correct horse";

pub(super) fn visit(address: &str, guest: Option<PersonId>) -> Visit {
    Visit { address: address.parse().expect("an address"), agent: "A browser".into(), guest, session: None }
}

fn here() -> Visit {
    visit("192.0.2.1", None)
}

fn issue(field: Field, problem: Problem) -> Error {
    Error::Invalid(vec![FieldIssue::new(field, problem)])
}

/// A house with other rules.
pub(super) fn with(change: impl FnOnce(&mut crate::AccountRules)) -> House {
    let mut limits = DomainLimits::default();
    change(&mut limits.accounts);
    House::with(limits)
}

#[tokio::test]
async fn a_guest_who_registers_stays_who_they_are_and_their_cookie_is_void() {
    let house = House::new();
    let domain = &house.domain;
    let (guest, cookie) = house.guest().await;
    let (room, _) = domain.create_room(guest.id, draft("my-room")).await.expect("a room");
    let (_, other, _) = house.room("other-room").await;
    let whom = Whom::Id(guest.id);
    domain.moderate(other.id, other.owner, Act::SetModerator { whom, on: true }, "").await.expect("named");
    let mut changes = domain.changes();
    let (ana, token) =
        domain.register("Ana", PASSWORD, Admission::Policy, &visit("192.0.2.1", Some(guest.id))).await.expect("made");
    assert_eq!(next(&mut changes).await, DomainChange::GuestRegistered(guest.id));
    assert_eq!((ana.id, &ana.kind), (guest.id, &PersonKind::Account { login: "ana".into(), admin: false }));
    assert_eq!(domain.rooms_of(ana.id).await.expect("read")[0].slug, room.slug);
    assert!(domain.moderation_view(ana.id, other.id).await.is_ok(), "still a moderator there");
    assert_eq!(domain.identify(cookie.as_str()).await, Ok(None), "the guest's cookie is nobody's");
    assert_eq!(domain.session(token.expose()).await.expect("read").map(|session| session.person), Some(ana));
    let again = domain.register("Bea", PASSWORD, Admission::Policy, &visit("192.0.2.1", Some(guest.id))).await;
    assert_ne!(again.expect("another").0.id, guest.id, "an old cookie is no way into the account");
}

#[tokio::test]
async fn who_logs_in_takes_their_guest_s_rooms_along() {
    let house = House::new();
    let domain = &house.domain;
    let (mina, _) = domain.register("Mina", PASSWORD, Admission::Policy, &here()).await.expect("made");
    let (guest, cookie) = house.guest().await;
    let draft = madang_protocol::RoomDraft { owner_name: "Somebody".into(), ..draft("my-room") };
    let (room, _) = domain.create_room(guest.id, draft).await.expect("a room");
    let (_, other, _) = house.room("other-room").await;
    let ban = Act::Ban { whom: Whom::Id(guest.id), seconds: None };
    domain.moderate(other.id, other.owner, ban, "").await.expect("banned");
    domain.log_in("MINA", PASSWORD, &visit("192.0.2.1", Some(guest.id))).await.expect("in");
    assert_eq!(domain.room(&room.slug).await.expect("read").expect("there").owner, mina.id);
    assert!(domain.chat_page(other.id, Some(mina.id)).await.expect("read").standing.muted.is_some(), "the ban holds");
    assert_eq!(domain.identify(cookie.as_str()).await.expect("read").map(|guest| guest.id), Some(guest.id));
    assert_eq!(domain.rooms_of(guest.id).await, Ok(vec![]), "who logs out again is a guest without them");
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_one_answer_after_the_same_work() {
    let house = House::new();
    house.domain.register("Ana", PASSWORD, Admission::Policy, &here()).await.expect("made");
    for (login, password) in
        [("ana", "correct house"), ("nobody", PASSWORD), ("", ""), ("\u{202e}", "x"), ("ana", &"x".repeat(9999))]
    {
        let before = house.domain.0.hashers.compared();
        assert_eq!(house.domain.log_in(login, password, &here()).await.map(drop), Err(Error::WrongLogin), "{login}");
        assert_eq!(house.domain.0.hashers.compared(), before + 1, "{login}: a password was compared");
    }
    house.domain.log_in(" Ａｎａ ", PASSWORD, &here()).await.expect("however it is written");
}

#[tokio::test]
async fn guessing_is_slowed_by_address_and_by_account_and_keeps_no_owner_out() {
    let house = with(|rules| (rules.log_ins_per_minute, rules.log_ins_per_account) = (3, 5));
    let domain = &house.domain;
    domain.register("Ana", PASSWORD, Admission::Policy, &visit("2001:db8::1", None)).await.expect("made");
    let try_from = |address: &'static str, password: &'static str| async move {
        domain.log_in("ana", password, &visit(address, None)).await.map(drop)
    };
    for _ in 0..3 {
        assert_eq!(try_from("198.51.100.1", "wrong password").await, Err(Error::WrongLogin));
    }
    assert!(matches!(try_from("198.51.100.1", PASSWORD).await, Err(Error::TooMany { retry_after_s: 1..=21 })));
    for _ in 0..2 {
        assert_eq!(try_from("198.51.100.2", "wrong password").await, Err(Error::WrongLogin));
    }
    // Many addresses together have used up what strangers may try.
    assert!(matches!(try_from("198.51.100.3", PASSWORD).await, Err(Error::TooMany { .. })));
    assert!(
        matches!(try_from("198.51.100.3", PASSWORD).await, Err(Error::TooMany { .. })),
        "and it is not asked for more"
    );
    // Its owner comes from where they have been before, and is let in; right passwords do not count.
    for _ in 0..9 {
        assert_eq!(try_from("2001:db8::2", PASSWORD).await, Ok(()));
    }
    assert!(matches!(domain.log_in("nobody", "x", &visit("198.51.100.1", None)).await, Err(Error::TooMany { .. })));
}

#[tokio::test]
async fn names_that_look_like_others_or_like_the_house_s_are_refused() {
    let house = House::new();
    let register = |name: &'static str| {
        let domain = house.domain.clone();
        async move { domain.register(name, PASSWORD, Admission::Policy, &here()).await.map(drop) }
    };
    register("Mina").await.expect("free");
    for name in ["mina", "ＭＩＮＡ", "Мina", "★ Mina", "M i n a"] {
        assert_eq!(register(name).await, Err(issue(Field::Name, Problem::Taken)), "{name}");
    }
    for name in ["admin", "Owner", "M0derator", "운영자", "mаdang"] {
        assert_eq!(register(name).await, Err(issue(Field::Name, Problem::Reserved)), "{name}");
    }
    let (eve, _) = house.domain.register("Eve", PASSWORD, Admission::Policy, &here()).await.expect("free");
    let posing = madang_protocol::RoomDraft { owner_name: "Мina".into(), ..draft("a-room") };
    let posed = house.domain.make_room(eve.id, posing).await.map(drop);
    assert_eq!(posed, Err(issue(Field::Name, Problem::Taken)), "nor by the form of a room");
}

#[tokio::test]
async fn two_who_want_one_name_at_once_do_not_both_have_it() {
    let house = House::new();
    let (from, domain) = (here(), &house.domain);
    let make = || domain.register("ana", PASSWORD, Admission::Policy, &from);
    let (one, other) = tokio::join!(make(), make());
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|made| **made).count(), 1);
}

#[tokio::test]
async fn invitations_let_in_as_many_as_they_say_until_they_are_revoked() {
    let house = with(|rules| rules.registration = Registration::Invite);
    let domain = &house.domain;
    let by = |name: &'static str, code: &str| {
        let (domain, code) = (domain.clone(), code.to_owned());
        async move { domain.register(name, PASSWORD, Admission::Invitation(code), &here()).await.map(drop) }
    };
    let closed = domain.register("Ana", PASSWORD, Admission::Policy, &here()).await.map(drop);
    assert_eq!(closed, Err(issue(Field::Invitation, Problem::Empty)));
    let (_, twice) = domain.invite(2, 1).await.expect("made");
    let (id, revoked) = domain.invite(9, 1).await.expect("made");
    assert!(!house.files_have(twice.expose()), "only its hash is kept");
    let wrong = Err(issue(Field::Invitation, Problem::Wrong));
    assert_eq!(by("Ana", "guessed").await, wrong);
    assert_eq!(by("Ana", twice.expose()).await, Ok(()));
    assert_eq!(by("Ana", twice.expose()).await, Err(issue(Field::Name, Problem::Taken)), "which uses nothing up");
    assert_eq!(domain.invitations().await.expect("read").len(), 2);
    assert_eq!(by("Bea", twice.expose()).await, Ok(()));
    assert_eq!(by("Cem", twice.expose()).await, wrong, "used up");
    domain.revoke_invitation(id).await.expect("revoked");
    assert_eq!(by("Cem", revoked.expose()).await, wrong);
    assert_eq!(domain.invitations().await, Ok(vec![]));
    for (uses, days) in [(0, 1), (1, 0), (u32::MAX, 1), (1, u32::MAX)] {
        assert!(matches!(domain.invite(uses, days).await, Err(Error::Invalid(_))));
    }
}

#[tokio::test]
async fn invitations_are_not_to_be_guessed() {
    let house = with(|rules| (rules.registration, rules.log_ins_per_minute) = (Registration::Invite, 3));
    let from = visit("::1", None);
    let guess = || house.domain.register("Ana", PASSWORD, Admission::Invitation("x".repeat(43)), &from);
    for _ in 0..3 {
        assert_eq!(guess().await.map(drop), Err(issue(Field::Invitation, Problem::Wrong)));
    }
    assert!(matches!(guess().await, Err(Error::TooMany { .. })));
}

#[tokio::test]
async fn accounts_from_one_address_are_so_many_an_hour() {
    let house = with(|rules| rules.registrations_per_hour = 2);
    let make = |name: &'static str| {
        let domain = house.domain.clone();
        async move { domain.register(name, PASSWORD, Admission::Policy, &here()).await.map(drop) }
    };
    assert_eq!([make("Ana").await, make("Bea").await], [Ok(()), Ok(())]);
    assert!(matches!(make("Cem").await, Err(Error::TooMany { .. })));
}

#[tokio::test]
async fn the_set_up_link_makes_one_administrator_once_whatever_the_policy() {
    let house = with(|rules| rules.registration = Registration::Closed);
    let domain = &house.domain;
    let by = |admission: Admission| {
        let domain = domain.clone();
        async move { domain.register("Ana", PASSWORD, admission, &here()).await.map(|(person, _)| person.kind) }
    };
    assert_eq!(by(Admission::Policy).await, Err(Error::Forbidden));
    let old = domain.begin_setup().await.expect("read").expect("nobody administers");
    let code = domain.begin_setup().await.expect("read").expect("another");
    assert_eq!(by(Admission::Setup(old.expose().into())).await, Err(Error::Forbidden), "the newest counts");
    assert_eq!(by(Admission::Setup("guessed".into())).await, Err(Error::Forbidden));
    let made = by(Admission::Setup(code.expose().into())).await;
    assert_eq!(made, Ok(PersonKind::Account { login: "ana".into(), admin: true }));
    let again = domain.register("Bea", PASSWORD, Admission::Setup(code.expose().into()), &here()).await;
    assert_eq!(again.map(drop), Err(Error::Forbidden));
    assert!(domain.begin_setup().await.expect("read").is_none(), "somebody administers");
}

#[tokio::test]
async fn who_may_make_rooms_is_a_rule() {
    for (rule, allowed) in [
        (MakeRooms::Anyone, [true, true, true]),
        (MakeRooms::Accounts, [false, true, true]),
        (MakeRooms::Administrators, [false, false, true]),
    ] {
        let house = with(|rules| rules.make_rooms = rule);
        let (guest, _) = house.guest().await;
        let account = house.domain.create_account("bea", PASSWORD, false).await.expect("made");
        let admin = house.domain.create_account("cem", PASSWORD, true).await.expect("made");
        for ((person, allowed), name) in [guest, account, admin].iter().zip(allowed).zip(["one-x", "two-x", "three-x"])
        {
            assert_eq!(house.domain.may_make_rooms(Some(person)), allowed);
            let draft = madang_protocol::RoomDraft { owner_name: "Dua".into(), ..draft(name) };
            let made = house.domain.make_room(person.id, draft).await.map(drop);
            assert_eq!(made, if allowed { Ok(()) } else { Err(Error::Forbidden) }, "{rule:?} {name}");
        }
        assert_eq!(house.domain.may_make_rooms(None), allowed[0]);
    }
}

#[tokio::test]
async fn a_deleted_account_takes_its_rooms_and_leaves_its_words_without_a_name() {
    let house = House::new();
    let domain = &house.domain;
    let (_, other, _) = house.room("other-room").await;
    let (ana, token) = domain.register("Annabel", PASSWORD, Admission::Policy, &here()).await.expect("made");
    let (room, _) = domain.make_room(ana.id, draft("my-room")).await.expect("a room");
    domain.rename_person(ana.id, ana.id, "Annabel").await.expect("renamed");
    let mut page = crate::chat::tests::Page::of(&house, other.id, ana.id).await;
    let said = page.say("what I said").await.expect("said");
    let mut owner = crate::chat::tests::Page::of(&house, other.id, other.owner).await;
    owner.member.say("an answer", "a1", Some(said.seq));
    owner.answer("a1").await.expect("said");
    let wrong = domain.delete_account(ana.id, "wrong password", &here()).await;
    assert_eq!(wrong, Err(issue(Field::CurrentPassword, Problem::Wrong)));
    domain.delete_account(ana.id, PASSWORD, &here()).await.expect("deleted");
    assert_eq!(house.air.cuts(), [Cut::Room(room.id, CutReason::RoomDeleted)]);
    assert_eq!(domain.room(&slug("my-room")).await, Ok(None));
    assert_eq!(domain.session(token.expose()).await, Ok(None));
    assert_eq!(domain.person(ana.id).await, Ok(None));
    assert_eq!(domain.log_in("annabel", PASSWORD, &here()).await.map(drop), Err(Error::WrongLogin));
    for table in ["sessions", "accounts", "account_places", "login_looks", "person_names"] {
        let left = house.number(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(left, 0, "{table}");
    }
    let history = domain.chat_page(other.id, None).await.expect("read");
    let text = serde_json::to_string(&history.entries).expect("JSON");
    assert!(text.contains("what I said") && text.contains("an answer") && !text.contains("Annabel"), "{text}");
    // Who is there is shown the same, without a reload of the server.
    let late = crate::chat::tests::Page::of(&house, other.id, PersonId::from_random(88)).await;
    let text = serde_json::to_string(&late.state.entries).expect("JSON");
    assert!(text.contains("what I said") && !text.contains("Annabel"), "{text}");
    domain.register("Annabel", PASSWORD, Admission::Policy, &here()).await.expect("the name is free");
}

#[tokio::test]
async fn administrators_moderate_in_every_room_and_are_known_for_it() {
    let house = House::new();
    let domain = &house.domain;
    let (_, room, _) = house.room("a-room").await;
    let boss = domain.create_account("boss", PASSWORD, true).await.expect("made");
    let mut page = crate::chat::tests::Page::of(&house, room.id, boss.id).await;
    assert!(page.state.standing.role.moderates());
    let (guest, _) = house.guest().await;
    let mut guest_page = crate::chat::tests::Page::of(&house, room.id, guest.id).await;
    let said = guest_page.say("rude").await.expect("said");
    page.act(Act::Delete { seq: said.seq }).await.expect("deleted");
    let whom = Whom::Id(boss.id);
    domain
        .moderate(room.id, room.owner, Act::SetModerator { whom: Whom::Id(guest.id), on: true }, "")
        .await
        .expect("named");
    let ban = domain.moderate(room.id, guest.id, Act::Ban { whom, seconds: None }, "").await;
    assert!(ban.is_err(), "a room's moderator does nothing to them");
    assert!(domain.moderation_view(boss.id, room.id).await.is_ok());
    domain.set_admin("boss", false).await.expect("no longer");
    assert!(!page.standing().await.role.moderates(), "which they are told");
    assert_eq!(domain.moderation_view(boss.id, room.id).await.map(drop), Err(Error::Forbidden));
}

#[tokio::test]
async fn passwords_and_tokens_are_nowhere_in_the_files() {
    let house = House::new();
    let (ana, token) = house.domain.register("Ana", PASSWORD, Admission::Policy, &here()).await.expect("made");
    let next = house.domain.change_password(ana.id, PASSWORD, "battery staple", &here()).await.expect("changed");
    house.domain.begin_setup().await.expect("read").expect("a code");
    for secret in [PASSWORD, "battery staple", token.expose(), next.expose()] {
        assert!(!house.files_have(secret));
    }
}
