//! What is there already: nothing, the demo so far, or somebody else's organizations.

use chrono::{DateTime, Utc};
use orgtrail::platform::Platform;
use orgtrail::{Result, storage};
use uuid::Uuid;

use super::ORGANIZATION;
use super::step::Trace;

/// What the database holds under the demo's slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// No such organization.
    Nothing,
    /// The demo's, since `founded`; `last` is the newest step in its trail.
    Begun { founded: DateTime<Utc>, last: Trace },
    /// One whose first events have been dropped: older than 90 days, and so complete.
    Expired,
    /// One that the demo did not make.
    Somebodys,
}

/// Steps are among the first events of the trail, whatever comes after them; this is far more than a plan has.
const SEARCHED: i64 = 10_000;

/// Looks at the organization.
pub(super) async fn look(platform: &Platform) -> Result<Known> {
    let Some(organization) = find(platform).await? else { return Ok(Known::Nothing) };
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let founded = sqlx::query_scalar!("select created_at from orgtrail.organizations where id = $1", organization)
        .fetch_one(&mut *transaction)
        .await?;
    let events = sqlx::query!(
        "select index, request_id from orgtrail.events where organization_id = $1 and index < $2 order by index",
        organization,
        SEARCHED
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let traces = events.iter().filter_map(|event| Trace::parse(event.request_id.as_deref()?));
    Ok(match (traces.max_by_key(|trace| trace.at), events.first()) {
        (Some(last), _) => Known::Begun { founded, last },
        (None, Some(first)) if first.index == 0 => Known::Somebodys,
        (None, _) => Known::Expired,
    })
}

/// Id of the demo's organization, also under another slug than its first.
pub(super) async fn find(platform: &Platform) -> Result<Option<Uuid>> {
    let found =
        sqlx::query_scalar!(r#"select organization_id as "id!" from orgtrail.find_organization($1)"#, ORGANIZATION)
            .fetch_optional(&platform.database.reads)
            .await?;
    Ok(found)
}

/// Whether anybody is a member of another organization. That finds them all: each has at least one owner.
pub(super) async fn has_others(platform: &Platform) -> Result<bool> {
    let ours = find(platform).await?;
    let others = sqlx::query_scalar!(
        r#"select exists (
            select from orgtrail.users u cross join lateral orgtrail.organizations_of_user(u.id) o
            where o.organization_id is distinct from $1) as "others!""#,
        ours
    )
    .fetch_one(&platform.database.reads)
    .await?;
    Ok(others)
}
