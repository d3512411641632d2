//! The feed (contract §6): the trail in the order of its index, for programs that follow it. Indexes are given in the order of commits
//! and without gaps, so whoever asks for what comes after the last one they have sees every event once.

use chrono::{DateTime, Utc};
use futures::{FutureExt, TryStreamExt};
use sqlx::{PgConnection, QueryBuilder, Row};
use uuid::Uuid;

use super::export::{layout::Layout, record};
use super::reading::Reading;
use super::refusal;
use super::store;
use crate::identity::access::Operation;
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::{Error, Result};

/// Most events of one answer.
pub const MAX_EVENTS: i64 = 1000;

/// Bytes after which an answer ends, whatever was asked for.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// A stretch of the trail.
#[derive(Debug)]
pub struct Feed {
    /// The events, a line of JSON each, as in an export of the format `ndjson`.
    pub lines: Vec<u8>,
    /// Every event that was recorded up to this moment is in this answer or came before it.
    pub complete_through: DateTime<Utc>,
}

/// The events after the one with the index `after`, at most `limit`; from the first that is kept where there is none.
///
/// # Errors
/// Those of [`crate::identity::access::authorize`]; [`Error::Invalid`] for `after` below -1 and for `limit` outside of 1 to [`MAX_EVENTS`];
/// [`Error::Expired`] if events after `after` are no longer kept.
pub async fn read(platform: &Platform, viewer: &Viewer, slug: &str, after: Option<i64>, limit: i64) -> Result<Feed> {
    let access = refusal::authorize(platform, viewer, slug, Operation::ReadAuditLog).await?;
    let organization = access.organization().id;
    if after.is_some_and(|after| after < -1) {
        return Err(Error::invalid("after", "This is the index of the last event that you have, from 0; or -1."));
    }
    if !(1..=MAX_EVENTS).contains(&limit) {
        return Err(Error::invalid("limit", format!("An answer has 1 to {MAX_EVENTS} events.")));
    }
    refusal::record_view(platform, &access).await;
    // Asked first: what is recorded meanwhile may be in the answer without being told of, and not the other way round.
    let complete_through = store::complete_through(&platform.database.reads, organization).await?;
    let about = (organization, after, limit);
    let found = Reading::of(&platform.database, organization)
        .ask(&about, |(organization, after, limit), connection| {
            found(connection, *organization, *after, *limit).boxed()
        })
        .await?;
    let complete_through = found.cut_at.unwrap_or(complete_through);
    Ok(Feed { lines: found.lines, complete_through })
}

async fn found(connection: &mut PgConnection, organization: Uuid, after: Option<i64>, limit: i64) -> Result<Lines> {
    let first = first_kept(connection, organization).await?;
    if after.is_some_and(|after| after + 1 < first) {
        return Err(Error::Expired(format!(
            "Events before {first} are no longer kept: go on with after={}.",
            first - 1
        )));
    }
    lines(connection, organization, after.unwrap_or(first - 1), limit).await
}

/// The index of the first event that is kept; of the next one, where none is.
async fn first_kept(connection: &mut PgConnection, organization: Uuid) -> Result<i64> {
    let kept = sqlx::query_scalar!(
        "select index from orgtrail.events where organization_id = $1 order by index limit 1",
        organization
    )
    .fetch_optional(&mut *connection)
    .await?;
    match kept {
        Some(index) => Ok(index),
        None => Ok(store::head(connection, organization).await?.last_index + 1),
    }
}

struct Lines {
    lines: Vec<u8>,
    /// When the last of them was recorded, if there are more.
    cut_at: Option<DateTime<Utc>>,
}

async fn lines(connection: &mut PgConnection, organization: Uuid, after: i64, limit: i64) -> Result<Lines> {
    let mut sql = QueryBuilder::new("select e.index, ");
    sql.push(record::columns(Layout::Ndjson))
        .push(" from orgtrail.events e where e.organization_id = ")
        .push_bind(organization);
    sql.push(" and e.index > ").push_bind(after).push(" order by e.index limit ").push_bind(limit);
    let (mut lines, mut number, mut last) = (Vec::new(), 0, None);
    let mut rows = sql.build().fetch(connection);
    while let Some(row) = rows.try_next().await? {
        record::write(Layout::Ndjson, &row, &mut lines)?;
        number += 1;
        last = Some(row.try_get(record::RECORDED_AT + 1)?);
        if lines.len() >= MOST_BYTES {
            break;
        }
    }
    let is_cut = number == limit || lines.len() >= MOST_BYTES;
    Ok(Lines { lines, cut_at: last.filter(|_| is_cut) })
}
