//! Where somebody writes from, as bans see it: the leading bits of an address.

use super::ChatLimits;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network of an address as text, such as `192.0.2.1/32` or `2001:db8::/64`. An IPv4 address in IPv6 clothes is IPv4.
pub(crate) fn prefix(address: IpAddr, limits: &ChatLimits) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let bits = u32::from(limits.ban_prefix_v4.min(32));
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
            format!("{}/{bits}", Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let bits = u32::from(limits.ban_prefix_v6.min(128));
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
            format!("{}/{bits}", Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_a_network_are_one() {
        let of = |address: &str, v4, v6| {
            let limits = ChatLimits { ban_prefix_v4: v4, ban_prefix_v6: v6, ..ChatLimits::default() };
            prefix(address.parse().expect("an address"), &limits)
        };
        assert_eq!(of("192.0.2.77", 32, 64), "192.0.2.77/32");
        assert_eq!(of("::ffff:192.0.2.77", 32, 64), "192.0.2.77/32");
        assert_eq!(of("192.0.2.77", 24, 64), "192.0.2.0/24");
        assert_eq!(of("192.0.2.77", 0, 64), "0.0.0.0/0");
        assert_eq!(of("2001:db8:1:2:3::4", 32, 64), "2001:db8:1:2::/64");
        assert_eq!(of("2001:db8:1:2:3::4", 32, 0), "::/0");
        assert_eq!(of("2001:db8::4", 32, 200), "2001:db8::4/128");
    }
}
