//! What is over in organizations, and stays for the retention: attempts to sign in, invites, where access tokens were last used, what was sent by
//! programs, records of models.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{BATCH, Retention, until_last};
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::identity::viewer::{self, Origin};
use crate::platform::Platform;
use crate::{Error, Result, storage};

/// Forgets it; answers how many rows went. An organization with which that fails holds up no other.
pub(super) async fn forget(platform: &Platform, retention: Retention) -> Result<u64> {
    let mut forgotten = attempts(platform, retention).await?;
    let mut failed = None;
    for organization in trails(platform).await? {
        match forget_in(platform, organization, retention).await {
            Ok(rows) => forgotten += rows,
            Err(cause) => failed = failed.or(Some(cause)),
        }
    }
    failed.map_or(Ok(forgotten), Err)
}

async fn attempts(platform: &Platform, retention: Retention) -> Result<u64> {
    let batch = || async {
        let forgotten =
            sqlx::query_scalar!("select orgtrail.forget_sign_in_attempts($1, $2)", retention.days(), i32::from(BATCH));
        rows(forgotten.fetch_one(&platform.database.writes).await?)
    };
    until_last(batch).await
}

/// Every trail.
pub(super) async fn trails(platform: &Platform) -> Result<Vec<Uuid>> {
    let trails = sqlx::query_scalar!(r#"select orgtrail.trails() as "trail!""#).fetch_all(&platform.database.writes);
    Ok(trails.await?)
}

async fn forget_in(platform: &Platform, organization: Uuid, retention: Retention) -> Result<u64> {
    let mut transaction = storage::begin(&platform.database.writes, organization).await?;
    let mut forgotten = invites(&mut transaction, platform, organization, retention).await?;
    forgotten += uses(&mut transaction, platform, organization, retention).await?;
    let models = models(&mut transaction, organization).await?;
    transaction.commit().await?;
    forgotten += what_was_sent(platform, organization, retention).await?;
    for model in models {
        forgotten += records(platform, organization, &model, retention).await?;
    }
    Ok(forgotten)
}

/// Deletes invites that were accepted or revoked, or expired, before the retention. The database lets go of none that ended within the floor.
async fn invites(
    connection: &mut PgConnection,
    platform: &Platform,
    organization: Uuid,
    retention: Retention,
) -> Result<u64> {
    let deleted = sqlx::query!(
        "delete from orgtrail.invites where organization_id = $1
            and coalesce(accepted_at, revoked_at, expires_at) < coalesce($2, clock_timestamp()) - $3 * interval '1 day'",
        organization,
        platform.clock.simulated_now(),
        f64::from(retention.days())
    );
    Ok(deleted.execute(connection).await?.rows_affected())
}

/// Forgets from where access tokens were used that ended before the retention. Their names stay: they are actors of what is kept.
async fn uses(
    connection: &mut PgConnection,
    platform: &Platform,
    organization: Uuid,
    retention: Retention,
) -> Result<u64> {
    let forgotten = sqlx::query!(
        "update orgtrail.access_tokens set last_used_ip = null where organization_id = $1 and last_used_ip is not null
            and least(revoked_at, expires_at) < coalesce($2, clock_timestamp()) - $3 * interval '1 day'",
        organization,
        platform.clock.simulated_now(),
        f64::from(retention.days())
    );
    Ok(forgotten.execute(connection).await?.rows_affected())
}

async fn what_was_sent(platform: &Platform, organization: Uuid, retention: Retention) -> Result<u64> {
    let batch = || async {
        let mut transaction = storage::begin(&platform.database.writes, organization).await?;
        let forgotten =
            sqlx::query_scalar!("select orgtrail.forget_what_was_sent($1, $2)", retention.days(), i32::from(BATCH))
                .fetch_one(&mut *transaction)
                .await?;
        transaction.commit().await?;
        rows(forgotten)
    };
    until_last(batch).await
}

struct Model {
    id: Uuid,
    name: String,
}

async fn models(connection: &mut PgConnection, organization: Uuid) -> Result<Vec<Model>> {
    let models = sqlx::query_as!(
        Model,
        "select id, name from orgtrail.models where organization_id = $1 order by id",
        organization
    );
    Ok(models.fetch_all(connection).await?)
}

/// Forgets the records of a model that nobody can ask for any more; records `model.records.pruned` if there were any.
async fn records(platform: &Platform, organization: Uuid, model: &Model, retention: Retention) -> Result<u64> {
    let mut change = Change::begin_in(platform, organization, viewer::upkeep(), Origin::default()).await?;
    sqlx::query("set local statement_timeout = '10min'").execute(change.connection()).await?;
    // Who adds to it waits, and counts on from what is left.
    sqlx::query!(
        "select id from orgtrail.models where organization_id = $1 and id = $2 for update",
        organization,
        model.id
    )
    .fetch_optional(change.connection())
    .await?;
    let forgotten = sqlx::query_scalar!("select orgtrail.forget_records($1, $2)", model.id, retention.days())
        .fetch_one(change.connection())
        .await?;
    let forgotten = rows(forgotten)?;
    if forgotten == 0 {
        return Ok(0);
    }
    sqlx::query!(
        "update orgtrail.models set forgotten = forgotten + $3 where organization_id = $1 and id = $2",
        organization,
        model.id,
        i64::try_from(forgotten).map_err(Error::internal)?
    )
    .execute(change.connection())
    .await?;
    let facts = serde_json::json!({ "model": model.name, "records": forgotten, "days": retention.days() });
    let pruned = NewEvent::new(Action::ModelRecordsPruned, Object::new("model", model.id, &model.name));
    change.commit(pruned.next(&facts)).await?;
    Ok(forgotten)
}

fn rows(answered: Option<i64>) -> Result<u64> {
    u64::try_from(answered.unwrap_or_default()).map_err(Error::internal)
}
