//! The turns of upkeep: now and then this server asks whether it is its turn, does what is due, and says what it did to the log and to metrics.

use std::time::Duration;

use chrono::{DateTime, Utc};
use orgtrail::Result;
use orgtrail::platform::Platform;
use orgtrail::upkeep::partitions::WANTED_AHEAD;
use orgtrail::upkeep::{self, Job, Report, Retention, Turn};

use crate::http::problem::chain;
use crate::metrics::{INTEGRITY_PROBLEMS, MONTHS_AHEAD, TASK, UPKEEP_REMOVED, UPKEEP_RUNS, UPKEEP_SUCCEEDED};

/// How long after a turn this server asks for the next.
pub const BETWEEN_TURNS: Duration = Duration::from_mins(1);

/// Does what is due, unless another server is at it. A job that fails is logged, and is due again at the next turn.
///
/// # Errors
/// [`orgtrail::Error::Unavailable`] without a database.
pub async fn turn(platform: &Platform, retention: Retention) -> Result<()> {
    if let Some(mut turn) = Turn::take(platform).await? {
        for job in turn.due().await? {
            match job.run(platform, retention).await {
                Ok(report) => {
                    turn.succeeded(job).await?;
                    succeeded(job, &report);
                }
                Err(error) => failed(job, &error),
            }
        }
        turn.end().await?;
    }
    // Whoever did it: each server can be asked.
    for (job, at) in upkeep::last_successes(platform).await? {
        metrics::gauge!(UPKEEP_SUCCEEDED, TASK => job.name()).set(seconds(at));
    }
    Ok(())
}

fn succeeded(job: Job, report: &Report) {
    let Report { removed, made, months_ahead, problems } = report;
    tracing::info!(job = job.name(), removed, made, months_ahead, "upkeep was done");
    metrics::counter!(UPKEEP_RUNS, TASK => job.name(), "outcome" => "success").increment(1);
    metrics::counter!(UPKEEP_REMOVED, TASK => job.name()).increment(*removed);
    if let Some(months) = months_ahead {
        tell_months_ahead(*months);
    }
    if let Some(problems) = problems {
        tell_problems(problems);
    }
}

fn tell_months_ahead(months: u32) {
    metrics::gauge!(MONTHS_AHEAD).set(f64::from(months));
    if months < WANTED_AHEAD {
        tracing::warn!(
            months,
            "the trail has too few months ahead: what is recorded then goes into the default partition"
        );
    }
}

fn tell_problems(problems: &[String]) {
    metrics::gauge!(INTEGRITY_PROBLEMS).set(f64::from(u32::try_from(problems.len()).unwrap_or(u32::MAX)));
    for problem in problems {
        tracing::error!(problem, "the database is not as it should be");
    }
}

fn failed(job: Job, error: &orgtrail::Error) {
    let cause = std::error::Error::source(error).map(chain).unwrap_or_default();
    tracing::warn!(job = job.name(), %error, cause, "upkeep failed, and will be tried again");
    metrics::counter!(UPKEEP_RUNS, TASK => job.name(), "outcome" => "failure").increment(1);
}

/// Seconds since 1970, as metrics have times: exact until 2106.
fn seconds(at: DateTime<Utc>) -> f64 {
    f64::from(u32::try_from(at.timestamp()).unwrap_or_default())
}
