//! How the server stops, whatever clients do.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::TestApplication;

#[tokio::test]
async fn stops_at_once_when_nothing_runs() {
    let mut app = TestApplication::start().await;
    assert_eq!(app.anonymous().get("/login").await.status, 200);
    let started = Instant::now();
    app.stop().await;
    // It did not wait for the patience of the next test to end.
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    assert!(TcpStream::connect(app.url.trim_start_matches("http://")).await.is_err(), "nothing new is taken");
}

/// A balancer asks now and then whether a server is ready, and goes on sending until it has seen that it is not.
#[tokio::test]
async fn behind_a_proxy_it_says_so_before_it_takes_nothing_more() {
    let proxy = "127.0.0.1/32".parse().unwrap();
    let mut app = TestApplication::start_with(|config| {
        config.public.trusted_proxies.push(proxy);
        config.limits.last_arrivals = Duration::from_secs(5);
    })
    .await;
    app.begin_stop();
    while app.program().get("/readyz").await.status != 503 {}
    assert_eq!(app.program().get("/login").await.status, 200, "on a new connection");
    app.stop().await;
    assert!(TcpStream::connect(app.url.trim_start_matches("http://")).await.is_err(), "nothing new is taken");
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off() {
    let mut app = TestApplication::start_with(|config| config.limits.last_requests = Duration::from_secs(1)).await;
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /api/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nemail=";
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    app.stop().await;
    let taken = started.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(16)).contains(&taken), "{taken:?}");
    // It may be a reset.
    let mut rest = Vec::new();
    let _ended = stream.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&rest));
}
