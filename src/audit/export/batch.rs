//! The records of an export, in batches: first where each ends is learnt from an index, then it is read in a short transaction of its own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::super::cursor::Position;
use super::super::query::ExportQuery;
use super::super::store::{Direction, Selection, Totals, Window};
use super::super::{csv, ndjson};
use super::layout::{self, Layout};
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Stored bytes in a batch, if its records are as long as the export's are on average.
const BATCH_BYTES: i64 = 1024 * 1024;
/// Written bytes after which a batch is cut, because its records are longer.
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Most records in a batch; in the first, so that the first byte is quick, and in the others.
const FIRST_ROWS: i64 = 512;
const MOST_ROWS: i64 = 8192;

/// What the batches of an export have in common.
struct Source {
    platform: Platform,
    organization: Uuid,
    query: ExportQuery,
    layout: Layout,
    last_index: i64,
}

/// Cuts an export into batches, from its newest record to its oldest.
#[derive(Clone)]
pub(super) struct Batches {
    source: Arc<Source>,
    /// Records still to come.
    remaining: i64,
    from: Option<Position>,
    /// Records in the next batch, and in those after it.
    rows: i64,
    later_rows: i64,
}

impl Batches {
    pub(super) fn new(
        platform: Platform,
        organization: Uuid,
        query: ExportQuery,
        layout: Layout,
        last_index: i64,
        totals: &Totals,
    ) -> Self {
        let source = Arc::new(Source { platform, organization, query, layout, last_index });
        let average = totals.csv_raw_bytes / totals.events.max(1);
        let later_rows = (BATCH_BYTES / average.max(1)).clamp(1, MOST_ROWS);
        Self { source, remaining: totals.events, from: None, rows: later_rows.min(FIRST_ROWS), later_rows }
    }

    /// Whether as many records are in batches as were counted.
    pub(super) fn is_done(&self) -> bool {
        self.remaining == 0
    }

    /// The next batch; none if it is done.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>> {
        if self.is_done() {
            return Ok(None);
        }
        let rows = self.rows.min(self.remaining);
        let batch = Batch { source: self.source.clone(), from: self.from, rows };
        if rows < self.remaining {
            self.from = Some(self.source.edge(self.from, rows).await?);
        }
        self.remaining -= rows;
        self.rows = self.later_rows;
        Ok(Some(batch))
    }

    /// The exact length of all records, by reading them all once: for the layouts whose lengths are not stored.
    pub(super) async fn count_bytes(mut self) -> Result<layout::Bytes> {
        let mut total = 0;
        while let Some(batch) = self.next().await? {
            let mut rest = Some(batch);
            while let Some(batch) = rest {
                let (read, behind) = batch.read().await?;
                total += i64::try_from(read.len()).map_err(Error::internal)?;
                rest = behind;
            }
        }
        Ok(layout::Bytes(total))
    }
}

impl Source {
    fn selection(&self) -> Selection<'_> {
        Selection {
            organization: self.organization,
            filter: &self.query.filter,
            range: self.query.range.range,
            last_index: Some(self.last_index),
            with_rows: false,
        }
    }

    /// The last of the `rows` records after `from`, by a walk along the index alone.
    async fn edge(&self, from: Option<Position>, rows: i64) -> Result<Position> {
        let mut sql = QueryBuilder::new("select e.occurred_at, e.index");
        self.selection().push_window(&mut sql, Window { from, direction: Direction::Older, rows });
        sql.push(" offset ").push_bind(rows - 1);
        let mut transaction = storage::begin(&self.platform.database.exports, self.organization).await?;
        let edge: Option<(DateTime<Utc>, i64)> = sql.build_query_as().fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        let (occurred_at, index) =
            edge.ok_or_else(|| Error::internal(format!("fewer than {rows} records were left in an export")))?;
        Ok(Position { occurred_at, index })
    }
}

/// A stretch of an export: may be read beside others.
pub(super) struct Batch {
    source: Arc<Source>,
    from: Option<Position>,
    rows: i64,
}

impl Batch {
    /// Reads the records and writes them as they arrive, up to [`MOST_BYTES`]; with what then is left to read.
    pub(super) async fn read(mut self) -> Result<(Vec<u8>, Option<Self>)> {
        let source = self.source.clone();
        let mut sql = self.statement();
        let mut transaction = storage::begin(&source.platform.database.exports, source.organization).await?;
        let mut rows = sql.build().fetch(&mut *transaction);
        let mut out = Vec::with_capacity(MOST_BYTES);
        while let Some(row) = rows.try_next().await? {
            write(source.layout, &row, &mut out)?;
            self.from = Some(position(&row)?);
            self.rows -= 1;
            if out.len() >= MOST_BYTES {
                break;
            }
        }
        let is_cut = out.len() >= MOST_BYTES;
        drop(rows);
        // What was cut off is thrown away by the commit, unread.
        transaction.commit().await?;
        if self.rows > 0 && !is_cut {
            return Err(Error::internal(format!("a batch of an export lacks {} records", self.rows)));
        }
        Ok((out, (self.rows > 0).then_some(self)))
    }

    fn statement(&self) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new("select e.index, ");
        sql.push(columns(self.source.layout));
        let window = Window { from: self.from, direction: Direction::Older, rows: self.rows };
        self.source.selection().push_window(&mut sql, window);
        sql
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
