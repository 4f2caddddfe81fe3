//! The studio's forms and the footer's, as a browser without scripts posts them.

use crate::{
    house::{Answer, House},
    rtmp_client::Client,
};

const STUDIO: &str = "/rooms/my-room/studio";

/// A room with its owner's cookie and its key.
struct Desk {
    house: House,
    cookie: String,
    key: String,
}

impl Desk {
    async fn open() -> Self {
        let house = House::open().await;
        let made = house.post_form("/rooms/new", &form("A room"), None).await;
        let cookie = made.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
        Self { cookie: cookie.to_owned(), key: key_in(&made), house }
    }

    async fn post(&self, fields: &[(&str, &str)]) -> Answer {
        let answer = self.house.post_form(STUDIO, fields, Some(&self.cookie)).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{fields:?}");
        answer
    }

    /// The id of the room's only key in force.
    fn key_id(&self) -> String {
        let listed = self.house.command(&["room", "keys", "my-room"]);
        let line = listed.lines().find(|line| line.contains("in force")).expect("a key in force");
        line.split('\t').next().expect("an id").to_owned()
    }

    async fn publish(&self, key: &str) -> (Client, String) {
        let mut client = Client::connect(self.house.addresses.rtmp).await.expect("connects");
        let status = client.publish("live", key).await.expect("an answer");
        (client, status.code)
    }
}

fn form(title: &str) -> [(&str, &str); 8] {
    [
        ("do", "edit-room"),
        ("owner_name", "Ana"),
        ("title", title),
        ("slug", "my-room"),
        ("category", "other"),
        ("language", "en"),
        ("visibility", "public"),
        ("tags", "rust"),
    ]
}

fn key_in(answer: &Answer) -> String {
    let start = answer.body.find("sk_").expect("a key on the page");
    answer.body[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

#[tokio::test]
async fn a_room_is_edited_and_a_wrong_edit_keeps_what_was_typed() {
    let desk = Desk::open().await;
    desk.post(&form("Another title")).await;
    let room = desk.house.get("/api/v1/rooms/my-room").await.json();
    assert_eq!((room["title"].as_str(), &room["tags"][0]), (Some("Another title"), &"rust".into()));
    let mut wrong = form("");
    wrong[7].1 = "rust, night";
    let answer = desk.house.post_form(STUDIO, &wrong, Some(&desk.cookie)).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("rust, night") && answer.body.contains("aria-invalid"), "{}", answer.body);
    assert_eq!(desk.house.get("/api/v1/rooms/my-room").await.json()["title"], "Another title");
}

#[tokio::test]
async fn a_stream_is_ended_and_may_come_back() {
    let desk = Desk::open().await;
    let (mut client, code) = desk.publish(&desk.key).await;
    assert_eq!(code, "NetStream.Publish.Start");
    desk.post(&[("do", "end-stream")]).await;
    assert_eq!(
        client.status().await.expect("read").map(|status| status.code).as_deref(),
        Some("NetStream.Publish.Rejected")
    );
    client.closed().await.expect("closed");
    assert_eq!(desk.publish(&desk.key).await.1, "NetStream.Publish.Start");
}

#[tokio::test]
async fn a_key_is_rotated_then_revoked_and_who_streams_with_it_is_cut() {
    let desk = Desk::open().await;
    let (mut client, _) = desk.publish(&desk.key).await;
    let rotated = desk.post(&[("do", "rotate-key"), ("key", &desk.key_id())]).await;
    let fresh = key_in(&rotated);
    assert_ne!(fresh, desk.key);
    client.closed().await.expect("closed");
    assert_eq!(desk.publish(&desk.key).await.1, "NetStream.Publish.Denied");
    let (mut client, code) = desk.publish(&fresh).await;
    assert_eq!(code, "NetStream.Publish.Start");
    let revoked = desk.post(&[("do", "revoke-key"), ("key", &desk.key_id())]).await;
    assert!(!revoked.body.contains("sk_"));
    client.closed().await.expect("closed");
    assert_eq!(desk.publish(&fresh).await.1, "NetStream.Publish.Denied");
}

#[tokio::test]
async fn a_room_is_deleted_only_by_its_typed_name() {
    let desk = Desk::open().await;
    let wrong = desk.house.post_form(STUDIO, &[("do", "delete-room"), ("confirm", "my-rom")], Some(&desk.cookie)).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(desk.house.get("/rooms/my-room").await.status, 200);
    desk.post(&[("do", "delete-room"), ("confirm", "my-room")]).await;
    assert_eq!(desk.house.get("/rooms/my-room").await.status, 404);
    assert_eq!(desk.publish(&desk.key).await.1, "NetStream.Publish.Denied");
}

#[tokio::test]
async fn the_footers_form_changes_the_language_and_goes_back() {
    let house = House::open().await;
    let (origin, page) = (house.origin(), format!("{}/rooms/new", house.origin()));
    for (lang, browser) in [("ko", "en"), ("en", "ko")] {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "text/html"),
            ("accept-language", browser),
            ("origin", origin.as_str()),
            ("referer", page.as_str()),
        ];
        let answer = house.request("POST", "/fn/set_language", &headers, &format!("lang={lang}")).await;
        let location = answer.header("location").map(|location| location.trim_end_matches('?'));
        assert_eq!((answer.status, location), (302, Some(page.as_str())));
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
        assert_eq!(cookie, format!("lang={lang}"));
        let headers = [("cookie", cookie), ("accept-language", browser)];
        let again = house.request("GET", "/rooms/new", &headers, "").await;
        assert!(again.body.contains(&format!("<html lang=\"{lang}\"")), "{}", again.body);
    }
}
