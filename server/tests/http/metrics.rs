//! The metrics: what happens is counted, everything that is counted is in the table, and nothing that somebody typed is a label.

use std::collections::BTreeMap;

use orgtrail::identity::access_token::Scope;
use orgtrail_server::metrics::{METRICS, Sort};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::export::everything;
use crate::program::Program;
use crate::support::{ACME, Answer, Client, PASSWORD, TestApplication};

/// What is read, line by line.
struct Read(Vec<Series>);

struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Read {
    fn of(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(Series::of).collect())
    }

    /// The value of the series with this name and these labels.
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let is = |series: &&Series| {
            let has = |(label, value): &(&str, &str)| series.labels.get(*label).is_some_and(|found| found == value);
            series.name == name && series.labels.len() == labels.len() && labels.iter().all(has)
        };
        self.0.iter().find(is).map(|series| series.value)
    }
}

impl Series {
    fn of(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels =
            labels.strip_suffix("\"}").unwrap_or_default().split("\",").filter_map(|label| label.split_once("=\""));
        let labels = labels.map(|(label, value)| (label.to_owned(), value.to_owned())).collect();
        Self { name: name.to_owned(), labels, value: value.parse().unwrap() }
    }
}

async fn read(address: &str) -> (Answer, Read) {
    let answer = Client::program(address, None).get("").await;
    let read = Read::of(&answer.body);
    (answer, read)
}

/// Reads until a series has come to a value: what ends after an answer is counted a moment later.
async fn read_when(address: &str, name: &str, labels: &[(&str, &str)], value: f64) -> (Answer, Read) {
    loop {
        let (answer, series) = read(address).await;
        if series.value(name, labels) == Some(value) {
            return (answer, series);
        }
        tokio::task::yield_now().await;
    }
}

/// One of everything, and what somebody could put into a label.
async fn happen(app: &TestApplication, url: &str) {
    let program = Client::program(url, None);
    let wrong = [("email", "canary@acme.example"), ("password", "canary")];
    assert_eq!(program.form("/api/login", &wrong).await.status, 401);
    Client::signed_in(url, &app.owner.email, PASSWORD).await;
    assert_eq!(program.get("/canary/of/a/path").await.status, 404);
    let mut raw = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    raw.write_all(b"CANARY /login HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    raw.read_to_end(&mut Vec::new()).await.unwrap();
    let token = app.token(&[Scope::EventsWrite, Scope::AuditExport]).await;
    let product = Client::program(url, Some(&token));
    let event = product.bare(Method::POST, "/api/v1/events").header("content-type", "application/json");
    let sent = Answer::read(event.body(r#"{"action":"canary.sang","actor":{"user":{"id":"canary"}}}"#)).await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    let export = product.get(&everything("")).await;
    assert_eq!(export.status, 200, "{}", export.body);
    assert_eq!(product.get("/api/v1/events").await.status, 429, "the third of two");
}

#[tokio::test]
async fn what_happens_is_counted_and_no_label_is_anybodys_choice() {
    let app = TestApplication::start().await;
    let variables = [("ORGTRAIL_METRICS_ADDR", "127.0.0.1:0"), ("ORGTRAIL_REQUESTS_PER_MINUTE", "2")];
    let mut program = Program::start(&app, &variables).await;
    let address = program.says("Metrics are at ").await;
    happen(&app, &program.url).await;
    read_when(&address, "orgtrail_exports_total", &[("outcome", "complete")], 1.0).await;
    // The event of the product and, the last of all, that the export was downloaded.
    let (answer, series) = read_when(&address, "orgtrail_events_appended_total", &[("kind", "change")], 2.0).await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let request = |route, method, status| [("route", route), ("method", method), ("status", status)];
    for (name, labels, value) in [
        ("orgtrail_sign_ins_total", vec![("outcome", "wrong_credentials")], 1.0),
        ("orgtrail_sign_ins_total", vec![("outcome", "success")], 1.0),
        ("orgtrail_events_appended_total", vec![("kind", "operation")], 1.0),
        ("orgtrail_ingest_group_requests_count", vec![], 1.0),
        ("orgtrail_refused_total", vec![("reason", "rate_limit")], 1.0),
        ("orgtrail_http_request_seconds_count", request("/api/login", "POST", "4xx").into(), 1.0),
        ("orgtrail_http_request_seconds_count", request("/api/login", "POST", "3xx").into(), 1.0),
        ("orgtrail_http_request_seconds_count", request("none", "GET", "4xx").into(), 1.0),
        ("orgtrail_http_request_seconds_count", request("/login", "other", "4xx").into(), 1.0),
        ("orgtrail_http_requests_running", vec![], 0.0),
        ("orgtrail_database_answers", vec![], 1.0),
        ("orgtrail_database_most_connections", vec![("pool", "exports")], 4.0),
        ("orgtrail_work_running", vec![("work", "hashing")], 0.0),
    ] {
        assert_eq!(series.value(name, &labels), Some(value), "{name} {labels:?} in {}", answer.body);
    }
    assert!(series.value("orgtrail_export_bytes_total", &[]).is_some_and(|bytes| bytes > 100.0));
    assert!(!answer.body.to_lowercase().contains("canary"), "{}", answer.body);
    assert!(!answer.body.contains(ACME), "{}", answer.body);
    assert_whole(&answer.body, &series);
    drop(program.end().await);
}

#[tokio::test]
async fn upkeep_tells_what_it_did() {
    let mut app = TestApplication::start().await;
    app.stop().await;
    let nothing_yet = "delete from orgtrail.upkeep_jobs; alter table orgtrail.sign_in_throttles rename to elsewhere";
    sqlx::raw_sql(nothing_yet).execute(&app.superuser).await.unwrap();
    let mut program = Program::start(&app, &[("ORGTRAIL_METRICS_ADDR", "127.0.0.1:0")]).await;
    let address = program.says("Metrics are at ").await;
    let runs = "orgtrail_upkeep_runs_total";
    // What is told at the end of a turn.
    let (answer, series) = read_when(&address, "orgtrail_events_without_month", &[], 0.0).await;
    for (task, outcome) in [
        ("partitions", "success"),
        ("organizations", "success"),
        ("retention", "success"),
        ("recent", "success"),
        ("integrity", "success"),
        ("credentials", "failure"),
    ] {
        assert_eq!(series.value(runs, &[("task", task), ("outcome", outcome)]), Some(1.0), "{task} in {}", answer.body);
    }
    assert!(series.value("orgtrail_partitions_months_ahead", &[]).is_some_and(|months| months >= 2.0));
    let problems = |series: &Read, task| series.value("orgtrail_integrity_problems", &[("task", task)]);
    let found = problems(&series, "integrity");
    assert!(found.is_some_and(|problems| problems >= 1.0), "a table is missing: {found:?}");
    assert_eq!(problems(&series, "recent"), Some(0.0));
    let log = program.end().await;
    assert_eq!(log.matches("upkeep was done").count(), 5, "{log}");
    // One that is started then, and has nothing to do, knows it as well.
    let mut next = Program::start(&app, &[("ORGTRAIL_METRICS_ADDR", "127.0.0.1:0")]).await;
    let address = next.says("Metrics are at ").await;
    let (answer, series) = read_when(&address, "orgtrail_events_without_month", &[], 0.0).await;
    assert_eq!(problems(&series, "integrity"), found, "{}", answer.body);
    assert_eq!(series.value(runs, &[("task", "integrity"), ("outcome", "success")]), None, "{}", answer.body);
    assert!(series.value("orgtrail_partitions_months_ahead", &[]).is_some_and(|months| months >= 2.0));
    drop(next.end().await);
    for said in ["upkeep failed, and will be tried again", "the database is not as it should be"] {
        assert!(log.contains(said), "{said} in {log}");
    }
}

/// Everything read is in the table, as it says, and what has no labels is there though it never happened.
fn assert_whole(text: &str, series: &Read) {
    let sorts: BTreeMap<_, _> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    for (name, sort) in &sorts {
        let metric =
            METRICS.iter().find(|metric| metric.name == *name).unwrap_or_else(|| panic!("{name} is not described"));
        let described = match metric.sort {
            Sort::Counter => "counter",
            Sort::Gauge => "gauge",
            Sort::Histogram(_) => "histogram",
        };
        assert_eq!(*sort, described, "{name}");
        let ends = ["", "_bucket", "_sum", "_count"].map(|end| format!("{name}{end}"));
        for found in series.0.iter().filter(|series| ends.contains(&series.name)) {
            let unknown = found.labels.keys().find(|label| *label != "le" && !metric.labels.contains(&label.as_str()));
            assert_eq!(unknown, None, "{name}");
        }
    }
    for metric in METRICS.iter().filter(|metric| metric.labels.is_empty() && metric.sort == Sort::Counter) {
        assert!(sorts.contains_key(metric.name), "{} is missing", metric.name);
    }
}

#[tokio::test]
async fn metrics_are_read_at_their_own_address_only() {
    let app = TestApplication::start().await;
    let mut program = Program::start(&app, &[("ORGTRAIL_METRICS_ADDR", "127.0.0.1:0")]).await;
    let address = program.says("Metrics are at ").await;
    let public = Client::program(&program.url, None).get("/metrics").await;
    assert!(public.status != 200 && !public.body.contains("orgtrail_"), "{}", public.body);
    let root = Client::program(address.trim_end_matches("/metrics"), None);
    assert_eq!(root.get("/login").await.status, 404);
    assert_eq!(root.form("/metrics", &[]).await.status, 405);
    let refused = tokio::process::Command::new(env!("CARGO_BIN_EXE_orgtrail"))
        .env_clear()
        .envs(app.environment())
        .env("ORGTRAIL_ADDR", "127.0.0.1:0")
        .env("ORGTRAIL_METRICS_ADDR", address.trim_start_matches("http://").trim_end_matches("/metrics"))
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("orgtrail: ORGTRAIL_METRICS_ADDR: cannot listen on"), "{said}");
    assert_eq!(read(&address).await.0.status, 200, "the first one goes on");
}
