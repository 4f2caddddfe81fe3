use super::*;
use madang_domain::StreamKey;
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

fn key() -> String {
    StreamKey::generate().expect("random").expose().to_owned()
}

#[test]
fn a_stream_key_is_masked_wherever_it_stands() {
    for _ in 0..100 {
        let key = key();
        for line in [
            format!("published with {key}"),
            format!("rtmp://live.example/live/{key}"),
            format!("connect failed: \"{key}\", again"),
            format!("from={key} at=7"),
            format!("x_{key}"),
            key.clone(),
        ] {
            let masked = redact(&line);
            assert!(!masked.contains(&key[3..]) && masked.contains(MASK), "{line} -> {masked}");
        }
        assert!(!redact(&format!("half of it: {}", &key[..20])).contains(&key[..20]));
    }
}

#[test]
fn a_guests_cookie_and_a_sessions_id_are_masked() {
    let guest = format!("v1.0123456789abcdef.{}", "0f1e2d3c".repeat(8));
    assert_eq!(redact(&format!("sent {guest} again")), "sent v1.0123456789abcdef.… again");
    let base64 = "Zm9vYmFy-2Zm9vYmFyQmF6_mFyZm9vYmFyQmF6Zm9vY";
    assert_eq!(redact(&format!("session {base64} began")), "session … began");
    let base32 = "mzxw6ytboi2dgnzxmzxw6ytboi2dgnzxmzxw6ytboi2dgnzx2345";
    assert_eq!(redact(base32), "…");
}

#[test]
fn the_value_of_a_field_that_is_named_for_a_secret_is_masked() {
    for (line, masked) in [
        ("login password=correct horse room=one", "login password=… room=one"),
        ("login{password=correct horse}: done", "login{password=…}: done"),
        ("password=\"cor\\\"rect\" room=one", "password=\"…\" room=one"),
        ("stream_key=x1 set-cookie=a=b; Path=/", "stream_key=… set-cookie=…; Path=/"),
        ("GET /play?token=abc&room=one", "GET /play?token=…&room=one"),
        ("{\"token\":\"abc\",\"room\":\"one\"}", "{\"token\":\"…\",\"room\":\"one\"}"),
        ("Login { name: \"ana\", password: \"horse\" }", "Login { name: \"ana\", password: \"…\" }"),
        ("authorization: \"Bearer abc\"", "authorization: \"…\""),
        ("sent Bearer abc.def to /metrics", "sent Bearer … to /metrics"),
        (
            "\u{1b}[3mtoken\u{1b}[0m\u{1b}[2m=\u{1b}[0mabc \u{1b}[3mroom\u{1b}[0m",
            "\u{1b}[3mtoken\u{1b}[0m\u{1b}[2m=\u{1b}[0m… ",
        ),
    ] {
        assert!(redact(line).starts_with(masked), "{line:?} -> {:?}", redact(line));
    }
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    for line in [
        "2026-11-25T09:00:00.123456Z  INFO serving http=127.0.0.1:3000 rtmp=0.0.0.0:1935",
        "stream key created room=00ab34cd56ef7890 key_id=00ab34cd56ef7890",
        "wrong stream keys from 2001:db8::/64; the key is not known",
        "a-long-slug-of-forty-letters-is-no-secret room=night-code",
        "madang_http_refused_connections_total{room=\"one\"} 3",
        "/pkg/madang.EZXoVxRhTWsjqpYhm0PYWg.wasm sk_ sk_short",
        "password: must be longer",
        "",
    ] {
        assert_eq!(redact(line), line);
        assert!(matches!(redact(line), Cow::Borrowed(_)), "{line}");
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_and_a_key_in_it_is_not_given_on(before in "\\PC{0,40}", after in "\\PC{0,40}") {
        let key = key();
        let line = format!("{before} {key} {after}");
        prop_assert!(!redact(&line).contains(&key));
        let masked = redact(&before);
        prop_assert_eq!(&redact(&masked), &masked);
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let written = Redacted(Vec::new()).write(&bytes).expect("a vector takes all");
        prop_assert_eq!(written, bytes.len());
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("whole").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_itself_is_masked_with_and_without_colours() {
    for ansi in [false, true] {
        let (shared, key) = (Shared::default(), key());
        let sink = shared.clone();
        let writer = move || Redacted(sink.clone());
        let subscriber = tracing_subscriber::fmt().with_ansi(ansi).with_writer(writer).finish();
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("login", password = "correct horse");
            let _entered = span.enter();
            tracing::info!(token = %"abc def", text = %format!("key {key}"), "hello {key}");
        });
        let text = String::from_utf8(shared.0.lock().expect("whole").clone()).expect("text");
        assert!(text.contains("hello") && text.contains(MASK), "{text}");
        for secret in [&key[3..], "horse", "abc", "def"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}
