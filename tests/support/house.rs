//! A whole server on ports of its own with a data directory of its own, and the few ways that tests reach it.

use futures_util::{SinkExt as _, StreamExt as _};
use madang::{Addresses, Config, Server, Shutdown, shutdown::ShutdownHandle};
use serde_json::Value;
use std::{net::SocketAddr, path::Path, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

/// Everything a test waits for comes within this time, or never.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; dropping it stops it.
pub struct House {
    pub addresses: Addresses,
    data: TempDir,
    shutdown: ShutdownHandle,
    task: JoinHandle<()>,
}

/// An HTTP answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// A header's value; names compare without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// A server whose configuration `change` has touched.
    pub async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let data = TempDir::new().expect("a data directory");
        let mut config = Config {
            http: SocketAddr::from(([127, 0, 0, 1], 0)),
            rtmp: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: data.path().to_owned(),
            ..Config::default()
        };
        change(&mut config);
        let (handle, shutdown) = Shutdown::new();
        let server = Server::bind(config, shutdown).await.expect("the server starts");
        let addresses = server.addresses();
        let task = tokio::spawn(async move { server.run().await.expect("the server serves") });
        Self { addresses, data, shutdown: handle, task }
    }

    /// Asks the server to stop and waits until it has.
    pub async fn close(mut self) {
        self.shutdown.request();
        tokio::time::timeout(PATIENCE, &mut self.task).await.expect("it stops in time").expect("it does not panic");
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.addresses.http)
    }

    /// Asks for a room through the command line's way in, beside the running server; gives the key.
    pub fn make_room(&self, slug: &str) -> String {
        let made = self.command(&["room", "create", "--owner", "Ana", "--slug", slug, "--title", "A room"]);
        let made: Value = serde_json::from_str(&made).expect("JSON");
        made["stream_key"].as_str().expect("a key").to_owned()
    }

    /// Runs the `madang` program on this server's data directory and gives what it printed.
    pub fn command(&self, words: &[&str]) -> String {
        let output = self.program(words).output().expect("the program runs");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// The `madang` program on this server's data directory, ready to run.
    pub fn program(&self, words: &[&str]) -> std::process::Command {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_madang"));
        program.args(words).arg("--data").arg(self.data());
        program
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "").await
    }

    /// Posts a form as a browser without scripts does.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)], cookie: Option<&str>) -> Answer {
        let body =
            fields.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect::<Vec<_>>().join("&");
        let origin = self.origin();
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded"), ("origin", origin.as_str())];
        headers.extend(cookie.map(|cookie| ("cookie", cookie)));
        self.request("POST", path, &headers, &body).await
    }

    /// One request on a connection of its own.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.addresses.http);
        if !headers.iter().any(|(name, _)| *name == "connection") {
            text.push_str("connection: close\r\n");
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        let exchange = async {
            let mut socket = TcpStream::connect(self.addresses.http).await.expect("connects");
            socket.write_all(text.as_bytes()).await.expect("is sent");
            let mut bytes = Vec::new();
            socket.read_to_end(&mut bytes).await.expect("is answered");
            bytes
        };
        let bytes = tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time");
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked { unchunked(body) } else { body.to_owned() };
        Answer { status, head: head.to_owned(), body }
    }

    pub async fn socket(&self) -> Socket {
        let url = format!("ws://{}/ws", self.addresses.http);
        let (stream, _) = tokio_tungstenite::connect_async(url).await.expect("upgrades");
        Socket { stream, heard: Vec::new() }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A `/ws` connection.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: Vec<Value>,
}

impl Socket {
    pub async fn say(&mut self, message: &str) {
        self.stream.send(Message::text(message)).await.expect("is sent");
    }

    /// The next event that `wanted` is true of; others before it are passed over.
    pub async fn hear(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let listen = async {
            loop {
                while !self.heard.is_empty() {
                    let event = self.heard.remove(0);
                    if wanted(&event) {
                        return event;
                    }
                }
                match self.stream.next().await.expect("the socket stays open").expect("a message") {
                    Message::Text(text) => self.heard = serde_json::from_str(&text).expect("an array of events"),
                    Message::Close(frame) => panic!("closed: {frame:?}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, listen).await.expect("the event in time")
    }

    /// Waits for the server's close.
    pub async fn closed(&mut self) {
        let end = async { while let Some(Ok(_)) = self.stream.next().await {} };
        tokio::time::timeout(PATIENCE, end).await.expect("a close in time");
    }
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// RFC 9112 §7.1, of text whose chunk sizes count bytes.
fn unchunked(body: &str) -> String {
    let (mut rest, mut out) = (body.as_bytes(), Vec::new());
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end])
            .ok()
            .and_then(|size| usize::from_str_radix(size, 16).ok())
            .expect("a size");
        let chunk = rest.get(end + 2..end + 2 + size).unwrap_or_default();
        out.extend_from_slice(chunk);
        rest = rest.get(end + size + 4..).unwrap_or_default();
    }
    String::from_utf8_lossy(&out).into_owned()
}
