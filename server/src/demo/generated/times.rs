//! When generated events happen: rising through the range, often where people work and seldom where they sleep.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};

/// Rising moments of a range.
pub(super) struct Times {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    count: u64,
    given: u64,
    /// For each hour of the range, the weight of all hours up to its end.
    weights: Vec<f64>,
}

impl Times {
    /// `count` moments from `start` to `end`.
    pub(super) fn new(start: DateTime<Utc>, end: DateTime<Utc>, count: u64) -> Self {
        let mut sum = 0.0;
        let hours = (end - start).num_hours().max(1);
        let weights = (0..hours).map(|hour| {
            sum += weight(start + TimeDelta::hours(hour));
            sum
        });
        Self { start, end, count, given: 0, weights: weights.collect() }
    }

    /// The next moment: the range is cut into as many equal parts of its weight as there are moments, and each gets one, anywhere in it.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a place in time need not be exact"
    )]
    pub(super) fn next(&mut self, random: &mut fastrand::Rng) -> Option<DateTime<Utc>> {
        if self.given == self.count {
            return None;
        }
        let total = self.weights.last().copied()?;
        let wanted = (self.given as f64 + random.f64()) / self.count as f64 * total;
        self.given += 1;
        let hour = self.weights.partition_point(|weight| *weight <= wanted).min(self.weights.len() - 1);
        let before = if hour == 0 { 0.0 } else { self.weights[hour - 1] };
        let part = (wanted - before) / (self.weights[hour] - before);
        let at =
            self.start + TimeDelta::hours(i64::try_from(hour).ok()?) + TimeDelta::microseconds((part * 3.6e9) as i64);
        Some(at.min(self.end))
    }
}

/// How much happens in an hour: machines never sleep, people do.
fn weight(hour: DateTime<Utc>) -> f64 {
    let by_day = if matches!(hour.weekday(), Weekday::Sat | Weekday::Sun) { 0.3 } else { 1.0 };
    let by_hour = match hour.hour() {
        0..=5 => 0.2,
        6 | 20..=23 => 0.45,
        7 | 18 | 19 => 0.8,
        _ => 1.4,
    };
    by_day * by_hour
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_wanted_rising_within_the_range_and_mostly_by_day() {
        let end = DateTime::from_timestamp(1_795_230_699, 5_000).unwrap();
        let start = end - TimeDelta::days(89) - TimeDelta::minutes(50);
        let mut random = fastrand::Rng::with_seed(1);
        for count in [1, 2, 997, 50_000] {
            let mut times = Times::new(start, end, count);
            let given: Vec<_> = std::iter::from_fn(|| times.next(&mut random)).collect();
            assert_eq!(given.len() as u64, count);
            assert!(given.iter().all(|at| (start..=end).contains(at)));
            assert!(given.is_sorted());
            if count == 50_000 {
                let by_day = given.iter().filter(|at| (8..18).contains(&at.hour())).count();
                assert!((50..75).contains(&(by_day * 100 / given.len())), "{by_day}");
            }
        }
    }
}
