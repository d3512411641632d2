//! Password work that is not done twice: the invented people sign in hundreds of times with one password, and verifying it takes most of a fill.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use orgtrail::Result;
use orgtrail::identity::password::{HashingPool, Verdict, Work};

/// Hashing that knows which password it found right for which hash. For the demo alone: a server keeps no passwords in memory.
pub(super) struct Remembering {
    real: Arc<dyn HashingPool>,
    found_right: Arc<Mutex<HashSet<Work>>>,
}

impl Remembering {
    pub(super) fn new(real: Arc<dyn HashingPool>) -> Self {
        Self { real, found_right: Arc::default() }
    }
}

/// The verdict on a right password whose hash is of today's making.
const RIGHT: Verdict = Verdict::Verified { right: true, rehashed: None };

impl HashingPool for Remembering {
    fn run(&self, work: Work) -> BoxFuture<'static, Result<Verdict>> {
        let found_right = self.found_right.clone();
        if found_right.lock().unwrap_or_else(PoisonError::into_inner).contains(&work) {
            return ready(Ok(RIGHT)).boxed();
        }
        let working = self.real.run(work.clone());
        async move {
            let verdict = working.await?;
            if verdict == RIGHT {
                found_right.lock().unwrap_or_else(PoisonError::into_inner).insert(work);
            }
            Ok(verdict)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Counts what it is asked, and finds one password right.
    #[derive(Default)]
    struct Counting(AtomicU32);

    impl HashingPool for Counting {
        fn run(&self, work: Work) -> BoxFuture<'static, Result<Verdict>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let right = matches!(&work, Work::Verify { typed, .. } if typed == "right");
            ready(Ok(Verdict::Verified { right, rehashed: None })).boxed()
        }
    }

    #[tokio::test]
    async fn what_was_right_is_right_for_its_hash_alone_and_what_was_wrong_is_asked_again() {
        let counting = Arc::new(Counting::default());
        let remembering = Remembering::new(counting.clone());
        let verify = async |typed: &str, hash: &str| {
            let work = Work::Verify { typed: typed.to_owned(), stored: Some(hash.to_owned()) };
            let verdict = remembering.run(work).await.unwrap();
            (verdict == RIGHT, counting.0.load(Ordering::Relaxed))
        };
        assert_eq!(verify("right", "one").await, (true, 1));
        assert_eq!(verify("right", "one").await, (true, 1));
        assert_eq!(verify("right", "other").await, (true, 2));
        assert_eq!(verify("wrong", "one").await, (false, 3));
        assert_eq!(verify("wrong", "one").await, (false, 4));
    }
}
