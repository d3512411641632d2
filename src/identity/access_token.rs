//! Access tokens: credentials of an organization that are actors in their own right (contract §1, R-07).

use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::access::{self, Operation};
use super::viewer::{Viewer, is_current};
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

mod secret;

pub use secret::Secret;

/// What a token may be used for (contract §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read the trail.
    AuditRead,
    /// Export the trail.
    AuditExport,
    /// Send events of another product.
    EventsWrite,
    /// Add records to models.
    ModelsWrite,
    /// Export records of models.
    ModelsExport,
    /// Create and change graphs.
    GraphsWrite,
    /// Change the organization.
    OrganizationWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::AuditRead,
        Self::AuditExport,
        Self::EventsWrite,
        Self::ModelsWrite,
        Self::ModelsExport,
        Self::GraphsWrite,
        Self::OrganizationWrite,
    ];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuditRead => "audit:read",
            Self::AuditExport => "audit:export",
            Self::EventsWrite => "events:write",
            Self::ModelsWrite => "models:write",
            Self::ModelsExport => "models:export",
            Self::GraphsWrite => "graphs:write",
            Self::OrganizationWrite => "organization:write",
        }
    }

    /// The scope that a word names.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the field `scope`, naming all of them.
    pub fn parse(word: &str) -> Result<Self> {
        let all = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == word)
            .ok_or_else(|| Error::invalid("scope", format!("“{word}” is not a scope; the scopes are {}.", all())))
    }

    fn parse_all(words: &[String]) -> Result<Vec<Self>> {
        words.iter().map(|word| Self::parse(word)).collect()
    }
}

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
    /// SHA-256 of its secret: what it is found by, also when it is asked for again.
    secret_sha256: Vec<u8>,
}

/// Finds the token of a secret and notes its use.
pub(super) async fn find(platform: &Platform, secret: &str, ip: Option<&str>) -> Result<AccessToken> {
    let token = find_by_hash(platform, &Secret::parse(secret)?.sha256()).await?;
    note_use(platform, &token, ip).await?;
    Ok(token)
}

/// The same token as it is now: other scopes, expired, revoked (R-21).
pub(super) async fn find_current(platform: &Platform, token: &AccessToken) -> Result<AccessToken> {
    find_by_hash(platform, &token.secret_sha256).await
}

/// Scopes and creator of the token as they are now, held until the transaction of a change ends.
pub(super) async fn hold(
    connection: &mut PgConnection,
    token: &AccessToken,
    now: DateTime<Utc>,
) -> Result<(Vec<Scope>, Option<Uuid>)> {
    let row = sqlx::query!(
        "select scopes, created_by, expires_at, revoked_at from orgtrail.access_tokens
        where organization_id = $1 and id = $2 for share",
        token.organization_id,
        token.id
    )
    .fetch_optional(connection)
    .await?
    .filter(|row| is_current(row.expires_at, row.revoked_at, now))
    .ok_or(Error::Unauthenticated)?;
    Ok((Scope::parse_all(&row.scopes)?, row.created_by))
}

async fn find_by_hash(platform: &Platform, sha256: &[u8]) -> Result<AccessToken> {
    let row = sqlx::query!(
        r#"select id as "id!", organization_id as "organization_id!", name as "name!", scopes as "scopes!", created_by, expires_at, revoked_at
        from orgtrail.find_access_token($1)"#,
        sha256
    )
    .fetch_optional(&platform.database.reads)
    .await?
    .filter(|row| is_current(row.expires_at, row.revoked_at, platform.clock.now()))
    .ok_or(Error::Unauthenticated)?;
    let scopes = Scope::parse_all(&row.scopes)?;
    let secret_sha256 = sha256.to_vec();
    Ok(AccessToken {
        id: row.id,
        organization_id: row.organization_id,
        name: row.name,
        scopes,
        created_by: row.created_by,
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

/// A token just made. The secret is shown once and cannot be had again.
#[derive(Debug)]
pub struct CreatedToken {
    /// Id.
    pub id: Uuid,
    /// The secret.
    pub secret: Secret,
}

/// Makes an access token and records `access_token.created`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for the fields `name`, `scope` and `expires_at`.
pub async fn create(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    name: &str,
    scopes: &[Scope],
    expires_at: Option<DateTime<Utc>>,
) -> Result<CreatedToken> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageAccessTokens).await?;
    let name = crate::organization::name::parse("name", name)?;
    if scopes.is_empty() {
        return Err(Error::invalid("scope", "An access token needs at least one scope."));
    }
    if !is_current(expires_at, None, platform.clock.now()) {
        return Err(Error::invalid("expires_at", "An access token expires in the future, or never."));
    }
    let (id, secret, scopes) = (storage::new_id(platform.clock.now())?, Secret::generate()?, words(scopes));
    let mut change = Change::begin(platform, &access).await?;
    sqlx::query!(
        "insert into orgtrail.access_tokens (id, organization_id, name, secret_sha256, scopes, created_by, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, coalesce($7, clock_timestamp()), $8)",
        id,
        access.organization().id,
        name,
        &secret.sha256(),
        &scopes,
        access.user_id(),
        platform.clock.simulated_now(),
        expires_at
    )
    .execute(change.connection())
    .await?;
    let next = state(id, &name, &scopes, access.user_id(), expires_at);
    change
        .commit(NewEvent::new(Action::AccessTokenCreated, Object::new("access_token", id, &name)).next(&next))
        .await?;
    Ok(CreatedToken { id, secret })
}

/// Revokes an access token for good and records `access_token.deleted`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if the organization has no such token that is not revoked.
pub async fn revoke(platform: &Platform, viewer: &Viewer, slug: &str, id: Uuid) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageAccessTokens).await?;
    let mut change = Change::begin(platform, &access).await?;
    let revoked = sqlx::query!(
        r#"update orgtrail.access_tokens set revoked_at = coalesce($3, clock_timestamp())
        where organization_id = $1 and id = $2 and revoked_at is null
        returning name, scopes, created_by, expires_at"#,
        access.organization().id,
        id,
        platform.clock.simulated_now()
    )
    .fetch_optional(change.connection())
    .await?
    .ok_or(Error::NotFound)?;
    let previous = state(id, &revoked.name, &revoked.scopes, revoked.created_by, revoked.expires_at);
    change
        .commit(
            NewEvent::new(Action::AccessTokenDeleted, Object::new("access_token", id, &revoked.name))
                .previous(&previous),
        )
        .await?;
    Ok(())
}

fn words(scopes: &[Scope]) -> Vec<String> {
    Scope::ALL.iter().filter(|scope| scopes.contains(scope)).map(|scope| scope.as_str().to_owned()).collect()
}

/// The state of a token that is not revoked, as `previous` and `next` hold it; never its secret.
fn state(
    id: Uuid,
    name: &str,
    scopes: &[String],
    created_by: Option<Uuid>,
    expires_at: Option<DateTime<Utc>>,
) -> serde_json::Value {
    json!({ "id": id, "name": name, "scopes": scopes, "created_by": created_by, "expires_at": expires_at, "revoked": false })
}

/// SHA-256, the form in which secrets are kept (R-06).
pub(super) fn sha256(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}
