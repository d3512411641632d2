//! The turns of upkeep: now and then this server asks whether it is its turn, does what is due, and says what it did to the log and to metrics.

use std::time::Duration;

use chrono::{DateTime, Utc};
use orgtrail::Result;
use orgtrail::platform::Platform;
use orgtrail::upkeep::{self, Job, Lane, Report, Retention, Turn, partitions};

use crate::http::problem::chain;
use crate::metrics::{
    INTEGRITY_PROBLEMS, MONTHS_AHEAD, TASK, UPKEEP_FAILURE, UPKEEP_REMOVED, UPKEEP_RUNS, UPKEEP_SUCCEEDED,
    UPKEEP_SUCCESS, WITHOUT_MONTH,
};
use crate::patience::within;

/// How long after a turn this server asks for the next.
pub const BETWEEN_TURNS: Duration = Duration::from_mins(1);

/// Longest time of a job: one reads every trail again.
const LONGEST_JOB: Duration = Duration::from_hours(6);

/// Does what is due in a lane, unless another server is at it. A job that fails is logged, and is due again at the next turn. Everything but the jobs is
/// waited for no longer than `patience`.
///
/// # Errors
/// [`orgtrail::Error::Unavailable`] without a database.
pub async fn turn(platform: &Platform, lane: Lane, retention: Retention, patience: Duration) -> Result<()> {
    if let Some(mut turn) = within(patience, platform, Turn::take(platform, lane)).await? {
        for job in within(patience, platform, turn.due()).await? {
            match within(LONGEST_JOB, platform, job.run(platform, retention)).await {
                Ok(report) => {
                    // Counted first: whoever sees when it was done sees also that it was.
                    succeeded(job, &report);
                    within(patience, platform, turn.succeeded(job, &report)).await?;
                }
                Err(error) => failed(job, &error),
            }
            // The next may take hours. What fails here fails at the end as well.
            drop(within(patience, platform, tell(platform)).await);
        }
        within(patience, platform, turn.end()).await?;
    }
    within(patience, platform, tell(platform)).await
}

/// What is so, whichever server did something about it: each can be asked, also one that was just started.
async fn tell(platform: &Platform) -> Result<()> {
    let done = upkeep::last_successes(platform).await?;
    for job in Job::ALL {
        let last = done.iter().find(|done| done.job == job);
        // Told first: whoever sees when it was done sees also what it found.
        if let Some(problems) = last.and_then(|last| last.problems) {
            metrics::gauge!(INTEGRITY_PROBLEMS, TASK => job.name()).set(f64::from(problems));
        }
        metrics::gauge!(UPKEEP_SUCCEEDED, TASK => job.name()).set(last.map_or(0.0, |last| seconds(last.at)));
    }
    // Asked first: a gauge that is named is there, as 0.
    let (months, events) = (partitions::months_ahead(platform).await?, upkeep::events_without_month(platform).await?);
    metrics::gauge!(MONTHS_AHEAD).set(f64::from(months));
    metrics::gauge!(WITHOUT_MONTH).set(f64::from(i32::try_from(events).unwrap_or(i32::MAX)));
    Ok(())
}

fn succeeded(job: Job, report: &Report) {
    let Report { removed, made, problems } = report;
    let found = problems.as_ref().map(Vec::len);
    tracing::info!(job = job.name(), removed, made, problems = found, "upkeep was done");
    metrics::counter!(UPKEEP_RUNS, TASK => job.name(), "outcome" => UPKEEP_SUCCESS).increment(1);
    metrics::counter!(UPKEEP_REMOVED, TASK => job.name()).increment(*removed);
}

fn failed(job: Job, error: &orgtrail::Error) {
    let cause = std::error::Error::source(error).map(chain).unwrap_or_default();
    tracing::warn!(job = job.name(), %error, cause, "upkeep failed, and will be tried again");
    metrics::counter!(UPKEEP_RUNS, TASK => job.name(), "outcome" => UPKEEP_FAILURE).increment(1);
}

/// Seconds since 1970, as metrics have times: exact until 2106.
fn seconds(at: DateTime<Utc>) -> f64 {
    f64::from(u32::try_from(at.timestamp()).unwrap_or_default())
}
