//! `madang serve` as a process of its own: what can be killed, and whose metrics are nobody else's.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A running server, killed when dropped.
pub struct Program {
    child: Child,
    pub http: SocketAddr,
}

impl Program {
    /// Starts on free ports, with these settings as the environment gives them.
    pub fn start(data: &Path, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_madang"))
            .args(["serve", "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0", "--data"])
            .arg(data)
            .current_dir(data)
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let http = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("http://")?.trim_end_matches('/').parse().ok());
        Self { http: http.expect("an address"), child }
    }

    /// As a machine that loses its power does.
    pub fn kill(mut self) {
        self.child.kill().expect("SIGKILL is sent");
        self.child.wait().expect("it ends");
    }

    /// Files and sockets that the process holds; `None` where the system does not say.
    pub fn open_files(&self) -> Option<usize> {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).ok().map(Iterator::count)
    }

    /// Resident memory in KB; `None` where the system does not say.
    pub fn resident_kb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a room as an operator does.
pub fn make_room(data: &Path, slug: &str) {
    let make = ["room", "create", "--owner", "Ana", "--slug", slug, "--title", "A room", "--data"];
    let made = Command::new(env!("CARGO_BIN_EXE_madang")).args(make).arg(data).output().expect("the program runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
