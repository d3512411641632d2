//! Models over HTTP (contract §6): records in, records out, and who took them.

use futures::StreamExt;
use orgtrail::audit::logs::{self, Asked};
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::model::records::{self, Submission};
use orgtrail::model::registry::{self, Wanted};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{ACME, Answer, Client, TestApplication};

mod uploads;

const RECORDS: &str = "/api/v1/models/fraud/records";

pub fn owner(app: &TestApplication) -> Viewer {
    Viewer::user(app.owner.clone(), Origin::default())
}

/// A model with these records.
pub async fn make(app: &TestApplication, name: &str, lines: String, demo: bool) {
    let wanted = Wanted { name, description: "What was paid.", demo };
    registry::create(&app.platform, &owner(app), ACME, wanted).await.unwrap();
    if !lines.is_empty() {
        let sent = Submission { key: None, body: lines.into() };
        records::add(&app.platform, &owner(app), ACME, name, sent).await.unwrap();
    }
}

/// The export of everything that can be asked for, with more parameters: a program's path, and a browser's.
fn everything(app: &TestApplication, model: &str, more: &str) -> (String, String) {
    let today = app.platform.clock.now().date_naive();
    let query = format!("start={}&end={today}{more}", today - chrono::Days::new(89));
    (format!("/api/v1/models/{model}/export?{query}"), format!("/api/export_model/{ACME}/{model}?{query}"))
}

async fn send(client: &Client, body: impl Into<reqwest::Body>) -> Answer {
    Answer::read(client.bare(Method::POST, RECORDS).header(CONTENT_TYPE, "application/x-ndjson").body(body)).await
}

/// The newest entry of the log of exports, when there are `count`: an end is recorded after the last byte.
async fn logged(app: &TestApplication, count: usize) -> logs::ExportEntry {
    loop {
        let asked = Asked { first: 100, ..Asked::default() };
        let mut log = logs::exports(&app.platform, &owner(app), ACME, &asked).await.unwrap();
        assert!(log.entries.len() <= count);
        if log.entries.len() == count {
            return log.entries.swap_remove(0);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// What the newest export's event says, when it is so.
async fn ended(app: &TestApplication, id: &str) -> Value {
    loop {
        let found: Option<Value> = sqlx::query_scalar(
            "select json_build_object('outcome', outcome, 'rows', export_rows, 'next', next) from orgtrail.events
            where action = 'model.exported' and next ->> 'export_id' = $1",
        )
        .bind(id)
        .fetch_optional(&app.superuser)
        .await
        .unwrap();
        if let Some(event) = found {
            return event;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// How many refused exports are on the trail.
async fn refused_exports(app: &TestApplication) -> i64 {
    sqlx::query_scalar(
        "select count(*) from orgtrail.events
        where action = 'model.export.requested' and outcome = 'denied' and kind = 'operation' and object_name = 'fraud'",
    )
    .fetch_one(&app.superuser)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_program_adds_records_and_takes_them_out() {
    let app = TestApplication::start().await;
    make(&app, "fraud", String::new(), false).await;
    let (writer, reader) =
        (app.program_with(&[Scope::ModelsWrite]).await, app.program_with(&[Scope::ModelsExport]).await);
    let lines = "{\"time\":\"2026-11-01T00:00:00Z\", \"amount\": 1.50}\n{\"card\":\"=1+1\"}\n";
    let lines =
        lines.replace("2026-11-01", &(app.platform.clock.now().date_naive() - chrono::Days::new(3)).to_string());
    let added = send(&writer, lines.clone()).await;
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!(added.body, r#"{"model":"fraud","records":2,"first":0,"last":1}"#);
    let models = reader.get("/api/v1/models").await.json();
    assert_eq!((&models["models"][0]["name"], &models["models"][0]["records"]), (&json!("fraud"), &json!(2)));
    let (path, _) = everything(&app, "fraud", "");
    let csv = reader.get(&path).await;
    assert_eq!((csv.status, csv.header("audit-export-rows")), (200, "2"), "{}", csv.body);
    assert_eq!(csv.header("content-length"), csv.body.len().to_string());
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert!(csv.header("content-disposition").starts_with("attachment; filename=\"fraud_acme_"));
    let mut read = csv::ReaderBuilder::new().from_reader(csv.body.as_bytes());
    assert_eq!(read.headers().unwrap(), vec!["time", "number", "record"]);
    let kept: Vec<String> = read.records().map(|record| record.unwrap()[2].to_owned()).collect();
    assert_eq!(kept, lines.lines().rev().collect::<Vec<_>>());
    let (path, _) = everything(&app, "fraud", "&format=ndjson");
    let ndjson = reader.get(&path).await;
    assert_eq!(ndjson.header("content-length"), ndjson.body.len().to_string());
    assert!(ndjson.body.lines().next().unwrap().ends_with(",\"number\":1,\"record\":{\"card\":\"=1+1\"}}"));
    let entry = logged(&app, 2).await;
    assert_eq!((entry.export_model.as_deref(), entry.export_rows), (Some("fraud"), Some(2)));
    assert_eq!(entry.export_sha256.as_deref(), Some(Sha256::digest(&ndjson.body).as_slice()));
}

#[tokio::test]
async fn the_link_of_the_page_downloads_for_who_is_signed_in() {
    let app = TestApplication::start().await;
    make(&app, "fraud", "{}\n{}".to_owned(), false).await;
    let (rest, link) = everything(&app, "fraud", "");
    let member = app.member().await;
    let found = member.get(&link).await;
    assert_eq!((found.status, found.header("audit-export-rows")), (200, "2"), "{}", found.body);
    assert_eq!(logged(&app, 1).await.common.actor().user.unwrap().email.unwrap(), "member@acme.example");
    let to_login = app.anonymous().get(&link).await;
    assert_eq!(to_login.status, 303);
    assert!(to_login.location.unwrap().starts_with("/login?next=%2F"));
    let stranger = app.stranger().await;
    let page = stranger.get(&link).await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(page.body.contains("Back to the model"), "{}", page.body);
    Answer::read(stranger.bare(Method::GET, &link)).await.assert_problem(404, "NOT_FOUND");
    app.program().get(&rest).await.assert_problem(401, "UNAUTHENTICATED");
    app.program_with(&[Scope::ModelsWrite]).await.get(&rest).await.assert_problem(403, "FORBIDDEN");
    for head in [&rest, &link] {
        let client = app.program_with(&[Scope::ModelsExport]).await;
        assert_eq!(Answer::read(client.bare(Method::HEAD, head)).await.status, 405);
    }
    for site in ["cross-site", "same-site"] {
        let request = member.bare(Method::GET, &link).header("sec-fetch-site", site);
        assert_eq!(Answer::read(request).await.status, 403, "{site}");
    }
    assert_eq!(logged(&app, 1).await.export_rows, Some(2));
}

#[tokio::test]
async fn bad_records_are_named_by_their_lines_and_nothing_is_added() {
    let app = TestApplication::start().await;
    make(&app, "fraud", String::new(), false).await;
    let writer = app.program_with(&[Scope::ModelsWrite]).await;
    let refused = send(&writer, "{}\n\n[1]\n{\"a\":\n{\"time\":\"2026-01-01\"}").await;
    refused.assert_problem(422, "BAD_USER_INPUT");
    let faults = refused.json()["faults"].clone();
    let lines: Vec<_> = faults.as_array().unwrap().iter().map(|fault| fault["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 4, 5]);
    for (body, said) in [
        (String::new(), "1 to 10000 records"),
        ("\n \n".to_owned(), "1 to 10000 records"),
        ("{}\n".repeat(10_001), "10001"),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(70_000)), "65536 bytes"),
        ("{\"a\":\"\\u0000\"}".to_owned(), "U+0000"),
        ("null".to_owned(), "JSON object"),
        ("{} {}".to_owned(), "no JSON"),
        ("{\"time\":12}".to_owned(), "time"),
        ("{\"time\":\"2999-01-01T00:00:00Z\"}".to_owned(), "five minutes ahead"),
        (format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40)), "nested deeper"),
    ] {
        let answer = send(&writer, body).await;
        answer.assert_problem(422, "BAD_USER_INPUT");
        assert!(answer.body.contains(said), "{said}: {}", answer.body);
    }
    send(&writer, b"{}\n\xff".to_vec()).await.assert_problem(422, "BAD_USER_INPUT");
    send(&writer, "x".repeat(8 * 1024 * 1024 + 1)).await.assert_problem(413, "BAD_USER_INPUT");
    let request = writer.bare(Method::POST, RECORDS).header(CONTENT_TYPE, "application/json").body("{}");
    Answer::read(request).await.assert_problem(415, "BAD_USER_INPUT");
    let page = registry::list(&app.platform, &owner(&app), ACME).await.unwrap();
    assert_eq!(page.models[0].records, 0);
}

#[tokio::test]
async fn a_key_adds_once() {
    let app = TestApplication::start().await;
    make(&app, "fraud", String::new(), false).await;
    let writer = app.program_with(&[Scope::ModelsWrite]).await;
    let send = async |body: &'static str| {
        let request = writer.bare(Method::POST, RECORDS).header(CONTENT_TYPE, "application/x-ndjson");
        Answer::read(request.header("idempotency-key", "k-1").body(body)).await
    };
    let (first, again) = (send("{}\n{}").await, send("{}\n{}").await);
    assert_eq!((first.status, again.status), (201, 200), "{}", again.body);
    assert_eq!((&first.body, again.header("idempotent-replayed")), (&again.body, "true"));
    send("{}").await.assert_problem(422, "BAD_USER_INPUT");
}

#[tokio::test]
async fn who_may_not_add_and_what_is_not_there() {
    let app = TestApplication::start().await;
    make(&app, "fraud", "{}".to_owned(), false).await;
    send(&app.program(), "{}").await.assert_problem(401, "UNAUTHENTICATED");
    send(&app.owner().await, "{}").await.assert_problem(401, "UNAUTHENTICATED");
    send(&app.program_with(&[Scope::ModelsExport]).await, "{}").await.assert_problem(403, "FORBIDDEN");
    let adder = app.program_with(&[Scope::ModelsWrite]).await;
    for _ in 0..2 {
        adder.get(&everything(&app, "fraud", "").0).await.assert_problem(403, "FORBIDDEN");
    }
    assert_eq!(refused_exports(&app).await, 1, "of a refusal that repeats itself the first is on the trail");
    assert_eq!(adder.get(&everything(&app, "other", "").0).await.status, 404);
    let writer = app.program_with(&[Scope::ModelsWrite, Scope::ModelsExport]).await;
    for name in ["other", "..", "%00", "%2e%2e%2f", "fraud%27--", "Fraud"] {
        let path = format!("/api/v1/models/{name}/records");
        let request = writer.bare(Method::POST, &path).header(CONTENT_TYPE, "application/x-ndjson").body("{}");
        assert_eq!(Answer::read(request).await.status, 404, "{name}");
        assert_eq!(writer.get(&everything(&app, name, "").0).await.status, 404, "{name}");
    }
    let today = app.platform.clock.now().date_naive();
    let (day, export) = (chrono::Days::new(1), "/api/v1/models/fraud/export");
    for (query, said) in [
        (String::new(), "start"),
        (format!("start={today}&end={}", today + day), "end"),
        (format!("start={}&end={today}", today - chrono::Days::new(90)), "90"),
        (format!("start={today}&end={}", today - day), "end"),
        (format!("start={today}&end={today}&format=xlsx"), "ndjson"),
        (format!("start={today}&end={today}&format=ndjson&csv=raw"), "CSV"),
        (format!("start={today}&end={today}&tz=Mars/Base"), "tz"),
        (format!("start={today}&end={today}&start={today}"), "start"),
        (format!("start={today}&end={today}&organization=other"), "organization"),
    ] {
        let answer = writer.get(&format!("{export}?{query}")).await;
        answer.assert_problem(422, "BAD_USER_INPUT");
        assert!(answer.body.contains(said), "{query}: {}", answer.body);
    }
}

/// What a reader took before it went is recorded, and what nobody took anything of is no export of the log.
#[tokio::test]
async fn a_download_that_is_broken_off_is_recorded_with_the_rows_that_were_taken() {
    let app = TestApplication::start().await;
    make(&app, "fraud", String::new(), false).await;
    let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(60_000));
    for _ in 0..8 {
        let sent = Submission { key: None, body: line.repeat(100).into() };
        records::add(&app.platform, &owner(&app), ACME, "fraud", sent).await.unwrap();
    }
    let (path, _) = everything(&app, "fraud", "&format=ndjson");
    let reader = app.program_with(&[Scope::ModelsExport]).await;
    let response = reader.open(&path).await;
    let id = response.headers()["audit-export-id"].to_str().unwrap().to_owned();
    let mut body = response.bytes_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    let event = ended(&app, &id).await;
    assert_eq!((&event["outcome"], &event["next"]["sha256"]), (&json!("aborted"), &Value::Null));
    let sent = event["rows"].as_i64().unwrap();
    assert!(sent < 800 && event["next"]["rows"] == 800 && event["next"]["rows_sent"] == sent, "{event}");
    let today = app.platform.clock.now().date_naive() - chrono::Days::new(80);
    let empty = reader.get(&format!("/api/v1/models/fraud/export?start={today}&end={today}")).await;
    assert_eq!((empty.status, empty.body.as_str()), (200, "\"time\",\"number\",\"record\"\r\n"));
    let event = ended(&app, empty.header("audit-export-id")).await;
    assert_eq!((&event["outcome"], &event["rows"]), (&json!("empty"), &json!(0)));
    let asked = Asked { first: 10, ..Asked::default() };
    let log = logs::exports(&app.platform, &owner(&app), ACME, &asked).await.unwrap();
    assert_eq!(log.entries.len(), usize::from(sent > 0));
}

/// While one is running, its model is deleted: the transfer breaks, and never ends as if it were whole.
#[tokio::test]
async fn an_export_whose_model_is_deleted_breaks() {
    let app = TestApplication::start().await;
    make(&app, "fraud", String::new(), false).await;
    let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(60_000));
    for _ in 0..6 {
        let sent = Submission { key: None, body: line.repeat(120).into() };
        records::add(&app.platform, &owner(&app), ACME, "fraud", sent).await.unwrap();
    }
    let (path, _) = everything(&app, "fraud", "");
    let response = app.program_with(&[Scope::ModelsExport]).await.open(&path).await;
    let promised = response.content_length().unwrap();
    let id = response.headers()["audit-export-id"].to_str().unwrap().to_owned();
    registry::delete(&app.platform, &owner(&app), ACME, "fraud").await.unwrap();
    let (mut read, mut broken, mut body) = (0, false, response.bytes_stream());
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => read += bytes.len() as u64,
            Err(_) => broken = true,
        }
    }
    assert!(broken && read < promised, "read {read} of {promised}, broken: {broken}");
    assert_eq!(ended(&app, &id).await["outcome"], "failure");
}

#[tokio::test]
async fn an_owner_deletes_a_model() {
    let app = TestApplication::start().await;
    make(&app, "fraud", "{}".to_owned(), false).await;
    let owner = app.owner().await;
    assert!(owner.get("/acme/models/fraud").await.body.contains("Delete this model"));
    let deleted = owner.form("/api/delete_model", &[("organization", ACME), ("model", "fraud")]).await;
    assert_eq!((deleted.status, deleted.location.as_deref()), (303, Some("/acme/models")));
    let list = owner.get("/acme/models").await.body;
    assert!(list.contains("The model was deleted.") && list.contains("No models yet"), "{list}");
    assert_eq!(owner.get("/acme/models/fraud").await.status, 404);
}
