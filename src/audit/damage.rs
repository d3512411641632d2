//! That a trail is damaged: what is kept of it is not what was recorded. Known to the organization itself, so that whoever reads the trail is told.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::action::Action;
use super::append::{NewEvent, Object};
use super::change::Change;
use super::event::Outcome;
use super::moment::rfc3339;
use crate::Result;
use crate::identity::viewer::{self, Origin};
use crate::platform::Platform;

/// What is wrong with a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// When it was found first.
    pub(crate) found_at: DateTime<Utc>,
    /// A sentence for each thing that is wrong, without what the database says of itself.
    pub(crate) problems: Vec<String>,
}

impl Damage {
    fn state(&self) -> Value {
        json!({ "problems": self.problems, "since": rfc3339(self.found_at) })
    }
}

/// How much of a trail was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it: what was not found is not there.
    Whole,
    /// Its newest part, which says nothing of the rest.
    Newest,
}

/// What is known to be wrong with the trail of the bound organization.
pub(super) async fn known(connection: &mut PgConnection, organization: Uuid) -> Result<Option<Damage>> {
    let known = sqlx::query_as!(
        Damage,
        "select found_at, problems from orgtrail.damaged_trails where organization_id = $1",
        organization
    );
    Ok(known.fetch_optional(connection).await?)
}

/// Notes what was found when so much of a trail was read again; records `audit_log.integrity.failed` when that is something else than was known,
/// `audit_log.integrity.restored` when it is nothing any more.
///
/// # Errors
/// [`crate::Error::Unavailable`]; [`crate::Error::Internal`] where the trail takes no event any more. Nothing is noted then.
pub(crate) async fn note(platform: &Platform, organization: Uuid, extent: Extent, problems: Vec<String>) -> Result<()> {
    let mut change = Change::begin_in(platform, organization, viewer::upkeep(), Origin::default()).await?;
    let before = known(change.connection(), organization).await?;
    let is_news = match (&before, extent) {
        (None, _) => !problems.is_empty(),
        (Some(before), Extent::Whole) => before.problems != problems,
        (Some(_), Extent::Newest) => false,
    };
    if !is_news {
        return Ok(());
    }
    let after = keep(change.connection(), platform, organization, &problems).await?;
    let slug = sqlx::query_scalar!("select slug from orgtrail.organizations where id = $1", organization)
        .fetch_one(change.connection())
        .await?;
    let log = Object::new("audit_log", organization, slug);
    let mut event = match &after {
        Some(after) => {
            NewEvent::new(Action::AuditLogIntegrityFailed, log).next(&after.state()).outcome(Outcome::Failure)
        }
        None => NewEvent::new(Action::AuditLogIntegrityRestored, log),
    };
    if let Some(before) = &before {
        event = event.previous(&before.state());
    }
    change.commit(event).await?;
    Ok(())
}

/// What is known from now on.
async fn keep(
    connection: &mut PgConnection,
    platform: &Platform,
    organization: Uuid,
    problems: &[String],
) -> Result<Option<Damage>> {
    if problems.is_empty() {
        let gone = sqlx::query!("delete from orgtrail.damaged_trails where organization_id = $1", organization);
        gone.execute(connection).await?;
        return Ok(None);
    }
    let kept = sqlx::query_as!(
        Damage,
        "insert into orgtrail.damaged_trails (organization_id, found_at, problems) values ($1, coalesce($2, clock_timestamp()), $3)
        on conflict (organization_id) do update set problems = excluded.problems
        returning found_at, problems",
        organization,
        platform.clock.simulated_now(),
        problems
    );
    Ok(Some(kept.fetch_one(connection).await?))
}
