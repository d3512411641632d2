//! How often one access token may ask (contract §9): counted in this process, so that several servers each let as many through.
//!
//! A minute that begins with the first request, and then the next one: what is counted is what the answer says, which a bucket that refills
//! meanwhile does not.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

const MINUTE: Duration = Duration::from_mins(1);

/// The requests of each token.
#[derive(Debug)]
pub struct Rate {
    most: u32,
    minutes: Mutex<Minutes>,
}

#[derive(Debug, Default)]
struct Minutes {
    /// Of each token, when its minute began and how often it has asked since.
    of_tokens: HashMap<Uuid, (Instant, u32)>,
    swept: Option<Instant>,
}

impl Rate {
    /// At most `most` requests a minute.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self { most, minutes: Mutex::default() }
    }

    /// The most that one token may ask in a minute.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.most
    }

    /// Counts a request at `now`.
    ///
    /// # Errors
    /// Whole seconds until the token may ask again, if this was one too many.
    pub fn take(&self, token: Uuid, now: Instant) -> Result<(), u64> {
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        minutes.sweep(now);
        let (began, requests) = minutes.of_tokens.entry(token).or_insert((now, 0));
        if now.duration_since(*began) >= MINUTE {
            (*began, *requests) = (now, 0);
        }
        if *requests >= self.most {
            let left = MINUTE.saturating_sub(now.duration_since(*began));
            return Err(left.as_secs() + u64::from(left.subsec_nanos() > 0));
        }
        *requests += 1;
        Ok(())
    }
}

impl Minutes {
    /// Forgets the minutes that are over, once in each.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_none_or(|swept| now.duration_since(swept) >= MINUTE) {
            self.of_tokens.retain(|_, (began, _)| now.duration_since(*began) < MINUTE);
            self.swept = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_requests() {
        let (rate, start, token) = (Rate::new(2), Instant::now(), Uuid::from_u128(1));
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!([rate.take(token, at(0)), rate.take(token, at(10))], [Ok(()), Ok(())]);
        assert_eq!(rate.take(token, at(20)), Err(60));
        assert_eq!(rate.take(Uuid::from_u128(2), at(20)), Ok(()));
        assert_eq!(rate.take(token, at(59_500)), Err(1));
        assert_eq!([rate.take(token, at(60_000)), rate.take(token, at(60_001))], [Ok(()), Ok(())]);
        assert_eq!(rate.take(token, at(60_002)), Err(60));
    }

    #[test]
    fn tokens_that_ask_no_more_are_forgotten() {
        let (rate, start) = (Rate::new(1), Instant::now());
        for number in 0..100 {
            rate.take(Uuid::from_u128(number), start).unwrap();
        }
        rate.take(Uuid::from_u128(1000), start + MINUTE).unwrap();
        assert_eq!(rate.minutes.lock().unwrap().of_tokens.len(), 1);
    }
}
