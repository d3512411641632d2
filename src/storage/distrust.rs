//! Connections that did not answer, and whatever else is as old: they are not used again. The driver would ask them whether they live, and wait.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When connections were last found not to answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Distrust(Arc<Mutex<Option<Instant>>>);

impl Distrust {
    /// Distrusts every connection that there is now.
    pub(super) fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of this age is distrusted.
    pub(super) fn covers(&self, age: Duration) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|since| since.elapsed() <= age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_later_is_trusted() {
        let (distrust, day) = (Distrust::default(), Duration::from_hours(24));
        assert!(!distrust.covers(day), "nothing has happened");
        distrust.clone().begin();
        assert!(distrust.covers(day), "it was there before");
        assert!(!distrust.covers(Duration::ZERO));
    }
}
