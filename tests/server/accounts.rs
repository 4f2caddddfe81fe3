//! Accounts as a browser without scripts has them, and what is tried against them.

use crate::house::{Answer, Browser, House, PASSWORD, until};
use madang::web::{Behind, SURFACE};
use madang_domain::{MakeRooms, Registration};
use std::{io::Write as _, process::Stdio};

const SESSION: &str = "madang_session";

async fn house() -> House {
    House::open_with(unhurried).await
}

fn unhurried(config: &mut madang::Config) {
    config.accounts.make_rooms = MakeRooms::Accounts;
    config.limits.changes_per_minute = 10_000;
    config.limits.changes_per_minute_per_account = 10_000;
    config.limits.registrations_per_hour = 1_000;
}

async fn log_in(browser: &mut Browser<'_>, name: &str, password: &str) -> Answer {
    browser.post("/login", &[("name", name), ("password", password), ("next", "/account")]).await
}

fn location(answer: &Answer) -> &str {
    answer.header("location").unwrap_or_default()
}

#[tokio::test]
async fn one_registers_logs_out_and_in_and_changes_the_password_without_scripts() {
    let house = house().await;
    let mut ana = Browser::new(&house);
    assert!(ana.get("/").await.body.contains("href=\"/login?next=/\""), "the way in is in the header");
    let made = ana.post("/register", &[("name", "Ana"), ("password", PASSWORD), ("next", "/rooms/new")]).await;
    assert_eq!((made.status, location(&made)), (303, "/rooms/new"));
    let page = ana.get("/").await.body;
    assert!(page.contains("data-me=\"Ana\"") && page.contains("action=\"/logout\""));
    assert!(ana.get("/account").await.body.contains("this browser"));

    let mut elsewhere = Browser::new(&house);
    assert_eq!(location(&log_in(&mut elsewhere, "ana", PASSWORD).await), "/account");
    let before = ana.has(SESSION).expect("in").to_owned();
    let form = [("do", "password"), ("current", PASSWORD), ("new", "another staple")];
    let changed = ana.post("/account", &form).await;
    assert_eq!((changed.status, location(&changed)), (303, "/account?done=password"));
    assert_ne!(ana.has(SESSION), Some(before.as_str()), "the session is another one");
    assert_eq!(elsewhere.get("/account").await.status, 303, "every other browser is logged out");

    let left = ana.post("/logout", &[]).await;
    assert_eq!((left.status, location(&left), ana.has(SESSION)), (303, "/", None));
    let away = ana.get("/account").await;
    assert_eq!((away.status, location(&away)), (303, "/login?next=/account"));
    assert_eq!(log_in(&mut ana, "ana", PASSWORD).await.status, 422, "the old password");
    assert_eq!(log_in(&mut ana, "Ana", "another staple").await.status, 303);
    assert_eq!(ana.get("/login?next=/rooms/new").await.header("location"), Some("/rooms/new"), "no need to log in");

    let end = [("do", "delete"), ("current", "another staple")];
    let wrong = ana.post("/account", &[("do", "delete"), ("current", "guessed it")]).await;
    assert!(wrong.status == 422 && wrong.body.contains("That is not your password."), "{}", wrong.status);
    assert_eq!(ana.post("/account", &end).await.status, 303);
    assert_eq!(log_in(&mut ana, "ana", "another staple").await.status, 422);
}

#[tokio::test]
async fn a_session_s_cookie_is_out_of_reach_of_scripts_other_sites_and_plain_http() {
    let house = house().await;
    let made = Browser::new(&house).post("/register", &[("name", "Ana"), ("password", PASSWORD)]).await;
    let set = made.header("set-cookie").expect("a cookie").to_owned();
    assert!(set.starts_with("madang_person=") || set.starts_with("madang_session="), "{set}");
    assert!(
        !set.contains("Secure") && set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/")
    );

    let secure = House::open_with(|config| {
        unhurried(config);
        config.public.url = "https://live.example.org".to_owned();
    })
    .await;
    let mut ana = Browser::registered(&secure, "Ana").await;
    let token = ana.has("__Host-madang_session").expect("its name over TLS").to_owned();
    let login = log_in(&mut ana, "ana", PASSWORD).await;
    let set = login.header("set-cookie").expect("a cookie");
    for flag in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(set.contains(flag), "{flag} in {set}");
    }
    assert!(!set.to_ascii_lowercase().contains("domain="));
    assert_eq!(ana.get("/account").await.status, 200);
    let mut forged = Browser::new(&secure);
    forged.plant(SESSION, &token);
    assert_eq!(forged.get("/account").await.status, 303, "a name that a neighbouring host can set lets nobody in");
}

#[tokio::test]
async fn a_session_that_somebody_else_set_is_never_taken_over() {
    let house = house().await;
    let mallory = Browser::registered(&house, "Mallory").await;
    let planted = mallory.has(SESSION).expect("in").to_owned();
    Browser::registered(&house, "Ana").await;
    for value in [planted.as_str(), &"A".repeat(43), "mine"] {
        let mut victim = Browser::new(&house);
        victim.plant(SESSION, value);
        assert_eq!(log_in(&mut victim, "ana", PASSWORD).await.status, 303);
        let own = victim.has(SESSION).expect("in").to_owned();
        assert_ne!(own, value);
        let mut thief = Browser::new(&house);
        thief.plant(SESSION, value);
        assert!(!thief.get("/").await.body.contains("data-me=\"Ana\""), "{value}");
    }
}

#[tokio::test]
async fn nothing_is_changed_for_another_site_at_any_entry() {
    let house = house().await;
    let mut ana = Browser::registered(&house, "Ana").await;
    let made = ana.post("/rooms/new", &room("my-room")).await;
    assert!(made.body.contains("sk_"), "{}", made.status);
    let cookie = ana.cookie();
    let kinds =
        ["application/x-www-form-urlencoded", "text/plain", "application/json", "multipart/form-data; boundary=x"];
    let strangers: [&[(&str, &str)]; 5] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        // A browser's cookie without a word of where the request comes from.
        &[],
    ];
    let mut entries = 0;
    for entry in SURFACE {
        let changes = matches!(
            entry.behind,
            Behind::Page { posts: true }
                | Behind::Room { posts: true }
                | Behind::Plain
                | Behind::ServerFn
                | Behind::LogOut
        );
        let path = entry.path.replace("{slug}", "my-room");
        // Nothing of media can be changed by anybody.
        let expected = if entry.behind == Behind::Media { 405 } else { 403 };
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            for (stranger, kind) in strangers.iter().zip(kinds.iter().cycle()) {
                let headers = [*stranger, &[("cookie", cookie.as_str()), ("content-type", *kind)]].concat();
                let answer = house.request(method, &path, &headers, "do=delete-room&confirm=my-room").await;
                assert_eq!(answer.status, expected, "{method} {path} {stranger:?}");
            }
        }
        entries += usize::from(changes);
    }
    assert!(entries > 18, "{entries} entries change something");
    for path in ["/logout", "/fn/delete_room?slug=my-room&confirm=my-room", "/fn/end_stream?slug=my-room"] {
        let answer = ana.get(path).await;
        assert!(answer.status >= 400, "a link changes nothing: {path} {}", answer.status);
    }
    for stranger in strangers {
        let mut upgrade = vec![
            ("connection", "upgrade, close"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("cookie", cookie.as_str()),
        ];
        upgrade.extend(stranger);
        assert_eq!(house.request("GET", "/ws", &upgrade, "").await.status, 403, "{stranger:?}");
    }
    assert_eq!(ana.get("/account").await.status, 200, "still logged in");
    assert_eq!(house.get("/api/v1/rooms/my-room").await.status, 200, "and the room is there");
}

fn room(slug: &str) -> [(&str, &str); 6] {
    [
        ("owner_name", "Ana"),
        ("title", "A room"),
        ("slug", slug),
        ("category", "other"),
        ("language", "en"),
        ("visibility", "public"),
    ]
}

#[tokio::test]
async fn wrong_passwords_are_one_answer_and_not_many() {
    let house = House::open_with(|config| {
        unhurried(config);
        config.limits.log_ins_per_minute = 4;
    })
    .await;
    // Names that are no part of any other word of the page.
    Browser::registered(&house, "zzqa").await;
    let mut answers = Vec::new();
    for name in ["zzqa", "zzqb", "zzqa", "zzqc"] {
        let mut browser = Browser::new(&house);
        browser.get("/").await;
        let answer = log_in(&mut browser, name, "guessed this").await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains("do not go together") && !answer.body.contains("guessed this"));
        let now = answer.body.find("data-now=\"").expect("a time") + 10;
        // What is another one on every page.
        let nonce = answer.body.find("nonce=\"").expect("a nonce") + 7;
        let mut body = answer.body.replace(name, "");
        for once in [&answer.body[now..now + 13], &answer.body[nonce..nonce + 22]] {
            body = body.replace(once, "");
        }
        answers.push(body);
    }
    for other in &answers[1..] {
        let apart = answers[0].bytes().zip(other.bytes()).position(|(one, other)| one != other);
        let shown =
            apart.map(|at| (&answers[0][at..(at + 60).min(answers[0].len())], &other[at..(at + 60).min(other.len())]));
        assert_eq!(shown, None, "an unknown name and a wrong password look the same");
    }
    let mut browser = Browser::new(&house);
    let stopped = log_in(&mut browser, "zzqa", PASSWORD).await;
    assert_eq!(stopped.status, 429);
    let seconds: u32 = stopped.header("retry-after").and_then(|s| s.parse().ok()).expect("when to come back");
    assert!((1..=16).contains(&seconds) && stopped.body.contains("Try again in"), "{seconds}");
}

#[tokio::test]
async fn more_passwords_than_can_be_hashed_are_turned_away_with_a_time_to_come_back() {
    let house = House::open_with(|config| {
        unhurried(config);
        (config.limits.password_workers, config.limits.password_queue) = (1, 1);
        config.limits.log_ins_per_minute = 0;
        config.limits.log_ins_per_account = 0;
    })
    .await;
    let origin = house.origin();
    let tasks: Vec<_> = (0..24)
        .map(|n| {
            let (server, origin) = (house.addresses.http, origin.clone());
            tokio::spawn(async move {
                let headers = [("origin", origin.as_str()), ("content-type", "application/x-www-form-urlencoded")];
                let body = format!("name=ana{n}&password=guessed+this");
                let answer = crate::house::request(server, "POST", "/login", &headers, &body).await;
                (answer.status, answer.header("retry-after").is_some())
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no panic"));
    }
    assert!(answers.iter().all(|answer| matches!(answer, (422, false) | (503, true))), "{answers:?}");
    assert!(answers.contains(&(503, true)) && answers.contains(&(422, false)), "{answers:?}");
    assert_eq!(house.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn where_one_goes_after_logging_in_is_on_this_site() {
    let house = house().await;
    Browser::registered(&house, "Ana").await;
    for next in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
    {
        let mut browser = Browser::new(&house);
        let form = [("name", "ana"), ("password", PASSWORD), ("next", next)];
        assert_eq!(location(&browser.post("/login", &form).await), "/", "{next}");
    }
}

#[tokio::test]
async fn the_channel_ends_with_its_session_and_comes_back_as_a_guest() {
    let house = house().await;
    house.make_room("my-room");
    let mut ana = Browser::registered(&house, "Ana").await;
    let mut elsewhere = Browser::new(&house);
    log_in(&mut elsewhere, "ana", PASSWORD).await;
    let (mut here, mut there) = (ana.socket().await, elsewhere.socket().await);
    for socket in [&mut here, &mut there] {
        let you = socket.hear(|event| event["type"] == "hello").await["you"].clone();
        assert_eq!((you["name"].as_str(), you["tag"].as_str()), (Some("Ana"), Some("")), "an account has no tag");
        socket.join("my-room").await;
    }
    ana.post("/logout", &[]).await;
    assert_eq!(here.close_code().await, Some(4000));
    there.say(r#"{"type":"ping"}"#).await;
    there.hear(|event| event["type"] == "pong").await;
    let mut again = ana.socket().await;
    assert_ne!(again.hear(|event| event["type"] == "hello").await["you"]["name"], "Ana");
    house.command(&["account", "log-out", "ana"]);
    assert_eq!(there.close_code().await, Some(4000), "by another process too");
    assert_eq!(elsewhere.get("/account").await.status, 303);
}

#[tokio::test]
async fn a_guest_who_registers_is_known_by_the_session_alone() {
    let house = House::open_with(|config| {
        unhurried(config);
        config.accounts.make_rooms = MakeRooms::Anyone;
    })
    .await;
    let mut browser = Browser::new(&house);
    browser.get("/").await;
    assert!(browser.post("/rooms/new", &room("my-room")).await.body.contains("sk_"));
    let guest = browser.has("madang_person").expect("a cookie").to_owned();
    let mut channel = browser.socket().await;
    channel.join("my-room").await;
    assert_eq!(browser.post("/register", &[("name", "Bea"), ("password", PASSWORD)]).await.status, 303);
    assert_eq!(channel.close_code().await, Some(4000), "who was let in as the guest is not the account");
    assert_eq!(browser.get("/rooms/my-room/studio").await.status, 200);
    let mut copied = Browser::new(&house);
    copied.plant("madang_person", &guest);
    assert_eq!(copied.get("/rooms/my-room/studio").await.status, 403, "the guest's cookie is worth nothing now");
    assert_ne!(copied.has("madang_person"), Some(guest.as_str()), "and is replaced");
}

#[tokio::test]
async fn who_may_not_make_rooms_is_told_and_led_to_logging_in() {
    let house = house().await;
    let mut guest = Browser::new(&house);
    let page = guest.get("/rooms/new").await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("href=\"/login?next=/rooms/new\"") && !page.body.contains("name=\"title\""));
    let refused = guest.post("/rooms/new", &room("my-room")).await;
    assert!(refused.status == 403 && !refused.body.contains("sk_"), "{}", refused.status);
    house.make_room("her-room");
    for page in ["/rooms/her-room/studio", "/rooms/her-room/moderation"] {
        let answer = guest.get(page).await;
        assert!(answer.status == 403 && answer.body.contains(&format!("/login?next={page}")), "{page}");
    }
    let mut ana = Browser::registered(&house, "Ana").await;
    for page in ["/rooms/her-room/studio", "/rooms/her-room/moderation"] {
        let answer = ana.get(page).await;
        assert!(answer.status == 403 && !answer.body.contains("/login?next="), "logging in again changes nothing");
    }
    assert_eq!(ana.get("/rooms/new").await.status, 200);
}

#[tokio::test]
async fn the_set_up_link_leaves_the_address_and_makes_the_administrator_once() {
    let house = House::open_with(|config| {
        unhurried(config);
        config.accounts.registration = Registration::Closed;
    })
    .await;
    let code = house.services.domain.begin_setup().await.expect("read").expect("nobody administers");
    let mut browser = Browser::new(&house);
    assert_eq!(browser.get("/register").await.status, 403, "registration is closed");
    let link = browser.get(&format!("/register?setup={}", code.expose())).await;
    assert_eq!((link.status, location(&link)), (303, "/register"));
    assert_eq!(link.header("referrer-policy"), Some("no-referrer"));
    let page = browser.get("/register").await;
    assert!(page.status == 200 && page.body.contains("Set up Madang") && !page.body.contains(code.expose()));
    let made = browser.post("/register", &[("name", "Boss"), ("password", PASSWORD)]).await;
    assert_eq!((made.status, browser.has("madang_setup")), (303, None), "{}", made.body);
    assert!(browser.get("/account").await.body.contains("You administer this site"));
    let mut second = Browser::new(&house);
    second.get(&format!("/register?setup={}", code.expose())).await;
    let void = second.post("/register", &[("name", "Eve"), ("password", PASSWORD)]).await;
    assert!(void.status == 403 && void.body.contains("used up or over"), "{}", void.status);
    assert!(house.services.domain.begin_setup().await.expect("read").is_none());
}

#[tokio::test]
async fn an_invitation_lets_in_whom_it_is_for() {
    let house = House::open_with(|config| {
        unhurried(config);
        config.accounts.registration = Registration::Invite;
    })
    .await;
    let made: serde_json::Value =
        serde_json::from_str(&house.command(&["account", "invite", "--uses", "1", "--days", "2"])).expect("JSON");
    let code = made["code"].as_str().expect("a code");
    let mut browser = Browser::new(&house);
    let without = browser.post("/register", &[("name", "Ana"), ("password", PASSWORD)]).await;
    assert!(without.status == 422 && without.body.contains("field-invitation"), "{}", without.status);
    let page = browser.get(&format!("/register?invite={code}")).await;
    assert!(page.body.contains(&format!("value=\"{code}\"")), "the code is filled in");
    let form = |name: &'static str| [("name", name), ("password", PASSWORD), ("invitation", code)];
    assert_eq!(browser.post("/register", &form("Ana")).await.status, 303);
    let second = Browser::new(&house).post("/register", &form("Bea")).await;
    assert!(second.status == 422 && second.body.contains("used up"), "{}", second.status);
    assert_eq!(house.command(&["account", "invitations"]), "");
}

#[tokio::test]
async fn everything_that_accounts_need_is_done_without_a_browser() {
    let house = house().await;
    let with_password = |words: &[&str], password: &str| {
        let mut program = house.program(words);
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
        child.stdin.take().expect("piped").write_all(format!("{password}\n").as_bytes()).expect("is read");
        assert!(child.wait_with_output().expect("it ends").status.success(), "{words:?}");
    };
    with_password(&["account", "create", "--name", "Ana", "--password-stdin"], PASSWORD);
    let mut ana = Browser::new(&house);
    assert_eq!(log_in(&mut ana, "ana", PASSWORD).await.status, 303);
    house.command(&["account", "promote", "ana"]);
    assert!(house.command(&["account", "list"]).starts_with("ana\tadministrator\t0 rooms\t1 browsers"));
    house.command(&["account", "promote", "ana", "--undo"]);
    assert!(house.command(&["account", "list"]).starts_with("ana\taccount\t"));
    with_password(&["account", "password", "ana", "--password-stdin"], "another staple");
    assert_eq!(ana.get("/account").await.status, 303, "logged out everywhere");
    assert_eq!(log_in(&mut ana, "ana", PASSWORD).await.status, 422);
    assert_eq!(log_in(&mut ana, "ana", "another staple").await.status, 303);
    let made: serde_json::Value = serde_json::from_str(&house.command(&["account", "invite"])).expect("JSON");
    house.command(&["account", "revoke-invitation", made["invitation"].as_str().expect("an id")]);
    house.command(&["account", "delete", "ana"]);
    assert_eq!(house.command(&["account", "list"]), "");
    until("the deleted account is out", || house.services.sockets.open() == 0).await;
    assert_eq!(ana.get("/account").await.status, 303);
    for wrong in
        [&["account", "promote", "nobody"][..], &["account", "delete", "nobody"], &["account", "invite", "--uses", "0"]]
    {
        let output = house.program(wrong).output().expect("it runs");
        assert!(!output.status.success() && output.stderr.len() > 10, "{wrong:?}");
    }
}
