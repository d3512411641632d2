//! Links that are mailed to people who have an account: one for each purpose, used once, replaced by a newer one.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::email::Email;
use super::link_secret::LinkSecret;
use crate::{Error, Result};

/// How long a link is good.
const LIFETIME: TimeDelta = TimeDelta::hours(1);

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    ResetPassword,
    ChangeEmail,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
        }
    }
}

/// Makes the link of an account that may be there or not, with the same statement; answers its address if it is.
pub(super) async fn make_for_address(
    connection: &mut PgConnection,
    email_key: &str,
    secret: &LinkSecret,
    now: DateTime<Utc>,
) -> Result<Option<Email>> {
    let address = sqlx::query_scalar!(
        "insert into orgtrail.mailed_links as link (user_id, purpose, secret_sha256, expires_at)
        select id, $2, $3, $4 from orgtrail.users where email_key = $1 and disabled_at is null
        on conflict (user_id, purpose) do update set secret_sha256 = excluded.secret_sha256, expires_at = excluded.expires_at
        returning (select email from orgtrail.users where id = link.user_id)",
        email_key.replace('\0', " "),
        Purpose::ResetPassword.as_str(),
        &secret.sha256(),
        now + LIFETIME
    )
    .fetch_optional(connection)
    .await?;
    address.flatten().as_deref().map(Email::parse).transpose()
}

/// Makes the link that confirms another address.
pub(super) async fn make_for_change(
    connection: &mut PgConnection,
    user: Uuid,
    email: &Email,
    secret: &LinkSecret,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into orgtrail.mailed_links (user_id, purpose, secret_sha256, email, expires_at) values ($1, $2, $3, $4, $5)
        on conflict (user_id, purpose) do update
        set secret_sha256 = excluded.secret_sha256, email = excluded.email, expires_at = excluded.expires_at",
        user,
        Purpose::ChangeEmail.as_str(),
        &secret.sha256(),
        email.as_str(),
        now + LIFETIME
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a link says.
pub(super) struct Link {
    pub user_id: Uuid,
    /// The address that is to be confirmed.
    pub email: Option<String>,
}

/// The link of a secret, if it is good.
///
/// # Errors
/// [`Error::NotFound`] if it was never made, was used, is too old or has a newer one in its place: the same for all.
pub(super) async fn find(
    connection: &mut PgConnection,
    purpose: Purpose,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<Link> {
    sqlx::query_as!(
        Link,
        "select user_id, email from orgtrail.mailed_links where secret_sha256 = $1 and purpose = $2 and expires_at > $3",
        &LinkSecret::parse(secret)?.sha256(),
        purpose.as_str(),
        now
    )
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NotFound)
}

/// Uses the link of a secret up: of two who try at once, one has it.
///
/// # Errors
/// As [`find`].
pub(super) async fn take(
    connection: &mut PgConnection,
    purpose: Purpose,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<Link> {
    sqlx::query_as!(
        Link,
        "delete from orgtrail.mailed_links where secret_sha256 = $1 and purpose = $2 and expires_at > $3 returning user_id, email",
        &LinkSecret::parse(secret)?.sha256(),
        purpose.as_str(),
        now
    )
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NotFound)
}

/// Ends every link of a user.
pub(super) async fn end_all(connection: &mut PgConnection, user: Uuid) -> Result<()> {
    sqlx::query!("delete from orgtrail.mailed_links where user_id = $1", user).execute(connection).await?;
    Ok(())
}
