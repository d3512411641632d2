//! What may be asked of a model: a range, by the rules of the trail's, and a page of it or a form of its export.

use chrono::{DateTime, Utc};

use crate::Result;
use crate::audit::csv::Escaping;
use crate::audit::query::{ExportFormat, Pairs, Position, parts};
use crate::audit::range::{ResolvedRange, resolve};

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsQuery {
    /// From when to when.
    pub range: ResolvedRange,
    /// Which page; the newest if none.
    pub position: Option<Position>,
}

impl RecordsQuery {
    /// Parameters of the page.
    pub const PARAMETERS: [&str; 6] = ["range", "start", "end", "tz", "before", "after"];

    /// Reads the page's query string (without `?`).
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] naming the parameter and what is allowed.
    pub fn parse(raw: &str, now: DateTime<Utc>) -> Result<Self> {
        let pairs = Pairs::parse(raw, &Self::PARAMETERS)?;
        let range = resolve(&parts::range(&pairs)?, pairs.get("tz"), now)?;
        Ok(Self { range, position: parts::position(&pairs)? })
    }
}

/// An export of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportQuery {
    /// From when to when.
    pub range: ResolvedRange,
    /// CSV or NDJSON.
    pub format: ExportFormat,
    /// What is done to formulas; always raw with NDJSON.
    pub escaping: Escaping,
    /// Whether a byte-order mark stands in front.
    pub bom: bool,
}

impl ExportQuery {
    /// Parameters of the export.
    pub const PARAMETERS: [&str; 6] = ["start", "end", "tz", "format", "csv", "bom"];

    /// Reads the export's query string (without `?`).
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] naming the parameter and what is allowed.
    pub fn parse(raw: &str, now: DateTime<Utc>) -> Result<Self> {
        let pairs = Pairs::parse(raw, &Self::PARAMETERS)?;
        let (format, escaping, bom) = parts::form(&pairs)?;
        Ok(Self { range: resolve(&parts::bounds(&pairs), pairs.get("tz"), now)?, format, escaping, bom })
    }
}
