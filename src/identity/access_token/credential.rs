//! An access token as credential: found by its secret, looked up again where it counts.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::addresses;
use super::scope::Scope;
use super::secret::Secret;
use crate::identity::viewer::is_current;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// One answer for what was never known and what is not good any more: nobody learns which tokens exist.
const NOT_GOOD: &str = "This access token is not known here, has expired or was revoked.";

/// A token that proved itself in this request.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// Id.
    pub id: Uuid,
    /// The only organization that it is good for.
    pub organization_id: Uuid,
    /// Name.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Who made it, whose present role it never exceeds; none: the operator.
    pub created_by: Option<Uuid>,
    /// Where it is good: see [`addresses`].
    addresses: Vec<String>,
    /// SHA-256 of its secret: what it is found by, also when it is asked for again.
    secret_sha256: Vec<u8>,
}

/// What is said to whoever has the secret, but is elsewhere than the token is for.
const NOT_FROM_HERE: &str =
    "This access token is not good from your address: its organization has limited where it may be used.";

/// Finds the token of a secret and notes its use.
pub(in crate::identity) async fn find(platform: &Platform, secret: &str, ip: Option<&str>) -> Result<AccessToken> {
    let token = find_by_hash(platform, &Secret::parse(secret)?.sha256()).await?;
    if !addresses::cover(&token.addresses, ip) {
        return Err(Error::BadToken(NOT_FROM_HERE));
    }
    note_use(platform, &token, ip).await?;
    Ok(token)
}

/// The same token as it is now: other scopes, expired, revoked (R-21).
pub(in crate::identity) async fn find_current(platform: &Platform, token: &AccessToken) -> Result<AccessToken> {
    find_by_hash(platform, &token.secret_sha256).await
}

/// Scopes and creator of the token as they are now, if its secret is still the same; held until the transaction of a change ends.
pub(in crate::identity) async fn hold(
    connection: &mut PgConnection,
    token: &AccessToken,
    now: DateTime<Utc>,
) -> Result<(Vec<Scope>, Option<Uuid>)> {
    let row = sqlx::query!(
        "select scopes, created_by, expires_at, revoked_at from orgtrail.access_tokens
        where organization_id = $1 and id = $2 and secret_sha256 = $3 for share",
        token.organization_id,
        token.id,
        &token.secret_sha256
    )
    .fetch_optional(connection)
    .await?
    .filter(|row| is_current(row.expires_at, row.revoked_at, now))
    .ok_or(Error::BadToken(NOT_GOOD))?;
    Ok((Scope::parse_all(&row.scopes)?, row.created_by))
}

async fn find_by_hash(platform: &Platform, sha256: &[u8]) -> Result<AccessToken> {
    let row = sqlx::query!(
        r#"select id as "id!", organization_id as "organization_id!", name as "name!", scopes as "scopes!", addresses as "addresses!",
            created_by, expires_at, revoked_at
        from orgtrail.find_access_token($1)"#,
        sha256
    )
    .fetch_optional(&platform.database.reads)
    .await?
    .filter(|row| is_current(row.expires_at, row.revoked_at, platform.clock.now()))
    .ok_or(Error::BadToken(NOT_GOOD))?;
    let scopes = Scope::parse_all(&row.scopes)?;
    let secret_sha256 = sha256.to_vec();
    Ok(AccessToken {
        id: row.id,
        organization_id: row.organization_id,
        name: row.name,
        scopes,
        created_by: row.created_by,
        addresses: row.addresses,
        secret_sha256,
    })
}

/// At most one write a minute and token: the last use is for people, not for counting.
async fn note_use(platform: &Platform, token: &AccessToken, ip: Option<&str>) -> Result<()> {
    let mut transaction = storage::begin(&platform.database.writes, token.organization_id).await?;
    sqlx::query!(
        "update orgtrail.access_tokens set last_used_at = clock_timestamp(), last_used_ip = $3
        where organization_id = $1 and id = $2 and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute' or last_used_ip is distinct from $3)",
        token.organization_id,
        token.id,
        ip
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}
