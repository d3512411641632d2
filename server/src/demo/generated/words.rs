//! The words of generated events go into their index while further events are made: the writer only queues them, and another core is idle.

use std::convert::Infallible;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::sleep;

/// Time between two goes. The more words go in together, the less each costs.
const PAUSE: Duration = Duration::from_secs(12);

/// Puts queued words into the index of words, again and again, as a superuser.
///
/// # Errors
/// What the database says; else it never ends.
pub(super) async fn keep_merging(superuser: &PgConnectOptions) -> Result<Infallible, sqlx::Error> {
    let mut connection = connect(superuser).await?;
    loop {
        sleep(PAUSE).await;
        merge(&mut connection).await?;
    }
}

/// Puts all queued words into the index of words, once.
///
/// # Errors
/// What the database says.
pub(super) async fn merge_all(superuser: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = connect(superuser).await?;
    merge(&mut connection).await?;
    connection.close().await
}

async fn connect(superuser: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    // That merging takes seconds is no news.
    superuser.clone().options([("maintenance_work_mem", "256MB")]).disable_statement_logging().connect().await
}

async fn merge(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let merge_each = "select gin_clean_pending_list(inhrelid) from pg_inherits where inhparent = 'orgtrail.events_by_words'::regclass";
    sqlx::raw_sql(merge_each).execute(connection).await?;
    Ok(())
}
