//! Upkeep: what is done now and then so that a database can be used for years. Of several servers one does each job (ADR 0025).

use chrono::{Datelike, NaiveDate, TimeDelta};

use crate::Result;
use crate::platform::Platform;

mod credentials;
mod integrity;
mod organizations;
pub mod partitions;
mod retention;
mod turn;

pub use integrity::{events_without_month, verify};
pub use turn::{LastSuccess, Turn, last_successes};

/// Something that is done now and then. Each of its transactions stands alone: a job that broke off goes on the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Months of the trail are made ahead.
    Partitions,
    /// Sessions, mailed links and throttles that are over are deleted.
    Credentials,
    /// What is over in organizations, and attempts to sign in, are forgotten after the retention.
    Organizations,
    /// Months of the trail that are older than the retention are dropped.
    Retention,
    /// What was recorded within the last hour is read again.
    Recent,
    /// The schema's guards are looked at, and what is kept of every trail is read again.
    Integrity,
}

/// Jobs that wait for each other. What is done often does not wait for what is done daily, which may read for hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What is done every few minutes.
    Often,
    /// What is done once a day: months of the trail do not go while it is read.
    Daily,
}

impl Lane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Often, Self::Daily];
}

impl Job {
    /// Every job, in the order in which those of a lane are done.
    pub const ALL: [Self; 6] =
        [Self::Partitions, Self::Credentials, Self::Organizations, Self::Retention, Self::Recent, Self::Integrity];

    /// Its name in the log, in metrics and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partitions => "partitions",
            Self::Credentials => "credentials",
            Self::Organizations => "organizations",
            Self::Retention => "retention",
            Self::Recent => "recent",
            Self::Integrity => "integrity",
        }
    }

    /// How long after it was done it is done again.
    #[must_use]
    pub const fn period(self) -> TimeDelta {
        match self {
            // What is over is refused at once; its row may stay a little.
            Self::Credentials => TimeDelta::minutes(10),
            Self::Recent => TimeDelta::minutes(5),
            Self::Partitions | Self::Organizations | Self::Retention | Self::Integrity => TimeDelta::days(1),
        }
    }

    /// The jobs with which it waits.
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            Self::Credentials | Self::Recent => Lane::Often,
            // Of one lane: a month that went while it is read would seem to be missing.
            Self::Retention | Self::Integrity | Self::Partitions | Self::Organizations => Lane::Daily,
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] without a database; the first failure of a job that got on with everything else.
    pub async fn run(self, platform: &Platform, retention: Retention) -> Result<Report> {
        match self {
            Self::Partitions => partitions::make_ahead(platform).await,
            Self::Credentials => credentials::delete_ended(platform).await.map(Report::removed),
            Self::Organizations => organizations::forget(platform, retention).await.map(Report::removed),
            Self::Retention => retention::prune(platform, retention).await.map(Report::removed),
            Self::Recent => integrity::lately(platform).await.map(Report::found),
            Self::Integrity => integrity::problems(platform).await.map(Report::found),
        }
    }
}

/// What a job did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that went, events included.
    pub removed: u64,
    /// Partitions that were made.
    pub made: u64,
    /// What is not as it should be, a sentence for each; of [`Job::Recent`] and [`Job::Integrity`] only.
    pub problems: Option<Vec<String>>,
}

impl Report {
    fn removed(removed: u64) -> Self {
        Self { removed, ..Self::default() }
    }

    fn found(problems: Vec<String>) -> Self {
        Self { problems: Some(problems), ..Self::default() }
    }
}

/// Days for which everything is kept, `ORGTRAIL_RETENTION_DAYS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(i32);

impl Retention {
    /// Fewest days: what pages and exports can ask for (contract §9). The database holds on to it too.
    pub const FLOOR: u32 = 90;
    /// Most days: a hundred years.
    pub const MOST: u32 = 36_525;

    /// So many days; nothing outside of [`Self::FLOOR`] to [`Self::MOST`].
    #[must_use]
    pub fn of_days(days: u32) -> Option<Self> {
        let days = Some(days).filter(|days| (Self::FLOOR..=Self::MOST).contains(days))?;
        i32::try_from(days).ok().map(Self)
    }

    /// How many.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self(90)
    }
}

/// Rows of one statement at most: short transactions disturb nobody.
const BATCH: u16 = 1000;

/// Does batch after batch, each of which answers its rows, until one was not full: that was the last. Answers the rows of all.
async fn until_last<F>(batch: impl Fn() -> F) -> Result<u64>
where
    F: Future<Output = Result<u64>>,
{
    let mut rows = 0;
    loop {
        let done = batch().await?;
        rows += done;
        if done < u64::from(BATCH) {
            return Ok(rows);
        }
    }
}

/// The first day of the month.
fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::executor::block_on;

    use super::*;
    use crate::Error;

    #[test]
    fn nothing_is_kept_for_less_than_the_floor() {
        assert_eq!(Retention::of_days(89), None);
        assert_eq!(Retention::of_days(90), Some(Retention::default()));
        assert_eq!(Retention::of_days(400).map(Retention::days), Some(400));
        assert_eq!(Retention::of_days(u32::MAX), None);
    }

    #[test]
    fn batches_end_with_the_first_that_is_not_full() {
        for (batches, rows) in [(vec![0], 0), (vec![1000, 1000, 7], 2007), (vec![1000, 0], 1000)] {
            let left = RefCell::new(batches.into_iter());
            let batch = || async { left.borrow_mut().next().ok_or(Error::NotFound) };
            assert_eq!(block_on(until_last(batch)).unwrap(), rows);
            assert_eq!(left.into_inner().len(), 0);
        }
        assert!(block_on(until_last(|| async { Err(Error::NotFound) })).is_err());
    }

    #[test]
    fn jobs_have_names_of_their_own() {
        let names: std::collections::HashSet<_> = Job::ALL.into_iter().map(Job::name).collect();
        assert_eq!(names.len(), Job::ALL.len());
    }
}
