//! One's own account: name and password, and the one way in which an account changes.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::attempt::{self, Attempt, Method};
use super::email::{self, Email};
use super::mailed_link;
use super::password::{NewPassword, Verdict, Work};
use super::sign_in::{self, SignedIn};
use super::throttle::Throttles;
use super::viewer::{Origin, User, Viewer};
use crate::audit::event::Outcome;
use crate::audit::moment::rfc3339;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// An account as `previous` and `next` hold it: that its password changed is seen by the time, and nothing else of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    user_id: Uuid,
    name: String,
    email: String,
    password_changed_at: Option<DateTime<Utc>>,
    sessions: i64,
}

impl Account {
    fn state(&self) -> Value {
        json!({
            "user_id": self.user_id, "name": self.name, "email": self.email,
            "password_changed_at": self.password_changed_at.map(rfc3339), "sessions": self.sessions,
        })
    }
}

/// A transaction that changes one account. It is committed together with what says so in the trails of the user's organizations; dropped, it
/// undoes everything. The account is locked: two changes of it come one after the other.
pub(super) struct AccountChange<'a> {
    transaction: storage::Transaction,
    platform: &'a Platform,
    origin: &'a Origin,
    before: Account,
}

impl<'a> AccountChange<'a> {
    /// Begins a change by the user themselves, who asks from `origin`: signed in, or by a link that only they can have.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the account is gone or disabled.
    pub(super) async fn begin(platform: &'a Platform, origin: &'a Origin, user: Uuid) -> Result<Self> {
        let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
        sqlx::query!("select id from orgtrail.users where id = $1 and disabled_at is null for no key update", user)
            .fetch_optional(&mut *transaction)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let before = read(&mut transaction, user).await?;
        Ok(Self { transaction, platform, origin, before })
    }

    /// The account before the change.
    pub(super) fn before(&self) -> &Account {
        &self.before
    }

    /// Gives the account another name.
    async fn set_name(&mut self, name: &str) -> Result<()> {
        sqlx::query!("update orgtrail.users set name = $2 where id = $1", self.before.user_id, name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Gives the account another password, by its hash. Links that were mailed before are of no use after it.
    pub(super) async fn set_password(&mut self, hash: &str) -> Result<SignedIn> {
        let signed_in = sqlx::query_as!(
            SignedIn,
            "update orgtrail.users set password_hash = $2, password_changed_at = coalesce($3, clock_timestamp()) where id = $1
            returning id as user_id, password_changed_at",
            self.before.user_id,
            hash,
            self.platform.clock.simulated_now()
        )
        .fetch_one(&mut *self.transaction)
        .await?;
        mailed_link::end_all(&mut self.transaction, self.before.user_id).await?;
        Ok(signed_in)
    }

    /// Gives the account another address. Links that were mailed before are of no use after it.
    ///
    /// # Errors
    /// [`Error::Taken`] if it is another account's.
    pub(super) async fn set_email(&mut self, email: &Email) -> Result<()> {
        sqlx::query!(
            "update orgtrail.users set email = $2, email_key = $3 where id = $1",
            self.before.user_id,
            email.as_str(),
            email.key()
        )
        .execute(&mut *self.transaction)
        .await
        .map_err(sign_in::taken)?;
        mailed_link::end_all(&mut self.transaction, self.before.user_id).await
    }

    /// Ends the user's sessions, but for one (R-05): at once, since each request looks its session up.
    pub(super) async fn end_sessions(&mut self, but: Option<[u8; 32]>) -> Result<()> {
        sqlx::query!(
            "delete from orgtrail.sessions where user_id = $1 and id_sha256 is distinct from $2",
            self.before.user_id,
            but.as_ref().map(<[u8; 32]>::as_slice)
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// The address before the change.
    pub(super) fn email(&self) -> &str {
        &self.before.email
    }

    /// The connection on which to alter rows.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Commits the change and says so; nothing is said where nothing changed.
    pub(super) async fn commit(mut self, method: Method) -> Result<()> {
        let after = read(&mut self.transaction, self.before.user_id).await?;
        let is_change = after != self.before;
        if is_change {
            self.record(method, Outcome::Success, None, after.state()).await?;
        }
        self.transaction.commit().await?;
        if is_change {
            self.origin.set_recorded();
        }
        Ok(())
    }

    /// Gives the change up, and says that and why it was tried; `throttles` count it.
    async fn give_up(mut self, method: Method, reason: &'static str, throttles: Option<&Throttles>) -> Result<()> {
        let outcome = if throttles.is_some() { Outcome::Failure } else { Outcome::Denied };
        let mut unchanged = self.before.state();
        unchanged["reason"] = reason.into();
        self.record(method, outcome, Some(reason), unchanged).await?;
        if let Some(throttles) = throttles {
            throttles.failed(&mut self.transaction, self.platform.clock.now()).await?;
        }
        self.transaction.commit().await?;
        self.origin.set_recorded();
        Ok(())
    }

    async fn record(
        &mut self,
        method: Method,
        outcome: Outcome,
        reason: Option<&'static str>,
        next: Value,
    ) -> Result<()> {
        let Account { user_id, email, .. } = &self.before;
        let attempt = Attempt { method, email, user: Some(*user_id), outcome, reason, origin: self.origin };
        let states = [self.before.state(), next];
        attempt::record_change(&mut self.transaction, self.platform, attempt, states).await
    }
}

async fn read(connection: &mut PgConnection, user: Uuid) -> Result<Account> {
    let account = sqlx::query_as!(
        Account,
        r#"select u.id as user_id, u.name, u.email, u.password_changed_at, (select count(*) from orgtrail.sessions s
            where s.user_id = u.id and least(s.expires_at, s.absolute_expires_at) > clock_timestamp()) as "sessions!"
        from orgtrail.users u where u.id = $1"#,
        user
    )
    .fetch_one(connection)
    .await?;
    Ok(account)
}

/// Gives the signed-in user another name; does nothing if it is the same. `shown` is the name that the form showed, where there was one.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::Invalid`] for `name`; [`Error::Conflict`] if it is no longer the name that was shown.
pub async fn rename(platform: &Platform, viewer: &Viewer, name: &str, shown: Option<&str>) -> Result<()> {
    let user = viewer.require_user()?;
    let name = crate::organization::name::parse("name", name)?;
    let mut change = AccountChange::begin(platform, &viewer.origin, user.id).await?;
    let present = &change.before().name;
    if *present != name && shown.is_some_and(|shown| shown != present) {
        return Err(Error::Conflict(format!("Your name was changed to “{present}” meanwhile: look at it again.")));
    }
    change.set_name(&name).await?;
    change.commit(Method::UpdateAccount).await
}

/// Gives the signed-in user another password in exchange for the present one, and ends all their other sessions (R-05); the one that asks
/// goes on with what this answers. Guesses are throttled with those at the sign-in page.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::Invalid`] for `new_password` and `current_password`; [`Error::Throttled`]; [`Error::Conflict`] if the
/// password was changed at the same moment; [`Error::Unavailable`] if too many wait.
pub async fn change_password(platform: &Platform, viewer: &Viewer, current: &str, new: &str) -> Result<SignedIn> {
    let user = viewer.require_user()?;
    let chosen = NewPassword::parse(new).map_err(|error| at_field("new_password", error))?;
    let stored = prove(platform, viewer, user, current, Method::ChangePassword).await?;
    if current == new {
        return Err(Error::invalid("new_password", "This is your present password: choose another one."));
    }
    let hash = sign_in::hash(platform, chosen).await?;
    let mut change = AccountChange::begin(platform, &viewer.origin, user.id).await?;
    if password_hash(change.connection(), user.id).await? != stored {
        return Err(Error::Conflict("Your password was changed at this very moment: sign in with the new one.".into()));
    }
    let signed_in = change.set_password(&hash).await?;
    change.end_sessions(viewer.session).await?;
    change.commit(Method::ChangePassword).await?;
    Ok(signed_in)
}

/// Has the user prove who they are by their present password, for a change by `method`; answers the hash that it belongs to.
pub(super) async fn prove(
    platform: &Platform,
    viewer: &Viewer,
    user: &User,
    current: &str,
    method: Method,
) -> Result<Option<String>> {
    let throttles = Throttles::of(platform, &email::key(&user.email), viewer.origin.ip.as_deref());
    if let Err(throttled) = throttles.check(platform).await {
        let change = AccountChange::begin(platform, &viewer.origin, user.id).await?;
        change.give_up(method, "throttled", None).await?;
        return Err(throttled);
    }
    let stored = password_hash(&mut *platform.database.writes.acquire().await?, user.id).await?;
    let typed: String = current.chars().take(129).collect();
    if let Verdict::Verified { right: true, .. } =
        platform.hashing.run(Work::Verify { typed, stored: stored.clone() }).await?
    {
        return Ok(stored);
    }
    let change = AccountChange::begin(platform, &viewer.origin, user.id).await?;
    change.give_up(method, "wrong_password", Some(&throttles)).await?;
    Err(Error::invalid("current_password", "This is not your present password."))
}

async fn password_hash(connection: &mut PgConnection, user: Uuid) -> Result<Option<String>> {
    let stored = sqlx::query_scalar!("select password_hash from orgtrail.users where id = $1", user);
    Ok(stored.fetch_one(connection).await?)
}

/// Likewise, and keeps it until the transaction ends: what was proved by it stays proved.
pub(super) async fn hold_password(connection: &mut PgConnection, user: Uuid) -> Result<Option<String>> {
    let stored = sqlx::query_scalar!("select password_hash from orgtrail.users where id = $1 for share", user);
    Ok(stored.fetch_one(connection).await?)
}

/// An error at another field than the one that it names itself.
fn at_field(field: &str, error: Error) -> Error {
    match error {
        Error::Invalid(input) => Error::invalid(field, input.message),
        other => other,
    }
}
