//! A transaction, and its span while somebody collects traces.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgQueryResult;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, SqlSafeStr};
use tokio::time::timeout;
use tracing::Span;

/// How long the end of one that was given up is waited for. Then its connection is closed, and Postgres ends it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A transaction: its connection, until it is committed. Dropped, it undoes everything.
///
/// Ours, and not the driver's, which forgets a transaction that is given up while it begins, or whose beginning fails: its connection would go back to
/// the pool with the transaction still open, and what others then do there would be in it.
#[derive(Debug)]
#[must_use]
pub struct Transaction {
    /// There until the transaction is over.
    connection: Option<PoolConnection<Postgres>>,
    _span: Span,
}

impl Transaction {
    /// Begins one by the statements of `opening`. Whoever gives that up has nothing to undo.
    pub(super) async fn begin(
        connection: PoolConnection<Postgres>,
        opening: AssertSqlSafe<String>,
        span: Span,
    ) -> sqlx::Result<Self> {
        let mut begun = Self { connection: Some(connection), _span: span };
        run(opening, &mut begun).await?;
        Ok(begun)
    }

    /// Commits it.
    ///
    /// # Errors
    /// What the database says: it may refuse only now.
    pub async fn commit(self) -> sqlx::Result<()> {
        self.end("commit").await
    }

    /// Undoes it, and waits until that is done.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rollback(self) -> sqlx::Result<()> {
        self.end("rollback").await
    }

    async fn end(mut self, how: &'static str) -> sqlx::Result<()> {
        run(how, &mut self).await?;
        self.connection = None;
        Ok(())
    }
}

/// Boxed: it is large, and every use case's future has several.
fn run(sql: impl SqlSafeStr, connection: &mut PgConnection) -> BoxFuture<'_, sqlx::Result<PgQueryResult>> {
    sqlx::raw_sql(sql).execute(connection).boxed()
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            tokio::spawn(undo(connection));
        }
    }
}

/// Undoes what was begun on a connection, which is for others only when that is certain.
async fn undo(mut connection: PoolConnection<Postgres>) {
    let undone = timeout(PATIENCE, run("rollback", &mut connection)).await;
    if !matches!(undone, Ok(Ok(_))) {
        drop(connection.detach());
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_deref().expect("a transaction has its connection until it is over")
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_deref_mut().expect("a transaction has its connection until it is over")
    }
}
