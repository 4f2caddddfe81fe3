//! How many of something one address may have at once.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A count an address, bounded. One household is one IPv4 address or one IPv6 /64. Cheap to clone: the clones count together.
///
/// The kind of lock: a `std` mutex for one map look-up, when something begins or ends.
#[derive(Clone, Debug)]
pub struct AddressLimit {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    max: usize,
}

/// One of the counted; dropping it gives it back.
#[derive(Debug)]
pub struct AddressSeat {
    limit: AddressLimit,
    household: IpAddr,
}

impl AddressLimit {
    /// At most `max` at once an address; 0 is no limit.
    pub fn new(max: usize) -> Self {
        Self { counts: Arc::default(), max: if max == 0 { usize::MAX } else { max } }
    }

    /// One more for this address; `None` when it has as many as it may.
    pub fn take(&self, address: IpAddr) -> Option<AddressSeat> {
        let household = household(address);
        let mut counts = self.counts();
        let count = counts.entry(household).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(AddressSeat { limit: self.clone(), household })
    }

    /// Addresses that have one or more.
    pub fn addresses(&self) -> usize {
        self.counts().len()
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // A map of numbers is whole at every step.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressSeat {
    fn drop(&mut self) {
        let mut counts = self.limit.counts();
        if let Some(count) = counts.get_mut(&self.household) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.household);
            }
        }
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
        assert!(limit.counts().is_empty(), "nobody there, nothing remembered");
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
}
