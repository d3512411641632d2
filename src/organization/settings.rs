//! An organization itself: creating, reading, renaming.

use serde_json::{Value, json};
use uuid::Uuid;

use super::name;
use super::slug::Slug;
use super::view::OrganizationView;
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::audit::moment::rfc3339;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::{User, Viewer};
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// The organization at a slug, for its members. Its own slug differs from the one asked for if that is retired: the page redirects.
///
/// # Errors
/// Those of [`access::authorize`].
pub async fn organization(platform: &Platform, viewer: &Viewer, slug: &str) -> Result<OrganizationView> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    view(platform, &access).await
}

async fn view(platform: &Platform, access: &Access) -> Result<OrganizationView> {
    let id = access.organization().id;
    let mut transaction = storage::begin(&platform.database.reads, id).await?;
    let row = sqlx::query!(
        r#"select slug, name, created_at, (select count(*) from orgtrail.memberships where organization_id = $1) as "members!"
        from orgtrail.organizations where id = $1"#,
        id
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(OrganizationView {
        id: id.to_string(),
        slug: row.slug,
        name: row.name,
        viewer_role: access.role().as_str().to_owned(),
        viewer_id: access.user_id().map(|id| id.to_string()),
        reads_audit_log: access.allows(Operation::ReadAuditLog),
        manages_access_tokens: access.allows(Operation::ManageAccessTokens),
        manages_invites: access.allows(Operation::ManageInvites),
        created: row.created_at.format("%-d %b %Y").to_string(),
        created_at: rfc3339(row.created_at),
        members: row.members,
    })
}

/// Creates an organization with the signed-in user as its owner; records `organization.created` and `member.created`.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::Invalid`] for `name` and `slug`; [`Error::Taken`] if the slug is taken or retired.
pub async fn create(platform: &Platform, viewer: &Viewer, name: &str, slug: &str) -> Result<OrganizationView> {
    let owner = viewer.require_user()?;
    let (name, slug) = (name::parse("name", name)?, Slug::parse(slug)?);
    let id = storage::new_id(platform.clock.now())?;
    let mut change = Change::begin_in(platform, id, viewer.actor()?, viewer.origin.clone()).await?;
    insert(&mut change, platform, id, &name, &slug, owner).await?;
    let created = NewEvent::new(Action::OrganizationCreated, Object::new("organization", id, &name)).next(&state(
        id,
        &name,
        slug.as_str(),
    ));
    let member = json!({ "user_id": owner.id, "name": owner.name, "email": owner.email, "role": "owner" });
    let joined = NewEvent::new(Action::MemberCreated, Object::new("member", owner.id, &owner.name)).next(&member);
    change.commit_all(created, vec![joined]).await?;
    organization(platform, viewer, slug.as_str()).await
}

async fn insert(
    change: &mut Change,
    platform: &Platform,
    id: Uuid,
    name: &str,
    slug: &Slug,
    owner: &User,
) -> Result<()> {
    let now = platform.clock.simulated_now();
    sqlx::query!("insert into orgtrail.organizations (id, slug, name, created_at) values ($1, $2, $3, coalesce($4, clock_timestamp()))", id, slug.as_str(), name, now)
        .execute(change.connection())
        .await?;
    reserve(change, id, slug).await?;
    sqlx::query!("insert into orgtrail.trail_heads (organization_id) values ($1)", id)
        .execute(change.connection())
        .await?;
    sqlx::query!(
        "insert into orgtrail.memberships (organization_id, user_id, role, created_at) values ($1, $2, 'owner', coalesce($3, clock_timestamp()))",
        id,
        owner.id,
        now
    )
    .execute(change.connection())
    .await?;
    Ok(())
}

/// Takes a slug for an organization: a new one, or one that it had itself before.
async fn reserve(change: &mut Change, id: Uuid, slug: &Slug) -> Result<()> {
    let again = sqlx::query!(
        "update orgtrail.organization_slugs set retired_at = null where organization_id = $1 and slug = $2",
        id,
        slug.as_str()
    )
    .execute(change.connection())
    .await?;
    if again.rows_affected() == 1 {
        return Ok(());
    }
    sqlx::query!("insert into orgtrail.organization_slugs (slug, organization_id) values ($1, $2)", slug.as_str(), id)
        .execute(change.connection())
        .await
        .map_err(taken)?;
    Ok(())
}

fn taken(error: sqlx::Error) -> Error {
    if storage::violates(&error, "organization_slugs_pkey") {
        return Error::taken("slug", "This address is taken, or was another organization's: choose another one.");
    }
    error.into()
}

/// Renames an organization, and changes its slug if it differs; the old slug stays reserved and redirects. Records
/// `organization.updated`; does nothing if nothing differs. `shown` is the name that the form showed, where there was one: the slug that it
/// showed is then the one that it asks for.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for `name` and `slug`; [`Error::Taken`] if the slug is taken; [`Error::Conflict`] where
/// name or slug are no longer what was shown.
pub async fn update(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    new_name: &str,
    new_slug: &str,
    shown: Option<&str>,
) -> Result<OrganizationView> {
    let access = access::authorize(platform, viewer, slug, Operation::RenameOrganization).await?;
    let new_name = name::parse("name", new_name)?;
    let id = access.organization().id;
    let mut change = Change::begin(platform, &access).await?;
    let before = sqlx::query!("select name, slug from orgtrail.organizations where id = $1 for no key update", id)
        .fetch_one(change.connection())
        .await?;
    let moves = before.slug != new_slug;
    if before.name == new_name && !moves {
        return view(platform, &access).await;
    }
    if shown.is_some_and(|shown| shown != before.name || slug != before.slug) {
        return Err(Error::Conflict(format!(
            "This organization was changed to “{}” at /{} meanwhile: look at it again.",
            before.name, before.slug
        )));
    }
    if moves {
        access.require(Operation::ChangeSlug)?;
        move_to(&mut change, platform, id, &Slug::parse(new_slug)?).await?;
    }
    sqlx::query!("update orgtrail.organizations set name = $2 where id = $1", id, new_name)
        .execute(change.connection())
        .await?;
    let event = NewEvent::new(Action::OrganizationUpdated, Object::new("organization", id, &new_name))
        .previous(&state(id, &before.name, &before.slug))
        .next(&state(id, &new_name, new_slug));
    change.commit(event).await?;
    view(platform, &access).await
}

async fn move_to(change: &mut Change, platform: &Platform, id: Uuid, slug: &Slug) -> Result<()> {
    let now = platform.clock.simulated_now();
    sqlx::query!(
        "update orgtrail.organization_slugs set retired_at = coalesce($2, clock_timestamp()) where organization_id = $1 and retired_at is null",
        id,
        now
    )
    .execute(change.connection())
    .await?;
    reserve(change, id, slug).await?;
    sqlx::query!("update orgtrail.organizations set slug = $2 where id = $1", id, slug.as_str())
        .execute(change.connection())
        .await?;
    Ok(())
}

/// The state of an organization as `previous` and `next` hold it.
fn state(id: Uuid, name: &str, slug: &str) -> Value {
    json!({ "id": id, "name": name, "slug": slug })
}
