//! For how long the database is waited for, where nobody waits for an answer.

use std::pin::pin;
use std::time::Duration;

use orgtrail::platform::Platform;
use orgtrail::{Error, Result};
use tokio::time::timeout;

/// What comes of `work`. After so long no answer of the database comes any more, and it is given up; before that, since what is dropped puts its
/// connections back, these are.
pub(crate) async fn within<T>(
    patience: Duration,
    platform: &Platform,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let mut work = pin!(work);
    match timeout(patience, &mut work).await {
        Ok(done) => done,
        Err(elapsed) => {
            platform.database.distrust();
            Err(Error::Unavailable(elapsed.into()))
        }
    }
}
