//! Threads for heavy work: as much at a time as was decided, a short queue, and no more.

use std::sync::Arc;

use metrics::gauge;
use orgtrail::meter::Busy;
use orgtrail::{Error, Result, trace};
use tokio::sync::Semaphore;

use crate::metrics::{WORK_RUNNING, WORK_WAITING, While};

/// Runs work on the threads for blocking work, a bounded amount at a time.
#[derive(Clone, Debug)]
pub struct Pool {
    /// What it is for, as refusals and metrics say it.
    kind: Busy,
    /// One permit for each that runs.
    running: Arc<Semaphore>,
    /// One permit for each that runs or waits.
    admitted: Arc<Semaphore>,
}

/// There is no place in the queue.
#[derive(Debug, thiserror::Error)]
#[error("too much work of this kind waits already")]
struct TooMuch;

impl Pool {
    /// As many at a time as `running`, and a queue of `waiting`.
    #[must_use]
    pub fn new(kind: Busy, running: usize, waiting: usize) -> Self {
        let admitted = Arc::new(Semaphore::new(running + waiting));
        Self { kind, running: Arc::new(Semaphore::new(running)), admitted }
    }

    /// Runs `work` when there is room.
    ///
    /// # Errors
    /// [`Error::Unavailable`] at once if too many wait; [`Error::Internal`] if it panics.
    pub async fn run<T: Send + 'static>(self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        // Refused before any work, and before anything waits.
        let Ok(admitted) = self.admitted.try_acquire_owned() else {
            self.kind.refused();
            return Err(Error::Unavailable(Box::new(TooMuch)));
        };
        let span = trace::work(self.kind.as_str());
        let waiting = (While::begin(gauge!(WORK_WAITING, "work" => self.kind.as_str())), trace::waiting(&span));
        let running = self.running.acquire_owned().await.map_err(Error::internal)?;
        drop(waiting);
        let counted = While::begin(gauge!(WORK_RUNNING, "work" => self.kind.as_str()));
        // The permits go with the work: a caller that leaves does not make room before it ends.
        let job = move || {
            let done = work();
            drop((admitted, running, counted, span));
            done
        };
        tokio::task::spawn_blocking(job).await.map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn runs_some_lets_some_wait_and_refuses_the_rest_at_once() {
        let pool = Pool::new(Busy::Hashing, 1, 1);
        let (release, gate) = mpsc::channel::<()>();
        let first = tokio::spawn(pool.clone().run(move || gate.recv().map_err(Error::internal)));
        let second = tokio::spawn(pool.clone().run(|| Ok(2)));
        while pool.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let third = pool.clone().run(|| Ok(3)).await;
        assert!(matches!(third, Err(Error::Unavailable(_))));
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(second.await.unwrap().unwrap(), 2);
        assert_eq!(pool.admitted.available_permits(), 2);
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_and_gives_its_place_back() {
        let pool = Pool::new(Busy::Hashing, 1, 0);
        let broken = pool.clone().run(|| -> Result<()> { panic!("broken") }).await;
        assert!(matches!(broken, Err(Error::Internal(_))));
        assert!(pool.clone().run(|| Ok(())).await.is_ok());
    }
}
