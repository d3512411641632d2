//! One fill at a time, however many processes start on one database.

use std::time::Duration;

use orgtrail::platform::Platform;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;

/// Asked again this often while somebody else fills: a lock that is waited for would run into the limits of the connection.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Waits until nobody else fills. The lock lasts as long as the connection, which is closed when it is dropped.
pub(super) async fn take(platform: &Platform) -> orgtrail::Result<PoolConnection<Postgres>> {
    let mut connection = platform.database.writes.acquire().await?;
    connection.close_on_drop();
    loop {
        let taken = sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtext('orgtrail.demo')) as "taken!""#)
            .fetch_one(&mut *connection)
            .await?;
        if taken {
            return Ok(connection);
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}
