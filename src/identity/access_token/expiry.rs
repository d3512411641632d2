//! The day after which an access token is no longer good, as forms have it.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use crate::{Error, Result};

/// When a token shall end.
#[derive(Debug, Clone, Copy)]
pub enum Expiry<'a> {
    /// Not at all.
    Never,
    /// At a moment.
    At(DateTime<Utc>),
    /// After a day, as typed in a form.
    LastDay(&'a str),
}

impl Expiry<'_> {
    /// The moment, of a token that ends at `present` now.
    pub(super) fn end(self, present: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>> {
        match self {
            Self::Never => Ok(None),
            Self::At(end) => Ok(Some(end)),
            Self::LastDay(typed) => parse(typed, present),
        }
    }
}

/// The moment at which a token ends whose last day (`YYYY-MM-DD`, UTC) was typed; nothing for no day at all. The day of the present moment
/// means that moment itself: who leaves the field alone moves nothing.
///
/// # Errors
/// [`Error::Invalid`] for `expires_on`.
pub fn parse(typed: &str, present: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    if present.is_some_and(|present| last_day(present) == typed) {
        return Ok(present);
    }
    let refused =
        || Error::invalid("expires_on", "The last day is a date like 2027-01-31, or empty for a token without end.");
    // Signs and spaces are left to whoever parses dates; here a day has one form.
    let is_written_so = |day: &NaiveDate| typed.len() == "2027-01-31".len() && day.to_string() == typed;
    let day = typed.parse::<NaiveDate>().ok().filter(is_written_so);
    let next = day.and_then(|day| day.checked_add_days(Days::new(1))).ok_or_else(refused)?;
    Ok(Some(next.and_time(chrono::NaiveTime::MIN).and_utc()))
}

/// The last day on which a token that ends at `end` is good, UTC.
#[must_use]
pub fn last_day(end: DateTime<Utc>) -> String {
    (end - TimeDelta::microseconds(1)).date_naive().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_through_its_last_day() {
        let end = parse(" 2027-01-31 ", None).unwrap().unwrap();
        assert_eq!(end.to_rfc3339(), "2027-02-01T00:00:00+00:00");
        assert_eq!(last_day(end), "2027-01-31");
        assert_eq!(parse("", Some(end)).unwrap(), None);
    }

    #[test]
    fn the_present_day_moves_nothing() {
        let end: DateTime<Utc> = "2027-01-31T12:34:56Z".parse().unwrap();
        assert_eq!(parse("2027-01-31", Some(end)).unwrap(), Some(end));
        assert_ne!(parse("2027-01-30", Some(end)).unwrap(), Some(end));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        let strange = ["-027-01-31", "+2027-1-31", "2027- 1-31", "+262142-12-31", "2027-01-31T00:00", "０００"];
        for typed in ["soon", "31.01.2027", "2027-02-30", "2027-1-1"].into_iter().chain(strange) {
            assert_eq!(parse(typed, None).unwrap_err().field(), Some("expires_on"), "{typed}");
        }
    }
}
