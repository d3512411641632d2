//! The days of the plan: which are worked, and at what hours.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

use super::super::people::Place;
use super::{LENGTH, Planner};

/// A day after the founding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    /// Calendar day, UTC.
    pub date: NaiveDate,
    /// Working days before it, since the founding; of a weekend, those before Monday.
    pub working_days: usize,
}

impl Day {
    /// The days from the one after the founding to the last, in their order.
    pub(super) fn all(founded: DateTime<Utc>) -> impl Iterator<Item = Self> {
        let mut working_days = 0;
        let length = u64::try_from(LENGTH.num_days()).unwrap_or_default();
        (1..=length).filter_map(move |number| {
            let date = founded.date_naive().checked_add_days(Days::new(number))?;
            let day = Self { date, working_days };
            working_days += usize::from(day.is_worked());
            Some(day)
        })
    }

    /// Monday to Friday.
    pub(super) fn is_worked(self) -> bool {
        !matches!(self.date.weekday(), Weekday::Sat | Weekday::Sun)
    }

    /// Monday.
    pub(super) fn begins_week(self) -> bool {
        self.date.weekday() == Weekday::Mon
    }

    /// A time of this day, UTC.
    pub(super) fn at(self, hour: i64, minute: i64) -> DateTime<Utc> {
        self.date.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(hour * 60 + minute)
    }
}

/// When work begins where one is, and how long one may begin something new.
const BEGIN_HOUR: i64 = 8;
const WORKING_SECONDS: i64 = 9 * 3600;

impl Planner {
    /// A moment of the working hours of a place: at any office they lie within one day of UTC.
    pub(super) fn at_work(&mut self, day: Day, place: Place) -> DateTime<Utc> {
        day.at(BEGIN_HOUR - place.hours_ahead(), 10) + self.seconds(0..WORKING_SECONDS)
    }
}
