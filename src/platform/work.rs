//! Where heavy computing runs: off the threads of requests, a bounded amount at a time.

use futures::channel::oneshot;
use futures::future::BoxFuture;

use crate::platform::Platform;
use crate::{Error, Result};

/// Threads for work that takes up to seconds of a core.
pub trait Workers: Send + Sync {
    /// Runs `work` when there is room.
    ///
    /// # Errors
    /// [`Error::Unavailable`] at once if too many wait already; [`Error::Internal`] if the work panics.
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<()>>;
}

/// What `work` comes to, on the platform's workers.
pub(crate) async fn compute<T: Send + 'static>(
    platform: &Platform,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    // Nobody is left to receive it only if the request is gone.
    let job = move || drop(sender.send(work()));
    platform.workers.run(Box::new(job)).await?;
    receiver.await.map_err(Error::internal)
}
