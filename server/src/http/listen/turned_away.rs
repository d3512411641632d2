//! What a client is told for whose connection there is no place: that there is none, and to `/livez` that the server lives. Whoever checks that would
//! otherwise take a server that is busy for one that is dead, and end it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Most that are told at a time, of proxies and of others; the rest find their connection closed.
const AT_ONCE: usize = 64;

/// Longest time for one.
const PATIENCE: Duration = Duration::from_secs(1);

/// How the request begins that only asks whether the server lives.
const CHECK: &[u8] = b"GET /livez ";

/// The answer to it, as the route has it.
const ALIVE: &str = "HTTP/1.1 200 OK\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 6\r\n\
    connection: close\r\n\r\n\
    alive\n";

/// The answer to all others, without the work that another would be.
const NO_PLACE: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\n\
    content-length: 152\r\n\
    retry-after: 2\r\n\
    connection: close\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"detail\":\"There are too many connections: try again in a moment.\",\"code\":\"UNAVAILABLE\"}";

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
    pub(super) fn tell(&self, stream: TcpStream, is_proxy: bool) {
        let places = if is_proxy { &self.proxies } else { &self.others };
        if let Ok(permit) = Arc::clone(places).try_acquire_owned() {
            tokio::spawn(async move {
                drop(timeout(PATIENCE, answer(stream)).await);
                drop(permit);
            });
        }
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let (mut head, mut rest) = (Vec::new(), [0; 1024]);
    // Before there is a request, there is nothing to answer.
    while head.len() < CHECK.len() {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let answer = if head.starts_with(CHECK) { ALIVE } else { NO_PLACE };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // Closed with something unread, the connection would be reset, and the answer lost.
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ALIVE, NO_PLACE};

    #[test]
    fn the_answers_have_their_length() {
        for answer in [ALIVE, NO_PLACE] {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
        }
        let (_, body) = NO_PLACE.split_once("\r\n\r\n").unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
