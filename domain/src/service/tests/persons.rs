//! Guests and accounts.

use crate::{Error, PersonKind, testing::House};
use madang_protocol::{Field, FieldIssue, Problem};

#[tokio::test]
async fn a_guest_is_known_by_their_cookie_only() {
    let house = House::new();
    let (person, cookie) = house.guest().await;
    assert_eq!((person.kind.clone(), person.name.as_str()), (PersonKind::Guest, ""));
    assert_eq!(house.domain.person_of(cookie.as_str()).await, Some(person.clone()));
    assert!(cookie.as_str().starts_with(&format!("v1.{}.", person.id)));

    let (other, theirs) = house.guest().await;
    let signature = cookie.as_str().rsplit_once('.').expect("a signature").1;
    let swapped = format!("v1.{}.{signature}", other.id);
    let upper = cookie.as_str().to_uppercase();
    for tampered in ["", "v1..", &person.id.to_string(), &swapped, &upper, &format!("{} ", cookie.as_str())] {
        assert_eq!(house.domain.identify(tampered).await, Ok(None), "{tampered}");
    }
    assert_eq!(House::new().domain.person_of(theirs.as_str()).await, None, "another installation's");
    assert!(!house.files_have(signature), "a stolen database makes no cookies");
}

#[tokio::test]
async fn an_account_s_login_is_one_however_it_is_written() {
    let house = House::new();
    let ana = house.domain.create_account(" Ana ", "correct horse", true).await.expect("an account");
    assert_eq!(ana.kind, PersonKind::Account { login: "ana".into(), admin: true });
    assert_eq!(ana.name, "Ana");
    let taken = Err(Error::Invalid(vec![FieldIssue::new(Field::Name, Problem::Taken)]));
    for same in ["ana", "ANA", "Ａｎａ"] {
        assert_eq!(house.domain.create_account(same, "correct horse", false).await, taken);
        assert_eq!(house.domain.person_named(same).await, Ok(ana.clone()));
    }
    let bad = house.domain.create_account("", "short", false).await;
    let issues = vec![
        FieldIssue::new(Field::Name, Problem::Empty),
        FieldIssue::new(Field::Password, Problem::TooShort { min: 8 }),
    ];
    assert_eq!(bad, Err(Error::Invalid(issues)));
}

#[tokio::test]
async fn two_who_want_one_login_at_once_do_not_both_have_it() {
    let house = House::new();
    let make = || house.domain.create_account("ana", "correct horse", false);
    let (one, other) = tokio::join!(make(), make());
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|made| **made).count(), 1);
    assert_eq!(house.number("SELECT count(*) FROM persons"), 1);
}

#[tokio::test]
async fn a_name_without_an_account_makes_a_guest_each_time() {
    let house = House::new();
    let one = house.domain.person_named("Bea").await.expect("a guest");
    let other = house.domain.person_named("Bea").await.expect("a guest");
    assert_eq!((one.kind, one.name.as_str()), (PersonKind::Guest, "Bea"));
    assert_ne!(one.id, other.id);
    assert!(matches!(house.domain.create_guest("\u{202e}x").await, Err(Error::Invalid(_))));
}
