//! Sessions: how many, how long, and what ends them.

use super::accounts::{PASSWORD, visit, with};
use crate::{
    Admission, DomainChange, Error, Visit,
    testing::{House, next},
};
use madang_protocol::{Field, FieldIssue, Problem};
use std::time::Duration;

fn here() -> Visit {
    visit("192.0.2.1", None)
}

async fn is_in(house: &House, token: &crate::Token) -> bool {
    house.domain.session(token.expose()).await.expect("read").is_some()
}

/// Moves every session into the past, as the clock would.
fn age(house: &House, column: &str, by: Duration) {
    let db = rusqlite::Connection::open(house.dir.path().join("madang.sqlite3")).expect("opens");
    db.execute_batch(&format!("UPDATE sessions SET {column} = {column} - {}", by.as_millis())).expect("aged");
}

#[tokio::test]
async fn a_session_that_nobody_made_lets_nobody_in() {
    let house = House::new();
    let (ana, token) = house.domain.register("Ana", PASSWORD, Admission::Policy, &here()).await.expect("made");
    for shown in ["", "x", &"A".repeat(43), &format!("{}A", &token.expose()[..42]), &ana.id.to_string()] {
        let same = shown == token.expose();
        assert_eq!(house.domain.session(shown).await.expect("read").is_some(), same, "{shown}");
    }
    assert!(is_in(&house, &token).await);
}

#[tokio::test]
async fn logging_in_gives_another_session_and_ends_the_one_it_replaces() {
    let house = House::new();
    let (ana, first) = house.domain.register("Ana", PASSWORD, Admission::Policy, &here()).await.expect("made");
    let session = house.domain.session(first.expose()).await.expect("read").expect("in").id;
    let again = Visit { session: Some(session), ..here() };
    let (_, second) = house.domain.log_in("ana", PASSWORD, &again).await.expect("in");
    assert_ne!(first.expose(), second.expose());
    assert!(!is_in(&house, &first).await && is_in(&house, &second).await);
    let listed = house.domain.sessions(ana.id, None).await.expect("read");
    assert_eq!((listed.len(), listed[0].from.as_str(), listed[0].agent.as_str()), (1, "192.0.2.1", "A browser"));
}

#[tokio::test]
async fn a_person_has_so_many_sessions_and_the_one_used_least_lately_ends() {
    let house = with(|rules| rules.sessions_per_person = 2);
    let (_, first) = house.domain.register("Ana", PASSWORD, Admission::Policy, &here()).await.expect("made");
    age(&house, "used", Duration::from_secs(10));
    let (_, second) = house.domain.log_in("ana", PASSWORD, &here()).await.expect("in");
    age(&house, "used", Duration::from_secs(10));
    let mut changes = house.domain.changes();
    let (_, third) = house.domain.log_in("ana", PASSWORD, &here()).await.expect("in");
    assert!(matches!(next(&mut changes).await, DomainChange::SessionsEnded(ended) if ended.len() == 1));
    let alive = [is_in(&house, &first).await, is_in(&house, &second).await, is_in(&house, &third).await];
    assert_eq!(alive, [false, true, true]);
}

#[tokio::test]
async fn sessions_end_when_they_are_not_used_and_when_they_are_old() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let house = House::new();
    let (ana, token) = house.domain.register("Ana", PASSWORD, Admission::Policy, &here()).await.expect("made");
    let id = house.domain.session(token.expose()).await.expect("read").expect("in").id;
    age(&house, "used", DAY * 13);
    assert!(is_in(&house, &token).await, "which is a use");
    // A write comes after those that were posted.
    house.domain.rename_person(ana.id, ana.id, "Anne").await.expect("renamed");
    age(&house, "used", DAY * 13);
    assert_eq!(house.domain.ended_sessions(vec![id]).await, Ok(vec![]), "an open page is a use too");
    house.domain.rename_person(ana.id, ana.id, "Ann").await.expect("renamed");
    age(&house, "used", DAY * 13);
    assert!(is_in(&house, &token).await);
    house.domain.rename_person(ana.id, ana.id, "Anna").await.expect("renamed");
    age(&house, "used", DAY * 15);
    assert!(!is_in(&house, &token).await, "two weeks without a use");
    assert_eq!(house.domain.ended_sessions(vec![id]).await, Ok(vec![id]));
    assert_eq!(house.domain.sessions(ana.id, None).await, Ok(vec![]));

    let (_, token) = house.domain.log_in("ana", PASSWORD, &here()).await.expect("in");
    age(&house, "since", DAY * 91);
    assert!(!is_in(&house, &token).await, "three months at most");
    drop(house.domain.clone());
    let again = crate::Domain::open(house.dir.path()).expect("opens");
    for _ in 0..100 {
        if house.number("SELECT count(*) FROM sessions") == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(house.number("SELECT count(*) FROM sessions"), 0, "and then it is forgotten");
    drop(again);
}

#[tokio::test]
async fn a_new_password_ends_every_other_session_and_wants_the_old_one() {
    let house = House::new();
    let domain = &house.domain;
    let (ana, here_) = domain.register("Ana", PASSWORD, Admission::Policy, &here()).await.expect("made");
    let (_, there) = domain.log_in("ana", PASSWORD, &here()).await.expect("in");
    let wrong = domain.change_password(ana.id, "wrong password", "battery staple", &here()).await.map(drop);
    assert_eq!(wrong, Err(Error::Invalid(vec![FieldIssue::new(Field::CurrentPassword, Problem::Wrong)])));
    let short = domain.change_password(ana.id, PASSWORD, "short", &here()).await.map(drop);
    assert!(matches!(short, Err(Error::Invalid(issues)) if issues[0].field == Field::Password));
    let next = domain.change_password(ana.id, PASSWORD, "battery staple", &here()).await.expect("changed");
    assert!(!is_in(&house, &here_).await && !is_in(&house, &there).await && is_in(&house, &next).await);
    assert_eq!(domain.log_in("ana", PASSWORD, &here()).await.map(drop), Err(Error::WrongLogin));
    domain.log_in("ana", "battery staple", &here()).await.expect("in");
}

#[tokio::test]
async fn logging_out_ends_one_or_all_and_is_told() {
    let house = House::new();
    let domain = &house.domain;
    let (ana, one) = domain.register("Ana", PASSWORD, Admission::Policy, &here()).await.expect("made");
    let (_, two) = domain.log_in("ana", PASSWORD, &here()).await.expect("in");
    let (_, three) = domain.log_in("ana", PASSWORD, &here()).await.expect("in");
    let id = domain.session(one.expose()).await.expect("read").expect("in").id;
    let mut changes = domain.changes();
    let bea = domain.create_account("bea", PASSWORD, false).await.expect("made");
    domain.log_out(bea.id, id).await.expect("nothing of hers");
    assert!(is_in(&house, &one).await, "nobody ends another's session");
    domain.log_out(ana.id, id).await.expect("out");
    assert_eq!(next(&mut changes).await, DomainChange::SessionsEnded(vec![id]));
    assert!(!is_in(&house, &one).await && is_in(&house, &two).await);
    assert_eq!(domain.log_out_everywhere(ana.id).await, Ok(2));
    assert!(!is_in(&house, &two).await && !is_in(&house, &three).await);
}
