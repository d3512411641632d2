//! More than the server can do: it says so and that one may come again, and goes on when it is over (R-14, R-25, R-28).

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::Signal;
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::password::Work;
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::process::{end, environment, listening};
use crate::support::{Answer, Client, Database, PASSWORD, TestApplication};

const QUERY: &str = r#"{"query":"{ account { auditLogs(first: 1) { pageInfo { hasNextPage } } } }"}"#;

/// Every connection of a pool; what the application does with them by itself ends before.
pub async fn all_of(pool: &PgPool) -> Vec<sqlx::pool::PoolConnection<sqlx::Postgres>> {
    let mut held = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        held.push(loop {
            if let Ok(connection) = pool.acquire().await {
                break connection;
            }
        });
    }
    held
}

/// What somebody is answered at each door.
pub async fn at_each_door(browser: &Client, program: &Client) -> Vec<(&'static str, Answer)> {
    let graphql =
        program.bare(reqwest::Method::POST, "/graphql").header("content-type", "application/json").body(QUERY);
    let events = r#"{"id":"1","action":"invoice.paid","actor":{"user":{"id":"u-1","name":"Ada"}},"next":{"total":1}}"#;
    let event =
        program.bare(reqwest::Method::POST, "/api/v1/events").header("content-type", "application/json").body(events);
    let (page, function, graphql, event) = tokio::join!(
        browser.get("/acme/settings/audit-logs"),
        browser.call("/api/viewer", &[]),
        Answer::read(graphql),
        Answer::read(event)
    );
    vec![("a page", page), ("a server function", function), ("GraphQL", graphql), ("REST", event)]
}

#[tokio::test]
async fn without_a_connection_to_the_database_it_is_503_at_every_door() {
    let app = TestApplication::start().await;
    let browser = app.owner().await;
    let program = app.program_with(&[Scope::AuditRead, Scope::EventsWrite]).await;
    let database = &app.platform.database;
    let held = (all_of(&database.reads).await, all_of(&database.writes).await);
    for (door, answer) in at_each_door(&browser, &program).await {
        assert_eq!((answer.status, answer.header("retry-after")), (503, "2"), "{door}: {answer:?}");
    }
    drop(held);
    // Control: nothing of it stays.
    for (door, answer) in at_each_door(&browser, &program).await {
        assert!((200..300).contains(&answer.status) && !answer.body.contains("\"errors\""), "{door}: {answer:?}");
    }
}

/// Sign-ins are refused before the work when too many wait for it.
#[tokio::test]
async fn too_many_passwords_at_once_are_503() {
    let app = TestApplication::start().await;
    let busy = Arc::new(AtomicBool::new(true));
    let work = Work::Verify { typed: PASSWORD.to_owned(), stored: None };
    let others: Vec<_> = (0..100)
        .map(|_| {
            let (hashing, busy, work) = (Arc::clone(&app.platform.hashing), Arc::clone(&busy), work.clone());
            tokio::spawn(async move {
                while busy.load(Ordering::Relaxed) {
                    let _done_or_refused = hashing.run(work.clone()).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let fields = [("email", "owner@acme.example"), ("password", PASSWORD)];
    let refused = loop {
        let answer = app.program().form("/api/login", &fields).await;
        if answer.status == 503 {
            break answer;
        }
    };
    refused.assert_problem(503, "UNAVAILABLE");
    assert_eq!(refused.header("retry-after"), "2");
    busy.store(false, Ordering::Relaxed);
    futures::future::join_all(others).await;
    // Control: it was no failed attempt.
    app.owner().await;
}

/// Files that a process may have open, which is more than it needs by itself and less than there are clients.
const FILES: usize = 64;

/// A process without file descriptors accepts again when it has some.
#[tokio::test]
async fn without_file_descriptors_it_waits_for_some() {
    let database = Database::make().await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = Command::new("sh")
        .args(["-c", &format!("ulimit -n {FILES}; exec \"$0\""), env!("CARGO_BIN_EXE_orgtrail")])
        .env_clear()
        .envs(environment(&database, folder.path()))
        .env("ORGTRAIL_TRUSTED_PROXIES", "127.0.0.1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let url = listening(&mut process).await;
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    let address = url.trim_start_matches("http://");
    let mut open = Vec::new();
    for _ in 0..FILES {
        open.push(TcpStream::connect(address).await.unwrap());
    }
    // It has none left, and says so.
    let said = loop {
        let line = log.next_line().await.unwrap().expect("a log that goes on");
        if line.contains("no connection can be accepted") {
            break line;
        }
    };
    assert!(said.contains("Too many open files"), "{said}");
    let files = format!("/proc/{}/fd", process.id().unwrap());
    while std::fs::read_dir(&files).unwrap().count() < FILES {
        tokio::task::yield_now().await;
    }
    let mut waiting = open.pop().unwrap();
    waiting.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    drop(open);
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    end(&mut process, Signal::SIGTERM).await;
    database.drop_soon();
}
