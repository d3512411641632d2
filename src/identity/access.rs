//! Authorization: the one function that decides who may do what, and the value without which no tenant data can be reached (R-21, R-22).

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::access_token::{self, AccessToken};
use super::role::Role;
use super::viewer::{Identity, Origin, Viewer};
use crate::audit::event::Actor;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

mod graph;
mod rules;

pub use graph::OnGraph;
use rules::forbidden;
pub use rules::{Grant, Operation, allows, may_change_role};

/// An authorized viewer in one organization. Only [`authorize`] makes it, and every store function of tenant data wants it: what was
/// not authorized cannot be read or written.
#[derive(Debug, Clone)]
pub struct Access {
    organization: Organization,
    grant: Grant,
    /// What it was asked for.
    operation: Operation,
    /// The graph that it is about, if it is about one.
    graph: Option<OnGraph>,
    actor: Actor,
    viewer: Viewer,
}

/// The organization that an [`Access`] is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Id.
    pub id: Uuid,
    /// Current slug, whichever one was asked for.
    pub slug: String,
}

impl Access {
    /// The organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// What the viewer's rights rest on.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The role that bounds the viewer: a token's is its creator's, the operator counts as an owner.
    #[must_use]
    pub fn role(&self) -> Role {
        match &self.grant {
            Grant::Member(role) | Grant::Token(_, role) => *role,
            Grant::Operator => Role::Owner,
        }
    }

    /// Who events of this access name.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Where the request came from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.viewer.origin
    }

    /// The user behind it, if it is one.
    #[must_use]
    pub fn user_id(&self) -> Option<Uuid> {
        self.viewer.require_user().ok().map(|user| user.id)
    }

    /// Whether a further operation is allowed.
    #[must_use]
    pub fn allows(&self, operation: Operation) -> bool {
        allows(&self.grant, self.permission(), operation)
    }

    /// Refuses unless `operation` is allowed.
    ///
    /// # Errors
    /// [`Error::Forbidden`], saying who can help.
    pub fn require(&self, operation: Operation) -> Result<()> {
        if self.allows(operation) { Ok(()) } else { Err(forbidden(operation)) }
    }

    /// Asks again, with the role and the credential as they are now (R-21).
    ///
    /// # Errors
    /// As [`authorize`].
    pub async fn renew(&self, platform: &Platform, operation: Operation) -> Result<Self> {
        authorize(platform, &self.viewer, &self.organization.slug, operation).await
    }

    /// Asks again inside the transaction of a change, which is bound to the organization, and keeps the answer true until it ends: whoever
    /// takes the viewer's role or token away meanwhile waits. The memberships of `others`, on which the change will work, are held with the
    /// viewer's own, all at once: of two who change each other, each would otherwise hold what the other waits for.
    pub(crate) async fn hold(&self, connection: &mut PgConnection, now: DateTime<Utc>, others: &[Uuid]) -> Result<()> {
        hold_memberships(connection, self.organization.id, self.behind().into_iter().chain(others.iter().copied()))
            .await?;
        let grant = self.held_grant(connection, now).await?;
        let permission = graph::held_permission(connection, self, &grant).await?;
        if !allows(&grant, permission, self.operation) {
            return Err(forbidden(self.operation));
        }
        if (&grant, permission) != (&self.grant, self.permission()) {
            // A use case may have decided more by the grant that it saw: it has to begin anew.
            return Err(changed_meanwhile());
        }
        Ok(())
    }

    /// The member on whose role the viewer's rights rest.
    fn behind(&self) -> Option<Uuid> {
        match &self.viewer.identity {
            Identity::User(user) => Some(user.id),
            Identity::AccessToken(token) => token.created_by,
            Identity::Anonymous | Identity::Operator => None,
        }
    }

    async fn held_grant(&self, connection: &mut PgConnection, now: DateTime<Utc>) -> Result<Grant> {
        let organization = self.organization.id;
        Ok(match &self.viewer.identity {
            Identity::Anonymous => return Err(Error::Unauthenticated),
            Identity::User(user) => {
                Grant::Member(held_role(connection, organization, user.id).await?.ok_or(Error::NotFound)?)
            }
            Identity::AccessToken(token) => {
                // The creator first: whoever changes a token holds their own membership before they lock it.
                let role = match token.created_by {
                    Some(creator) => held_role(connection, organization, creator).await?,
                    None => Some(Role::Owner),
                };
                let (scopes, created_by) = access_token::hold(connection, token, now).await?;
                if created_by != token.created_by {
                    return Err(changed_meanwhile());
                }
                Grant::Token(scopes, role.ok_or_else(orphaned)?)
            }
            Identity::Operator => Grant::Operator,
        })
    }
}

/// The first line of every use case: who `viewer` is in the organization with this slug, if `operation` is allowed.
///
/// # Errors
/// [`Error::Unauthenticated`] for nobody, [`Error::NotFound`] for another organization or none (the same answer, R-20),
/// [`Error::Forbidden`] for too low a role or too few scopes.
pub async fn authorize(platform: &Platform, viewer: &Viewer, slug: &str, operation: Operation) -> Result<Access> {
    let access = identify(platform, viewer, slug, operation).await?;
    access.require(operation)?;
    Ok(access)
}

/// The first line of every use case about one graph: likewise, with what the viewer was given for the graph with the slug `graph`.
///
/// # Errors
/// Those of [`authorize`]; [`Error::NotFound`] if the organization has no such graph.
pub async fn authorize_on(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    operation: Operation,
) -> Result<Access> {
    let mut access = identify(platform, viewer, slug, operation).await?;
    access.graph = Some(graph::find(platform, &access, graph).await?);
    access.require(operation)?;
    Ok(access)
}

/// Who `viewer` is in an organization, whether or not `operation` is allowed: for use cases that record their refusals.
pub(crate) async fn identify(platform: &Platform, viewer: &Viewer, slug: &str, operation: Operation) -> Result<Access> {
    let actor = viewer.actor()?;
    let (organization, grant) = match &viewer.identity {
        Identity::Anonymous => return Err(Error::Unauthenticated),
        Identity::User(user) => {
            let organization = find_organization(platform, slug).await?;
            let role = role_of(platform, organization.id, user.id).await?.ok_or(Error::NotFound)?;
            (organization, Grant::Member(role))
        }
        Identity::AccessToken(token) => of_token(platform, slug, token).await?,
        Identity::Operator => (find_organization(platform, slug).await?, Grant::Operator),
    };
    Ok(Access { organization, grant, operation, graph: None, actor, viewer: viewer.clone() })
}

async fn find_organization(platform: &Platform, slug: &str) -> Result<Organization> {
    sqlx::query_as!(
        Organization,
        r#"select organization_id as "id!", current_slug as "slug!" from orgtrail.find_organization($1)"#,
        slug.replace('\0', " ")
    )
    .fetch_optional(&mut *platform.database.lookup().await?)
    .await?
    .ok_or(Error::NotFound)
}

/// The present role of a user in an organization; none if the account is disabled.
async fn role_of(platform: &Platform, organization: Uuid, user: Uuid) -> Result<Option<Role>> {
    let mut transaction = storage::begin_lookup(&platform.database, organization).await?;
    let role = sqlx::query_scalar!(
        "select m.role from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id
        where m.organization_id = $1 and m.user_id = $2 and u.disabled_at is null",
        organization,
        user
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    role.as_deref().map(Role::parse).transpose()
}

/// Holds memberships until the transaction ends, in one order whoever asks. The lock is one of two that exclude each other, not `for share`:
/// of two changes by the same person at once, both of their own role, neither would get on.
async fn hold_memberships(
    connection: &mut PgConnection,
    organization: Uuid,
    users: impl Iterator<Item = Uuid>,
) -> Result<()> {
    let users: Vec<Uuid> = users.collect();
    sqlx::query!(
        "select user_id from orgtrail.memberships where organization_id = $1 and user_id = any($2)
        order by user_id for no key update",
        organization,
        &users
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// The present role of somebody who is not the viewer, held until the transaction ends.
pub(crate) async fn hold_role(connection: &mut PgConnection, organization: Uuid, user: Uuid) -> Result<Option<Role>> {
    hold_memberships(connection, organization, std::iter::once(user)).await?;
    held_role(connection, organization, user).await
}

/// The present role of a user whose membership is held.
async fn held_role(connection: &mut PgConnection, organization: Uuid, user: Uuid) -> Result<Option<Role>> {
    let role = sqlx::query_scalar!(
        "select m.role from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id
        where m.organization_id = $1 and m.user_id = $2 and u.disabled_at is null",
        organization,
        user
    )
    .fetch_optional(connection)
    .await?;
    role.as_deref().map(Role::parse).transpose()
}

/// The organization of a token and its rights there, all as they are now, by one question: most of what programs do is small and often.
async fn of_token(platform: &Platform, slug: &str, token: &AccessToken) -> Result<(Organization, Grant)> {
    let token = access_token::find_current(platform, token).await?;
    let own = Organization { id: token.organization_id, slug: token.organization_slug };
    // A former slug leads on.
    if own.slug != slug && find_organization(platform, slug).await?.id != own.id {
        return Err(Error::NotFound);
    }
    let role = match token.created_by {
        Some(_) => token.creator_role.ok_or_else(orphaned)?,
        None => Role::Owner, // made by the operator
    };
    Ok((own, Grant::Token(token.scopes, role)))
}

fn changed_meanwhile() -> Error {
    Error::Conflict("Your rights here were changed at this very moment: try again.".to_owned())
}

fn orphaned() -> Error {
    Error::Forbidden(
        "The creator of this access token is no longer a member: an owner of the organization can adopt it.".to_owned(),
    )
}
