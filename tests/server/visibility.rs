//! Rooms by password and by invitation, as browsers and players meet them: who is let in, what leaks, and when it ends.

use crate::{
    house::{Answer, Browser, House, PATIENCE, Socket},
    rtmp_client::Client,
    stream::{Encoder, Viewer},
};
use madang::web::{GATED, Person};
use madang_domain::Actor;
use madang_protocol::{LinkId, RoomSlug, Visibility};
use serde_json::json;
use std::time::Duration;

mod play;

const ROOM: &str = "my-room";
const TITLE: &str = "Zzqx evening";
const OWNER: &str = "Zzqo";
const PASSWORD: &str = "quiet staple";
const PATH: &str = "/rooms/my-room";

fn slug(text: &str) -> RoomSlug {
    RoomSlug::parse(text).expect("a slug")
}

/// A house with one room of an account's, on the air or not.
struct Home {
    house: House,
    /// The owner's cookies.
    owner: String,
    key: String,
}

impl Home {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    async fn open_with(change: impl FnOnce(&mut madang::Config)) -> Self {
        let house = House::open_with(|config| {
            config.limits.changes_per_minute = 0;
            config.limits.registrations_per_hour = 0;
            change(config);
        })
        .await;
        let mut owner = Browser::registered(&house, OWNER).await;
        let form = [
            ("owner_name", OWNER),
            ("title", TITLE),
            ("slug", ROOM),
            ("description", "Zzqd words"),
            ("category", "other"),
            ("language", "en"),
            ("visibility", "public"),
        ];
        let made = owner.post("/rooms/new", &form).await;
        let start = made.body.find("sk_").expect("a key");
        let key = made.body[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let owner = owner.cookie();
        Self { owner, key, house }
    }

    /// The owner's browser.
    fn owner(&self) -> Browser<'_> {
        let mut browser = Browser::new(&self.house);
        for pair in self.owner.split("; ") {
            let (name, value) = pair.split_once('=').expect("a pair");
            browser.plant(name, value);
        }
        browser
    }

    async fn ask_for(&self, visibility: &str, password: &str) -> Answer {
        let form = [("do", "access"), ("visibility", visibility), ("password", password)];
        self.owner().post("/rooms/my-room/access", &form).await
    }

    /// A link that lasts so long, with its code.
    async fn link(&self, lasts: Duration, uses: Option<u32>) -> (LinkId, String) {
        let made = self.house.services.domain.new_link(Actor::Operator, &slug(ROOM), "Friends", lasts, uses).await;
        let (info, code) = made.expect("made");
        (info.id, code.expose().to_owned())
    }

    /// A browser that was let in by a link.
    async fn invited(&self, code: &str) -> Browser<'_> {
        let mut browser = Browser::new(&self.house);
        browser.get(&format!("{PATH}?invite={code}")).await;
        let entered = browser.post(PATH, &[("do", "link"), ("next", PATH)]).await;
        assert_eq!((entered.status, entered.header("location")), (303, Some(PATH)), "{}", entered.body);
        browser
    }

    /// The encoder, once the room is on the air.
    async fn on_air(&self) -> Encoder {
        let encoder = Encoder::start(&self.house, &self.key).await;
        let mut socket = self.owner().socket().await;
        socket.say(&json!({"type": "join", "room": ROOM}).to_string()).await;
        socket.hear(|event| event["type"] == "room" && event["card"]["live"]["state"] == "live").await;
        encoder
    }

    async fn opens(&self, path: &str, cookie: &str) -> bool {
        let accept = if path.starts_with("/fn/") { "application/json" } else { "text/html" };
        let headers = [("accept", accept), ("cookie", cookie)];
        let headers = if cookie.is_empty() { &headers[..1] } else { &headers[..] };
        let status = self.house.request("GET", path, headers, "").await.status;
        assert!(matches!(status, 200 | 403 | 404), "{path}: {status}");
        status == 200
    }

    /// What an RTMP player is answered.
    async fn plays(&self, name: &str) -> String {
        let mut player = Client::connect(self.house.addresses.rtmp).await.expect("connects");
        player.play(name).await.expect("an answer").code
    }

    /// The head of the answer to a WebSocket for the stream.
    async fn over_a_socket(&self, query: &str, cookie: &str, origin: &str) -> String {
        let headers = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("cookie", cookie),
            ("origin", origin),
        ];
        self.house.upgraded(&format!("/live/my-room.flv{query}"), &headers).await
    }

    async fn watches(&self, path: &str, cookie: &str) -> u16 {
        let headers = [("cookie", cookie)];
        let headers = if cookie.is_empty() { &headers[..0] } else { &headers[..] };
        self.house.request("HEAD", path, headers, "").await.status
    }
}

/// What the page of whoever is in shows for other players.
fn token_in(page: &Answer) -> String {
    let start = page.body.find("?token=").expect("an address for other players") + "?token=".len();
    page.body[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect()
}

async fn joins(mut socket: Socket) -> bool {
    socket.say(&json!({"type": "join", "room": ROOM}).to_string()).await;
    let answer = socket.hear(|event| event["type"] == "refused" || event["type"] == "chat").await;
    assert!(answer["type"] == "chat" || answer["reason"] == "not_let_in", "{answer}");
    answer["type"] == "chat"
}

/// Reads until the stream ends.
async fn ends(mut viewer: Viewer) {
    let end = async { while viewer.media().await.is_some() {} };
    tokio::time::timeout(PATIENCE, end).await.expect("playing ends");
}

#[tokio::test]
async fn a_password_is_given_once_without_scripts_and_a_new_one_ends_everybodys_stay() {
    let home = Home::open().await;
    let saved = home.ask_for("password", PASSWORD).await;
    assert!(saved.status == 200 && saved.body.contains("Saved.") && !saved.body.contains(PASSWORD), "{}", saved.status);
    let _encoder = home.on_air().await;
    let mut browser = Browser::new(&home.house);
    let gate = browser.get(PATH).await;
    assert!(gate.status == 403 && gate.body.contains("This room asks for a password"), "{}", gate.status);
    let wrong = browser.post(PATH, &[("do", "password"), ("password", "noisy staple"), ("next", PATH)]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("That is not the room’s password.") && !wrong.body.contains("noisy staple"));
    let chat = "/rooms/my-room/chat";
    assert!(browser.get(chat).await.body.contains(&format!("name=\"next\" value=\"{chat}\"")));
    let right = browser.post(PATH, &[("do", "password"), ("password", PASSWORD), ("next", chat)]).await;
    assert_eq!((right.status, right.header("location")), (303, Some(chat)));
    let set = right.header("set-cookie").expect("a cookie");
    assert!(set.starts_with("madang_in_") && set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    let page = browser.get(PATH).await;
    assert!(page.status == 200 && page.body.contains(TITLE));
    assert!(home.opens("/fn/room_page?slug=my-room", &browser.cookie()).await);

    let watching = Viewer::join_as(&home.house, ROOM, Some(&browser.cookie())).await;
    let elsewhere = format!("/live/my-room.flv?token={}", token_in(&page));
    let mut by_token = Viewer::join_path(&home.house, &elsewhere, None).await;
    assert!(by_token.media().await.is_some());
    let mut chatting = browser.socket().await;
    chatting.join(ROOM).await;
    let mut owner = home.owner().socket().await;
    owner.join(ROOM).await;
    home.ask_for("password", "another staple").await;
    ends(watching).await;
    ends(by_token).await;
    assert_eq!(chatting.close_code().await, Some(4000), "also in the chat");
    assert!(!joins(browser.socket().await).await);
    assert_eq!(browser.get(PATH).await.status, 403);
    assert_eq!(home.watches(&elsewhere, "").await, 404);
    owner.say(r#"{"type":"ping"}"#).await;
    owner.hear(|event| event["type"] == "pong").await;
    assert!(Viewer::join_as(&home.house, ROOM, Some(&home.owner)).await.media().await.is_some());
}

#[tokio::test]
async fn a_link_leaves_the_address_counts_who_goes_in_and_ends_their_stay_with_it() {
    let home = Home::open().await;
    home.ask_for("invitation", "").await;
    let made = home
        .owner()
        .post("/rooms/my-room/access", &[("do", "new-link"), ("name", "Friends"), ("hours", "24"), ("uses", "1")])
        .await;
    assert_eq!((made.status, made.header("cache-control")), (200, Some("no-store")));
    let start = made.body.find("?invite=").expect("the link") + "?invite=".len();
    let code: String = made.body[start..].chars().take(43).collect();
    let again = home.owner().get("/rooms/my-room/access").await;
    assert!(again.body.contains("0 of 1 came in") && !again.body.contains(&code), "it is shown once");

    let mut browser = Browser::new(&home.house);
    assert!(browser.get(PATH).await.body.contains("This room is by invitation"));
    for _ in 0..3 {
        // Whoever looks a link up for its preview is nobody.
        let opened = Browser::new(&home.house).get(&format!("{PATH}?invite={code}")).await;
        assert_eq!((opened.status, opened.header("location")), (303, Some(PATH)));
        assert_eq!(opened.header("referrer-policy"), Some("no-referrer"));
    }
    browser.get(&format!("{PATH}?invite={code}")).await;
    let page = browser.get(PATH).await;
    assert!(page.status == 403 && page.body.contains("You are invited") && !page.body.contains(&code));
    assert_eq!(browser.post(PATH, &[("do", "link")]).await.status, 303);
    assert_eq!(browser.has("madang_invite_my-room"), None, "it is used");
    assert!(browser.get(PATH).await.body.contains(TITLE));
    let mut late = Browser::new(&home.house);
    late.get(&format!("{PATH}?invite={code}")).await;
    assert!(late.get(PATH).await.body.contains("lets nobody in any more"));
    assert_eq!(late.post(PATH, &[("do", "link")]).await.status, 422, "used up");
    assert!(home.owner().get("/rooms/my-room/access").await.body.contains("1 of 1 came in"));

    let _encoder = home.on_air().await;
    let (link, code) = home.link(Duration::from_secs(3600), None).await;
    let friend = home.invited(&code).await;
    let watching = Viewer::join_as(&home.house, ROOM, Some(&friend.cookie())).await;
    let mut chatting = friend.socket().await;
    chatting.join(ROOM).await;
    let other = Viewer::join_as(&home.house, ROOM, Some(&browser.cookie())).await;
    let revoke = [("do", "revoke-link"), ("link", &link.to_string())];
    let revoked = home.owner().post("/rooms/my-room/access", &revoke).await;
    assert!(revoked.body.contains("The link was revoked."), "{}", revoked.status);
    ends(watching).await;
    assert_eq!(chatting.close_code().await, Some(4000));
    assert!(!joins(friend.socket().await).await);
    let mut other = other;
    assert!(other.media().await.is_some(), "who came by another link stays");
}

#[tokio::test]
async fn guessing_a_rooms_password_is_stopped_by_address_and_by_room() {
    let home = Home::open_with(|config| {
        config.limits.room_tries_per_minute = 3;
        config.limits.room_tries_per_room = 5;
        config.public.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    })
    .await;
    home.ask_for("password", PASSWORD).await;
    let origin = home.house.origin();
    let guess = async |from: &str, password: &str| {
        let headers = [
            ("origin", origin.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-forwarded-for", from),
        ];
        let body = crate::house::form(&[("do", "password"), ("password", password)]);
        home.house.request("POST", PATH, &headers, &body).await
    };
    for _ in 0..3 {
        assert_eq!(guess("192.0.2.1", "noisy staple").await.status, 422);
    }
    let stopped = guess("192.0.2.1", PASSWORD).await;
    assert!(stopped.status == 429 && stopped.header("retry-after").is_some(), "{}", stopped.status);
    assert!(stopped.body.contains("Try again in") && stopped.body.contains("This room asks for a password"));
    assert_eq!(guess("192.0.2.2", PASSWORD).await.status, 303, "a right one from elsewhere");
    for from in ["192.0.2.3", "192.0.2.4"] {
        assert_eq!(guess(from, "noisy staple").await.status, 422);
    }
    assert_eq!(guess("192.0.2.5", PASSWORD).await.status, 429, "many addresses are no more tries");
}

#[tokio::test]
async fn a_room_that_asks_is_in_no_list_and_says_nothing_of_itself() {
    let home = Home::open().await;
    let mut directory = home.house.socket().await;
    directory.say(r#"{"type":"join_directory"}"#).await;
    directory.hear(|event| event["type"] == "directory" && event.to_string().contains(ROOM)).await;
    let visitor = home.house.visitor().await;
    let open = home.on_air().await;
    let watching = Viewer::join_as(&home.house, ROOM, Some(&visitor)).await;
    let mut chatting = home.house.socket_as(&visitor).await;
    chatting.join(ROOM).await;
    home.ask_for("password", PASSWORD).await;
    directory.hear(|event| event["type"] == "directory_gone" && event["room"] == ROOM).await;
    ends(watching).await;
    assert_eq!(chatting.close_code().await, Some(4000), "who was there without being asked has to go");
    drop(open);
    let _encoder = home.on_air().await;
    for visibility in ["password", "invitation"] {
        home.ask_for(visibility, "").await;
        let headers = [("cookie", visitor.as_str())];
        for path in [
            "/",
            "/?q=zzqx",
            PATH,
            "/rooms/my-room/chat",
            "/rooms/my-room/studio",
            "/rooms/my-room/access",
            "/rooms/my-room/moderation",
            "/rooms/my-room/moderation/log.csv",
            "/api/v1/rooms",
            "/api/v1/rooms/my-room",
            "/fn/list_rooms",
            "/fn/room_page?slug=my-room",
            "/live/my-room.flv",
            "/metrics",
        ] {
            let answer = home.house.request("GET", path, &headers, "").await;
            for word in [TITLE, OWNER, "Zzqd"] {
                assert!(!answer.body.contains(word), "{word} in {path}, {visibility}");
            }
            let lists = ["/", "/?q=zzqx", "/api/v1/rooms", "/fn/list_rooms", "/metrics"].contains(&path);
            assert!(if lists { answer.status == 200 } else { matches!(answer.status, 403 | 404) }, "{path}");
            assert!(!lists || !answer.body.contains(ROOM), "{path}");
        }
        let mut socket = home.house.socket_as(&visitor).await;
        socket.say(r#"{"type":"join_directory"}"#).await;
        let told = socket.hear(|event| event["type"] == "directory").await;
        assert_eq!(told["rooms"], json!([]));
        assert!(!joins(socket).await);
    }
}

#[tokio::test]
async fn whoever_was_not_let_in_meets_the_gate_as_declared() {
    let home = Home::open().await;
    let mut cookies = vec![
        (Person::NoOne, String::new()),
        (Person::Guest, home.house.visitor().await),
        (Person::Owner, home.owner.clone()),
    ];
    for (person, name) in [(Person::OtherAccount, "Otto"), (Person::Moderator, "Maja"), (Person::Administrator, "Boss")]
    {
        cookies.push((person, Browser::registered(&home.house, name).await.cookie()));
    }
    home.house.command(&["account", "promote", "boss"]);
    let domain = &home.house.services.domain;
    let (room, maja) = (domain.room(&slug(ROOM)).await, domain.account("maja").await);
    let (room, maja) = (room.expect("read").expect("there"), maja.expect("read").expect("there"));
    let act = madang_protocol::chat::Act::SetModerator { whom: madang_protocol::chat::Whom::Id(maja.id), on: true };
    domain.moderate(room.id, room.owner, act, "").await.expect("named");
    let _encoder = home.on_air().await;
    let mut wrong = Vec::new();
    for visibility in ["password", "invitation"] {
        home.ask_for(visibility, PASSWORD).await;
        for (person, cookie) in &cookies {
            for (what, who) in GATED {
                let is = match what.trim_matches('`') {
                    "/ws`: `join" => {
                        let cookie = Some(cookie.as_str()).filter(|cookie| !cookie.is_empty());
                        joins(Socket::open(home.house.addresses.http, cookie).await).await
                    }
                    "/fn/room_page" => home.opens("/fn/room_page?slug=my-room", cookie).await,
                    "/live/{slug}.flv" => home.watches("/live/my-room.flv", cookie).await == 200,
                    "RTMP: `play" => home.plays(ROOM).await == "NetStream.Play.Start",
                    path => home.opens(&path.replace("{slug}", ROOM), cookie).await,
                };
                if is != who.allows(*person) {
                    wrong.push(format!("{what} {person:?}, {visibility}: {}", if is { "let in" } else { "refused" }));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn who_is_no_moderator_any_more_is_out() {
    let home = Home::open().await;
    home.ask_for("password", PASSWORD).await;
    let maja = Browser::registered(&home.house, "Maja").await;
    let domain = &home.house.services.domain;
    let room = domain.room(&slug(ROOM)).await.expect("read").expect("there");
    let id = domain.account("maja").await.expect("read").expect("there").id;
    let set = async |on| {
        let whom = madang_protocol::chat::Whom::Id(id);
        let act = madang_protocol::chat::Act::SetModerator { whom, on };
        domain.moderate(room.id, room.owner, act, "").await.expect("named");
    };
    set(true).await;
    let _encoder = home.on_air().await;
    let watching = Viewer::join_as(&home.house, ROOM, Some(&maja.cookie())).await;
    let mut chatting = maja.socket().await;
    chatting.join(ROOM).await;
    set(false).await;
    ends(watching).await;
    assert_eq!(chatting.close_code().await, Some(4000));
    assert!(!joins(maja.socket().await).await);
}

#[tokio::test]
async fn the_page_about_it_is_the_owners_and_says_what_is_wrong() {
    let home = Home::open().await;
    let access = "/rooms/my-room/access";
    let empty = home.ask_for("password", "").await;
    assert!(empty.status == 422 && empty.body.contains("Please fill this in."), "{}", empty.status);
    let short = home.ask_for("password", "short").await;
    assert!(short.status == 422 && short.body.contains("At least 8 characters, please."), "{}", short.status);
    let mut owner = home.owner();
    let uses = [("do", "new-link"), ("name", "Friends"), ("hours", "24"), ("uses", "many")];
    let many = owner.post(access, &uses).await;
    assert!(many.status == 422 && many.body.contains("A number from 1 to 10000"), "{}", many.status);
    assert!(many.body.contains("value=\"Friends\""), "what was typed stays");
    let hours = [("do", "new-link"), ("name", "Friends"), ("hours", "9000"), ("uses", "")];
    assert_eq!(owner.post(access, &hours).await.status, 422);
    assert_eq!(owner.post(access, &[("do", "format-disk")]).await.status, 422);
    let mut stranger = Browser::registered(&home.house, "Otto").await;
    for answer in [stranger.get(access).await, stranger.post(access, &uses).await] {
        assert!(answer.status == 403 && !answer.body.contains(TITLE), "{}", answer.status);
    }
    let guest = Browser::new(&home.house).get(access).await;
    assert!(guest.status == 403 && guest.body.contains("/login?next=/rooms/my-room/access"));
    assert_eq!(owner.get("/rooms/no-such-room/access").await.status, 404);
}

#[tokio::test]
async fn no_file_and_no_page_has_a_password_or_a_code_in_clear() {
    let home = Home::open().await;
    home.ask_for("invitation", PASSWORD).await;
    let (_, code) = home.link(Duration::from_secs(3600), None).await;
    let mut browser = home.invited(&code).await;
    let page = browser.get(PATH).await;
    let token = token_in(&page);
    let permit = browser.cookie().split("; ").find(|pair| pair.starts_with("madang_in_")).expect("a permit").to_owned();
    let permit = permit.split_once('=').expect("a pair").1.to_owned();
    let texts = [
        page.body.replace(&token, ""),
        home.owner().get("/rooms/my-room/access").await.body,
        home.owner().get("/rooms/my-room/studio").await.body,
        home.house.get("/").await.body,
        home.house.get("/metrics").await.body,
    ];
    for secret in [PASSWORD, code.as_str(), permit.as_str()] {
        assert!(texts.iter().all(|text| !text.contains(secret)));
        for entry in std::fs::read_dir(home.house.data()).expect("the data directory").flatten() {
            let bytes = std::fs::read(entry.path()).expect("a file");
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{:?}", entry.path());
        }
    }
    assert_eq!(page.header("cache-control"), Some("no-store"));
}
