//! How an export is written: its columns, its header line, its name and its length.

use super::super::csv::{self, Escaping};
use super::super::ndjson;
use super::super::query::{ExportFormat, ExportQuery, Profile};
use super::super::range::ResolvedRange;
use super::super::store::Totals;

/// The form of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::audit) enum Layout {
    /// The nine columns: their stored lengths add up to the exact length.
    Standard(Escaping),
    /// Every column: the length takes a pass of its own (contract §9).
    Full(Escaping),
    /// Every field as JSON: likewise.
    Ndjson,
}

impl Layout {
    pub(super) fn of(query: &ExportQuery) -> Self {
        match (query.format, query.profile) {
            (ExportFormat::Ndjson, _) => Self::Ndjson,
            (ExportFormat::Csv, Profile::Standard) => Self::Standard(query.escaping),
            (ExportFormat::Csv, Profile::Full) => Self::Full(query.escaping),
        }
    }

    /// The length of all records, where the stored lengths tell it.
    pub(super) fn stored_bytes(self, totals: &Totals) -> Option<i64> {
        match self {
            Self::Standard(Escaping::FormulaSafe) => Some(totals.csv_safe_bytes),
            Self::Standard(Escaping::Raw) => Some(totals.csv_raw_bytes),
            Self::Full(_) | Self::Ndjson => None,
        }
    }

    /// The bytes before the first record.
    pub(super) fn header(self, query: &ExportQuery) -> Vec<u8> {
        let mut header = Vec::new();
        match self {
            Self::Standard(escaping) => csv::write_header(&mut header, &csv::COLUMNS, escaping, query.bom),
            Self::Full(escaping) => csv::write_header(&mut header, &csv::FULL_COLUMNS, escaping, query.bom),
            Self::Ndjson => {}
        }
        header
    }

    /// The type of the whole.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Standard(_) | Self::Full(_) => csv::CONTENT_TYPE,
            Self::Ndjson => ndjson::CONTENT_TYPE,
        }
    }

    /// The escaping of its fields, where it has fields.
    pub(super) fn escaping(self) -> Option<&'static str> {
        match self {
            Self::Standard(escaping) | Self::Full(escaping) => Some(escaping.as_str()),
            Self::Ndjson => None,
        }
    }

    /// The name of the whole: of validated parts only.
    pub(super) fn file_name(self, slug: &str, range: &ResolvedRange) -> String {
        let ending = match self {
            Self::Standard(Escaping::Raw) | Self::Full(Escaping::Raw) => "-raw.csv",
            Self::Standard(_) | Self::Full(_) => ".csv",
            Self::Ndjson => ".ndjson",
        };
        format!("audit-logs_{slug}_{}_{}{ending}", range.first_day, range.last_day)
    }
}
