//! The run-time configuration: one declaration an option, from which the file, the environment and the documentation's test come.
//!
//! Flags beat the environment, the environment beats the file, the file beats the defaults. `Leptos.toml` at the root of the
//! repository holds every option with its default; a test keeps it so.

use crate::{live::LiveLimits, rtmp::RtmpLimits, telemetry};
use madang_domain::DomainLimits;
use serde::{Deserialize, Serialize};
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use toml::{Table, Value};

/// The file that is read when no other is named and it exists.
pub const DEFAULT_FILE: &str = "Leptos.toml";
const ENVIRONMENT_PREFIX: &str = "MADANG_";
/// A year: no time at all for a server, and short enough for every timer.
const NO_LIMIT_S: u64 = 365 * 24 * 60 * 60;

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

/// How much anybody may use; 0 is no limit, of whatever it is ([`Limits::in_force`]).
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
    /// Rooms that one person may own.
    pub rooms_per_person: usize,
    /// Stream keys in force that one room may have.
    pub keys_per_room: usize,
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
            ws_messages_per_second: 5,
            rooms_per_person: 10,
            keys_per_room: 20,
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
    /// The same with what nothing reaches in the place of each 0. Everything that limits is given these.
    pub fn in_force(&self) -> Self {
        fn or<N: Default + PartialEq>(limit: N, none: N) -> N {
            if limit == N::default() { none } else { limit }
        }
        Self {
            http_connections: or(self.http_connections, usize::MAX),
            http_connections_per_address: or(self.http_connections_per_address, usize::MAX),
            http_head_s: or(self.http_head_s, NO_LIMIT_S),
            http_stalled_s: or(self.http_stalled_s, NO_LIMIT_S),
            http_body_bytes: or(self.http_body_bytes, usize::MAX),
            changes_per_minute: or(self.changes_per_minute, u32::MAX),
            viewers_per_address: or(self.viewers_per_address, usize::MAX),
            rtmp_connections: or(self.rtmp_connections, usize::MAX),
            rtmp_connections_per_address: or(self.rtmp_connections_per_address, usize::MAX),
            rtmp_handshake_s: or(self.rtmp_handshake_s, NO_LIMIT_S),
            rtmp_first_media_s: or(self.rtmp_first_media_s, NO_LIMIT_S),
            rtmp_idle_s: or(self.rtmp_idle_s, NO_LIMIT_S),
            wrong_keys_per_minute: or(self.wrong_keys_per_minute, u32::MAX),
            rtmp_message_bytes: or(self.rtmp_message_bytes, usize::MAX),
            ws_connections: or(self.ws_connections, usize::MAX),
            ws_connections_per_address: or(self.ws_connections_per_address, usize::MAX),
            ws_rooms: or(self.ws_rooms, usize::MAX),
            ws_messages_per_second: or(self.ws_messages_per_second, u32::MAX),
            rooms_per_person: or(self.rooms_per_person, usize::MAX),
            keys_per_room: or(self.keys_per_room, usize::MAX),
        }
    }

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

    pub fn domain(&self) -> DomainLimits {
        DomainLimits {
            rooms_per_person: self.rooms_per_person,
            keys_per_room: self.keys_per_room,
            ..DomainLimits::default()
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
        Ok(())
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
mod tests;
