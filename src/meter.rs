//! What the product counts of itself, for whoever watches a server. Where nobody does, as in short commands, counting does nothing.
//!
//! Each name is described in the server's table of metrics.

use std::time::Duration;

use metrics::{counter, histogram};

use crate::Error;
use crate::audit::event::Kind;
use crate::export::{End, Receipt};

/// Events appended and committed, by `kind`.
pub const EVENTS: &str = "orgtrail_events_appended_total";
/// Requests of other products that were recorded in one transaction.
pub const INGEST_GROUP: &str = "orgtrail_ingest_group_requests";
/// Seconds until a transaction has begun, with the wait for its connection.
pub const BEGIN: &str = "orgtrail_database_begin_seconds";
/// Exports that ended, by `outcome`.
pub const EXPORTS: &str = "orgtrail_exports_total";
/// Lines that readers of exports took.
pub const EXPORT_LINES: &str = "orgtrail_export_lines_total";
/// Bytes that readers of exports took.
pub const EXPORT_BYTES: &str = "orgtrail_export_bytes_total";
/// Attempts to sign in with a password, by `outcome`.
pub const SIGN_INS: &str = "orgtrail_sign_ins_total";
/// What was refused because there is too much of it or it is too slow, by `reason`.
pub const REFUSED: &str = "orgtrail_refused_total";
/// How an attempt to sign in can end: the values of its label `outcome`.
pub const SIGN_IN_OUTCOMES: [&str; 4] = ["success", "wrong_credentials", "throttled", "failed"];
/// Reads for which there was a replica, by `outcome`.
pub const REPLICA_READS: &str = "orgtrail_replica_reads_total";

/// What came of a read for which there is a replica. All but the first were answered by the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaAsked {
    /// The replica answered.
    Answered,
    /// It did not have all that the primary had.
    Behind,
    /// It had what the primary did not show yet.
    Ahead,
    /// It could not answer, or not in time.
    Failed,
    /// It was not asked, because it is gone or not what it should be.
    SetAside,
}

impl ReplicaAsked {
    /// Everything that can come of it.
    pub const ALL: [Self; 5] = [Self::Answered, Self::Behind, Self::Ahead, Self::Failed, Self::SetAside];

    /// The value of the label `outcome`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
            Self::Failed => "failed",
            Self::SetAside => "set_aside",
        }
    }

    pub(crate) fn count(self) {
        counter!(REPLICA_READS, "outcome" => self.as_str()).increment(1);
    }
}

/// Why something was refused that would have been done at another moment, or for a client that is not so slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// An access token has asked too often.
    RateLimit,
    /// Too many attempts to sign in, or mails asked for.
    Throttle,
    /// No connection to the database was free in time, or none could be made.
    Connections,
    /// The organization has as many exports as it may.
    Exports,
    /// Too much waits to be recorded or looked up together.
    Gathering,
    /// Too many passwords wait to be hashed.
    Hashing,
    /// Too many schemas wait to be composed.
    Composing,
    /// All the connections that clients may have are taken.
    Places,
    /// A client has as many connections as one may.
    PlacesOfClient,
    /// Too much of what is sent is in memory.
    Bodies,
    /// A request came too slowly.
    SlowSenders,
    /// An answer was taken too slowly.
    SlowReaders,
}

impl Busy {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::RateLimit,
        Self::Throttle,
        Self::Connections,
        Self::Exports,
        Self::Gathering,
        Self::Hashing,
        Self::Composing,
        Self::Places,
        Self::PlacesOfClient,
        Self::Bodies,
        Self::SlowSenders,
        Self::SlowReaders,
    ];

    /// The value of the label `reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::Throttle => "throttle",
            Self::Connections => "connections",
            Self::Exports => "exports",
            Self::Gathering => "gathering",
            Self::Hashing => "hashing",
            Self::Composing => "composing",
            Self::Places => "places",
            Self::PlacesOfClient => "places_of_client",
            Self::Bodies => "bodies",
            Self::SlowSenders => "slow_senders",
            Self::SlowReaders => "slow_readers",
        }
    }

    /// Counts one refusal.
    pub fn refused(self) {
        counter!(REFUSED, "reason" => self.as_str()).increment(1);
    }
}

/// Events that a transaction appends, counted once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Tally([u64; Kind::ALL.len()]);

impl Tally {
    /// Events of these kinds.
    pub(crate) fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut tally = Self::default();
        tally.add(kinds);
        tally
    }

    /// And of these.
    pub(crate) fn add(&mut self, kinds: impl IntoIterator<Item = Kind>) {
        for kind in kinds {
            self.0[kind as usize] += 1;
        }
    }

    /// They are in the trail.
    pub(crate) fn committed(&self) {
        for (kind, events) in Kind::ALL.into_iter().zip(self.0).filter(|(_, events)| *events > 0) {
            counter!(EVENTS, "kind" => kind.as_str()).increment(events);
        }
    }
}

/// So many requests of other products are recorded in one transaction.
pub(crate) fn grouped(requests: usize) {
    histogram!(INGEST_GROUP).record(u32::try_from(requests).unwrap_or(u32::MAX));
}

/// A transaction has begun, or could not, after so long.
pub(crate) fn begun(waited: Duration) {
    histogram!(BEGIN).record(waited);
}

/// An export has ended.
pub(crate) fn exported(end: End, receipt: Receipt) {
    counter!(EXPORTS, "outcome" => end.as_str()).increment(1);
    counter!(EXPORT_LINES).increment(receipt.lines);
    counter!(EXPORT_BYTES).increment(receipt.bytes);
}

/// Somebody tried to sign in.
pub(crate) fn signed_in<T>(result: &Result<T, Error>) {
    let [success, wrong_credentials, throttled, failed] = SIGN_IN_OUTCOMES;
    let outcome = match result {
        Ok(_) => success,
        Err(Error::WrongCredentials) => wrong_credentials,
        Err(Error::Throttled { .. }) => throttled,
        Err(_) => failed,
    };
    counter!(SIGN_INS, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_has_a_place_for_each_kind() {
        let tally = Tally::of(Kind::ALL.into_iter().chain([Kind::Export]));
        assert_eq!(tally.0, [1, 1, 1, 2]);
    }
}
