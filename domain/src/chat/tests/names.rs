//! Names: whose they are, and whose they only look like.

use super::{Page, house};
use crate::{Error, PersonKind};
use madang_protocol::{
    chat::{ChatRefusal, Role, What},
    realtime::ServerEvent,
};

#[tokio::test]
async fn a_visitor_is_a_guest_before_they_are_written_down() {
    let house = house(|_| {});
    let (id, cookie) = house.domain.new_visitor().expect("a visitor");
    let known = house.domain.identify(cookie.as_str()).await.expect("asked").expect("known");
    assert_eq!((known.id, known.kind, known.name.as_str()), (id, PersonKind::Guest, ""));
    assert_eq!(house.domain.person(id).await, Ok(None));
    let (room, _) = house.domain.create_room(id, crate::testing::draft("first")).await.expect("a room");
    assert_eq!((room.owner, house.domain.person(id).await.expect("read").expect("there").name), (id, "Ana".to_owned()));
}

#[tokio::test]
async fn the_first_message_writes_its_author_down_with_a_stable_tag() {
    let house = house(|_| {});
    let (_, room, _) = house.room("one").await;
    let (id, cookie) = house.domain.new_visitor().expect("a visitor");
    let mut page = Page::of(&house, room.id, id).await;
    let What::Say(said) = page.say("hello").await.expect("said").what else { panic!("a message") };
    assert_eq!((said.author.id, said.author.name.as_str(), said.author.role), (id, "", Role::Viewer));
    assert_eq!(said.author.tag.len(), 3);
    let person = house.domain.identify(cookie.as_str()).await.expect("asked").expect("known");
    assert_eq!(house.domain.you(Some(&person)).tag, said.author.tag);
    assert_eq!(house.number("SELECT count(*) FROM persons"), 2);
    let mut other_tab = Page::of(&house, room.id, id).await;
    let you = house.domain.rename(id, " Bo ", &[room.id]).await.expect("renamed");
    assert_eq!((you.name.as_str(), &you.tag), ("Bo", &said.author.tag));
    let told = other_tab.next(|event| match event {
        ServerEvent::You { you } => Some(you),
        _ => None,
    });
    assert_eq!(told.await, you);
    let What::Say(said) = page.say("again").await.expect("said").what else { panic!("a message") };
    assert_eq!(said.author.name, "Bo");
}

#[tokio::test]
async fn nobody_poses_as_somebody_with_a_badge() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    house.domain.create_account("paypal", "correct horse", false).await.expect("an account");
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let rename = async |name: &str| house.domain.rename(guest, name, &[room.id]).await;
    let taken = [
        "Ana",
        "ANA",
        "Аna",
        "Αnа",
        "Ａｎａ",
        "A\u{200b}na",
        "A n a",
        "𝐀𝐧𝐚",
        "раураl",
        "PAYPAL",
        "paypa1",
        "admin",
        "0wner",
        "Мoderator",
        "madang",
        "\u{200b}\u{200b}",
    ];
    for name in taken {
        assert_eq!(rename(name).await, Err(ChatRefusal::NameTaken.into()), "{name}");
    }
    assert_eq!(rename("").await, Err(ChatRefusal::Empty.into()));
    assert_eq!(rename("a\u{202e}b").await, Err(ChatRefusal::Characters.into()));
    assert_eq!(rename(&"x".repeat(33)).await, Err(ChatRefusal::TooLong.into()));
    rename("Anna").await.expect("another name");
    house.domain.rename(owner.id, "Ana", &[room.id]).await.expect("one's own name");
    // Free where it was chosen, and imitating somebody here: not shown here.
    house.domain.rename(guest, "Аna", &[]).await.expect("free there");
    let mut page = Page::of(&house, room.id, guest).await;
    let What::Say(said) = page.say("I am the owner").await.expect("said").what else { panic!("a message") };
    assert_eq!((said.author.name.as_str(), said.author.role), ("", Role::Viewer));
    let mut page = Page::of(&house, room.id, owner.id).await;
    let What::Say(said) = page.say("no").await.expect("said").what else { panic!("a message") };
    assert_eq!((said.author.name.as_str(), said.author.role), ("Ana", Role::Owner));
}

#[tokio::test]
async fn earlier_names_are_on_the_card() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let mut page = Page::of(&house, room.id, guest).await;
    for name in ["One", "Two", "Three"] {
        house.domain.rename(guest, name, &[room.id]).await.expect("renamed");
    }
    page.say("hello").await.expect("said");
    let card = house.domain.person_card(owner.id, &room.slug, guest).await.expect("a card");
    assert_eq!((card.author.name.as_str(), card.earlier_names), ("Three", vec!["Two".to_owned(), "One".to_owned()]));
    assert_eq!(card.messages.len(), 1);
    assert_eq!(house.domain.person_card(guest, &room.slug, owner.id).await.map(drop), Err(Error::Forbidden));
    assert_eq!(page.member.card(owner.id).await.map(drop), Err(ChatRefusal::NotAllowed.into()));
}
