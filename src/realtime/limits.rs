//! How many sockets there may be, in all and from one address, and how often one of them may speak.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Counts open sockets. The map holds only addresses with a socket open, so it is as bounded as they are.
pub struct Connections {
    most: usize,
    most_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    /// Sockets so far, this one included.
    ever: u64,
    by_address: HashMap<IpAddr, usize>,
}

/// A socket's place; dropping it gives the place back.
pub struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
    number: u64,
}

impl Place {
    /// A number that no other socket of this process has.
    pub const fn number(&self) -> u64 {
        self.number
    }
}

impl Connections {
    pub fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_address, open: Mutex::default() })
    }

    /// Sockets open now.
    pub fn open(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// `None` when either limit is reached.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let here = open.by_address.get(&address).copied().unwrap_or(0);
        if open.all >= self.most || here >= self.most_per_address {
            return None;
        }
        open.all += 1;
        open.ever += 1;
        open.by_address.insert(address, here + 1);
        metrics::gauge!("madang_ws_connections").set(open.all as f64);
        Some(Place { connections: Arc::clone(self), address, number: open.ever })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(here) = open.by_address.get_mut(&self.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                open.by_address.remove(&self.address);
            }
        }
        metrics::gauge!("madang_ws_connections").set(open.all as f64);
    }
}

/// What reading from the database costs beside a message that does not.
pub const HEAVY: f64 = 4.0;

/// A bucket of messages: `per_second` in the long run, ten seconds' worth at once.
pub struct Pace {
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Pace {
    pub fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, left: per_second * 10.0, at: now }
    }

    /// Whether a message of this cost may come at `now`.
    pub fn take(&mut self, cost: f64, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).min(Duration::from_secs(60)).as_secs_f64();
        self.at = now;
        self.left = (self.left + passed * self.per_second).min(self.per_second * 10.0);
        if self.left < cost {
            return false;
        }
        self.left -= cost;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back() {
        let connections = Connections::new(3, 2);
        let address = |last| IpAddr::from([192, 0, 2, last]);
        let first = connections.enter(address(1)).expect("room");
        let _second = connections.enter(address(1)).expect("room");
        assert!(connections.enter(address(1)).is_none(), "a third from one address");
        drop(first);
        let _third = connections.enter(address(1)).expect("room again");
        let _fourth = connections.enter(address(2)).expect("room for another");
        assert!(connections.enter(address(3)).is_none(), "a fourth in all");
    }

    #[test]
    fn a_flood_is_stopped_and_patience_is_rewarded() {
        let start = Instant::now();
        let mut pace = Pace::new(5, start);
        assert_eq!((0..100).filter(|_| pace.take(1.0, start)).count(), 50);
        assert_eq!((0..100).filter(|_| pace.take(1.0, start + Duration::from_secs(2))).count(), 10);
        assert_eq!((0..100).filter(|_| pace.take(HEAVY, start + Duration::from_secs(6))).count(), 5);
    }
}
