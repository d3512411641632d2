//! What a viewer was given for one graph: by their teams, or by the access token that they are.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Access, Grant};
use crate::graph::permission::Permission;
use crate::identity::role::Role;
use crate::identity::viewer::Identity;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// The graph that an [`Access`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnGraph {
    /// Id.
    pub id: Uuid,
    /// Slug when it was asked for.
    pub slug: String,
    /// The highest permission that the viewer was given for it, beside their role.
    pub permission: Option<Permission>,
}

impl Access {
    /// The graph that it is about.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it was not asked for with [`super::authorize_on`].
    pub fn graph(&self) -> Result<&OnGraph> {
        self.graph.as_ref().ok_or(Error::NotFound)
    }

    /// What the viewer was given for that graph.
    pub(super) fn permission(&self) -> Option<Permission> {
        self.graph.as_ref().and_then(|graph| graph.permission)
    }
}

/// The graph with this slug, and what the viewer was given for it.
pub(super) async fn find(platform: &Platform, access: &Access, slug: &str) -> Result<OnGraph> {
    let organization = access.organization.id;
    let mut transaction = storage::begin_lookup(&platform.database, organization).await?;
    let graph = sqlx::query!(
        "select id, slug from orgtrail.graphs where organization_id = $1 and slug = $2",
        organization,
        slug.replace('\0', " ")
    )
    .fetch_optional(&mut *transaction)
    .await?
    .ok_or(Error::NotFound)?;
    let permission = given(&mut transaction, access, &access.grant, graph.id).await?;
    transaction.commit().await?;
    Ok(OnGraph { id: graph.id, slug: graph.slug, permission })
}

/// What the viewer was given for the graph that the access is about. The graph is held until the transaction ends, after memberships and
/// tokens: changes of one graph, and of what teams may do with it, come one after the other.
pub(super) async fn held_permission(
    connection: &mut PgConnection,
    access: &Access,
    grant: &Grant,
) -> Result<Option<Permission>> {
    let Some(OnGraph { id, .. }) = access.graph else { return Ok(None) };
    sqlx::query!(
        "select id from orgtrail.graphs where organization_id = $1 and id = $2 for no key update",
        access.organization.id,
        id
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(Error::NotFound)?;
    given(connection, access, grant, id).await
}

/// A token is given its own permissions, of which it never has more than its creator: one who is a member now has those of their teams.
async fn given(
    connection: &mut PgConnection,
    access: &Access,
    grant: &Grant,
    graph: Uuid,
) -> Result<Option<Permission>> {
    let of_teams = match access.behind() {
        Some(user) => of_teams(connection, access, user, graph).await?,
        None => None,
    };
    let Identity::AccessToken(token) = &access.viewer.identity else { return Ok(of_teams) };
    let of_token = of_token(connection, access, token.id, graph).await?;
    Ok(if matches!(grant, Grant::Token(_, Role::Member)) { of_token.min(of_teams) } else { of_token })
}

async fn of_teams(
    connection: &mut PgConnection,
    access: &Access,
    user: Uuid,
    graph: Uuid,
) -> Result<Option<Permission>> {
    let words = sqlx::query_scalar!(
        "select g.permission from orgtrail.team_graphs g
        join orgtrail.team_members m on m.organization_id = g.organization_id and m.team_id = g.team_id
        where g.organization_id = $1 and g.graph_id = $2 and m.user_id = $3",
        access.organization.id,
        graph,
        user
    )
    .fetch_all(connection)
    .await?;
    let permissions: Vec<Permission> = words.iter().map(|word| Permission::parse(word)).collect::<Result<_>>()?;
    Ok(permissions.into_iter().max())
}

async fn of_token(
    connection: &mut PgConnection,
    access: &Access,
    token: Uuid,
    graph: Uuid,
) -> Result<Option<Permission>> {
    let word = sqlx::query_scalar!(
        "select permission from orgtrail.access_token_graphs
        where organization_id = $1 and graph_id = $2 and access_token_id = $3",
        access.organization.id,
        graph,
        token
    )
    .fetch_optional(connection)
    .await?;
    word.as_deref().map(Permission::parse).transpose()
}
