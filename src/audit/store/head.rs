//! The head of a trail: how far it goes, and up to when it is complete.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::storage;
use crate::{Error, Result};

/// How far a trail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::audit) struct Head {
    /// Index of the newest event; −1 if there is none.
    pub last_index: i64,
}

/// The head as it is committed.
pub(in crate::audit) async fn head(connection: &mut PgConnection, organization: Uuid) -> Result<Head> {
    let next =
        sqlx::query_scalar!("select next_index from orgtrail.trail_heads where organization_id = $1", organization)
            .fetch_optional(connection)
            .await?
            .ok_or(Error::NotFound)?;
    Ok(Head { last_index: next - 1 })
}

/// The moment up to which everything that was recorded can be read: now, if nobody is appending and no sign-in attempt waits to be
/// copied; else the last moment before those. To be asked before what it speaks of is read.
pub(in crate::audit) async fn complete_through(pool: &PgPool, organization: Uuid) -> Result<DateTime<Utc>> {
    let mut transaction = storage::begin(pool, organization).await?;
    let quiet = sqlx::query_scalar!(
        "select organization_id from orgtrail.trail_heads where organization_id = $1 for share skip locked",
        organization
    )
    .fetch_optional(&mut *transaction)
    .await?
    .is_some();
    let through = sqlx::query_scalar!(
        r#"select least(
            case when $2 then clock_timestamp() else last_recorded_at end,
            (select min(attempted_at) from orgtrail.sign_in_attempts where sorted_at is null),
            (select min(a.attempted_at) from orgtrail.sign_in_copies c join orgtrail.sign_in_attempts a on a.id = c.attempt_id
                where c.trail = $1)) as "through!"
        from orgtrail.trail_heads where organization_id = $1"#,
        organization,
        quiet
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(through)
}
