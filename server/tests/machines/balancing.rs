//! Two servers behind a balancer are one: sessions, throttles, places of exports and heads of trails are the database's. And one of them is
//! killed in the middle of everything.

use std::time::Duration;

use futures::{Stream, StreamExt};
use reqwest::Response;
use tokio::time::sleep;

use crate::amount::rounds;
use crate::asking::{Writers, assert_kept};
use crate::balancer::{Balancer, Front};
use crate::client::{ACME, Client, export, ids, page};
use crate::machines::{Machines, Server, free_port};
use crate::standby::Standby;

/// Two servers, a replica that both read from, and a balancer before them.
pub struct Pair {
    pub url: String,
    pub owner: Client,
    pub program: Client,
    pub balancer: Balancer,
    pub servers: [Server; 2],
    pub standby: Standby,
    pub machines: Machines,
}

impl Pair {
    pub async fn up() -> Self {
        Self::up_with(&[]).await
    }

    /// Likewise, with more settings of the replica.
    pub async fn up_with(settings: &[&'static str]) -> Self {
        let machines = Machines::start().await;
        let standby = Standby::of(&machines, settings).await;
        let front = Front::new();
        let url = front.url();
        let servers =
            [serve(&machines, free_port(), &url, &standby).await, serve(&machines, free_port(), &url, &standby).await];
        let balancer = front.open([&servers[0], &servers[1]]).await;
        while !reqwest::get(format!("{url}/readyz")).await.is_ok_and(|answer| answer.status() == 200) {
            sleep(Duration::from_millis(50)).await;
        }
        let owner = Client::found(&url, ACME).await;
        let program = Client::program(&machines).await;
        Self { url, owner, program, balancer, servers, standby, machines }
    }

    /// Starts one of the servers again, where it was.
    pub async fn start_again(&mut self, number: usize) {
        self.servers[number] = serve(&self.machines, self.servers[number].port, &self.url, &self.standby).await;
    }

    /// A trail of which an export takes long, if it is read slowly.
    pub async fn fill(&self) {
        let note = "x".repeat(3_000);
        for some in ids("filler", 6_000).chunks(250) {
            self.program.send_with(&self.url, some, &note).await.unwrap();
        }
    }
}

/// A server behind the balancer that is at `url`.
async fn serve(machines: &Machines, port: u16, url: &str, standby: &Standby) -> Server {
    let replica = standby.url("orgtrail_app");
    let variables =
        [("ORGTRAIL_PUBLIC_URL", url), ("ORGTRAIL_TRUSTED_PROXIES", "127.0.0.1"), ("DATABASE_REPLICA_URL", &replica)];
    machines.serve_on(port, &variables).await
}

#[tokio::test]
async fn who_signed_in_at_one_is_signed_in_at_both() {
    let pair = Pair::up().await;
    let before = [pair.servers[0].answered().await, pair.servers[1].answered().await];
    for _ in 0..6 {
        assert!(pair.owner.text(&pair.url, &page(ACME)).await.contains("organization.created"));
    }
    for (server, before) in pair.servers.iter().zip(before) {
        assert!(server.answered().await > before, "both were asked");
        pair.owner.text(&server.url, &page(ACME)).await;
    }
    // And out at both.
    assert_eq!(pair.owner.form(&pair.url, "/logout", &[]).await, 200);
    for server in &pair.servers {
        assert!(!pair.owner.get(&server.url, &page(ACME)).await.1.contains("organization.created"));
    }
}

#[tokio::test]
async fn guesses_are_counted_together() {
    let pair = Pair::up().await;
    let mut statuses = Vec::new();
    for guess in 0..8 {
        let password = format!("guess number {guess}");
        let fields = [("email", "nobody@acme.example"), ("password", password.as_str())];
        statuses.push(Client::new().form(&pair.url, "/api/login", &fields).await);
    }
    // As many as one server alone would look at.
    assert_eq!(statuses[..5], [401; 5]);
    assert_eq!(statuses.last(), Some(&429));
    for server in &pair.servers {
        let fields = [("email", "nobody@acme.example"), ("password", "another guess")];
        assert_eq!(Client::new().form(&server.url, "/api/login", &fields).await, 429);
    }
}

#[tokio::test]
async fn two_exports_run_whoever_carries_them() {
    let pair = Pair::up().await;
    pair.fill().await;
    let [one, two] = &pair.servers;
    let running = [pair.program.open(&one.url, &export()).await, pair.program.open(&two.url, &export()).await];
    for server in [one, two] {
        assert_eq!(pair.program.get(&server.url, &export()).await.0, 429);
    }
    for download in running {
        assert_eq!(download.status(), 200);
        download.bytes().await.unwrap();
    }
    // The place is free when the end is recorded, a moment after the last byte.
    while pair.program.get(&pair.url, &export()).await.0 == 429 {}
}

#[tokio::test]
async fn a_trail_written_through_both_has_no_gap() {
    let pair = Pair::up().await;
    let before = [pair.servers[0].answered().await, pair.servers[1].answered().await];
    let writers = Writers::start(&pair);
    for (server, before) in pair.servers.iter().zip(before) {
        while server.answered().await < before + 50 {
            sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(writers.asking.failed(), Vec::<String>::new());
    let acknowledged = writers.stop().await;
    assert_kept(&pair, &acknowledged).await;
}

/// An export of which the first bytes were read.
async fn begin(pair: &Pair, server: &Server) -> impl Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin + use<> {
    let response: Response = pair.program.open(&server.url, &export()).await;
    assert_eq!(response.status(), 200);
    let mut download = response.bytes_stream();
    download.next().await.unwrap().unwrap();
    download
}

/// Waits until the place of an export that broke is free, which is when its lease is over.
async fn until_places_are_free(pair: &Pair) {
    let running = "select count(*) from orgtrail.running_exports where leased_until > clock_timestamp()";
    let mut superuser = pair.machines.superuser().await;
    while sqlx::query_scalar::<_, i64>(running).fetch_one(&mut superuser).await.unwrap() > 0 {
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn what_a_killed_server_did_is_broken_or_kept() {
    for mut random in rounds("a server that is killed", 1) {
        let mut pair = Pair::up().await;
        pair.fill().await;
        let writers = Writers::start(&pair);
        let killed = random.usize(..2);
        let mut broken = begin(&pair, &pair.servers[killed]).await;
        let mut whole = begin(&pair, &pair.servers[1 - killed]).await;
        sleep(Duration::from_micros(random.u64(..50_000))).await;
        pair.servers[killed].kill().await;
        let mut ends = Vec::new();
        while let Some(some) = broken.next().await {
            ends.push(some.is_ok());
        }
        assert_eq!(ends.last(), Some(&false), "the reader is told that it is not whole");
        while let Some(some) = whole.next().await {
            some.unwrap();
        }
        // The other goes on for both: people and programs.
        while pair.program.get(&pair.url, &export()).await.0 != 200 {
            sleep(Duration::from_millis(100)).await;
        }
        assert!(pair.owner.text(&pair.url, &page(ACME)).await.contains("</html>"));
        until_places_are_free(&pair).await;
        let acknowledged = writers.stop().await;
        assert_kept(&pair, &acknowledged).await;
    }
}
