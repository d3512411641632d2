//! Sign-in attempts and changes of accounts: each written once to the platform's table, then copied into the trail of every organization
//! that the user belongs to, exactly once (contract §9).

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::email;
use super::viewer::{Origin, User};
use crate::audit::action::Action;
use crate::audit::append::{self, Draft, LoginFacts};
use crate::audit::event::{Actor, Outcome};
use crate::audit::operation::OperationFacts;
use crate::meter::Tally;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// The way that was used, in the words of contract §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The sign-in page, or a program's `POST /api/login`.
    Login,
    /// The sign-up page.
    Signup,
    /// The page of an invite.
    AcceptInvite,
    /// A change of one's name.
    UpdateAccount,
    /// A change of one's e-mail address.
    ChangeEmail,
    /// A new password in exchange for the present one.
    ChangePassword,
    /// A new password by a mailed link.
    ResetPassword,
    /// The end of sessions, by whom they belong to.
    EndSessions,
    /// A mutation that changed nothing of an account: refused, failed, or with nothing to do.
    Mutation,
}

impl Method {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Signup => "signup",
            Self::AcceptInvite => "acceptInvite",
            Self::UpdateAccount => "updateAccount",
            Self::ChangeEmail => "changeEmail",
            Self::ChangePassword => "changePassword",
            Self::ResetPassword => "resetPassword",
            Self::EndSessions => "endSessions",
            Self::Mutation => "mutation",
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

/// Records in the organizations of `user` how a mutation ended that belongs to none of them.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn record_mutation(platform: &Platform, user: &User, origin: &Origin, outcome: Outcome) -> Result<()> {
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    write_mutation(&mut transaction, platform, user, origin, outcome).await?;
    transaction.commit().await?;
    origin.set_recorded();
    Ok(())
}

/// Writes the mutation of the request, if there is one, together with what it did: the caller commits, and then has it
/// [recorded](Origin::set_recorded).
pub(super) async fn write_mutation(
    connection: &mut PgConnection,
    platform: &Platform,
    user: &User,
    origin: &Origin,
    outcome: Outcome,
) -> Result<()> {
    if origin.mutation.as_ref().is_none_or(|sent| sent.unrecorded().is_none()) {
        return Ok(());
    }
    let attempt =
        Attempt { method: Method::Mutation, email: &user.email, user: Some(user.id), outcome, reason: None, origin };
    record(connection, platform, attempt).await
}

/// Writes an attempt to sign in: the same work whoever it is.
pub(super) async fn record(connection: &mut PgConnection, platform: &Platform, attempt: Attempt<'_>) -> Result<()> {
    insert(connection, platform, attempt, None).await
}

/// Writes a change of an account, or the attempt at one, with the account's states before and after.
pub(super) async fn record_change(
    connection: &mut PgConnection,
    platform: &Platform,
    attempt: Attempt<'_>,
    states: [Value; 2],
) -> Result<()> {
    insert(connection, platform, attempt, Some(states)).await
}

async fn insert(
    connection: &mut PgConnection,
    platform: &Platform,
    attempt: Attempt<'_>,
    states: Option<[Value; 2]>,
) -> Result<()> {
    let id = storage::new_id(platform.clock.now())?;
    let [previous, next] = states.map_or([None, None], |states| states.map(Some));
    let operation = mutation_of(platform, &attempt)?;
    sqlx::query!(
        "insert into orgtrail.sign_in_attempts
            (id, attempted_at, method, email_typed, user_id, outcome, reason, previous, next, ip, user_agent, request_id, operation)
        values ($1, coalesce($2, clock_timestamp()), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        id,
        platform.clock.simulated_now(),
        attempt.method.as_str(),
        cut(attempt.email),
        attempt.user,
        attempt.outcome.as_str(),
        attempt.reason,
        previous,
        next,
        attempt.origin.ip,
        attempt.origin.user_agent,
        attempt.origin.request_id,
        operation
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The mutation of which an attempt came, without its secrets: here it waits outside of any trail.
fn mutation_of(platform: &Platform, attempt: &Attempt<'_>) -> Result<Option<Value>> {
    let sent = attempt.origin.mutation.as_ref().and_then(|mutation| mutation.unrecorded());
    let redacted =
        sent.map(|sent| platform.keys.redaction.of(Uuid::nil()).operation(sent).unwrap_or_else(|| sent.clone()));
    redacted.map(|facts| serde_json::to_value(facts).map_err(Error::internal)).transpose()
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

/// Attempts handled in one transaction: few, so that no trail's head is held long.
const BATCH: i64 = 50;

/// For how many seconds the oldest attempt has waited to be copied; 0 if none waits. By the database's clock.
///
/// # Errors
/// [`Error::Unavailable`] without a database.
pub async fn longest_wait(platform: &Platform) -> Result<f64> {
    let seconds = sqlx::query_scalar!(
        r#"select coalesce(extract(epoch from clock_timestamp() - least(
            (select min(attempted_at) from orgtrail.sign_in_attempts where sorted_at is null),
            (select min(a.attempted_at) from orgtrail.sign_in_copies c join orgtrail.sign_in_attempts a on a.id = c.attempt_id)
        )), 0)::float8 as "seconds!""#
    )
    .fetch_one(&platform.database.reads)
    .await?;
    Ok(seconds.max(0.0))
}

/// Copies the attempts that wait into the trails they belong in; answers how far it got, 0 when nothing is left to do. Called again and
/// again by the server; several servers may, each copy is made by one. A trail that cannot be written holds up no other.
///
/// # Errors
/// [`Error::Unavailable`] where nothing could be done that waits, without a database or for want of a trail's head; nothing is lost.
pub async fn copy_pending(platform: &Platform) -> Result<usize> {
    let (mut done, mut failed) = (sort(platform).await?, None);
    for organization in waiting_organizations(platform).await? {
        match copy_into(platform, organization).await {
            Ok(copied) => done += copied,
            Err(cause) => failed = failed.or(Some(cause)),
        }
    }
    // While others get on, a trail that cannot be written is no news; when it alone is left, the caller hears of it.
    match failed {
        Some(cause) if done == 0 => Err(cause),
        _ => Ok(done),
    }
}

/// Finds the trails that the next attempts belong in, and orders a copy for each; answers how many attempts it looked at. What somebody
/// changes of their account concerns the organizations that they are in; an attempt to sign in also those that invite the address.
async fn sort(platform: &Platform) -> Result<usize> {
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    let waiting = sqlx::query!(
        "select id, email_typed from orgtrail.sign_in_attempts where sorted_at is null order by attempted_at, id limit $1 for update skip locked",
        BATCH
    )
    .fetch_all(&mut *transaction)
    .await?;
    let ids: Vec<Uuid> = waiting.iter().map(|attempt| attempt.id).collect();
    let keys: Vec<String> = waiting.iter().map(|attempt| email::key(&attempt.email_typed)).collect();
    sqlx::query!(
        "insert into orgtrail.sign_in_copies (trail, attempt_id, of_member)
        select trail, id, bool_or(of_member) from (
            select belongs.organization_id as trail, a.id, true as of_member
            from orgtrail.sign_in_attempts a, orgtrail.organizations_of_user(a.user_id) as belongs where a.id = any($1)
            union all
            select inviting, a.id, false
            from unnest($1, $2::text[]) as typed (id, email_key) join orgtrail.sign_in_attempts a using (id),
                orgtrail.organizations_inviting(typed.email_key, a.attempted_at) as inviting where a.previous is null and a.method <> 'mutation'
        ) as concerned group by trail, id",
        &ids,
        &keys
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!("update orgtrail.sign_in_attempts set sorted_at = clock_timestamp() where id = any($1)", &ids)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(ids.len())
}

async fn waiting_organizations(platform: &Platform) -> Result<Vec<Uuid>> {
    let waiting = sqlx::query_scalar!("select distinct trail from orgtrail.sign_in_copies order by 1")
        .fetch_all(&platform.database.writes)
        .await?;
    Ok(waiting)
}

/// Copies the next attempts that wait for one trail; answers how many.
async fn copy_into(platform: &Platform, organization: Uuid) -> Result<usize> {
    let mut transaction = storage::begin(&platform.database.writes, organization).await?;
    let waiting = sqlx::query_as!(
        Waiting,
        r#"select a.id, a.attempted_at, a.method, a.email_typed, a.user_id, a.outcome, a.reason, a.previous, a.next, a.ip, a.user_agent, a.request_id, a.operation,
            u.name as "user_name?", u.email as "user_email?", c.of_member
        from orgtrail.sign_in_copies c
        join orgtrail.sign_in_attempts a on a.id = c.attempt_id
        left join orgtrail.users u on u.id = a.user_id
        where c.trail = $1
        order by a.attempted_at, a.id limit $2 for update of c skip locked"#,
        organization,
        BATCH
    )
    .fetch_all(&mut *transaction)
    .await?;
    let drafts = waiting.iter().map(Waiting::drafts).collect::<Result<Vec<_>>>()?.concat();
    let tally = Tally::of(drafts.iter().map(|draft| draft.kind));
    append::append(&mut transaction, organization, platform, drafts).await?;
    let ids: Vec<Uuid> = waiting.iter().map(|attempt| attempt.id).collect();
    sqlx::query!("delete from orgtrail.sign_in_copies where trail = $1 and attempt_id = any($2)", organization, &ids)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    tally.committed();
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
    previous: Option<Value>,
    next: Option<Value>,
    ip: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    operation: Option<Value>,
    user_name: Option<String>,
    user_email: Option<String>,
    of_member: bool,
}

impl Waiting {
    /// Its events: of what was done, and of the mutation that asked for it.
    fn drafts(&self) -> Result<Vec<Draft>> {
        let mut drafts = Vec::new();
        if self.method != Method::Mutation.as_str() {
            drafts.push(self.draft()?);
        }
        if let Some(operation) = self.operation.clone().filter(|_| self.of_member) {
            let facts: OperationFacts = serde_json::from_value(operation).map_err(Error::internal)?;
            let mut draft = facts.draft(&self.user().unwrap_or_default(), &self.origin(), self.outcome()?);
            draft.claimed_at = Some(self.attempted_at);
            drafts.push(draft);
        }
        Ok(drafts)
    }

    fn outcome(&self) -> Result<Outcome> {
        Outcome::parse(&self.outcome).ok_or_else(|| Error::internal("an unknown outcome is stored"))
    }

    fn origin(&self) -> Origin {
        Origin {
            ip: self.ip.clone(),
            user_agent: self.user_agent.clone(),
            request_id: self.request_id.clone(),
            mutation: None,
        }
    }

    /// The event. Of those who sign in only a success has an actor: who failed did not prove to be anybody. Who changes an account has.
    /// Of somebody who is invited, and has not agreed to anything yet, there is the address and what came of it: not who that is, nor from
    /// where.
    fn draft(&self) -> Result<Draft> {
        let outcome = self.outcome()?;
        let changes = self.previous.is_some();
        let mut draft = Draft::new(if changes { Action::AccountUpdated } else { Action::LoginAttempted });
        draft.outcome = outcome;
        draft.login = Some(LoginFacts { method: self.method.clone(), email: self.email_typed.clone() });
        draft.claimed_at = Some(self.attempted_at);
        if !self.of_member {
            return Ok(draft);
        }
        draft.actor = self.user().filter(|_| changes || outcome == Outcome::Success).unwrap_or_default();
        draft.object_id = self.user_id.map(|id| id.to_string());
        draft.object_name = self.known("name", self.user_name.as_deref());
        draft.previous = self.previous.as_ref().map(Value::to_string);
        draft.next = self
            .next
            .as_ref()
            .map(Value::to_string)
            .or_else(|| self.reason.as_ref().map(|reason| serde_json::json!({ "reason": reason }).to_string()));
        draft.origin = self.origin();
        Ok(draft)
    }

    /// The user, as they were when they did it.
    fn user(&self) -> Option<Actor> {
        let (name, email) =
            (self.known("name", self.user_name.as_deref()), self.known("email", self.user_email.as_deref()));
        self.user_id.map(|id| Actor::user(id.to_string(), name.unwrap_or_default(), email.unwrap_or_default()))
    }

    /// A field of the state before, or else what the account has now.
    fn known(&self, field: &str, now: Option<&str>) -> Option<String> {
        let before = self.previous.as_ref().and_then(|state| state.get(field)?.as_str());
        before.or(now).map(str::to_owned)
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
