//! Something that is remembered of each address for a while, in bounded memory.

use crate::addresses::household;
use std::{collections::HashMap, net::IpAddr};

/// A value an address (one household: an IPv4 address or an IPv6 /64), for the addresses that were used last.
///
/// Two generations: what is used is in the young one; when that is full it becomes the old one, and the old one is forgotten. So each
/// use costs a few look-ups, whatever is remembered, and a flood of addresses never makes room by searching.
#[derive(Debug)]
pub struct Recent<V> {
    young: HashMap<IpAddr, V>,
    old: HashMap<IpAddr, V>,
    generation: usize,
}

impl<V> Recent<V> {
    /// Remembers at least the last `least` addresses, and at most twice as many.
    pub fn new(least: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation: least.max(1) }
    }

    /// What is remembered of the address, or else what `new` makes; it is used now.
    pub fn of(&mut self, address: IpAddr, new: impl FnOnce() -> V) -> &mut V {
        let household = household(address);
        let known = self.young.remove(&household).or_else(|| self.old.remove(&household));
        let value = known.unwrap_or_else(new);
        if self.young.len() >= self.generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entry(household).or_insert(value)
    }

    /// What is remembered of the address, without using it.
    pub fn get(&self, address: IpAddr) -> Option<&V> {
        let household = household(address);
        self.young.get(&household).or_else(|| self.old.get(&household))
    }

    /// Addresses of which something is remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_addresses_fit_in_what_is_granted_and_the_last_are_known() {
        let mut recent = Recent::new(1_000);
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        let busy = IpAddr::from([0xff; 16]);
        for number in 0..100_000 {
            *recent.of(address(number), || 0_u32) += number;
            *recent.of(busy, || 0) += 1;
            assert!(recent.len() <= 2_000, "{}", recent.len());
        }
        assert_eq!(recent.get(busy), Some(&100_000), "who keeps coming is not forgotten for those who come once");
        assert!((99_001..100_000).all(|number| recent.get(address(number)) == Some(&number)));
        assert_eq!(recent.get(address(0)), None);
    }

    #[test]
    fn a_household_is_one_address() {
        let mut recent = Recent::new(10);
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        *recent.of(address("2001:db8::1"), || 0) += 1;
        *recent.of(address("2001:db8::2"), || 0) += 1;
        *recent.of(address("::ffff:192.0.2.1"), || 0) += 1;
        assert_eq!(recent.get(address("2001:db8::3")), Some(&2));
        assert_eq!(recent.get(address("192.0.2.1")), Some(&1));
    }
}
