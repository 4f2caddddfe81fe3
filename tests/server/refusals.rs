//! Requests that are turned away: a script gets the function's own error, a browser without scripts a page in its language.

use crate::house::{Answer, House};
use madang_app::{
    ApiError,
    i18n::{Locale, Messages},
};

const LONG: usize = 200 * 1024;
const LANGUAGES: [Locale; 2] = Locale::ALL;

/// A server that lets each address do one thing a minute.
async fn patient_house() -> House {
    House::open_with(|config| config.limits.changes_per_minute = 1).await
}

async fn call(house: &House, body: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[("content-type", "application/json"), ("accept", "application/json")], headers].concat();
    house.request("POST", "/fn/create_room", &headers, body).await
}

/// What a server function's caller reads.
fn error(answer: &Answer) -> ApiError {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

async fn post(house: &House, path: &str, locale: Locale, body: &str, origin: Option<&str>) -> Answer {
    let own = house.origin();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "text/html"),
        ("accept-language", locale.tag()),
        ("origin", origin.unwrap_or(&own)),
    ];
    house.request("POST", path, &headers, body).await
}

/// The answer is a page in that language that says these words.
fn says(answer: &Answer, locale: Locale, words: &str) {
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{answer:?}");
    assert!(answer.body.contains(&format!("<html lang=\"{}\"", locale.tag())), "{answer:?}");
    assert!(answer.body.contains(words), "{words}: {answer:?}");
}

/// Nobody can be looked up any more.
fn lose_persons(house: &House) {
    let database = rusqlite::Connection::open(house.data().join("madang.sqlite3")).expect("opens");
    database.execute_batch("ALTER TABLE persons RENAME TO lost").expect("is renamed");
}

/// The cookie of somebody who has a room.
async fn somebody(house: &House) -> String {
    let form = [
        ("owner_name", "Ana"),
        ("title", "A room"),
        ("slug", "my-room"),
        ("category", "other"),
        ("language", "en"),
        ("visibility", "public"),
    ];
    let made = house.post_form("/rooms/new", &form, None).await;
    made.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned()
}

#[tokio::test]
async fn a_script_that_calls_too_often_reads_when_to_come_back() {
    let house = patient_house().await;
    assert_ne!(call(&house, "{}", &[]).await.status, 429);
    let answer = call(&house, "{}", &[]).await;
    assert_eq!(answer.status, 429);
    let ApiError::TooMany { retry_after_s } = error(&answer) else { panic!("{answer:?}") };
    assert_eq!(answer.header("retry-after"), Some(retry_after_s.to_string().as_str()));
}

#[tokio::test]
async fn a_script_of_another_site_and_one_that_sends_too_much_read_why() {
    let house = House::open().await;
    let answer = call(&house, "{}", &[("origin", "https://evil.example")]).await;
    assert_eq!((answer.status, error(&answer)), (403, ApiError::Forbidden));
    let answer = call(&house, &"x".repeat(LONG), &[]).await;
    assert_eq!((answer.status, error(&answer)), (413, ApiError::Invalid(Vec::new())));
}

#[tokio::test]
async fn when_nobody_can_be_looked_up_that_is_said_and_nothing_typed_is_lost() {
    let house = House::open().await;
    let cookie = somebody(&house).await;
    lose_persons(&house);
    let origin = house.origin();
    let answer = call(&house, "{}", &[("cookie", &cookie), ("origin", &origin)]).await;
    assert_eq!((answer.status, error(&answer), answer.header("retry-after")), (503, ApiError::Busy, Some("2")));
    for locale in LANGUAGES {
        let words = Messages::new(locale).error(&ApiError::Busy);
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept-language", locale.tag()),
            ("cookie", cookie.as_str()),
            ("origin", origin.as_str()),
        ];
        let answer = house.request("POST", "/rooms/new", &headers, "title=Night+code").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
        says(&answer, locale, &words);
        assert!(answer.body.contains("Night code"), "what was typed is kept");
        let studio = house.request("GET", "/rooms/my-room/studio", &headers, "").await;
        assert_eq!((studio.status, studio.header("retry-after")), (503, Some("2")));
        says(&studio, locale, &words);
    }
}

#[tokio::test]
async fn a_form_that_comes_too_soon_keeps_what_was_typed() {
    for locale in LANGUAGES {
        let house = patient_house().await;
        post(&house, "/rooms/new", locale, "title=", None).await;
        let answer = post(&house, "/rooms/new", locale, "title=Night+code&owner_name=Ana&slug=night-code", None).await;
        assert_eq!(answer.status, 429);
        let retry_after_s = answer.header("retry-after").and_then(|s| s.parse().ok()).expect("when to come back");
        says(&answer, locale, &Messages::new(locale).error(&ApiError::TooMany { retry_after_s }));
        assert!(answer.body.contains("Night code") && answer.body.contains("night-code"), "what was typed is kept");
        let language = post(&house, "/fn/set_language", locale, "lang=ko", None).await;
        assert_eq!(language.status, 429);
        says(&language, locale, "<p role=\"alert\">");
    }
}

#[tokio::test]
async fn a_form_of_another_site_or_too_long_a_one_is_refused_in_the_readers_language() {
    let house = House::open().await;
    for locale in LANGUAGES {
        let messages = Messages::new(locale);
        let answer = post(&house, "/rooms/new", locale, "title=Buy+this", Some("https://evil.example")).await;
        assert_eq!(answer.status, 403);
        says(&answer, locale, messages.error_other_site());
        assert!(!answer.body.contains("Buy this"), "another site's words are not in our page");
        let answer = post(&house, "/rooms/new", locale, &"x".repeat(LONG), None).await;
        assert_eq!(answer.status, 413);
        says(&answer, locale, messages.error_too_large());
        let answer = post(&house, "/rooms/my-room/studio", locale, "do=format-disk", None).await;
        assert_eq!(answer.status, 422);
        says(&answer, locale, messages.error_invalid());
    }
}
