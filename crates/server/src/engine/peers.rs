//! How many connections each peer holds.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Counts connections by peer address; a v6 peer is its /64, since one machine has a whole one.
#[derive(Default)]
pub(crate) struct Peers {
    held: HashMap<IpAddr, usize>,
    exempt: Vec<(IpAddr, u8)>,
}

impl Peers {
    pub(crate) fn new(exempt: Vec<(IpAddr, u8)>) -> Peers {
        Peers {
            held: HashMap::new(),
            exempt,
        }
    }

    /// Counts one more connection of `ip`, unless it holds `limit` already. Peers that are never counted always pass.
    pub(crate) fn enter(&mut self, ip: Option<IpAddr>, limit: usize) -> bool {
        let Some(key) = self.key(ip) else { return true };
        let held = self.held.entry(key).or_insert(0);
        if *held >= limit {
            return false;
        }
        *held += 1;
        true
    }

    /// One connection of `ip` is over.
    pub(crate) fn leave(&mut self, ip: Option<IpAddr>) {
        let Some(key) = self.key(ip) else { return };
        if let Some(held) = self.held.get_mut(&key) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&key);
            }
        }
    }

    fn key(&self, ip: Option<IpAddr>) -> Option<IpAddr> {
        let ip = ip.filter(|ip| !ip.is_loopback())?;
        if self
            .exempt
            .iter()
            .any(|&(network, prefix)| contains(network, prefix, ip))
        {
            return None;
        }
        Some(match ip {
            IpAddr::V4(_) => ip,
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
            }
        })
    }
}

/// Whether `ip` is in the network. A prefix longer than an address means the whole address; a network of IPv4 addresses that
/// is written as IPv6 (`::ffff:10.0.0.0/104`) is that of those addresses.
pub(crate) fn contains(network: IpAddr, prefix: u8, ip: IpAddr) -> bool {
    const MAPPED: u8 = 96;
    let (network, prefix) = match network.to_canonical() {
        short @ IpAddr::V4(_) if network.is_ipv6() && prefix >= MAPPED => (short, prefix - MAPPED),
        _ => (network, prefix),
    };
    match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) => {
            let rest = 32_u32.saturating_sub(prefix.into());
            (network.to_bits() ^ ip.to_bits())
                .checked_shr(rest)
                .unwrap_or(0)
                == 0
        }
        (IpAddr::V6(network), IpAddr::V6(ip)) => {
            let rest = 128_u32.saturating_sub(prefix.into());
            (network.to_bits() ^ ip.to_bits())
                .checked_shr(rest)
                .unwrap_or(0)
                == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_peer_is_let_in_up_to_the_limit_and_again_after_leaving() {
        let mut peers = Peers::default();
        assert!(peers.enter(ip("192.0.2.1"), 2));
        assert!(peers.enter(ip("192.0.2.1"), 2));
        assert!(!peers.enter(ip("192.0.2.1"), 2));
        assert!(peers.enter(ip("192.0.2.2"), 2));
        peers.leave(ip("192.0.2.1"));
        assert!(peers.enter(ip("192.0.2.1"), 2));
    }

    #[test]
    fn a_v6_peer_is_its_network() {
        let mut peers = Peers::default();
        assert!(peers.enter(ip("2001:db8::1"), 1));
        assert!(!peers.enter(ip("2001:db8::2"), 1));
        assert!(peers.enter(ip("2001:db8:0:1::1"), 1));
    }

    #[test]
    fn loopback_unix_and_trusted_networks_are_not_counted() {
        let mut peers = Peers::new(vec![
            (ip("10.0.0.0").unwrap(), 8),
            (ip("2001:db8::").unwrap(), 32),
        ]);
        for _ in 0..3 {
            for text in ["127.0.0.1", "::1", "10.9.8.7", "2001:db8:5::1"] {
                assert!(peers.enter(ip(text), 1), "{text}");
            }
            assert!(peers.enter(None, 1));
        }
        assert!(peers.enter(ip("11.0.0.1"), 1));
        assert!(!peers.enter(ip("11.0.0.1"), 1));
    }

    #[test]
    fn a_network_of_v4_addresses_may_be_written_as_v6() {
        let has = |network: &str, prefix, peer: &str| {
            contains(ip(network).unwrap(), prefix, ip(peer).unwrap())
        };
        assert!(has("::ffff:10.0.0.0", 104, "10.9.8.7"));
        assert!(!has("::ffff:10.0.0.0", 104, "11.0.0.1"));
        assert!(has("::ffff:10.0.0.1", 128, "10.0.0.1"));
        assert!(!has("::ffff:10.0.0.1", 128, "10.0.0.2"));
        assert!(has("::ffff:0.0.0.0", 96, "203.0.113.1"));
        // Wider than that it is one of IPv6 addresses, and no peer has one of those.
        assert!(!has("::ffff:10.0.0.0", 90, "10.0.0.1"));
        assert!(has("10.0.0.0", 8, "10.9.8.7"));
    }

    #[test]
    fn leaving_leaves_nothing_behind() {
        let mut peers = Peers::default();
        assert!(peers.enter(ip("192.0.2.1"), 9));
        peers.leave(ip("192.0.2.1"));
        assert!(peers.held.is_empty());
    }
}
