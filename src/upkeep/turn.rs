//! Whose turn it is: an advisory lock, which a server that dies gives back, and the times at which jobs were last done.

use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgAdvisoryLock, PgAdvisoryLockGuard};
use sqlx::{Either, Postgres};

use super::Job;
use crate::Result;
use crate::platform::Platform;

/// What the lock is derived from: one for each database.
const LOCK: &str = "orgtrail.upkeep";

/// The right to do upkeep. Where its connection breaks, another server may begin while this one is still at a job: no harm is done, because
/// each transaction of a job stands alone.
pub struct Turn {
    guard: PgAdvisoryLockGuard<PoolConnection<Postgres>>,
    platform: Platform,
}

impl Turn {
    /// Takes it, unless another server has it.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] without a database.
    pub async fn take(platform: &Platform) -> Result<Option<Self>> {
        let connection = platform.database.writes.acquire().await?;
        let taken = PgAdvisoryLock::new(LOCK).try_acquire(connection).await?;
        Ok(match taken {
            Either::Left(guard) => Some(Self { guard, platform: platform.clone() }),
            Either::Right(_) => None,
        })
    }

    /// The jobs whose time has come, in their order.
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
            let last = done.iter().find(|(done, _)| done == job);
            last.is_none_or(|(_, at)| now - *at >= job.period())
        };
        Ok(Job::ALL.into_iter().filter(is_due).collect())
    }

    /// Notes that a job was done.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] without a database.
    pub async fn succeeded(&mut self, job: Job) -> Result<()> {
        sqlx::query!(
            "insert into orgtrail.upkeep_jobs (job, succeeded_at) values ($1, coalesce($2, clock_timestamp()))
            on conflict (job) do update set succeeded_at = excluded.succeeded_at",
            job.name(),
            self.platform.clock.simulated_now()
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

/// When each job was last done, by whichever server.
///
/// # Errors
/// [`crate::Error::Unavailable`] without a database.
pub async fn last_successes(platform: &Platform) -> Result<Vec<(Job, DateTime<Utc>)>> {
    let rows = sqlx::query!("select job, succeeded_at from orgtrail.upkeep_jobs").fetch_all(&platform.database.writes);
    let known = |name: &str| Job::ALL.into_iter().find(|job| job.name() == name);
    Ok(rows.await?.into_iter().filter_map(|row| Some((known(&row.job)?, row.succeeded_at))).collect())
}
