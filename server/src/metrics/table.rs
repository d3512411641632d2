//! The table: what each metric is called, measured in, told apart by, and what it means.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram};
use orgtrail::audit::event::Kind;
use orgtrail::export::End;
use orgtrail::meter::{self, Busy, ReplicaAsked};
use orgtrail::upkeep::Job;

use super::{
    CLUSTER_RESTARTS, INTEGRITY_PROBLEMS, MONTHS_AHEAD, REPLICA_ASKED, REPLICA_BEHIND, REQUESTS, RUNNING, TASK,
    UPKEEP_FAILURE, UPKEEP_REMOVED, UPKEEP_RUNS, UPKEEP_SUCCEEDED, UPKEEP_SUCCESS, WITHOUT_MONTH, WORK_RUNNING,
    WORK_WAITING,
};

pub(super) const BUILD: &str = "orgtrail_build_info";
pub(super) const POOL_SIZE: &str = "orgtrail_database_connections";
pub(super) const POOL_IDLE: &str = "orgtrail_database_idle_connections";
pub(super) const POOL_MOST: &str = "orgtrail_database_most_connections";
pub(super) const DATABASE_ANSWERS: &str = "orgtrail_database_answers";
pub(super) const COPY_LAG: &str = "orgtrail_sign_in_copy_lag_seconds";
pub(super) const INGEST_WAITING: &str = "orgtrail_ingest_requests_waiting";

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name, in the words of Prometheus.
    pub name: &'static str,
    /// What sort of number it is.
    pub sort: Sort,
    /// What it is measured in.
    pub unit: Unit,
    /// What tells its series apart; none of it grows with what is stored or asked.
    pub labels: &'static [Label],
    /// What it means, in a sentence.
    pub help: &'static str,
}

/// A label: its name, and what it can say.
#[derive(Debug)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Its values, where they are known before anything happens.
    values: Option<fn() -> Vec<&'static str>>,
}

/// The sorts of metrics that Prometheus knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sort {
    /// Only ever grows, until the process is started again.
    Counter,
    /// What is so at the moment.
    Gauge,
    /// How many were at most so large, for each of these bounds.
    Histogram(&'static [f64]),
}

/// Seconds of a request.
const OF_REQUESTS: Sort = Sort::Histogram(&[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
/// Seconds of a question to the database.
const OF_QUESTIONS: Sort = Sort::Histogram(&[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 3.0]);
/// Things that are done together.
const OF_GROUPS: Sort = Sort::Histogram(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]);

const fn metric(name: &'static str, sort: Sort, unit: Unit, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, sort, unit, labels, help }
}

impl Label {
    const fn open(name: &'static str) -> Self {
        Self { name, values: None }
    }

    const fn known(name: &'static str, values: fn() -> Vec<&'static str>) -> Self {
        Self { name, values: Some(values) }
    }

    /// Its values, where they are known before anything happens.
    #[must_use]
    pub fn values(&self) -> Option<Vec<&'static str>> {
        self.values.map(|values| values())
    }
}

const VERSION: Label = Label::open("version");
const ROUTE: Label = Label::open("route");
const METHOD: Label = Label::open("method");
const STATUS: Label = Label::open("status");
const POOL: Label = Label::open("pool");
const WORK: Label = Label::open("work");
const REASON: Label = Label::known("reason", || Busy::ALL.map(Busy::as_str).to_vec());
const KIND: Label = Label::known("kind", || Kind::ALL.map(Kind::as_str).to_vec());
const JOB: Label = Label::known(TASK, || Job::ALL.map(Job::name).to_vec());
const OF_SIGN_IN: Label = Label::known("outcome", || meter::SIGN_IN_OUTCOMES.to_vec());
const OF_EXPORT: Label = Label::known("outcome", || End::ALL.map(End::as_str).to_vec());
const OF_REPLICA: Label = Label::known("outcome", || ReplicaAsked::ALL.map(ReplicaAsked::as_str).to_vec());
const OF_JOB: Label = Label::known("outcome", || vec![UPKEEP_SUCCESS, UPKEEP_FAILURE]);

/// Every metric there is, in the order of `docs/metrics.md`.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    metric(BUILD, Sort::Gauge, Unit::Count, &[VERSION], "Always 1; the label is the version that runs."),
    metric(REQUESTS, OF_REQUESTS, Unit::Seconds, &[ROUTE, METHOD, STATUS], "Time until the answer to a request began, by the template of its route (`none`: no route), method and class of status. The body of a download takes longer."),
    metric(RUNNING, Sort::Gauge, Unit::Count, &[], "Requests whose answer has not begun yet."),
    metric(meter::REFUSED, Sort::Counter, Unit::Count, &[REASON], "What was refused because there was too much of it or it was too slow: `rate_limit` (an access token asked too often), `throttle` (sign-ins, mails asked for), `connections` (to the database), `exports` (running at once), `gathering` (waiting to be recorded together), `hashing` (passwords), `composing` (schemas), `places` (connections of all clients), `places_of_client` (connections of one), `bodies` (of requests, in memory), `slow_senders` (requests that did not come whole in time), `slow_readers` (connections reset because an answer was not taken)."),
    metric(meter::SIGN_INS, Sort::Counter, Unit::Count, &[OF_SIGN_IN], "Attempts to sign in with a password: `success`, `wrong_credentials`, `throttled` or `failed`, where the fault was ours."),
    metric(meter::EVENTS, Sort::Counter, Unit::Count, &[KIND], "Events appended to trails and committed: `change`, `login`, `operation`, `export`."),
    metric(meter::INGEST_GROUP, OF_GROUPS, Unit::Count, &[], "Requests with events of other products that one transaction recorded."),
    metric(INGEST_WAITING, Sort::Gauge, Unit::Count, &[], "Requests with events of other products that wait for the transaction before theirs."),
    metric(meter::EXPORTS, Sort::Counter, Unit::Count, &[OF_EXPORT], "Exports that ended: `complete`, `aborted` (by the reader, by a right that was lost, or by a stop) or `failed`."),
    metric(meter::EXPORT_LINES, Sort::Counter, Unit::Count, &[], "Lines of exports that readers took; a record is a line, unless its values have line breaks."),
    metric(meter::EXPORT_BYTES, Sort::Counter, Unit::Bytes, &[], "Bytes of exports that readers took."),
    metric(meter::BEGIN, OF_QUESTIONS, Unit::Seconds, &[], "Time until a transaction had begun, with the wait for a free connection."),
    metric(POOL_SIZE, Sort::Gauge, Unit::Count, &[POOL], "Open connections to the database, of the pools `writes`, `reads` and `exports`, and of `replica_reads` and `replica_exports` to the replica."),
    metric(POOL_IDLE, Sort::Gauge, Unit::Count, &[POOL], "Open connections that nobody uses."),
    metric(POOL_MOST, Sort::Gauge, Unit::Count, &[POOL], "Connections that the pool may open."),
    metric(DATABASE_ANSWERS, Sort::Gauge, Unit::Count, &[], "1 if the database answered within a second when this was read, else 0."),
    metric(REPLICA_ASKED, Sort::Gauge, Unit::Count, &[], "1 while reads go to the replica, 0 while it is gone or not what it should be; missing where there is none."),
    metric(REPLICA_BEHIND, Sort::Gauge, Unit::Bytes, &[], "Write-ahead log that the primary has written and the replica has not replayed, at the last look, at most a second ago. It stays as it was while the replica does not answer."),
    metric(meter::REPLICA_READS, Sort::Counter, Unit::Count, &[OF_REPLICA], "Reads for which there is a replica: it `answered`; or the primary did, because the replica was `behind` it, was `ahead` of what the primary showed yet, `failed` midway or had no free connection, or was `set_aside`."),
    metric(COPY_LAG, Sort::Gauge, Unit::Seconds, &[], "How long the oldest attempt to sign in has waited to be copied into its trails; 0 if none waits. It stays as it was while the database does not answer."),
    metric(WORK_RUNNING, Sort::Gauge, Unit::Count, &[WORK], "Work that runs on threads of its own: `hashing` of passwords (Argon2), `composing` of schemas."),
    metric(WORK_WAITING, Sort::Gauge, Unit::Count, &[WORK], "Work that waits for such a thread."),
    metric(CLUSTER_RESTARTS, Sort::Counter, Unit::Count, &[], "Times that the private Postgres was gone and was started again."),
    metric(UPKEEP_RUNS, Sort::Counter, Unit::Count, &[JOB, OF_JOB], "Runs of what the server does by itself, by task and outcome."),
    metric(UPKEEP_REMOVED, Sort::Counter, Unit::Count, &[JOB], "Rows that these tasks removed: what had ended, and the events of months that expired."),
    metric(UPKEEP_SUCCEEDED, Sort::Gauge, Unit::Seconds, &[JOB], "When a task last ended well, in seconds since 1970; 0 if it never did."),
    metric(MONTHS_AHEAD, Sort::Gauge, Unit::Count, &[], "Months ahead for which the trail has partitions."),
    metric(WITHOUT_MONTH, Sort::Gauge, Unit::Count, &[], "Events in the default partition, because their month had none when they were recorded; 10,000 where it is more."),
    metric(INTEGRITY_PROBLEMS, Sort::Gauge, Unit::Count, &[JOB], "What was not as it should be when it was last looked at, by whichever server: of grants, policies, triggers and all trails (`integrity`), of what was recorded within the last hour (`recent`)."),
    metric("process_cpu_seconds_total", Sort::Gauge, Unit::Seconds, &[], "Time of processors that the server has used; the private Postgres not counted."),
    metric("process_resident_memory_bytes", Sort::Gauge, Unit::Bytes, &[], "Memory that the server holds."),
    metric("process_virtual_memory_bytes", Sort::Gauge, Unit::Bytes, &[], "Addresses that the server has mapped."),
    metric("process_virtual_memory_max_bytes", Sort::Gauge, Unit::Bytes, &[], "Addresses that it may map."),
    metric("process_open_fds", Sort::Gauge, Unit::Count, &[], "Files and connections that the server has open."),
    metric("process_max_fds", Sort::Gauge, Unit::Count, &[], "Files and connections that it may have open."),
    metric("process_threads", Sort::Gauge, Unit::Count, &[], "Threads of the server."),
    metric("process_start_time_seconds", Sort::Gauge, Unit::Seconds, &[], "When the server was started, in seconds since 1970."),
];

impl Metric {
    /// Tells the recorder what it is.
    pub(super) fn describe(&self) {
        match self.sort {
            Sort::Counter => describe_counter!(self.name, self.unit, self.help),
            Sort::Gauge => describe_gauge!(self.name, self.unit, self.help),
            Sort::Histogram(_) => describe_histogram!(self.name, self.unit, self.help),
        }
    }

    /// The values of its labels, in their order, of each series that is known before anything happens; none if a label may say anything.
    #[must_use]
    pub fn known_series(&self) -> Vec<Vec<&'static str>> {
        self.labels.iter().fold(vec![vec![]], |series, label| {
            let values = label.values().unwrap_or_default();
            series
                .iter()
                .flat_map(|before| values.iter().map(|value| [before.as_slice(), &[*value]].concat()))
                .collect()
        })
    }

    /// Begins a counter at zero, so that the first time that something happens is a growth. A series that only appeared with it would not grow.
    pub(super) fn begin(&self) {
        for values in self.known_series() {
            let labels: Vec<_> =
                self.labels.iter().zip(values).map(|(label, value)| metrics::Label::new(label.name, value)).collect();
            counter!(self.name, labels).increment(0);
        }
    }

    /// Whether its name begins with ours; the others are what every process has.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.name.starts_with("orgtrail_")
    }
}

#[cfg(test)]
mod tests;
