//! What stands in front of the server: the origins that people use, and the proxies in between.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use url::Origin;

use crate::config::PublicSide;

/// How the world reaches the server, settled once the port is known.
#[derive(Clone, Debug)]
pub struct Front {
    /// Origins that our own pages have, e.g. `https://audit.example`: the only ones that may send forms.
    origins: Vec<String>,
    /// Whether people use https: then cookies are secure, and HSTS is sent.
    pub https: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Front {
    /// The front of a server that listens on `address`. Without a public URL the names of this machine are its origins.
    #[must_use]
    pub fn new(public: &PublicSide, address: SocketAddr) -> Self {
        let https = public.url.as_ref().is_some_and(|url| url.scheme() == "https");
        let origins = match &public.url {
            Some(url) => vec![ascii(&url.origin())],
            None => local_origins(address),
        };
        Self { origins, https, trusted_proxies: public.trusted_proxies.clone() }
    }

    /// Whether `origin`, as a browser sends it, is one of our own pages'.
    #[must_use]
    pub fn is_own_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|own| own == origin)
    }

    /// Whether the proxy at `peer` is one whose word is taken.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&peer.to_canonical()))
    }

    /// The address to give to people.
    #[must_use]
    pub fn url(&self) -> &str {
        self.origins.first().map_or("", String::as_str)
    }
}

fn ascii(origin: &Origin) -> String {
    origin.ascii_serialization()
}

/// The address itself, unless it is a wildcard, and the names of loopback. An attacker's name that resolves here is not among them.
fn local_origins(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    let own = (!address.ip().is_unspecified()).then(|| address.to_string());
    let names = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
    let hosts = own.into_iter().chain(names);
    // Port 80 is left out of an origin.
    hosts.map(|host| format!("http://{}", host.strip_suffix(":80").unwrap_or(&host))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn front(url: Option<&str>, address: &str) -> Front {
        let public = PublicSide { url: url.map(|url| url.parse().unwrap()), trusted_proxies: Vec::new() };
        Front::new(&public, address.parse().unwrap())
    }

    #[test]
    fn a_public_url_is_the_only_origin() {
        let front = front(Some("https://Audit.example:443/"), "127.0.0.1:3000");
        assert!(front.https && front.is_own_origin("https://audit.example"));
        assert!(!front.is_own_origin("http://audit.example") && !front.is_own_origin("http://127.0.0.1:3000"));
    }

    #[test]
    fn without_one_the_names_of_this_machine_are() {
        let front = front(None, "0.0.0.0:3000");
        assert!(
            !front.https && front.is_own_origin("http://localhost:3000") && front.is_own_origin("http://[::1]:3000")
        );
        for other in
            ["http://0.0.0.0:3000", "http://evil.example:3000", "https://localhost:3000", "http://localhost", "null"]
        {
            assert!(!front.is_own_origin(other), "{other}");
        }
        assert_eq!(front.url(), "http://127.0.0.1:3000");
    }
}
