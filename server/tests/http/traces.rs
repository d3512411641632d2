//! Traces: what a collector gets of requests, whose traces they go on with, and that nothing depends on the collector.

use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use orgtrail::identity::access_token::Scope;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use sqlx::AssertSqlSafe;
use tokio::time::sleep;

use crate::collector::{Collector, attribute, refusing, silent};
use crate::program::Program;
use crate::support::{ACME, Answer, Client, PASSWORD, TestApplication};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
/// So that what waits is sent when the program stops, and not before.
const UNTIL_STOPPED: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "3600000");
const EVENT: &str = r#"{"action":"invoice.paid","actor":{"user":{"id":"u-1","name":"Ada"}},"next":{"total":1}}"#;

/// The trace of somebody who asks, and the span in it.
const THEIRS: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");

fn traceparent() -> String {
    format!("00-{}-{}-01", THEIRS.0, THEIRS.1)
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends an event as another product.
async fn send_event(product: &Client) -> Answer {
    let request = product.bare(Method::POST, "/api/v1/events").header(CONTENT_TYPE, "application/json");
    Answer::read(request.body(EVENT)).await
}

/// Whether a span is an error.
fn code(span: &Span) -> i32 {
    span.status.as_ref().map_or(StatusCode::Unset as i32, |status| status.code)
}

/// The names of what was done for a request.
fn done_for<'a>(request: &Span, spans: &'a [Span]) -> Vec<&'a str> {
    let of_request = |span: &&Span| span.trace_id == request.trace_id && span.parent_span_id == request.span_id;
    spans.iter().filter(of_request).map(|span| span.name.as_str()).collect()
}

#[tokio::test]
async fn a_request_is_a_span_and_what_is_done_for_it_are_its_children() {
    let (app, collector) = (TestApplication::start().await, Collector::start().await);
    let program = Program::start(&app, &[(ENDPOINT, &collector.url), UNTIL_STOPPED]).await;
    let product = Client::program(&program.url, Some(&app.token(&[Scope::EventsWrite, Scope::AuditExport]).await));
    let sent = send_event(&product).await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    let today = app.platform.clock.now().date_naive();
    let path = format!("/api/export_audit_logs?organization={ACME}&start={today}&end={today}&kind=all");
    let exported = product.get(&path).await;
    assert_eq!(exported.status, 200, "{}", exported.body);
    let owner = Client::signed_in(&program.url, &app.owner.email, PASSWORD).await;
    assert_eq!(owner.get("/acme/settings/audit-logs").await.status, 200);
    assert_eq!(product.get("/no/such/page").await.status, 404);
    program.end().await;

    let spans: Vec<Span> = collector.spans().into_iter().map(|(_, span)| span).collect();
    let [request] = collector.named("POST /api/v1/events").try_into().unwrap();
    assert_eq!((request.kind(), request.parent_span_id.len()), (SpanKind::Server, 0));
    assert_eq!(attribute(&request.attributes, "http.request.method"), "POST");
    assert_eq!(attribute(&request.attributes, "http.route"), "/api/v1/events");
    assert_eq!(attribute(&request.attributes, "http.response.status_code"), "201");
    assert_eq!(attribute(&request.attributes, "request_id"), sent.header("x-request-id"));
    assert_eq!(code(&request), StatusCode::Unset as i32);
    for done in ["database question", "recording together", "database transaction"] {
        assert!(done_for(&request, &spans).contains(&done), "{done}: {:?}", done_for(&request, &spans));
    }
    let transaction =
        spans.iter().find(|span| span.name == "database transaction" && span.trace_id == request.trace_id);
    assert_eq!(done_for(transaction.unwrap(), &spans), ["waiting"]);
    assert_eq!(attribute(&transaction.unwrap().attributes, "orgtrail.organization.id").len(), 36);

    let [login] = collector.named("POST /api/login").try_into().unwrap();
    assert!(done_for(&login, &spans).contains(&"hashing"), "{:?}", done_for(&login, &spans));
    let [export] = collector.named("export").try_into().unwrap();
    assert_eq!(attribute(&export.attributes, "orgtrail.export.outcome"), "complete");
    assert_eq!(attribute(&export.attributes, "orgtrail.export.bytes"), exported.body.len().to_string());
    let [download] = collector.named("GET /api/export_audit_logs").try_into().unwrap();
    assert!(done_for(&download, &spans).contains(&"export"), "{:?}", done_for(&download, &spans));
    assert_eq!(collector.named("GET").len(), 1, "what has no route has no path");
}

#[tokio::test]
async fn spans_name_the_server_and_nothing_that_was_asked_for() {
    let (app, collector) = (TestApplication::start().await, Collector::start().await);
    let more = [(ENDPOINT, collector.url.as_str()), ("OTEL_SERVICE_NAME", "audit of acme"), UNTIL_STOPPED];
    let program = Program::start(&app, &more).await;
    let owner = Client::signed_in(&program.url, &app.owner.email, PASSWORD).await;
    owner.get("/acme/settings/audit-logs?q=somebody").await;
    program.end().await;
    let spans = collector.spans();
    assert!(spans.len() > 3, "{spans:?}");
    for (sender, span) in &spans {
        assert_eq!(attribute(sender, "service.name"), "audit of acme");
        let told = format!("{} {:?}", span.name, span.attributes);
        let typed = ["acme", "somebody", "select", "127.0.0.1", "orgtrail tests"];
        assert!(span.events.is_empty() && !typed.iter().any(|typed| told.contains(typed)), "{told}");
    }
}

#[tokio::test]
async fn a_fault_of_ours_is_an_error() {
    let (app, collector) = (TestApplication::start().await, Collector::start().await);
    let program = Program::start(&app, &[(ENDPOINT, &collector.url), UNTIL_STOPPED]).await;
    let product = Client::program(&program.url, Some(&app.token(&[Scope::EventsWrite]).await));
    let refused = Client::program(&program.url, None);
    assert_eq!(send_event(&refused).await.status, 401);
    let breaking = "alter function orgtrail.find_access_tokens rename to gone";
    sqlx::raw_sql(AssertSqlSafe(breaking)).execute(&app.superuser).await.unwrap();
    assert!(send_event(&product).await.status >= 500);
    program.end().await;
    let [theirs, ours] = collector.named("POST /api/v1/events").try_into().unwrap();
    assert_eq!(attribute(&theirs.attributes, "http.response.status_code"), "401");
    assert_eq!(code(&theirs), StatusCode::Unset as i32);
    assert_eq!(code(&ours), StatusCode::Error as i32);
    let status = attribute(&ours.attributes, "http.response.status_code");
    assert_eq!(attribute(&ours.attributes, "error.type"), status);
}

/// What is collected of a request that names a trace, and of one that does not.
async fn collected(app: &TestApplication, more: &[(&str, &str)]) -> Vec<Span> {
    let collector = Collector::start().await;
    let variables = [more, &[(ENDPOINT, collector.url.as_str()), UNTIL_STOPPED]].concat();
    let program = Program::start(app, &variables).await;
    let client = Client::program(&program.url, None);
    Answer::read(client.bare(Method::GET, "/livez").header("traceparent", traceparent())).await;
    client.get("/livez").await;
    program.end().await;
    collector.named("GET /livez")
}

#[tokio::test]
async fn the_trace_of_a_stranger_is_not_ours() {
    let app = TestApplication::start().await;
    assert!(collected(&app, &[(SAMPLER, "parentbased_always_off")]).await.is_empty(), "a stranger has one collected");
    let spans = collected(&app, &[]).await;
    assert_eq!(spans.len(), 2);
    for span in spans {
        assert!(hex(&span.trace_id) != THEIRS.0 && span.parent_span_id.is_empty(), "{span:?}");
    }
}

#[tokio::test]
async fn the_trace_of_a_trusted_proxy_goes_on() {
    let app = TestApplication::start().await;
    let trusting = ("ORGTRAIL_TRUSTED_PROXIES", "127.0.0.1");
    let [span] = collected(&app, &[trusting, (SAMPLER, "parentbased_always_off")]).await.try_into().unwrap();
    assert_eq!((hex(&span.trace_id).as_str(), hex(&span.parent_span_id).as_str()), THEIRS);
    assert_eq!(span.kind(), SpanKind::Server);
}

/// So small that everything is too much.
const SMALL: [(&str, &str); 2] = [("OTEL_BSP_MAX_QUEUE_SIZE", "1"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")];

/// The program with its collector at `url`, after it has answered many requests.
async fn that_answered(app: &TestApplication, url: &str, more: &[(&str, &str)]) -> Program {
    let program = Program::start(app, &[more, &[(ENDPOINT, url)]].concat()).await;
    let client = Client::program(&program.url, None);
    for _ in 0..50 {
        assert_eq!(client.get("/livez").await.status, 200);
    }
    program
}

#[tokio::test]
async fn a_collector_that_is_gone_or_silent_stops_nothing() {
    let app = TestApplication::start().await;
    let (_listener, url) = silent();
    let log = that_answered(&app, &url, &SMALL).await.end().await;
    assert_eq!(log.matches("traces were still waiting: they are lost").count(), 1, "{log}");
    assert_eq!(log.matches("SpanDroppingStarted").count(), 1, "{log}");
    let (url, connections) = refusing().await;
    let program = that_answered(&app, &url, &SMALL).await;
    // A batch is tried four times: then there was a second.
    while connections.load(Ordering::Relaxed) < 5 {
        sleep(Duration::from_millis(10)).await;
    }
    let log = program.end().await;
    assert_eq!(log.matches("the collector takes no traces").count(), 1, "{log}");
    // Control: one that takes them gets them all, and there is nothing to say.
    let collector = Collector::start().await;
    let log = that_answered(&app, &collector.url, &[UNTIL_STOPPED]).await.end().await;
    assert_eq!(collector.named("GET /livez").len(), 50);
    assert!(!log.contains("traces"), "{log}");
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear_where_tls_is_wanted() {
    let app = TestApplication::start().await;
    let (listener, url) = silent();
    let program = that_answered(&app, &url.replace("http://", "https://"), &SMALL).await;
    let mut first = [0];
    let reading = tokio::task::spawn_blocking(move || {
        let (mut connection, _) = listener.accept().unwrap();
        connection.read_exact(&mut first).unwrap();
        first
    });
    assert_eq!(reading.await.unwrap(), [0x16], "a handshake");
    program.end().await;
}
