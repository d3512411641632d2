//! Sign-in attempts: each written once to the platform's table, then copied into the trail of every organization that the address
//! belongs to, exactly once (contract §9).

use chrono::{DateTime, Utc};
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::viewer::Origin;
use crate::audit::action::Action;
use crate::audit::append::{self, Draft, LoginFacts};
use crate::audit::event::{Actor, Outcome};
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// The way that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The sign-in page, or a program's `POST /api/login`.
    Login,
    /// The sign-up page.
    Signup,
}

impl Method {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Signup => "signup",
        }
    }
}

/// One attempt, as it is written down.
pub(super) struct Attempt<'a> {
    pub method: Method,
    /// As typed; cut visibly at 320 bytes.
    pub email: &'a str,
    pub user: Option<Uuid>,
    pub outcome: Outcome,
    /// Class of failure: `wrong_credentials`, `throttled`.
    pub reason: Option<&'static str>,
    pub origin: &'a Origin,
}

/// Writes an attempt: the same work whoever it is.
pub(super) async fn record(
    transaction: &mut Transaction<'_, Postgres>,
    platform: &Platform,
    attempt: Attempt<'_>,
) -> Result<()> {
    let id = storage::new_id(platform.clock.now())?;
    sqlx::query!(
        "insert into orgtrail.sign_in_attempts (id, attempted_at, method, email_typed, user_id, outcome, reason, ip, user_agent, request_id)
        values ($1, coalesce($2, clock_timestamp()), $3, $4, $5, $6, $7, $8, $9, $10)",
        id,
        platform.clock.simulated_now(),
        attempt.method.as_str(),
        cut(attempt.email),
        attempt.user,
        attempt.outcome.as_str(),
        attempt.reason,
        attempt.origin.ip,
        attempt.origin.user_agent,
        attempt.origin.request_id
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// At most 320 bytes of what was typed, without NUL; a cut is visible (R-17).
fn cut(typed: &str) -> String {
    let clean = typed.replace('\0', "\u{fffd}");
    if clean.len() <= 320 {
        return clean;
    }
    let mut end = 317;
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &clean[..end])
}

/// Attempts copied in one transaction: few, so that no trail's head is held long.
const BATCH: i64 = 50;

/// Copies the attempts that wait into the trails they belong in; answers how many it looked at. Called again and again by the server;
/// several servers may, each attempt is taken by one.
///
/// # Errors
/// [`Error::Unavailable`] without a database; nothing is lost, the attempts wait.
pub async fn copy_pending(platform: &Platform) -> Result<usize> {
    let mut transaction = platform.database.writes.begin().await?;
    let waiting = sqlx::query_as!(
        Waiting,
        r#"select a.id, a.attempted_at, a.method, a.email_typed, a.user_id, a.outcome, a.reason, a.ip, a.user_agent, a.request_id,
            u.name as "user_name?", u.email as "user_email?"
        from orgtrail.sign_in_attempts a left join orgtrail.users u on u.id = a.user_id
        where a.copied_at is null
        order by a.attempted_at, a.id limit $1 for update of a skip locked"#,
        BATCH
    )
    .fetch_all(&mut *transaction)
    .await?;
    for (organization, drafts) in by_organization(&mut transaction, &waiting).await? {
        storage::bind(&mut transaction, organization).await?;
        append::append(&mut transaction, organization, &platform.clock, &drafts).await?;
    }
    let ids: Vec<Uuid> = waiting.iter().map(|attempt| attempt.id).collect();
    sqlx::query!("update orgtrail.sign_in_attempts set copied_at = clock_timestamp() where id = any($1)", &ids)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(waiting.len())
}

struct Waiting {
    id: Uuid,
    attempted_at: DateTime<Utc>,
    method: String,
    email_typed: String,
    user_id: Option<Uuid>,
    outcome: String,
    reason: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    user_name: Option<String>,
    user_email: Option<String>,
}

/// The events to write, by organization in rising order of id: everybody locks heads in the same order, so nobody waits in a circle.
async fn by_organization(
    transaction: &mut Transaction<'_, Postgres>,
    waiting: &[Waiting],
) -> Result<std::collections::BTreeMap<Uuid, Vec<Draft>>> {
    let mut drafts = std::collections::BTreeMap::<Uuid, Vec<Draft>>::new();
    for attempt in waiting {
        let Some(user) = attempt.user_id else { continue };
        let organizations =
            sqlx::query_scalar!(r#"select organization_id as "id!" from orgtrail.organizations_of_user($1)"#, user)
                .fetch_all(&mut **transaction)
                .await?;
        for organization in organizations {
            drafts.entry(organization).or_default().push(attempt.draft()?);
        }
    }
    Ok(drafts)
}

impl Waiting {
    /// The login event. Only a success has an actor: who failed to sign in did not prove to be anybody.
    fn draft(&self) -> Result<Draft> {
        let outcome = Outcome::parse(&self.outcome).ok_or_else(|| Error::internal("an unknown outcome is stored"))?;
        let user = self.user_id.map(|id| {
            Actor::user(
                id.to_string(),
                self.user_name.clone().unwrap_or_default(),
                self.user_email.clone().unwrap_or_default(),
            )
        });
        let mut draft = Draft::new(Action::LoginAttempted);
        draft.actor = user.filter(|_| outcome == Outcome::Success).unwrap_or_default();
        draft.object_id = self.user_id.map(|id| id.to_string());
        draft.object_name = self.user_name.clone();
        draft.outcome = outcome;
        draft.next = self.reason.as_ref().map(|reason| serde_json::json!({ "reason": reason }).to_string());
        draft.origin =
            Origin { ip: self.ip.clone(), user_agent: self.user_agent.clone(), request_id: self.request_id.clone() };
        draft.login = Some(LoginFacts { method: self.method.clone(), email: self.email_typed.clone() });
        draft.claimed_at = Some(self.attempted_at);
        Ok(draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_address_is_cut_visibly_and_fits() {
        assert_eq!(cut("ada@acme.example"), "ada@acme.example");
        let long = cut(&"é".repeat(400));
        assert!(long.ends_with('…') && long.len() <= 320);
        assert_eq!(cut("a\0b"), "a\u{fffd}b");
    }
}
