//! Something that is remembered of each address or person for a while, in bounded memory.

use std::{collections::HashMap, hash::Hash};

/// A value a key (a household, an account), for the keys that were used last.
///
/// Two generations: what is used is in the young one; when that is full it becomes the old one, and the old one is forgotten. So each
/// use costs a few look-ups, whatever is remembered, and a flood of keys never makes room by searching.
#[derive(Debug)]
pub struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation: usize,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// Remembers at least the last `least` keys, and at most twice as many.
    pub fn new(least: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation: least.max(1) }
    }

    /// What is remembered of the key, or else what `new` makes; it is used now.
    pub fn of(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        let known = self.young.remove(&key).or_else(|| self.old.remove(&key));
        let value = known.unwrap_or_else(new);
        if self.young.len() >= self.generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entry(key).or_insert(value)
    }

    /// What is remembered of the key, without using it.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Keys of which something is remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

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
        assert_eq!(recent.get(&busy), Some(&100_000), "who keeps coming is not forgotten for those who come once");
        assert!((99_001..100_000).all(|number| recent.get(&address(number)) == Some(&number)));
        assert_eq!(recent.get(&address(0)), None);
    }
}
