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

/// Sentences that are kept of a trail.
const MOST: usize = 20;

/// What is wrong with a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// When it was found first.
    pub(crate) found_at: DateTime<Utc>,
    /// When it was noted last.
    noted_at: DateTime<Utc>,
    /// A sentence for each thing that is wrong, without what the database says of itself.
    pub(crate) problems: Vec<String>,
}

impl Damage {
    fn state(&self) -> Value {
        json!({ "problems": self.problems, "since": rfc3339(self.found_at) })
    }

    /// What is wrong now that `problems` were found.
    fn and(&self, extent: Extent, problems: Vec<String>) -> Vec<String> {
        match extent {
            Extent::Whole { since } if self.noted_at <= since => problems,
            Extent::Whole { .. } | Extent::Part => {
                let new = problems.into_iter().filter(|problem| !self.problems.contains(problem));
                self.problems.iter().cloned().chain(new).take(MOST).collect()
            }
        }
    }
}

/// How much of a trail was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All that it held at this moment: what was known then and was not found again is not there any more.
    Whole { since: DateTime<Utc> },
    /// A part, which says nothing of the rest.
    Part,
}

/// What is known to be wrong with the trail of the bound organization.
pub(super) async fn known(connection: &mut PgConnection, organization: Uuid) -> Result<Option<Damage>> {
    let known = sqlx::query_as!(
        Damage,
        "select found_at, noted_at, problems from orgtrail.damaged_trails where organization_id = $1",
        organization
    );
    Ok(known.fetch_optional(connection).await?)
}

/// Notes what was found when so much of a trail was read again, at most 20 sentences; records `audit_log.integrity.failed` when that is something else
/// than was known, `audit_log.integrity.restored` when it is nothing any more.
///
/// # Errors
/// [`crate::Error::Unavailable`]; [`crate::Error::Internal`] where the trail takes no event any more. Nothing is noted then.
pub(crate) async fn note(platform: &Platform, organization: Uuid, extent: Extent, problems: Vec<String>) -> Result<()> {
    let mut change = Change::begin_in(platform, organization, viewer::upkeep(), Origin::default()).await?;
    if problems.is_empty() && known(change.connection(), organization).await?.is_none() {
        return Ok(());
    }
    // Two may have read it at the same time: one after the other says what is news.
    let slug = sqlx::query_scalar!(
        "select o.slug from orgtrail.trail_heads h join orgtrail.organizations o on o.id = h.organization_id
        where h.organization_id = $1 for no key update of h",
        organization
    )
    .fetch_one(change.connection())
    .await?;
    let before = known(change.connection(), organization).await?;
    let problems = match &before {
        Some(before) => before.and(extent, problems),
        None => problems,
    };
    if before.as_ref().map_or(problems.is_empty(), |before| before.problems == problems) {
        return Ok(());
    }
    let after = keep(change.connection(), platform, organization, &problems).await?;
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
        "insert into orgtrail.damaged_trails (organization_id, found_at, noted_at, problems)
        select $1, now, now, $3 from coalesce($2, clock_timestamp()) as now
        on conflict (organization_id) do update set noted_at = excluded.noted_at, problems = excluded.problems
        returning found_at, noted_at, problems",
        organization,
        platform.clock.simulated_now(),
        problems
    );
    Ok(Some(kept.fetch_one(connection).await?))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn sentences(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn only_a_reading_of_everything_takes_something_back() {
        let at = DateTime::UNIX_EPOCH;
        let known = Damage { found_at: at, noted_at: at, problems: sentences(&["a", "b"]) };
        let whole = Extent::Whole { since: at };
        assert_eq!(known.and(whole, sentences(&["b", "c"])), ["b", "c"]);
        assert_eq!(known.and(whole, Vec::new()), Vec::<String>::new());
        // What was noted while it was read was not there yet, or was read before.
        let earlier = Extent::Whole { since: at - TimeDelta::microseconds(1) };
        for extent in [Extent::Part, earlier] {
            assert_eq!(known.and(extent, sentences(&["b", "c"])), ["a", "b", "c"]);
            assert_eq!(known.and(extent, Vec::new()), ["a", "b"]);
        }
        let many: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        assert_eq!(known.and(Extent::Part, many).len(), MOST);
    }
}
