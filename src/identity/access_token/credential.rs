//! An access token as credential: found by its secret, looked up again where it counts.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::addresses;
use super::scope::Scope;
use super::secret::Secret;
use crate::identity::role::Role;
use crate::identity::viewer::is_current;
use crate::platform::Platform;
use crate::platform::gather::Gather;
use crate::{Error, Result};
use crate::{storage, trace};

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
    /// Present slug of the organization.
    pub organization_slug: String,
    /// Who made it, whose present role it never exceeds; none: the operator.
    pub created_by: Option<Uuid>,
    /// That role, where they still are a member whose account is not disabled.
    pub creator_role: Option<Role>,
    /// Where it is good: see [`addresses`].
    addresses: Vec<String>,
    /// SHA-256 of its secret: what it is found by, also when it is asked for again.
    secret_sha256: [u8; 32],
    last_use: LastUse,
    /// Until when this is what it is now: the moment before it was asked for, if nobody said otherwise.
    pub(in crate::identity) current_until: DateTime<Utc>,
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
    if !token.last_use.covers(platform.clock.now(), ip)
        && let Err(cause) = note_use(platform, &token, ip).await
    {
        // A database that can only be read is no reason to refuse who reads: it is noted the next time.
        tracing::warn!(%cause, token = %token.id, "that an access token was used is not noted");
    }
    Ok(token)
}

/// The same token as it is now: other scopes, expired, revoked (R-21).
pub(in crate::identity) async fn find_current(platform: &Platform, token: &AccessToken) -> Result<AccessToken> {
    if platform.clock.now() < token.current_until {
        return Ok(token.clone());
    }
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
        token.secret_sha256.as_slice()
    )
    .fetch_optional(connection)
    .await?
    .filter(|row| is_current(row.expires_at, row.revoked_at, now))
    .ok_or(Error::BadToken(NOT_GOOD))?;
    Ok((Scope::parse_all(&row.scopes)?, row.created_by))
}

/// Lookups of tokens that wait: a program that sends request after request has one token, and several ask for it at the same moment.
pub struct TokenLookups(Gather<(), [u8; 32], Option<Found>>);

impl Default for TokenLookups {
    fn default() -> Self {
        Self(Gather::new(100, 10_000))
    }
}

async fn find_by_hash(platform: &Platform, sha256: &[u8; 32]) -> Result<AccessToken> {
    let asked_at = platform.clock.now();
    let lookup = |hashes| look_up(platform, hashes);
    let found = platform.gathering.tokens.0.run((), *sha256, 1, lookup).await?;
    let found = found.filter(|row| is_current(row.expires_at, row.revoked_at, asked_at));
    found.ok_or(Error::BadToken(NOT_GOOD))?.token(*sha256, asked_at)
}

/// What is known of each hash, in their order.
async fn look_up(platform: &Platform, hashes: Vec<[u8; 32]>) -> Vec<Result<Option<Found>>> {
    match found(platform, &hashes).await {
        Ok(found) => {
            hashes.iter().map(|sha256| Ok(found.iter().find(|row| row.secret_sha256 == sha256).cloned())).collect()
        }
        Err(cause) => {
            let cause = cause.to_string();
            hashes.iter().map(|_| Err(Error::Unavailable(cause.clone().into()))).collect()
        }
    }
}

/// A token as it is stored.
#[derive(Debug, Clone)]
struct Found {
    id: Uuid,
    organization_id: Uuid,
    slug: String,
    name: String,
    scopes: Vec<String>,
    addresses: Vec<String>,
    created_by: Option<Uuid>,
    creator_role: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    last_used_ip: Option<String>,
    secret_sha256: Vec<u8>,
}

async fn found(platform: &Platform, hashes: &[[u8; 32]]) -> sqlx::Result<Vec<Found>> {
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    let _span = trace::question();
    sqlx::query_as!(
        Found,
        r#"select id as "id!", organization_id as "organization_id!", slug as "slug!", name as "name!", scopes as "scopes!", addresses as "addresses!",
            created_by, creator_role, expires_at, revoked_at, last_used_at, last_used_ip, secret_sha256 as "secret_sha256!"
        from orgtrail.find_access_tokens($1)"#,
        &hashes as _
    )
    .fetch_all(&mut *platform.database.lookup().await?)
    .await
}

impl Found {
    fn token(self, secret_sha256: [u8; 32], asked_at: DateTime<Utc>) -> Result<AccessToken> {
        Ok(AccessToken {
            id: self.id,
            organization_id: self.organization_id,
            organization_slug: self.slug,
            name: self.name,
            scopes: Scope::parse_all(&self.scopes)?,
            created_by: self.created_by,
            creator_role: self.creator_role.as_deref().map(Role::parse).transpose()?,
            addresses: self.addresses,
            secret_sha256,
            last_use: LastUse { at: self.last_used_at, ip: self.last_used_ip },
            current_until: asked_at,
        })
    }
}

/// The last use of a token that is noted.
#[derive(Debug, Clone)]
struct LastUse {
    at: Option<DateTime<Utc>>,
    ip: Option<String>,
}

impl LastUse {
    /// Whether a use at `now` need not be noted.
    fn covers(&self, now: DateTime<Utc>, ip: Option<&str>) -> bool {
        self.ip.as_deref() == ip && self.at.is_some_and(|at| now < at + TimeDelta::minutes(1))
    }
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
