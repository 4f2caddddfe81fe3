use super::*;

const DOCUMENTED: &str = include_str!("../../Leptos.toml");

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn the_documented_file_is_the_default() {
    let read = Config::parse(DOCUMENTED, Path::new("Leptos.toml")).expect("it parses");
    assert_eq!(read, Config::default());
}

#[test]
fn the_documented_file_names_every_option_with_a_reason() {
    let documented: Table = DOCUMENTED.parse().expect("it parses");
    for path in option_paths(&Config::default().to_table()) {
        assert!(lookup(&documented, &path).is_some(), "{} is missing in Leptos.toml", path.join("."));
    }
    let lines: Vec<&str> = DOCUMENTED.lines().collect();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" = ")) {
        let reasoned = line.contains('#') || index.checked_sub(1).is_some_and(|above| lines[above].starts_with('#'));
        assert!(reasoned, "Leptos.toml: no reason beside {line}");
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let error =
        Config::parse("http = \"127.0.0.1:1\"\n\n[limits]\nviewres = 3\n", Path::new("my.toml")).expect_err("unknown");
    let text = error.to_string();
    assert!(text.contains("my.toml") && text.contains("line 4") && text.contains("viewres"), "{text}");
}

#[test]
fn the_environment_beats_the_file() {
    let file =
        Config::parse("[limits]\nws_rooms = 3\n[public]\nurl = \"https://a.example\"", Path::new("x")).expect("fine");
    let config = file
        .with_environment(environment(&[
            ("MADANG_LIMITS_WS_ROOMS", "4"),
            ("MADANG_METRICS_TOKEN", "12345"),
            ("MADANG_HTTP", "127.0.0.1:0"),
            ("MADANG_PUBLIC_TRUSTED_PROXIES", "[\"10.0.0.1\"]"),
            ("MADANG_SOMETHING_ELSE", "x"),
        ]))
        .expect("fine");
    assert_eq!(config.limits.ws_rooms, 4);
    assert!(config.metrics.token.is(b"12345"));
    assert_eq!(config.http.port(), 0);
    assert_eq!(config.public.url, "https://a.example");
    assert_eq!(config.public.trusted_proxies.len(), 1);
}

#[test]
fn the_chats_window_is_auto_or_a_number_wherever_it_is_written() {
    let read = |text: &str| Config::parse(text, Path::new("x")).map(|config| config.chat.window_ms);
    assert_eq!(read("[chat]\nwindow_ms = 50").expect("fine"), ChatWindow::Millis(50));
    assert_eq!(read("[chat]\nwindow_ms = \"auto\"").expect("fine"), ChatWindow::Auto);
    assert!(read("[chat]\nwindow_ms = \"soon\"").expect_err("a word").to_string().contains("auto"));
    let config = Config::default().with_environment(environment(&[("MADANG_CHAT_WINDOW_MS", "200")]));
    assert_eq!(config.expect("fine").domain().chat.window, Window::Fixed(Duration::from_millis(200)));
}

#[test]
fn the_chats_limits_are_the_domains() {
    assert_eq!(Config::default().domain(), DomainLimits::default());
}

#[test]
fn every_limit_is_explained_as_it_is_in_force() {
    let limits = Limits { ws_rooms: 0, http_head_s: 0, ..Limits::default() };
    let explained = limits.explained();
    let Ok(Value::Table(all)) = Value::try_from(Limits::default()) else { panic!("a table") };
    assert_eq!(explained.len(), all.len());
    for (name, value, reason) in &explained {
        assert!(all.contains_key(name) && reason.len() > 10, "{name}: {reason}");
        assert_eq!(value.is_none(), ["ws_rooms", "http_head_s"].contains(&name.as_str()), "{name}");
    }
}

#[test]
fn a_wrong_variable_is_named() {
    let error = Config::default()
        .with_environment(environment(&[("MADANG_LIMITS_WS_ROOMS", "many")]))
        .expect_err("not a number");
    assert!(error.to_string().contains("MADANG_LIMITS_WS_ROOMS"), "{error}");
}

#[test]
fn a_log_filter_that_serve_would_refuse_is_refused() {
    let file = Config::parse("[log]\nfilter = \"madang=loud\"", Path::new("x")).expect("a text");
    assert!(file.check().expect_err("no level").to_string().starts_with("log.filter: "));
    Config::default().check().expect("the default is right");
}

#[test]
fn tls_wants_a_certificate_with_its_key() {
    let trouble = |text: &str| {
        let read = Config::parse(text, Path::new("x")).expect("it parses");
        read.check().err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(trouble("[tls]\ncertificate = \"a.pem\"").starts_with("tls.key: "));
    assert!(trouble("[tls]\nkey = \"a.key\"").starts_with("tls.certificate: "));
    assert!(trouble("[tls]\nredirect = true").starts_with("tls.redirect: "));
    assert!(trouble("rtmps = \"0.0.0.0:1936\"").starts_with("rtmps: "));
    assert_eq!(trouble("rtmps = \"0.0.0.0:1936\"\n[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\""), "");
    assert!(Config::parse("rtmps = \"here\"", Path::new("x")).is_err());
    let both = "[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\nacme_domains = [\"live.example.org\"]";
    assert!(trouble(both).starts_with("tls.acme_domains: "));
    for wrong in ["*.example.org", "localhost", "192.0.2.1", "a..example", "-a.example", "Live.example", "[::1]", ""] {
        assert!(trouble(&format!("[tls]\nacme_domains = [\"{wrong}\"]")).starts_with("tls.acme_domains: "), "{wrong}");
    }
    let automatic =
        "rtmps = \"0.0.0.0:1936\"\n[tls]\nredirect = true\nacme_domains = [\"live.example.org\", \"xn--9i2b.example\"]";
    assert_eq!(trouble(automatic), "");
    assert!(trouble("[tls]\nacme_directory = \"http://ca.example\"").starts_with("tls.acme_directory: "));
}

#[test]
fn a_token_is_not_printed() {
    let config = Config { metrics: Metrics { token: "hush".into() }, ..Config::default() };
    assert!(!format!("{config:?} {}", config.to_toml()).contains("hush"));
    assert_eq!(format!("{:?} {:?}", config.metrics.token, Secret::default()), "Secret(…) Secret()");
}

#[test]
fn a_token_that_is_not_there_cannot_be_given() {
    assert!(Secret::from("hush").is(b"hush"));
    assert!(!Secret::from("hush").is(b"hus") && !Secret::default().is(b""));
}

#[test]
fn frames_that_are_no_sources_are_refused() {
    let file = Config::parse("[security]\nframe_ancestors = \"'self'; script-src *\"", Path::new("x")).expect("a text");
    assert!(file.check().expect_err("another directive").to_string().starts_with("security.frame_ancestors: "));
}

#[test]
fn a_proxy_that_is_not_trusted_is_seen_where_it_can_be() {
    let trouble = |http: &str, url: &str, proxies: &[&str]| {
        let mut config = Config { http: http.parse().expect("an address"), ..Config::default() };
        config.public.url = url.to_owned();
        config.public.trusted_proxies = proxies.iter().map(|proxy| proxy.parse().expect("an address")).collect();
        config.untrusted_proxy()
    };
    let found = trouble("127.0.0.1:3000", "https://live.example.org", &[]).expect("a warning");
    assert!(found.contains("trusted_proxies = [\"127.0.0.1\"]"), "{found}");
    assert_eq!(trouble("127.0.0.1:3000", "https://live.example.org", &["127.0.0.1"]), None);
    for url in ["", "http://localhost:3000", "http://127.0.0.1:3000"] {
        assert_eq!(trouble("127.0.0.1:3000", url, &[]), None, "{url}");
    }
    assert_eq!(trouble("0.0.0.0:443", "https://live.example.org", &[]), None, "reached without one");
}
