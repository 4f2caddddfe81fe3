//! Pages as a browser without scripts gets them.

use crate::house::{Answer, House};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const FORM: [(&str, &str); 8] = [
    ("owner_name", "도현"),
    ("title", "밤새 코딩하는 방"),
    ("slug", "night-code"),
    ("description", "<script>alert(1)</script>"),
    ("category", "software"),
    ("tags", "rust, 한국어"),
    ("language", "ko"),
    ("visibility", "public"),
];

fn key_in(answer: &Answer) -> String {
    let start = answer.body.find("sk_").expect("a key on the page");
    answer.body[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect()
}

fn cookie_of(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[tokio::test]
async fn a_room_is_made_by_a_plain_form_and_its_key_is_in_that_answer_only() {
    let house = House::open().await;
    let made = house.post_form("/rooms/new", &FORM, None).await;
    assert_eq!(made.status, 200, "the page itself, not a redirect");
    assert_eq!(made.header("cache-control"), Some("no-store"));
    assert_eq!(made.header("location"), None);
    let (key, cookie) = (key_in(&made), cookie_of(&made));
    let mine = [("cookie", cookie.as_str())];
    for path in [
        "/",
        "/rooms/night-code",
        "/rooms/night-code/studio",
        "/rooms/new",
        "/api/v1/rooms",
        "/api/v1/rooms/night-code",
        "/metrics",
    ] {
        let answer = house.request("GET", path, &mine, "").await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.body.contains(&key), "{path}");
    }
    for entry in std::fs::read_dir(house.data()).expect("the data directory").flatten() {
        let bytes = std::fs::read(entry.path()).expect("a file");
        let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
        assert!(!found, "{}", entry.path().display());
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_what_was_typed() {
    let house = House::open().await;
    let mut form = FORM;
    form[0].1 = "";
    let answer = house.post_form("/rooms/new", &form, None).await;
    assert!(matches!(answer.status, 200 | 422), "{}", answer.status);
    assert!(answer.body.contains("밤새 코딩하는 방"), "the title is kept");
    assert!(!answer.body.contains("sk_"));
    assert!(answer.body.contains("aria-invalid"), "the field is marked");
}

#[tokio::test]
async fn a_slug_that_is_taken_is_refused_and_nothing_is_lost() {
    let house = House::open().await;
    house.post_form("/rooms/new", &FORM, None).await;
    let again = house.post_form("/rooms/new", &FORM, None).await;
    assert!(!again.body.contains("sk_"));
    assert!(again.body.contains("night-code"));
}

#[tokio::test]
async fn what_people_type_is_text() {
    let house = House::open().await;
    house.post_form("/rooms/new", &FORM, None).await;
    let room = house.get("/rooms/night-code").await;
    assert_eq!(room.status, 200);
    assert!(!room.body.contains("<script>alert(1)"), "escaped");
    assert!(room.body.contains("밤새 코딩하는 방"));
}

#[tokio::test]
async fn the_directory_is_whole_without_scripts_and_in_the_readers_language() {
    let house = House::open().await;
    assert!(house.get("/").await.body.contains("<html lang=\"en\""));
    house.post_form("/rooms/new", &FORM, None).await;
    let korean = house.request("GET", "/", &[("accept-language", "ko-KR,ko;q=0.9,en;q=0.5")], "").await;
    assert!(korean.body.contains("<html lang=\"ko\""));
    assert!(korean.body.contains("밤새 코딩하는 방"));
}

#[tokio::test]
async fn the_studios_forms_work_without_scripts() {
    let house = House::open().await;
    let made = house.post_form("/rooms/new", &FORM, None).await;
    let cookie = cookie_of(&made);
    let studio = "/rooms/night-code/studio";
    let added = house.post_form(studio, &[("do", "new-key"), ("name", "phone")], Some(&cookie)).await;
    assert_eq!((added.status, added.header("cache-control")), (200, Some("no-store")));
    assert_ne!(key_in(&added), key_in(&made));
    let stranger = house.post_form(studio, &[("do", "new-key"), ("name", "mine now")], None).await;
    assert!(matches!(stranger.status, 403 | 404), "{}", stranger.status);
    assert!(!stranger.body.contains("sk_"));
    let reread = house.request("GET", studio, &[("cookie", &cookie)], "").await;
    assert!(reread.body.contains("phone") && !reread.body.contains(&key_in(&added)));
}

#[tokio::test]
async fn pages_that_are_read_are_compressed_and_answers_with_secrets_are_not() {
    let house = House::open().await;
    for (takes, coding) in [("gzip, br", "br"), ("gzip", "gzip")] {
        for path in ["/", "/login", "/api/v1/rooms"] {
            let head = house.upgraded(path, &[("accept-encoding", takes)]).await.to_ascii_lowercase();
            let coded = head.contains(&format!("content-encoding: {coding}\r"));
            assert_eq!(coded, !path.starts_with("/api"), "{path}: {head}");
            assert!(!path.starts_with("/api") || !head.contains("content-encoding"), "{head}");
        }
    }
    assert!(house.get("/").await.body.contains("</html>"), "and plain for those who ask for nothing");
    let form = [("accept-encoding", "gzip, br"), ("content-type", "application/x-www-form-urlencoded")];
    let answer = house.request("POST", "/rooms/new", &form, "title=x").await;
    assert_eq!(answer.header("content-encoding"), None);
    assert!(answer.body.contains("</html>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_that_many_ask_for_at_once_are_all_answered() {
    let house = House::open().await;
    house.make_room("my-room");
    for path in ["/", "/rooms/my-room", "/embed/my-room", "/rooms/nobodys"] {
        for _ in 0..25 {
            let answers = futures_util::future::join_all((0..16).map(|_| house.get(path))).await;
            let title = answers.iter().filter(|answer| answer.body.contains("</title>")).count();
            assert_eq!(title, 16, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_leave_while_their_page_is_written_take_nothing_with_them() {
    let torn = Arc::new(AtomicUsize::new(0));
    let before = std::panic::take_hook();
    let counted = Arc::clone(&torn);
    std::panic::set_hook(Box::new(move |panic| {
        if panic.to_string().contains("reactive value") {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        before(panic);
    }));
    let house = House::open().await;
    house.make_room("my-room");
    let paths = ["/", "/rooms/my-room", "/rooms/my-room/chat", "/embed/my-room", "/rooms/nobodys"];
    for round in 0..200 {
        let visits = (0..10_u64).map(|visit| {
            let (house, path) = (&house, paths[(round + visit as usize) % paths.len()]);
            // Gone after nothing, or a moment later, or later still.
            async move { drop(tokio::time::timeout(Duration::from_micros(visit * 400), house.get(path)).await) }
        });
        futures_util::future::join_all(visits).await;
    }
    assert!(house.get("/").await.body.contains("</title>"));
    assert_eq!(torn.load(Ordering::Relaxed), 0);
}
