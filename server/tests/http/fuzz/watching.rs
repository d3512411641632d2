//! What watches the server, asked with what does not belong there: the metrics at their own address, and the trace that a request goes on with.

use fastrand::Rng;
use reqwest::Method;
use reqwest::header::HeaderValue;

use super::heads::{HEADS, changed, has_fault};
use super::hostile::{encoded, like, lossy, short_text};
use super::judge::complaint;
use super::routes::{method, with_body, with_headers};
use crate::amount::rounds;
use crate::collector::Collector;
use crate::metrics::{assert_whole, read};
use crate::program::Program;
use crate::support::{Answer, Client, TestApplication, answer_to_bytes};

/// What names a trace (W3C Trace Context), as it should be.
const TRACE: [(&str, &str); 2] = [
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
];

#[tokio::test]
async fn metrics_answer_whatever_they_are_asked_and_do_not_repeat_it() {
    let app = TestApplication::start().await;
    let mut program = Program::start(&app, &[("ORGTRAIL_METRICS_ADDR", "127.0.0.1:0")]).await;
    let address = program.says("Metrics are at ").await;
    let root = address.trim_end_matches("/metrics");
    let client = Client::program(root, None);
    for mut random in rounds("metrics", 60) {
        let method = method(&mut random);
        let path = match random.u8(..3) {
            0 => format!("/{}", encoded(&short_text(&mut random))),
            1 => format!("/metrics?{}", encoded(&short_text(&mut random))),
            _ => "/metrics".to_owned(),
        };
        let request = with_headers(client.bare(method.clone(), &path), &mut random);
        let answer = Answer::read(with_body(request, &mut random)).await;
        assert!(answer.status < 500, "{method} {path}: {answer:?}");
        if answer.status == 200 && !answer.body.is_empty() {
            assert_whole(&answer.body);
        }
        for head in HEADS {
            let sent = changed(lossy(head).replace("/api/login", "/metrics").as_bytes(), &mut random);
            let answers = answer_to_bytes(root, &sent).await;
            assert!(!has_fault(&answers), "{}: {answers}", lossy(&sent));
        }
    }
    let (answer, _) = read(&address).await;
    assert_eq!(answer.status, 200);
    assert_whole(&answer.body);
    assert!(!program.end().await.contains("panicked"));
}

/// Spans that may wait for the collector, as OpenTelemetry has it.
const MAY_WAIT: usize = 2048;

/// Something like the trace of somebody, or nothing like it.
fn trace(random: &mut Rng) -> Vec<(&'static str, HeaderValue)> {
    let value = |seed: &str, random: &mut Rng| match random.u8(..8) {
        0 => seed.as_bytes().to_vec(),
        1 => short_text(random).trim().as_bytes().to_vec(),
        _ => like(seed.as_bytes(), random),
    };
    let headers = TRACE.iter().map(|(name, seed)| (*name, HeaderValue::from_bytes(&value(seed, random))));
    headers.filter_map(|(name, value)| Some((name, value.ok()?))).collect()
}

/// As a trusted proxy sends them: who else does is not listened to.
#[tokio::test]
async fn a_trace_that_is_none_is_not_gone_on_with() {
    let (app, collector) = (TestApplication::start().await, Collector::start().await);
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()), ("ORGTRAIL_TRUSTED_PROXIES", "127.0.0.1/32")];
    let program = Program::start(&app, &variables).await;
    let client = Client::program(&program.url, None);
    let mut asked = 0;
    for mut random in rounds("traces", 150) {
        let sent = trace(&mut random);
        let request =
            sent.iter().fold(client.bare(Method::GET, "/livez"), |request, (name, value)| request.header(*name, value));
        let answer = Answer::read(request).await;
        assert_eq!((answer.status, complaint(&answer)), (200, None), "{sent:?}");
        asked += 1;
    }
    assert!(!program.end().await.contains("panicked"));
    let spans = collector.named("GET /livez");
    // Each is a span, and has a trace; of more than may wait, some are lost when they come faster than they are taken.
    assert!((asked.min(MAY_WAIT)..=asked).contains(&spans.len()), "{} spans of {asked}", spans.len());
    assert!(spans.iter().all(|span| span.trace_id.len() == 16 && span.trace_id.iter().any(|byte| *byte != 0)));
}
