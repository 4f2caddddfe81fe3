//! Administration as an administrator's browser without scripts has it, and whom it keeps out.

use crate::{
    house::{Browser, House, PASSWORD, Socket},
    rtmp_client::Client,
    stream::{Encoder, live},
};
use madang_domain::MakeRooms;

async fn house() -> House {
    House::open_with(|config| {
        config.accounts.make_rooms = MakeRooms::Accounts;
        config.limits.changes_per_minute = 0;
        config.limits.changes_per_minute_per_account = 0;
        config.limits.registrations_per_hour = 0;
        // So that tests can be from different households.
        config.public.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    })
    .await
}

/// A browser in which an administrator is logged in.
async fn boss(house: &House) -> Browser<'_> {
    let boss = Browser::registered(house, "Boss").await;
    house.command(&["account", "promote", "boss"]);
    boss
}

async fn id(house: &House, login: &str) -> String {
    house.services.domain.account(login).await.expect("read").expect("there").id.to_string()
}

async fn room_id(house: &House, slug: &str) -> String {
    let slug = madang_protocol::RoomSlug::parse(slug).expect("a slug");
    house.services.domain.room(&slug).await.expect("read").expect("there").id.to_string()
}

/// What the file of the log says was done, the newest first.
async fn log(boss: &mut Browser<'_>) -> Vec<String> {
    let file = boss.get("/admin/log.csv").await;
    assert_eq!((file.status, file.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    let rows = file.body.lines().skip(1).map(|row| row.split("\",\"").collect::<Vec<_>>());
    rows.map(|cells| format!("{} {} {}", cells[1], cells[3], cells[4])).collect()
}

/// Posts a form from another address, as whoever has this cookie.
async fn post_from(house: &House, address: &str, path: &str, cookie: &str, body: &str) -> crate::house::Answer {
    let origin = house.origin();
    let mut headers = vec![
        ("origin", origin.as_str()),
        ("x-forwarded-for", address),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "text/html"),
    ];
    if !cookie.is_empty() {
        headers.push(("cookie", cookie));
    }
    house.request("POST", path, &headers, body).await
}

#[tokio::test]
async fn every_page_is_for_administrators_and_carries_no_script() {
    let house = house().await;
    let mut boss = boss(&house).await;
    let mut ana = Browser::registered(&house, "Ana").await;
    let person = format!("/admin/people/{}", id(&house, "ana").await);
    let pages = [
        "/admin",
        "/admin/people",
        "/admin/rooms",
        "/admin/registration",
        "/admin/bans",
        "/admin/limits",
        "/admin/log",
    ];
    for path in pages.iter().copied().chain([person.as_str()]) {
        let page = boss.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.body.contains("<script") && !page.body.contains("modulepreload"), "{path} downloads nothing");
        assert!(page.body.contains("aria-current=\"page\"") && page.body.contains("action=\"/logout\""), "{path}");
        let refused = ana.get(path).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.body.contains("administrators") && !refused.body.contains("/login?next="), "{path}");
        let guest = Browser::new(&house).get(path).await;
        assert!(guest.status == 403 && guest.body.contains(&format!("/login?next={path}")), "{path}");
    }
    assert_eq!(boss.get("/admin/people/0000000000000007").await.status, 404);
    assert_eq!(ana.get("/admin/log.csv").await.status, 403);
    assert!(boss.get("/account").await.body.contains("href=\"/admin\""), "the way there");
    let limits = boss.get("/admin/limits").await.body;
    assert!(limits.contains("chat_per_minute_per_person") && limits.contains("many rooms are no larger allowance"));
}

#[tokio::test]
async fn roles_locks_sessions_and_new_passwords_are_given_and_taken() {
    let house = house().await;
    let mut boss = boss(&house).await;
    let mut ana = Browser::registered(&house, "Ana").await;
    let (own, person) = (id(&house, "boss").await, id(&house, "ana").await);
    let path = format!("/admin/people/{person}");
    let demoted = boss.post("/admin/people", &[("do", "demote"), ("person", &own)]).await;
    assert!(demoted.status == 422 && demoted.body.contains("this is the last one"), "{}", demoted.status);
    let deleted = boss.post("/admin/people", &[("do", "delete-account"), ("person", &own)]).await;
    assert_eq!(deleted.status, 422);

    let page = boss.get(&path).await.body;
    let session = page.split("name=\"session\" value=\"").nth(1).expect("a session").split('"').next().expect("an id");
    let ended = boss.post(&path, &[("do", "end-session"), ("person", &person), ("session", session)]).await;
    assert_eq!((ended.status, ended.header("location")), (303, Some(format!("{path}?done=1").as_str())));
    assert_eq!(ana.get("/account").await.status, 303, "logged out");
    assert!(boss.get(&format!("{path}?done=1")).await.body.contains("Done."));

    boss.post(&path, &[("do", "lock"), ("person", &person)]).await;
    let locked = ana.post("/login", &[("name", "ana"), ("password", PASSWORD)]).await;
    assert!(locked.status == 403 && locked.body.contains("This account is locked."), "{}", locked.status);
    boss.post(&path, &[("do", "unlock"), ("person", &person)]).await;
    assert_eq!(ana.post("/login", &[("name", "ana"), ("password", PASSWORD)]).await.status, 303);

    let given = boss.post(&path, &[("do", "reset-password"), ("person", &person)]).await;
    assert_eq!((given.status, given.header("cache-control")), (200, Some("no-store")));
    let code = given.body.split("/reset?code=").nth(1).expect("a way").split('<').next().expect("a code").to_owned();
    assert!(!boss.get(&path).await.body.contains(&code), "it is shown once");
    let form = ana.get(&format!("/reset?code={code}")).await;
    assert!(form.status == 200 && form.body.contains("For the account Ana."), "{}", form.status);
    let short = ana.post("/reset", &[("code", &code), ("password", "short")]).await;
    assert!(short.status == 422 && short.body.contains("At least 8 characters"), "{}", short.status);
    let set = ana.post("/reset", &[("code", &code), ("password", "another staple")]).await;
    assert_eq!((set.status, set.header("location")), (303, Some("/account")));
    assert_eq!(ana.get("/account").await.status, 200, "and logged in");
    let void = ana.get(&format!("/reset?code={code}")).await;
    assert!(void.status == 404 && void.body.contains("used up or over"), "{}", void.status);

    boss.post(&path, &[("do", "promote"), ("person", &person)]).await;
    assert_eq!(ana.get("/admin").await.status, 200);
    boss.post("/admin/people", &[("do", "demote"), ("person", &own)]).await;
    assert_eq!(boss.get("/admin").await.status, 403, "there is another");
    let log = log(&mut ana).await;
    assert_eq!(
        log,
        [
            "Boss demote boss",
            "Boss promote ana",
            "Boss reset-password ana",
            "Boss unlock ana",
            "Boss lock ana",
            "Boss end-session ana",
            "(command line) promote boss",
        ]
    );
}

#[tokio::test]
async fn the_kill_switch_cuts_a_real_publisher_and_is_written_down() {
    let house = house().await;
    let mut boss = boss(&house).await;
    let mut ana = Browser::registered(&house, "Ana").await;
    let form = [
        ("owner_name", "Ana"),
        ("title", "A room"),
        ("slug", "my-room"),
        ("category", "other"),
        ("language", "en"),
        ("visibility", "public"),
    ];
    let made = ana.post("/rooms/new", &form).await;
    let key: String = made.body[made.body.find("sk_").expect("a key")..].chars().take(35).collect();
    let mut encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let page = boss.get("/admin").await.body;
    assert!(page.contains("href=\"/rooms/my-room\"") && page.contains("from") && page.contains("127.0.0.1"), "{page}");
    // An encoder whose key is nobody's is in no studio elsewhere; here it is.
    let mut stray = Client::connect(house.addresses.rtmp).await.expect("connects");
    stray.publish("live", "sk_00000000000000000000000000000000").await.expect("an answer");
    let page = boss.get("/admin").await.body;
    assert!(page.contains("is no key of this server"), "{page}");
    assert!(!page.contains("sk_"), "a key is never shown, not even a wrong one");
    let room = room_id(&house, "my-room").await;
    assert_eq!(ana.post("/admin", &[("do", "end-stream"), ("room", &room)]).await.status, 403);
    assert_eq!(boss.post("/admin", &[("do", "end-stream"), ("room", &room)]).await.status, 303);
    encoder.ended().await;
    assert!(!boss.get("/admin").await.body.contains("/rooms/my-room"), "nobody is on the air");
    // The key is good still; the room is not, once it is deleted.
    let mut encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    assert_eq!(boss.post("/admin/rooms", &[("do", "delete-room"), ("room", &room)]).await.status, 303);
    encoder.ended().await;
    assert_eq!(house.get("/rooms/my-room").await.status, 404);
    assert_eq!(log(&mut boss).await[..2], ["Boss delete-room my-room", "Boss end-stream my-room"]);
}

#[tokio::test]
async fn who_is_banned_is_out_in_a_browser_that_has_cleared_its_cookies_too() {
    let house = house().await;
    let mut boss = boss(&house).await;
    let (home, away) = ("203.0.113.7", "198.51.100.9");
    let (name, password) = ("name=Ana&password=", PASSWORD.replace(' ', "+"));
    let made = post_from(&house, home, "/register", "", &format!("{name}{password}")).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let ana: Vec<String> = made.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let ana = ana.join("; ");
    let room = "owner_name=Ana&title=A+room&slug=my-room&category=other&language=en&visibility=public";
    let made = post_from(&house, home, "/rooms/new", &ana, room).await;
    let key: String = made.body[made.body.find("sk_").expect("a key")..].chars().take(35).collect();
    house.make_room("other-room");
    let mut encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut channel = Socket::open(house.addresses.http, Some(&ana)).await;
    channel.join("other-room").await;

    let person = id(&house, "ana").await;
    let path = format!("/admin/people/{person}");
    let ban = [("do", "ban"), ("person", &*person), ("seconds", ""), ("household", "on"), ("reason", "spam")];
    assert_eq!(boss.post(&path, &ban).await.status, 303);
    encoder.ended().await;
    assert_eq!(channel.close_code().await, Some(4000), "she is not logged in any more");
    let mut client = Client::connect(house.addresses.rtmp).await.expect("connects");
    let refused = client.publish("live", &key).await.expect("an answer");
    assert!(refused.code == "NetStream.Publish.Denied" && refused.description.contains("banned"), "{refused:?}");
    let told = post_from(&house, away, "/login", "", &format!("{name}{password}")).await;
    assert!(told.status == 403 && told.body.contains("The reason: spam"), "{} {}", told.status, told.body);
    // Without any cookie, from the same household: no account, no room, no word.
    let zoe = post_from(&house, home, "/register", "", &format!("name=Zoe&password={password}")).await;
    assert_eq!(zoe.status, 403, "{}", zoe.body);
    let other = post_from(&house, home, "/rooms/new", "", room).await;
    assert!(other.status == 403 && other.body.contains("banned from this site"), "{}", other.body);
    let guest = house.visitor().await;
    let mut muted = Socket::open_from(house.addresses.http, &guest, home).await;
    muted.join("other-room").await;
    muted.chat("other-room", "it is me", "1").await;
    assert_eq!(muted.hear(|event| event["type"] == "rejected").await["reason"], "banned");
    let mut free = Socket::open_from(house.addresses.http, &guest, away).await;
    free.join("other-room").await;
    free.chat("other-room", "somebody else", "2").await;
    assert_eq!(free.messages("other-room", 1).await[0].1, "somebody else");
    // Reading and leaving are nobody's to take.
    assert_eq!(house.request("GET", "/rooms/other-room", &[("x-forwarded-for", home)], "").await.status, 200);
    assert_ne!(post_from(&house, home, "/fn/set_language", "", "lang=ko").await.status, 403);

    let bans = boss.get("/admin/bans").await.body;
    assert!(bans.contains("203.0.113.7") && bans.contains("spam"), "{bans}");
    let ban = bans.split("name=\"ban\" value=\"").nth(1).expect("a ban").split('"').next().expect("an id");
    assert_eq!(boss.post("/admin/bans", &[("do", "unban"), ("ban", ban)]).await.status, 303);
    assert_eq!(post_from(&house, home, "/login", "", &format!("{name}{password}")).await.status, 303);
    assert_eq!(log(&mut boss).await[..2], ["Boss unban ana", "Boss ban ana"]);
}

#[tokio::test]
async fn a_banned_network_is_out_and_its_administrator_is_not() {
    let house = house().await;
    let mut boss = boss(&house).await;
    let wide = boss.post("/admin/bans", &[("do", "ban-network"), ("network", "0.0.0.0/0"), ("seconds", "")]).await;
    assert!(wide.status == 422 && wide.body.contains("too wide"), "{}", wide.status);
    let ban = [("do", "ban-network"), ("network", "203.0.113.0/24"), ("seconds", "3600"), ("reason", "a flood")];
    assert_eq!(boss.post("/admin/bans", &ban).await.status, 303);
    let ana = Browser::registered(&house, "Ana").await.cookie();
    let form = "title=";
    assert_eq!(post_from(&house, "203.0.113.9", "/rooms/new", &ana, form).await.status, 403, "an account is meant too");
    assert_ne!(post_from(&house, "203.0.114.9", "/rooms/new", &ana, form).await.status, 403);
    let keep = "do=registration&rule=configured";
    assert_eq!(post_from(&house, "203.0.113.9", "/admin/registration", &boss.cookie(), keep).await.status, 303);
}

#[tokio::test]
async fn who_may_register_is_decided_at_run_time_and_kept() {
    let house = house().await;
    let mut boss = boss(&house).await;
    boss.post("/admin/registration", &[("do", "registration"), ("rule", "invite")]).await;
    let form = [("name", "Ana"), ("password", PASSWORD)];
    assert_eq!(Browser::new(&house).post("/register", &form).await.status, 422, "a code is wanted");
    let made = boss.post("/admin/registration", &[("do", "invite"), ("uses", "1"), ("days", "7")]).await;
    let code = made.body.split("/register?invite=").nth(1).expect("a code").split('<').next().expect("text").to_owned();
    let with = [("name", "Ana"), ("password", PASSWORD), ("invitation", code.as_str())];
    assert_eq!(Browser::new(&house).post("/register", &with).await.status, 303);
    boss.post("/admin/registration", &[("do", "make-rooms"), ("rule", "administrators")]).await;
    assert_eq!(house.get("/rooms/new").await.status, 403);
    boss.post("/admin/registration", &[("do", "registration"), ("rule", "configured")]).await;
    assert_eq!(Browser::new(&house).post("/register", &[("name", "Zoe"), ("password", PASSWORD)]).await.status, 303);
    let page = boss.get("/admin/log").await.body;
    assert!(page.contains("decided who may register:") && page.contains("The operator"), "{page}");
}

#[tokio::test]
async fn changes_are_limited_per_account_from_whatever_address() {
    let house = House::open_with(|config| {
        config.limits.changes_per_minute = 0;
        config.limits.changes_per_minute_per_account = 2;
        config.public.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    })
    .await;
    let ana = Browser::registered(&house, "Ana").await.cookie();
    let zoe = Browser::registered(&house, "Zoe").await.cookie();
    for (n, expected) in [200, 200, 429].into_iter().enumerate() {
        let answer = post_from(&house, &format!("203.0.113.{n}"), "/rooms/new", &ana, "title=").await;
        assert_eq!(answer.status == 429, expected == 429, "{n}: {}", answer.status);
        assert_eq!(answer.header("retry-after").is_some(), expected == 429);
        assert_eq!(answer.body.contains("Try again in"), expected == 429);
    }
    assert_ne!(post_from(&house, "203.0.113.1", "/rooms/new", &zoe, "title=").await.status, 429, "another is another");
}
