//! The records of an export, read by keyset in short transactions and written as they arrive.

use futures::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::super::cursor::Position;
use super::super::query::ExportQuery;
use super::super::store::{Direction, Selection, Window};
use super::super::{csv, ndjson};
use super::layout::{Bytes, Layout};
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Bytes in a batch, about.
pub(super) const CHUNK_BYTES: usize = 1024 * 1024;
/// Where a batch is cut, should its records be much longer than those before; so no more is held, and one record.
const MOST_BYTES: usize = 2 * CHUNK_BYTES;

/// Records asked for in a batch: at first few, so that the first byte is quick; then as many as filled one the last time.
const FIRST_ROWS: i64 = 512;
const MOST_ROWS: i64 = 8192;

/// Reads an export from its newest record to its oldest.
#[derive(Clone)]
pub(super) struct Batches {
    platform: Platform,
    organization: Uuid,
    layout: Layout,
    last_index: i64,
    /// Records still to come.
    remaining: i64,
    from: Option<Position>,
    rows: i64,
}

impl Batches {
    pub(super) fn new(platform: Platform, organization: Uuid, layout: Layout, last_index: i64, events: i64) -> Self {
        Self { platform, organization, layout, last_index, remaining: events, from: None, rows: FIRST_ROWS }
    }

    /// Whether as many records were read as were counted.
    pub(super) fn is_done(&self) -> bool {
        self.remaining == 0
    }

    /// Appends the next records to `out`; none if it is done.
    pub(super) async fn next(&mut self, query: &ExportQuery, out: &mut Vec<u8>) -> Result<()> {
        if self.is_done() {
            return Ok(());
        }
        let mut transaction = storage::begin(&self.platform.database.exports, self.organization).await?;
        let mut sql = self.statement(query);
        let mut rows = sql.build().fetch(&mut *transaction);
        let (mut read, before) = (0, out.len());
        while let Some(row) = rows.try_next().await? {
            write(self.layout, &row, out)?;
            self.from = Some(position(&row)?);
            read += 1;
            if out.len() - before >= MOST_BYTES {
                break;
            }
        }
        // What was cut off is thrown away by the commit, unread; the next batch asks for it again.
        drop(rows);
        transaction.commit().await?;
        self.advance(read, out.len() - before)
    }

    /// Counts what was read, and asks for as many records next time as make up [`CHUNK_BYTES`] of that length.
    fn advance(&mut self, read: i64, bytes: usize) -> Result<()> {
        if read == 0 || read > self.remaining {
            return Err(Error::internal(format!("an export read {read} records where {} were left", self.remaining)));
        }
        self.remaining -= read;
        let fitting = i64::try_from(CHUNK_BYTES).map_err(Error::internal)? * read
            / i64::try_from(bytes.max(1)).map_err(Error::internal)?;
        self.rows = fitting.clamp(1, MOST_ROWS.min(self.rows * 4));
        Ok(())
    }

    fn statement(&self, query: &ExportQuery) -> QueryBuilder<Postgres> {
        let selection = Selection {
            organization: self.organization,
            filter: &query.filter,
            range: query.range.range,
            last_index: Some(self.last_index),
        };
        let mut sql = QueryBuilder::new("select index, ");
        sql.push(columns(self.layout));
        selection.push_window(&mut sql, Window { from: self.from, direction: Direction::Older, rows: self.rows });
        sql
    }

    /// The exact length of all records, by reading them all once: for the layouts whose lengths are not stored.
    pub(super) async fn count_bytes(mut self, query: &ExportQuery) -> Result<Bytes> {
        let (mut total, mut scratch) = (0, Vec::with_capacity(CHUNK_BYTES * 2));
        while !self.is_done() {
            scratch.clear();
            self.next(query, &mut scratch).await?;
            total += i64::try_from(scratch.len()).map_err(Error::internal)?;
        }
        Ok(Bytes(total))
    }
}

/// The columns after `index`: `occurred_at`, then the others of the layout, all as text but `recorded_at`.
fn columns(layout: Layout) -> &'static str {
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
/// Places of `timestamp` and `recorded_at` among the columns of a layout.
const TIMESTAMP: usize = 0;
const RECORDED_AT: usize = 12;

/// Appends one record. The bytes of the database are written as they are: nothing is parsed.
fn write(layout: Layout, row: &PgRow, out: &mut Vec<u8>) -> Result<()> {
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

fn position(row: &PgRow) -> Result<Position> {
    Ok(Position { occurred_at: row.try_get(1)?, index: row.try_get(0)? })
}
