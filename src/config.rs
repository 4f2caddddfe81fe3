//! The run-time configuration: one declaration an option, from which the file, the environment and the documentation's test come.
//!
//! Flags beat the environment, the environment beats the file, the file beats the defaults. `Leptos.toml` at the root of the
//! repository holds every option with its default; a test keeps it so.

use crate::{live::LiveLimits, rtmp::RtmpLimits, telemetry};
use madang_domain::{ChatLimits, DomainLimits, Window};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use toml::{Table, Value};

/// The file that is read when no other is named and it exists.
pub const DEFAULT_FILE: &str = "Leptos.toml";
const ENVIRONMENT_PREFIX: &str = "MADANG_";

/// Every option. Texts that may be unset are empty then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where web pages and HTTP-FLV are served.
    pub http: SocketAddr,
    /// Where encoders publish.
    pub rtmp: SocketAddr,
    /// The data directory; empty means `$XDG_DATA_HOME/madang`.
    pub data: PathBuf,
    pub public: Public,
    pub log: Log,
    pub metrics: Metrics,
    pub media: Media,
    pub chat: Chat,
    pub limits: Limits,
}

/// How the world reaches this server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Public {
    /// `https://live.example.org`; empty takes each request's own host over plain HTTP.
    pub url: String,
    /// The server address that the studio shows; empty makes it from the web address and the RTMP port.
    pub rtmp_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// In the form of `RUST_LOG`.
    pub filter: String,
}

/// Who may read `/metrics`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// A bearer token; empty leaves `/metrics` to loopback addresses.
    pub token: String,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.token.is_empty() { "Metrics(loopback)" } else { "Metrics(token)" })
    }
}

/// How streams are cut and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// Tags of this span are sent together; 0 sends each tag by itself.
    pub flight_ms: u64,
    /// A flight is sent when it has this many bytes, however young.
    pub flight_bytes: usize,
    /// How much of a stream is kept for those who join or lag, in seconds.
    pub ring_s: u64,
    /// The same, in bytes.
    pub ring_bytes: usize,
    /// A viewer further behind than this skips to a newer key frame.
    pub lag_ms: u64,
    /// A viewer who had to skip this often within a minute is sent away and may come back.
    pub max_skips: u32,
}

/// How rooms' chats are sent and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chat {
    /// How long messages are gathered before they are sent together.
    pub window_ms: ChatWindow,
    /// How often counts of people are sent at most, in milliseconds.
    pub counts_ms: u64,
    /// Entries kept in memory to resume from.
    pub recovery_entries: usize,
    /// Entries older than this are not kept in memory, in seconds.
    pub recovery_s: u64,
    /// Entries of a room kept in the database.
    pub kept_entries: u64,
    /// Moderators' actions of a room kept in the database.
    pub kept_actions: u64,
    /// Of an IPv4 address, how many leading bits a ban is about.
    pub ban_prefix_v4: u8,
    /// The same of an IPv6 address.
    pub ban_prefix_v6: u8,
    /// A ban or a timeout deletes its person's messages of this long, in seconds.
    pub purge_s: u64,
    /// How long a message counts as said before where nobody repeats, in seconds.
    pub unique_s: u64,
    /// How long a room's task waits for somebody to come, in seconds.
    pub idle_s: u64,
}

/// `"auto"`, or milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChatWindow {
    /// By the room's size and rate.
    #[default]
    Auto,
    Millis(u64),
}

impl Serialize for ChatWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Millis(millis) => serializer.serialize_u64(*millis),
        }
    }
}

impl<'de> Deserialize<'de> for ChatWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        let wrong = || de::Error::custom("must be \"auto\" or a number of milliseconds");
        match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Number(millis) => Ok(Self::Millis(millis)),
            Written::Text(text) if text == "auto" => Ok(Self::Auto),
            // The environment has texts only.
            Written::Text(text) => text.parse().map(Self::Millis).map_err(|_| wrong()),
        }
    }
}

/// How much anybody may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Web connections in all.
    pub http_connections: usize,
    /// Web connections from one address.
    pub http_connections_per_address: usize,
    /// Time for a request's head, in seconds.
    pub http_head_s: u64,
    /// A connection that takes no byte for this long is closed, in seconds.
    pub http_stalled_s: u64,
    /// Longest body of a form or a server function's call, in bytes.
    pub http_body_bytes: usize,
    /// State-changing requests a minute from one address.
    pub changes_per_minute: u32,
    /// Streams that one address may watch at once.
    pub viewers_per_address: usize,
    /// RTMP connections in all.
    pub rtmp_connections: usize,
    /// RTMP connections from one address.
    pub rtmp_connections_per_address: usize,
    /// Time for the RTMP handshake, in seconds.
    pub rtmp_handshake_s: u64,
    /// Time from connecting to the first media, in seconds.
    pub rtmp_first_media_s: u64,
    /// A publisher that sends nothing for this long is closed, in seconds.
    pub rtmp_idle_s: u64,
    /// Wrong keys a minute from one address; then the address is refused for a minute.
    pub wrong_keys_per_minute: u32,
    /// Longest RTMP media message, in bytes.
    pub rtmp_message_bytes: usize,
    /// WebSocket connections in all.
    pub ws_connections: usize,
    /// WebSocket connections from one address.
    pub ws_connections_per_address: usize,
    /// Rooms that one WebSocket may have joined at once.
    pub ws_rooms: usize,
    /// Messages a second from one WebSocket, in the long run; ten times that at once.
    pub ws_messages_per_second: u32,
    /// How often a WebSocket is asked whether its browser is still there, in seconds.
    pub ws_ping_s: u64,
    /// How long the answer to that may take, in seconds.
    pub ws_pong_s: u64,
    /// Rooms that one person may own.
    pub rooms_per_person: usize,
    /// Stream keys in force that one room may have.
    pub keys_per_room: usize,
    /// Messages that one person may send in `chat_per_s` seconds, in the long run.
    pub chat_messages: u32,
    /// See `chat_messages`.
    pub chat_per_s: u64,
    /// Messages that one person may send at once.
    pub chat_burst: u32,
    /// How many times that moderators may.
    pub chat_moderator_times: u32,
    /// Frames that may wait for one connection.
    pub chat_queue_messages: usize,
    /// The same, in bytes.
    pub chat_queue_bytes: usize,
    /// Messages and actions that may wait for a room's task.
    pub chat_waiting: usize,
    /// Bans and timeouts in force in one room.
    pub chat_bans: usize,
    /// Moderators of one room.
    pub chat_moderators: usize,
    /// Persons that one room remembers for their rate, after they have gone.
    pub chat_remembered: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], 3000)),
            rtmp: SocketAddr::from(([0, 0, 0, 0], 1935)),
            data: PathBuf::new(),
            public: Public::default(),
            log: Log::default(),
            metrics: Metrics::default(),
            media: Media::default(),
            chat: Chat::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned() }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self {
            flight_ms: 40,
            flight_bytes: 128 * 1024,
            ring_s: 10,
            ring_bytes: 16 * 1024 * 1024,
            lag_ms: 3_000,
            max_skips: 10,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            http_connections: 20_000,
            http_connections_per_address: 256,
            http_head_s: 10,
            http_stalled_s: 30,
            http_body_bytes: 192 * 1024,
            changes_per_minute: 60,
            viewers_per_address: 128,
            rtmp_connections: 1_000,
            rtmp_connections_per_address: 32,
            rtmp_handshake_s: 10,
            rtmp_first_media_s: 15,
            rtmp_idle_s: 10,
            wrong_keys_per_minute: 10,
            rtmp_message_bytes: 16 * 1024 * 1024,
            ws_connections: 10_000,
            ws_connections_per_address: 128,
            ws_rooms: 8,
            ws_messages_per_second: 20,
            ws_ping_s: 20,
            ws_pong_s: 10,
            rooms_per_person: 10,
            keys_per_room: 20,
            chat_messages: 3,
            chat_per_s: 2,
            chat_burst: 5,
            chat_moderator_times: 10,
            chat_queue_messages: 64,
            chat_queue_bytes: 64 * 1024,
            chat_waiting: 1024,
            chat_bans: 10_000,
            chat_moderators: 100,
            chat_remembered: 10_000,
        }
    }
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            window_ms: ChatWindow::Auto,
            counts_ms: 500,
            recovery_entries: 1000,
            recovery_s: 600,
            kept_entries: 100_000,
            kept_actions: 10_000,
            ban_prefix_v4: 32,
            ban_prefix_v6: 64,
            purge_s: 600,
            unique_s: 600,
            idle_s: 60,
        }
    }
}

impl Media {
    pub fn live(&self) -> LiveLimits {
        LiveLimits {
            flight: Duration::from_millis(self.flight_ms),
            flight_bytes: self.flight_bytes,
            ring: Duration::from_secs(self.ring_s),
            ring_bytes: self.ring_bytes,
            lag: Duration::from_millis(self.lag_ms),
            max_skips: self.max_skips,
            ..LiveLimits::default()
        }
    }
}

impl Limits {
    pub fn rtmp(&self) -> RtmpLimits {
        RtmpLimits {
            connections: self.rtmp_connections,
            connections_per_address: self.rtmp_connections_per_address,
            handshake: Duration::from_secs(self.rtmp_handshake_s),
            first_media: Duration::from_secs(self.rtmp_first_media_s),
            idle: Duration::from_secs(self.rtmp_idle_s),
            wrong_keys_per_minute: self.wrong_keys_per_minute,
            media_message_bytes: self.rtmp_message_bytes,
            ..RtmpLimits::default()
        }
    }

    pub const fn http_head(&self) -> Duration {
        Duration::from_secs(self.http_head_s)
    }

    pub const fn http_stalled(&self) -> Duration {
        Duration::from_secs(self.http_stalled_s)
    }
}

/// Why a configuration cannot be used: a sentence that names the place.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: {message}", path.display())]
    File { path: PathBuf, message: String },
    #[error("{name} in the environment: {message}")]
    Environment { name: String, message: String },
    #[error("{option}: {message}")]
    Value { option: &'static str, message: String },
}

impl Config {
    /// Reads the file (`file`, or `./Leptos.toml` where there is one), then the environment.
    ///
    /// # Errors
    /// Names the file with the line, or the variable.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound && file.is_none() => String::new(),
            Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
        };
        let config = Self::parse(&text, path)?.with_environment(environment)?;
        config.check()?;
        Ok(config)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::File {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })
    }

    /// `MADANG_LIMITS_WS_ROOMS=4` sets `limits.ws_rooms`; the value is read as TOML, or else as a text.
    fn with_environment(self, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut table = self.to_table();
        let options = option_paths(&table);
        let mut config = self;
        for (name, text) in environment {
            let Some(suffix) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let Some(path) = options.iter().find(|path| path.join("_").eq_ignore_ascii_case(suffix)) else { continue };
            let value = format!("v = {text}").parse::<Table>().ok().and_then(|mut parsed| parsed.remove("v"));
            let wants_text = matches!(lookup(&table, path), Some(Value::String(_)));
            let value = match value {
                Some(value) if !wants_text || value.is_str() => value,
                _ => Value::String(text),
            };
            insert(&mut table, path, value);
            config = table.clone().try_into().map_err(|error: toml::de::Error| ConfigError::Environment {
                name,
                message: error.message().to_owned(),
            })?;
        }
        Ok(config)
    }

    /// The whole configuration as a file; the metrics token is left out.
    pub fn to_toml(&self) -> String {
        let shown = Self { metrics: Metrics::default(), ..self.clone() };
        shown.to_table().to_string()
    }

    fn to_table(&self) -> Table {
        // Every field is a number, a text or a list, which TOML can always hold.
        Table::try_from(self).unwrap_or_default()
    }

    /// What types cannot say.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |option, message: &str| Err(ConfigError::Value { option, message: message.to_owned() });
        if !self.public.url.is_empty() && origin_of(&self.public.url).is_none() {
            return wrong("public.url", "must be like https://live.example.org, without a path");
        }
        if !self.public.rtmp_url.is_empty() && !self.public.rtmp_url.starts_with("rtmp") {
            return wrong("public.rtmp_url", "must be like rtmp://live.example.org/live");
        }
        if self.media.flight_ms > 1_000 {
            return wrong(
                "media.flight_ms",
                "must be at most 1000: viewers would wait longer than that for each picture",
            );
        }
        if self.media.ring_s == 0 || self.media.ring_bytes < 1024 * 1024 {
            return wrong("media.ring_s", "the ring must hold at least a second and 1 MiB");
        }
        if self.media.flight_bytes < 1024 {
            return wrong("media.flight_bytes", "must be at least 1024");
        }
        if let Err(message) = telemetry::log_filter(&self.log.filter) {
            return wrong("log.filter", &message);
        }
        if matches!(self.chat.window_ms, ChatWindow::Millis(millis) if millis > 10_000) {
            return wrong("chat.window_ms", "must be at most 10000: people would wait longer than that for an answer");
        }
        if self.chat.recovery_entries < 200 {
            return wrong("chat.recovery_entries", "must be at least 200: that many are sent to everyone who joins");
        }
        if self.chat.ban_prefix_v4 > 32 || self.chat.ban_prefix_v6 > 128 {
            return wrong("chat.ban_prefix_v4", "an IPv4 address has 32 bits, an IPv6 address 128");
        }
        let least = [
            ("limits.chat_messages", u64::from(self.limits.chat_messages)),
            ("limits.chat_per_s", self.limits.chat_per_s),
            ("limits.chat_burst", u64::from(self.limits.chat_burst)),
            ("limits.chat_moderator_times", u64::from(self.limits.chat_moderator_times)),
            ("limits.chat_queue_messages", self.limits.chat_queue_messages as u64),
            ("limits.ws_ping_s", self.limits.ws_ping_s),
            ("limits.ws_pong_s", self.limits.ws_pong_s),
            ("limits.chat_waiting", self.limits.chat_waiting as u64),
        ];
        if let Some((option, _)) = least.iter().find(|(_, value)| *value == 0) {
            return wrong(option, "must be at least 1: nobody could stay or say anything");
        }
        Ok(())
    }

    /// What the domain is granted.
    pub fn domain(&self) -> DomainLimits {
        let (limits, chat) = (&self.limits, &self.chat);
        DomainLimits {
            rooms_per_person: limits.rooms_per_person,
            keys_per_room: limits.keys_per_room,
            chat: ChatLimits {
                window: match chat.window_ms {
                    ChatWindow::Auto => Window::Auto,
                    ChatWindow::Millis(millis) => Window::Fixed(Duration::from_millis(millis)),
                },
                member_queue_messages: limits.chat_queue_messages,
                member_queue_bytes: limits.chat_queue_bytes,
                recovery_entries: chat.recovery_entries,
                recovery_age: Duration::from_secs(chat.recovery_s),
                burst: limits.chat_burst,
                rate: limits.chat_messages,
                rate_per: Duration::from_secs(limits.chat_per_s),
                moderator_rate: limits.chat_moderator_times,
                waiting: limits.chat_waiting,
                remembered_persons: limits.chat_remembered,
                ban_prefix_v4: chat.ban_prefix_v4,
                ban_prefix_v6: chat.ban_prefix_v6,
                bans: limits.chat_bans,
                moderators: limits.chat_moderators,
                purge_age: Duration::from_secs(chat.purge_s),
                unique_age: Duration::from_secs(chat.unique_s),
                kept_entries: chat.kept_entries,
                kept_actions: chat.kept_actions,
                counts_every: Duration::from_millis(chat.counts_ms),
                idle: Duration::from_secs(chat.idle_s),
                ..ChatLimits::default()
            },
            ..DomainLimits::default()
        }
    }

    /// The data directory, with the default filled in.
    pub fn data_dir(&self) -> PathBuf {
        if !self.data.as_os_str().is_empty() {
            return self.data.clone();
        }
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
            .unwrap_or_else(|| PathBuf::from("."))
            .join("madang")
    }
}

/// `https://live.example.org` of `https://live.example.org/`; `None` for anything that is not such an address.
pub fn origin_of(url: &str) -> Option<&str> {
    let url = url.strip_suffix('/').unwrap_or(url);
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let plain = !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '"', '<']);
    plain.then_some(url)
}

/// Every option as its path in the file.
fn option_paths(table: &Table) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                for mut path in option_paths(inner) {
                    path.insert(0, key.clone());
                    paths.push(path);
                }
            }
            _ => paths.push(vec![key.clone()]),
        }
    }
    paths
}

fn lookup<'a>(table: &'a Table, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = table.get(first)?;
    if rest.is_empty() { Some(value) } else { lookup(value.as_table()?, rest) }
}

fn insert(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            table.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            if let Some(Value::Table(inner)) = table.get_mut(first) {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = include_str!("../Leptos.toml");

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
            let reasoned =
                line.contains('#') || index.checked_sub(1).is_some_and(|above| lines[above].starts_with('#'));
            assert!(reasoned, "Leptos.toml: no reason beside {line}");
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = Config::parse("http = \"127.0.0.1:1\"\n\n[limits]\nviewres = 3\n", Path::new("my.toml"))
            .expect_err("unknown");
        let text = error.to_string();
        assert!(text.contains("my.toml") && text.contains("line 4") && text.contains("viewres"), "{text}");
    }

    #[test]
    fn the_environment_beats_the_file() {
        let file = Config::parse("[limits]\nws_rooms = 3\n[public]\nurl = \"https://a.example\"", Path::new("x"))
            .expect("fine");
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
        assert_eq!(config.metrics.token, "12345");
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
    fn a_token_is_not_printed() {
        let config = Config { metrics: Metrics { token: "hush".to_owned() }, ..Config::default() };
        assert!(!format!("{config:?}").contains("hush"));
    }
}
