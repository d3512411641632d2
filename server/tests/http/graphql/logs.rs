//! The logs as programs read them.

use futures::TryStreamExt;
use orgtrail::audit::append::{Draft, LoginFacts};
use orgtrail::audit::change::Batch;
use orgtrail::audit::event::{Actor, Kind, Outcome};
use orgtrail::export::{End, Receipt, line_ends};
use orgtrail::identity::access::{Operation, authorize};
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::model::export;

use super::*;
use crate::models;
use crate::support::ACME;

/// The documents of the seed, as printed there.
const SIGN_INS: &str = include_str!("../../graphql/unauthenticated.graphql");
const OPERATIONS: &str = include_str!("../../graphql/authenticated.graphql");
const EXPORTS: &str = include_str!("../../graphql/exporter.graphql");

async fn record(app: &TestApplication, drafts: &[Draft]) {
    let owner = Viewer::user(app.owner.clone(), Origin::default());
    let access = authorize(&app.platform, &owner, ACME, Operation::ReadAuditLog).await.unwrap();
    Batch::record(&app.platform, &access, drafts).await.unwrap();
}

fn sign_in(number: usize, outcome: Outcome) -> Draft {
    let mut draft = Draft::named(Kind::Login, "login.attempted", "user");
    draft.login = Some(LoginFacts { method: "login".to_owned(), email: format!("  Person{number}@x.example") });
    draft.outcome = outcome;
    draft.origin.ip = Some("192.0.2.7".to_owned());
    if outcome == Outcome::Success {
        draft.actor = Actor::user(format!("u-{number}"), "Ada", "ada@x.example");
    }
    draft
}

fn change(number: usize) -> Draft {
    let mut draft = Draft::named(Kind::Change, "invoice.paid", "invoice");
    draft.actor = Actor::user("u-1", "Ada", "ada@x.example");
    draft.object_id = Some(number.to_string());
    draft.next = Some(format!("{{\"b\": {number}.10, \"a\":null}}"));
    draft
}

/// Sends mutations by an access token, whose names are told.
pub async fn tidy(app: &TestApplication, count: usize) {
    let program = app.program_with(&[Scope::OrganizationWrite]).await;
    for number in 1..=count {
        let document = format!("mutation Tidy{number} {{ deleteTeam(input: {{ id: \"none\" }}) {{ deletedTeamId }} }}");
        let body = format!("{{\"query\": {}, \"variables\": {{\"times\": 1.50}}}}", json!(document));
        assert_eq!(raw(&program, "application/json", body).await.status, 200);
    }
}

/// All pages of a log, as the loop of the seed reads them.
async fn all(client: &Client, document: &str, log: &str, num: usize) -> Vec<Value> {
    let mut params = json!({ "num": num, "startTime": "2025-01-01T00:00:00Z" });
    let mut nodes = Vec::new();
    for _ in 0..100 {
        let page = data(&send(client, document, params.clone()).await)["account"][log].clone();
        let edges = page["edges"].as_array().unwrap();
        nodes.extend(edges.iter().map(|edge| edge["node"].clone()));
        let end = &page["pageInfo"]["endCursor"];
        if end.is_null() {
            assert_eq!((edges.len(), &page["pageInfo"]["hasNextPage"]), (0, &json!(false)));
            return nodes;
        }
        params["cursor"] = end.clone();
    }
    panic!("the loop does not end");
}

#[tokio::test]
async fn sign_ins_as_the_seed_asks_for_them() {
    let (app, owner) = owner().await;
    let attempts: Vec<_> =
        (0..25).map(|n| sign_in(n, if n % 3 == 0 { Outcome::Failure } else { Outcome::Success })).collect();
    record(&app, &attempts).await;
    record(&app, &(0..5).map(change).collect::<Vec<_>>()).await;
    let nodes = all(&owner, SIGN_INS, "unauthenticatedAuditLogs", 10).await;
    let typed: Vec<_> = nodes.iter().filter(|node| node["ip"] == "192.0.2.7").collect();
    assert_eq!(typed.len(), 25);
    let newest = typed[0];
    assert_eq!(newest["user"], json!({ "email": "  Person24@x.example" }));
    assert_eq!((&newest["success"], &newest["mutationName"]), (&json!(false), &json!("login")));
    assert_eq!(newest["loggedAt"].as_str().unwrap().len(), "2026-01-01T00:00:00.000000Z".len());
    assert_eq!(typed.iter().filter(|node| node["success"] == true).count(), 16);
    let ids: std::collections::BTreeSet<_> = nodes.iter().map(|node| node["id"].to_string()).collect();
    assert_eq!(ids.len(), nodes.len());
}

#[tokio::test]
async fn operations_as_the_seed_asks_for_them() {
    let (app, owner) = owner().await;
    tidy(&app, 12).await;
    let nodes = all(&owner, OPERATIONS, "authenticatedAuditLogs", 5).await;
    let tidy: Vec<_> = nodes
        .iter()
        .filter(|node| node["operationName"].as_str().is_some_and(|name| name.starts_with("Tidy")))
        .collect();
    assert_eq!(tidy.len(), 12);
    assert_eq!((&tidy[0]["user"], &tidy[0]["operationName"]), (&Value::Null, &json!("Tidy12")));
    assert!(tidy[0]["operationText"].as_str().unwrap().starts_with("mutation Tidy12 { deleteTeam"));
    let ours = "{ account { authenticatedAuditLogs(first: 1, startTime: \"2026-01-01T00:00:00Z\", endTime: \"2100-01-01T00:00:00Z\") { edges { node {
        nameMatches outcome rootFields documentSha256 variables actor { accessToken { name } user { id } } } } } } }";
    let answer = send(&owner, ours, json!({})).await;
    let node = &data(&answer)["account"]["authenticatedAuditLogs"]["edges"][0]["node"];
    assert_eq!(node["actor"], json!({ "accessToken": { "name": "SIEM" }, "user": null }));
    assert_eq!((&node["nameMatches"], &node["rootFields"]), (&json!(false), &json!(["deleteTeam"])));
    assert_eq!((node["documentSha256"].as_str().unwrap().len(), &node["outcome"]), (64, &json!("FAILURE")));
    assert!(answer.body.contains("1.50"), "numbers keep their digits: {}", answer.body);
}

/// Exports a model's records of some days, to the last byte.
async fn export(app: &TestApplication, model: &str, days_ago: u64) {
    let day = app.platform.clock.now().date_naive() - chrono::Days::new(days_ago);
    let query = format!("start={}&end={day}", day - chrono::Days::new(1));
    let viewer = models::owner(app);
    let export = export::start(&app.platform, &viewer, ACME, model, &query).await.unwrap();
    let (ticket, mut receipt) = (export.ticket(), Receipt::default());
    let chunks: Vec<_> = export.into_stream().try_collect().await.unwrap();
    for chunk in chunks {
        receipt.bytes += chunk.len() as u64;
        receipt.lines += line_ends(&chunk);
    }
    ticket.finish(End::Complete, receipt).await;
}

#[tokio::test]
async fn exports_are_those_that_took_something_of_a_model_that_counts() {
    let (app, owner) = owner().await;
    models::make(&app, "fraud", "{}\n{}\n{}".to_owned(), false).await;
    models::make(&app, "demo", "{}".to_owned(), true).await;
    for _ in 0..4 {
        export(&app, "fraud", 0).await;
        for _ in 0..3 {
            export(&app, "fraud", 80).await; // nothing
            export(&app, "demo", 0).await;
        }
    }
    for num in [1, 3, 4, 100] {
        let nodes = all(&owner, EXPORTS, "exporterAuditLogs", num).await;
        assert_eq!(nodes.len(), 4, "{num}");
        let told = |node: &Value| (node["model"].clone(), node["user"]["email"].clone());
        assert!(nodes.iter().all(|node| told(node) == (json!({ "name": "fraud" }), json!("owner@acme.example"))));
    }
    // Between what counts and what does not, `hasNextPage` is true to the last.
    let page = data(&send(&owner, EXPORTS, json!({ "num": 4 })).await);
    assert_eq!(page["account"]["exporterAuditLogs"]["pageInfo"]["hasNextPage"], false);
}

const CHANGES: &str = "query Changes($first: Int!, $after: String, $start: DateTime, $end: DateTime, $filter: AuditLogFilter) { account {
    auditLogs(first: $first, after: $after, startTime: $start, endTime: $end, filter: $filter) {
        totalCount completeThrough pageInfo { hasNextPage endCursor }
        edges { cursor node { id index kind action catalogueAction outcome previous next ip userAgent requestId sourceAccessTokenId
            actor { user { id name email } accessToken { id name } } object { type id name } occurredAt recordedAt } } } } }";

async fn changes(client: &Client, variables: Value) -> Value {
    data(&send(client, CHANGES, variables).await)["account"]["auditLogs"].clone()
}

#[tokio::test]
async fn changes_with_the_filters_of_the_page() {
    let (app, owner) = owner().await;
    record(&app, &(0..5).map(change).collect::<Vec<_>>()).await;
    for (filter, count) in [
        (json!(null), 7),
        (json!({ "actions": ["invoice.paid"] }), 5),
        (json!({ "actions": ["organization.*"], "catalogueActions": ["MEMBER_CREATED"] }), 2),
        (json!({ "actor": "user:u-1" }), 5),
        (json!({ "object": "invoice:3" }), 1),
        (json!({ "words": "invoice" }), 5),
        (json!({ "kinds": ["LOGIN"], "actions": ["invoice.paid"] }), 0),
    ] {
        let page = changes(&owner, json!({ "first": 100, "filter": filter })).await;
        assert_eq!((page["edges"].as_array().unwrap().len(), &page["totalCount"]), (count, &json!(count)), "{filter}");
    }
    let answer = send(&owner, CHANGES, json!({ "first": 1, "filter": { "object": "invoice:4" } })).await;
    assert!(answer.body.contains(r#""next":{"b": 4.10, "a":null}"#), "byte for byte: {}", answer.body);
    let node = &data(&answer)["account"]["auditLogs"]["edges"][0]["node"];
    assert_eq!(
        (&node["action"], &node["catalogueAction"], &node["kind"]),
        (&json!("invoice.paid"), &Value::Null, &json!("CHANGE"))
    );
    let first =
        changes(&owner, json!({ "first": 1, "filter": { "catalogueActions": ["ORGANIZATION_CREATED"] } })).await;
    assert_eq!(first["edges"][0]["node"]["catalogueAction"], "ORGANIZATION_CREATED");
    for (filter, field) in [
        (json!({ "actions": ["invoice.*"] }), "action"),
        (json!({ "actor": "ada" }), "actor"),
        (json!({ "object": "Invoice" }), "object"),
        (json!({ "words": "?" }), "q"),
        (json!({ "kinds": [] }), "kinds"),
    ] {
        let answer = send(&owner, CHANGES, json!({ "first": 1, "filter": filter })).await;
        assert_eq!(answer.json()["errors"][0]["extensions"], json!({ "code": "BAD_USER_INPUT", "field": field }));
    }
}

#[tokio::test]
async fn a_page_is_of_one_to_a_hundred_and_a_window_has_two_ends() {
    let (app, owner) = owner().await;
    record(&app, &(0..3).map(change).collect::<Vec<_>>()).await;
    for (variables, field) in [
        (json!({ "first": 0 }), "first"),
        (json!({ "first": 101 }), "first"),
        (json!({ "first": -1 }), "first"),
        (json!({ "first": 1, "start": "2100-01-01T00:00:00Z" }), "startTime"),
        (json!({ "first": 1, "start": "2026-11-02T00:00:00Z", "end": "2026-11-01T00:00:00Z" }), "startTime"),
    ] {
        let answer = send(&owner, CHANGES, variables.clone()).await;
        assert_eq!(
            answer.json()["errors"][0]["extensions"],
            json!({ "code": "BAD_USER_INPUT", "field": field }),
            "{variables}"
        );
    }
    for naive in [json!("2026-11-01T00:00:00"), json!("2026-11-01"), json!(7), json!("")] {
        assert_eq!(
            error(&send(&owner, CHANGES, json!({ "first": 1, "start": naive })).await).0,
            "BAD_USER_INPUT",
            "{naive}"
        );
    }
    let all = changes(&owner, json!({ "first": 100 })).await;
    let moment = |place: usize| all["edges"][place]["node"]["occurredAt"].clone();
    let between = changes(&owner, json!({ "first": 100, "start": moment(2), "end": moment(1) })).await;
    let indexes: Vec<_> =
        between["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["index"].clone()).collect();
    assert_eq!(indexes, [all["edges"][1]["node"]["index"].clone(), all["edges"][2]["node"]["index"].clone()]);
    let long_ago =
        changes(&owner, json!({ "first": 1, "start": "2020-01-01T00:00:00Z", "end": "2020-02-01T00:00:00Z" })).await;
    assert_eq!(long_ago["pageInfo"], json!({ "hasNextPage": false, "endCursor": null }));
}

/// A window that was left to the server is held on to: what is recorded between two pages is not on the second, nor missing from it.
#[tokio::test]
async fn cursors_hold_on_to_their_window_and_to_their_list() {
    let (app, owner) = owner().await;
    record(&app, &(0..10).map(change).collect::<Vec<_>>()).await;
    let filter = json!({ "actions": ["invoice.paid"] });
    let page = |after: Value| json!({ "first": 4, "after": after, "filter": filter });
    let first = changes(&owner, page(Value::Null)).await;
    let cursor = first["pageInfo"]["endCursor"].clone();
    assert_eq!(cursor, first["edges"][3]["cursor"]);
    record(&app, &(10..12).map(change).collect::<Vec<_>>()).await;
    let second = changes(&owner, page(cursor.clone())).await;
    assert_eq!((second["edges"].as_array().unwrap().len(), &second["totalCount"]), (4, &json!(10)));
    let objects = |page: &Value| {
        page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["object"]["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (objects(&first), objects(&second)),
        (vec![json!("9"), json!("8"), json!("7"), json!("6")], vec![json!("5"), json!("4"), json!("3"), json!("2")])
    );
    let last = changes(&owner, page(second["pageInfo"]["endCursor"].clone())).await;
    assert_eq!((objects(&last), &last["pageInfo"]["hasNextPage"]), (vec![json!("1"), json!("0")], &json!(false)));
    let empty = changes(&owner, page(last["pageInfo"]["endCursor"].clone())).await;
    assert_eq!(empty["pageInfo"], json!({ "hasNextPage": false, "endCursor": null }));

    let text = cursor.as_str().unwrap();
    let flipped = text.replacen(&text[20..21], if &text[20..21] == "A" { "B" } else { "A" }, 1);
    for variables in [
        json!({ "first": 4, "after": cursor }),
        json!({ "first": 4, "after": cursor, "filter": { "actions": ["member.*"] } }),
        json!({ "first": 4, "after": cursor, "filter": filter, "start": "2026-01-01T00:00:00Z" }),
        json!({ "first": 4, "after": cursor, "filter": filter, "end": "2100-01-01T00:00:00Z" }),
        json!({ "first": 4, "after": "", "filter": filter }),
        json!({ "first": 4, "after": flipped, "filter": filter }),
        json!({ "first": 4, "after": "\u{202e}😀", "filter": filter }),
    ] {
        assert_eq!(error(&send(&owner, CHANGES, variables.clone()).await).0, "BAD_CURSOR", "{variables}");
    }
    assert_eq!(error(&send(&owner, SIGN_INS, json!({ "num": 4, "cursor": cursor })).await).0, "BAD_CURSOR");
}

#[tokio::test]
async fn only_who_may_reads() {
    let (app, owner) = owner().await;
    let (admin, member) = (app.admin().await, app.member().await);
    let (reader, writer) = (
        app.program_with(&[Scope::AuditRead]).await,
        app.program_with(&[Scope::EventsWrite, Scope::AuditExport]).await,
    );
    let every = "{ account { slug
        a: unauthenticatedAuditLogs(first: 1) { pageInfo { hasNextPage } } b: authenticatedAuditLogs(first: 1) { pageInfo { hasNextPage } }
        c: exporterAuditLogs(first: 1) { pageInfo { hasNextPage } } d: auditLogs(first: 1) { totalCount completeThrough } } }";
    for client in [&owner, &admin, &reader] {
        data(&send(client, every, json!({})).await);
    }
    for client in [&member, &writer] {
        let body = send(client, every, json!({})).await.json();
        assert_eq!(body["data"]["account"], json!({ "slug": "acme", "a": null, "b": null, "c": null, "d": null }));
        let errors = body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 4);
        assert!(errors.iter().all(|error| error["extensions"]["code"] == "FORBIDDEN"), "{errors:?}");
    }
    // Who looked, and who was refused, is on the trail.
    let looks = changes(
        &owner,
        json!({ "first": 100, "filter": { "kinds": ["OPERATION"], "catalogueActions": ["AUDIT_LOG_VIEWED"] } }),
    )
    .await;
    let outcomes = |outcome: &str| {
        looks["edges"].as_array().unwrap().iter().filter(|edge| edge["node"]["outcome"] == outcome).count()
    };
    assert_eq!((outcomes("DENIED"), outcomes("SUCCESS")), (2, 3));
}
