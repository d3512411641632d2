//! The arithmetic of the date picker: month grids and the 90-day limit, pure, so that the browser runs it too.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::MAX_DAYS;

/// First day that can be chosen when it is `today`.
#[must_use]
pub fn earliest(today: NaiveDate) -> NaiveDate {
    today.checked_sub_days(Days::new(MAX_DAYS - 1)).unwrap_or(NaiveDate::MIN)
}

/// `day`, moved to the nearest one that can be chosen.
#[must_use]
pub fn clamp(day: NaiveDate, today: NaiveDate) -> NaiveDate {
    day.clamp(earliest(today), today)
}

/// The weeks (Monday first) that show the month of `day`, with the days of its neighbours that fill the first and last week.
#[must_use]
pub fn weeks(day: NaiveDate) -> Vec<[NaiveDate; 7]> {
    let first = day.with_day(1).unwrap_or(day).week(Weekday::Mon).first_day();
    let week = |start: NaiveDate| std::array::from_fn(|offset| start + Days::new(offset as u64));
    let starts = first.iter_weeks().take_while(|start| *start <= day || start.month() == day.month());
    starts.map(week).collect()
}
