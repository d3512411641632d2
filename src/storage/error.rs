//! What an error of the database means to the domain.

use crate::Error;
use crate::meter::Busy;

/// Total: whatever is not a passing lack of the database is a fault of ours. Violated constraints that a person can cause are read
/// at their call site, before this.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            Busy::Connections.refused();
        }
        if is_passing(&error) { Self::Unavailable(Box::new(error)) } else { Self::Internal(Box::new(error)) }
    }
}

fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(cause) => cause.code().is_some_and(|code| is_passing_state(&code)),
        _ => false,
    }
}

/// SQLSTATEs of a database that is stopping, full, overloaded, slow (statement or lock timeout), or that asks to try again.
fn is_passing_state(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    matches!(class, "08" | "53" | "58")
        || matches!(code, "57P01" | "57P02" | "57P03" | "57014" | "55P03" | "40001" | "40P01" | "25P03" | "TR001")
}

/// What an error that came of reading something tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// It cannot be read: a file or a value of it is broken, or missing.
    Broken,
    /// It was not read in the time that there is. That may be its fault.
    Slow,
    /// Nothing: the database is gone, full, overloaded or stopping, or who asks may not. Everything else would say the same.
    Unknown,
}

/// What `error` tells of what the database holds.
pub(crate) fn held(error: &Error) -> Held {
    let (Error::Unavailable(cause) | Error::Internal(cause)) = error else { return Held::Unknown };
    match cause.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(cause)) => held_by_state(&cause.code().unwrap_or_default()),
        Some(sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => Held::Broken,
        _ => Held::Unknown,
    }
}

/// SQLSTATEs of values that are none, of files that cannot be read, and of a statement that took too long.
fn held_by_state(code: &str) -> Held {
    match code.get(..2).unwrap_or_default() {
        "22" | "58" | "XX" => Held::Broken,
        _ if code == "57014" => Held::Slow,
        _ => Held::Unknown,
    }
}
