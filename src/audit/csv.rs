//! CSV by RFC 4180, every field quoted, safe for spreadsheets and reversible unless raw is asked for (contract §4, R-30, R-31).

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

/// Appends the byte-order mark, if asked for, and the header line.
pub fn write_header(out: &mut Vec<u8>, columns: &[&str], escaping: Escaping, bom: bool) {
    let _ = (out, columns, escaping, bom);
}

/// Appends one line. An absent value is an empty field.
pub fn write_record(out: &mut Vec<u8>, fields: &[&[u8]], escaping: Escaping) {
    let _ = (out, fields, escaping);
}

/// Exactly the bytes that [`write_record`] appends.
#[must_use]
pub fn record_length(fields: &[&[u8]], escaping: Escaping) -> usize {
    let _ = (fields, escaping);
    0
}

/// Exactly the bytes that [`write_header`] appends.
#[must_use]
pub fn header_length(columns: &[&str], escaping: Escaping, bom: bool) -> usize {
    let _ = (columns, escaping, bom);
    0
}

/// Appends a moment, given in microseconds since 1970, as the 27 bytes of RFC 3339 in UTC: `2026-11-22T03:11:39.000000Z`.
///
/// Years 0001 to 9999; what lies outside is written as the nearest moment inside.
pub fn write_timestamp(out: &mut Vec<u8>, micros: i64) {
    let _ = (out, micros);
}

/// The value that a formula-safe field stands for.
#[must_use]
pub fn decode(field: &str) -> &str {
    field.strip_prefix('\'').unwrap_or(field)
}
