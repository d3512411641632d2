//! The client's address: the socket's, unless a trusted proxy tells of another.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// The right-most hop that is no trusted proxy. A hop that is no address ends the search: the proxy that wrote it counts.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    for hop in forwarded_for(headers) {
        let is_proxy = trusted.iter().any(|network| network.contains(&client));
        match hop {
            Some(earlier) if is_proxy => client = earlier,
            _ => break,
        }
    }
    client
}

/// The hops of all `X-Forwarded-For` headers, the nearest first; `None` for what is no address.
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or_default()).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(|hop| address(hop.trim()))
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let parsed = bare.parse().ok().or_else(|| hop.parse().ok().map(|socket: SocketAddr| socket.ip()));
    parsed.map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn assert_client(peer: &str, forwarded: &[&'static str], expected: &str) {
        let name = http::HeaderName::from_static("x-forwarded-for");
        let headers = forwarded.iter().map(|line| (name.clone(), HeaderValue::from_static(line)));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, line)| {
            map.append(name, line);
        });
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        assert_eq!(
            client_address(peer.parse().unwrap(), &map, &trusted),
            expected.parse::<IpAddr>().unwrap(),
            "{forwarded:?}"
        );
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_client("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        assert_client("203.0.113.9", &[], "203.0.113.9");
    }

    #[test]
    fn a_proxy_is_believed_up_to_the_first_stranger() {
        assert_client("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        assert_client("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.2.3.4"], "198.51.100.1");
        assert_client("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1");
        assert_client("::ffff:10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1");
        assert_client("fd00::1", &["::ffff:198.51.100.1"], "198.51.100.1");
        assert_client("10.0.0.1", &["10.0.0.2"], "10.0.0.2");
        assert_client("10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn rubbish_is_nobody() {
        assert_client("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1");
        assert_client("10.0.0.1", &["198.51.100.1, , 10.0.0.2"], "10.0.0.2");
        assert_client("10.0.0.1", &["1.2.3.4.5"], "10.0.0.1");
    }
}
