//! Kills without a warning, of the server, its Postgres, or both, under load.

use std::time::Duration;

use fastrand::Rng;
use nix::sys::signal::{Signal, kill};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::amount::rounds;
use crate::check::{assert_damage_is_noticed, problems};
use crate::client::{Client, breathe};
use crate::load::{Ledger, Load};
use crate::site::Site;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Server,
    Postgres,
    Both,
}

/// The kills of a round, in another order each time.
const VICTIMS: [Victim; 6] =
    [Victim::Server, Victim::Postgres, Victim::Both, Victim::Postgres, Victim::Server, Victim::Postgres];

/// The server that runs, and where it is.
struct Running<'a> {
    site: &'a Site,
    server: Child,
    url: watch::Sender<String>,
}

impl Running<'_> {
    async fn kill_server(&mut self) {
        self.server.start_kill().unwrap();
        self.server.wait().await.unwrap();
        let (next, address) = self.site.serve().await;
        self.server = next;
        self.url.send_replace(address);
    }

    /// Kills Postgres, and its server too before anybody starts it again.
    async fn kill_postgres(&mut self, and_server: bool) {
        let killed = self.site.postmaster().unwrap();
        kill(killed, Signal::SIGKILL).unwrap();
        if and_server {
            self.kill_server().await;
        }
        while self.site.postmaster().is_none_or(|postmaster| postmaster == killed) {
            breathe().await;
        }
    }

    async fn fire(&mut self, ledger: &Ledger, random: &mut Rng) {
        let client = Client::new(&self.url.subscribe());
        let mut victims = VICTIMS;
        random.shuffle(&mut victims);
        for victim in victims {
            ledger.more(random.usize(10..50)).await;
            sleep(Duration::from_micros(random.u64(..20_000))).await; // not just after an acknowledgement
            match victim {
                Victim::Server => self.kill_server().await,
                Victim::Postgres => self.kill_postgres(false).await,
                Victim::Both => self.kill_postgres(true).await,
            }
            client.until_ready().await;
        }
        ledger.more(30).await;
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kills_and_is_there_once() {
    let mut is_first = true;
    for mut random in rounds("kills", 1) {
        let site = Site::new();
        let (server, address) = site.serve().await;
        let (url, urls) = watch::channel(address);
        let mut load = Load::begin(&site, &urls, &mut random).await;
        let (ledger, mut running) = (load.ledger.clone(), Running { site: &site, server, url });
        load.during(running.fire(&ledger, &mut random)).await;
        let acknowledged = load.end().await;
        assert_eq!(problems(&site, &acknowledged).await, Vec::<String>::new());
        if is_first {
            assert_damage_is_noticed(&site, &acknowledged).await;
        }
        is_first = false;
    }
}
