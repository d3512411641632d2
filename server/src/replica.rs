//! The replica, watched: it is asked as long as it was found good a second ago.

use std::time::Duration;

use metrics::gauge;
use orgtrail::storage::Database;
use orgtrail::storage::replica::{Replica, Unfit};
use tokio::time::{sleep, timeout};

use crate::metrics::{REPLICA_ASKED, REPLICA_BEHIND};

/// Time between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Longest wait for what is looked at. A replica that is slower would be no help.
const PATIENCE: Duration = Duration::from_secs(1);

/// Looks at the replica before the server starts. One that does not answer may do so later; the primary does its work until then.
///
/// # Errors
/// What is wrong with one that answers: a sentence for the operator.
pub async fn check(database: &Database) -> Result<(), &'static str> {
    match &database.replica {
        Some(replica) => match look(database, replica).await {
            Err(Unfit::Wrong(what)) => Err(what),
            Ok(()) | Err(Unfit::Silent(_) | Unfit::OtherTimeline) => Ok(()),
        },
        None => Ok(()),
    }
}

/// Looks at the replica from now on, if there is one. What changes is logged.
pub async fn watch(database: Database) {
    let Some(replica) = &database.replica else { return };
    let mut known = None;
    loop {
        let found = look(&database, replica).await.err().map(|unfit| unfit.to_string());
        if known.as_ref() != Some(&found) {
            match &found {
                None => tracing::info!("the replica answers pages and exports"),
                Some(why) => tracing::warn!(why, "the replica is not asked: the primary answers everything"),
            }
            known = Some(found);
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

async fn look(database: &Database, replica: &Replica) -> Result<(), Unfit> {
    let found = timeout(PATIENCE, replica.inspect(&database.reads)).await;
    // Nobody else waits here for so long.
    let found = found.unwrap_or(Err(Unfit::Silent(sqlx::Error::PoolTimedOut)));
    gauge!(REPLICA_ASKED).set(if found.is_ok() { 1.0 } else { 0.0 });
    match found {
        Ok(behind) => {
            replica.admit();
            #[expect(clippy::cast_precision_loss, reason = "nobody counts the last byte of petabytes")]
            gauge!(REPLICA_BEHIND).set(behind as f64);
            Ok(())
        }
        Err(unfit) => {
            replica.set_aside();
            Err(unfit)
        }
    }
}
