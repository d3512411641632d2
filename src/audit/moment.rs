//! Printing moments, on the server alone: UTC, and how long ago by the same calendar.

use chrono::{DateTime, SecondsFormat, Utc};

use super::view::Moment;

/// `at` as pages show it, when the clock shows `now`.
#[must_use]
pub fn moment(at: DateTime<Utc>, now: DateTime<Utc>) -> Moment {
    Moment { rfc3339: rfc3339(at), utc: at.format("%-d %b %Y %H:%M:%S").to_string(), relative: relative(at, now) }
}

/// RFC 3339, UTC, microseconds, `Z`.
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Below a day in hours and less, from then on in calendar days of UTC, so that "yesterday" is the day before the printed one.
fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    let days = (now.date_naive() - at.date_naive()).num_days();
    let (count, unit) = match seconds {
        ..-5 => return "in a moment".to_owned(),
        -5..10 => return "just now".to_owned(),
        10..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ if days == 1 => return "yesterday".to_owned(),
        _ => (days, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn says_how_long_ago() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let said: Vec<_> =
            [-60, 0, 10, 61, 7200, 86_400, 86_400 * 40].map(|ago| relative(now - TimeDelta::seconds(ago), now)).into();
        assert_eq!(
            said,
            ["in a moment", "just now", "10 seconds ago", "1 minute ago", "2 hours ago", "yesterday", "40 days ago"]
        );
    }

    #[test]
    fn a_day_is_one_of_the_calendar() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let morning = at("2026-11-22T09:00:00Z");
        for (then, said) in [
            ("2026-11-21T23:00:00Z", "10 hours ago"),
            ("2026-11-21T09:00:01Z", "23 hours ago"),
            ("2026-11-21T09:00:00Z", "yesterday"),
            ("2026-11-21T00:00:00Z", "yesterday"),
            ("2026-11-20T23:59:59Z", "2 days ago"),
            ("2026-11-20T19:00:00Z", "2 days ago"),
            ("2026-11-20T00:00:00Z", "2 days ago"),
            ("2026-11-19T23:00:00Z", "3 days ago"),
        ] {
            assert_eq!(relative(at(then), morning), said, "{then}");
        }
    }

    #[test]
    fn prints_microseconds_and_utc() {
        let at = DateTime::from_timestamp_micros(1_795_230_699_000_001).unwrap();
        assert_eq!(rfc3339(at), "2026-11-21T03:11:39.000001Z");
        assert_eq!(moment(at, at).utc, "21 Nov 2026 03:11:39");
    }
}
