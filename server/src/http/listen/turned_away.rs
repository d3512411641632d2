//! What a client is told for whose connection there is no place: that there is none, and to `/livez` that the server lives. Whoever checks that would
//! otherwise take a server that is busy for one that is dead, and end it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use orgtrail::platform::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::http::facts::new_request_id;
use crate::http::problem::{JSON, Problem, text};

/// Most that are told at a time, of proxies and of others; the rest find their connection closed.
const AT_ONCE: usize = 64;

/// Longest time for one.
const PATIENCE: Duration = Duration::from_secs(1);

/// How the request begins that only asks whether the server lives.
const CHECK: &[u8] = b"GET /livez ";

/// The status of the answer to all others.
const NO_PLACE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// The answer to it, as the route has it.
const ALIVE: &str = "HTTP/1.1 200 OK\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 6\r\n\
    connection: close\r\n\r\n\
    alive\n";

/// Tells them.
#[derive(Debug)]
pub(super) struct TurnedAway {
    /// Proxies are told by themselves: however many strangers come, who checks from there is answered.
    proxies: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

impl Default for TurnedAway {
    fn default() -> Self {
        let places = || Arc::new(Semaphore::new(AT_ONCE));
        Self { proxies: places(), others: places() }
    }
}

impl TurnedAway {
    /// Answers and closes, or only closes.
    pub(super) fn tell(&self, stream: TcpStream, peer: IpAddr, is_proxy: bool) {
        let places = if is_proxy { &self.proxies } else { &self.others };
        if let Ok(permit) = Arc::clone(places).try_acquire_owned() {
            tokio::spawn(async move {
                drop(timeout(PATIENCE, answer(stream, peer)).await);
                drop(permit);
            });
        }
    }
}

async fn answer(mut stream: TcpStream, peer: IpAddr) -> io::Result<()> {
    let (mut head, mut rest) = (Vec::new(), [0; 1024]);
    // Before there is a request, there is nothing to answer.
    while head.len() < CHECK.len() {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    if head.starts_with(CHECK) {
        stream.write_all(ALIVE.as_bytes()).await?;
    } else {
        let request_id = new_request_id(&Clock::Real);
        stream.write_all(no_place(&request_id).as_bytes()).await?;
        // What was asked is not read.
        tracing::info!(request_id, status = NO_PLACE.as_u16(), ip = %peer, "request");
    }
    stream.shutdown().await?;
    // Closed with something unread, the connection would be reset, and the answer lost.
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// The answer to all others, without the work that another would be.
fn no_place(request_id: &str) -> String {
    let problem = Problem::new(NO_PLACE, "UNAVAILABLE", "There are too many connections: try again in a moment.");
    let body = text(&problem, request_id);
    format!(
        "HTTP/1.1 {NO_PLACE}\r\n\
        content-type: {JSON}\r\n\
        content-length: {}\r\n\
        retry-after: 2\r\n\
        x-request-id: {request_id}\r\n\
        connection: close\r\n\r\n\
        {body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::{ALIVE, no_place};

    #[test]
    fn the_answers_have_their_length() {
        let no_place = no_place("req_1");
        assert!(no_place.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{no_place}");
        for answer in [ALIVE, &no_place] {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
        }
    }
}
