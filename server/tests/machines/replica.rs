//! Reads from a replica: never less than anybody has done, whoever answers; and what may not be a replica.

use std::time::Duration;

use orgtrail_server::cluster::Role;
use sqlx::Executor;
use tokio::time::sleep;

use crate::client::{ACME, Client, export, ids, model_export, page};
use crate::machines::{Machines, Server};
use crate::standby::Standby;

/// Reads that the replica answered.
pub const ANSWERED: &str = "orgtrail_replica_reads_total{outcome=\"answered\"}";
/// Reads that the primary answered, because the replica was behind it.
pub const BEHIND: &str = "orgtrail_replica_reads_total{outcome=\"behind\"}";
/// Whether the replica is asked.
pub const ASKED: &str = "orgtrail_replica_asked";

/// Looks at the page of `slug` until the replica has answered; answers the page.
pub async fn until_answered(server: &Server, owner: &Client, slug: &str) -> String {
    let before = server.counted(ANSWERED).await;
    loop {
        let page = owner.text(&server.url, &page(slug)).await;
        if server.counted(ANSWERED).await > before {
            return page;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the replica is asked (1), or not (0).
pub async fn until_asked(server: &Server, asked: u64) {
    while server.counted(ASKED).await != asked {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Everything that reads the trail and models: pages, the feed, GraphQL and exports.
async fn everything(server: &Server, owner: &Client, program: &Client) -> [String; 6] {
    [
        owner.text(&server.url, &page(ACME)).await,
        program.text(&server.url, "/api/v1/events").await,
        program.graphql(&server.url).await,
        program.text(&server.url, &export()).await,
        owner.text(&server.url, "/acme/models/fraud").await,
        program.text(&server.url, &model_export()).await,
    ]
}

/// A server with a replica; the owners of [`ACME`] and of an organization in which nothing happens, and a program.
struct Set {
    server: Server,
    owner: Client,
    quiet: Client,
    program: Client,
    standby: Standby,
    machines: Machines,
}

impl Set {
    async fn up() -> Self {
        let machines = Machines::start().await;
        let standby = Standby::of(&machines, &[]).await;
        let server = machines.serve(&[("DATABASE_REPLICA_URL", &standby.url("orgtrail_app"))]).await;
        let owner = Client::found(&server.url, ACME).await;
        let quiet = Client::found(&server.url, "quiet").await;
        let program = Client::program(&machines).await;
        // Looks are recorded once in a while: the next ones change nothing.
        for (owner, slug) in [(&owner, ACME), (&quiet, "quiet")] {
            until_answered(&server, owner, slug).await;
        }
        // And what was sent to come here has come into the trails: so does it a moment later, by itself.
        let settled = "not exists (select from orgtrail.sign_in_attempts where sorted_at is null) and not exists (select from orgtrail.sign_in_copies)";
        standby.until(settled).await;
        Self { server, owner, quiet, program, standby, machines }
    }
}

#[tokio::test]
async fn whatever_was_acknowledged_is_read_while_the_replica_is_behind() {
    let set = Set::up().await;
    let (server, owner, program) = (&set.server, &set.owner, &set.program);
    owner.must(&server.url, "/api/create_model", &[("organization", ACME), ("name", "fraud")]).await;
    for shown in everything(server, owner, program).await {
        assert!(!shown.contains("invoice-"), "{shown}");
    }
    until_answered(server, owner, ACME).await;
    set.standby.pause().await;
    let behind = server.counted(BEHIND).await;
    program.send(&server.url, &ids("invoice", 1)).await.unwrap();
    program.add_record(&server.url, "invoice-0").await;
    let answered = server.counted(ANSWERED).await;
    for shown in everything(server, owner, program).await {
        assert!(shown.contains("invoice-0"), "{shown}");
    }
    assert_eq!(server.counted(ANSWERED).await, answered, "the replica could not know of it");
    assert!(server.counted(BEHIND).await >= behind + 6);
    // However old it is, it has all of an organization in which nothing has happened since.
    until_answered(server, &set.quiet, "quiet").await;

    set.standby.resume().await;
    assert!(until_answered(server, owner, ACME).await.contains("invoice-0"));
}

/// The control of the test before: the replica does not know of what was acknowledged, and it is the length of the trail alone that keeps it
/// from being asked.
#[tokio::test]
async fn a_forged_length_of_the_trail_shows_the_old_state() {
    let set = Set::up().await;
    set.standby.pause().await;
    set.program.send(&set.server.url, &ids("invoice", 1)).await.unwrap();
    assert!(set.owner.text(&set.server.url, &page(ACME)).await.contains("invoice-0"));
    let mut superuser = set.machines.superuser().await;
    superuser
        .execute(
            "begin; set local session_replication_role = replica;
            update orgtrail.trail_heads set next_index = next_index - 1
            where organization_id = (select id from orgtrail.organizations where slug = 'acme'); commit",
        )
        .await
        .unwrap();
    assert!(!until_answered(&set.server, &set.owner, ACME).await.contains("invoice-0"));
}

#[tokio::test]
async fn what_is_no_replica_of_the_database_is_refused() {
    let machines = Machines::start().await;
    let standby = Standby::of(&machines, &[]).await;
    let others = Machines::start().await;
    let foreign = Standby::of(&others, &[]).await;
    for (url, said) in [
        (machines.primary.url(Role::App), "It is no replica: it takes writes."),
        (standby.url("postgres"), "It must name the same role as DATABASE_URL."),
        (foreign.url("orgtrail_app"), "It is a copy of another database server"),
    ] {
        let told = machines.refused("DATABASE_REPLICA_URL", &url).await;
        assert!(told.contains(&format!("DATABASE_REPLICA_URL: {said}")), "{told}");
    }
}

#[tokio::test]
async fn one_that_becomes_a_primary_is_not_asked_any_more() {
    let set = Set::up().await;
    sqlx::query("select pg_promote()").execute(&mut set.standby.superuser().await).await.unwrap();
    until_asked(&set.server, 0).await;
    set.program.send(&set.server.url, &ids("invoice", 1)).await.unwrap();
    assert!(set.owner.text(&set.server.url, &page(ACME)).await.contains("invoice-0"));
}

#[tokio::test]
async fn a_server_starts_without_its_replica() {
    let machines = Machines::start().await;
    let mut standby = Standby::of(&machines, &[]).await;
    standby.kill().await;
    let server = machines.serve(&[("DATABASE_REPLICA_URL", &standby.url("orgtrail_app"))]).await;
    let owner = Client::found(&server.url, ACME).await;
    assert!(owner.text(&server.url, &page(ACME)).await.contains("</html>"));
    assert_eq!(server.counted(ASKED).await, 0);
    standby.start().await;
    until_answered(&server, &owner, ACME).await;
}
