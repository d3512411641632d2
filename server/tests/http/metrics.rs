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
pub struct Read(Vec<Series>);

struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Read {
    pub fn of(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(Series::of).collect())
    }

    /// The value of the series with this name and these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
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

/// Reads them.
pub async fn read(address: &str) -> (Answer, Read) {
    let answer = Client::program(address, None).get("").await;
    let read = Read::of(&answer.body);
    (answer, read)
}

/// Reads until it is so: what ends after an answer is counted a moment later.
pub async fn read_until(address: &str, is_so: impl Fn(&Read) -> bool) -> (Answer, Read) {
    loop {
        let (answer, series) = read(address).await;
        if is_so(&series) {
            return (answer, series);
        }
        tokio::task::yield_now().await;
    }
}

/// Reads until a series has come to a value.
async fn read_when(address: &str, name: &str, labels: &[(&str, &str)], value: f64) -> (Answer, Read) {
    read_until(address, |series| series.value(name, labels) == Some(value)).await
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
    assert_begun(&read(&address).await.1);
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
    assert_whole(&answer.body);
    drop(program.end().await);
}

/// What never happened is 0, in each series that is known: an alert on the growth of one would not see the first time otherwise.
fn assert_begun(series: &Read) {
    let mut begun = 0;
    for metric in METRICS.iter().filter(|metric| metric.sort == Sort::Counter) {
        for values in metric.known_series() {
            let labels: Vec<_> = metric.labels.iter().map(|label| label.name).zip(values).collect();
            assert!(series.value(metric.name, &labels).is_some(), "{} {labels:?}", metric.name);
            begun += 1;
        }
    }
    assert!(begun > 40, "{begun}");
    for (name, label, value) in [
        ("orgtrail_exports_total", "outcome", "failed"),
        ("orgtrail_refused_total", "reason", "connections"),
        ("orgtrail_sign_ins_total", "outcome", "throttled"),
    ] {
        assert_eq!(series.value(name, &[(label, value)]), Some(0.0), "{name}");
    }
}

/// Everything read is in the table, as it says.
pub fn assert_whole(text: &str) {
    let series = Read::of(text);
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
            for (name, value) in found.labels.iter().filter(|(name, _)| *name != "le") {
                let label = metric.labels.iter().find(|label| label.name == name);
                let values = label.unwrap_or_else(|| panic!("{name} of {}", metric.name)).values();
                assert!(values.is_none_or(|values| values.contains(&value.as_str())), "{name}=\"{value}\"");
            }
        }
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
