//! How many sockets there may be, in all and from one address, and how often one of them may speak.

use crate::addresses::{AddressLimit, AddressSeat};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Counts open sockets, in all and by address.
pub struct Connections {
    most: usize,
    open: AtomicUsize,
    /// Sockets so far.
    ever: AtomicU64,
    addresses: AddressLimit,
}

/// A socket's place; dropping it gives the place back.
pub struct Place {
    connections: Arc<Connections>,
    number: u64,
    _seat: AddressSeat,
}

impl Place {
    /// A number that no other socket of this process has.
    pub const fn number(&self) -> u64 {
        self.number
    }
}

impl Connections {
    /// `most_per_address` counts a household; 0 is no limit.
    pub fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            open: AtomicUsize::new(0),
            ever: AtomicU64::new(0),
            addresses: AddressLimit::new(most_per_address),
        })
    }

    /// Sockets open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Addresses that they come from.
    pub fn addresses(&self) -> usize {
        self.addresses.addresses()
    }

    /// `None` when either limit is reached.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let seat = self.addresses.take(address)?;
        // Only the counts themselves are shared through them.
        let one_more = |open: usize| (open < self.most).then_some(open.saturating_add(1));
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        let number = self.ever.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("madang_ws_connections").increment(1.0);
        Some(Place { connections: Arc::clone(self), number, _seat: seat })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("madang_ws_connections").decrement(1.0);
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
    fn a_household_of_ipv6_is_one_address() {
        let connections = Connections::new(9, 1);
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let _first = connections.enter(address("2001:db8::1")).expect("room");
        assert!(connections.enter(address("2001:db8::2")).is_none(), "the same /64");
        assert!(connections.enter(address("2001:db8:0:1::1")).is_some(), "another /64");
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
