//! Whose address a request came from: its peer's, or what the proxies that the operator trusts say of it.
//!
//! It must not know what the address is wanted for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::dev::RequestHead;
use actix_web::http::header::{HeaderMap, HeaderValue};
use ipnet::{IpNet, Ipv4Net};

const FORWARDED_FOR: &str = "X-Forwarded-For";

/// How many bits of an IPv6 address are the network's: a household or a machine has all of the rest.
const IPV6_NETWORK_BITS: u8 = 64;

/// The proxies in front of this server whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// These networks.
    #[must_use]
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().map(canonical).collect())
    }

    /// The address that a request came from, IPv4 as IPv4. Unspecified (`0.0.0.0`) when its connection is gone
    /// already and nobody knows any more.
    pub(super) fn address_of(&self, head: &RequestHead) -> IpAddr {
        let peer = head.peer_addr.as_ref().map(SocketAddr::ip);
        self.behind(
            peer.unwrap_or(Ipv4Addr::UNSPECIFIED.into()).to_canonical(),
            &head.headers,
        )
    }

    /// Walks back from the peer, a trusted hop at a time: what a hop says of the one before it counts as long as
    /// the hop is trusted. What is no address ends the walk: then the hop that passed it on is who we know.
    fn behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer;
        if !self.trusts(nearest) {
            return nearest;
        }
        // Several lines are one list (RFC 9110, section 5.3), whose empty elements say nothing (5.6.1.2).
        let lines: Vec<&[u8]> = headers
            .get_all(FORWARDED_FOR)
            .map(HeaderValue::as_bytes)
            .collect();
        let hops = lines
            .iter()
            .rev()
            .flat_map(|line| line.rsplit(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|hop| !hop.is_empty());
        for hop in hops {
            let Some(address) = address(hop) else {
                break;
            };
            nearest = address;
            if !self.trusts(nearest) {
                break;
            }
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// By what a limit counts: an IPv4 address, or the /64 of an IPv6 address.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let mask = u128::MAX << (Ipv6Addr::BITS - u32::from(IPV6_NETWORK_BITS));
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

/// An address as proxies write it: alone, with a port, in brackets.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?;
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    let address: IpAddr = text.parse().ok().or_else(with_port).or_else(in_brackets)?;
    Some(address.to_canonical())
}

/// A network of IPv4 addresses in the clothes of IPv6 (`::ffff:10.0.0.0/104`) as what it is.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else {
        return network;
    };
    let v4 = || {
        Ipv4Net::new(
            v6.addr().to_ipv4_mapped()?,
            v6.prefix_len().checked_sub(96)?,
        )
        .ok()
    };
    v4().map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;
    use proptest::prelude::*;

    use super::*;

    fn proxies() -> TrustedProxies {
        let networks = ["10.0.0.0/8", "fd00::/8", "::ffff:192.168.0.0/112"];
        TrustedProxies::new(networks.map(|network| network.parse().unwrap()))
    }

    fn came_from(peer: &str, lines: &[&[u8]]) -> String {
        let mut head = RequestHead::default();
        head.peer_addr = Some(SocketAddr::new(peer.parse().unwrap(), 4711));
        for line in lines {
            let name = HeaderName::from_static("x-forwarded-for");
            head.headers
                .append(name, HeaderValue::from_bytes(line).unwrap());
        }
        proxies().address_of(&head).to_string()
    }

    #[test]
    fn what_a_peer_that_is_not_trusted_says_is_not_heard() {
        assert_eq!(came_from("203.0.113.9", &[b"1.2.3.4"]), "203.0.113.9");
        assert_eq!(came_from("203.0.113.9", &[b"10.0.0.1"]), "203.0.113.9");
        assert_eq!(came_from("2001:db8::9", &[b"1.2.3.4"]), "2001:db8::9");
    }

    #[test]
    fn the_rightmost_hop_that_is_not_trusted_counts() {
        for (lines, expected) in [
            (&[b"1.2.3.4".as_slice()][..], "1.2.3.4"),
            (&[b"6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            (&[b"6.6.6.6, 1.2.3.4, 10.9.9.9"], "1.2.3.4"),
            (&[b"6.6.6.6,1.2.3.4 ,\t10.9.9.9 , fd00::7"], "1.2.3.4"),
            (&[b"6.6.6.6", b"1.2.3.4"], "1.2.3.4"),
            (&[b"6.6.6.6, 1.2.3.4", b"10.9.9.9"], "1.2.3.4"),
            (&[b"10.2.2.2, 10.3.3.3"], "10.2.2.2"),
            (&[b"192.168.4.4"], "192.168.4.4"),
            (&[], "10.0.0.1"),
            (&[b""], "10.0.0.1"),
            (&[b"1.2.3.4,, ,"], "1.2.3.4"),
        ] {
            assert_eq!(came_from("10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn addresses_are_read_with_ports_and_brackets() {
        for (hop, expected) in [
            ("1.2.3.4:5678", "1.2.3.4"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("[::ffff:1.2.3.4]:80", "1.2.3.4"),
        ] {
            assert_eq!(came_from("10.0.0.1", &[hop.as_bytes()]), expected, "{hop}");
        }
    }

    #[test]
    fn garbage_ends_the_walk_at_the_hop_that_passed_it_on() {
        for garbage in [
            b"unknown".as_slice(),
            b"_hidden",
            b"1.2.3",
            b"1.2.3.4:port",
            b"[1.2.3.4",
            b"\"1.2.3.4\"",
            b"\xff\xfe",
            b"1.2.3.4 5.6.7.8",
        ] {
            let mut line = b"6.6.6.6, ".to_vec();
            line.extend_from_slice(garbage);
            assert_eq!(came_from("10.0.0.1", &[&line]), "10.0.0.1", "{garbage:?}");
            line.extend_from_slice(b", 10.5.5.5");
            assert_eq!(came_from("10.0.0.1", &[&line]), "10.5.5.5", "{garbage:?}");
        }
    }

    #[test]
    fn a_peer_of_ipv4_on_a_socket_of_ipv6_is_ipv4() {
        assert_eq!(came_from("::ffff:203.0.113.9", &[]), "203.0.113.9");
        assert_eq!(came_from("::ffff:10.0.0.1", &[b"1.2.3.4"]), "1.2.3.4");
    }

    #[test]
    fn limits_count_ipv6_by_its_64() {
        let network = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:3::"), "2001:db8:1:3::");
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    }

    proptest! {
        #[test]
        fn nothing_that_stands_left_of_an_untrusted_hop_changes_the_answer(forged in "[ -~]{0,60}") {
            let line = format!("{forged}, 1.2.3.4");
            prop_assert_eq!(came_from("10.0.0.1", &[line.as_bytes()]), "1.2.3.4");
            prop_assert_eq!(came_from("10.0.0.1", &[forged.as_bytes(), b"1.2.3.4"]), "1.2.3.4");
        }
    }
}
