//! The download over HTTP (contract §4): headers, bytes, refusals, and what happens when it cannot be whole.

use chrono::{DateTime, Days, Utc};
use futures::StreamExt;
use orgtrail::audit::append::Draft;
use orgtrail::audit::change::Batch;
use orgtrail::audit::event::{Actor, Kind};
use orgtrail::identity::access::{Operation, authorize};
use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::members;
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{ACME, Answer, Client, TestApplication};

/// Texts that a careless writer breaks a file with.
const NASTY: [&str; 8] = ["=1+1", "+1", "-1", "@SUM(A1)", "'quoted'", "  =1", "a \"b\", c\r\nd", "＝１"];

#[expect(clippy::disallowed_methods, reason = "the tests ask for today as a person would")]
pub fn today() -> DateTime<Utc> {
    DateTime::from(std::time::SystemTime::now())
}

/// The export of everything that can be asked for, with more parameters.
pub fn everything(more: &str) -> String {
    let (first, last) = ((today() - Days::new(89)).date_naive(), today().date_naive());
    format!("/api/export_audit_logs?organization={ACME}&start={first}&end={last}{more}")
}

/// Other products' events, `count` of them, each with `bytes` of JSON.
pub async fn fill(app: &TestApplication, count: usize, bytes: usize) {
    let owner = Viewer::user(app.owner.clone(), Origin::default());
    let access = authorize(&app.platform, &owner, ACME, Operation::ReadAuditLog).await.unwrap();
    let drafts: Vec<Draft> = (0..count)
        .map(|number| {
            let mut draft = Draft::named(Kind::Change, "invoice.paid", "invoice");
            draft.actor = Actor::user(number.to_string(), NASTY[number % NASTY.len()], "x@other.example");
            draft.next = Some(serde_json::json!({ "number": number, "note": "x".repeat(bytes) }).to_string());
            draft
        })
        .collect();
    for some in drafts.chunks(200) {
        Batch::record(&app.platform, &access, some).await.unwrap();
    }
}

fn records(body: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(body.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The newest event about the log itself that is so, as the export of every kind and field shows it; waits until there is one,
/// because the end of a download is recorded after its last byte. The question before this one, an export as well, may have its place still.
async fn recorded(client: &Client, so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let answer = client.get(&everything("&kind=all&action=audit_log.*&format=ndjson")).await;
        if answer.status == 429 {
            continue;
        }
        let mut events = answer.body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        if let Some(event) = events.find(&so) {
            return event;
        }
    }
}

/// The event with which the export of this id began (`requested`) or ended (`downloaded`).
pub async fn of_export(client: &Client, id: &str, which: &str) -> Value {
    let action = format!("audit_log.export.{which}");
    recorded(client, |event| event["action"] == action && event["next"]["export_id"] == id).await
}

#[tokio::test]
async fn a_program_gets_the_file_with_its_headers() {
    let app = TestApplication::start().await;
    fill(&app, 20, 10).await;
    let answer = app.program_with(&[Scope::AuditExport]).await.get(&everything("")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (first, last) = ((today() - Days::new(89)).date_naive(), today().date_naive());
    for (name, value) in [
        ("content-type", "text/csv; charset=utf-8; header=present"),
        ("content-disposition", &format!("attachment; filename=\"audit-logs_acme_{first}_{last}.csv\"")),
        ("content-length", &answer.body.len().to_string()),
        ("audit-csv-escaping", "formula-safe-v1"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let rows = records(&answer.body);
    assert_eq!(answer.header("audit-export-rows"), (rows.len() - 1).to_string());
    assert_eq!(answer.header("audit-export-id").len(), 36);
    assert!(answer.body.starts_with("\"timestamp\",\"actor_access_token_id\",\"actor_access_token_name\",\"actor_user_id\",\"actor_user_name\",\"actor_user_email\",\"action\",\"previous\",\"next\"\r\n"));
}

#[tokio::test]
async fn what_could_be_a_formula_is_made_safe_and_raw_is_exact() {
    let app = TestApplication::start().await;
    fill(&app, NASTY.len(), 10).await;
    let client = app.program_with(&[Scope::AuditExport]).await;
    let names = |body: &str| {
        records(body).into_iter().filter(|row| row[6] == "invoice.paid").map(|row| row[4].clone()).collect::<Vec<_>>()
    };
    let safe = client.get(&everything("")).await;
    let mut expected: Vec<String> =
        NASTY.iter().map(|name| if *name == NASTY[6] { (*name).to_owned() } else { format!("'{name}") }).collect();
    expected.reverse();
    assert_eq!(names(&safe.body), expected);
    let raw = client.get(&everything("&csv=raw")).await;
    assert_eq!(names(&raw.body), NASTY.iter().rev().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(
        (raw.header("audit-csv-escaping"), raw.header("content-length")),
        ("raw", raw.body.len().to_string().as_str())
    );
    assert!(raw.header("content-disposition").ends_with("-raw.csv\""));
}

#[tokio::test]
async fn every_format_has_its_exact_length() {
    let app = TestApplication::start().await;
    fill(&app, 30, 40_000).await;
    let client = app.program_with(&[Scope::AuditExport]).await;
    for more in [
        "",
        "&csv=raw",
        "&bom=1",
        "&profile=full",
        "&profile=full&csv=raw&kind=all",
        "&format=ndjson",
        "&kind=login",
        "&q=nothingmatchesthis",
    ] {
        let answer = client.get(&everything(more)).await;
        assert_eq!(answer.status, 200, "{more}: {}", answer.body);
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{more}");
    }
    assert!(client.get(&everything("&bom=1")).await.body.starts_with('\u{feff}'));
    // Another word: the exports above are events by now, and name theirs.
    let nothing = client.get(&everything("&q=normatchesthat")).await;
    assert_eq!((nothing.header("audit-export-rows"), records(&nothing.body).len()), ("0", 1));
    let downloaded = of_export(&client, nothing.header("audit-export-id"), "downloaded").await;
    assert_eq!(downloaded["outcome"], "empty");
}

#[tokio::test]
async fn requested_and_downloaded_frame_it_with_the_hash_of_the_bytes() {
    let app = TestApplication::start().await;
    fill(&app, 100, 100).await;
    let client = app.owner().await;
    let answer = client.get(&everything("&kind=all")).await;
    assert!(!answer.body.contains("audit_log.export"), "an export never contains itself");
    let id = answer.header("audit-export-id");
    let (downloaded, requested) =
        (of_export(&client, id, "downloaded").await, of_export(&client, id, "requested").await);
    let next = &downloaded["next"];
    assert_eq!(downloaded["outcome"], "success");
    assert_eq!(next["sha256"].as_str().unwrap(), hex(&Sha256::digest(&answer.body)));
    assert_eq!(
        (next["bytes"].as_u64(), next["bytes_sent"].as_u64()),
        (Some(answer.body.len() as u64), Some(answer.body.len() as u64))
    );
    assert_eq!(next["rows"].to_string(), answer.header("audit-export-rows"));
    assert_eq!((requested["kind"].as_str(), downloaded["kind"].as_str()), (Some("operation"), Some("change")));
    assert_eq!(downloaded["actor_user_email"], "owner@acme.example");
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn who_may_not_is_told_so_as_a_program_and_as_a_browser() {
    let app = TestApplication::start().await;
    let refused = app.program().get(&everything("")).await;
    refused.assert_problem(401, "UNAUTHENTICATED");
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    let to_login = app.anonymous().get(&everything("")).await;
    assert_eq!(to_login.status, 303);
    assert!(to_login.location.unwrap().starts_with("/login?next=%2F"));
    let member = app.member().await;
    let page = member.get(&everything("")).await;
    assert_eq!((page.status, page.header("content-type")), (403, "text/html; charset=utf-8"));
    assert!(page.body.contains("owners and admins"), "{}", page.body);
    Answer::read(member.bare(Method::GET, &everything(""))).await.assert_problem(403, "FORBIDDEN");
    app.program_with(&[Scope::AuditRead]).await.get(&everything("")).await.assert_problem(403, "FORBIDDEN");
    let is_denied = |event: &Value| event["action"] == "audit_log.export.requested" && event["outcome"] == "denied";
    assert_eq!(recorded(&app.owner().await, is_denied).await["kind"], "operation");
}

#[tokio::test]
async fn another_organization_is_as_unknown_as_none() {
    let app = TestApplication::start().await;
    let stranger = app.stranger().await;
    let mut answers = Vec::new();
    for slug in [ACME, "no-such-organization"] {
        let answer = Answer::read(
            stranger.bare(Method::GET, &everything("").replace("organization=acme", &format!("organization={slug}"))),
        )
        .await;
        answer.assert_problem(404, "NOT_FOUND");
        let mut problem = answer.json();
        problem["request_id"].take();
        answers.push(problem);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn what_cannot_be_asked_names_the_allowed_values() {
    let app = TestApplication::start().await;
    let client = app.program_with(&[Scope::AuditExport]).await;
    let (today, tomorrow) = (today().date_naive(), today().date_naive() + Days::new(1));
    let old = today - Days::new(90);
    for (query, said) in [
        (format!("start={today}&end={}", today - Days::new(1)), "end"),
        (format!("start={old}&end={today}"), &*(today - Days::new(89)).to_string()),
        (format!("start={today}&end={tomorrow}"), &*today.to_string()),
        (format!("start=2026-02-30&end={today}"), "start"),
        (format!("start={today}T00:00:00&end={today}T01:00:00"), "offset"),
        (format!("start={today}&end={today}&start={today}"), "start"),
        (format!("start={today}&end={today}&colour=red"), "colour"),
        (format!("start={today}&end={today}&kind=changes"), "operation"),
        (format!("start={today}&end={today}&action=member.*.x"), "action"),
        (format!("start={today}&end={today}&tz=Mars/Base"), "tz"),
        (format!("start={today}&end={today}&actor=ada"), "user:"),
        (format!("start={today}&end={today}&format=xlsx"), "ndjson"),
        (format!("start={today}&end={today}&q=%00"), "q"),
        (format!("start={today}&end={today}&q=%FF"), "UTF-8"),
        (format!("end={today}"), "start"),
        (format!("start={today}&end={today}&a[b]=c"), "a[b]"),
    ] {
        let answer = client.get(&format!("/api/export_audit_logs?organization={ACME}&{query}")).await;
        answer.assert_problem(422, "BAD_USER_INPUT");
        assert!(answer.body.contains(said), "{query} should say {said}: {}", answer.body);
    }
    let long = client.get(&everything(&format!("&q={}", "x".repeat(60_000)))).await;
    assert!([414, 422].contains(&long.status), "{}", long.status);
}

#[tokio::test]
async fn another_site_cannot_make_a_browser_download() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)] {
        let request = owner.bare(Method::GET, &everything("")).header("sec-fetch-site", site);
        assert_eq!(Answer::read(request).await.status, status, "{site}");
    }
}

#[tokio::test]
async fn a_third_export_waits_and_an_ended_one_gives_its_place_back() {
    let app = TestApplication::start().await;
    fill(&app, 2_000, 8_000).await;
    let client = app.owner().await;
    let (first, second) = (client.open(&everything("")).await, client.open(&everything("")).await);
    assert_eq!((first.status(), second.status()), (reqwest::StatusCode::OK, reqwest::StatusCode::OK));
    Answer::read(client.bare(Method::GET, &everything(""))).await.assert_problem(429, "LIMIT_EXCEEDED");
    let id = first.headers()["audit-export-id"].to_str().unwrap().to_owned();
    drop((first, second));
    until(async || client.bare(Method::GET, &everything("&kind=login")).send().await.unwrap().status() == 200).await;
    assert_eq!(of_export(&client, &id, "downloaded").await["outcome"], "aborted");
}

/// Asks until it is so.
async fn until(mut so: impl AsyncFnMut() -> bool) {
    while !so().await {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Backends of the application that have a transaction open or hold a snapshot.
async fn busy_connections(app: &TestApplication) -> i64 {
    let busy = "select count(*) from pg_stat_activity where datname = current_database() and usename = 'orgtrail_app' \
                and (state <> 'idle' or backend_xmin is not null)";
    sqlx::query_scalar(busy).fetch_one(&app.superuser).await.unwrap()
}

#[tokio::test]
async fn a_stalled_reader_holds_no_connection_and_loses_it_with_the_role() {
    let app = TestApplication::start().await;
    fill(&app, 3_000, 16_000).await;
    let admin = app.admin().await;
    let response = admin.open(&everything("")).await;
    let promised = response.content_length().unwrap();
    until(async || busy_connections(&app).await == 0).await;
    let owner = Viewer::user(app.owner.clone(), Origin::default());
    let page = members::list(&app.platform, &owner, ACME, "admin").await.unwrap();
    members::change_role(&app.platform, &owner, ACME, &page.members[0].user_id, Role::Member.as_str(), None)
        .await
        .unwrap();
    let client = app.owner().await;
    let id = response.headers()["audit-export-id"].to_str().unwrap().to_owned();
    assert_eq!(of_export(&client, &id, "downloaded").await["outcome"], "aborted");
    let (mut read, mut broken, mut body) = (0, false, response.bytes_stream());
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => read += bytes.len() as u64,
            Err(_) => broken = true,
        }
    }
    assert!(broken && read < promised, "read {read} of {promised}, broken: {broken}");
}

/// Removal ends a session's download and those of tokens alike, while they run.
#[tokio::test]
async fn whoever_is_removed_loses_their_running_downloads_and_their_tokens() {
    let app = TestApplication::start().await;
    fill(&app, 3_000, 16_000).await;
    let user = app.add("admin", Some(Role::Admin)).await;
    let viewer = Viewer::user(user.clone(), Origin::default());
    let token = access_token::create(&app.platform, &viewer, ACME, None, Wanted::new("SIEM", &[Scope::AuditExport]))
        .await
        .unwrap();
    let program = Client::program(&app.url, Some(token.secret.expose()));
    let downloads = [app.sign_in(&user.email).await.open(&everything("")).await, program.open(&everything("")).await];
    let owner = Viewer::user(app.owner.clone(), Origin::default());
    members::remove(&app.platform, &owner, ACME, &user.id.to_string()).await.unwrap();
    let client = app.owner().await;
    for download in downloads {
        let id = download.headers()["audit-export-id"].to_str().unwrap().to_owned();
        assert_eq!(of_export(&client, &id, "downloaded").await["outcome"], "aborted");
        assert!(download.bytes().await.is_err(), "it ended cleanly");
    }
    assert_eq!(program.get(&everything("")).await.status, 403);
}

#[tokio::test]
async fn a_lost_database_breaks_the_transfer() {
    let app = TestApplication::start().await;
    fill(&app, 3_000, 16_000).await;
    let response = app.owner().await.open(&everything("")).await;
    assert_eq!(response.status(), 200);
    sqlx::raw_sql("revoke select on orgtrail.events from orgtrail_app, orgtrail_verify")
        .execute(&app.superuser)
        .await
        .unwrap();
    let body = response.bytes().await;
    assert!(body.is_err(), "a transfer that could not be read to its end ended cleanly");
}

#[tokio::test]
async fn what_has_not_the_promised_length_is_broken_off() {
    let app = TestApplication::start().await;
    fill(&app, 3_000, 1_000).await;
    let owner = app.owner().await;
    for (more, is_whole) in [(-1, false), (1, false), (-100_000, false), (0, true)] {
        promise(&app, more).await;
        let body = owner.open(&everything("")).await.bytes().await;
        assert_eq!(body.is_ok(), is_whole, "{more} bytes more than there are");
        promise(&app, -more).await;
    }
}

/// Adds so many bytes to the sums from which the length of an export is taken.
async fn promise(app: &TestApplication, more: i64) {
    let mut transaction = app.superuser.begin().await.unwrap();
    sqlx::raw_sql("set local session_replication_role = replica").execute(&mut *transaction).await.unwrap();
    let sql =
        "update orgtrail.trail_days set csv_safe_bytes = csv_safe_bytes + $1 where kind = 'change' and events >= 3000";
    let changed = sqlx::query(sql).bind(more).execute(&mut *transaction).await.unwrap();
    assert_eq!(changed.rows_affected(), 1);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn stopping_the_server_breaks_a_download_and_records_it() {
    let mut app = TestApplication::start().await;
    fill(&app, 3_000, 16_000).await;
    let response = app.owner().await.open(&everything("")).await;
    app.stop().await;
    assert!(response.bytes().await.is_err());
    let outcome: String =
        sqlx::query_scalar("select outcome from orgtrail.events where action = 'audit_log.export.downloaded'")
            .fetch_one(&app.superuser)
            .await
            .unwrap();
    assert_eq!(outcome, "aborted");
}
