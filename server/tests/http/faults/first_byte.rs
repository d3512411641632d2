//! An export that was recorded as requested, and whose first bytes cannot be read: refused, never begun.

use orgtrail::identity::access_token::Scope;
use serde_json::Value;

use super::wire::{State, Wire};
use crate::export::{everything, fill, of_export};
use crate::support::TestApplication;

/// What is asked for a batch of an export, and for nothing else.
const BATCH: &str = "select e.index, ";

/// The exports of the trail, in the order of their events: what happened, how it ended, and the bytes that were sent.
async fn recorded(app: &TestApplication) -> Vec<(String, String, Option<i64>)> {
    let events: Vec<(String, String, Value)> = sqlx::query_as(
        "select action, outcome, next::jsonb from orgtrail.events where action like 'audit_log.export.%' order by index",
    )
    .fetch_all(&app.superuser)
    .await
    .unwrap();
    let short = |action: String| action.rsplit('.').next().unwrap().to_owned();
    events.into_iter().map(|(action, outcome, next)| (short(action), outcome, next["bytes_sent"].as_i64())).collect()
}

/// Asks for an export with the wire `broken` at its first batch, then with a whole one; answers what the trail has of the first.
async fn of_a_break(broken: State) -> Vec<(String, String, Option<i64>)> {
    let wire = Wire::new();
    let app = wire.application().await;
    fill(&app, 20, 100).await;
    let (owner, program) = (app.owner().await, app.program_with(&[Scope::AuditExport]).await);
    wire.set(broken);
    let recorded = loop {
        let refused = program.get(&everything("")).await;
        refused.assert_problem(503, "UNAVAILABLE");
        assert_eq!(refused.header("retry-after"), "2");
        for header in ["content-disposition", "audit-export-id", "audit-export-rows"] {
            assert_eq!(refused.header(header), "", "{header}");
        }
        // A machine that is busy may refuse it before it is requested.
        let recorded = recorded(&app).await;
        if !recorded.is_empty() {
            break recorded;
        }
    };
    wire.set(State::Whole);
    // Control: nothing else was in the way. A connection that was cut is found to be so when it is used.
    let whole = loop {
        let answer = program.get(&everything("")).await;
        if answer.status != 503 {
            break answer;
        }
    };
    assert_eq!(whole.status, 200, "{}", whole.body);
    let ended = of_export(&owner, whole.header("audit-export-id"), "downloaded").await;
    assert_eq!(ended["outcome"], "success");
    recorded
}

fn event(action: &str, outcome: &str, bytes: Option<i64>) -> (String, String, Option<i64>) {
    (action.to_owned(), outcome.to_owned(), bytes)
}

#[tokio::test]
async fn an_export_whose_first_bytes_cannot_be_read_is_503_and_recorded_as_failed() {
    let recorded = of_a_break(State::HangUpAt(BATCH)).await;
    assert_eq!(recorded, [event("requested", "success", None), event("downloaded", "failure", Some(0))]);
}

/// Nothing can be recorded either: that it was requested remains, without an end.
#[tokio::test]
async fn an_export_whose_database_goes_before_the_first_byte_is_503() {
    assert_eq!(of_a_break(State::CutAt(BATCH)).await, [event("requested", "success", None)]);
}
