//! Rooms that ask for more than their address: who is let in, by what, and when that ends.

use super::accounts::{PASSWORD, visit};
use crate::{
    Admission, DomainChange, DomainLimits, Error, Gate, Grant, Limit, Permit, PermitCookie, Shown,
    testing::{House, next, slug},
};
use madang_protocol::{
    Field, FieldIssue, PersonId, Problem, RoomSlug, Visibility,
    chat::{Act, Whom},
};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn issue<T>(field: Field, problem: Problem) -> Result<T, Error> {
    Err(Error::Invalid(vec![FieldIssue::new(field, problem)]))
}

fn holding(cookie: &PermitCookie) -> Shown {
    Shown { permits: vec![cookie.value.as_str().to_owned()], ..Shown::default() }
}

fn playing(token: &str) -> Shown {
    Shown { token: Some(token.to_owned()), ..Shown::default() }
}

impl House {
    /// A room by password; gives its owner.
    async fn by_password(&self, name: &str, password: &str) -> PersonId {
        let (owner, room, _) = self.room(name).await;
        self.domain.set_access(owner.id, &room.slug, Visibility::Password, password).await.expect("set");
        owner.id
    }

    async fn enter(&self, name: &str, password: &str, from: &str) -> Result<PermitCookie, Error> {
        self.domain.enter_by_password(&slug(name), password, &visit(from, None)).await
    }

    async fn lets_in(&self, room: &RoomSlug, shown: &Shown) -> Result<Permit, Error> {
        self.domain.admit(room, shown).await.map(|(_, permit)| permit)
    }

    async fn still(&self, permit: &Permit) -> bool {
        self.domain.standing_permits(permit.room, vec![permit.grant]).await.expect("read") == Some(vec![*permit])
    }
}

#[tokio::test]
async fn a_password_lets_in_until_there_is_another() {
    let house = House::new();
    let owner = house.by_password("my-room", "first staple").await;
    let room = slug("my-room");
    assert_eq!(house.lets_in(&room, &Shown::default()).await, Err(Error::Forbidden));
    assert_eq!(house.domain.gate(&room, &Shown::default(), None).await, Ok(Gate::Password));
    assert_eq!(house.enter("my-room", "wrong staple", "192.0.2.1").await, issue(Field::Password, Problem::Wrong));
    let cookie = house.enter("my-room", "first staple", "192.0.2.1").await.expect("in");
    assert!(cookie.name.starts_with("madang_in_") && cookie.lasts_s > 29 * 24 * 3600);
    let permit = house.lets_in(&room, &holding(&cookie)).await.expect("in");
    assert_eq!(house.domain.gate(&room, &holding(&cookie), None).await, Ok(Gate::Open));
    assert!(matches!(permit.grant, Grant::Password(_)) && permit.ends.is_none());
    assert!(house.still(&permit).await);

    let mut changes = house.domain.changes();
    house.domain.set_access(owner, &room, Visibility::Password, "").await.expect("saved");
    assert_eq!(next(&mut changes).await, DomainChange::Room(permit.room));
    assert!(house.still(&permit).await, "the password stayed");
    house.domain.set_access(owner, &room, Visibility::Password, "first staple").await.expect("set");
    assert!(!house.still(&permit).await, "the same words are another password");
    assert_eq!(house.lets_in(&room, &holding(&cookie)).await, Err(Error::Forbidden));
    assert!(!house.files_have("first staple"));
}

#[tokio::test]
async fn a_room_without_a_password_lets_nobody_in_by_one() {
    let house = House::new();
    let (owner, room, _) = house.room("my-room").await;
    let set = house.domain.set_access(owner.id, &room.slug, Visibility::Password, "").await;
    assert_eq!(set, issue(Field::Password, Problem::Empty));
    let set = house.domain.set_access(owner.id, &room.slug, Visibility::Password, "short").await;
    assert_eq!(set, issue(Field::Password, Problem::TooShort { min: 8 }));
    assert_eq!(house.enter("my-room", "anything at all", "192.0.2.1").await, Err(Error::Forbidden), "it asks for none");
    // The room's own form sets the visibility alone.
    let draft = madang_protocol::RoomDraft { visibility: Visibility::Password, ..crate::testing::draft("my-room") };
    house.domain.edit_room(owner.id, &room.slug, draft).await.expect("edited");
    assert_eq!(house.enter("my-room", "", "192.0.2.1").await, issue(Field::Password, Problem::Wrong));
    let (stranger, _) = house.guest().await;
    let set = house.domain.set_access(stranger.id, &room.slug, Visibility::Public, "").await;
    assert_eq!(set, Err(Error::Forbidden));
    assert_eq!(house.domain.access(stranger.id, &room.slug).await, Err(Error::Forbidden));
}

#[tokio::test]
async fn passwords_are_guessed_by_nobody() {
    let mut limits = DomainLimits::default();
    (limits.entrance.tries_per_minute, limits.entrance.tries_per_room) = (3, 5);
    let house = House::with(limits);
    house.by_password("my-room", "right staple").await;
    house.by_password("other-room", "right staple").await;
    let guess = async |room, from| house.enter(room, "wrong staple", from).await;
    for _ in 0..3 {
        assert_eq!(guess("my-room", "192.0.2.1").await, issue(Field::Password, Problem::Wrong));
    }
    assert!(matches!(house.enter("my-room", "right staple", "192.0.2.1").await, Err(Error::TooMany { .. })));
    assert!(matches!(guess("other-room", "192.0.2.1").await, Err(Error::TooMany { .. })), "in any room");
    let cookie = house.enter("my-room", "right staple", "192.0.2.2").await.expect("from elsewhere");
    for from in ["192.0.2.3", "192.0.2.4"] {
        assert_eq!(guess("my-room", from).await, issue(Field::Password, Problem::Wrong));
    }
    let late = house.enter("my-room", "right staple", "192.0.2.5").await;
    assert!(matches!(late, Err(Error::TooMany { retry_after_s: 1..=721 })), "many addresses, one room: {late:?}");
    assert!(house.lets_in(&slug("my-room"), &holding(&cookie)).await.is_ok(), "who is in stays in");
    assert!(house.enter("other-room", "right staple", "192.0.2.5").await.is_ok(), "another room is another");
}

#[tokio::test]
async fn a_link_lets_in_as_many_as_it_says_until_it_ends_or_is_revoked() {
    let house = House::new();
    let (owner, room, _) = house.room("my-room").await;
    let (domain, room) = (&house.domain, room.slug);
    domain.set_access(owner.id, &room, Visibility::Invitation, "").await.expect("set");
    let (link, code) = domain.new_link(owner.id, &room, "Friends", HOUR, Some(2)).await.expect("made");
    assert_eq!((link.name.as_str(), link.used, link.uses), ("Friends", 0, Some(2)));
    assert!(!house.files_have(code.expose()));
    let enter =
        async |shown: &Shown, code: &str| domain.enter_by_link(&room, code, shown, &visit("192.0.2.1", None)).await;
    let nothing = Shown::default();
    assert_eq!(domain.gate(&room, &nothing, None).await, Ok(Gate::Invitation { shown: None }));
    assert_eq!(domain.gate(&room, &nothing, Some(code.expose())).await, Ok(Gate::Invitation { shown: Some(true) }));
    assert_eq!(domain.gate(&room, &nothing, Some("junk")).await, Ok(Gate::Invitation { shown: Some(false) }));
    assert_eq!(enter(&nothing, "junk").await, issue(Field::Invitation, Problem::Wrong));
    let first = enter(&nothing, code.expose()).await.expect("in");
    assert!((3590..=3600).contains(&first.lasts_s), "{}", first.lasts_s);
    enter(&holding(&first), code.expose()).await.expect("the same browser is not counted again");
    enter(&nothing, code.expose()).await.expect("in");
    assert_eq!(enter(&nothing, code.expose()).await, issue(Field::Invitation, Problem::Wrong), "used up");
    let permit = house.lets_in(&room, &holding(&first)).await.expect("in");
    assert_eq!((permit.grant, permit.ends), (Grant::Link(link.id), Some(link.ends)));
    assert_eq!(domain.access(owner.id, &room).await.expect("read").links[0].used, 2);

    domain.revoke_link(owner.id, &room, link.id).await.expect("revoked");
    assert!(!house.still(&permit).await);
    assert_eq!(house.lets_in(&room, &holding(&first)).await, Err(Error::Forbidden));
    assert_eq!(enter(&holding(&first), code.expose()).await, issue(Field::Invitation, Problem::Wrong));

    let (short, code) = domain.new_link(owner.id, &room, "Short", Duration::from_secs(3), None).await.expect("made");
    let cookie = enter(&nothing, code.expose()).await.expect("in");
    let permit = house.lets_in(&room, &holding(&cookie)).await.expect("in");
    assert_eq!(permit.ends, Some(short.ends));
    while house.still(&permit).await {
        tokio::task::yield_now().await;
    }
    assert!(crate::clock::now() >= short.ends, "not before its end");
    assert_eq!(house.lets_in(&room, &holding(&cookie)).await, Err(Error::Forbidden));
}

#[tokio::test]
async fn what_lets_into_one_room_is_nothing_in_another_and_nothing_where_it_is_not_asked_for() {
    let house = House::new();
    let owner = house.by_password("my-room", "right staple").await;
    house.by_password("other-room", "right staple").await;
    let cookie = house.enter("my-room", "right staple", "192.0.2.1").await.expect("in");
    let permit = house.lets_in(&slug("my-room"), &holding(&cookie)).await.expect("in");
    let token = house.domain.play_token(&permit).expect("a token");
    for shown in [holding(&cookie), playing(token.expose())] {
        assert!(house.lets_in(&slug("my-room"), &shown).await.is_ok());
        assert_eq!(house.lets_in(&slug("other-room"), &shown).await, Err(Error::Forbidden));
    }
    let here = "192.0.2.1".parse().expect("an address");
    for secret in [token.expose(), cookie.value.as_str()] {
        let refused = house.domain.authorize_publish(secret, here, "").await;
        assert_eq!(refused.map(drop), Err(crate::PublishRefusal::NotAKey), "playing is not publishing");
    }
    // By link only: the password's cookie is worth nothing until a password is asked for again.
    house.domain.set_access(owner, &slug("my-room"), Visibility::Invitation, "").await.expect("set");
    assert_eq!(house.lets_in(&slug("my-room"), &playing(token.expose())).await, Err(Error::Forbidden));
    house.domain.set_access(owner, &slug("my-room"), Visibility::Unlisted, "").await.expect("set");
    assert_eq!(house.lets_in(&slug("my-room"), &Shown::default()).await.map(|permit| permit.grant), Ok(Grant::Open));
    assert!(house.still(&permit).await, "everybody may be there");
    house.domain.set_access(owner, &slug("my-room"), Visibility::Password, "").await.expect("it has one");
    assert!(house.lets_in(&slug("my-room"), &holding(&cookie)).await.is_ok());
    let open = Permit { grant: Grant::Open, ..permit };
    assert!(!house.still(&open).await, "the address alone was enough only then");
}

#[tokio::test]
async fn who_moderates_is_let_in_for_as_long_as_they_do() {
    let house = House::new();
    let domain = &house.domain;
    let owner = house.by_password("my-room", "right staple").await;
    let (room, mut changes) = (slug("my-room"), domain.changes());
    let (boss, _) = {
        domain.create_account("boss", PASSWORD, true).await.expect("made");
        domain.log_in("boss", PASSWORD, &visit("192.0.2.1", None)).await.expect("in")
    };
    let (maja, _) =
        domain.register("Maja", PASSWORD, Admission::Policy, &visit("192.0.2.1", None)).await.expect("made");
    let as_ = |person| Shown::person(Some(person));
    assert!(house.lets_in(&room, &as_(owner)).await.is_ok() && house.lets_in(&room, &as_(boss.id)).await.is_ok());
    assert_eq!(house.lets_in(&room, &as_(maja.id)).await, Err(Error::Forbidden), "any account");
    let set = async |on| {
        let whom = Whom::Id(maja.id);
        domain.moderate(&room, owner, Act::SetModerator { whom, on }, "").await.expect("named");
    };
    set(true).await;
    let permit = house.lets_in(&room, &as_(maja.id)).await.expect("in");
    assert_eq!(permit.grant, Grant::Role(maja.id));
    let token = domain.play_token(&permit).expect("a token");
    assert!(house.lets_in(&room, &playing(token.expose())).await.is_ok());
    while changes.try_recv().is_ok() {}
    set(false).await;
    assert_eq!(next(&mut changes).await, DomainChange::Room(permit.room), "those who let people in are told");
    assert!(!house.still(&permit).await);
    assert_eq!(house.lets_in(&room, &playing(token.expose())).await, Err(Error::Forbidden));
}

#[tokio::test]
async fn rooms_that_ask_are_in_no_list() {
    let house = House::new();
    house.by_password("my-room", "right staple").await;
    let (owner, room, _) = house.room("your-room").await;
    house.domain.set_access(owner.id, &room.slug, Visibility::Invitation, "").await.expect("set");
    house.air.live(room.id, 1, 5);
    assert_eq!(house.domain.directory().await, Ok(vec![]));
    assert_eq!(house.domain.directory_card(room.id).await, Ok(None));
    let read = house.domain.room(&room.slug).await.expect("read").expect("there");
    assert_eq!(read.visibility, Visibility::Invitation);
    assert_eq!(house.number("SELECT count(*) FROM rooms WHERE visibility = 'unlisted'"), 2);
}

#[tokio::test]
async fn links_have_bounds() {
    let house = House::with(DomainLimits { links_per_room: 2, ..DomainLimits::default() });
    let (owner, room, _) = house.room("my-room").await;
    let make = async |name: &str, lasts, uses| {
        house.domain.new_link(owner.id, &room.slug, name, lasts, uses).await.map(|(link, _)| link.id)
    };
    assert_eq!(make(" ", HOUR, None).await, issue(Field::KeyName, Problem::Empty));
    for (lasts, uses) in [(Duration::ZERO, None), (HOUR * 24 * 367, None), (HOUR, Some(0)), (HOUR, Some(10_001))] {
        assert_eq!(make("a", lasts, uses).await, issue(Field::Invitation, Problem::NotAChoice));
    }
    let first = make("a", HOUR, None).await.expect("made");
    make("b", HOUR, Some(1)).await.expect("made");
    assert_eq!(make("c", HOUR, None).await, Err(Error::LimitReached { limit: Limit::LinksPerRoom, max: 2 }));
    house.domain.revoke_link(owner.id, &room.slug, first).await.expect("revoked");
    make("c", HOUR, None).await.expect("there is a place again");
    let (stranger, _) = house.guest().await;
    let theirs = house.domain.new_link(stranger.id, &room.slug, "a", HOUR, None).await;
    assert_eq!(theirs.map(drop), Err(Error::Forbidden));
    assert_eq!(house.domain.revoke_link(stranger.id, &room.slug, first).await, Err(Error::Forbidden));
}
