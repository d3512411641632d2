//! Whose turn it is in a lane: an advisory lock, which a server that dies gives back, and the times at which jobs were last done.

use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgAdvisoryLock, PgAdvisoryLockGuard};
use sqlx::{Either, Postgres};

use super::{Job, Lane, Report};
use crate::Result;
use crate::platform::Platform;

/// What the lock of a lane is derived from: one for each database.
const fn lock(lane: Lane) -> &'static str {
    match lane {
        Lane::Often => "orgtrail.upkeep.often",
        Lane::Daily => "orgtrail.upkeep.daily",
    }
}

/// The right to do the jobs of a lane. Where its connection breaks, another server may begin while this one is still at a job: no harm is done, because
/// each transaction of a job stands alone.
pub struct Turn {
    lane: Lane,
    guard: PgAdvisoryLockGuard<PoolConnection<Postgres>>,
    platform: Platform,
}

impl Turn {
    /// Takes it, unless another server has it.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] without a database.
    pub async fn take(platform: &Platform, lane: Lane) -> Result<Option<Self>> {
        let connection = platform.database.writes.acquire().await?;
        let taken = PgAdvisoryLock::new(lock(lane)).try_acquire(connection).await?;
        Ok(match taken {
            Either::Left(guard) => Some(Self { lane, guard, platform: platform.clone() }),
            Either::Right(_) => None,
        })
    }

    /// The jobs of the lane whose time has come, in their order.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] without a database.
    pub async fn due(&mut self) -> Result<Vec<Job>> {
        let now = sqlx::query_scalar!(
            r#"select coalesce($1, clock_timestamp()) as "now!""#,
            self.platform.clock.simulated_now()
        )
        .fetch_one(&mut *self.guard)
        .await?;
        let done = last_successes(&self.platform).await?;
        let is_due = |job: &Job| {
            let last = done.iter().find(|done| done.job == *job);
            last.is_none_or(|last| now - last.at >= job.period())
        };
        Ok(Job::ALL.into_iter().filter(|job| job.lane() == self.lane).filter(is_due).collect())
    }

    /// Notes that a job was done, and how many problems it found.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] without a database.
    pub async fn succeeded(&mut self, job: Job, report: &Report) -> Result<()> {
        sqlx::query!(
            "insert into orgtrail.upkeep_jobs (job, succeeded_at, problems) values ($1, coalesce($2, clock_timestamp()), $3)
            on conflict (job) do update set succeeded_at = excluded.succeeded_at, problems = excluded.problems",
            job.name(),
            self.platform.clock.simulated_now(),
            report.problems.as_ref().map(|problems| i32::try_from(problems.len()).unwrap_or(i32::MAX))
        )
        .execute(&mut *self.guard)
        .await?;
        Ok(())
    }

    /// Gives it back.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] if the connection broke; then it is given back all the same.
    pub async fn end(self) -> Result<()> {
        self.guard.release_now().await?;
        Ok(())
    }
}

/// How a job ended when it was last done, by whichever server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSuccess {
    /// What was done.
    pub job: Job,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// How many problems it found, if it looks for any.
    pub problems: Option<i32>,
}

/// How each job ended when it was last done, by whichever server.
///
/// # Errors
/// [`crate::Error::Unavailable`] without a database.
pub async fn last_successes(platform: &Platform) -> Result<Vec<LastSuccess>> {
    let rows = sqlx::query!("select job, succeeded_at, problems from orgtrail.upkeep_jobs");
    let rows = rows.fetch_all(&platform.database.writes).await?;
    let known = |name: &str| Job::ALL.into_iter().find(|job| job.name() == name);
    let of_known = rows
        .into_iter()
        .filter_map(|row| Some(LastSuccess { job: known(&row.job)?, at: row.succeeded_at, problems: row.problems }));
    Ok(of_known.collect())
}
