//! How much a peer may take: sizes, times, connections, wrong keys, commands.
//!
//! Everything that depends on time takes `now` from outside, so it is tested without waiting.

use super::chunk::ChunkLimits;
use crate::{addresses::household, recent::Recent};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Every bound of the RTMP port. The defaults are meant for the open internet.
#[derive(Clone, Debug)]
pub struct RtmpLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address (one /64 for IPv6).
    pub connections_per_address: usize,
    /// Connections that watch, in all and from one address: fewer than all, so that encoders always find one.
    pub players: usize,
    pub players_per_address: usize,
    /// From accepting to the end of the handshake.
    pub handshake: Duration,
    /// From accepting to the first audio or video; also for a connection that stopped publishing and starts again.
    pub first_media: Duration,
    /// Between audio or video messages of a publisher.
    pub idle: Duration,
    /// For the peer to take what we send.
    pub write: Duration,
    /// How long a refused peer may take to read why, before its connection is closed under it.
    pub farewell: Duration,
    /// Wrong keys from one address in a minute; the next attempt is locked out.
    pub wrong_keys_per_minute: u32,
    /// How long the lock holds, from the last wrong key.
    pub wrong_key_lock: Duration,
    /// Longest audio, video or aggregate message of a publisher, in bytes.
    pub media_message_bytes: usize,
    /// Longest message of another type, and longest of any type before publishing, in bytes.
    pub command_message_bytes: usize,
    /// Chunk streams in one connection.
    pub chunk_streams: usize,
    /// Commands and pings a second, with as many again at once.
    pub commands_per_second: u32,
}

impl Default for RtmpLimits {
    fn default() -> Self {
        Self {
            connections: 1_000,
            connections_per_address: 32,
            players: 500,
            players_per_address: 16,
            handshake: Duration::from_secs(10),
            first_media: Duration::from_secs(15),
            idle: Duration::from_secs(10),
            write: Duration::from_secs(10),
            farewell: Duration::from_secs(2),
            wrong_keys_per_minute: 10,
            wrong_key_lock: Duration::from_secs(60),
            media_message_bytes: 16 * 1024 * 1024,
            command_message_bytes: 64 * 1024,
            chunk_streams: 64,
            commands_per_second: 50,
        }
    }
}

impl RtmpLimits {
    /// For a peer that has shown no key: nothing large, and little unfinished.
    pub(crate) fn stranger(&self) -> ChunkLimits {
        ChunkLimits {
            media_bytes: self.command_message_bytes,
            command_bytes: self.command_message_bytes,
            chunk_streams: self.chunk_streams,
            assembly_bytes: self.command_message_bytes.saturating_mul(2),
        }
    }

    /// For a publisher: one message of each track at its longest.
    pub(crate) fn publisher(&self) -> ChunkLimits {
        let media = self.media_message_bytes.max(self.command_message_bytes);
        ChunkLimits { media_bytes: media, assembly_bytes: media.saturating_mul(2), ..self.stranger() }
    }
}

/// Counts open connections, in all and by source.
#[derive(Debug)]
pub struct Admission {
    total: usize,
    per_source: usize,
    // A plain mutex: held for a map operation, twice per connection.
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A counted connection; dropping it gives the place back.
#[derive(Debug)]
pub struct Admitted {
    admission: Arc<Admission>,
    source: IpAddr,
}

/// Which bound a new connection met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Crowded {
    #[error("too many RTMP connections")]
    Total,
    #[error("too many RTMP connections from one address")]
    Source,
}

impl Admission {
    pub fn new(limits: &RtmpLimits) -> Arc<Self> {
        Arc::new(Self {
            total: limits.connections,
            per_source: limits.connections_per_address,
            open: Mutex::new(HashMap::new()),
        })
    }

    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Admitted, Crowded> {
        let source = household(address);
        let mut open = locked(&self.open);
        if open.values().sum::<usize>() >= self.total {
            return Err(Crowded::Total);
        }
        let count = open.get(&source).copied().unwrap_or_default();
        if count >= self.per_source {
            return Err(Crowded::Source);
        }
        open.insert(source, count + 1);
        metrics::gauge!("madang_rtmp_connections").increment(1.0);
        Ok(Admitted { admission: Arc::clone(self), source })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        metrics::gauge!("madang_rtmp_connections").decrement(1.0);
        let mut open = locked(&self.admission.open);
        if let Some(count) = open.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.source);
            }
        }
    }
}

/// Wrong stream keys by source: so many a minute, then a lock.
#[derive(Debug)]
pub struct WrongKeys {
    per_minute: u32,
    lock: Duration,
    // A plain mutex: held for a map operation, once a wrong key and once a publish command.
    sources: Mutex<Recent<IpAddr, Attempts>>,
}

#[derive(Clone, Copy, Debug)]
struct Attempts {
    since: Instant,
    last: Instant,
    count: u32,
}

const MINUTE: Duration = Duration::from_secs(60);
/// Sources remembered at least, twice as many at most; those that were quiet longest are forgotten.
const SOURCES: usize = 10_000;

impl WrongKeys {
    pub fn new(limits: &RtmpLimits) -> Self {
        Self {
            per_minute: limits.wrong_keys_per_minute,
            lock: limits.wrong_key_lock,
            sources: Mutex::new(Recent::new(SOURCES)),
        }
    }

    /// How long `address` must still wait; `None` when it may try a key.
    pub fn locked(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let sources = locked(&self.sources);
        let attempts = sources.get(&household(address))?;
        if attempts.count < self.per_minute {
            return None;
        }
        (attempts.last + self.lock).checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Records a wrong key; says whether the address is locked from now on.
    pub fn wrong(&self, address: IpAddr, now: Instant) -> bool {
        let mut sources = locked(&self.sources);
        let attempts = sources.of(household(address), || Attempts { since: now, last: now, count: 0 });
        if self.over(attempts, now) {
            *attempts = Attempts { since: now, last: now, count: 0 };
        }
        attempts.count = attempts.count.saturating_add(1);
        attempts.last = now;
        attempts.count >= self.per_minute
    }

    /// Neither locked nor within the minute that counts.
    fn over(&self, attempts: &Attempts, now: Instant) -> bool {
        let ends = if attempts.count >= self.per_minute { attempts.last + self.lock } else { attempts.since + MINUTE };
        ends <= now
    }
}

/// A token bucket: so many a second, with one second's worth in store.
#[derive(Debug)]
pub struct Budget {
    per_second: u32,
    left: f64,
    at: Instant,
}

impl Budget {
    pub fn new(per_second: u32, now: Instant) -> Self {
        Self { per_second, left: f64::from(per_second), at: now }
    }

    /// Takes one; `false` when none is left.
    pub fn take(&mut self, now: Instant) -> bool {
        let rate = f64::from(self.per_second);
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * rate;
        self.at = now;
        self.left = (self.left + gained).min(rate);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

/// A panic elsewhere leaves the counts as they were, which is good enough to go on with.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
