//! How an export is written: its columns, its header line, its name and its length.

use chrono::NaiveDate;

use super::super::csv::{self, Escaping};
use super::super::query::{ExportFormat, ExportQuery, Profile};
use super::super::store::Totals;
use super::ExportId;
use crate::identity::access::Access;

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

    /// The length of the export, header included, where the stored lengths tell it.
    pub(super) fn stored_bytes(self, totals: &Totals) -> Option<Bytes> {
        match self {
            Self::Standard(Escaping::FormulaSafe) => Some(Bytes(totals.csv_safe_bytes)),
            Self::Standard(Escaping::Raw) => Some(Bytes(totals.csv_raw_bytes)),
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
}

/// Bytes of all records, without the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes(pub i64);

/// What is known of an export before its first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Id of the export: header `Audit-Export-Id`.
    pub id: ExportId,
    /// Number of events: header `Audit-Export-Rows`.
    pub rows: i64,
    /// Exact number of bytes.
    pub content_length: u64,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// File name, of validated parts only.
    pub file_name: String,
    /// Header `Audit-Csv-Escaping`; none for NDJSON.
    pub escaping: Option<&'static str>,
}

impl Head {
    pub(super) fn new(
        access: &Access,
        query: &ExportQuery,
        layout: Layout,
        id: ExportId,
        rows: i64,
        records: Bytes,
    ) -> Self {
        let slug = &access.organization().slug;
        let (first, last) = (query.range.first_day, query.range.last_day);
        Self {
            id,
            rows,
            content_length: u64::try_from(records.0).unwrap_or_default() + layout.header(query).len() as u64,
            content_type: if layout == Layout::Ndjson {
                "application/x-ndjson"
            } else {
                "text/csv; charset=utf-8; header=present"
            },
            file_name: file_name(slug, first, last, layout),
            escaping: match layout {
                Layout::Standard(escaping) | Layout::Full(escaping) => Some(escaping.as_str()),
                Layout::Ndjson => None,
            },
        }
    }
}

fn file_name(slug: &str, first: NaiveDate, last: NaiveDate, layout: Layout) -> String {
    let ending = match layout {
        Layout::Standard(Escaping::Raw) | Layout::Full(Escaping::Raw) => "-raw.csv",
        Layout::Standard(_) | Layout::Full(_) => ".csv",
        Layout::Ndjson => ".ndjson",
    };
    format!("audit-logs_{slug}_{first}_{last}{ending}")
}
