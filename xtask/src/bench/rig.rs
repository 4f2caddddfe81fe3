//! What is measured and what measures: servers, publishers and our own load tools, each ended when dropped.

use crate::{
    fail,
    failure::{Context, Failure, Result},
    guard::{self, Guarded},
    process::{ask, on_path, run},
    project::Project,
};
use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Servers that are measured stand alone on this core.
pub const SERVER_CORE: &str = "0";
/// Load and publisher share the other.
pub const LOAD_CORE: &str = "1";

/// The room that is filled and published to.
pub const ROOM: &str = "bench";
/// As many open files as the system allows: ten thousand people are ten thousand sockets.
const WITH_FILES: &str = r#"ulimit -S -n "$(ulimit -H -n)"; exec "$@""#;

pub struct Rig {
    pub project: Project,
    /// Compiled load tools and the file that is published.
    tools: PathBuf,
    /// What is published with `-c copy`, so that no encoder runs.
    pub file: PathBuf,
    /// Bits a second of that file, all tracks and framing.
    pub file_bps: f64,
}

/// A server on the air or about to be.
pub struct Running {
    process: Guarded,
    pub port: u16,
    /// Path of the stream.
    pub flv: String,
    /// The publisher's whole address, key included.
    publish_to: String,
    data: Option<PathBuf>,
}

impl Rig {
    /// Compiles the tools and makes the file, where they are missing or older than their source.
    ///
    /// # Errors
    /// When a compiler, taskset or ffmpeg is missing or fails.
    pub fn prepare(project: &Project) -> Result<Self> {
        crate::failure::fail_if_missing("taskset", "the package util-linux")?;
        let tools = project.root.join("target/bench");
        fs::create_dir_all(&tools).cannot("make target/bench")?;
        for tool in ["flvload", "floor", "clocksrc", "wsload"] {
            let source = project.root.join("benches").join(tool).with_extension("c");
            let program = tools.join(tool);
            if modified(&program) < modified(&source) {
                run(Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(&source))?;
            }
        }
        let file = tools.join("stream.flv");
        if !file.is_file() {
            make_file(&file)?;
        }
        let mut probe = Command::new("ffprobe");
        probe.args(["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"]).arg(&file);
        let seconds: f64 = ask(&mut probe).and_then(|text| text.parse().ok()).unwrap_or(0.0);
        if seconds < 10.0 {
            fail!("{} is not a stream of 10 s or more; remove it", file.display());
        }
        let file_bps = fs::metadata(&file).cannot("look at the file")?.len() as f64 * 8.0 / seconds;
        Ok(Self { project: project.clone(), tools, file, file_bps })
    }

    /// Twenty seconds of 4K at 20 Mbit/s, made when it is first asked for.
    ///
    /// # Errors
    /// When ffmpeg fails.
    pub fn large_file(&self) -> Result<PathBuf> {
        let file = self.tools.join("large.flv");
        if !file.is_file() {
            println!("Making a stream of 4K (20 s), once.");
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=size=3840x2160:rate=30"]);
            ffmpeg.args(["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000", "-t", "20", "-c:v", "libx264"]);
            ffmpeg.args(["-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-b:v", "20M"]);
            ffmpeg.args([
                "-minrate",
                "20M",
                "-maxrate",
                "20M",
                "-bufsize",
                "20M",
                "-x264-params",
                "nal-hrd=cbr:force-cfr=1",
            ]);
            run(ffmpeg.args(["-g", "60", "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "flv"]).arg(&file))?;
        }
        Ok(file)
    }

    pub fn tool(&self, name: &str) -> PathBuf {
        self.tools.join(name)
    }

    /// Our server on free ports, on one core if told so, with limits that let one address be a thousand viewers.
    ///
    /// # Errors
    /// When it does not start.
    pub fn madang(&self, core: Option<&str>) -> Result<Running> {
        self.madang_with(core, &[])
    }

    /// [`Rig::madang`] with options from the environment.
    ///
    /// # Errors
    /// When it does not start.
    pub fn madang_with(&self, core: Option<&str>, options: &[(&str, &str)]) -> Result<Running> {
        let data = env::temp_dir().join(format!("madang-bench-{}", std::process::id()));
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).cannot("make a data folder")?;
        let mut create = Command::new(self.project.binary());
        create.args(["room", "create", "--owner", "Bench", "--slug", ROOM, "--title", "Bench", "--data"]).arg(&data);
        let answer = ask(create.current_dir(&data)).unwrap_or_default();
        let key = answer.split_once("\"stream_key\"").and_then(|(_, rest)| rest.split('"').nth(1));
        let key = key.ok_or_else(|| Failure::new("`madang room create` gave no key"))?.to_owned();
        let mut serve = pinned(core, &self.project.binary());
        serve.args(["serve", "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0", "--data"]).arg(&data).current_dir(&data);
        const RAISED: [&str; 8] = [
            "HTTP_CONNECTIONS_PER_ADDRESS",
            "VIEWERS_PER_ADDRESS",
            "WS_CONNECTIONS",
            "WS_CONNECTIONS_PER_ADDRESS",
            "WS_MESSAGES_PER_SECOND",
            "CHAT_BURST",
            "CHAT_MESSAGES",
            "CHAT_PER_MINUTE_PER_PERSON",
        ];
        for limit in RAISED {
            serve.env(format!("MADANG_LIMITS_{limit}"), "20000");
        }
        serve.envs(options.iter().copied());
        let mut process = guard::spawn(serve.stdout(Stdio::piped()).stderr(Stdio::null())).cannot("start madang")?;
        let lines = process.child.stdout.take().ok_or_else(|| Failure::new("madang has no output"))?;
        let (mut port, mut rtmp) = (None, None);
        for line in BufReader::new(lines).lines().map_while(std::result::Result::ok) {
            if let Some((_, text)) = line.strip_prefix("http://").and_then(|rest| rest.rsplit_once(':')) {
                port = text.parse().ok();
            } else if line.starts_with("rtmp://") {
                rtmp = Some(line.trim().to_owned());
            }
            if port.is_some() && rtmp.is_some() {
                break;
            }
        }
        let (Some(port), Some(rtmp)) = (port, rtmp) else { fail!("madang did not tell its addresses") };
        Ok(Running {
            process,
            port,
            flv: format!("/live/{ROOM}.flv"),
            publish_to: format!("{rtmp}/{key}"),
            data: Some(data),
        })
    }

    /// socket.io, with rooms and messages and nothing else.
    ///
    /// # Errors
    /// When it does not start.
    pub fn socket_io(&self, core: Option<&str>) -> Result<Running> {
        let port = free_port()?;
        let node = on_path("node").ok_or_else(|| Failure::new("node is not on PATH"))?;
        let mut serve = pinned(core, &node);
        serve.arg(self.project.root.join("benches/socketio.mjs")).arg(port.to_string());
        let process = guard::spawn(serve.stdout(Stdio::null()).stderr(Stdio::null())).cannot("start socket.io")?;
        wait_for_port(port)?;
        Ok(Running { process, port, flv: String::new(), publish_to: String::new(), data: None })
    }

    /// node-media-server, as its documentation sets it up.
    ///
    /// # Errors
    /// When it does not start.
    pub fn node_media_server(&self, core: Option<&str>) -> Result<Running> {
        let (http, rtmp) = (free_port()?, free_port()?);
        let data = env::temp_dir().join(format!("madang-bench-nms-{}", std::process::id()));
        let node = on_path("node").ok_or_else(|| Failure::new("node is not on PATH"))?;
        let mut serve = pinned(core, &node);
        serve.arg(self.project.root.join("benches/nms.mjs")).args([http.to_string(), rtmp.to_string()]).arg(&data);
        let process =
            guard::spawn(serve.stdout(Stdio::null()).stderr(Stdio::null())).cannot("start node-media-server")?;
        wait_for_port(rtmp)?;
        let publish_to = format!("rtmp://127.0.0.1:{rtmp}/live/{ROOM}");
        Ok(Running { process, port: http, flv: format!("/live/{ROOM}.flv"), publish_to, data: Some(data) })
    }

    /// The physical limit: one write a viewer and period, of as many bytes as the stream has.
    ///
    /// # Errors
    /// When it does not start.
    pub fn floor(&self, core: &str, period_ms: u32) -> Result<Running> {
        let port = free_port()?;
        let mut serve = pinned(Some(core), &self.tool("floor"));
        serve.args([port.to_string(), format!("{:.4}", self.file_bps / 1e6), period_ms.to_string()]);
        let process = guard::spawn(&mut serve).cannot("start the floor")?;
        wait_for_port(port)?;
        Ok(Running { process, port, flv: "/".to_owned(), publish_to: String::new(), data: None })
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
        publish.args(["-c", "copy", "-f", "flv", &server.publish_to]);
        let publisher = guard::spawn(&mut publish).cannot("start ffmpeg")?;
        server.wait_until_delivered()?;
        Ok(publisher)
    }
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// One more room of our server.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_room(&self, rig: &Rig, slug: &str) -> Result<()> {
        let data = self.data.as_deref().ok_or_else(|| Failure::new("this server has no rooms"))?;
        let mut create = Command::new(rig.project.binary());
        create.args(["room", "create", "--owner", "Bench", "--slug", slug, "--title", "Bench", "--data"]).arg(data);
        ask(create.current_dir(data)).map(drop).ok_or_else(|| Failure::new("`madang room create` failed"))
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

    pub fn publish_to(&self) -> &str {
        &self.publish_to
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

/// A minute of 720p at a constant 2.5 Mbit/s with sound, a key frame every 2 s.
fn make_file(file: &Path) -> Result<()> {
    println!("Making the stream that is published (a minute of 720p), once.");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"]);
    ffmpeg.args(["-f", "lavfi", "-i", "sine=frequency=330:beep_factor=3:sample_rate=48000", "-t", "60"]);
    ffmpeg.args([
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-tune",
        "zerolatency",
        "-pix_fmt",
        "yuv420p",
        "-b:v",
        "2500k",
    ]);
    ffmpeg.args([
        "-minrate",
        "2500k",
        "-maxrate",
        "2500k",
        "-bufsize",
        "2500k",
        "-x264-params",
        "nal-hrd=cbr:force-cfr=1",
    ]);
    ffmpeg.args([
        "-g",
        "60",
        "-keyint_min",
        "60",
        "-sc_threshold",
        "0",
        "-c:a",
        "aac",
        "-b:a",
        "128k",
        "-ac",
        "2",
        "-f",
        "flv",
    ]);
    run(ffmpeg.arg(file))
}

fn modified(file: &Path) -> Option<std::time::SystemTime> {
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
