//! From what was asked for to two instants: the rules of contract §3, §4 and §9, with the server's time-zone database.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

use super::{MAX_DAYS, Preset, RangeInput, ResolvedRange, TimeRange, calendar};
use crate::audit::view::RangeView;
use crate::{Error, Result};

/// Checks and resolves a range, as seen at `now` in the zone `zone_name` (IANA; UTC unless chosen).
///
/// # Errors
/// [`Error::Invalid`] for `start`, `end` or `tz`, naming the bounds that are allowed.
pub fn resolve(input: &RangeInput, zone_name: Option<&str>, now: DateTime<Utc>) -> Result<ResolvedRange> {
    let limits = Limits::at(now, parse_zone(zone_name)?);
    match input {
        RangeInput::Default => Ok(limits.preset(Preset::Days30)),
        RangeInput::Preset(preset) => Ok(limits.preset(*preset)),
        RangeInput::Bounds { start, end } => limits.bounds(start, end),
    }
}

/// First instant of `day` in `zone`: local midnight, the earlier if there are two, and the end of the gap if there is none.
#[must_use]
pub fn start_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let after_gap = || GapInfo::new(&midnight, &zone).and_then(|gap| gap.end);
    let first = zone.from_local_datetime(&midnight).earliest().or_else(after_gap);
    first.map_or_else(|| midnight.and_utc(), |instant| instant.with_timezone(&Utc))
}

fn parse_zone(name: Option<&str>) -> Result<Tz> {
    let unknown = |_| {
        Error::invalid("tz", "A time zone is an IANA name like Europe/Berlin or America/New_York; UTC unless given.")
    };
    name.map_or(Ok(Tz::UTC), |name| name.parse().map_err(unknown))
}

/// One end of a range, as typed.
enum Bound {
    Day(NaiveDate),
    Instant(DateTime<Utc>),
}

impl Bound {
    /// Reads a day or an instant; otherwise says what is wrong.
    fn parse(typed: &str) -> Result<Self, String> {
        if has_shape_of_day(typed) {
            return typed.parse().map(Self::Day).map_err(|_| format!("There is no day {typed}."));
        }
        let instant = DateTime::parse_from_rfc3339(typed).map_err(|_| refusal_of_form(typed).to_owned())?;
        Ok(Self::Instant(to_whole_micros(&instant)))
    }
}

/// `YYYY-MM-DD`, digits only: chrono alone would also take `+2026-1-5`.
fn has_shape_of_day(typed: &str) -> bool {
    let place = |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    typed.len() == 10 && typed.bytes().enumerate().all(place)
}

/// The trail counts microseconds. In a half-open range, either bound moved up to the next whole one selects the same events.
fn to_whole_micros<Z: TimeZone>(instant: &DateTime<Z>) -> DateTime<Utc> {
    let micros = instant.timestamp() * 1_000_000 + i64::from(instant.timestamp_subsec_nanos().div_ceil(1_000));
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn refusal_of_form(typed: &str) -> &'static str {
    let is_naive = typed.parse::<NaiveDateTime>().is_ok();
    let lost_its_plus = typed
        .rsplit_once(' ')
        .is_some_and(|(time, offset)| DateTime::parse_from_rfc3339(&format!("{time}+{offset}")).is_ok());
    if lost_its_plus {
        return "The + of the offset was read as a space: write it as %2B in a URL, as in 2026-11-22T00:00:00%2B01:00.";
    }
    if is_naive {
        return "An instant needs its offset: add Z for UTC, or one like +01:00.";
    }
    "Write a day as YYYY-MM-DD, or an instant in RFC 3339 with Z or an offset, like 2026-11-22T00:00:00Z."
}

/// What may be chosen at a moment, in a zone.
struct Limits {
    now: DateTime<Utc>,
    zone: Tz,
    earliest: NaiveDate,
    today: NaiveDate,
}

impl Limits {
    fn at(now: DateTime<Utc>, zone: Tz) -> Self {
        let today = now.with_timezone(&zone).date_naive();
        Self { now, zone, earliest: calendar::earliest(today), today }
    }

    fn preset(&self, preset: Preset) -> ResolvedRange {
        let last = |days| self.whole_days(calendar::days_before(self.today, days - 1), self.today);
        let resolved = match preset {
            Preset::Hours24 => self.last_24_hours(),
            Preset::Days7 => last(7),
            Preset::Days30 => last(30),
            Preset::Days90 => last(MAX_DAYS),
            Preset::Month => self.whole_days(self.today.with_day(1).unwrap_or(self.today), self.today),
        };
        let view = RangeView { preset: Some(preset.as_str().to_owned()), ..resolved.view };
        ResolvedRange { view, ..resolved }
    }

    fn last_24_hours(&self) -> ResolvedRange {
        let minute = self.now.timestamp().div_euclid(60);
        let at = |minute: i64| DateTime::from_timestamp(minute * 60, 0).unwrap_or(self.now);
        self.resolved(TimeRange { start: at(minute - 24 * 60), end: at(minute + 1) }, false)
    }

    fn bounds(&self, start: &str, end: &str) -> Result<ResolvedRange> {
        let parse = |field, typed| Bound::parse(typed).map_err(|wrong| self.refuse_days(field, &wrong));
        match (parse("start", start)?, parse("end", end)?) {
            (Bound::Day(first), Bound::Day(last)) => self.days(first, last),
            (Bound::Instant(start), Bound::Instant(end)) => self.instants(start, end),
            _ => Err(self.refuse_days("end", "Write start and end in the same form: two days, or two instants.")),
        }
    }

    fn days(&self, first: NaiveDate, last: NaiveDate) -> Result<ResolvedRange> {
        let length = calendar::length(first, last);
        if length < 1 {
            return Err(self.refuse_days("end", &format!("The last day, {last}, is before the first, {first}.")));
        }
        if length > MAX_DAYS.cast_signed() {
            return Err(self.refuse_days("start", &format!("{first} to {last} are {length} days.")));
        }
        if first < self.earliest {
            return Err(
                self.refuse_days("start", &format!("{first} is too long ago: the trail goes back {MAX_DAYS} days."))
            );
        }
        if last > self.today {
            return Err(self.refuse_days("end", &format!("{last} is in the future.")));
        }
        Ok(self.whole_days(first, last))
    }

    fn refuse_days(&self, field: &str, wrong: &str) -> Error {
        let Self { earliest, today, zone, .. } = self;
        Error::invalid(
            field,
            format!("{wrong} Choose days from {earliest} to {today} ({zone}), at most {MAX_DAYS} of them."),
        )
    }

    fn whole_days(&self, first: NaiveDate, last: NaiveDate) -> ResolvedRange {
        let end = start_of(last + Days::new(1), self.zone);
        self.resolved(TimeRange { start: start_of(first, self.zone), end }, true)
    }

    /// Instants are measured in UTC, except that they end at the latest with today in the zone (contract §9).
    fn instants(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> Result<ResolvedRange> {
        let floor = start_of(calendar::earliest(self.now.date_naive()), Tz::UTC);
        let ceiling = start_of(self.today + Days::new(1), self.zone);
        let refuse = |field: &str, wrong: &str| {
            let (floor, ceiling) = (seconds(floor), seconds(ceiling));
            Err(Error::invalid(
                field,
                format!("{wrong} Choose instants from {floor} to {ceiling}, on at most {MAX_DAYS} days (UTC)."),
            ))
        };
        if start >= end {
            return refuse("end", &format!("The end, {}, is not after the start, {}.", micros(end), micros(start)));
        }
        let days = calendar::length(start.date_naive(), last_moment(end).date_naive());
        if days > MAX_DAYS.cast_signed() {
            return refuse("start", &format!("{} to {} are on {days} days.", micros(start), micros(end)));
        }
        if start < floor {
            return refuse(
                "start",
                &format!("{} is too long ago: the trail goes back {MAX_DAYS} days.", micros(start)),
            );
        }
        if end > ceiling {
            return refuse("end", &format!("{} is in the future.", micros(end)));
        }
        Ok(self.resolved(TimeRange { start, end }, false))
    }

    fn resolved(&self, range: TimeRange, whole_days: bool) -> ResolvedRange {
        let first_day = range.start.with_timezone(&self.zone).date_naive();
        let last_day = last_moment(range.end).with_timezone(&self.zone).date_naive();
        let view = RangeView {
            preset: None,
            first_day: first_day.to_string(),
            last_day: last_day.to_string(),
            earliest_day: self.earliest.to_string(),
            today: self.today.to_string(),
            zone: self.zone.name().to_owned(),
            whole_days,
            label: if whole_days { calendar::label(first_day, last_day) } else { self.label_of_instants(range) },
            start: micros(range.start),
            end: micros(range.end),
        };
        ResolvedRange { range, view, first_day, last_day }
    }

    fn label_of_instants(&self, range: TimeRange) -> String {
        let [start, end] = [range.start, range.end].map(|instant| instant.with_timezone(&self.zone).naive_local());
        let time = if start.and_utc().timestamp() % 60 == 0 && end.and_utc().timestamp() % 60 == 0 {
            "%H:%M"
        } else {
            "%H:%M:%S"
        };
        let [start, end] =
            [start, end].map(|local| format!("{} {}", calendar::label(local.date(), local.date()), local.format(time)));
        format!("{start} – {end}")
    }
}

/// The last microsecond before the excluded end of a range.
fn last_moment(end: DateTime<Utc>) -> DateTime<Utc> {
    end - TimeDelta::microseconds(1)
}

fn micros(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn seconds(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
