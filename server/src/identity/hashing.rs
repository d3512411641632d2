//! Where passwords are hashed: as many at a time as there are cores, and a short queue.

use std::sync::Arc;
use std::thread::available_parallelism;

use futures::FutureExt;
use futures::future::BoxFuture;
use orgtrail::identity::password::{HashingPool, Verdict, Work};
use orgtrail::{Error, Result};
use tokio::sync::Semaphore;

/// Most that wait; each takes about 30 ms of a core and, once it runs, 19 MiB.
const QUEUE: usize = 32;

/// Hashes on the threads for blocking work, a bounded number at a time.
#[derive(Clone, Debug)]
pub struct Hashing {
    /// One permit for each that runs.
    running: Arc<Semaphore>,
    /// One permit for each that runs or waits.
    admitted: Arc<Semaphore>,
}

/// There is no place in the queue.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are being checked")]
struct Busy;

impl Default for Hashing {
    /// One at a time for each core.
    fn default() -> Self {
        Self::new(available_parallelism().map_or(1, usize::from), QUEUE)
    }
}

impl Hashing {
    fn new(running: usize, waiting: usize) -> Self {
        let admitted = Arc::new(Semaphore::new(running + waiting));
        Self { running: Arc::new(Semaphore::new(running)), admitted }
    }

    async fn run_admitted(self, work: impl FnOnce() -> Result<Verdict> + Send + 'static) -> Result<Verdict> {
        // Refused before any work, and before anything waits.
        let admitted = self.admitted.try_acquire_owned().map_err(|_| Error::Unavailable(Box::new(Busy)))?;
        let running = self.running.acquire_owned().await.map_err(Error::internal)?;
        // The permits go with the work: a caller that leaves does not make room before it ends.
        let job = move || {
            let verdict = work();
            drop((admitted, running));
            verdict
        };
        tokio::task::spawn_blocking(job).await.map_err(Error::internal)?
    }
}

impl HashingPool for Hashing {
    fn run(&self, work: Work) -> BoxFuture<'static, Result<Verdict>> {
        self.clone().run_admitted(|| work.run()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn verdict() -> Verdict {
        Verdict::Hash("hash".to_owned())
    }

    #[tokio::test]
    async fn runs_some_lets_some_wait_and_refuses_the_rest_at_once() {
        let pool = Hashing::new(1, 1);
        let (release, gate) = mpsc::channel::<()>();
        let first = tokio::spawn(pool.clone().run_admitted(move || {
            gate.recv().map_err(Error::internal)?;
            Ok(verdict())
        }));
        let second = tokio::spawn(pool.clone().run_admitted(|| Ok(verdict())));
        while pool.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let third = pool.clone().run_admitted(|| Ok(verdict())).await;
        assert!(matches!(third, Err(Error::Unavailable(_))));
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap().unwrap(), verdict());
        assert_eq!(second.await.unwrap().unwrap(), verdict());
        assert_eq!(pool.admitted.available_permits(), 2);
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let pool = Hashing::new(1, 0);
        assert!(pool.clone().run_admitted(|| panic!("broken")).await.is_err());
        assert!(pool.run_admitted(|| Ok(verdict())).await.is_ok());
    }
}
