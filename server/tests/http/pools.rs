//! Each use of the database has connections of its own: where one use has taken all of its, the others go on (R-28).

use orgtrail::identity::access_token::Scope;
use orgtrail::storage::Database;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use sqlx::{AssertSqlSafe, PgPool};
use std::time::Duration;

use crate::export::{everything, fill, of_export};
use crate::listening::download;
use crate::overload::all_of;
use crate::support::{ACME, Answer, Client, PASSWORD, TestApplication};

/// What can be wanted of the server, each of a use of its own.
struct Wants {
    app: TestApplication,
    owner: Client,
    program: Client,
}

impl Wants {
    async fn new() -> Self {
        let app = TestApplication::start().await;
        let owner = app.owner().await;
        let program = app.program_with(&[Scope::AuditRead, Scope::AuditExport, Scope::EventsWrite]).await;
        Self { app, owner, program }
    }

    async fn page(&self) -> Answer {
        self.owner.get("/acme/settings/audit-logs").await
    }

    async fn feed(&self) -> Answer {
        self.program.get("/api/v1/events").await
    }

    /// A change by a person.
    async fn change(&self) -> Answer {
        let name = format!("Team {}", self.app.number());
        self.owner.call("/api/create_team", &[("organization", ACME), ("name", &name)]).await
    }

    async fn event(&self) -> Answer {
        let event = r#"{"action":"door.opened","actor":{"user":{"id":"u-1"}}}"#;
        let request = self.program.bare(Method::POST, "/api/v1/events").header(CONTENT_TYPE, "application/json");
        Answer::read(request.body(event)).await
    }

    async fn export(&self) -> Answer {
        self.program.get(&everything("")).await
    }

    async fn sign_in(&self) -> Answer {
        let fields = [("email", self.app.owner.email.as_str()), ("password", PASSWORD)];
        self.app.program().form("/api/login", &fields).await
    }

    async fn readiness(&self) -> Answer {
        self.app.program().get("/readyz").await
    }

    /// Control: everything is answered.
    async fn assert_all_are_met(&self) {
        for (what, answer) in [
            ("a page", self.page().await),
            ("the feed", self.feed().await),
            ("a change", self.change().await),
            ("an event", self.event().await),
            ("an export", self.export().await),
            ("signing in", self.sign_in().await),
            ("readiness", self.readiness().await),
        ] {
            assert_met(what, &answer);
        }
    }

    /// How many events of this action are in the trail.
    async fn count(&self, action: &str) -> i64 {
        let count = sqlx::query_scalar("select count(*) from orgtrail.events where action = $1").bind(action);
        count.fetch_one(&self.app.superuser).await.unwrap()
    }
}

#[track_caller]
fn assert_met(what: &str, answer: &Answer) {
    assert!((200..300).contains(&answer.status), "{what}: {answer:?}");
}

#[track_caller]
fn assert_later(what: &str, answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, "2"), "{what}: {answer:?}");
}

#[tokio::test]
async fn without_connections_for_exports_everything_else_is_done() {
    let wants = Wants::new().await;
    wants.assert_all_are_met().await;
    let held = all_of(&wants.app.platform.database.exports).await;
    let (page, feed, change, event, export) =
        tokio::join!(wants.page(), wants.feed(), wants.change(), wants.event(), wants.export());
    for (what, answer) in [("a page", page), ("the feed", feed), ("a change", change), ("an event", event)] {
        assert_met(what, &answer);
    }
    assert_met("signing in", &wants.sign_in().await);
    assert_later("an export", &export);
    drop(held);
    wants.assert_all_are_met().await;
}

/// An export is recorded before its first byte, so none begins; one that runs goes on.
#[tokio::test]
async fn without_connections_for_changes_whoever_reads_goes_on() {
    let wants = Wants::new().await;
    wants.assert_all_are_met().await;
    // What its changes have left for the next page is taken out of the session by that.
    assert_met("a page", &wants.page().await);
    fill(&wants.app, 400, 16_000).await;
    let (running, id) = download(&wants.app, "HTTP/1.0").await;
    let unused = wants.app.program_with(&[Scope::AuditRead]).await;
    let held = all_of(&wants.app.platform.database.writes).await;
    let requested = wants.count("audit_log.export.requested").await;
    let (page, feed, change, event, export, sign_in) =
        tokio::join!(wants.page(), wants.feed(), wants.change(), wants.event(), wants.export(), wants.sign_in());
    for (what, answer) in [("a page", page), ("the feed", feed)] {
        assert_met(what, &answer);
    }
    // That a token is used for the first time cannot be noted.
    assert_met("the feed", &unused.get("/api/v1/events").await);
    for (what, answer) in [("a change", change), ("an event", event), ("an export", export), ("signing in", sign_in)] {
        assert_later(what, &answer);
    }
    assert_eq!(wants.count("audit_log.export.requested").await, requested);
    // The export that runs has kept its place, with its viewer's rights asked again, twice.
    for _ in 0..2 {
        until_renewed(&wants.app.superuser, &id).await;
    }
    drop(held);
    let end = running.end().await;
    assert!(!end.reset && end.bytes.len() > 400 * 16_000, "{} bytes", end.bytes.len());
    assert_eq!(of_export(&wants.owner, &id, "downloaded").await["outcome"], "success");
    wants.assert_all_are_met().await;
}

/// Waits until the place of a running export is leased anew.
async fn until_renewed(superuser: &PgPool, id: &str) {
    let lease = || async {
        let lease = sqlx::query_scalar("select leased_until::text from orgtrail.running_exports where id::text = $1");
        lease.bind(id).fetch_one(superuser).await.unwrap()
    };
    let before: String = lease().await;
    while lease().await == before {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn without_connections_for_pages_everything_else_is_done() {
    let wants = Wants::new().await;
    wants.assert_all_are_met().await;
    let held = all_of(&wants.app.platform.database.reads).await;
    let (page, change, event, export) = tokio::join!(wants.page(), wants.change(), wants.event(), wants.export());
    assert_later("a page", &page);
    for (what, answer) in [("a change", change), ("an event", event), ("an export", export)] {
        assert_met(what, &answer);
    }
    assert_met("signing in", &wants.sign_in().await);
    // A balancer must not take away what is still good.
    assert_met("readiness", &wants.readiness().await);
    drop(held);
    wants.assert_all_are_met().await;
}

/// What a connection of the pool says of its settings.
async fn shown(pool: &PgPool) -> Vec<String> {
    let mut connection = pool.acquire().await.unwrap();
    let mut shown = Vec::new();
    for setting in [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "client_connection_check_interval",
        "timezone",
    ] {
        let show = sqlx::query_scalar(AssertSqlSafe(format!("show {setting}")));
        shown.push(show.fetch_one(&mut *connection).await.unwrap());
    }
    shown
}

/// The pools of the application that runs, and those of a replica, each with its limits (R-28).
#[tokio::test]
async fn every_connection_has_its_limits() {
    let app = TestApplication::start().await;
    let beside_replica: Database =
        app.platform.database.clone().with_replica(&app.platform.database.reads.connect_options());
    let expected = [
        ("writes", 8, "5s", 3_000),
        ("reads", 6, "5s", 3_000),
        ("exports", 4, "15s", 3_000),
        ("replica_reads", 6, "5s", 250),
        ("replica_exports", 4, "15s", 250),
    ];
    let pools = beside_replica.pools();
    assert_eq!(pools.len(), expected.len());
    for ((name, pool), (expected_name, connections, statement, patience)) in pools.into_iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert_eq!(shown(pool).await, [statement, "2s", "10s", "2s", "UTC"], "{name}");
        let options = pool.options();
        assert_eq!(options.get_max_connections(), connections, "{name}");
        assert_eq!(options.get_acquire_timeout(), Duration::from_millis(patience), "{name}");
    }
}
