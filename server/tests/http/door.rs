//! Who is turned away at the door, or given up there, is seen: in the answer, in the metrics and in the log.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{LocalRecorderGuard, set_default_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use orgtrail_server::http::listen::limits::Limits;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing::subscriber::DefaultGuard;

use crate::export::fill;
use crate::listening::{LIVE, Raw, SHORT, behind_a_proxy, doors, download, with};
use crate::metrics::{Read, read};
use crate::program::Program;
use crate::support::TestApplication;

/// What is counted and logged on the thread of one test, on which its application is too.
struct Watching {
    counted: PrometheusHandle,
    logged: Log,
    /// Until it ends.
    _guards: (LocalRecorderGuard<'static>, DefaultGuard),
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Write::write(&mut *self.0.lock().unwrap(), bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Watching {
    fn begin() -> Self {
        let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        let (counted, logged) = (recorder.handle(), Log::default());
        let log = logged.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .json()
            .with_writer(move || log.clone())
            .finish();
        let guards = (set_default_local_recorder(recorder), tracing::subscriber::set_default(subscriber));
        Self { counted, logged, _guards: guards }
    }

    /// How often something was refused for this reason.
    fn refused(&self, reason: &str) -> Option<f64> {
        Read::of(&self.counted.render()).value("orgtrail_refused_total", &[("reason", reason)])
    }

    async fn until_refused(&self, reason: &str) {
        while self.refused(reason).is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What its lines are.
fn lines(log: &str) -> Vec<Value> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The id that a refusal names, in its head and in its body.
fn id_of(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 503 ") && head.contains("\r\ncontent-type: application/problem+json\r\n"),
        "{head}"
    );
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["status"], &problem["code"]), (&503.into(), &"UNAVAILABLE".into()), "{body}");
    let id = problem["request_id"].as_str().unwrap();
    assert!(
        id.starts_with("req_") && id.len() == 40 && head.contains(&format!("\r\nx-request-id: {id}\r\n")),
        "{answer}"
    );
    id.to_owned()
}

/// Everything that the program says on a new connection, and the connection.
async fn ask(url: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(LIVE.replace("livez", "readyz").as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    (stream, String::from_utf8_lossy(&answer[..length]).into_owned())
}

#[tokio::test]
async fn who_is_turned_away_is_told_counted_and_logged() {
    let app = TestApplication::start().await;
    let mut program = Program::start(&app, &[("ORGTRAIL_METRICS_ADDR", "127.0.0.1:0")]).await;
    let address = program.says("Metrics are at ").await;
    let mut open = Vec::new();
    for _ in 0..Limits::default().connections_of_client {
        let (stream, answer) = ask(&program.url).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        open.push(stream);
    }
    let refused = |series: &Read, reason| series.value("orgtrail_refused_total", &[("reason", reason)]);
    assert_eq!(refused(&read(&address).await.1, "places_of_client"), Some(0.0));
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(id_of(&ask(&program.url).await.1));
    }
    let series = read(&address).await.1;
    assert_eq!((refused(&series, "places_of_client"), refused(&series, "places")), (Some(3.0), Some(0.0)));
    let log = lines(&program.end().await);
    let said: Vec<_> = log.iter().filter(|line| line["message"] == "clients are refused").collect();
    assert_eq!(said.len(), 1, "once, and again after a minute: {said:?}");
    let of_said = ["level", "reason", "times", "ip"].map(|field| said[0][field].to_string());
    assert_eq!(of_said, ["\"WARN\"", "\"places_of_client\"", "1", "\"127.0.0.1\""]);
    for id in ids {
        let of_it: Vec<_> = log.iter().filter(|line| line["request_id"] == *id).collect();
        assert!(of_it.len() == 1 && of_it[0]["status"] == 503 && of_it[0]["ip"] == "127.0.0.1", "{id}: {of_it:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_full_says_so() {
    let watching = Watching::begin();
    let app = behind_a_proxy(|limits| limits.connections = 1).await;
    let (_open, answer) = ask(&app.url).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(watching.refused("places"), None);
    let id = id_of(&ask(&app.url).await.1);
    assert_eq!((watching.refused("places"), watching.refused("places_of_client")), (Some(1.0), None));
    let log = String::from_utf8(watching.logged.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains(&id), "{log}");
}

#[tokio::test]
async fn bodies_without_room_and_slow_ones_are_counted() {
    let watching = Watching::begin();
    let app = with(|limits| (limits.bodies, limits.sending.first) = (10, SHORT)).await;
    let mut large = Raw::connect(&app).await;
    large.send(&doors(&app, 11).await[0]).await;
    large.send("hello world").await;
    id_of(&large.answer().await);
    assert_eq!((watching.refused("bodies"), watching.refused("slow_senders")), (Some(1.0), None));
    let mut slow = Raw::connect(&app).await;
    slow.send(&doors(&app, 10).await[0]).await;
    assert!(slow.answer().await.starts_with("HTTP/1.1 408 "));
    assert_eq!((watching.refused("bodies"), watching.refused("slow_senders")), (Some(1.0), Some(1.0)));
}

#[tokio::test]
async fn heads_that_drip_are_counted_and_connections_that_idle_are_not() {
    let watching = Watching::begin();
    let app = with(|limits| (limits.head, limits.idle) = (SHORT, SHORT)).await;
    let (silent, mut idle) = (Raw::connect(&app).await, Raw::connect(&app).await);
    idle.send(LIVE).await;
    idle.answer().await;
    for idle in [silent, idle] {
        assert!(idle.end().await.bytes.is_empty());
    }
    // They have ended for the client; for the server a moment later.
    tokio::time::sleep(SHORT).await;
    assert_eq!(watching.refused("slow_senders"), None);
    let mut slow = Raw::connect(&app).await;
    slow.send(&LIVE[..10]).await;
    assert!(slow.end().await.bytes.is_empty());
    watching.until_refused("slow_senders").await;
    assert_eq!((watching.refused("slow_senders"), watching.refused("slow_readers")), (Some(1.0), None));
}

#[tokio::test]
async fn readers_that_are_given_up_are_counted() {
    let watching = Watching::begin();
    let app = with(|limits| limits.reading.stall = SHORT).await;
    fill(&app, 200, 16_000).await;
    let (_stalled, _) = download(&app, "HTTP/1.1").await;
    watching.until_refused("slow_readers").await;
    assert_eq!((watching.refused("slow_readers"), watching.refused("slow_senders")), (Some(1.0), None));
}
