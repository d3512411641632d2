//! The window of a log: both ends included, 30 days up to now where nothing is said, and nothing of what is older than the trail.

use chrono::{DateTime, DurationRound, NaiveTime, TimeDelta, Utc};

use super::Asked;
use crate::audit::moment::rfc3339;
use crate::audit::range::{TimeRange, calendar};
use crate::{Error, Result};

/// Days before its end at which a window begins that has no beginning.
const DEFAULT_DAYS: i64 = 30;

/// Resolves the window of a first page, asked for at `now`.
///
/// # Errors
/// [`Error::Invalid`] for `startTime` if it is after the end.
pub(super) fn resolve(asked: &Asked, now: DateTime<Utc>) -> Result<TimeRange> {
    let last = asked.end_time.unwrap_or(now);
    let first =
        asked.start_time.unwrap_or_else(|| last.checked_sub_signed(TimeDelta::days(DEFAULT_DAYS)).unwrap_or(last));
    if first > last {
        let told = format!("The start, {}, is after the end, {}.", rfc3339(first), rfc3339(last));
        return Err(Error::invalid("startTime", told));
    }
    // The trail counts microseconds: the first whole one in the window, and the first after it.
    let micros = |at: DateTime<Utc>| at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at);
    let start = Some(micros(first)).filter(|start| *start == first).unwrap_or_else(|| after(micros(first)));
    Ok(not_below_the_floor(TimeRange { start, end: after(micros(last)) }, now))
}

/// What is older than the trail is not there, whether or not it has been dropped yet (contract §9).
pub(super) fn not_below_the_floor(window: TimeRange, now: DateTime<Utc>) -> TimeRange {
    let floor = calendar::earliest(now.date_naive()).and_time(NaiveTime::MIN).and_utc();
    let start = window.start.max(floor);
    TimeRange { start, end: window.end.max(start) }
}

fn after(at: DateTime<Utc>) -> DateTime<Utc> {
    at.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T12:00:00.000005Z";

    fn window(start: Option<&str>, end: Option<&str>) -> Result<[String; 2], String> {
        let at = |text: &str| text.parse().unwrap();
        let asked = Asked { start_time: start.map(at), end_time: end.map(at), ..Asked::default() };
        let range = resolve(&asked, at(NOW)).map_err(|error| error.to_string())?;
        Ok([rfc3339(range.start), rfc3339(range.end)])
    }

    #[test]
    fn thirty_days_up_to_now() {
        let of = |start, end| window(start, end).unwrap().join(" ");
        assert_eq!(of(None, None), "2026-10-23T12:00:00.000005Z 2026-11-22T12:00:00.000006Z");
        assert_eq!(of(None, Some("2026-11-01T00:00:00Z")), "2026-10-02T00:00:00.000000Z 2026-11-01T00:00:00.000001Z");
        assert_eq!(of(Some("2026-11-01T00:00:00Z"), None), "2026-11-01T00:00:00.000000Z 2026-11-22T12:00:00.000006Z");
    }

    #[test]
    fn both_ends_are_included_to_the_microsecond() {
        let at = "2026-11-01T00:00:00.000001Z";
        assert_eq!(window(Some(at), Some(at)).unwrap(), [at, "2026-11-01T00:00:00.000002Z"]);
        let within = window(Some("2026-11-01T00:00:00.0000001Z"), Some("2026-11-01T00:00:00.0000029Z")).unwrap();
        assert_eq!(within, ["2026-11-01T00:00:00.000001Z", "2026-11-01T00:00:00.000003Z"]);
    }

    #[test]
    fn what_is_older_than_the_trail_is_not_there() {
        let floor = "2026-08-25T00:00:00.000000Z";
        assert_eq!(window(Some("2025-01-01T00:00:00Z"), None).unwrap()[0], floor);
        assert_eq!(window(Some("2025-01-01T00:00:00Z"), Some("2025-02-01T00:00:00Z")).unwrap(), [floor, floor]);
        assert!(window(Some("+262142-12-31T23:59:59.999999999Z"), None).is_err());
        assert!(window(None, Some("+262142-12-31T23:59:59.999999999Z")).is_ok());
        assert!(window(Some("-262143-01-01T00:00:00Z"), Some("-262143-01-01T00:00:00Z")).is_ok());
    }

    #[test]
    fn a_start_after_the_end_is_refused() {
        let refused = window(Some("2026-11-22T12:00:00.000006Z"), None).unwrap_err();
        assert_eq!(
            refused,
            "startTime: The start, 2026-11-22T12:00:00.000006Z, is after the end, 2026-11-22T12:00:00.000005Z."
        );
    }
}
