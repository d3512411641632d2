//! Reads from a replica: never less than anybody has done, whoever answers; and what may not be a replica.

use std::time::Duration;

use orgtrail_server::cluster::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};
use tokio::time::sleep;

use crate::client::{ACME, CHANGES, Client, export, ids, model_export, page, taken};
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

/// Somebody's look at what is asked of the replica, and a word that is only in it once something has happened.
struct Look {
    what: &'static str,
    request: RequestBuilder,
    word: &'static str,
}

/// Everything that reads the trail and models: pages and what they load, the feed, GraphQL and exports. `event` is the id of what the detail is of.
fn everything(set: &Set, event: &str) -> Vec<Look> {
    let (url, owner, program) = (&set.server.url, &set.owner, &set.program);
    let of_page =
        |path: &str, more: (&str, &str)| owner.request(Method::POST, url, path).form(&[("organization", ACME), more]);
    let looks = [
        ("the page", owner.request(Method::GET, url, &page(ACME)), "invoice-0"),
        ("the detail of an event", of_page("/api/audit_event", ("id", event)), "invoice-0"),
        ("the count on the button", of_page("/api/audit_count", ("query", "action=invoice.paid")), "\"events\":1"),
        ("the actors to pick from", of_page("/api/audit_actors", ("query", "")), "Grace"),
        ("the feed", program.request(Method::GET, url, "/api/v1/events"), "invoice-0"),
        ("GraphQL's changes", program.question(url, CHANGES), "invoice-0"),
        ("GraphQL's count", program.question(url, COUNT), "\"totalCount\":1"),
        ("GraphQL's sign-ins", program.question(url, SIGN_INS), "false"),
        ("GraphQL's operations", program.question(url, OPERATIONS), "PayInvoice"),
        ("GraphQL's exports", program.question(url, EXPORTS), "fraud"),
        ("the export", program.request(Method::GET, url, &export()), "invoice-0"),
        ("the page of a model", owner.request(Method::GET, url, "/acme/models/fraud"), "invoice-0"),
        ("the export of a model", program.request(Method::GET, url, &model_export()), "invoice-0"),
    ];
    looks.map(|(what, request, word)| Look { what, request, word }).into()
}

/// How many times somebody paid, whether sign-ins went well, what mutations were called, and of which models somebody took records.
const COUNT: &str = r#"auditLogs(first: 1, filter: { actions: ["invoice.paid"] }) { totalCount }"#;
const SIGN_INS: &str = "unauthenticatedAuditLogs(first: 20) { edges { node { success } } }";
const OPERATIONS: &str = "authenticatedAuditLogs(first: 20) { edges { node { operationName } } }";
const EXPORTS: &str = "exporterAuditLogs(first: 20) { edges { node { model { name } } } }";

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

impl Set {
    /// Something happens of each kind that is read, and is in the trail.
    async fn happen(&self) {
        let (url, owner, program) = (&self.server.url, &self.owner, &self.program);
        program.send(url, &ids("invoice", 1)).await.unwrap();
        program.add_record(url, "invoice-0").await;
        program.text(url, &model_export()).await;
        let wrong = [("email", "owner@acme.example"), ("password", "not the horse")];
        assert_eq!(Client::new().form(url, "/api/login", &wrong).await, 401);
        let mutation =
            r#"mutation PayInvoice { createTeam(input: { account: "acme", name: "Payers" }) { team { id } } }"#;
        let mutation = owner.request(Method::POST, url, "/graphql").json(&json!({ "query": mutation }));
        assert!(taken(mutation).await.unwrap().contains("\"team\""));
        // Ends of exports, of the one before as well, and attempts to sign in are recorded a moment later.
        let recorded = "(select count(*) from orgtrail.events where kind = 'login' and outcome = 'failure') = 1
            and (select count(*) from orgtrail.events where action = 'model.exported') = 2";
        let mut superuser = self.machines.superuser().await;
        let recorded = format!("select {recorded}");
        while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(recorded.clone())).fetch_one(&mut superuser).await.unwrap() {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Id of the newest event of an action.
    async fn event(&self, action: &str) -> String {
        let id = "select id::text from orgtrail.events where action = $1 order by index desc limit 1";
        sqlx::query_scalar(id).bind(action).fetch_one(&mut self.machines.superuser().await).await.unwrap()
    }
}

#[tokio::test]
async fn whatever_was_acknowledged_is_read_while_the_replica_is_behind() {
    let set = Set::up().await;
    let (server, owner) = (&set.server, &set.owner);
    owner.must(&server.url, "/api/create_model", &[("organization", ACME), ("name", "fraud")]).await;
    for Look { what, request, word } in everything(&set, &set.event("model.created").await) {
        let shown = taken(request).await.unwrap();
        assert!(!shown.contains(word), "{what}: {shown}");
    }
    until_answered(server, owner, ACME).await;
    set.standby.pause().await;
    set.happen().await;
    let answered = server.counted(ANSWERED).await;
    for Look { what, request, word } in everything(&set, &set.event("invoice.paid").await) {
        let behind = server.counted(BEHIND).await;
        let shown = taken(request).await.unwrap();
        assert!(shown.contains(word), "{what}: {shown}");
        assert!(server.counted(BEHIND).await > behind, "the replica is not asked for {what}");
    }
    assert_eq!(server.counted(ANSWERED).await, answered, "the replica could not know of it");
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
