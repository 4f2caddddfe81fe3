//! Everything that the server answers, tried as everybody there is: allowed or refused exactly as the declaration says, from which
//! docs/SECURITY.md has its table.

use crate::{
    house::{Answer, Browser, House, PASSWORD, Socket},
    rtmp_client::Client,
    stream::{Encoder, live},
};
use madang::web::{Behind, ENCODERS, Entry, MESSAGES, Person, SURFACE, Who, asks};
use madang_domain::{Actor, MakeRooms};
use madang_protocol::{RoomSlug, realtime::ClientMessage};
use serde_json::{Value, json};

const ROOM: &str = "my-room";

/// The house with everybody in it.
struct Town {
    house: House,
    cookies: Vec<(Person, String)>,
    stream_key: String,
}

impl Town {
    async fn open() -> Self {
        let house = House::open_with(|config| {
            config.accounts.make_rooms = MakeRooms::Accounts;
            config.limits.changes_per_minute = 0;
            config.limits.changes_per_minute_per_account = 0;
            config.limits.registrations_per_hour = 0;
            config.limits.log_ins_per_minute = 0;
            config.limits.rooms_per_person = 0;
            config.limits.chat_burst = 1_000;
            config.limits.wrong_keys_per_minute = 0;
            config.metrics.token = "the operator's".into();
        })
        .await;
        let mut cookies = Vec::new();
        let mut guest = Browser::new(&house);
        guest.get("/").await;
        cookies.push((Person::NoOne, String::new()));
        cookies.push((Person::Guest, guest.cookie()));
        let mut stream_key = String::new();
        for (person, name) in [
            (Person::Owner, "Olga"),
            (Person::OtherAccount, "Otto"),
            (Person::Moderator, "Maja"),
            (Person::Administrator, "Boss"),
        ] {
            let mut browser = Browser::registered(&house, name).await;
            if person == Person::Owner {
                let made = browser.call("/fn/create_room", &json!({ "form": form(ROOM) })).await;
                stream_key = made.json()["stream_key"].as_str().expect("a key").to_owned();
            }
            cookies.push((person, browser.cookie()));
        }
        house.command(&["account", "promote", "boss"]);
        let domain = &house.services.domain;
        let room = domain.room(&slug(ROOM)).await.expect("read").expect("there");
        let maja = domain.account("maja").await.expect("read").expect("there");
        let whom = madang_protocol::chat::Whom::Id(maja.id);
        let act = madang_protocol::chat::Act::SetModerator { whom, on: true };
        domain.moderate(room.id, room.owner, act, "").await.expect("named");
        Self { house, cookies, stream_key }
    }

    fn cookie(&self, person: Person) -> &str {
        self.cookies.iter().find(|(who, _)| *who == person).map_or("", |(_, cookie)| cookie)
    }

    async fn ask(&self, person: Person, method: &str, path: &str, kind: &str, body: &str) -> Answer {
        let (origin, cookie) = (self.house.origin(), self.cookie(person));
        let mut headers = vec![("origin", origin.as_str()), ("accept", "text/html"), ("content-type", kind)];
        if !cookie.is_empty() {
            headers.push(("cookie", cookie));
        }
        if path.starts_with("/fn/") {
            headers[1].1 = "application/json";
        }
        self.house.request(method, path, &headers, body).await
    }

    /// A key of the owner's room that nothing depends on.
    async fn spare_key(&self) -> String {
        let owner = self.house.services.domain.room(&slug(ROOM)).await.expect("read").expect("there").owner;
        let keys = self.house.services.domain.keys(Actor::Person(owner), &slug(ROOM)).await.expect("read");
        if let Some(spare) = keys.iter().find(|key| key.name == "spare" && key.revoked.is_none()) {
            return spare.id.to_string();
        }
        let made = self.house.services.domain.create_key(Actor::Person(owner), &slug(ROOM), "spare").await;
        made.expect("made").0.id.to_string()
    }

    /// Tries an entry as somebody who would use it; whether they were let in.
    async fn lets_in(&self, entry: &Entry, person: Person) -> bool {
        let otto = self.house.services.domain.account("otto").await.expect("read").expect("there").id;
        let path = entry.path.replace("{slug}", ROOM).replace("{person}", &otto.to_string());
        const FORM: &str = "application/x-www-form-urlencoded";
        let answer = match entry.behind {
            Behind::ServerFn => {
                let (reads, arguments) = self.arguments(entry.path, person).await;
                if reads {
                    self.ask(person, "GET", &format!("{path}{arguments}"), "text/plain", "").await
                } else {
                    let kind = if entry.path == "/fn/set_language" { FORM } else { "application/json" };
                    self.ask(person, "POST", &path, kind, &arguments).await
                }
            }
            // Whoever logs out is not who they were: tried as somebody who logged in for it.
            Behind::LogOut => self.ask(Person::NoOne, "POST", &path, FORM, "").await,
            Behind::Realtime => {
                let cookie = Some(self.cookie(person)).filter(|cookie| !cookie.is_empty());
                Socket::open(self.house.addresses.http, cookie).await.hear(|event| event["type"] == "hello").await;
                return true;
            }
            // Nobody is on the air there, and it says so to who may watch.
            Behind::Media => return self.ask(person, "GET", &path, FORM, "").await.status == 503,
            // A way to a new password that is none: the page says so, to everybody.
            Behind::Plain if entry.path == "/reset" => {
                let answer = self.ask(person, "POST", &path, FORM, "code=x&password=another+staple").await;
                assert_eq!(answer.status, 404);
                return true;
            }
            Behind::Plain | Behind::Page { posts: true } | Behind::Room { posts: true } => {
                let shown = self.ask(person, "GET", &path, FORM, "").await;
                let posted = self.ask(person, "POST", &path, FORM, posted(entry.path)).await;
                assert_eq!(is_refused(&shown), is_refused(&posted), "{path} and its form, {person:?}");
                posted
            }
            _ => self.ask(person, "GET", &path, FORM, "").await,
        };
        assert!(answer.status < 500 && answer.status != 404 && answer.status != 405, "{path}: {}", answer.status);
        !is_refused(&answer)
    }

    /// What a server function is called with, and whether it only reads.
    async fn arguments(&self, path: &str, person: Person) -> (bool, String) {
        let reading = match path {
            "/fn/list_rooms" | "/fn/room_maker" => Some(String::new()),
            "/fn/room_page" | "/fn/studio_view" | "/fn/moderation_view" => Some(format!("?slug={ROOM}")),
            "/fn/slug_free" => Some("?slug=some-room".to_owned()),
            _ => None,
        };
        if let Some(query) = reading {
            return (true, query);
        }
        let arguments = match path {
            "/fn/set_language" => return (false, "lang=en".to_owned()),
            "/fn/create_room" => json!({ "form": form(&format!("room-{person:?}")) }),
            "/fn/edit_room" => json!({ "slug": ROOM, "form": form(ROOM) }),
            "/fn/delete_room" => {
                let room = format!("gone-{person:?}").to_lowercase();
                let owner = self.house.services.domain.room(&slug(ROOM)).await.expect("read").expect("there").owner;
                let draft = madang_protocol::RoomDraft {
                    owner_name: "Olga".into(),
                    slug: slug(&room),
                    title: "To be deleted".into(),
                    description: String::new(),
                    category: "other".into(),
                    tags: Vec::new(),
                    language: "en".into(),
                    visibility: madang_protocol::Visibility::Public,
                };
                self.house.services.domain.create_room(owner, draft).await.expect("made");
                json!({ "slug": room, "confirm": room })
            }
            "/fn/create_key" => json!({ "slug": ROOM, "name": format!("of {person:?}") }),
            "/fn/rotate_key" | "/fn/revoke_key" => json!({ "slug": ROOM, "key": self.spare_key().await }),
            "/fn/end_stream" => json!({ "slug": ROOM }),
            "/fn/moderate" => json!({ "slug": ROOM, "act": { "set_filter": { "words": ["x"] } }, "reason": "" }),
            "/fn/test_filter" => json!({ "slug": ROOM, "text": "x" }),
            other => panic!("{other} is new: say here how it is called"),
        };
        (false, arguments.to_string())
    }
}

fn slug(text: &str) -> RoomSlug {
    RoomSlug::parse(text).expect("a slug")
}

fn form(slug: &str) -> Value {
    json!({
        "owner_name": "Olga", "slug": slug, "title": "A room", "description": "", "category": "other", "tags": "",
        "language": "en", "visibility": "public",
    })
}

/// What is posted to a page: something that its own people may, and that changes nothing anybody else needs.
fn posted(path: &str) -> &'static str {
    match path {
        "/rooms/new" => "title=",
        "/rooms/{slug}" => "do=password&password=wrong+password",
        "/rooms/{slug}/studio" => "do=new-key&name=",
        "/rooms/{slug}/access" => "do=new-link&name=&hours=1&uses=",
        "/rooms/{slug}/moderation" => "do=test-filter&text=x",
        "/login" => "name=nobody&password=wrong+password",
        "/register" => "name=&password=",
        "/account" => "do=password&current=wrong+password&new=another+staple",
        // Nothing else was decided, so that this takes nothing back.
        admin if admin.starts_with("/admin") => "do=registration&rule=configured",
        other => panic!("{other} is new: say here what is posted to it"),
    }
}

/// Refused, or led to logging in.
fn is_refused(answer: &Answer) -> bool {
    let to_log_in = answer.header("location").is_some_and(|to| to.starts_with("/login?"));
    // A function that refuses by the chat's rules answers with the refusal.
    matches!(answer.status, 401 | 403) || to_log_in || answer.body.contains("{\"Err\":\"not_allowed\"}")
}

#[tokio::test]
async fn everything_is_allowed_and_refused_as_declared_to_everybody() {
    let town = Town::open().await;
    let mut wrong = Vec::new();
    for entry in SURFACE {
        for person in Person::ALL {
            let (is, said) = (town.lets_in(entry, person).await, entry.who.allows(person));
            // Whoever may not, may not; whoever is logged in is sent on from the way in, which is no refusal.
            if is != said {
                wrong.push(format!("{} {person:?}: {}", entry.path, if is { "let in" } else { "refused" }));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let answer = town.house.request("GET", "/metrics", &[("authorization", "Bearer the operator's")], "").await;
    assert_eq!(answer.status, 200, "the operator is let in");
}

#[tokio::test]
async fn what_browsers_say_is_allowed_and_refused_as_declared_to_everybody() {
    let town = Town::open().await;
    let otto = town.house.services.domain.account("otto").await.expect("read").expect("there").id;
    let messages: [(Value, &[&str]); 12] = [
        (json!({"type": "join_directory"}), &["directory"]),
        (json!({"type": "leave_directory"}), &[]),
        (json!({"type": "join", "room": ROOM}), &["chat"]),
        (json!({"type": "history", "room": ROOM, "before": 1}), &["history"]),
        (json!({"type": "say", "room": ROOM, "text": "hello", "id": "s"}), &["entries", "rejected"]),
        (json!({"type": "rename", "name": "Somebody else", "id": "r"}), &["you", "rejected"]),
        (
            json!({"type": "moderate", "room": ROOM, "act": {"filter_word": {"word": "w", "on": true}}, "id": "m"}),
            &["done", "rejected"],
        ),
        (json!({"type": "card", "room": ROOM, "person": otto}), &["card", "rejected"]),
        (json!({"type": "quality", "room": ROOM, "delay_ms": 1, "stalls": 0, "dropped": 0, "frames": 0}), &[]),
        (json!({"type": "unplayable", "room": ROOM}), &[]),
        (json!({"type": "leave", "room": ROOM}), &[]),
        (json!({"type": "ping"}), &["pong"]),
    ];
    let mut wrong = Vec::new();
    for person in Person::ALL {
        let cookie = Some(town.cookie(person)).filter(|cookie| !cookie.is_empty());
        let mut socket = Socket::open(town.house.addresses.http, cookie).await;
        for (message, answers) in &messages {
            let typed: ClientMessage = serde_json::from_value(message.clone()).expect("a message");
            let name = asks(&typed);
            let who = MESSAGES.iter().find(|(declared, _)| *declared == name).map(|(_, who)| *who).expect("declared");
            socket.say(&message.to_string()).await;
            if answers.is_empty() {
                continue;
            }
            let id = message["id"].clone();
            let answer = socket
                .hear(|event| {
                    let kind = event["type"].as_str().unwrap_or_default();
                    answers.contains(&kind)
                        && (kind != "entries" || event["entries"][0]["what"]["say"]["id"] == id)
                        && (kind != "rejected" || id.is_null() || event["id"] == id)
                })
                .await;
            // That a word is in the filter already is no refusal of the one who asks.
            let refused =
                answer["type"] == "rejected" && matches!(answer["reason"].as_str(), Some("not_allowed" | "no_cookie"));
            if refused == who.allows(person) {
                wrong.push(format!("{name} {person:?}: {answer}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(messages.len(), MESSAGES.len(), "each message is tried");
}

#[tokio::test]
async fn only_the_owner_is_told_what_the_encoder_does() {
    let town = Town::open().await;
    for person in Person::ALL {
        let cookie = Some(town.cookie(person)).filter(|cookie| !cookie.is_empty());
        let mut socket = Socket::open(town.house.addresses.http, cookie).await;
        socket.say(&json!({"type": "join", "room": ROOM}).to_string()).await;
        socket.say(r#"{"type":"ping"}"#).await;
        let told = std::cell::Cell::new(false);
        socket
            .hear(|event| {
                told.set(told.get() || event["type"] == "studio");
                event["type"] == "pong"
            })
            .await;
        assert_eq!(told.get(), person == Person::Owner, "{person:?}");
    }
}

#[tokio::test]
async fn encoders_are_let_in_by_a_key_and_by_nothing_else() {
    let town = Town::open().await;
    let ask = async |key: &str| {
        let mut client = Client::connect(town.house.addresses.rtmp).await.expect("connects");
        client.publish("live", key).await.expect("an answer").code
    };
    assert_eq!(ENCODERS.iter().map(|(command, _)| *command).collect::<Vec<_>>(), ["publish", "play"]);
    let [(_, publishers), (_, players)] = ENCODERS else { panic!("two") };
    assert!(Person::ALL.iter().all(|person| !publishers.allows(*person) && players.allows(*person)));
    // Whatever a browser has is no key: cookies, sessions, passwords, the room's name.
    let mut secrets = vec![ROOM.to_owned(), PASSWORD.to_owned(), "olga".to_owned()];
    for (_, cookie) in &town.cookies {
        secrets.extend(cookie.split("; ").filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned()));
    }
    for secret in secrets {
        assert_eq!(ask(&secret).await, "NetStream.Publish.Denied");
    }
    assert_eq!(ask(&town.stream_key).await, "NetStream.Publish.Start");
    let _encoder = Encoder::start(&town.house, &town.stream_key).await;
    live(&town.house, ROOM).await;
    let mut player = Client::connect(town.house.addresses.rtmp).await.expect("connects");
    assert_eq!(player.play(ROOM).await.expect("an answer").code, "NetStream.Play.Start");
    assert!(!Who::KeyHolder.allows(Person::Owner));
}
