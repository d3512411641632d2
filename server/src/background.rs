//! What the server does without being asked.

use std::time::Duration;

use orgtrail::Result;
use orgtrail::identity::attempt;
use orgtrail::platform::Platform;
use orgtrail::upkeep::{Lane, Retention};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::http::problem::chain;
use crate::patience::within;
use crate::{replica, upkeep};

/// Attempts to sign in are in the trails within a second (contract §9). Every server copies: each copy is made by one.
const COPY_ATTEMPTS: Duration = Duration::from_millis(500);

/// The tasks, until they are stopped.
pub struct Background {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Background {
    /// Starts them. What asks the database one small thing after the other waits for each no longer than `patience`.
    #[must_use]
    pub fn start(platform: &Platform, retention: Retention, patience: Duration, cluster: Option<&Cluster>) -> Self {
        let mut background = Self { tasks: JoinSet::new(), stop: CancellationToken::new() };
        let copier = platform.clone();
        background.every(COPY_ATTEMPTS, "copying sign-in attempts", move || copy_attempts(copier.clone(), patience));
        for lane in Lane::ALL {
            let keeper = platform.clone();
            background
                .every(upkeep::BETWEEN_TURNS, "upkeep", move || keep_up(keeper.clone(), lane, retention, patience));
        }
        background.run(replica::watch(platform.database.clone()));
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
        let repeat = async move {
            loop {
                if let Err(error) = job().await {
                    let cause = std::error::Error::source(&error).map(chain).unwrap_or_default();
                    tracing::warn!(what, %error, cause, "will be tried again");
                }
                tokio::time::sleep(period).await;
            }
        };
        self.run(repeat);
    }

    /// Runs `task` until they are stopped.
    pub fn run(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let _ended = stop.run_until_cancelled(task).await;
        });
    }

    /// Stops them where they stand: each works in transactions.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn copy_attempts(platform: Platform, patience: Duration) -> Result<()> {
    while within(patience, &platform, attempt::copy_pending(&platform)).await? > 0 {}
    Ok(())
}

async fn keep_up(platform: Platform, lane: Lane, retention: Retention, patience: Duration) -> Result<()> {
    upkeep::turn(&platform, lane, retention, patience).await
}
