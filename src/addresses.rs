//! How many of something one address, or one of anything else, may have at once.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A count for each of something, bounded. Cheap to clone: the clones count together.
///
/// The kind of lock: a `std` mutex for one map look-up, when something begins or ends.
#[derive(Clone, Debug)]
pub struct Bound<K: Hash + Eq> {
    counts: Arc<Mutex<HashMap<K, usize>>>,
    max: usize,
}

/// One of the counted; dropping it gives it back.
#[derive(Debug)]
pub struct Seat<K: Hash + Eq> {
    bound: Bound<K>,
    of: K,
}

impl<K: Hash + Eq + Clone> Bound<K> {
    /// At most `max` at once each; 0 is no limit.
    pub fn new(max: usize) -> Self {
        Self { counts: Arc::default(), max: if max == 0 { usize::MAX } else { max } }
    }

    /// One more for this one; `None` when it has as many as it may.
    pub fn take(&self, of: K) -> Option<Seat<K>> {
        let mut counts = self.counts();
        let count = counts.entry(of.clone()).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Seat { bound: self.clone(), of })
    }
}

impl<K: Hash + Eq> Bound<K> {
    fn counts(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // A map of numbers is whole at every step.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut counts = self.bound.counts();
        if let Some(count) = counts.get_mut(&self.of) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.of);
            }
        }
    }
}

/// A [`Bound`] for addresses. One household is one IPv4 address or one IPv6 /64.
#[derive(Clone, Debug)]
pub struct AddressLimit(Bound<IpAddr>);

/// A place within an [`AddressLimit`].
pub type AddressSeat = Seat<IpAddr>;

impl AddressLimit {
    /// At most `max` at once an address; 0 is no limit.
    pub fn new(max: usize) -> Self {
        Self(Bound::new(max))
    }

    /// One more for this address; `None` when it has as many as it may.
    pub fn take(&self, address: IpAddr) -> Option<AddressSeat> {
        self.0.take(household(address))
    }

    /// Addresses that have one or more.
    pub fn addresses(&self) -> usize {
        self.0.counts().len()
    }
}

/// What counts as one address: an IPv4 address, or the /64 of an IPv6 one, which is what one household gets.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_its_number_and_gets_it_back() {
        let limit = AddressLimit::new(2);
        let one = limit.take(address("192.0.2.1"));
        let two = limit.take(address("::ffff:192.0.2.1"));
        assert!(one.is_some() && two.is_some());
        assert!(limit.take(address("192.0.2.1")).is_none());
        assert!(limit.take(address("192.0.2.2")).is_some());
        drop(one);
        assert!(limit.take(address("192.0.2.1")).is_some());
        drop(two);
        assert_eq!(limit.addresses(), 0, "nobody there, nothing remembered");
    }

    #[test]
    fn a_household_of_ipv6_is_one_address() {
        let limit = AddressLimit::new(1);
        let _seat = limit.take(address("2001:db8::1"));
        assert!(limit.take(address("2001:db8::2")).is_none());
        assert!(limit.take(address("2001:db8:0:1::2")).is_some());
    }

    #[test]
    fn zero_is_no_limit() {
        let limit = AddressLimit::new(0);
        let seats: Vec<_> = (0..1000).map_while(|_| limit.take(address("192.0.2.1"))).collect();
        assert_eq!(seats.len(), 1000);
    }
    #[test]
    fn of_a_hundred_thousand_addresses_that_came_and_went_nothing_is_kept() {
        let limit = AddressLimit::new(1);
        let seats: Vec<_> = (0..100_000_u32).map(|number| limit.take(IpAddr::from(number.to_be_bytes()))).collect();
        assert!(seats.iter().all(Option::is_some));
        assert_eq!(limit.addresses(), seats.len(), "one number for each that is there");
        drop(seats);
        assert_eq!(limit.addresses(), 0);
    }
}
