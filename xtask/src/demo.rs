//! A room with something to see in it: the release server, and ffmpeg publishing a moving picture with sound.

use crate::{
    fail,
    failure::{Context, Failure, Result},
    guard::{self, Guarded},
    process::{LIVE_H264, ask},
    project::Project,
};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

const SLUG: &str = "demo";
/// Set for the second of the two processes that a demo is; see [`survive_interrupts`].
const SECOND: &str = "MADANG_XTASK_DEMO";

/// Serves until the server ends, by Ctrl-C for instance. `arguments` go to the server.
///
/// # Errors
/// When the server or the room cannot be made.
pub fn demo(project: &Project, arguments: &[String]) -> Result<()> {
    let (data, arguments) = data_dir(project, arguments);
    fs::create_dir_all(&data).cannot(format!("make {}", data.display()))?;
    let key = stream_key(project, &data)?;
    let mut server = Command::new(project.binary());
    server.arg("serve").arg("--data").arg(&data).args(&arguments).stdout(Stdio::piped());
    let mut server = guard::spawn(&mut server).cannot("start the server")?;
    let lines = server.child.stdout.take().ok_or_else(|| Failure::new("the server has no output"))?;
    let (sender, addresses) = channel();
    // Ends when the server does, and with it the channel.
    thread::spawn(move || {
        for line in BufReader::new(lines).lines().map_while(std::result::Result::ok) {
            println!("{line}");
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let (page, ingest) = wait_for_addresses(&addresses)?;
    println!("\nWatch it: {page}/rooms/{SLUG}\nCtrl-C ends it.\n");
    publish_until_closed(&addresses, &format!("{ingest}/{key}"))?;
    let status = server.child.wait().cannot("wait for the server")?;
    if !status.success() {
        fail!("the server ended with {status}");
    }
    Ok(())
}

/// Whether this is the process that [`survive_interrupts`] started.
pub fn survives_interrupts() -> bool {
    env::var_os(SECOND).is_some()
}

/// Starts this program again with SIGINT ignored: Ctrl-C then reaches the server and ffmpeg, which handle it themselves,
/// and this program sees them end and ends in good order. (The standard library cannot ignore a signal; a shell can.)
///
/// # Errors
/// When the shell cannot be started; there is no other way back.
pub fn survive_interrupts() -> Result<()> {
    let program = env::current_exe().cannot("find this program's file")?;
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' INT; exec \"$0\" \"$@\""]).arg(program).args(env::args_os().skip(1)).env(SECOND, "1");
    Err(shell.exec()).cannot("start a shell")
}

/// Takes `--data DIR` out of the arguments; target/demo without it.
fn data_dir(project: &Project, arguments: &[String]) -> (PathBuf, Vec<String>) {
    let mut rest = Vec::new();
    let mut data = project.root.join("target/demo");
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match (word.as_str(), word.strip_prefix("--data=")) {
            ("--data", _) => data = words.next().map_or(data, PathBuf::from),
            (_, Some(dir)) => data = PathBuf::from(dir),
            _ => rest.push(word.clone()),
        }
    }
    (data, rest)
}

/// The demo room's key. A key is shown only when it is made, so the first demo keeps it in a file that only its user can read.
fn stream_key(project: &Project, data: &Path) -> Result<String> {
    let file = data.join("demo-stream-key");
    if let Ok(key) = fs::read_to_string(&file) {
        return Ok(key.trim().to_owned());
    }
    let mut create = Command::new(project.binary());
    create.args(["room", "create", "--owner", "Madang", "--slug", SLUG, "--title", "Test picture with a clock"]);
    let answer = ask(create.arg("--data").arg(data));
    let Some(key) = answer.as_deref().and_then(key_in_answer) else {
        fail!(
            "`madang room create` made no room in {}; it may hold a room of that name whose key is lost: remove that folder, or name another by --data",
            data.display()
        );
    };
    let mut options = fs::OpenOptions::new();
    let mut opened = options.write(true).create_new(true).mode(0o600).open(&file).cannot("keep the demo's key")?;
    std::io::Write::write_all(&mut opened, key.as_bytes()).cannot("keep the demo's key")?;
    Ok(key.to_owned())
}

fn key_in_answer(answer: &str) -> Option<&str> {
    let (_, rest) = answer.split_once("\"stream_key\"")?;
    rest.split('"').nth(1)
}

/// Reads the server's lines until it has told both addresses: the site's, and RTMP's with the application.
fn wait_for_addresses(lines: &Receiver<String>) -> Result<(String, String)> {
    let (mut page, mut ingest) = (None, None);
    loop {
        let Ok(line) = lines.recv_timeout(Duration::from_secs(60)) else {
            fail!("the server did not tell its addresses; its own words above say why");
        };
        for word in line.split_whitespace() {
            // A server that listens everywhere is reached by this machine's own address.
            let word = word.trim_end_matches(['/', ',', '.']).replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]");
            if word.starts_with("http://") {
                page.get_or_insert(word);
            } else if word.starts_with("rtmp://") {
                ingest.get_or_insert(word);
            }
        }
        if let (Some(page), Some(ingest)) = (&page, &ingest) {
            return Ok((page.clone(), ingest.clone()));
        }
    }
}

/// Publishes, and again whenever ffmpeg ends, until the server's output is closed.
fn publish_until_closed(server: &Receiver<String>, to: &str) -> Result<()> {
    let picture = picture();
    let mut encoder: Option<Guarded> = None;
    loop {
        if encoder.as_mut().is_none_or(|encoder| !matches!(encoder.child.try_wait(), Ok(None))) {
            if encoder.is_some() {
                println!("ffmpeg ended; it is started again.");
            }
            encoder = Some(guard::spawn(&mut ffmpeg(picture, to)).cannot("start ffmpeg")?);
        }
        if matches!(server.recv_timeout(Duration::from_secs(1)), Err(RecvTimeoutError::Disconnected)) {
            return Ok(());
        }
    }
}

/// The moving picture, with the time of day where ffmpeg can write letters; it carries a running timer in any case.
fn picture() -> &'static str {
    const PLAIN: &str = "testsrc2=size=1280x720:rate=30";
    const CLOCK: &str = "testsrc2=size=1280x720:rate=30,drawtext=text='%{localtime\\:%H\\\\\\:%M\\\\\\:%S}':fontsize=72:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=16:x=(w-text_w)/2:y=h-text_h-48";
    let probe = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", CLOCK, "-frames:v", "1", "-f", "null", "-"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if probe.is_ok_and(|status| status.success()) { CLOCK } else { PLAIN }
}

/// H.264 and AAC as OBS sends them: a key frame every 2 s, AAC at 48 kHz, a soft beep each second.
fn ffmpeg(picture: &str, to: &str) -> Command {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi", "-i", picture]);
    ffmpeg.args(["-re", "-f", "lavfi", "-i", "sine=frequency=330:beep_factor=3:sample_rate=48000,volume=0.25"]);
    ffmpeg.args(LIVE_H264).args(["-profile:v", "high", "-pix_fmt", "yuv420p"]);
    ffmpeg.args([
        "-b:v",
        "2500k",
        "-maxrate",
        "2500k",
        "-bufsize",
        "2500k",
        "-g",
        "60",
        "-keyint_min",
        "60",
        "-sc_threshold",
        "0",
    ]);
    ffmpeg.args(["-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2", "-f", "flv", to]);
    // ffmpeg's complaints name the address, and the key is part of it.
    ffmpeg.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ffmpeg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_read_from_the_answer() {
        assert_eq!(key_in_answer(r#"{"slug":"demo","stream_key":"sk_abc"}"#), Some("sk_abc"));
        assert_eq!(key_in_answer(r#"{"slug": "demo", "stream_key": "sk_abc"}"#), Some("sk_abc"));
        assert_eq!(key_in_answer(""), None);
    }

    #[test]
    fn addresses_are_found_in_whatever_words() {
        let (sender, lines) = channel();
        for line in ["starting", "http://0.0.0.0:3000", "rtmp://0.0.0.0:1935/live"] {
            sender.send(line.to_owned()).expect("open");
        }
        let (page, ingest) = wait_for_addresses(&lines).expect("both");
        assert_eq!((page.as_str(), ingest.as_str()), ("http://127.0.0.1:3000", "rtmp://127.0.0.1:1935/live"));
        drop(sender);
        assert!(wait_for_addresses(&lines).is_err());
    }
}
