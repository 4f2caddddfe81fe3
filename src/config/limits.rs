//! `[limits]`: how much anybody may use.

use crate::rtmp::RtmpLimits;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The file that explains every option.
const DOCUMENTED: &str = include_str!("../../Leptos.toml");

/// A year: no time at all for a server, and short enough for every timer.
const NO_LIMIT_S: u64 = 365 * 24 * 60 * 60;

/// How much anybody may use; 0 is no limit, of whatever it is, but where 1 is the least ([`Limits::in_force`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Web connections in all.
    pub http_connections: usize,
    /// Web connections from one address.
    pub http_connections_per_address: usize,
    /// Time for a request's head, in seconds; its body may take three times as long.
    pub http_head_s: u64,
    /// A connection that takes no byte for this long is closed, in seconds.
    pub http_stalled_s: u64,
    /// Longest body of a form or a server function's call, in bytes.
    pub http_body_bytes: usize,
    /// State-changing requests a minute from one address.
    pub changes_per_minute: u32,
    /// State-changing requests a minute from one account, wherever it is.
    pub changes_per_minute_per_account: u32,
    /// Wrong passwords, and wrong invitations, a minute from one address.
    pub log_ins_per_minute: u32,
    /// Wrong passwords an hour for one account, from places where it was not logged in to before.
    pub log_ins_per_account: u32,
    /// Accounts an hour made from one address.
    pub registrations_per_hour: u32,
    /// Browsers that one account may be logged in with.
    pub sessions_per_person: usize,
    /// Threads that hash passwords.
    pub password_workers: usize,
    /// Passwords that may wait for them.
    pub password_queue: usize,
    /// Streams that one address may watch at once.
    pub viewers_per_address: usize,
    /// Answers without an end that one browser may have over HTTP/1.1; further streams go over WebSockets.
    pub http_streams_per_browser: usize,
    /// RTMP connections in all.
    pub rtmp_connections: usize,
    /// RTMP connections from one address.
    pub rtmp_connections_per_address: usize,
    /// RTMP connections that watch, of those in all.
    pub rtmp_players: usize,
    /// RTMP connections that watch, of those from one address.
    pub rtmp_players_per_address: usize,
    /// Time for the RTMP handshake, in seconds.
    pub rtmp_handshake_s: u64,
    /// Time from connecting to the first media, in seconds.
    pub rtmp_first_media_s: u64,
    /// A publisher that sends nothing for this long is closed, in seconds.
    pub rtmp_idle_s: u64,
    /// Wrong keys a minute from one address; then the address is refused for a while.
    pub wrong_keys_per_minute: u32,
    /// How long that refusal lasts from the last wrong key, in seconds.
    pub wrong_key_lock_s: u64,
    /// RTMP commands and pings a second from one connection, in the long run; as many again at once.
    pub rtmp_commands_per_second: u32,
    /// Longest RTMP media message, in bytes.
    pub rtmp_message_bytes: usize,
    /// Longest other RTMP message, and longest of any kind before a key was shown, in bytes.
    pub rtmp_command_bytes: usize,
    /// Chunk streams in one RTMP connection.
    pub rtmp_chunk_streams: usize,
    /// An RTMP peer that does not take what it is sent for this long is closed, in seconds.
    pub rtmp_write_s: u64,
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
    /// Links in force by which one room lets people in.
    pub links_per_room: usize,
    /// Wrong passwords of rooms, and wrong links, a minute from one address.
    pub room_tries_per_minute: u32,
    /// Wrong passwords of one room an hour, from wherever.
    pub room_tries_per_room: u32,
    /// For how long a player may connect by the token that a room's page shows, in seconds.
    pub play_token_s: u64,
    /// Messages that one person may send in `chat_per_s` seconds, in the long run.
    pub chat_messages: u32,
    /// See `chat_messages`.
    pub chat_per_s: u64,
    /// Messages that one person may send at once.
    pub chat_burst: u32,
    /// Messages that one person may send a minute, in all rooms together.
    pub chat_per_minute_per_person: u32,
    /// Messages that guests of one address may send a minute; a sixth of it at once.
    pub chat_per_minute_per_address: u32,
    /// How many times `chat_messages` and `chat_burst` moderators may.
    pub chat_moderator_times: u32,
    /// Changes of name that one person may make at once, and in a minute after that.
    pub chat_renames_per_minute: u32,
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
    /// Bans in force across the site.
    pub site_bans: usize,
    /// Administrators' actions kept in the database.
    pub site_actions: u64,
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
            changes_per_minute_per_account: 60,
            log_ins_per_minute: 10,
            log_ins_per_account: 20,
            registrations_per_hour: 10,
            sessions_per_person: 20,
            password_workers: 2,
            password_queue: 32,
            viewers_per_address: 128,
            http_streams_per_browser: 4,
            rtmp_connections: 1_000,
            rtmp_connections_per_address: 32,
            rtmp_players: 500,
            rtmp_players_per_address: 16,
            rtmp_handshake_s: 10,
            rtmp_first_media_s: 15,
            rtmp_idle_s: 10,
            wrong_keys_per_minute: 10,
            wrong_key_lock_s: 60,
            rtmp_commands_per_second: 50,
            rtmp_message_bytes: 16 * 1024 * 1024,
            rtmp_command_bytes: 64 * 1024,
            rtmp_chunk_streams: 64,
            rtmp_write_s: 10,
            ws_connections: 10_000,
            ws_connections_per_address: 128,
            ws_rooms: 8,
            ws_messages_per_second: 20,
            ws_ping_s: 20,
            ws_pong_s: 10,
            rooms_per_person: 10,
            keys_per_room: 20,
            links_per_room: 100,
            room_tries_per_minute: 10,
            room_tries_per_room: 100,
            play_token_s: 12 * 60 * 60,
            chat_messages: 3,
            chat_per_s: 2,
            chat_burst: 5,
            chat_per_minute_per_person: 300,
            chat_per_minute_per_address: 600,
            chat_moderator_times: 10,
            chat_renames_per_minute: 6,
            chat_queue_messages: 64,
            chat_queue_bytes: 64 * 1024,
            chat_waiting: 1024,
            chat_bans: 10_000,
            chat_moderators: 100,
            chat_remembered: 10_000,
            site_bans: 10_000,
            site_actions: 10_000,
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
            changes_per_minute_per_account: or(self.changes_per_minute_per_account, u32::MAX),
            log_ins_per_minute: or(self.log_ins_per_minute, u32::MAX),
            log_ins_per_account: or(self.log_ins_per_account, u32::MAX),
            registrations_per_hour: or(self.registrations_per_hour, u32::MAX),
            viewers_per_address: or(self.viewers_per_address, usize::MAX),
            http_streams_per_browser: or(self.http_streams_per_browser, usize::MAX),
            rtmp_connections: or(self.rtmp_connections, usize::MAX),
            rtmp_connections_per_address: or(self.rtmp_connections_per_address, usize::MAX),
            rtmp_players: or(self.rtmp_players, usize::MAX),
            rtmp_players_per_address: or(self.rtmp_players_per_address, usize::MAX),
            rtmp_handshake_s: or(self.rtmp_handshake_s, NO_LIMIT_S),
            rtmp_first_media_s: or(self.rtmp_first_media_s, NO_LIMIT_S),
            rtmp_idle_s: or(self.rtmp_idle_s, NO_LIMIT_S),
            wrong_keys_per_minute: or(self.wrong_keys_per_minute, u32::MAX),
            rtmp_commands_per_second: or(self.rtmp_commands_per_second, u32::MAX),
            rtmp_message_bytes: or(self.rtmp_message_bytes, usize::MAX),
            rtmp_command_bytes: or(self.rtmp_command_bytes, usize::MAX),
            rtmp_chunk_streams: or(self.rtmp_chunk_streams, usize::MAX),
            rtmp_write_s: or(self.rtmp_write_s, NO_LIMIT_S),
            ws_connections: or(self.ws_connections, usize::MAX),
            ws_connections_per_address: or(self.ws_connections_per_address, usize::MAX),
            ws_rooms: or(self.ws_rooms, usize::MAX),
            ws_messages_per_second: or(self.ws_messages_per_second, u32::MAX),
            rooms_per_person: or(self.rooms_per_person, usize::MAX),
            keys_per_room: or(self.keys_per_room, usize::MAX),
            links_per_room: or(self.links_per_room, usize::MAX),
            room_tries_per_minute: or(self.room_tries_per_minute, u32::MAX),
            room_tries_per_room: or(self.room_tries_per_room, u32::MAX),
            play_token_s: or(self.play_token_s, NO_LIMIT_S),
            chat_per_minute_per_person: or(self.chat_per_minute_per_person, u32::MAX),
            chat_per_minute_per_address: or(self.chat_per_minute_per_address, u32::MAX),
            site_bans: or(self.site_bans, usize::MAX),
            site_actions: or(self.site_actions, u64::MAX),
            // No lock is 0 s of it. The chat's, and those of passwords and sessions, have a least instead (`Config::check`).
            ..self.clone()
        }
    }

    /// Every limit as it is now, with the reason that `Leptos.toml` gives for it. A value that nothing reaches is `None`.
    pub fn explained(&self) -> Vec<(String, Option<u64>, String)> {
        let Ok(serde_json::Value::Object(values)) = serde_json::to_value(self.in_force()) else { return Vec::new() };
        let nothing = [u64::MAX, u64::from(u32::MAX), NO_LIMIT_S];
        let (mut explained, mut reason) = (Vec::new(), String::new());
        let (_, section) = DOCUMENTED.split_once("[limits]").unwrap_or_default();
        for line in section.lines() {
            if let Some(comment) = line.strip_prefix('#') {
                reason.push_str(comment);
            } else if let Some((name, _)) = line.split_once(" = ") {
                let value =
                    values.get(name).and_then(serde_json::Value::as_u64).filter(|value| !nothing.contains(value));
                explained.push((name.to_owned(), value, std::mem::take(&mut reason).trim().to_owned()));
            }
        }
        explained
    }

    pub fn rtmp(&self) -> RtmpLimits {
        RtmpLimits {
            connections: self.rtmp_connections,
            connections_per_address: self.rtmp_connections_per_address,
            handshake: Duration::from_secs(self.rtmp_handshake_s),
            first_media: Duration::from_secs(self.rtmp_first_media_s),
            idle: Duration::from_secs(self.rtmp_idle_s),
            wrong_keys_per_minute: self.wrong_keys_per_minute,
            wrong_key_lock: Duration::from_secs(self.wrong_key_lock_s),
            commands_per_second: self.rtmp_commands_per_second,
            media_message_bytes: self.rtmp_message_bytes,
            command_message_bytes: self.rtmp_command_bytes,
            chunk_streams: self.rtmp_chunk_streams,
            write: Duration::from_secs(self.rtmp_write_s),
            players: self.rtmp_players,
            players_per_address: self.rtmp_players_per_address,
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
