//! A replica that is killed, hangs, or throws out who asks: nobody who reads notices.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use futures::{Stream, StreamExt};
use sqlx::Executor;
use tokio::time::sleep;

use crate::amount::rounds;
use crate::asking::{People, Writers, assert_kept};
use crate::balancing::Pair;
use crate::client::{ACME, Client, export, ids, page};
use crate::machines::{Machines, Server};
use crate::replica::{ANSWERED, until_answered, until_asked};
use crate::standby::Standby;

/// Reads that the replica began and did not end.
const FAILED: &str = "orgtrail_replica_reads_total{outcome=\"failed\"}";

/// Events in the trail, and the bytes of each: enough for an export of many batches.
const EVENTS: usize = 6_000;
const BYTES: usize = 3_000;

/// A server with a replica and a long trail, its owner, and a program; with what an export of it is.
struct Set {
    server: Server,
    owner: Client,
    program: Client,
    whole: String,
    standby: Standby,
    machines: Machines,
}

impl Set {
    async fn up(settings: &[&'static str]) -> Self {
        let machines = Machines::start().await;
        let standby = Standby::of(&machines, settings).await;
        let server = machines.serve(&[("DATABASE_REPLICA_URL", &standby.url("orgtrail_app"))]).await;
        let owner = Client::found(&server.url, ACME).await;
        let program = Client::program(&machines).await;
        let note = "x".repeat(BYTES);
        for some in ids("invoice", EVENTS).chunks(250) {
            program.send_with(&server.url, some, &note).await.unwrap();
        }
        let alone = machines.serve(&[]).await;
        let whole = program.text(&alone.url, &export()).await;
        until_answered(&server, &owner, ACME).await;
        Self { server, owner, program, whole, standby, machines }
    }

    /// The replica is back, and asked.
    async fn until_back(&self) {
        until_asked(&self.server, 1).await;
        until_answered(&self.server, &self.owner, ACME).await;
    }
}

/// The page with what every set begins with, whatever came later.
fn paid() -> String {
    format!("{}?action=invoice.paid", page(ACME))
}

/// The first bytes of an export, so many that most of it is not read yet, and what comes after them.
async fn begin(set: &Set, random: &mut Rng) -> (Vec<u8>, impl Stream<Item = reqwest::Result<Bytes>> + use<>) {
    let mut download = Box::pin(set.program.open(&set.server.url, &export()).await.bytes_stream());
    let mut bytes = Vec::new();
    let some = random.usize(1..set.whole.len() / 4);
    while bytes.len() < some {
        bytes.extend(download.next().await.unwrap().unwrap());
    }
    (bytes, download)
}

/// Everything, and not a byte more.
async fn assert_whole(set: &Set, mut bytes: Vec<u8>, download: impl Stream<Item = reqwest::Result<Bytes>>) {
    let mut download = pin!(download);
    while let Some(some) = download.next().await {
        bytes.extend(some.unwrap());
    }
    assert!(bytes == set.whole.as_bytes(), "{} bytes of {}", bytes.len(), set.whole.len());
}

#[tokio::test]
async fn an_export_goes_on_where_its_replica_was_killed() {
    let mut set = Set::up(&[]).await;
    for mut random in rounds("a replica that is killed", 1) {
        let before = set.server.counted(ANSWERED).await;
        let (bytes, download) = begin(&set, &mut random).await;
        assert!(set.server.counted(ANSWERED).await > before, "it was begun there");
        set.standby.kill().await;
        assert_whole(&set, bytes, download).await;
        assert!(set.owner.text(&set.server.url, &paid()).await.contains("invoice-"));
        assert_eq!(set.owner.get(&set.server.url, "/readyz").await.0, 200, "a server is ready without it");
        until_asked(&set.server, 0).await;
        set.standby.start().await;
        set.until_back().await;
    }
}

/// Two servers behind a balancer, an export of each, people and programs: nobody notices that the replica is killed, nor that it comes back.
#[tokio::test]
async fn two_servers_go_on_together_when_their_replica_is_killed() {
    for mut random in rounds("a replica of two servers that is killed", 1) {
        let mut pair = Pair::up().await;
        pair.fill().await;
        let alone = pair.machines.serve(&[]).await;
        let whole = pair.program.text(&alone.url, &export()).await;
        let mut downloads = Vec::new();
        for server in &pair.servers {
            until_answered(server, &pair.owner, ACME).await;
            let answered = server.counted(ANSWERED).await;
            downloads.push(pair.program.open(&server.url, &export()).await);
            assert!(server.counted(ANSWERED).await > answered, "it was begun there");
        }
        let (writers, people) = (Writers::start(&pair), People::start(&pair));
        sleep(Duration::from_micros(random.u64(..500_000))).await;
        pair.standby.kill().await;
        for download in downloads {
            assert!(download.text().await.unwrap() == whole);
        }
        for server in &pair.servers {
            until_asked(server, 0).await;
            assert_eq!(pair.program.get(&server.url, "/readyz").await.0, 200, "a server is ready without it");
        }
        pair.standby.start().await;
        for server in &pair.servers {
            until_asked(server, 1).await;
            until_answered(server, &pair.owner, ACME).await;
        }
        for asking in [&writers.asking, &people.asking] {
            assert_eq!(asking.failed(), Vec::<String>::new());
        }
        people.stop().await;
        let acknowledged = writers.stop().await;
        assert_kept(&pair, &acknowledged).await;
    }
}

#[tokio::test]
async fn a_replica_that_hangs_holds_nobody_up() {
    let set = Set::up(&[]).await;
    for mut random in rounds("a replica that hangs", 1) {
        let failed = set.server.counted(FAILED).await;
        let (bytes, download) = begin(&set, &mut random).await;
        set.standby.freeze();
        let page = paid();
        let (shown, ()) = tokio::join!(set.owner.text(&set.server.url, &page), assert_whole(&set, bytes, download));
        assert!(shown.contains("invoice-"));
        assert!(set.server.counted(FAILED).await > failed, "it was asked");
        set.standby.thaw();
        set.until_back().await;
    }
}

/// Whatever the primary locks, the replica locks as well, and throws out who stands in the way.
#[tokio::test]
async fn who_is_thrown_out_of_the_replica_is_answered_by_the_primary() {
    let set = Set::up(&["max_standby_streaming_delay=0"]).await;
    let mut superuser = set.machines.superuser().await;
    let disturbing = tokio::spawn(async move {
        loop {
            superuser.execute("begin; lock orgtrail.trail_heads; commit").await.unwrap();
            sleep(Duration::from_millis(5)).await;
        }
    });
    while set.server.counted(FAILED).await < 3 {
        assert!(set.program.text(&set.server.url, &export()).await == set.whole);
        assert!(set.owner.text(&set.server.url, &paid()).await.contains("invoice-"));
    }
    disturbing.abort();
}
