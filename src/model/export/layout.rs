//! How records are exported: three columns, or one object with the same three fields, and how long that is.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Row, ValueRef};

use crate::audit::csv::{self, Escaping};
use crate::audit::ndjson;
use crate::audit::query::ExportFormat;
use crate::audit::range::ResolvedRange;
use crate::model::query::ExportQuery;
use crate::{Error, Result};

/// The columns: what all records have, and the record itself, which has whatever it has.
const COLUMNS: [&str; 3] = ["time", "number", "record"];

/// The form of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Layout {
    /// [`COLUMNS`].
    Csv(Escaping),
    /// An object in each line.
    Ndjson,
}

/// Bytes of a record in each form.
pub(in crate::model) struct Lengths {
    pub csv_safe: i32,
    pub csv_raw: i32,
    pub ndjson: i32,
}

/// Measures a record. Its time does not matter: it always has the same length.
pub(in crate::model) fn lengths(number: i64, content: &[u8]) -> Lengths {
    let measure = |layout: Layout| {
        let mut out = Vec::with_capacity(2 * content.len() + 128);
        layout.write_fields(0, number, content, &mut out);
        i32::try_from(out.len()).unwrap_or(i32::MAX)
    };
    Lengths {
        csv_safe: measure(Layout::Csv(Escaping::FormulaSafe)),
        csv_raw: measure(Layout::Csv(Escaping::Raw)),
        ndjson: measure(Layout::Ndjson),
    }
}

/// The sum for an escaping.
pub(super) fn of_escaping(escaping: Escaping, safe: i64, raw: i64) -> i64 {
    match escaping {
        Escaping::FormulaSafe => safe,
        Escaping::Raw => raw,
    }
}

impl Layout {
    pub(super) fn of(query: &ExportQuery) -> Self {
        match query.format {
            ExportFormat::Csv => Self::Csv(query.escaping),
            ExportFormat::Ndjson => Self::Ndjson,
        }
    }

    /// The bytes before the first record.
    pub(super) fn header(self, bom: bool) -> Vec<u8> {
        let mut header = Vec::new();
        if let Self::Csv(escaping) = self {
            csv::write_header(&mut header, &COLUMNS, escaping, bom);
        }
        header
    }

    /// The type of the whole.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Csv(_) => csv::CONTENT_TYPE,
            Self::Ndjson => ndjson::CONTENT_TYPE,
        }
    }

    /// The escaping of its fields, where it has fields.
    pub(super) fn escaping(self) -> Option<&'static str> {
        match self {
            Self::Csv(escaping) => Some(escaping.as_str()),
            Self::Ndjson => None,
        }
    }

    /// The name of the whole: of validated parts only (R-32).
    pub(super) fn file_name(self, slug: &str, model: &str, range: &ResolvedRange) -> String {
        let ending = match self {
            Self::Csv(Escaping::Raw) => "-raw.csv",
            Self::Csv(Escaping::FormulaSafe) => ".csv",
            Self::Ndjson => ".ndjson",
        };
        format!("{model}_{slug}_{}_{}{ending}", range.first_day, range.last_day)
    }

    /// Appends the record of a row: `number`, `occurred_at`, `content`.
    pub(super) fn write(self, row: &PgRow, out: &mut Vec<u8>) -> Result<()> {
        let (number, at): (i64, DateTime<Utc>) = (row.try_get(0)?, row.try_get(1)?);
        let content = row.try_get_raw(2)?;
        if content.is_null() {
            return Err(Error::internal("a record is missing"));
        }
        // The bytes of the database are written as they are: nothing is parsed.
        let content = content.as_bytes().map_err(Error::Internal)?;
        self.write_fields(at.timestamp_micros(), number, content, out);
        Ok(())
    }

    fn write_fields(self, micros: i64, number: i64, content: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Csv(escaping) => {
                let mut time = Vec::with_capacity(32);
                csv::write_timestamp(&mut time, micros);
                csv::write_record(out, &[&time, number.to_string().as_bytes(), content], escaping);
            }
            Self::Ndjson => {
                out.extend_from_slice(b"{\"time\":\"");
                csv::write_timestamp(out, micros);
                out.extend_from_slice(b"\",\"number\":");
                out.extend_from_slice(number.to_string().as_bytes());
                out.extend_from_slice(b",\"record\":");
                ndjson::write_embedded(out, content);
                out.extend_from_slice(b"}\n");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(layout: Layout, content: &str) -> String {
        let mut out = Vec::new();
        layout.write_fields(1_795_317_099_000_001, 12, content.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_in_each_form() {
        let record = r#"{"a": "x", "n":1.0e2}"#;
        assert_eq!(
            written(Layout::Csv(Escaping::FormulaSafe), record),
            "\"2026-11-22T03:11:39.000001Z\",\"12\",\"{\"\"a\"\": \"\"x\"\", \"\"n\"\":1.0e2}\"\r\n"
        );
        assert_eq!(
            written(Layout::Ndjson, record),
            "{\"time\":\"2026-11-22T03:11:39.000001Z\",\"number\":12,\"record\":{\"a\": \"x\", \"n\":1.0e2}}\n"
        );
    }

    /// A record begins with a brace, or with spaces before it that were sent.
    #[test]
    fn lengths_are_those_of_what_is_written() {
        for content in ["{}", "\t{}", "  {\"a\":\"\\\"=1\"} \r", "{\r\"é\":1}"] {
            let Lengths { csv_safe, csv_raw, ndjson } = lengths(12, content.as_bytes());
            for (layout, length) in [
                (Layout::Csv(Escaping::FormulaSafe), csv_safe),
                (Layout::Csv(Escaping::Raw), csv_raw),
                (Layout::Ndjson, ndjson),
            ] {
                let line = written(layout, content);
                assert_eq!(line.len(), usize::try_from(length).unwrap(), "{content:?}");
                assert_eq!(line.matches('\n').count(), 1, "{content:?}");
            }
        }
    }
}
