//! The run-time configuration: one declaration an option, from which the file, the environment and the documentation's test come.
//!
//! Flags beat the environment, the environment beats the file, the file beats the defaults. `Leptos.toml` at the root of the
//! repository holds every option with its default; a test keeps it so.

mod accounts;
mod chat;
mod limits;
mod secret;
mod security;
mod tls;

pub use accounts::Accounts;
pub use chat::{Chat, ChatWindow};
pub use limits::Limits;
pub use secret::Secret;
pub use security::Security;
pub use tls::Tls;

use crate::{live::LiveLimits, telemetry};
use madang_domain::{AccountRules, ChatLimits, DomainLimits, EntranceRules, Window};
pub use madang_domain::{Network, NotANetwork};
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

/// Every option. Texts that may be unset are empty then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where web pages and HTTP-FLV are served.
    pub http: SocketAddr,
    /// Where encoders publish.
    pub rtmp: SocketAddr,
    /// Where the same is served over TLS, once there is a certificate.
    pub https: SocketAddr,
    /// Where encoders publish over TLS; `None`, an empty text in the file, is nowhere.
    #[serde(with = "tls::optional_address")]
    pub rtmps: Option<SocketAddr>,
    /// The data directory; empty means `$XDG_DATA_HOME/madang`.
    pub data: PathBuf,
    pub public: Public,
    pub security: Security,
    pub tls: Tls,
    pub log: Log,
    pub metrics: Metrics,
    pub media: Media,
    pub accounts: Accounts,
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
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<Network>,
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// In the form of `RUST_LOG`.
    pub filter: String,
}

/// Who may read `/metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// A bearer token; empty leaves `/metrics` to loopback addresses.
    pub token: Secret,
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
    /// A viewer further behind than this skips to a newer key frame at the end of its GOP, twice as far behind at once.
    pub lag_ms: u64,
    /// A viewer who had to skip this often within a minute is sent away and may come back.
    pub max_skips: u32,
    /// What one stream may use of the uplink, in kbit/s, before its streamer is told; 0 for no bound. Nothing is cut for it.
    pub plan_kbps: u64,
    /// How long a live room waits for an encoder that is gone, in seconds; 0 ends it at once.
    pub grace_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], 3000)),
            rtmp: SocketAddr::from(([0, 0, 0, 0], 1935)),
            https: SocketAddr::from(([0, 0, 0, 0], 8443)),
            rtmps: None,
            data: PathBuf::new(),
            public: Public::default(),
            security: Security::default(),
            tls: Tls::default(),
            log: Log::default(),
            metrics: Metrics::default(),
            media: Media::default(),
            accounts: Accounts::default(),
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
            flight_ms: 20,
            flight_bytes: 128 * 1024,
            ring_s: 10,
            ring_bytes: 16 * 1024 * 1024,
            lag_ms: 3_000,
            max_skips: 10,
            plan_kbps: 0,
            grace_s: 30,
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
            plan_bps: self.plan_kbps.saturating_mul(1_000),
            grace: Duration::from_secs(self.grace_s),
            ..LiveLimits::default()
        }
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
        for (option, ancestors) in [
            ("security.frame_ancestors", &self.security.frame_ancestors),
            ("security.embed_ancestors", &self.security.embed_ancestors),
        ] {
            if !Security::is_sound(ancestors) {
                return wrong(option, "must be \"'none'\", or sources such as \"'self' https://example.org\"");
            }
        }
        if let Some((option, message)) = self.tls.trouble() {
            return wrong(option, message);
        }
        if self.rtmps.is_some() && !self.tls.is_on() {
            return wrong("rtmps", "needs a certificate: set certificate and key in [tls], or acme_domains");
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
        if self.media.grace_s > 300 {
            return wrong("media.grace_s", "must be at most 300: nobody looks at a still picture for longer");
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
            ("limits.chat_renames_per_minute", u64::from(self.limits.chat_renames_per_minute)),
            ("limits.chat_queue_messages", self.limits.chat_queue_messages as u64),
            ("limits.ws_ping_s", self.limits.ws_ping_s),
            ("limits.ws_pong_s", self.limits.ws_pong_s),
            ("limits.chat_waiting", self.limits.chat_waiting as u64),
            ("limits.password_workers", self.limits.password_workers as u64),
            ("limits.password_queue", self.limits.password_queue as u64),
            ("limits.sessions_per_person", self.limits.sessions_per_person as u64),
            ("accounts.session_idle_days", self.accounts.session_idle_days.into()),
            ("accounts.session_days", self.accounts.session_days.into()),
        ];
        if let Some((option, _)) = least.iter().find(|(_, value)| *value == 0) {
            return wrong(option, "must be at least 1: nobody could come in, stay or say anything");
        }
        Ok(())
    }

    /// What the domain is granted.
    pub fn domain(&self) -> DomainLimits {
        let (limits, chat, accounts) = (&self.limits, &self.chat, &self.accounts);
        let days = |days: u32| Duration::from_secs(u64::from(days).saturating_mul(24 * 60 * 60));
        DomainLimits {
            rooms_per_person: limits.rooms_per_person,
            keys_per_room: limits.keys_per_room,
            links_per_room: limits.links_per_room,
            site_bans: limits.site_bans,
            site_actions: limits.site_actions,
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
                per_minute: limits.chat_per_minute_per_person,
                guests_per_minute: limits.chat_per_minute_per_address,
                rate_per: Duration::from_secs(limits.chat_per_s),
                moderator_rate: limits.chat_moderator_times,
                renames: limits.chat_renames_per_minute,
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
            accounts: AccountRules {
                registration: accounts.registration,
                make_rooms: accounts.make_rooms,
                session_idle: days(accounts.session_idle_days),
                session_life: days(accounts.session_days),
                sessions_per_person: limits.sessions_per_person,
                password_workers: limits.password_workers,
                password_queue: limits.password_queue,
                log_ins_per_minute: limits.log_ins_per_minute,
                log_ins_per_account: limits.log_ins_per_account,
                registrations_per_hour: limits.registrations_per_hour,
            },
            entrance: EntranceRules {
                tries_per_minute: limits.room_tries_per_minute,
                tries_per_room: limits.room_tries_per_room,
                play_token_lasts: Duration::from_secs(limits.play_token_s),
                ..EntranceRules::default()
            },
            ..DomainLimits::default()
        }
    }

    /// What is wrong where only a proxy on this machine can be what the world reaches, and nothing is believed of what it says of
    /// who asks; a sentence for the operator.
    pub fn untrusted_proxy(&self) -> Option<String> {
        let (http, public) = (self.http.ip(), &self.public);
        let host =
            public.url.split_once("://").map_or("", |(_, rest)| rest.split(['/', ':']).next().unwrap_or_default());
        let here = host.is_empty() || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let trouble = http.is_loopback() && !self.tls.is_on() && !here && public.trusted_proxies.is_empty();
        trouble.then(|| {
            format!(
                "{} reaches {} through a proxy, and [public] trusted_proxies is empty: everybody counts as one address, so one ban \
                 silences every guest and limits by address meet all viewers together; set trusted_proxies = [\"{http}\"]",
                public.url, self.http
            )
        })
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
