//! What is refused at the door: counted each time, and said in the log once a minute at most, however many come.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use orgtrail::meter::Busy;
use tokio::time::Instant;

/// How long nothing is said after something was.
const PAUSE: Duration = Duration::from_mins(1);

/// What was said of each reason, by the whole process: so are the counters.
static SAID: [Mutex<Said>; Busy::ALL.len()] = [const { Mutex::new(Said { at: None, since: 0 }) }; Busy::ALL.len()];

/// When it was said last, and how often it happened since.
struct Said {
    at: Option<Instant>,
    since: u64,
}

/// Something of a client is refused or broken off; who it is, where that is known here.
pub fn count(reason: Busy, client: Option<IpAddr>) {
    reason.refused();
    // Nothing panics while it is locked.
    let times = SAID[reason as usize].lock().unwrap_or_else(PoisonError::into_inner).again(Instant::now());
    if let Some(times) = times {
        let ip = client.map(tracing::field::display);
        tracing::warn!(reason = reason.as_str(), times, ip, "clients are refused");
    }
}

impl Said {
    /// It happens once more. Answers how often since it was said last, if it is to be said again.
    fn again(&mut self, now: Instant) -> Option<u64> {
        self.since += 1;
        if self.at.is_some_and(|at| now.duration_since(at) < PAUSE) {
            return None;
        }
        self.at = Some(now);
        Some(std::mem::take(&mut self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_once_and_then_once_a_minute_with_how_often() {
        let (mut said, now) = (Said { at: None, since: 0 }, Instant::now());
        assert_eq!(said.again(now), Some(1));
        for _ in 0..5 {
            assert_eq!(said.again(now + PAUSE / 2), None);
        }
        assert_eq!(said.again(now + PAUSE), Some(6));
        assert_eq!(said.again(now + PAUSE), None);
        assert_eq!(said.again(now + PAUSE * 2), Some(2));
    }

    #[test]
    fn each_reason_has_a_place() {
        let places: Vec<_> = Busy::ALL.into_iter().map(|reason| reason as usize).collect();
        assert_eq!(places, (0..SAID.len()).collect::<Vec<_>>());
    }
}
