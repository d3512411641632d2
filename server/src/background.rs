//! What the server does without being asked.

use std::time::Duration;

use chrono::Days;
use orgtrail::identity::attempt;
use orgtrail::platform::Platform;
use orgtrail::{Result, storage};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::http::problem::chain;
use crate::identity::session_store::SessionStore;

/// Attempts to sign in are in the trails within a second (contract §9).
const COPY_ATTEMPTS: Duration = Duration::from_millis(500);
/// Sessions that ended are refused at once; their rows may stay a little.
const DELETE_SESSIONS: Duration = Duration::from_mins(10);
/// Partitions are made two months ahead: a day more or less does not matter.
const MAKE_PARTITIONS: Duration = Duration::from_hours(24);
/// Days for which partitions are made ahead.
const DAYS_AHEAD: u64 = 70;

/// The tasks, until they are stopped.
pub struct Background {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Background {
    /// Starts them.
    #[must_use]
    pub fn start(platform: &Platform, sessions: SessionStore, cluster: Option<&Cluster>) -> Self {
        let mut background = Self { tasks: JoinSet::new(), stop: CancellationToken::new() };
        let copier = platform.clone();
        background.every(COPY_ATTEMPTS, "copying sign-in attempts", move || copy_attempts(copier.clone()));
        let maker = platform.clone();
        background.every(MAKE_PARTITIONS, "making partitions", move || make_partitions(maker.clone()));
        background.every(DELETE_SESSIONS, "deleting ended sessions", move || delete_sessions(sessions.clone()));
        if let Some(cluster) = cluster {
            // Ends with the cluster.
            cluster.supervise();
        }
        background
    }

    /// Does `what` now and then every `period`, one at a time. A failure is logged, and it is tried again at the next turn.
    fn every<F>(&mut self, period: Duration, what: &'static str, job: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let stop = self.stop.clone();
        let repeat = async move {
            loop {
                if let Err(error) = job().await {
                    let cause = std::error::Error::source(&error).map(chain).unwrap_or_default();
                    tracing::warn!(what, %error, cause, "will be tried again");
                }
                tokio::time::sleep(period).await;
            }
        };
        self.tasks.spawn(async move {
            let _ended = stop.run_until_cancelled(repeat).await;
        });
    }

    /// Stops them where they stand: each works in transactions.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn copy_attempts(platform: Platform) -> Result<()> {
    while attempt::copy_pending(&platform).await? > 0 {}
    Ok(())
}

/// Makes the partitions of this month and the next two.
///
/// # Errors
/// [`orgtrail::Error::Unavailable`] without a database.
pub async fn make_partitions(platform: Platform) -> Result<()> {
    let today = platform.clock.now().date_naive();
    let last = today.checked_add_days(Days::new(DAYS_AHEAD)).unwrap_or(today);
    let made = storage::make_partitions(&platform.database, today, last).await?;
    if made > 0 {
        tracing::info!(made, "partitions made");
    }
    Ok(())
}

async fn delete_sessions(sessions: SessionStore) -> Result<()> {
    sessions.delete_ended().await?;
    Ok(())
}
