//! Who looked at the trail, and who was refused: events of kind `operation` (contract §9).

use chrono::TimeDelta;
use serde_json::json;

use super::action::Action;
use super::append::{NewEvent, Object};
use super::change::Change;
use super::event::Outcome;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// [`access::authorize`] for the trail itself: a refusal of a member or token of the organization is recorded.
pub(super) async fn authorize(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    operation: Operation,
) -> Result<Access> {
    let access = access::identify(platform, viewer, slug, operation).await?;
    match access.require(operation) {
        Ok(()) => Ok(access),
        Err(refused) => {
            record_refusal(platform, &access, operation).await?;
            Err(refused)
        }
    }
}

/// How long further looks or refusals of the same actor count as the same: a flood must not fill the log (R-17, R-40).
const SAME_LOOK: TimeDelta = TimeDelta::minutes(15);

async fn record_refusal(platform: &Platform, access: &Access, operation: Operation) -> Result<()> {
    let action =
        if operation == Operation::ExportAuditLog { Action::AuditLogExportRequested } else { Action::AuditLogViewed };
    record_once(platform, access, action, Outcome::Denied).await
}

/// Records that the trail was looked at. The page is served even if this cannot be written (R-40): the failure is logged.
pub(super) async fn record_view(platform: &Platform, access: &Access) {
    if let Err(cause) = record_once(platform, access, Action::AuditLogViewed, Outcome::Success).await {
        tracing::error!(%cause, organization = %access.organization().id, "a view of the audit log could not be recorded");
    }
}

async fn record_once(platform: &Platform, access: &Access, action: Action, outcome: Outcome) -> Result<()> {
    if recorded_lately(platform, access, action, outcome).await? {
        return Ok(());
    }
    let organization = access.organization();
    let role = json!({ "role": access.role().as_str() });
    let event = NewEvent::new(action, Object::new("audit_log", organization.id, &organization.slug))
        .next(&role)
        .outcome(outcome);
    Change::begin_record(platform, access).await?.commit(event).await?;
    Ok(())
}

async fn recorded_lately(platform: &Platform, access: &Access, action: Action, outcome: Outcome) -> Result<bool> {
    let actor = access.actor();
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let lately = sqlx::query_scalar!(
        r#"select exists (
            select from orgtrail.events
            where organization_id = $1 and action = $2 and outcome = $3 and occurred_at > $4
                and (actor_user_id = $5 or actor_access_token_id = $6)) as "lately!""#,
        access.organization().id,
        action.name(),
        outcome.as_str(),
        platform.clock.now() - SAME_LOOK,
        actor.user.as_ref().map(|user| user.id.as_str()),
        actor.access_token.as_ref().map(|token| token.id.as_str())
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(lately)
}

/// What refusing an export over its limit answers.
pub(super) fn too_many_exports(limit: i64) -> Error {
    Error::LimitExceeded(format!(
        "{limit} exports of this organization are running already: wait until one of them has ended."
    ))
}
