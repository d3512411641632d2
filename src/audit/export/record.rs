//! One event as one record, of whatever layout.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::super::{csv, ndjson};
use super::layout::Layout;
use crate::{Error, Result};

/// The columns after `index`: `occurred_at`, then the others of the layout, all as text but `recorded_at`.
pub(in crate::audit) fn columns(layout: Layout) -> &'static str {
    match layout {
        Layout::Standard(_) => {
            "occurred_at, actor_access_token_id, actor_access_token_name, actor_user_id, actor_user_name, actor_user_email, action, previous, next"
        }
        Layout::Full(_) | Layout::Ndjson => {
            "occurred_at, actor_access_token_id, actor_access_token_name, actor_user_id, actor_user_name, actor_user_email, action, previous, next, \
             id::text, index::text, kind, recorded_at, object_type, object_id, object_name, outcome, ip, user_agent, request_id, \
             source_access_token_id::text, operation_name, operation_text, operation_variables, array_to_json(operation_root_fields)::text, \
             encode(operation_document_sha256, 'hex'), login_method, login_email, export_model, export_rows::text, encode(export_sha256, 'hex')"
        }
    }
}

const STANDARD: usize = csv::COLUMNS.len();
const FULL: usize = csv::FULL_COLUMNS.len();
/// Place of `timestamp` among the columns of a layout.
const TIMESTAMP: usize = 0;
/// Place of `recorded_at` among those of a full one.
pub(in crate::audit) const RECORDED_AT: usize = 12;

/// Appends one record. The bytes of the database are written as they are: nothing is parsed.
pub(in crate::audit) fn write(layout: Layout, row: &PgRow, out: &mut Vec<u8>) -> Result<()> {
    let mut timestamps = Vec::with_capacity(64);
    csv::write_timestamp(&mut timestamps, micros(row, TIMESTAMP)?);
    match layout {
        Layout::Standard(escaping) => {
            let mut fields: [&[u8]; STANDARD] = [b""; STANDARD];
            fields[TIMESTAMP] = &timestamps;
            for (column, field) in fields.iter_mut().enumerate().skip(1) {
                *field = text(row, column)?.unwrap_or_default();
            }
            csv::write_record(out, &fields, escaping);
        }
        Layout::Full(escaping) => {
            csv::write_record(out, &full(row, &mut timestamps)?.map(Option::unwrap_or_default), escaping)
        }
        Layout::Ndjson => ndjson::write_line(out, &full(row, &mut timestamps)?),
    }
    Ok(())
}

fn full<'a>(row: &'a PgRow, timestamps: &'a mut Vec<u8>) -> Result<[Option<&'a [u8]>; FULL]> {
    let middle = timestamps.len();
    csv::write_timestamp(timestamps, micros(row, RECORDED_AT)?);
    let mut fields = [None; FULL];
    for (column, field) in fields.iter_mut().enumerate() {
        *field = match column {
            TIMESTAMP => Some(&timestamps[..middle]),
            RECORDED_AT => Some(&timestamps[middle..]),
            _ => text(row, column)?,
        };
    }
    Ok(fields)
}

/// The bytes of a text or JSON column; the row's first column is `index`.
fn text(row: &PgRow, column: usize) -> Result<Option<&[u8]>> {
    let value = row.try_get_raw(column + 1)?;
    if sqlx::ValueRef::is_null(&value) { Ok(None) } else { value.as_bytes().map(Some).map_err(Error::Internal) }
}

/// Microseconds since 1970 of a `timestamptz`, which comes as microseconds since 2000.
fn micros(row: &PgRow, column: usize) -> Result<i64> {
    const YEAR_2000: i64 = 946_684_800_000_000;
    let bytes = text(row, column)?
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Error::internal("a timestamp is missing"))?;
    Ok(i64::from_be_bytes(bytes) + YEAR_2000)
}
