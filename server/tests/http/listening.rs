//! Clients that take their time, take too much, or do not go: what becomes of them, and that others do not notice.
//!
//! The limits are short, so that nobody waits. Nothing here says how long a thing may take: it waits until it is so.

use std::time::Duration;

use orgtrail::identity::access_token::Scope;
use orgtrail_server::config::Config;
use orgtrail_server::http::listen::limits::Limits;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use crate::export::{everything, fill, of_export};
use crate::support::TestApplication;

mod raw;

pub use raw::Raw;

/// Shorter than any client here is patient.
pub const SHORT: Duration = Duration::from_millis(300);
/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_hours(1);
/// A moment, in which a client does nothing.
const MOMENT: Duration = Duration::from_millis(40);

pub const LIVE: &str = "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n";

/// An application whose limits are so.
pub async fn with(change: impl FnOnce(&mut Limits)) -> TestApplication {
    TestApplication::start_with(|config: &mut Config| change(&mut config.limits)).await
}

/// An application that believes the tests to be a proxy.
pub async fn behind_a_proxy(change: impl FnOnce(&mut Limits)) -> TestApplication {
    TestApplication::start_with(|config: &mut Config| {
        config.public.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        change(&mut config.limits);
    })
    .await
}

#[tokio::test]
async fn a_head_that_drips_is_not_waited_for() {
    let app = with(|limits| (limits.head, limits.idle) = (SHORT, LONG)).await;
    let (mut slow, mut silent, mut fine) =
        (Raw::connect(&app).await, Raw::connect(&app).await, Raw::connect(&app).await);
    // Control: it sends its heads in pieces too, and takes its time between two requests.
    for _ in 0..2 {
        let (first, last) = LIVE.split_at(10);
        fine.send(first).await;
        sleep(MOMENT).await;
        fine.send(last).await;
        assert!(fine.answer().await.starts_with("HTTP/1.1 200 "));
        sleep(SHORT * 2).await;
    }
    slow.send("GET /livez HTTP/1.1\r\nhost: ").await;
    slow.drip().await;
    assert!(slow.end().await.bytes.is_empty());
    assert_eq!(silent.0.read(&mut [0]).await.unwrap(), 0, "a connection without a request");
}

#[tokio::test]
async fn the_second_head_of_a_connection_may_not_drip_either() {
    let app = with(|limits| (limits.head, limits.idle) = (SHORT, LONG)).await;
    let mut slow = Raw::connect(&app).await;
    slow.send(LIVE).await;
    slow.answer().await;
    slow.send("GET /livez HTTP/1.1\r\nx: ").await;
    slow.drip().await;
    assert!(slow.end().await.bytes.is_empty());
}

#[tokio::test]
async fn a_connection_that_idles_is_closed() {
    let app = with(|limits| (limits.head, limits.idle) = (LONG, SHORT)).await;
    let mut idle = Raw::connect(&app).await;
    for _ in 0..3 {
        idle.send(LIVE).await;
        assert!(idle.answer().await.starts_with("HTTP/1.1 200 "));
        sleep(MOMENT).await;
    }
    let end = idle.end().await;
    assert!(end.bytes.is_empty() && !end.reset);
}

/// The doors that read a body, each with a head that promises one.
pub async fn doors(app: &TestApplication, length: usize) -> Vec<String> {
    let token = app.token(&[Scope::EventsWrite]).await;
    let of = |path: &str, media_type: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let form = of("/api/login", "application/x-www-form-urlencoded");
    vec![
        form.replace("authorization", "x-none"),
        of("/graphql", "application/json"),
        of("/api/v1/events", "application/json"),
    ]
}

#[tokio::test]
async fn a_body_that_drips_is_408() {
    let app = with(|limits| limits.sending.first = SHORT).await;
    for door in doors(&app, 1000).await {
        let mut slow = Raw::connect(&app).await;
        slow.send(&door).await;
        slow.drip().await;
        let answer = slow.answer().await;
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("too slowly"), "{answer}");
    }
    // Control: in pieces, but as fast as it must be.
    for door in doors(&app, 2 * 1024).await {
        let mut fine = Raw::connect(&app).await;
        fine.send(&door).await;
        for _ in 0..2 {
            sleep(MOMENT).await;
            fine.send(&"x".repeat(1024)).await;
        }
        let answer = fine.answer().await;
        assert!(answer.starts_with("HTTP/1.1 4") && !answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
}

#[tokio::test]
async fn a_large_body_has_more_time_but_not_for_ever() {
    let app = with(|limits| {
        limits.sending.whole = SHORT;
        limits.sending.bytes_for_a_second = 1_000;
    })
    .await;
    let mut slow = Raw::connect(&app).await;
    slow.send(&doors(&app, 1000).await[0]).await;
    slow.drip().await;
    let answer = slow.answer().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // Control: what came in time gives the rest its time.
    let mut fine = Raw::connect(&app).await;
    fine.send(&doors(&app, 10_001).await[0]).await;
    fine.send(&"x".repeat(10_000)).await;
    sleep(SHORT * 2).await;
    fine.send("x").await;
    let answer = fine.answer().await;
    assert!(!answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn bodies_have_so_much_room_in_memory_and_more_is_503() {
    let app = with(|limits| limits.bodies = 100_000).await;
    let door = doors(&app, 60_001).await.swap_remove(0);
    let (mut first, mut second) = (Raw::connect(&app).await, Raw::connect(&app).await);
    first.send(&door).await;
    first.send(&"x".repeat(60_000)).await;
    let answer = loop {
        // The first may not have been read yet.
        second.send(&door).await;
        second.send(&"x".repeat(60_001)).await;
        let answer = second.answer().await;
        if answer.starts_with("HTTP/1.1 503 ") {
            break answer;
        }
        second = Raw::connect(&app).await;
    };
    assert!(answer.contains("\r\nretry-after: 2\r\n") && answer.contains("UNAVAILABLE"), "{answer}");
    // Control: the first is not disturbed, and its room is there for others again.
    first.send("x").await;
    assert!(first.answer().await.starts_with("HTTP/1.1 422 "));
    loop {
        let mut third = Raw::connect(&app).await;
        third.send(&door).await;
        third.send(&"x".repeat(60_001)).await;
        if third.answer().await.starts_with("HTTP/1.1 422 ") {
            break;
        }
    }
}

/// Asks for something on a new connection, and leaves it open.
async fn ask(app: &TestApplication) -> (Raw, String) {
    let mut raw = Raw::connect(app).await;
    raw.send("GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let answer = raw.answer().await;
    (raw, answer)
}

/// Opens three connections, is refused the fourth, and gets it once one is closed. Whether the server lives is answered all the time.
async fn assert_three_places(app: &TestApplication) {
    let mut open = Vec::new();
    for _ in 0..3 {
        let (raw, answer) = ask(app).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        open.push(raw);
    }
    for _ in 0..10 {
        let mut check = Raw::connect(app).await;
        // As it may come: a piece, and then the rest.
        check.send(&LIVE[..8]).await;
        sleep(MOMENT).await;
        check.send(&LIVE[8..]).await;
        let answer = check.end().await.text();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nalive\n"), "{answer}");
    }
    let (refused, answer) = ask(app).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: 2\r\n"), "{answer}");
    assert!(answer.contains("\"request_id\":\"req_"), "{answer}");
    assert!(refused.end().await.bytes.is_empty(), "it is closed");
    open.pop();
    while !ask(app).await.1.starts_with("HTTP/1.1 200 ") {}
}

#[tokio::test]
async fn a_client_has_so_many_connections_and_a_proxy_has_more() {
    assert_three_places(&with(|limits| limits.connections_of_client = 3).await).await;
    let app = behind_a_proxy(|limits| limits.connections_of_client = 3).await;
    let mut open = Vec::new();
    for _ in 0..10 {
        let (raw, answer) = ask(&app).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        open.push(raw);
    }
}

#[tokio::test]
async fn there_are_so_many_connections_in_all() {
    assert_three_places(&behind_a_proxy(|limits| limits.connections = 3).await).await;
}

#[tokio::test]
async fn heads_that_are_too_long_are_refused_by_their_statuses() {
    let app = TestApplication::start().await;
    let get = |address: usize, header: usize| {
        format!("GET /livez?{} HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(address), "b".repeat(header))
    };
    for (request, status) in [
        (get(8_000, 0), "200"),
        (get(0, 16_000), "200"),
        (get(8_200, 0), "414"),
        (get(60_000, 0), "414"),
        (get(100_000, 0), "414"),
        (get(0, 16_400), "431"),
        (get(0, 100_000), "431"),
        (get(0, 1_000_000), "431"),
        (get(1_000_000, 0), "431"),
    ] {
        let mut raw = Raw::connect(&app).await;
        // It may be refused before everything is sent.
        let _sent = raw.0.write_all(request.as_bytes()).await;
        let mut start = [0; 12];
        raw.0.read_exact(&mut start).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&start), format!("HTTP/1.1 {status}"), "{} bytes", request.len());
    }
    for method in ["TRACE", "CONNECT", "BREW", "PUT", "OPTIONS"] {
        for path in ["/livez", "/login", "/graphql", "/api/v1/events", "/api/login"] {
            let answer = app.raw(&format!("{method} {path} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("\r\nallow: "), "{method} {path}: {answer}");
        }
    }
}

/// Asks for a download, as a program with a token, and reads its head. Answers the export's id too.
pub async fn download(app: &TestApplication, version: &str) -> (Raw, String) {
    let token = app.token(&[Scope::AuditExport]).await;
    let mut raw = Raw::connect(app).await;
    raw.send(&format!("GET {} {version}\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n", everything(""))).await;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        raw.0.read_exact(&mut byte).await.unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.contains(" 200 OK\r\n"), "{head}");
    let id = head.lines().find_map(|line| line.strip_prefix("audit-export-id: ")).unwrap();
    (raw, id.to_owned())
}

#[tokio::test]
async fn a_reader_that_stalls_is_given_up() {
    let app = with(|limits| (limits.reading.stall, limits.idle) = (SHORT, SHORT)).await;
    fill(&app, 200, 16_000).await;
    let client = app.owner().await;
    let (stalled, id) = download(&app, "HTTP/1.1").await;
    assert_eq!(of_export(&client, &id, "downloaded").await["outcome"], "aborted");
    assert!(stalled.end().await.reset);
    // Control: one that pauses, but not for so long.
    let (mut pausing, id) = download(&app, "HTTP/1.1").await;
    for _ in 0..10 {
        sleep(MOMENT).await;
        pausing.0.read_exact(&mut vec![0; 64 * 1024]).await.unwrap();
    }
    assert!(!pausing.end().await.reset);
    assert_eq!(of_export(&client, &id, "downloaded").await["outcome"], "success");
}

/// An answer of one piece is the listener's long before it is the client's.
#[tokio::test]
async fn who_takes_an_answer_is_not_idle() {
    let app = with(|limits| limits.idle = SHORT).await;
    fill(&app, 100, 32_000).await;
    let token = app.token(&[Scope::AuditRead]).await;
    let log = |name: &str| format!("{name}: auditLogs(first: 100) {{ edges {{ node {{ next }} }} }}");
    let query = json!({ "query": format!("{{ account {{ {} {} {} }} }}", log("a"), log("b"), log("c")) }).to_string();
    let (kind, length) = ("content-type: application/json", query.len());
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n{kind}\r\ncontent-length: {length}\r\n\r\n"
    );
    let mut raw = Raw::connect(&app).await;
    raw.send(&format!("{head}{query}")).await;
    // A part is taken, and then nothing for longer than a client may be idle.
    let mut answer = vec![0; 1_000_000];
    raw.0.read_exact(&mut answer).await.unwrap();
    sleep(5 * SHORT).await;
    // Once it has everything it idles, and its connection is closed.
    answer.extend(raw.end().await.bytes);
    assert!(answer.len() > 9_000_000 && answer.ends_with(b"]}}}}"), "{} bytes", answer.len());
}

#[tokio::test]
async fn a_reader_that_takes_too_little_is_given_up() {
    let app = with(|limits| {
        limits.reading.window = SHORT;
        limits.reading.pace = 100_000_000;
    })
    .await;
    fill(&app, 200, 16_000).await;
    let client = app.owner().await;
    let (mut slow, id) = download(&app, "HTTP/1.1").await;
    let mut some = [0; 4096];
    while slow.0.read(&mut some).await.is_ok_and(|bytes| bytes > 0) {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(of_export(&client, &id, "downloaded").await["outcome"], "aborted");
}

/// Small answers are no way to stay either: who asks and asks and never reads is given up.
#[tokio::test]
async fn who_asks_without_reading_is_given_up() {
    let app = with(|limits| limits.reading.stall = SHORT).await;
    let mut greedy = Raw::connect(&app).await;
    let requests = "GET /login HTTP/1.1\r\nhost: a\r\naccept: text/html\r\n\r\n".repeat(50);
    while greedy.0.write_all(requests.as_bytes()).await.is_ok() {}
    assert!(ask(&app).await.1.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn stopping_ends_whatever_clients_do() {
    let mut app = with(|limits| limits.last_requests = SHORT).await;
    fill(&app, 200, 16_000).await;
    let body = doors(&app, 1000).await.swap_remove(0);
    let (mut idle, answer) = ask(&app).await;
    assert!(answer.starts_with("HTTP/1.1 200 "));
    let (mut half_a_head, mut half_a_body) = (Raw::connect(&app).await, Raw::connect(&app).await);
    let mut silent = Raw::connect(&app).await;
    half_a_head.send("GET /readyz HTTP/1.1\r\nhost: ").await;
    half_a_body.send(&body).await;
    half_a_body.send("email=").await;
    let (stalled, _) = download(&app, "HTTP/1.1").await;
    let (stalled_1_0, _) = download(&app, "HTTP/1.0").await;
    sleep(MOMENT).await;
    app.stop().await;
    assert!(Raw::try_connect(&app).await.is_err(), "nothing new is taken");
    for idle in [&mut idle, &mut silent] {
        assert_eq!(idle.0.read(&mut [0]).await.unwrap(), 0, "it is closed, not reset");
    }
    for broken in [half_a_head, half_a_body, stalled, stalled_1_0] {
        let end = broken.end().await;
        assert!(end.reset && !end.is_whole(), "{}", end.text().chars().take(200).collect::<String>());
    }
    let outcomes: Vec<String> =
        sqlx::query_scalar("select outcome from orgtrail.events where action = 'audit_log.export.downloaded'")
            .fetch_all(&app.superuser)
            .await
            .unwrap();
    assert_eq!(outcomes, ["aborted", "aborted"]);
}

/// The control of the one before: who goes on is answered, and told that it is the last answer.
#[tokio::test]
async fn stopping_lets_requests_that_run_end() {
    let mut app = TestApplication::start().await;
    let body = doors(&app, 10).await.swap_remove(0);
    let (mut head, mut form) = (Raw::connect(&app).await, Raw::connect(&app).await);
    head.send("GET /readyz HTTP/1.1\r\nhost: ").await;
    form.send(&body).await;
    sleep(MOMENT).await;
    app.begin_stop();
    while Raw::try_connect(&app).await.is_ok() {}
    head.send("a\r\n\r\n").await;
    form.send("email=abcd").await;
    let (ready, form) = (head.end().await, form.end().await);
    assert!(ready.text().starts_with("HTTP/1.1 503 ") && ready.is_whole(), "{}", ready.text());
    assert!(form.text().starts_with("HTTP/1.1 422 ") && form.is_whole(), "{}", form.text());
    app.stop().await;
}
