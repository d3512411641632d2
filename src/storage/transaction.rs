//! A transaction, and its span while somebody collects traces.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, Postgres};
use tracing::Span;

/// A transaction: its connection, until it is committed. Dropped, it undoes everything.
#[derive(Debug)]
#[must_use]
pub struct Transaction {
    running: sqlx::Transaction<'static, Postgres>,
    _span: Span,
}

impl Transaction {
    pub(super) fn new(running: sqlx::Transaction<'static, Postgres>, span: Span) -> Self {
        Self { running, _span: span }
    }

    /// Commits it.
    ///
    /// # Errors
    /// What the database says: it may refuse only now.
    pub async fn commit(self) -> sqlx::Result<()> {
        self.running.commit().await
    }

    /// Undoes it, and waits until that is done.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rollback(self) -> sqlx::Result<()> {
        self.running.rollback().await
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.running
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.running
    }
}
