//! Connections over a network are encrypted where that is asked for.

use orgtrail::storage::Database;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A request for TLS, as clients of Postgres begin with it.
const WANTED: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What a server reads of one connection that needs TLS, first and after its answer.
async fn begun(answer: &[u8]) -> ([u8; 8], Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = PgConnectOptions::new().host("127.0.0.1").port(port).username("orgtrail_app");
    let database = Database::new(&options.ssl_mode(PgSslMode::Require));
    let connecting = tokio::spawn(async move { database.writes.acquire().await.map(drop) });
    let (mut connection, _) = listener.accept().await.unwrap();
    let (mut first, mut next) = ([0; 8], vec![0; 1]);
    connection.read_exact(&mut first).await.unwrap();
    connection.write_all(answer).await.unwrap();
    let read = connection.read(&mut next).await.unwrap();
    next.truncate(read);
    connecting.abort();
    (first, next)
}

#[tokio::test]
async fn tls_is_spoken_where_it_is_wanted_and_nothing_else_where_it_cannot_be_had() {
    let handshake = 0x16;
    assert_eq!(begun(b"S").await, (WANTED, vec![handshake]));
    assert_eq!(begun(b"N").await, (WANTED, vec![]), "the server has none: not a byte in the clear");
}
