//! Ranges of time: what was asked for, checked against the 90-day rule and resolved to two instants (contract §3, §4, §9).

pub mod calendar;
#[cfg(feature = "postgres")]
mod resolve;

use chrono::{DateTime, NaiveDate, Utc};

use super::view::RangeView;

#[cfg(feature = "postgres")]
pub use resolve::{resolve, start_of};

/// Calendar days that a range may have, both ends included, and that the trail is kept.
pub const MAX_DAYS: u64 = 90;

/// A half-open range: `start` belongs to it, `end` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// First instant.
    pub start: DateTime<Utc>,
    /// First instant that does not belong to it.
    pub end: DateTime<Utc>,
}

/// A range that was checked, in the forms in which storage, pages and file names need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedRange {
    /// The two instants.
    pub range: TimeRange,
    /// What a page shows of it.
    pub view: RangeView,
    /// First calendar day in the zone.
    pub first_day: NaiveDate,
    /// Last calendar day in the zone, included.
    pub last_day: NaiveDate,
}

/// Ranges that have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The last 24 hours, rounded outwards to whole minutes so that the page, the count and the export name the same bounds.
    Hours24,
    /// Today and the six days before.
    Days7,
    /// Today and the 29 days before.
    Days30,
    /// Today and the 89 days before: everything.
    Days90,
    /// This month to date.
    Month,
}

impl Preset {
    /// Every preset, in the order in which the picker offers them.
    pub const ALL: [Self; 5] = [Self::Hours24, Self::Days7, Self::Days30, Self::Days90, Self::Month];

    /// The word of the URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hours24 => "24h",
            Self::Days7 => "7d",
            Self::Days30 => "30d",
            Self::Days90 => "90d",
            Self::Month => "month",
        }
    }

    /// For reading: `Last 30 days`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hours24 => "Last 24 hours",
            Self::Days7 => "Last 7 days",
            Self::Days30 => "Last 30 days",
            Self::Days90 => "Last 90 days",
            Self::Month => "This month",
        }
    }

    /// The preset that a word of the URL names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == word)
    }
}

/// A range as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeInput {
    /// By name.
    Preset(Preset),
    /// By two dates or two instants, as typed.
    Bounds {
        /// First day, or first instant.
        start: String,
        /// Last day (included), or the instant after the last (excluded).
        end: String,
    },
    /// Nothing was said: the last 30 days.
    Default,
}
