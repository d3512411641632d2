//! Months of the trail that are older than the retention go: first every trail that has events in one records that they go (R-62), then the month is
//! dropped. The database refuses what is younger than the floor, and to drop a month that a trail has not settled.

use chrono::NaiveDate;
use serde_json::json;
use uuid::Uuid;

use super::Retention;
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::audit::moment::rfc3339;
use crate::identity::viewer::{self, Origin};
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Drops them; answers how many events went. Broken off anywhere, it goes on where it was.
pub(super) async fn prune(platform: &Platform, retention: Retention) -> Result<u64> {
    let mut removed = 0;
    for month in expired(platform, retention).await? {
        removed += settle_all(platform, month, retention).await?;
        drop_month(platform, month, retention).await?;
        tracing::info!(%month, "a month of the trail was dropped");
    }
    Ok(removed)
}

async fn expired(platform: &Platform, retention: Retention) -> Result<Vec<NaiveDate>> {
    let months = sqlx::query_scalar!(r#"select orgtrail.expired_months($1) as "month!""#, retention.days())
        .fetch_all(&platform.database.writes);
    Ok(months.await?)
}

/// Settles a month in every trail, each in a transaction of its own: no trail waits for another.
async fn settle_all(platform: &Platform, month: NaiveDate, retention: Retention) -> Result<u64> {
    let trails = sqlx::query_scalar!(r#"select orgtrail.trails_to_settle($1) as "trail!""#, month)
        .fetch_all(&platform.database.writes)
        .await?;
    let (mut removed, mut failed) = (0, None);
    for organization in trails {
        match settle(platform, organization, month, retention).await {
            Ok(events) => removed += events,
            Err(cause) => {
                tracing::error!(%organization, %month, %cause, "the events of a month cannot go");
                failed = failed.or(Some(cause));
            }
        }
    }
    failed.map_or(Ok(removed), Err)
}

/// Takes a month out of the sums of a trail; records `retention.pruned`.
async fn settle(platform: &Platform, organization: Uuid, month: NaiveDate, retention: Retention) -> Result<u64> {
    let mut change = Change::begin_in(platform, organization, viewer::upkeep(), Origin::default()).await?;
    sqlx::query("set local statement_timeout = '10min'").execute(change.connection()).await?;
    let settled = sqlx::query!(
        r#"select removed as "removed!", first_kept as "first_kept!", ($1 + interval '1 month') at time zone 'UTC' as "until!",
            (select name from orgtrail.organizations where id = $3) as "name!"
        from orgtrail.settle_month($1, $2)"#,
        month,
        retention.days(),
        organization
    )
    .fetch_optional(change.connection())
    .await?;
    let Some(settled) = settled else { return Ok(0) };
    let facts = json!({
        "events": settled.removed,
        "first_kept": settled.first_kept,
        "until": rfc3339(settled.until),
        "days": retention.days(),
    });
    let pruned = NewEvent::new(Action::RetentionPruned, Object::new("organization", organization, settled.name));
    change.commit(pruned.next(&facts)).await?;
    u64::try_from(settled.removed).map_err(Error::internal)
}

async fn drop_month(platform: &Platform, month: NaiveDate, retention: Retention) -> Result<()> {
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    sqlx::query("set local statement_timeout = '1min'").execute(&mut *transaction).await?;
    sqlx::query!("select orgtrail.drop_month($1, $2)", month, retention.days()).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}
