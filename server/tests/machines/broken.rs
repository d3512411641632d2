//! A replica that is killed, hangs, or throws out who asks: nobody who reads notices.

use std::time::Duration;

use futures::StreamExt;
use sqlx::Executor;
use tokio::time::sleep;

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

#[tokio::test]
async fn an_export_goes_on_where_its_replica_was_killed() {
    let mut set = Set::up(&[]).await;
    let before = set.server.counted(ANSWERED).await;
    let mut download = set.program.open(&set.server.url, &export()).await.bytes_stream();
    let mut bytes = download.next().await.unwrap().unwrap().to_vec();
    assert!(set.server.counted(ANSWERED).await > before, "it was begun there");
    set.standby.kill().await;
    while let Some(some) = download.next().await {
        bytes.extend(some.unwrap());
    }
    assert!(bytes == set.whole.as_bytes(), "{} bytes of {}", bytes.len(), set.whole.len());
    assert!(set.owner.text(&set.server.url, &page(ACME)).await.contains("invoice-"));
    assert_eq!(set.owner.get(&set.server.url, "/readyz").await.0, 200, "a server is ready without it");
    until_asked(&set.server, 0).await;
    set.standby.start().await;
    set.until_back().await;
}

#[tokio::test]
async fn a_replica_that_hangs_holds_nobody_up() {
    let set = Set::up(&[]).await;
    let failed = set.server.counted(FAILED).await;
    set.standby.freeze();
    let (page, export) = (page(ACME), export());
    let (shown, exported) =
        tokio::join!(set.owner.text(&set.server.url, &page), set.program.text(&set.server.url, &export));
    assert!(shown.contains("invoice-") && exported == set.whole);
    assert!(set.server.counted(FAILED).await > failed, "it was asked");
    set.standby.thaw();
    set.until_back().await;
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
        assert!(set.owner.text(&set.server.url, &page(ACME)).await.contains("invoice-"));
    }
    disturbing.abort();
}
