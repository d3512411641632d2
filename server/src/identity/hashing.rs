//! Where passwords are hashed: as many at a time as there are cores, and a short queue.

use std::thread::available_parallelism;

use futures::FutureExt;
use futures::future::BoxFuture;
use orgtrail::Result;
use orgtrail::identity::password::{HashingPool, Verdict, Work};
use orgtrail::meter::Busy;

use crate::pool::Pool;

/// Most that wait; each takes about 30 ms of a core and, once it runs, 19 MiB.
const QUEUE: usize = 32;

/// Hashes on the threads for blocking work, a bounded number at a time.
#[derive(Clone, Debug)]
pub struct Hashing(Pool);

impl Default for Hashing {
    /// One at a time for each core.
    fn default() -> Self {
        Self(Pool::new(Busy::Hashing, available_parallelism().map_or(1, usize::from), QUEUE))
    }
}

impl HashingPool for Hashing {
    fn run(&self, work: Work) -> BoxFuture<'static, Result<Verdict>> {
        self.0.clone().run(|| work.run()).boxed()
    }
}
