//! The addresses from which an access token is good, as forms have them.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{Error, Result};

/// Addresses and networks that a token can be limited to.
pub const MAX: usize = 50;

/// The networks of a text: addresses like `203.0.113.7` and networks like `2001:db8::/32`, with commas or spaces between them, each once and
/// in its shortest form; none: the token is good from everywhere.
///
/// # Errors
/// [`Error::Invalid`] for `addresses`.
pub fn parse(typed: &str) -> Result<Vec<String>> {
    let parts = typed.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
    let mut networks = parts.map(network).collect::<Result<Vec<_>>>()?;
    networks.sort_unstable();
    networks.dedup();
    if networks.len() > MAX {
        return Err(Error::invalid(
            "addresses",
            format!("A token is limited to at most {MAX} addresses and networks."),
        ));
    }
    Ok(networks.into_iter().map(text).collect())
}

/// An address is a network of one.
fn read(part: &str) -> Option<IpNet> {
    part.parse::<IpNet>().ok().or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from))
}

fn network(part: &str) -> Result<IpNet> {
    let refused = || {
        let shown: String = part.chars().take(50).collect();
        let sentence = format!("“{shown}” is no address like 203.0.113.7 and no network like 2001:db8::/32.");
        Error::invalid("addresses", sentence)
    };
    read(part).map(|network| network.trunc()).ok_or_else(refused)
}

fn text(network: IpNet) -> String {
    let is_one = network.prefix_len() == network.max_prefix_len();
    if is_one { network.addr().to_string() } else { network.to_string() }
}

/// Whether a token that is limited to `networks`, as [`parse`] made them, is good for a client at `address`.
pub(super) fn cover(networks: &[String], address: Option<&str>) -> bool {
    let address = address.and_then(|address| address.parse::<IpAddr>().ok()).map(|address| address.to_canonical());
    let mut covering = networks.iter().filter_map(|network| read(network));
    networks.is_empty() || address.is_some_and(|address| covering.any(|network| network.contains(&address)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_once_and_in_its_shortest_form() {
        assert!(parse(" ,\n ").unwrap().is_empty());
        let typed = "203.0.113.7/24, 2001:DB8:0::1\n203.0.113.0/24 192.0.2.9/32";
        assert_eq!(parse(typed).unwrap(), ["192.0.2.9", "203.0.113.0/24", "2001:db8::1"]);
    }

    #[test]
    fn refuses_what_is_no_address() {
        for typed in ["example.com", "203.0.113.256", "203.0.113.7/33", "10.0.0.1-10.0.0.9", "fe80::1%eth0", "\u{202e}"]
        {
            let refused = parse(typed).unwrap_err().to_string();
            assert!(refused.starts_with("addresses: “"), "{typed}: {refused}");
        }
        let many: String = (0..=MAX).map(|number| format!("192.0.2.{number} ")).collect();
        assert!(parse(&many).is_err());
    }

    #[test]
    fn covers_its_networks_and_nothing_else() {
        let networks = parse("203.0.113.0/24 2001:db8::/32 192.0.2.9").unwrap();
        for (address, is_covered) in [
            ("203.0.113.200", true),
            ("::ffff:203.0.113.200", true),
            ("203.0.114.1", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
            ("192.0.2.9", true),
            ("192.0.2.10", false),
            ("somewhere", false),
        ] {
            assert_eq!(cover(&networks, Some(address)), is_covered, "{address}");
        }
        assert!(!cover(&networks, None));
        assert!(cover(&[], None) && cover(&[], Some("198.51.100.1")));
    }
}
