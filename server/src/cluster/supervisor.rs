//! Starting Postgres again when it dies under a server that needs it.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tokio::time::{Instant, sleep};
use tracing::{error, warn};

use super::lock::StartLock;
use super::{ClusterError, Shared};
use crate::metrics::CLUSTER_RESTARTS;

const POLL: Duration = Duration::from_millis(200);
/// The pause before the first restart; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// One that ran this long counts as healthy again.
const STEADY: Duration = Duration::from_mins(1);

/// Runs until the cluster is told to stop.
pub(super) async fn run(shared: Arc<Shared>) {
    // The last word goes to `stop`: nothing is started after it.
    let stopping = shared.stopping.clone();
    stopping.run_until_cancelled(watch(&shared)).await;
}

async fn watch(shared: &Shared) {
    let mut pause = FIRST_PAUSE;
    loop {
        let since = Instant::now();
        until_gone(shared).await;
        pause = if since.elapsed() >= STEADY { FIRST_PAUSE } else { pause };
        warn!(?pause, "PostgreSQL is gone, starting it again");
        sleep(pause).await;
        match restart(shared).await {
            Ok(()) => counter!(CLUSTER_RESTARTS).increment(1),
            Err(reason) => {
                error!(error = &reason as &dyn std::error::Error, "PostgreSQL could not be started again");
            }
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn until_gone(shared: &Shared) {
    while is_alive(shared).await {
        sleep(POLL).await;
    }
}

async fn is_alive(shared: &Shared) -> bool {
    let mut postmaster = shared.postmaster.lock().await;
    postmaster.as_mut().is_some_and(|postmaster| shared.site.is_alive(postmaster))
}

async fn restart(shared: &Shared) -> Result<(), ClusterError> {
    let mut postmaster = shared.postmaster.lock().await;
    postmaster.take();
    let _lock = StartLock::take(shared.site.data_dir()).await?;
    *postmaster = Some(shared.site.bring_up().await?);
    Ok(())
}
