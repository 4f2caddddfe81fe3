//! An address, or a network of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`. IPv4 addresses inside IPv6 ones are the IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    /// Leading bits that an address has to share.
    bits: u32,
}

/// A text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an address like 192.0.2.1, or a network like 10.0.0.0/8 or 2001:db8::/32")]
pub struct NotANetwork;

impl Network {
    /// The network of that many leading bits that an address is in; more bits than it has are all of them.
    pub(crate) fn around(address: IpAddr, bits: u32) -> Self {
        let address = address.to_canonical();
        let bits = bits.min(width(address));
        let shift = width(address).saturating_sub(bits);
        let address = match address {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & u32::MAX.checked_shl(shift).unwrap_or(0)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(shift).unwrap_or(0)).into(),
        };
        Self { address, bits }
    }

    /// The same without the bits that do not count: equal for all that have the same addresses.
    pub(crate) fn plain(self) -> Self {
        Self::around(self.address, self.bits)
    }

    /// Whether it is of IPv4, and how many leading bits an address has to share.
    pub(crate) const fn width(self) -> (bool, u32) {
        (self.address.is_ipv4(), self.bits)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(one)) => same(u32::from(net).into(), u32::from(one).into(), 32, self.bits),
            (IpAddr::V6(net), IpAddr::V6(one)) => same(net.into(), one.into(), 128, self.bits),
            _ => false,
        }
    }
}

/// Whether two numbers of `width` bits share the first `bits`.
fn same(a: u128, b: u128, width: u32, bits: u32) -> bool {
    (a ^ b).checked_shr(width - bits).unwrap_or(0) == 0
}

const fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, bits: width(address) }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let Some((address, bits)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(Self::from).map_err(|_| NotANetwork);
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let bits = bits.parse().ok().filter(|bits| *bits <= width(address)).ok_or(NotANetwork)?;
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.address) {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.bits)
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        let has = |network: &str, address: &str| {
            let network: Network = network.parse().expect("a network");
            network.contains(address.parse().expect("an address"))
        };
        assert!(has("192.0.2.1", "192.0.2.1") && has("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(has("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(!has("192.0.2.1", "192.0.2.2"));
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("10.1.2.3/31", "10.1.2.2") && !has("10.1.2.3/31", "10.1.2.4"));
        assert!(has("2001:db8::/32", "2001:db8:1::1") && !has("2001:db8::/32", "2001:db9::1"));
        assert!(has("0.0.0.0/0", "203.0.113.9") && !has("0.0.0.0/0", "2001:db8::1"));
        assert!(has("::/0", "2001:db8::1") && !has("::/0", "203.0.113.9"));
    }

    #[test]
    fn networks_with_the_same_addresses_are_one() {
        let network = |text: &str| text.parse::<Network>().expect("a network");
        assert_eq!(network("192.0.2.77/24").plain(), network("192.0.2.0/24"));
        assert_eq!(network("2001:db8::7/32").plain(), network("2001:db8::/32"));
        let around = |text: &str, bits| Network::around(text.parse().expect("an address"), bits).to_string();
        assert_eq!(around("::ffff:192.0.2.77", 16), "192.0.0.0/16");
        assert_eq!((around("192.0.2.77", 200), around("192.0.2.77", 0)), ("192.0.2.77".into(), "0.0.0.0/0".into()));
        assert_eq!(around("2001:db8:1:2:3::4", 64), "2001:db8:1:2::/64");
    }

    #[test]
    fn what_is_no_network_is_said_so_and_what_is_one_is_written_as_it_was() {
        for wrong in ["", "proxy", "10.0.0.0/33", "2001:db8::/129", "10.0.0.0/", "10.0.0.0/-1", "/8"] {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork), "{wrong}");
        }
        for right in ["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "::1"] {
            assert_eq!(right.parse::<Network>().expect("a network").to_string(), right);
        }
    }
}
