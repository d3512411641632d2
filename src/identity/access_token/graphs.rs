//! What an access token may do with single graphs.

use serde_json::{Value, json};
use uuid::Uuid;

use super::token::{Target, Token};
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::graph::permission::Permission;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::{Error, Result};

/// Lets a token do something with a graph, instead of what it might do before; records `access_token.graph.added` or `.updated`, and
/// nothing if it is the same.
///
/// # Errors
/// Those of [`super::update`]; [`Error::Invalid`] for `graph`, if there is none, and `permission`.
pub async fn grant(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    target: Target,
    graph: &str,
    permission: &str,
) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageAccessTokens).await?;
    let permission = Permission::parse(permission)?.as_str();
    let mut change = Change::begin(platform, &access).await?;
    let token = Token::lock(&mut change, &access, target).await?;
    token.refuse_above(&access, &[])?;
    let graph = find(&mut change, &access, graph).await?;
    let before = present(&mut change, &access, token.id, graph.id).await?;
    if before.as_deref() == Some(permission) {
        return Ok(());
    }
    sqlx::query!(
        "insert into orgtrail.access_token_graphs (organization_id, access_token_id, graph_id, permission) values ($1, $2, $3, $4)
        on conflict (access_token_id, graph_id) do update set permission = excluded.permission",
        access.organization().id,
        token.id,
        graph.id,
        permission
    )
    .execute(change.connection())
    .await?;
    note_change(&mut change, &access, token.id).await?;
    let action = if before.is_some() { Action::AccessTokenGraphUpdated } else { Action::AccessTokenGraphAdded };
    let state = |permission: &str| state(token.id, &token.name, &graph.slug, permission);
    let event = event(action, token.id, &token.name, graph.id).next(&state(permission));
    change
        .commit(match before {
            Some(before) => event.previous(&state(&before)),
            None => event,
        })
        .await?;
    Ok(())
}

/// Takes a token's permission for a graph away; records `access_token.graph.removed`.
///
/// # Errors
/// Those of [`super::update`]; [`Error::NotFound`] if it has none; [`Error::Invalid`] for `graph`, if there is none.
pub async fn withdraw(platform: &Platform, viewer: &Viewer, slug: &str, target: Target, graph: &str) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageAccessTokens).await?;
    let mut change = Change::begin(platform, &access).await?;
    let token = Token::lock(&mut change, &access, target).await?;
    let graph = find(&mut change, &access, graph).await?;
    let permission = sqlx::query_scalar!(
        "delete from orgtrail.access_token_graphs where organization_id = $1 and access_token_id = $2 and graph_id = $3 returning permission",
        access.organization().id,
        token.id,
        graph.id
    )
    .fetch_optional(change.connection())
    .await?
    .ok_or(Error::NotFound)?;
    note_change(&mut change, &access, token.id).await?;
    let previous = state(token.id, &token.name, &graph.slug, &permission);
    change.commit(event(Action::AccessTokenGraphRemoved, token.id, &token.name, graph.id).previous(&previous)).await?;
    Ok(())
}

struct Graph {
    id: Uuid,
    slug: String,
}

/// A graph of the organization; it stays until the change ends.
async fn find(change: &mut Change, access: &Access, slug: &str) -> Result<Graph> {
    sqlx::query_as!(
        Graph,
        "select id, slug from orgtrail.graphs where organization_id = $1 and slug = $2",
        access.organization().id,
        slug.replace('\0', " ")
    )
    .fetch_optional(change.connection())
    .await?
    .ok_or_else(|| Error::invalid("graph", "There is no such graph in this organization."))
}

async fn present(change: &mut Change, access: &Access, token: Uuid, graph: Uuid) -> Result<Option<String>> {
    let permission = sqlx::query_scalar!(
        "select permission from orgtrail.access_token_graphs where organization_id = $1 and access_token_id = $2 and graph_id = $3",
        access.organization().id,
        token,
        graph
    )
    .fetch_optional(change.connection())
    .await?;
    Ok(permission)
}

/// A form that showed other permissions is a form of another version.
async fn note_change(change: &mut Change, access: &Access, token: Uuid) -> Result<()> {
    sqlx::query!(
        "update orgtrail.access_tokens set version = version + 1 where organization_id = $1 and id = $2",
        access.organization().id,
        token
    )
    .execute(change.connection())
    .await?;
    Ok(())
}

/// The object is the permission, found by the token that has it and by the graph.
pub(crate) fn event(action: Action, token: Uuid, token_name: &str, graph: Uuid) -> NewEvent {
    NewEvent::new(action, Object::new("access_token_graph", format!("{token}:{graph}"), token_name))
}

/// The state of a permission as `previous` and `next` hold it.
pub(crate) fn state(token: Uuid, token_name: &str, graph: &str, permission: &str) -> Value {
    json!({ "token_id": token, "token_name": token_name, "graph": graph, "permission": permission })
}
