//! A whole server on ports of its own with a data directory of its own, and the few ways that tests reach it.

use futures_util::{SinkExt as _, StreamExt as _};
use madang::{Addresses, Config, Server, Shutdown, shutdown::ShutdownHandle, state::Services};
use madang_domain::MakeRooms;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// Everything a test waits for comes within this time, or never.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; dropping it stops it.
pub struct House {
    pub addresses: Addresses,
    /// What stands behind the sockets.
    pub services: Services,
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

    /// The pair of the first `Set-Cookie`.
    pub fn cookie(&self) -> Option<String> {
        self.header("set-cookie").and_then(|cookie| cookie.split(';').next()).map(ToOwned::to_owned)
    }

    /// Name and value of every `Set-Cookie`.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| value);
        let pairs = set.filter_map(|value| value.split(';').next()?.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
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
        // Most tests are about rooms, and make them as a browser's first visit; those about accounts say so.
        config.accounts.make_rooms = MakeRooms::Anyone;
        // … and end streams with their encoders; those about encoders that come back say so.
        config.media.grace_s = 0;
        change(&mut config);
        let (handle, shutdown) = Shutdown::new();
        let server = Server::bind(config, shutdown).await.expect("the server starts");
        let addresses = server.addresses();
        let services = server.services().clone();
        let task = tokio::spawn(async move { server.run().await.expect("the server serves") });
        Self { addresses, services, data, shutdown: handle, task }
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
        let body = form(fields);
        let origin = self.origin();
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded"), ("origin", origin.as_str())];
        headers.extend(cookie.map(|cookie| ("cookie", cookie)));
        self.request("POST", path, &headers, &body).await
    }

    /// One request on a connection of its own.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        request(self.addresses.http, method, path, headers, body).await
    }

    /// The head of the answer to an upgrade.
    pub async fn upgraded(&self, path: &str, headers: &[(&str, &str)]) -> String {
        let mut text = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n", self.addresses.http);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut socket = TcpStream::connect(self.addresses.http).await.expect("connects");
        socket.write_all(format!("{text}\r\n").as_bytes()).await.expect("is sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.expect("a head"));
        }
        String::from_utf8(head).expect("text")
    }

    /// A socket of a browser that shows no cookie.
    pub async fn socket(&self) -> Socket {
        Socket::open(self.addresses.http, None).await
    }

    /// A socket of the browser with this cookie.
    pub async fn socket_as(&self, cookie: &str) -> Socket {
        Socket::open(self.addresses.http, Some(cookie)).await
    }

    /// A browser's first visit: its cookie.
    pub async fn visitor(&self) -> String {
        self.get("/").await.cookie().expect("a cookie")
    }

    /// Makes a room in the browser's way; gives the key and the owner's cookie.
    pub async fn own_room(&self, slug: &str) -> (String, String) {
        let form = [
            ("owner_name", "Ana"),
            ("title", "A room"),
            ("slug", slug),
            ("description", ""),
            ("category", "software"),
            ("tags", ""),
            ("language", "en"),
            ("visibility", "public"),
        ];
        let made = self.post_form("/rooms/new", &form, None).await;
        let start = made.body.find("sk_").unwrap_or_else(|| panic!("no key: {} {}", made.status, made.body));
        let key = made.body[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
        (key, made.cookie().expect("a cookie"))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A browser without scripts: it keeps its cookies, and says where it is.
pub struct Browser<'h> {
    house: &'h House,
    jar: BTreeMap<String, String>,
}

/// The password of everyone in these tests.
pub const PASSWORD: &str = "correct horse battery";

impl<'h> Browser<'h> {
    pub const fn new(house: &'h House) -> Self {
        Self { house, jar: BTreeMap::new() }
    }

    /// A browser in which somebody has just registered.
    pub async fn registered(house: &'h House, name: &str) -> Self {
        let mut browser = Self::new(house);
        let answer = browser.post("/register", &[("name", name), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{name}: {}", answer.body);
        browser
    }

    /// The `Cookie` header, empty for none.
    pub fn cookie(&self) -> String {
        self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn has(&self, name: &str) -> Option<&str> {
        self.jar.get(name).map(String::as_str)
    }

    /// Puts a cookie there, as somebody else might.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.jar.insert(name.to_owned(), value.to_owned());
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", None).await
    }

    /// Posts a form of this site.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send("POST", path, &form(fields), Some("application/x-www-form-urlencoded")).await
    }

    /// Calls a server function as the script does.
    pub async fn call(&mut self, path: &str, arguments: &Value) -> Answer {
        self.send("POST", path, &arguments.to_string(), Some("application/json")).await
    }

    async fn send(&mut self, method: &str, path: &str, body: &str, kind: Option<&str>) -> Answer {
        let (origin, cookie) = (self.house.origin(), self.cookie());
        let mut headers = vec![("accept", "text/html, application/json")];
        if !cookie.is_empty() {
            headers.push(("cookie", &cookie));
        }
        if let Some(kind) = kind {
            headers.extend([("origin", origin.as_str()), ("content-type", kind)]);
        }
        let answer = self.house.request(method, path, &headers, body).await;
        for (name, value) in answer.cookies() {
            if value.is_empty() {
                self.jar.remove(&name);
            } else {
                self.jar.insert(name, value);
            }
        }
        answer
    }

    /// The channel, as who this browser is now.
    pub async fn socket(&self) -> Socket {
        let cookie = self.cookie();
        Socket::open(self.house.addresses.http, Some(cookie.as_str()).filter(|cookie| !cookie.is_empty())).await
    }
}

/// A form as it is sent.
pub fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect::<Vec<_>>().join("&")
}

/// A `/ws` connection.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: Vec<Value>,
    /// Bytes of the longest message so far.
    pub longest: usize,
}

impl Socket {
    pub async fn open(server: SocketAddr, cookie: Option<&str>) -> Self {
        let mut request = format!("ws://{server}/ws").into_client_request().expect("a request");
        if let Some(cookie) = cookie {
            request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
            request.headers_mut().insert("origin", format!("http://{server}").parse().expect("a header"));
        }
        let (stream, _) = tokio_tungstenite::connect_async(request).await.expect("upgrades");
        Self { stream, heard: Vec::new(), longest: 0 }
    }

    /// The socket of a browser elsewhere, as a trusted proxy tells of it.
    pub async fn open_from(server: SocketAddr, cookie: &str, address: &str) -> Self {
        let mut request = format!("ws://{server}/ws").into_client_request().expect("a request");
        let origin = format!("http://{server}");
        for (name, value) in [("cookie", cookie), ("origin", origin.as_str()), ("x-forwarded-for", address)] {
            request.headers_mut().insert(name, value.parse().expect("a header"));
        }
        let (stream, _) = tokio_tungstenite::connect_async(request).await.expect("upgrades");
        Self { stream, heard: Vec::new(), longest: 0 }
    }

    pub fn over(stream: WebSocketStream<TcpStream>) -> Self {
        let stream = stream.into_inner();
        let socket = futures_util::FutureExt::now_or_never(WebSocketStream::from_raw_socket(
            MaybeTlsStream::Plain(stream),
            tokio_tungstenite::tungstenite::protocol::Role::Client,
            None,
        ));
        Self { stream: socket.expect("nothing to wait for"), heard: Vec::new(), longest: 0 }
    }

    /// The messages that still come before the connection ends.
    pub async fn rest(&mut self, room: &str) -> Vec<(u64, String)> {
        let mut events = std::mem::take(&mut self.heard);
        let end = async {
            while let Some(Ok(message)) = self.stream.next().await {
                if let Message::Text(text) = message {
                    events.extend(serde_json::from_str::<Vec<Value>>(&text).expect("an array of events"));
                }
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("it ends");
        let entries = events.iter().filter(|event| event["type"] == "entries" && event["room"] == room);
        entries.flat_map(|event| said(&event["entries"])).collect()
    }

    /// Joins a room; gives its chat as it is.
    pub async fn join(&mut self, room: &str) -> Value {
        self.say(&json!({"type": "join", "room": room}).to_string()).await;
        self.hear(|event| event["type"] == "chat" && event["room"] == room).await["chat"].clone()
    }

    /// Says something in a room; the answer comes as an event.
    pub async fn chat(&mut self, room: &str, text: &str, id: &str) {
        self.say(&json!({"type": "say", "room": room, "text": text, "id": id}).to_string()).await;
    }

    /// The next entries of a room's chat that are messages, at least `count` of them, as (sequence number, text).
    pub async fn messages(&mut self, room: &str, count: usize) -> Vec<(u64, String)> {
        let mut messages = Vec::new();
        while messages.len() < count {
            let event = self.hear(|event| event["type"] == "entries" && event["room"] == room).await;
            messages.extend(said(&event["entries"]));
        }
        messages
    }

    /// The code of the server's close; `None` when the connection ends without one.
    pub async fn close_code(&mut self) -> Option<u16> {
        let end = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("a close in time")
    }

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
                    Message::Text(text) => {
                        self.longest = self.longest.max(text.len());
                        self.heard.extend(serde_json::from_str::<Vec<Value>>(&text).expect("an array of events"));
                    }
                    Message::Close(frame) => panic!("closed: {frame:?}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, listen).await.expect("the event in time")
    }

    /// Reads for so long, as a browser does that stays: pings are answered, and what comes is let go.
    pub async fn stay(&mut self, time: Duration) {
        self.heard.clear();
        let read = async { while let Some(Ok(_)) = self.stream.next().await {} };
        let _ = tokio::time::timeout(time, read).await;
    }

    /// Goes with a close frame, as a closed tab does, and waits for the end.
    pub async fn goodbye(mut self) {
        if self.stream.close(None).await.is_ok() {
            self.closed().await;
        }
    }

    /// Waits for the server's close.
    pub async fn closed(&mut self) {
        let end = async { while let Some(Ok(_)) = self.stream.next().await {} };
        tokio::time::timeout(PATIENCE, end).await.expect("a close in time");
    }
}

/// One request on a connection of its own.
pub async fn request(server: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {server}\r\n");
    if !headers.iter().any(|(name, _)| *name == "connection") {
        text.push_str("connection: close\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    let exchange = async {
        let mut socket = TcpStream::connect(server).await.expect("connects");
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

/// The messages among a chat's entries.
pub fn said(entries: &Value) -> Vec<(u64, String)> {
    let entries = entries.as_array().expect("entries");
    let text = |entry: &Value| entry["what"]["say"]["text"].as_str().map(ToOwned::to_owned);
    entries.iter().filter_map(|entry| Some((entry["seq"].as_u64()?, text(entry)?))).collect()
}

/// Asks again and again until it is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "never: {what}");
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
        let size = std::str::from_utf8(&rest[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.expect("a size");
        let chunk = rest.get(end + 2..end + 2 + size).unwrap_or_default();
        out.extend_from_slice(chunk);
        rest = rest.get(end + size + 4..).unwrap_or_default();
    }
    String::from_utf8_lossy(&out).into_owned()
}
