//! Where the time of a request goes, for whoever collects traces: spans of the facade `tracing`, with a target of their own.
//!
//! Each begins when it is made and ends when it is dropped, and none is ever entered: so tasks that carry the request's span on carry all there is,
//! and what is logged meanwhile still names the request. Nothing that somebody typed, sent or asked is in them: no SQL, no names, no addresses.
//! Where nobody collects traces, a span costs a look at a flag.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Span;
use uuid::Uuid;

use crate::export::{End, Receipt};

/// The target of these spans. The log leaves them out.
pub const TARGET: &str = "orgtrail::trace";

/// Set once, before anything is served.
static COLLECTED: AtomicBool = AtomicBool::new(false);

/// From now on spans are made: somebody collects them.
pub fn collect() {
    COLLECTED.store(true, Ordering::Relaxed);
}

/// Whether somebody collects spans.
#[must_use]
pub fn is_collected() -> bool {
    COLLECTED.load(Ordering::Relaxed)
}

/// A span of the request that is answered. What the server does by itself has none: twice a second it would begin a trace in which nothing happened.
fn of_request(make: impl FnOnce() -> Span) -> Span {
    if is_collected() && !Span::current().is_none() { make() } else { Span::none() }
}

/// A transaction, with the wait for its connection.
pub(crate) fn transaction(organization: Option<Uuid>) -> Span {
    of_request(|| {
        let organization = organization.map(tracing::field::display);
        tracing::info_span!(
            target: TARGET, "database transaction",
            otel.kind = "client", db.system.name = "postgresql", orgtrail.organization.id = organization
        )
    })
}

/// A question to the database that is asked without a transaction, with the wait for its connection.
#[must_use]
pub fn question() -> Span {
    of_request(
        || tracing::info_span!(target: TARGET, "database question", otel.kind = "client", db.system.name = "postgresql"),
    )
}

/// Work on threads of its own (`hashing`, `composing`), with the wait for such a thread.
#[must_use]
pub fn work(kind: &'static str) -> Span {
    of_request(|| tracing::info_span!(target: TARGET, "work", otel.name = kind))
}

/// The wait until what `span` is about begins: for a connection, for a thread.
#[must_use]
pub fn waiting(span: &Span) -> Span {
    if span.is_none() { Span::none() } else { tracing::info_span!(target: TARGET, parent: span, "waiting") }
}

/// The wait until the events of a request are recorded, together with those of others; the transaction is in the trace of one of them.
pub(crate) fn gathering() -> Span {
    of_request(|| tracing::info_span!(target: TARGET, "recording together"))
}

/// The download of an export of so many records, from its first byte until its end is recorded.
#[must_use]
pub fn export(rows: i64) -> Span {
    let empty = tracing::field::Empty;
    of_request(|| {
        tracing::info_span!(
            target: TARGET, "export",
            orgtrail.export.rows = rows, orgtrail.export.bytes = empty, orgtrail.export.outcome = empty, otel.status_code = empty
        )
    })
}

/// Notes in its span how an export ended. Only what went wrong is an error: readers may leave.
pub fn exported(span: &Span, end: End, receipt: Receipt) {
    span.record("orgtrail.export.bytes", receipt.bytes).record("orgtrail.export.outcome", end.as_str());
    if end == End::Failed {
        span.record("otel.status_code", "ERROR");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_made_that_nobody_collects() {
        assert!(!is_collected());
        let span = transaction(Some(Uuid::nil()));
        assert!(span.is_none() && waiting(&span).is_none() && question().is_none() && export(1).is_none());
    }
}
