//! A client that writes bytes, and sees how its connection ends.

use std::io::ErrorKind;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::MOMENT;
use crate::support::TestApplication;

/// A client that writes bytes.
pub struct Raw(pub TcpStream);

/// How a connection ended.
#[derive(Debug)]
pub struct End {
    pub bytes: Vec<u8>,
    pub reset: bool,
}

impl Raw {
    pub async fn connect(app: &TestApplication) -> Self {
        Self::try_connect(app).await.unwrap()
    }

    pub async fn try_connect(app: &TestApplication) -> std::io::Result<Self> {
        let address = app.url.trim_start_matches("http://").parse().unwrap();
        let socket = TcpSocket::new_v4()?;
        // Little waits in the system, so that it is seen when nothing is read.
        socket.set_recv_buffer_size(128 * 1024)?;
        socket.connect(address).await.map(Self)
    }

    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends a byte after the other, until nobody listens any more or something is answered.
    pub async fn drip(&mut self) {
        let mut some = [0];
        loop {
            let answered = tokio::time::timeout(MOMENT, self.0.peek(&mut some)).await.is_ok();
            if answered || self.0.write_all(b"x").await.is_err() {
                return;
            }
        }
    }

    /// The next answer, head and body, of a connection that goes on.
    pub async fn answer(&mut self) -> String {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
                if body.len() >= length.parse().unwrap() {
                    return text;
                }
            }
            assert!(self.0.read_buf(&mut bytes).await.unwrap() > 0, "{text}");
        }
    }

    /// Everything up to the end.
    pub async fn end(mut self) -> End {
        let mut bytes = Vec::new();
        let reset = match self.0.read_to_end(&mut bytes).await {
            Ok(_) => false,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => true,
            Err(error) => panic!("{error}"),
        };
        End { bytes, reset }
    }
}

impl End {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Whether an answer is there, with all the bytes that it promised.
    pub fn is_whole(&self) -> bool {
        let text = self.text();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        body.len() >= length.parse::<usize>().unwrap()
    }
}
