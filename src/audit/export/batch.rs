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
use super::layout::{self, Layout};
use super::record;
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
            record::write(source.layout, &row, &mut out)?;
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
        sql.push(record::columns(self.source.layout));
        let window = Window { from: self.from, direction: Direction::Older, rows: self.rows };
        self.source.selection().push_window(&mut sql, window);
        sql
    }
}

fn position(row: &PgRow) -> Result<Position> {
    Ok(Position { occurred_at: row.try_get(1)?, index: row.try_get(0)? })
}
