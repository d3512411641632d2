//! CSV by RFC 4180, every field quoted, safe for spreadsheets and reversible unless raw is asked for (contract §4, R-30, R-31).
//!
//! | field | formula-safe | raw |
//! |---|---|---|
//! | `Ada "Countess"` | `"Ada ""Countess"""` | the same |
//! | absent | `""` | the same |
//! | `=1+1`, ` -1`, `＠sum`, TAB, CR or LF first | one `'` in front: `"'=1+1"` | `"=1+1"` |
//! | `'quoted'` | `"''quoted'"` | `"'quoted'"` |
//!
//! [`decode`] gives back every field exactly. The writer is our own because it is the product's hot loop: it writes what the
//! `csv` crate writes with `QuoteStyle::Always`, in less time, and knows the length beforehand.

mod field;
mod timestamp;

pub use timestamp::write_timestamp;

/// What is done to fields that a spreadsheet would take for formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escaping {
    /// `formula-safe-v1`: one `'` in front of what could be a formula, and of what begins with `'`; reversible.
    FormulaSafe,
    /// Byte-exact.
    Raw,
}

impl Escaping {
    /// The value of the header `Audit-Csv-Escaping`, also recorded with the export.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FormulaSafe => "formula-safe-v1",
            Self::Raw => "raw",
        }
    }
}

/// The columns of the seed, in its order.
pub const COLUMNS: [&str; 9] = [
    "timestamp",
    "actor_access_token_id",
    "actor_access_token_name",
    "actor_user_id",
    "actor_user_name",
    "actor_user_email",
    "action",
    "previous",
    "next",
];

/// The columns of `profile=full`: the nine, then every other field of the event.
pub const FULL_COLUMNS: [&str; 31] = [
    "timestamp",
    "actor_access_token_id",
    "actor_access_token_name",
    "actor_user_id",
    "actor_user_name",
    "actor_user_email",
    "action",
    "previous",
    "next",
    "id",
    "index",
    "kind",
    "recorded_at",
    "object_type",
    "object_id",
    "object_name",
    "outcome",
    "ip",
    "user_agent",
    "request_id",
    "source_access_token_id",
    "operation_name",
    "operation_text",
    "operation_variables",
    "operation_root_fields",
    "operation_document_sha256",
    "login_method",
    "login_email",
    "export_model",
    "export_rows",
    "export_sha256",
];

/// The media type of what begins with a header line.
pub(crate) const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// What tells some spreadsheets that the file is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Appends the byte-order mark, if asked for, and the header line.
pub fn write_header(out: &mut Vec<u8>, columns: &[&str], escaping: Escaping, bom: bool) {
    if bom {
        out.extend_from_slice(BYTE_ORDER_MARK);
    }
    write_record(out, &bytes(columns), escaping);
}

/// Exactly the bytes that [`write_header`] appends.
#[must_use]
pub fn header_length(columns: &[&str], escaping: Escaping, bom: bool) -> usize {
    let mark = if bom { BYTE_ORDER_MARK.len() } else { 0 };
    mark + record_length(&bytes(columns), escaping)
}

fn bytes<'a>(columns: &[&'a str]) -> Vec<&'a [u8]> {
    columns.iter().map(|column| column.as_bytes()).collect()
}

/// Appends one line, CR LF included. An absent value is an empty field.
///
/// ```
/// use orgtrail::audit::csv::{Escaping, write_record};
///
/// let mut line = Vec::new();
/// write_record(&mut line, &[b"member.updated", b"", b"=1+1"], Escaping::FormulaSafe);
/// assert_eq!(line, b"\"member.updated\",\"\",\"'=1+1\"\r\n");
/// ```
pub fn write_record(out: &mut Vec<u8>, fields: &[&[u8]], escaping: Escaping) {
    for (number, field) in fields.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        field::write(out, field, escaping);
    }
    out.extend_from_slice(b"\r\n");
}

/// Exactly the bytes that [`write_record`] appends: what is stored with each event, so that an export knows its length (R-33a).
#[must_use]
pub fn record_length(fields: &[&[u8]], escaping: Escaping) -> usize {
    let commas = fields.len().saturating_sub(1);
    let fields: usize = fields.iter().map(|field| field::length(field, escaping)).sum();
    fields + commas + 2
}

/// The value that a formula-safe field stands for: exactly one leading `'` is not part of it.
#[must_use]
pub fn decode(field: &str) -> &str {
    field.strip_prefix('\'').unwrap_or(field)
}

#[cfg(test)]
mod tests;
