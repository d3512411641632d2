//! The records of an export, in batches: first where each ends is learnt from an index, then it is read in a short transaction of its own, of
//! a replica or of the primary, as each has it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{FutureExt, TryStreamExt};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::Place;
use crate::audit::cursor::Position;
use crate::audit::reading::Reading;
use crate::platform::Platform;
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
    /// See [`super::Plan::last_index`].
    last_index: i64,
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
    pub(super) fn new(place: &Place, source: Arc<dyn Source>, last_index: i64, rows: i64, stored_bytes: i64) -> Self {
        let (platform, organization) = (place.platform().clone(), place.organization());
        let records = Records { platform, organization, source, last_index };
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
        let batch = Batch { records: self.records.clone(), stretch: Stretch { from: self.from, rows } };
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
    /// A read of a batch's length. What a replica lacks of it, it was not asked for: it has the trail up to the last index, or is not asked.
    fn reading(&self) -> Reading<'_> {
        Reading::of_export(&self.platform.database, self.organization).up_to(self.last_index)
    }

    /// The last of the `rows` records after `from`, by a walk along the index alone.
    async fn edge(&self, from: Option<Position>, rows: i64) -> Result<Position> {
        let about = (self, Stretch { from, rows });
        self.reading()
            .ask(&about, |(records, stretch), connection| records.find_edge(connection, *stretch).boxed())
            .await
    }

    async fn find_edge(&self, connection: &mut PgConnection, Stretch { from, rows }: Stretch) -> Result<Position> {
        let mut sql = self.source.edge(from, rows);
        let edge: Option<(DateTime<Utc>, i64)> = sql.build_query_as().fetch_optional(connection).await?;
        let (occurred_at, index) =
            edge.ok_or_else(|| Error::internal(format!("fewer than {rows} records were left in an export")))?;
        Ok(Position { occurred_at, index })
    }

    /// The records of a batch, written as they arrive, up to [`MOST_BYTES`]; with where that ends, and how many are left then.
    async fn read(&self, connection: &mut PgConnection, batch: Stretch) -> Result<(Vec<u8>, Stretch)> {
        let Stretch { mut from, mut rows } = batch;
        let mut sql = self.source.records(from, rows);
        let mut records = sql.build().fetch(connection);
        let mut out = Vec::with_capacity(MOST_BYTES);
        while let Some(record) = records.try_next().await? {
            self.source.write(&record, &mut out)?;
            from = Some(position(&record)?);
            rows -= 1;
            if out.len() >= MOST_BYTES {
                // What was cut off is thrown away by the commit, unread.
                return Ok((out, Stretch { from, rows }));
            }
        }
        if rows > 0 {
            return Err(Error::internal(format!("a batch of an export lacks {rows} records")));
        }
        Ok((out, Stretch { from, rows }))
    }
}

/// So many records, after a position.
#[derive(Clone, Copy)]
struct Stretch {
    from: Option<Position>,
    rows: i64,
}

/// A batch of an export: may be read beside others.
pub(super) struct Batch {
    records: Records,
    stretch: Stretch,
}

impl Batch {
    /// Reads and writes the records; with what then is left to read, because they were too long.
    pub(super) async fn read(self) -> Result<(Vec<u8>, Option<Self>)> {
        let Self { records, stretch } = self;
        let about = (&records, stretch);
        let read = records.reading();
        let read = read.ask(&about, |(records, stretch), connection| records.read(connection, *stretch).boxed());
        let (out, left) = read.await?;
        Ok((out, (left.rows > 0).then_some(Self { records, stretch: left })))
    }
}

fn position(row: &PgRow) -> Result<Position> {
    Ok(Position { occurred_at: row.try_get(1)?, index: row.try_get(0)? })
}
