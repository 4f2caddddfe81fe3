//! The command line from outside, beside a running server.

use crate::house::House;
use serde_json::Value;
use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn the_doctor_finds_nothing_wrong_with_a_server_that_runs() {
    let house = House::open().await;
    let (http, rtmp) = (house.addresses.http.to_string(), house.addresses.rtmp.to_string());
    let mut doctor = house.program(&["doctor", "--http", &http, "--rtmp", &rtmp]);
    let output = tokio::task::spawn_blocking(move || doctor.output().expect("it runs")).await.expect("no panic");
    let said = text(&output);
    assert!(said.contains("ok    http address") && said.contains("ok    rtmp address"), "{said}");
    // Open files and BBR are this machine's matter.
    assert!(said.contains("ok    pace of streams") || said.contains("note  pace of streams"), "{said}");
    assert!(output.status.success() || said.contains("look  open files"), "{said}");
}

#[tokio::test]
async fn the_doctor_finds_another_program_on_our_address() {
    let house = House::open().await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let (http, rtmp) = (other.local_addr().expect("bound").to_string(), house.addresses.rtmp.to_string());
    let mut doctor = house.program(&["doctor", "--http", &http, "--rtmp", &rtmp]);
    let output = tokio::task::spawn_blocking(move || doctor.output().expect("it runs")).await.expect("no panic");
    let said = text(&output);
    assert!(!output.status.success() && said.contains("look  http address") && said.contains("look  rtmp"), "{said}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_lets_itself_have_as_many_files_open_as_the_system_allows() {
    let house = House::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    let program = house.program(&[]).get_program().to_owned();
    let mut serve = Command::new("sh");
    serve.args(["-c", "ulimit -Sn 300; exec \"$0\" serve --http 127.0.0.1:0 --rtmp 127.0.0.1:0 --data ."]).arg(program);
    let mut server = serve.current_dir(folder.path()).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut first = [0; 4];
    let limits = tokio::task::spawn_blocking(move || {
        server.stdout.take().expect("piped").read_exact(&mut first).expect("it says where it is");
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).expect("it lives");
        server.kill().and_then(|()| server.wait()).expect("it ends");
        limits
    });
    let limits = limits.await.expect("no panic");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("a limit");
    let [soft, hard, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
    assert!(soft == hard && soft != "300", "{line}");
}

/// What is typed, one after the other beside a running server, and what the answer must have; `{key}` is the last key's id.
const COMMANDS: &[(&[&str], &str)] = &[
    (
        &["room", "create", "--owner", "Ana", "--slug", "my-room", "--title", "A room", "--unlisted"],
        "\"slug\":\"my-room\"",
    ),
    (&["room", "list"], "my-room\tunlisted\tAna\tA room\n"),
    (&["room", "edit", "my-room", "--title", "Another", "--visibility", "public", "--tags", "a,b"], ""),
    (&["room", "list"], "my-room\tpublic\tAna\tAnother\n"),
    (&["room", "edit", "my-room", "--slug", "your-room", "--category", "music", "--language", "ko"], ""),
    (&["room", "edit", "your-room", "--description", "A few lines"], ""),
    (&["room", "list"], "your-room\tpublic\tAna\tAnother\n"),
    (&["room", "keys", "your-room"], "default\tin force\tnever used\n"),
    (&["room", "new-key", "your-room", "phone"], "\"stream_key\":\"sk_"),
    (&["room", "keys", "your-room"], "{key}\tphone\tin force"),
    (&["room", "rotate-key", "your-room", "{key}"], "\"stream_key\":\"sk_"),
    (&["room", "revoke-key", "your-room", "{key}"], ""),
    (&["room", "keys", "your-room"], "{key}\tphone\trevoked"),
];

#[tokio::test]
async fn every_command_for_rooms_does_what_it_says() {
    let house = House::open().await;
    let mut key = String::new();
    for (words, expected) in COMMANDS {
        let words: Vec<String> = words.iter().map(|word| word.replace("{key}", &key)).collect();
        let said = house.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
        if let Some(id) =
            serde_json::from_str::<Value>(&said).ok().and_then(|said| Some(said["key"].as_str()?.to_owned()))
        {
            key = id;
        }
        assert!(said.contains(&expected.replace("{key}", &key)), "{words:?}: {said}");
    }
    let room = house.get("/api/v1/rooms/your-room").await.json();
    assert_eq!(
        (&room["category"], &room["language"], &room["tags"]),
        (&"music".into(), &"ko".into(), &vec!["a", "b"].into())
    );
    assert!(house.get("/rooms/your-room").await.body.contains("A few lines"));
    house.command(&["room", "delete", "your-room"]);
    assert_eq!(house.command(&["room", "list"]), "");
    for wrong in [
        &["room", "edit", "your-room"][..],
        &["room", "edit", "your-room", "--title", "x"],
        &["room", "delete", "your-room"],
    ] {
        let output = house.program(wrong).output().expect("it runs");
        assert!(!output.status.success() && output.stderr.len() > 10, "{wrong:?}");
    }
}

#[tokio::test]
async fn all_rooms_are_listed_however_many() {
    let house = House::open().await;
    house.make_room("one-room");
    let database = rusqlite::Connection::open(house.data().join("madang.sqlite3")).expect("opens");
    let columns = "owner, title, description, category, tags, language, visibility, created";
    for number in 0..300 {
        let copy = format!(
            "INSERT INTO rooms (id, slug, {columns}) SELECT {number} + 1, 'room-{number}', {columns} FROM rooms LIMIT 1"
        );
        database.execute_batch(&copy).expect("is copied");
    }
    assert_eq!(house.command(&["room", "list"]).lines().count(), 301);
}

#[tokio::test]
async fn an_account_is_made_with_a_password_that_no_process_list_shows() {
    let house = House::open().await;
    let mut create = house.program(&["account", "create", "--name", "ana", "--password-stdin", "--admin"]);
    let mut child = create.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("piped").write_all(b"correct horse battery\n").expect("is read");
    let made: Value = serde_json::from_slice(&child.wait_with_output().expect("it ends").stdout).expect("JSON");
    assert_eq!((&made["name"], &made["admin"]), (&"ana".into(), &true.into()));
    let mut short = house.program(&["account", "create", "--name", "bo", "--password-stdin"]);
    let output = short.stdin(Stdio::null()).output().expect("it runs");
    assert!(!output.status.success() && text(&output).contains("password"), "{}", text(&output));
}

#[tokio::test]
async fn a_backup_opens_as_a_data_directory() {
    let house = House::open().await;
    house.make_room("my-room");
    let elsewhere = tempfile::TempDir::new().expect("a directory");
    let copy = elsewhere.path().join("madang.sqlite3");
    let words = ["backup", copy.to_str().expect("text")];
    assert_eq!(house.command(&words).trim(), words[1]);
    let again = house.program(&words).output().expect("it runs");
    assert!(!again.status.success(), "a backup is not overwritten");
    let listed = madang(elsewhere.path(), &["room", "list", "--data", "."]).output().expect("it runs");
    assert!(text(&listed).starts_with("my-room\t"), "{}", text(&listed));
}

/// The program, started in this directory with nothing in its environment that configures it.
fn madang(directory: &Path, words: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_madang"));
    program.args(words).current_dir(directory);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MADANG_") || name == "RUST_LOG") {
        program.env_remove(name);
    }
    program
}

#[test]
fn flags_beat_the_environment_and_that_the_file_and_that_the_defaults() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let holds = |words: &[&str], variable: Option<&str>| {
        let mut check = madang(directory.path(), words);
        check.envs(variable.map(|value| ("MADANG_HTTP", value)));
        let output = check.output().expect("it runs");
        assert!(output.status.success(), "{}", text(&output));
        let held: toml::Table = String::from_utf8_lossy(&output.stdout).parse().expect("TOML");
        held["http"].as_str().expect("a text").to_owned()
    };
    let check = ["config", "check"];
    assert_eq!(holds(&check, None), "127.0.0.1:3000", "the default");
    std::fs::write(directory.path().join("Leptos.toml"), "http = \"127.0.0.1:1111\"\n").expect("is written");
    assert_eq!(holds(&check, None), "127.0.0.1:1111", "./Leptos.toml");
    std::fs::write(directory.path().join("other.toml"), "http = \"127.0.0.1:2222\"\n").expect("is written");
    assert_eq!(holds(&["config", "check", "--config", "other.toml"], None), "127.0.0.1:2222", "the file named");
    assert_eq!(holds(&check, Some("127.0.0.1:3333")), "127.0.0.1:3333", "the environment");
    let flag = ["config", "check", "--http", "127.0.0.1:4444"];
    assert_eq!(holds(&flag, Some("127.0.0.1:3333")), "127.0.0.1:4444", "the flag");
}

#[test]
fn a_configuration_that_serve_would_refuse_is_refused_with_its_place() {
    let directory = tempfile::TempDir::new().expect("a directory");
    for (file, place) in [
        ("[limits]\nviewres = 3\n", "line 2"),
        ("[log]\nfilter = \"madang=loud\"\n", "log.filter"),
        ("[public]\nurl = \"live.example.org\"\n", "public.url"),
    ] {
        std::fs::write(directory.path().join("Leptos.toml"), file).expect("is written");
        let output = madang(directory.path(), &["config", "check"]).output().expect("it runs");
        assert!(!output.status.success() && text(&output).contains(place), "{file}: {}", text(&output));
    }
}
