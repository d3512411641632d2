//! What a client is told for whose connection there is no place.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Most that are told at a time; the others find their connection closed.
const AT_ONCE: usize = 64;

/// Longest time for one.
const PATIENCE: Duration = Duration::from_secs(1);

/// The answer, without the work that another would be.
const ANSWER: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\n\
    content-length: 152\r\n\
    retry-after: 2\r\n\
    connection: close\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"detail\":\"There are too many connections: try again in a moment.\",\"code\":\"UNAVAILABLE\"}";

/// Tells them.
#[derive(Debug)]
pub(super) struct TurnedAway(Arc<Semaphore>);

impl Default for TurnedAway {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl TurnedAway {
    /// Answers 503 and closes, or only closes.
    pub(super) fn tell(&self, stream: TcpStream) {
        if let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() {
            tokio::spawn(async move {
                drop(timeout(PATIENCE, answer(stream)).await);
                drop(permit);
            });
        }
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut rest = [0; 1024];
    // Before there is a request, there is nothing to answer.
    if stream.read(&mut rest).await? == 0 {
        return Ok(());
    }
    stream.write_all(ANSWER.as_bytes()).await?;
    stream.shutdown().await?;
    // Closed with something unread, the connection would be reset, and the answer lost.
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ANSWER;

    #[test]
    fn the_answer_has_its_length() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
