//! Where schemas are composed and documents validated: two at a time, and a short queue.

use futures::FutureExt;
use futures::future::BoxFuture;
use orgtrail::Result;
use orgtrail::meter::Busy;
use orgtrail::platform::work::Workers;

use crate::pool::Pool;

/// Each may take seconds of a core and, with the largest schemas, some hundred MiB.
const RUNNING: usize = 2;

/// Most that wait.
const QUEUE: usize = 16;

/// Computes on the threads for blocking work, a bounded amount at a time.
#[derive(Clone, Debug)]
pub struct Composing(Pool);

impl Default for Composing {
    fn default() -> Self {
        Self(Pool::new(Busy::Composing, RUNNING, QUEUE))
    }
}

impl Workers for Composing {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<()>> {
        self.0
            .clone()
            .run(move || {
                work();
                Ok(())
            })
            .boxed()
    }
}
