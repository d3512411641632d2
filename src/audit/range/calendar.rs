//! The arithmetic of the date picker: month grids, the 90-day limit and how days are printed; pure, so that the browser runs it too.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::MAX_DAYS;

/// First day that can be chosen when it is `today`.
#[must_use]
pub fn earliest(today: NaiveDate) -> NaiveDate {
    days_before(today, MAX_DAYS - 1)
}

/// The day so many days before `day`.
#[must_use]
pub fn days_before(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
}

/// `day`, moved to the nearest one that can be chosen.
#[must_use]
pub fn clamp(day: NaiveDate, today: NaiveDate) -> NaiveDate {
    day.clamp(earliest(today), today)
}

/// Whether `day` can be chosen.
#[must_use]
pub fn is_selectable(day: NaiveDate, today: NaiveDate) -> bool {
    clamp(day, today) == day
}

/// Two ends of a range in whatever order they were chosen, as first and last day that can be chosen together.
#[must_use]
pub fn span(one: NaiveDate, other: NaiveDate, today: NaiveDate) -> (NaiveDate, NaiveDate) {
    let (first, last) = (clamp(one.min(other), today), clamp(one.max(other), today));
    (first.max(earliest(last)), last)
}

/// Days from `first` to `last`, both included.
#[must_use]
pub fn length(first: NaiveDate, last: NaiveDate) -> i64 {
    (last - first).num_days() + 1
}

/// First day of the month of `day`.
#[must_use]
pub fn month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// First day of the month so many months after (or, if negative, before) that of `day`.
#[must_use]
pub fn month_after(day: NaiveDate, months: i32) -> NaiveDate {
    let distance = Months::new(months.unsigned_abs());
    let moved =
        if months < 0 { month(day).checked_sub_months(distance) } else { month(day).checked_add_months(distance) };
    moved.unwrap_or_else(|| month(day))
}

/// The weeks, Monday first, that show the month of `day`; its neighbours' days fill the first and the last one.
#[must_use]
pub fn weeks(day: NaiveDate) -> Vec<[NaiveDate; 7]> {
    let mondays = month(day).week(Weekday::Mon).first_day().iter_weeks();
    let next_month = month_after(day, 1);
    let week = |monday: NaiveDate| std::array::from_fn(|weekday| monday + Days::new(weekday as u64));
    mondays.take_while(|monday| *monday < next_month).map(week).collect()
}

/// A range of days for reading: `22 Nov 2026`, `1 – 22 Nov 2026`, `24 Oct – 22 Nov 2026`, `28 Dec 2026 – 5 Jan 2027`.
#[must_use]
pub fn label(first: NaiveDate, last: NaiveDate) -> String {
    let whole = |day: NaiveDate| day.format("%-d %b %Y").to_string();
    if first == last {
        return whole(last);
    }
    let shared = match (first.year() == last.year(), first.month() == last.month()) {
        (true, true) => "%-d",
        (true, false) => "%-d %b",
        _ => "%-d %b %Y",
    };
    format!("{} – {}", first.format(shared), whole(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_earliest_day_is_89_days_before_today() {
        assert_eq!(earliest(day("2026-11-22")), day("2026-08-25"));
        assert_eq!(length(earliest(day("2026-11-22")), day("2026-11-22")), 90);
    }

    #[test]
    fn a_month_is_shown_in_whole_weeks() {
        let november = weeks(day("2026-11-22"));
        assert_eq!(november.len(), 6);
        assert_eq!((november[0][0], november[5][6]), (day("2026-10-26"), day("2026-12-06")));
        assert_eq!(weeks(day("2027-02-14")).len(), 4, "28 days that begin on a Monday need no neighbours");
    }

    #[test]
    fn labels_say_no_more_than_needed() {
        let labels = [
            ("2026-11-22", "2026-11-22"),
            ("2026-11-01", "2026-11-22"),
            ("2026-10-24", "2026-11-22"),
            ("2026-12-28", "2027-01-05"),
        ]
        .map(|(first, last)| label(day(first), day(last)));
        assert_eq!(labels, ["22 Nov 2026", "1 – 22 Nov 2026", "24 Oct – 22 Nov 2026", "28 Dec 2026 – 5 Jan 2027"]);
    }

    #[test]
    fn months_are_counted_across_years() {
        assert_eq!(month_after(day("2026-11-30"), 3), day("2027-02-01"));
        assert_eq!(month_after(day("2026-01-31"), -1), day("2025-12-01"));
    }

    proptest! {
        #[test]
        fn a_month_grid_holds_each_of_its_days_once(offset in 0u64..40_000) {
            let any = day("1970-01-01") + Days::new(offset);
            let shown: Vec<_> = weeks(any).concat();
            prop_assert!(shown.windows(2).all(|pair| pair[1] == pair[0] + Days::new(1)));
            prop_assert!(shown[0].weekday() == Weekday::Mon && shown.contains(&any));
            prop_assert!(shown[0] > month(any) - Days::new(7) && *shown.last().unwrap() < month_after(any, 1) + Days::new(7));
        }

        #[test]
        fn a_span_can_always_be_chosen(one in 0u64..40_000, other in 0u64..40_000, now in 0u64..40_000) {
            let at = |offset| day("1970-01-01") + Days::new(offset);
            let (first, last) = span(at(one), at(other), at(now));
            prop_assert!(first <= last && (1..=90).contains(&length(first, last)));
            prop_assert!(is_selectable(first, at(now)) && is_selectable(last, at(now)));
        }
    }
}
