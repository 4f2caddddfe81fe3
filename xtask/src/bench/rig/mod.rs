//! What is measured and what measures: servers, publishers and our own load tools, each ended when dropped.

mod files;
mod servers;

use crate::{
    fail,
    failure::{Context, Failure, Result},
    guard::{self, Guarded},
    process::{on_path, run},
    project::Project,
    setup::{self, Tools},
};
use files::Recording;
use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

/// Servers that are measured stand alone on this core.
pub const SERVER_CORE: &str = "0";
/// Load and publisher share the other.
pub const LOAD_CORE: &str = "1";

/// The room that is filled and published to.
pub const ROOM: &str = "bench";
/// As many open files as the system allows: ten thousand people are ten thousand sockets.
const WITH_FILES: &str = r#"ulimit -S -n "$(ulimit -H -n)"; exec "$@""#;

/// Load tools in C, and what they share.
const TOOLS: [&str; 5] = ["clocksrc", "floor", "flvload", "rtmpload", "wsload"];
const SHARED: &str = "proc.h";

pub struct Rig {
    pub project: Project,
    setup: Tools,
    /// Compiled load tools and the files that are published.
    folder: PathBuf,
    /// What viewers watch; published with `-c copy`, so that no encoder runs.
    pub file: PathBuf,
    /// Bits a second of that file, all tracks and framing.
    pub file_bps: f64,
    /// Another server to measure beside.
    pub other: Option<PathBuf>,
}

/// A server on the air or about to be.
pub struct Running {
    process: Guarded,
    pub port: u16,
    /// Where it is served over TLS, if it is.
    pub https: Option<u16>,
    pub rtmp: u16,
    /// Path of the stream.
    pub flv: String,
    /// Name that the stream is published by.
    key: String,
    data: Option<PathBuf>,
}

impl Rig {
    /// Compiles the tools and makes the file, where they are missing or older than their source.
    ///
    /// # Errors
    /// When a compiler, taskset or ffmpeg is missing or fails.
    pub fn prepare(project: &Project, setup: Tools, other: Option<PathBuf>) -> Result<Self> {
        crate::failure::fail_if_missing("taskset", "the package util-linux")?;
        let folder = project.root.join("target/bench");
        fs::create_dir_all(&folder).cannot("make target/bench")?;
        let sources = project.root.join("benches");
        for tool in TOOLS {
            let (source, program) = (sources.join(tool).with_extension("c"), folder.join(tool));
            if modified(&program) < modified(&source).max(modified(&sources.join(SHARED))) {
                run(Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(&source))?;
            }
        }
        let Recording { path, bps } = files::WATCHED.in_folder(&folder)?;
        Ok(Self { project: project.clone(), setup, folder, file: path, file_bps: bps, other })
    }

    /// What many publishers send at once.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn ingested(&self) -> Result<Recording> {
        files::INGESTED.in_folder(&self.folder)
    }

    /// 4K at 20 Mbit/s.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn large(&self) -> Result<Recording> {
        files::LARGE.in_folder(&self.folder)
    }

    /// A load tool in Rust, compiled where its sources changed.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn compiled(&self, name: &str) -> Result<PathBuf> {
        run(self.setup.cargo().args(["build", "--release", "--locked", "--quiet", "--package", "madang-benches"]))?;
        Ok(self.project.target.join("release").join(name))
    }

    /// One look with a script of `benches/` that drives a browser; the JSON line that it gives.
    ///
    /// # Errors
    /// When node is missing or the script fails; it has said why.
    pub fn in_browser(&self, script: &str, with: &[&OsStr]) -> Result<String> {
        let mut node = Command::new("node");
        node.arg(self.project.root.join("benches").join(script)).args(with);
        if let Some(browser) = setup::browser() {
            node.env("CHROMIUM", browser);
        }
        let output = node.stderr(Stdio::inherit()).output().cannot("start node")?;
        let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || !line.starts_with('{') {
            fail!("{script} has failed; see above");
        }
        Ok(line)
    }

    /// The remuxer as a WebAssembly module of its own, compiled with the pages' profile; what is done to them after the compiler is not done to it.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn remuxer(&self) -> Result<PathBuf> {
        let place = ["--target", "wasm32-unknown-unknown", "--profile", "wasm-release"];
        let package = ["build", "--locked", "--quiet", "--package", "madang-bench-remux"];
        run(self.setup.cargo().args(package).args(place))?;
        Ok(self.project.target.join("wasm32-unknown-unknown/wasm-release/madang_bench_remux.wasm"))
    }

    /// Where what is made for measuring lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn tool(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A link with moods (`benches/relay.mjs`) between a viewer and `server`; gives the port at the viewer's end.
    ///
    /// # Errors
    /// When it does not listen within 20 s.
    pub fn link(&self, server: &Running, moods: &[&str]) -> Result<(u16, Guarded)> {
        let port = free_port()?;
        let mut relay = Command::new("node");
        relay
            .arg(self.project.root.join("benches/relay.mjs"))
            .args([port, server.port].map(|port| port.to_string()))
            .args(moods);
        let relay = guard::spawn(&mut relay).cannot("start node")?;
        wait_for_port(port)?;
        Ok((port, relay))
    }

    /// Publishes the file to `server` without encoding, and waits until it is delivered.
    ///
    /// # Errors
    /// When it does not come out within 20 s.
    pub fn publish(&self, server: &Running, core: Option<&str>) -> Result<Guarded> {
        self.publish_file(server, core, &self.file)
    }

    /// [`Rig::publish`] with another file.
    ///
    /// # Errors
    /// When it does not come out within 20 s.
    pub fn publish_file(&self, server: &Running, core: Option<&str>, file: &Path) -> Result<Guarded> {
        let ffmpeg = on_path("ffmpeg").ok_or_else(|| Failure::new("ffmpeg is not on PATH"))?;
        let mut publish = pinned(core, &ffmpeg);
        publish.args(["-v", "quiet", "-nostdin", "-re", "-stream_loop", "-1", "-i"]).arg(file);
        publish.args(["-c", "copy", "-f", "flv", &server.publish_to()]);
        let publisher = guard::spawn(&mut publish).cannot("start ffmpeg")?;
        server.wait_until_delivered()?;
        Ok(publisher)
    }
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// One more room of our server; gives its key.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_room(&self, rig: &Rig, slug: &str) -> Result<String> {
        let data = self.data.as_deref().ok_or_else(|| Failure::new("this server has no rooms"))?;
        rig.create_room(data, slug)
    }

    /// Waits until a figure of our server's `/metrics` is more than nothing.
    ///
    /// # Errors
    /// When it still is nothing after two minutes.
    pub fn wait_for_metric(&self, name: &str) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(120) {
            if self.metric(name).is_some_and(|value| value > 0.0) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Err(Failure::new(format!("{name} stays at nothing")))
    }

    /// The publisher's whole address, key included.
    pub fn publish_to(&self) -> String {
        format!("rtmp://127.0.0.1:{}/live/{}", self.rtmp, self.key)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What `/metrics` says of `name` now; none for a server that has no such metric.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        write!(socket, "GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port).ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        answer.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Asks for the stream until a kilobyte of it has come.
    ///
    /// # Errors
    /// After 20 s.
    pub fn wait_until_delivered(&self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if self.delivers().is_some_and(|yes| yes) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Err(Failure::new(format!("nothing is delivered at {}", self.url(&self.flv))))
    }

    fn delivers(&self) -> Option<bool> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        write!(socket, "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.flv, self.port).ok()?;
        let mut answer = [0; 2048];
        socket.read_exact(&mut answer).ok()?;
        Some(answer.starts_with(b"HTTP/1.1 200"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.stop();
        if let Some(data) = &self.data {
            let _ = fs::remove_dir_all(data);
        }
    }
}

/// `program` on one core, or wherever the system puts it, with files enough. It takes the place of what starts it, so its
/// process is the one that is spawned.
pub fn pinned(core: Option<&str>, program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", WITH_FILES, "sh"]);
    if let Some(core) = core {
        command.args(["taskset", "-c", core]);
    }
    command.arg(program);
    command
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|data| data.modified()).ok()
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").cannot("find a free port")?;
    Ok(listener.local_addr().cannot("find a free port")?.port())
}

fn wait_for_port(port: u16) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(Failure::new(format!("nobody listens on port {port}")))
}
