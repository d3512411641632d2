//! The metrics: every name, unit and meaning in one table, from which `docs/metrics.md` is made; and where they are read.

mod exposed;
mod table;

pub use exposed::{Listener, Watched};
pub use table::{Label, METRICS, Metric, Sort};

use metrics::{Gauge, gauge};

/// Requests that are answered at this moment.
pub const RUNNING: &str = "orgtrail_http_requests_running";
/// Seconds until an answer began.
pub const REQUESTS: &str = "orgtrail_http_request_seconds";
/// Work that runs on threads of its own.
pub const WORK_RUNNING: &str = "orgtrail_work_running";
/// Work that waits for such a thread.
pub const WORK_WAITING: &str = "orgtrail_work_waiting";
/// Times that the private Postgres was found gone.
pub const CLUSTER_RESTARTS: &str = "orgtrail_cluster_restarts_total";
/// Runs of the jobs of upkeep, by `task` and `outcome`.
pub const UPKEEP_RUNS: &str = "orgtrail_upkeep_runs_total";
/// What these jobs removed, by `task`.
pub const UPKEEP_REMOVED: &str = "orgtrail_upkeep_removed_total";
/// When a job last ended well, by `task`.
pub const UPKEEP_SUCCEEDED: &str = "orgtrail_upkeep_last_success_timestamp_seconds";
/// Months ahead that have a partition.
pub const MONTHS_AHEAD: &str = "orgtrail_partitions_months_ahead";
/// Events in the default partition.
pub const WITHOUT_MONTH: &str = "orgtrail_events_without_month";
/// What was not as it should be at the last look, by `task`.
pub const INTEGRITY_PROBLEMS: &str = "orgtrail_integrity_problems";
/// 1 while the replica is asked, else 0.
pub const REPLICA_ASKED: &str = "orgtrail_replica_asked";
/// Bytes that the replica has yet to replay.
pub const REPLICA_BEHIND: &str = "orgtrail_replica_behind_bytes";
/// The `outcome` of a run of upkeep that did what it is for.
pub const UPKEEP_SUCCESS: &str = "success";
/// The `outcome` of one that did not.
pub const UPKEEP_FAILURE: &str = "failure";
/// Which job of upkeep. Not `job`: Prometheus gives every series a label of that name.
pub const TASK: &str = "task";

/// Something that is counted in a gauge as long as it lasts.
pub struct While(Gauge);

impl While {
    /// It begins.
    #[must_use]
    pub fn begin(gauge: Gauge) -> Self {
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for While {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Describes every metric to the recorder, and begins every counter whose series are known at zero: what did not happen yet is 0, not missing.
fn describe() {
    for metric in METRICS {
        metric.describe();
        if metric.sort == Sort::Counter && metric.is_ours() {
            metric.begin();
        }
    }
    gauge!(table::BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
