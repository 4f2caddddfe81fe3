//! Names: whose they are, and whose they only look like.

use super::{Page, house};
use crate::{Error, PersonKind};
use madang_protocol::{
    Field, FieldIssue, Problem, RoomId,
    chat::{Act, ChatRefusal, Role, What, Whom},
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

#[tokio::test]
async fn a_room_s_filter_is_for_guests_names_too() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let mut by = Page::of(&house, room.id, owner.id).await;
    by.act(Act::SetFilter { words: vec!["turnip*".into()] }).await.expect("set");
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let rename = async |name: &str, rooms: &[RoomId]| house.domain.rename(guest, name, rooms).await;
    assert_eq!(rename("Big Turnips", &[room.id]).await, Err(ChatRefusal::Filtered.into()));
    assert_eq!(rename("Тurnip", &[room.id]).await, Err(ChatRefusal::Filtered.into()), "in whatever letters");
    house.domain.rename(owner.id, "Turnip", &[room.id]).await.expect("the owner's own affair");
    // Chosen elsewhere: nameless here, and named as soon as the word is let go.
    rename("Turnip Fan", &[]).await.expect("free there");
    let mut page = Page::of(&house, room.id, guest).await;
    let author = async |page: &mut Page| match page.say("hello").await.expect("said").what {
        What::Say(said) => said.author.name,
        _ => String::new(),
    };
    assert_eq!(author(&mut page).await, "");
    by.act(Act::SetFilter { words: Vec::new() }).await.expect("set");
    assert_eq!(author(&mut page).await, "Turnip Fan");
    let account = house.domain.create_account("turnipking", "correct horse", false).await.expect("an account");
    by.act(Act::SetFilter { words: vec!["turnip*".into()] }).await.expect("set");
    let mut page = Page::of(&house, room.id, account.id).await;
    assert_eq!(author(&mut page).await, "turnipking", "an account has its login for a name");
}

#[tokio::test]
async fn names_are_changed_at_a_pace() {
    let house = house(|limits| limits.renames = 3);
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    for name in ["admin", "One", "owner", "Two", "Three"] {
        let renamed = house.domain.rename(guest, name, &[]).await;
        assert_eq!(renamed.is_ok(), !["admin", "owner"].contains(&name), "a name that is refused costs nothing");
    }
    let refused = house.domain.rename(guest, "Four", &[]).await.expect_err("too fast");
    assert_eq!(refused.reason, ChatRefusal::TooFast);
    assert!(refused.until.is_some());
    let (other, _) = house.domain.new_visitor().expect("a visitor");
    house.domain.rename(other, "One", &[]).await.expect("everybody has their own");
}

#[tokio::test]
async fn a_new_name_is_told_where_its_person_is_and_nowhere_else() {
    let house = house(|_| {});
    let (_, one, _) = house.room("one").await;
    let (_, two, _) = house.room("two").await;
    let (_, three, _) = house.room("three").await;
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    let rooms = || house.domain.0.shared.chats.rooms_of(guest);
    let mut first = Page::of(&house, one.id, guest).await;
    let mut second = Page::of(&house, two.id, guest).await;
    let second_tab = Page::of(&house, two.id, guest).await;
    let (stranger, _) = house.domain.new_visitor().expect("a visitor");
    let _elsewhere = Page::of(&house, three.id, stranger).await;
    assert_eq!(rooms(), [one.id, two.id]);
    house.domain.rename(guest, "Bo", &[one.id]).await.expect("renamed");
    for page in [&mut first, &mut second] {
        page.next(|event| matches!(event, ServerEvent::You { you } if you.name == "Bo").then_some(())).await;
    }
    drop(second_tab);
    drop(first);
    super::until(|| rooms() == [two.id]).await;
    drop(second);
    super::until(|| rooms().is_empty()).await;
}

#[tokio::test]
async fn a_moderator_s_new_name_is_nobody_else_s() {
    let house = house(|_| {});
    let (owner, room, _) = house.room("one").await;
    let (friend, _) = house.domain.new_visitor().expect("a visitor");
    let mut by = Page::of(&house, room.id, owner.id).await;
    let mut page = Page::of(&house, room.id, friend).await;
    page.say("hello").await.expect("said");
    by.act(Act::SetModerator { whom: Whom::Id(friend), on: true }).await.expect("made");
    drop(page);
    let (guest, _) = house.domain.new_visitor().expect("a visitor");
    house.domain.rename(guest, "Nova", &[]).await.expect("free there");
    // Not there at that moment.
    house.domain.rename(friend, "Nova", &[]).await.expect("renamed");
    let mut page = Page::of(&house, room.id, guest).await;
    let What::Say(said) = page.say("hello").await.expect("said").what else { panic!("a message") };
    assert_eq!(said.author.name, "");
}

#[tokio::test]
async fn a_room_s_form_takes_no_name_of_the_house_s_or_an_account_s() {
    let house = house(|_| {});
    house.domain.create_account("paypal", "correct horse", false).await.expect("an account");
    let (visitor, _) = house.domain.new_visitor().expect("a visitor");
    let named = |name: &str| {
        let mut draft = crate::testing::draft("one");
        draft.owner_name = name.to_owned();
        draft
    };
    let issue = |problem| Err(Error::Invalid(vec![FieldIssue::new(Field::Name, problem)]));
    for (name, problem) in [("Admin", Problem::Reserved), ("Мoderator", Problem::Reserved), ("раураl", Problem::Taken)]
    {
        assert_eq!(house.domain.create_room(visitor, named(name)).await.map(drop), issue(problem), "{name}");
    }
    let (room, _) = house.domain.create_room(visitor, named("Mina")).await.expect("a room");
    for name in ["0wner", "Mina B"] {
        let edited = house.domain.edit_room(visitor, &room.slug, named(name)).await.expect("edited");
        assert_eq!(edited.owner_name, "Mina", "a room's form changes nobody's name");
        assert_eq!(house.domain.room(&room.slug).await.expect("read").expect("there").owner_name, "Mina");
    }
    // Who is called so already goes on being called so, as a room's owner made on the command line is.
    let staff = house.domain.create_guest("Madang").await.expect("a guest");
    let mut draft = named("Madang");
    draft.slug = crate::testing::slug("two");
    house.domain.create_room(staff.id, draft).await.expect("a room");
}
