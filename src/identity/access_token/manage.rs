//! What owners and admins do with access tokens: make, change, rotate, revoke, adopt.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::addresses;
use super::expiry::Expiry;
use super::scope::Scope;
use super::secret::Secret;
use super::token::{Target, Token};
use crate::audit::action::Action;
use crate::audit::append::NewEvent;
use crate::audit::change::Change;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::{Viewer, is_current};
use crate::organization::name;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Tokens of one organization that are neither revoked nor expired.
pub const MAX_LIVE: i64 = 200;

/// A token just made or rotated. The secret is shown once and cannot be had again.
#[derive(Debug)]
pub struct CreatedToken {
    /// Id.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// The secret.
    pub secret: Secret,
}

/// What a token shall be.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Name, as typed.
    pub name: &'a str,
    /// What it may be used for.
    pub scopes: &'a [Scope],
    /// When it ends.
    pub expiry: Expiry<'a>,
    /// From where it is good, as [`addresses::parse`] takes it.
    pub addresses: &'a str,
}

impl<'a> Wanted<'a> {
    /// A token without end that is good from everywhere.
    #[must_use]
    pub fn new(name: &'a str, scopes: &'a [Scope]) -> Self {
        Self { name, scopes, expiry: Expiry::Never, addresses: "" }
    }
}

/// A [`Wanted`] that may be.
struct Accepted {
    name: String,
    scopes: Vec<String>,
    addresses: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
}

impl Wanted<'_> {
    /// Checks it; a token that has ended already may stay as it is, `present`.
    fn accept(self, platform: &Platform, present: Option<DateTime<Utc>>) -> Result<Accepted> {
        let name = name::parse("name", self.name)?;
        if self.scopes.is_empty() {
            return Err(Error::invalid("scope", "An access token needs at least one scope."));
        }
        let expires_at = self.expiry.end(present)?;
        if expires_at != present && !is_current(expires_at, None, platform.clock.now()) {
            return Err(Error::invalid("expires_on", "An access token expires in the future, or never."));
        }
        let addresses = addresses::parse(self.addresses)?;
        Ok(Accepted { name, scopes: Scope::words(self.scopes), addresses, expires_at })
    }
}

/// The id of a form.
///
/// # Errors
/// [`Error::Invalid`] for `form`.
pub fn parse_form(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| Error::invalid("form", "The id of a form is a UUID, chosen anew for each token."))
}

/// Makes an access token and records `access_token.created`. `form` is the id of the form, where there was one: a form that is sent twice, as by
/// loading the page with the secret again, makes one token.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for the fields `name`, `scope`, `addresses` and `expires_on`; [`Error::LimitExceeded`]
/// where there are [`MAX_LIVE`] already; [`Error::Conflict`] where the form has made its token.
pub async fn create(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    form: Option<Uuid>,
    wanted: Wanted<'_>,
) -> Result<CreatedToken> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageAccessTokens).await?;
    let Accepted { name, scopes, addresses, expires_at } = wanted.accept(platform, None)?;
    let (id, secret) = (storage::new_id(platform.clock.now())?, Secret::generate()?);
    let created_by = access.user_id();
    let token = Token {
        id,
        name,
        scopes,
        addresses,
        created_by,
        expires_at,
        rotated_at: None,
        revoked_at: None,
        version: 1,
        creator_role: None,
    };
    let mut change = Change::begin(platform, &access).await?;
    ensure_room(platform, &mut change, &access).await?;
    insert(platform, &mut change, &access, &token, &secret, form).await?;
    change.commit(NewEvent::new(Action::AccessTokenCreated, token.object()).next(&token.state())).await?;
    Ok(CreatedToken { id, name: token.name, secret })
}

async fn insert(
    platform: &Platform,
    change: &mut Change,
    access: &Access,
    token: &Token,
    secret: &Secret,
    form: Option<Uuid>,
) -> Result<()> {
    sqlx::query!(
        "insert into orgtrail.access_tokens (id, organization_id, name, secret_sha256, scopes, created_by, created_at, expires_at, addresses, form_id)
        values ($1, $2, $3, $4, $5, $6, coalesce($7, clock_timestamp()), $8, $9, $10)",
        token.id,
        access.organization().id,
        token.name,
        &secret.sha256(),
        &token.scopes,
        token.created_by,
        platform.clock.simulated_now(),
        token.expires_at,
        &token.addresses,
        form
    )
    .execute(change.connection())
    .await
    .map_err(made_already)?;
    Ok(())
}

fn made_already(error: sqlx::Error) -> Error {
    if storage::violates(&error, "access_tokens_form") {
        return Error::Conflict(
            "This access token was made already, and its secret was shown then. Rotate it if the secret is lost."
                .to_owned(),
        );
    }
    error.into()
}

/// Refuses one live token too many. The organization's row is locked, so that of two who make the last one at once only one succeeds.
async fn ensure_room(platform: &Platform, change: &mut Change, access: &Access) -> Result<()> {
    let organization = access.organization().id;
    sqlx::query!("select id from orgtrail.organizations where id = $1 for no key update", organization)
        .fetch_one(change.connection())
        .await?;
    let live = sqlx::query_scalar!(
        r#"select count(*) as "live!" from orgtrail.access_tokens
        where organization_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)"#,
        organization,
        platform.clock.now()
    )
    .fetch_one(change.connection())
    .await?;
    if live < MAX_LIVE {
        return Ok(());
    }
    Err(Error::LimitExceeded(format!(
        "An organization has at most {MAX_LIVE} access tokens: revoke one that nobody uses."
    )))
}

/// Changes name, scopes, addresses and expiry; records `access_token.updated`, and does nothing if nothing differs.
///
/// # Errors
/// Those of [`create`]; [`Error::NotFound`]; [`Error::Conflict`] for a revoked token, and where somebody else has changed it since it was
/// shown; [`Error::Forbidden`] for an admin where the token has an owner's rights.
pub async fn update(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    target: Target,
    wanted: Wanted<'_>,
) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageAccessTokens).await?;
    let mut change = Change::begin(platform, &access).await?;
    let before = Token::lock(&mut change, &access, target).await?;
    let Accepted { name, scopes, addresses, expires_at } = wanted.accept(platform, before.expires_at)?;
    let after = Token { name, scopes, addresses, expires_at, ..before.clone() };
    if after == before {
        return Ok(());
    }
    if after != (Token { name: after.name.clone(), ..before.clone() }) {
        before.refuse_above(&access, &after.scopes)?;
    }
    if !is_current(before.expires_at, None, platform.clock.now()) {
        ensure_room(platform, &mut change, &access).await?;
    }
    sqlx::query!(
        "update orgtrail.access_tokens set name = $3, scopes = $4, expires_at = $5, addresses = $6, version = version + 1
        where organization_id = $1 and id = $2",
        access.organization().id,
        after.id,
        after.name,
        &after.scopes,
        after.expires_at,
        &after.addresses
    )
    .execute(change.connection())
    .await?;
    change.commit(before.updated_to(&after)).await?;
    Ok(())
}

/// Gives a token a new secret, and ends the old one at once; records `access_token.updated`, where `rotated_at` says so. Who rotates it
/// knows the secret, and so answers for the token from now on: it never exceeds their role, whatever becomes of who made it.
///
/// # Errors
/// Those of [`update`]; [`Error::Conflict`] for an expired token too, whose new secret would be of no use.
pub async fn rotate(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    target: impl Into<Target>,
) -> Result<CreatedToken> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageAccessTokens).await?;
    let mut change = Change::begin(platform, &access).await?;
    let before = Token::lock(&mut change, &access, target.into()).await?;
    before.refuse_above(&access, &[])?;
    if !is_current(before.expires_at, None, platform.clock.now()) {
        return Err(Error::Conflict("This access token has expired: let it end on a later day first.".to_owned()));
    }
    let secret = Secret::generate()?;
    let rotated_at = sqlx::query_scalar!(
        "update orgtrail.access_tokens set secret_sha256 = $3, rotated_at = coalesce($4, clock_timestamp()),
            created_by = coalesce($5, created_by), version = version + 1
        where organization_id = $1 and id = $2 returning rotated_at",
        access.organization().id,
        before.id,
        &secret.sha256(),
        platform.clock.simulated_now(),
        access.user_id()
    )
    .fetch_one(change.connection())
    .await?;
    let after = Token { rotated_at, created_by: access.user_id().or(before.created_by), ..before.clone() };
    change.commit(before.updated_to(&after)).await?;
    Ok(CreatedToken { id: after.id, name: after.name, secret })
}

/// Revokes an access token for good, whatever was changed of it meanwhile; records `access_token.deleted`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`]; [`Error::Conflict`] if it is revoked already.
pub async fn revoke(platform: &Platform, viewer: &Viewer, slug: &str, id: Uuid) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageAccessTokens).await?;
    let mut change = Change::begin(platform, &access).await?;
    let token = Token::lock(&mut change, &access, id.into()).await?;
    sqlx::query!(
        "update orgtrail.access_tokens set revoked_at = coalesce($3, clock_timestamp()), version = version + 1
        where organization_id = $1 and id = $2",
        access.organization().id,
        id,
        platform.clock.simulated_now()
    )
    .execute(change.connection())
    .await?;
    change.commit(NewEvent::new(Action::AccessTokenDeleted, token.object()).previous(&token.state())).await?;
    Ok(())
}

/// Makes an owner answer for a token whose creator is gone, so that it works again, with the same secret; records `access_token.updated`.
///
/// # Errors
/// Those of [`access::authorize`]: only owners adopt; those of [`update`]; [`Error::Conflict`] if its creator is still there.
pub async fn adopt(platform: &Platform, viewer: &Viewer, slug: &str, target: Target) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::AdoptAccessToken).await?;
    let owner = viewer.require_user()?.id;
    let mut change = Change::begin(platform, &access).await?;
    let before = Token::lock(&mut change, &access, target).await?;
    if !before.is_orphaned() {
        return Err(Error::Conflict("The creator of this access token is still here and answers for it.".to_owned()));
    }
    sqlx::query!(
        "update orgtrail.access_tokens set created_by = $3, version = version + 1 where organization_id = $1 and id = $2",
        access.organization().id,
        before.id,
        owner
    )
    .execute(change.connection())
    .await?;
    let after = Token { created_by: Some(owner), ..before.clone() };
    change.commit(before.updated_to(&after)).await?;
    Ok(())
}
