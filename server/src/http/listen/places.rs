//! Places for connections: so many in all, and so many for one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use orgtrail::identity::throttle::network;
use orgtrail::meter::Busy;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;

/// Who has how many.
#[derive(Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    of_client: usize,
    /// Those that have some, by their networks.
    clients: Mutex<HashMap<String, usize>>,
    /// Behind these are many clients.
    trusted_proxies: Vec<IpNet>,
}

/// The place of a connection, given back with the value.
#[derive(Debug)]
pub(super) struct Place {
    _one_of_all: OwnedSemaphorePermit,
    places: Arc<Places>,
    client: Option<String>,
}

impl Places {
    /// All of them free.
    pub(super) fn new(limits: &Limits, trusted_proxies: Vec<IpNet>) -> Self {
        let all = Arc::new(Semaphore::new(limits.connections));
        Self { all, of_client: limits.connections_of_client, clients: Mutex::default(), trusted_proxies }
    }

    /// One for `peer`, or why there is none for it.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Result<Place, Busy> {
        let one_of_all = Arc::clone(&self.all).try_acquire_owned().map_err(|_full| Busy::Places)?;
        let client = if self.is_proxy(peer) { None } else { Some(self.count(network(peer.to_canonical()))?) };
        Ok(Place { _one_of_all: one_of_all, places: Arc::clone(self), client })
    }

    /// Whether many clients are behind `peer`.
    pub(super) fn is_proxy(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|proxies| proxies.contains(&peer.to_canonical()))
    }

    fn count(&self, client: String) -> Result<String, Busy> {
        let mut clients = self.clients();
        let count = clients.get(&client).copied().unwrap_or_default();
        if count >= self.of_client {
            return Err(Busy::PlacesOfClient);
        }
        clients.insert(client.clone(), count + 1);
        Ok(client)
    }

    /// Nothing panics while it is locked.
    fn clients(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let mut clients = self.places.clients();
        match clients.get_mut(&client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(clients.remove(&client)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, connections_of_client: usize) -> Arc<Places> {
        let limits = Limits { connections, connections_of_client, ..Limits::default() };
        Arc::new(Places::new(&limits, vec!["10.0.0.0/8".parse().unwrap()]))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_has_so_many_and_a_proxy_as_many_as_there_are() {
        let places = places(6, 2);
        let mine: Vec<_> = (0..3).map(|_| places.take(ip("203.0.113.1"))).collect();
        assert_eq!(mine.iter().filter(|place| place.is_ok()).count(), 2);
        let proxy: Vec<_> = (0..5).map(|_| places.take(ip("::ffff:10.1.2.3"))).collect();
        assert_eq!(proxy.iter().filter(|place| place.is_ok()).count(), 4, "the rest of all");
        assert_eq!(places.take(ip("203.0.113.2")).err(), Some(Busy::Places), "none is left");
        drop(proxy);
        assert_eq!(places.take(ip("203.0.113.1")).err(), Some(Busy::PlacesOfClient), "it has its two");
        drop(mine);
        assert!(places.take(ip("203.0.113.1")).is_ok());
        assert!(places.clients().is_empty() && places.all.available_permits() == 6);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let places = places(9, 1);
        let one = places.take(ip("2001:db8:1:2::1"));
        assert!(one.is_ok() && places.take(ip("2001:db8:1:2:ffff::2")).is_err());
        assert!(places.take(ip("2001:db8:1:3::1")).is_ok());
    }
}
