//! Starting what is measured: our server, others, and the floor.

use super::{ROOM, Rig, Running, free_port, pinned, wait_for_port};
use crate::{
    fail,
    failure::{Context, Failure, Result},
    guard,
    process::{ask, on_path},
};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Limits of ours that would stop a load that comes from one address.
const RAISED: [&str; 11] = [
    "HTTP_CONNECTIONS_PER_ADDRESS",
    "RTMP_CONNECTIONS",
    "RTMP_CONNECTIONS_PER_ADDRESS",
    "VIEWERS_PER_ADDRESS",
    "WS_CONNECTIONS",
    "WS_CONNECTIONS_PER_ADDRESS",
    "WS_MESSAGES_PER_SECOND",
    "CHAT_BURST",
    "CHAT_MESSAGES",
    "CHAT_PER_MINUTE_PER_PERSON",
    "CHAT_PER_MINUTE_PER_ADDRESS",
];

impl Rig {
    /// Our server on free ports, on one core if told so, with limits that let one address be thousands of people.
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
        let data = data_folder("madang")?;
        let key = self.create_room(&data, ROOM)?;
        let mut serve = pinned(core, &self.project.binary());
        serve.args(["serve", "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0", "--data"]).arg(&data).current_dir(&data);
        for limit in RAISED {
            serve.env(format!("MADANG_LIMITS_{limit}"), "20000");
        }
        serve.env("MADANG_HTTPS", "127.0.0.1:0").envs(options.iter().copied());
        let mut process = guard::spawn(serve.stdout(Stdio::piped()).stderr(Stdio::null())).cannot("start madang")?;
        let lines = process.child.stdout.take().ok_or_else(|| Failure::new("madang has no output"))?;
        let (mut http, mut https, mut rtmp) = (None, None, None);
        for line in BufReader::new(lines).lines().map_while(std::result::Result::ok) {
            if let Some(address) = line.strip_prefix("http://") {
                http = port_of(address);
            } else if let Some(address) = line.strip_prefix("https://") {
                https = port_of(address);
            } else if let Some(address) = line.strip_prefix("rtmp://") {
                rtmp = port_of(address);
            }
            if http.is_some() && rtmp.is_some() {
                break;
            }
        }
        let (Some(port), Some(rtmp)) = (http, rtmp) else { fail!("madang did not tell its addresses") };
        Ok(Running { process, port, https, rtmp, flv: flv(), key, data: Some(data) })
    }

    /// A room for our server, of an owner of its own; gives its key.
    pub(super) fn create_room(&self, data: &Path, slug: &str) -> Result<String> {
        let mut create = Command::new(self.project.binary());
        create.args(["room", "create", "--owner", slug, "--slug", slug, "--title", "Bench", "--data"]).arg(data);
        let answer = ask(create.current_dir(data)).unwrap_or_default();
        let key = answer.split_once("\"stream_key\"").and_then(|(_, rest)| rest.split('"').nth(1));
        key.map(str::to_owned).ok_or_else(|| Failure::new("`madang room create` gave no key"))
    }

    /// socket.io, with rooms and messages and nothing else.
    ///
    /// # Errors
    /// When it does not start.
    pub fn socket_io(&self, core: Option<&str>) -> Result<Running> {
        let port = free_port()?;
        let mut serve = pinned(core, &node()?);
        serve.arg(self.project.root.join("benches/socketio.mjs")).arg(port.to_string());
        let process = guard::spawn(serve.stdout(Stdio::null()).stderr(Stdio::null())).cannot("start socket.io")?;
        wait_for_port(port)?;
        Ok(Running { process, port, https: None, rtmp: 0, flv: String::new(), key: String::new(), data: None })
    }

    /// node-media-server, as its documentation sets it up.
    ///
    /// # Errors
    /// When it does not start.
    pub fn node_media_server(&self, core: Option<&str>) -> Result<Running> {
        let (port, rtmp) = (free_port()?, free_port()?);
        let data = data_folder("nms")?;
        let mut serve = pinned(core, &node()?);
        serve.arg(self.project.root.join("benches/nms.mjs")).args([port.to_string(), rtmp.to_string()]).arg(&data);
        let process =
            guard::spawn(serve.stdout(Stdio::null()).stderr(Stdio::null())).cannot("start node-media-server")?;
        wait_for_port(rtmp)?;
        Ok(Running { process, port, https: None, rtmp, flv: flv(), key: ROOM.to_owned(), data: Some(data) })
    }

    /// The server that `--other` names, set up by benches/other.conf.
    ///
    /// # Errors
    /// When none is named or it does not start.
    pub fn other_server(&self, core: Option<&str>, flight_ms: u32) -> Result<Running> {
        let program = self.other.as_deref().ok_or_else(|| Failure::new("no other server is named"))?;
        let (port, rtmp) = (free_port()?, free_port()?);
        let data = data_folder("other")?;
        let settings = fs::read_to_string(self.project.root.join("benches/other.conf")).cannot("read other.conf")?;
        let settings = settings
            .replace("HTTP_PORT", &port.to_string())
            .replace("RTMP_PORT", &rtmp.to_string())
            .replace("MERGE_MS", &flight_ms.to_string())
            .replace("DATA", &data.display().to_string());
        let file = data.join("other.conf");
        fs::write(&file, settings).cannot("write the other server's settings")?;
        let mut serve = pinned(core, program);
        serve.arg("-c").arg(&file).current_dir(&data).stdout(Stdio::null()).stderr(Stdio::null());
        let process = guard::spawn(&mut serve).cannot(format!("start {}", program.display()))?;
        wait_for_port(rtmp)?;
        wait_for_port(port)?;
        Ok(Running { process, port, https: None, rtmp, flv: flv(), key: ROOM.to_owned(), data: Some(data) })
    }

    /// The physical limit: one write a viewer and period, of as many bytes as the stream has.
    ///
    /// # Errors
    /// When it does not start.
    pub fn floor(&self, core: &str, period_ms: u32) -> Result<Running> {
        self.floor_by(core, period_ms, "send")
    }

    /// The same with another way of writing (benches/floor.c says which there are).
    ///
    /// # Errors
    /// When it does not start.
    pub fn floor_by(&self, core: &str, period_ms: u32, how: &str) -> Result<Running> {
        let port = free_port()?;
        let mut serve = pinned(Some(core), &self.tool("floor"));
        serve.args([port.to_string(), format!("{:.4}", self.file_bps / 1e6), period_ms.to_string()]);
        serve.arg(how);
        let process = guard::spawn(&mut serve).cannot("start the floor")?;
        wait_for_port(port)?;
        Ok(Running { process, port, https: None, rtmp: 0, flv: "/".to_owned(), key: String::new(), data: None })
    }
}

fn flv() -> String {
    format!("/live/{ROOM}.flv")
}

fn node() -> Result<PathBuf> {
    on_path("node").ok_or_else(|| Failure::new("node is not on PATH"))
}

/// An empty folder; the server that uses it takes it away at its end.
fn data_folder(of: &str) -> Result<PathBuf> {
    let data = env::temp_dir().join(format!("madang-bench-{of}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&data);
    fs::create_dir_all(&data).cannot("make a data folder")?;
    Ok(data)
}

/// The port of `127.0.0.1:1935/live`.
fn port_of(address: &str) -> Option<u16> {
    let (_, rest) = address.split_once(':')?;
    rest.split('/').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port_of;

    #[test]
    fn ports_are_read_with_and_without_a_path() {
        assert_eq!(
            (port_of("127.0.0.1:3000"), port_of("127.0.0.1:1935/live"), port_of("x")),
            (Some(3000), Some(1935), None)
        );
    }
}
