//! What may be asked of the trail: one parser of query strings for the page, the count and the export.

pub mod filter;
pub mod link;
pub mod pairs;
#[cfg(feature = "postgres")]
mod parse;
#[cfg(feature = "postgres")]
pub(crate) mod parts;

pub use filter::{ActionPattern, ActorFilter, EventFilter, Id, ObjectFilter, Words};
pub use pairs::Pairs;
#[cfg(feature = "postgres")]
pub use parse::parse_event;

use super::range::ResolvedRange;

/// What the page shows: filter, range, and where in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// Which events.
    pub filter: EventFilter,
    /// From when to when.
    pub range: ResolvedRange,
    /// Which page; the newest if none.
    pub position: Option<Position>,
    /// The event that is open.
    pub event: Option<uuid::Uuid>,
}

/// A side of a cursor, not yet opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// The events just newer than the cursor's: parameter `before`.
    Before(String),
    /// The events just older than the cursor's: parameter `after`.
    After(String),
}

/// What an export contains, and how it is written.
#[cfg(feature = "postgres")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportQuery {
    /// Slug of the organization, as asked for.
    pub organization: String,
    /// Which events.
    pub filter: EventFilter,
    /// From when to when.
    pub range: ResolvedRange,
    /// CSV or NDJSON.
    pub format: ExportFormat,
    /// How many columns; always [`Profile::Full`] with NDJSON.
    pub profile: Profile,
    /// What is done to formulas; always raw with NDJSON.
    pub escaping: super::csv::Escaping,
    /// Whether a byte-order mark stands in front.
    pub bom: bool,
}

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// The seed's.
    Csv,
    /// One JSON object per line, byte-exact.
    Ndjson,
}

impl ExportFormat {
    /// The word of the URL, also recorded with the export.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// How much of an event an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The seed's nine columns.
    Standard,
    /// Every field.
    Full,
}

impl Profile {
    /// The word of the URL, also recorded with the export.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }
}
