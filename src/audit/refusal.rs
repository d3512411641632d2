//! Who looked at the trail, and who was refused: events of kind `operation` (contract §9).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::action::Action;
use super::append::{NewEvent, Object};
use super::change::Change;
use super::event::{Actor, Outcome};
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::{Result, storage};

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
            let exporting = operation == Operation::ExportAuditLog;
            let action = if exporting { Action::AuditLogExportRequested } else { Action::AuditLogViewed };
            record_refusal(platform, &access, action, log_of(&access)).await?;
            Err(refused)
        }
    }
}

/// How long further looks or refusals of the same actor count as the same: a flood must not fill the log.
const SAME_LOOK: TimeDelta = TimeDelta::minutes(15);

fn log_of(access: &Access) -> Object {
    let organization = access.organization();
    Object::new("audit_log", organization.id, &organization.slug)
}

/// Records that something was refused to a member or token of the organization.
pub(crate) async fn record_refusal(platform: &Platform, access: &Access, action: Action, object: Object) -> Result<()> {
    record_once(platform, access, action, Outcome::Denied, object).await
}

/// Records that the trail was looked at. The page is served even if this cannot be written: the failure is logged.
pub(super) async fn record_view(platform: &Platform, access: &Access) {
    if let Err(cause) = record_once(platform, access, Action::AuditLogViewed, Outcome::Success, log_of(access)).await {
        tracing::error!(%cause, organization = %access.organization().id, "a view of the audit log could not be recorded");
    }
}

async fn record_once(
    platform: &Platform,
    access: &Access,
    action: Action,
    outcome: Outcome,
    object: Object,
) -> Result<()> {
    let look = Look::of(access, action, outcome, &object);
    let since = platform.clock.now() - SAME_LOOK;
    if platform.looks.is_known_since(&look, since) {
        return Ok(());
    }
    if let Some(at) = last_recorded(platform, access, &look, since).await? {
        platform.looks.note(look, at, since);
        return Ok(());
    }
    let role = json!({ "role": access.role().as_str() });
    let event = NewEvent::new(action, object).next(&role).outcome(outcome);
    Change::begin_record(platform, access).await?.commit(event).await?;
    platform.looks.note(look, platform.clock.now(), since);
    Ok(())
}

async fn last_recorded(
    platform: &Platform,
    access: &Access,
    look: &Look,
    since: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let actor = access.actor();
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let last = sqlx::query_scalar!(
        "select max(occurred_at) from orgtrail.events
        where organization_id = $1 and action = $2 and outcome = $3 and occurred_at > $4
            and (actor_user_id = $5 or actor_access_token_id = $6) and object_id = $7",
        access.organization().id,
        look.action.name(),
        look.outcome.as_str(),
        since,
        actor.user.as_ref().map(|user| user.id.as_str()),
        actor.access_token.as_ref().map(|token| token.id.as_str()),
        look.object
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(last)
}

/// Somebody's looks at a trail, or refusals of them, that count as one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Look {
    organization: Uuid,
    actor: String,
    action: Action,
    outcome: Outcome,
    object: String,
}

impl Look {
    fn of(access: &Access, action: Action, outcome: Outcome, object: &Object) -> Self {
        let Actor { user, access_token } = access.actor();
        let user = user.as_ref().map(|user| format!("user:{}", user.id));
        let token = access_token.as_ref().map(|token| format!("token:{}", token.id));
        Self {
            organization: access.organization().id,
            actor: user.or(token).unwrap_or_default(),
            action,
            outcome,
            object: object.id().to_owned(),
        }
    }
}

/// The looks that this server knows to be recorded, so that a program that reads page after page does not have the trail searched for each.
#[derive(Debug, Default)]
pub struct RecentLooks(Mutex<HashMap<Look, DateTime<Utc>>>);

impl RecentLooks {
    /// So many looks are known at once; what is forgotten is only asked for again.
    const MOST: usize = 10_000;

    fn is_known_since(&self, look: &Look, since: DateTime<Utc>) -> bool {
        self.known().get(look).is_some_and(|at| *at > since)
    }

    fn note(&self, look: Look, at: DateTime<Utc>, since: DateTime<Utc>) {
        let mut known = self.known();
        if known.len() >= Self::MOST {
            known.retain(|_, at| *at > since);
        }
        if known.len() < Self::MOST {
            known.insert(look, at);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Look, DateTime<Utc>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_known_for_its_time_and_for_nobody_else() {
        let at: DateTime<Utc> = "2026-11-22T12:00:00Z".parse().unwrap();
        let look = |actor: &str| Look {
            organization: Uuid::nil(),
            actor: actor.to_owned(),
            action: Action::AuditLogViewed,
            outcome: Outcome::Success,
            object: String::new(),
        };
        let looks = RecentLooks::default();
        looks.note(look("user:1"), at, at - SAME_LOOK);
        assert!(looks.is_known_since(&look("user:1"), at - TimeDelta::microseconds(1)));
        assert!(!looks.is_known_since(&look("user:1"), at));
        assert!(!looks.is_known_since(&look("user:2"), at - SAME_LOOK));
        assert!(!looks.is_known_since(&Look { outcome: Outcome::Denied, ..look("user:1") }, at - SAME_LOOK));
    }

    #[test]
    fn only_so_many_are_known() {
        let at: DateTime<Utc> = "2026-11-22T12:00:00Z".parse().unwrap();
        let look = |number: usize| Look {
            organization: Uuid::nil(),
            actor: number.to_string(),
            action: Action::AuditLogViewed,
            outcome: Outcome::Success,
            object: String::new(),
        };
        let looks = RecentLooks::default();
        for number in 0..=RecentLooks::MOST {
            looks.note(look(number), at, at - SAME_LOOK);
        }
        assert_eq!(looks.known().len(), RecentLooks::MOST);
        looks.note(look(RecentLooks::MOST), at + SAME_LOOK, at);
        assert_eq!(looks.known().len(), 1, "the old ones are over");
    }
}
