//! Signing in and signing up with a password: the same work and the same answer for every cause of failure (R-13).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::attempt::{self, Attempt, Method};
use super::email::{self, Email};
use super::password::{NewPassword, Verdict, Work};
use super::throttle::Throttles;
use super::viewer::{Origin, User, Viewer};
use crate::audit::event::Outcome;
use crate::platform::{Platform, SignUp};
use crate::{Error, Result};
use crate::{meter, storage};

/// Who signed in, and with which password. The session that is made now belongs to them as long as it is the account's: a password that is
/// replaced between the sign-in and the first use of its session ends that one too (R-05).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Id of the user.
    pub user_id: Uuid,
    /// When the password was chosen; tells it from every other one of the account.
    pub password_changed_at: Option<DateTime<Utc>>,
}

/// Checks an address and a password, and writes the attempt down, whatever comes of it. Anybody may try.
///
/// # Errors
/// [`Error::WrongCredentials`] for every cause; [`Error::Throttled`]; [`Error::Unavailable`] if it cannot be written down or too many
/// wait: then nobody is signed in (R-40).
pub async fn sign_in(platform: &Platform, viewer: &Viewer, email: &str, password: &str) -> Result<SignedIn> {
    enter(platform, viewer, Method::Login, email, password).await
}

/// A sign-in by the page of `method`, counted.
async fn enter(platform: &Platform, viewer: &Viewer, method: Method, email: &str, password: &str) -> Result<SignedIn> {
    let result = try_to_enter(platform, viewer, method, email, password).await;
    meter::signed_in(&result);
    result
}

async fn try_to_enter(
    platform: &Platform,
    viewer: &Viewer,
    method: Method,
    email: &str,
    password: &str,
) -> Result<SignedIn> {
    let throttles = Throttles::of(platform, &email::key(email), viewer.origin.ip.as_deref());
    let account = find_account(platform, email).await?;
    let user_id = account.as_ref().map(|account| account.id);
    let written = |outcome, reason| Attempt { method, email, user: user_id, outcome, reason, origin: &viewer.origin };
    if let Err(throttled) = throttles.check(platform).await {
        write(platform, written(Outcome::Denied, Some("throttled")), None).await?;
        return Err(throttled);
    }
    let stored = account.as_ref().filter(|account| !account.disabled).and_then(|account| account.password_hash.clone());
    let verified = stored.clone();
    // What cannot be a password is not hashed at length, but not told apart either.
    let typed: String = password.chars().take(129).collect();
    let checked = platform.hashing.run(Work::Verify { typed, stored }).await?;
    if let (Verdict::Verified { right: true, rehashed }, Some(user_id)) = (checked, user_id)
        && let Some(signed_in) =
            succeed(platform, written(Outcome::Success, None), &throttles, (user_id, verified.as_deref()), rehashed)
                .await?
    {
        return Ok(signed_in);
    }
    write(platform, written(Outcome::Failure, Some("wrong_credentials")), Some(&throttles)).await?;
    Err(Error::WrongCredentials)
}

/// As [`sign_in`], at the page of an invite.
pub(crate) async fn sign_in_invited(
    platform: &Platform,
    viewer: &Viewer,
    email: &str,
    password: &str,
) -> Result<SignedIn> {
    enter(platform, viewer, Method::AcceptInvite, email, password).await
}

/// Whether an address has an account.
pub(crate) async fn has_account(platform: &Platform, email: &str) -> Result<bool> {
    Ok(find_account(platform, email).await?.is_some())
}

struct Account {
    id: Uuid,
    password_hash: Option<String>,
    disabled: bool,
}

async fn find_account(platform: &Platform, email: &str) -> Result<Option<Account>> {
    let key = email::key(email).replace('\0', " ");
    let account = sqlx::query_as!(
        Account,
        r#"select id, password_hash, disabled_at is not null as "disabled!" from orgtrail.users where email_key = $1"#,
        key
    )
    .fetch_optional(&platform.database.writes)
    .await?;
    Ok(account)
}

/// Writes an attempt that came to nothing; `failed` counts it.
async fn write(platform: &Platform, attempt: Attempt<'_>, failed: Option<&Throttles>) -> Result<()> {
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    attempt::record(&mut transaction, platform, attempt).await?;
    if let Some(throttles) = failed {
        throttles.failed(&mut transaction, platform.clock.now()).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Writes a success, unless the password that was `verified` is no longer the account's: verifying takes a while, and whoever has lost the
/// account meanwhile does not enter with the old one, nor bring it back.
async fn succeed(
    platform: &Platform,
    attempt: Attempt<'_>,
    throttles: &Throttles,
    (user, verified): (Uuid, Option<&str>),
    rehashed: Option<String>,
) -> Result<Option<SignedIn>> {
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    let signed_in = sqlx::query_as!(
        SignedIn,
        "update orgtrail.users set password_hash = coalesce($3, password_hash) where id = $1 and password_hash = $2 and disabled_at is null
        returning id as user_id, password_changed_at",
        user,
        verified,
        rehashed
    )
    .fetch_optional(&mut *transaction)
    .await?;
    if signed_in.is_some() {
        attempt::record(&mut transaction, platform, attempt).await?;
        throttles.succeeded(&mut transaction).await?;
        transaction.commit().await?;
    }
    Ok(signed_in)
}

/// Makes an account for oneself, where `ORGTRAIL_SIGNUP` lets one. With an address that has an account already this is a sign-in: the
/// right password enters, any other is refused as wrong, so that nobody learns which addresses have accounts.
///
/// # Errors
/// [`Error::Forbidden`] where sign-up is not open; [`Error::Invalid`] for `name`, `email`, `password`; those of [`sign_in`].
pub async fn sign_up(
    platform: &Platform,
    viewer: &Viewer,
    name: &str,
    email: &str,
    password: &str,
) -> Result<SignedIn> {
    if platform.sign_up != SignUp::Open {
        return Err(Error::Forbidden(
            "Accounts are made by invitation here: ask an owner or admin of your organization.".to_owned(),
        ));
    }
    let (name, address) = (crate::organization::name::parse("name", name)?, Email::parse(email)?);
    let new_password = NewPassword::parse(password)?;
    if find_account(platform, email).await?.is_some() {
        return enter(platform, viewer, Method::Signup, email, password).await;
    }
    let account = NewAccount::prepare(platform, name, &address, Some(new_password)).await?;
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    let signed_in = account.insert(&mut transaction, platform, Some((Method::Signup, &viewer.origin))).await?;
    transaction.commit().await?;
    Ok(signed_in)
}

/// Makes an account from the command line, or for the demo; without a password nobody can sign in to it yet.
///
/// # Errors
/// [`Error::Forbidden`] for everybody but the operator; [`Error::Invalid`]; [`Error::Taken`] if the address has an account.
pub async fn create_user(
    platform: &Platform,
    viewer: &Viewer,
    name: &str,
    email: &str,
    password: Option<&str>,
) -> Result<User> {
    if !matches!(viewer.identity, super::viewer::Identity::Operator) {
        return Err(Error::Forbidden("Only the operator makes accounts for others.".to_owned()));
    }
    let account = NewAccount::parse(platform, name, email, password).await?;
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    account.insert(&mut transaction, platform, None).await?;
    transaction.commit().await?;
    Ok(account.user)
}

/// The hash of a password to be kept.
pub(super) async fn hash(platform: &Platform, password: NewPassword) -> Result<String> {
    match platform.hashing.run(Work::Hash(password)).await? {
        Verdict::Hash(hash) => Ok(hash),
        Verdict::Verified { .. } => Err(Error::internal("hashing answered with a verification")),
    }
}

/// An account that is about to be made: everything that takes its time is done.
pub(crate) struct NewAccount {
    user: User,
    hash: Option<String>,
}

impl NewAccount {
    /// Checks what was typed, and hashes the password.
    pub(crate) async fn parse(platform: &Platform, name: &str, email: &str, password: Option<&str>) -> Result<Self> {
        let (name, address) = (crate::organization::name::parse("name", name)?, Email::parse(email)?);
        let password = password.map(NewPassword::parse).transpose()?;
        Self::prepare(platform, name, &address, password).await
    }

    /// Hashes the password.
    pub(crate) async fn prepare(
        platform: &Platform,
        name: String,
        email: &Email,
        password: Option<NewPassword>,
    ) -> Result<Self> {
        let hash = match password {
            Some(password) => Some(hash(platform, password).await?),
            None => None,
        };
        let user = User { id: storage::new_id(platform.clock.now())?, name, email: email.as_str().to_owned() };
        Ok(Self { user, hash })
    }

    /// Who will have it.
    pub(crate) fn user(&self) -> &User {
        &self.user
    }

    /// Inserts it, with the attempt where one signed up by oneself.
    pub(crate) async fn insert(
        &self,
        connection: &mut PgConnection,
        platform: &Platform,
        signed_up: Option<(Method, &Origin)>,
    ) -> Result<SignedIn> {
        let User { id, name, email } = &self.user;
        let signed_in = sqlx::query_as!(
            SignedIn,
            "insert into orgtrail.users (id, email, email_key, name, password_hash, password_changed_at, created_at)
            select $1, $2, $3, $4, $5, case when $5::text is not null then now end, now from coalesce($6, clock_timestamp()) as now
            returning id as user_id, password_changed_at",
            id,
            email,
            email::key(email),
            name,
            self.hash,
            platform.clock.simulated_now()
        )
        .fetch_one(&mut *connection)
        .await
        .map_err(taken)?;
        if let Some((method, origin)) = signed_up {
            let outcome = Outcome::Success;
            let attempt = Attempt { method, email, user: Some(*id), outcome, reason: None, origin };
            attempt::record(connection, platform, attempt).await?;
        }
        Ok(signed_in)
    }
}

/// What it means that an account cannot have an address.
pub(super) fn taken(error: sqlx::Error) -> Error {
    if storage::violates(&error, "users_email_key_key") {
        Error::taken("email", "This e-mail address has an account already.")
    } else {
        error.into()
    }
}
