//! What an error of the database means to the domain.

use sqlx::error::DatabaseError;

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

/// Whether `error` tells of what the database holds: it cannot read a file or a value of it, or not in the time that there is. Not that it is
/// gone, full, overloaded or stopping, of which everything else would say the same.
pub(crate) fn is_of_what_is_held(error: &Error) -> bool {
    let Error::Unavailable(cause) = error else { return true };
    let cause = cause.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    cause.and_then(DatabaseError::code).is_some_and(|code| code.starts_with("58") || code == "57014")
}
