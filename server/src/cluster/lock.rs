//! One starter at a time for each data folder.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{ClusterError, files};

/// Longer than a first start on a slow disk.
const PATIENCE: Duration = Duration::from_secs(330);
const POLL: Duration = Duration::from_millis(20);

/// Held while a cluster is made, started or adopted. The kernel lets go of it when the process ends, however it ends.
pub(super) struct StartLock {
    _file: File,
}

impl StartLock {
    /// Waits for its turn without blocking the runtime.
    pub(super) async fn take(data_dir: &Path) -> Result<Self, ClusterError> {
        let path = data_dir.join("postgres.lock");
        let file = files::open(&path, false)?;
        let deadline = Instant::now() + PATIENCE;
        while !try_lock(&file, &path)? {
            if Instant::now() > deadline {
                return Err(ClusterError::Locked { lock: path, seconds: PATIENCE.as_secs() });
            }
            sleep(POLL).await;
        }
        Ok(Self { _file: file })
    }
}

fn try_lock(file: &File, path: &Path) -> Result<bool, ClusterError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(ClusterError::file("lock", path)(source)),
    }
}
