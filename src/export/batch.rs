//! The records of an export, in batches: first where each ends is learnt from an index, then it is read in a short transaction of its own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::Place;
use crate::audit::cursor::Position;
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

/// The records of an export, newest first, up to the last one that it was fixed to: what they are, and how they are written.
pub(crate) trait Source: Send + Sync {
    /// The statement for the `rows` records after `from`. Its first column is their index, its second their time.
    fn records(&self, from: Option<Position>, rows: i64) -> QueryBuilder<Postgres>;

    /// The statement for time and index of the last of them, by a walk along an index alone.
    fn edge(&self, from: Option<Position>, rows: i64) -> QueryBuilder<Postgres>;

    /// Appends one of them.
    ///
    /// # Errors
    /// [`Error::Internal`] if the row is none of its own.
    fn write(&self, row: &PgRow, out: &mut Vec<u8>) -> Result<()>;
}

/// What the batches of an export have in common.
#[derive(Clone)]
struct Records {
    platform: Platform,
    organization: Uuid,
    source: Arc<dyn Source>,
}

/// Cuts an export into batches, from its newest record to its oldest.
#[derive(Clone)]
pub(super) struct Batches {
    records: Records,
    /// Records still to come.
    remaining: i64,
    from: Option<Position>,
    /// Records in the next batch, and in those after it.
    rows: i64,
    later_rows: i64,
}

impl Batches {
    /// Those of so many records, which have so many stored bytes.
    pub(super) fn new(place: &Place, source: Arc<dyn Source>, rows: i64, stored_bytes: i64) -> Self {
        let records = Records { platform: place.platform().clone(), organization: place.organization(), source };
        let average = stored_bytes / rows.max(1);
        let later_rows = (BATCH_BYTES / average.max(1)).clamp(1, MOST_ROWS);
        Self { records, remaining: rows, from: None, rows: later_rows.min(FIRST_ROWS), later_rows }
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
        let batch = Batch { records: self.records.clone(), from: self.from, rows };
        if rows < self.remaining {
            self.from = Some(self.records.edge(self.from, rows).await?);
        }
        self.remaining -= rows;
        self.rows = self.later_rows;
        Ok(Some(batch))
    }

    /// The exact length of all records, by reading them all once: for what is written in a form whose lengths are not stored.
    pub(super) async fn count_bytes(mut self) -> Result<i64> {
        let mut total = 0;
        while let Some(batch) = self.next().await? {
            let mut rest = Some(batch);
            while let Some(batch) = rest {
                let (read, behind) = batch.read().await?;
                total += i64::try_from(read.len()).map_err(Error::internal)?;
                rest = behind;
            }
        }
        Ok(total)
    }
}

impl Records {
    /// The last of the `rows` records after `from`, by a walk along the index alone.
    async fn edge(&self, from: Option<Position>, rows: i64) -> Result<Position> {
        let mut sql = self.source.edge(from, rows);
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
    records: Records,
    from: Option<Position>,
    rows: i64,
}

impl Batch {
    /// Reads the records and writes them as they arrive, up to [`MOST_BYTES`]; with what then is left to read.
    pub(super) async fn read(mut self) -> Result<(Vec<u8>, Option<Self>)> {
        let Records { platform, organization, source } = self.records.clone();
        let mut sql = source.records(self.from, self.rows);
        let mut transaction = storage::begin(&platform.database.exports, organization).await?;
        let mut rows = sql.build().fetch(&mut *transaction);
        let mut out = Vec::with_capacity(MOST_BYTES);
        while let Some(row) = rows.try_next().await? {
            source.write(&row, &mut out)?;
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
}

fn position(row: &PgRow) -> Result<Position> {
    Ok(Position { occurred_at: row.try_get(1)?, index: row.try_get(0)? })
}
