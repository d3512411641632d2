//! The graphs of an organization: list, one graph, create, change, delete.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::branches;
use super::name::{description, graph_slug};
use super::row::{self, Graph};
use super::texts;
use super::view::{BranchRow, GraphRights, GraphRow, GraphView, GraphsPage, TeamChoice};
use crate::audit::action::Action;
use crate::audit::append::NewEvent;
use crate::audit::change::Change;
use crate::audit::moment::moment;
use crate::identity::access::{self, Access, Operation};
use crate::identity::access_token::graphs as tokens;
use crate::identity::viewer::Viewer;
use crate::organization::name;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Graphs, teams and branches shown at once; a search finds other graphs.
const SHOWN: i64 = 500;

/// Graphs of one organization.
pub const MAX_GRAPHS: i64 = 1_000;

/// What a graph shall be, as typed.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its address in the organization.
    pub slug: &'a str,
    /// Name to read.
    pub name: &'a str,
    /// Text, maybe of several lines.
    pub description: &'a str,
}

impl Wanted<'_> {
    /// Checks it, for a graph that is `id`, and otherwise as it was.
    fn accept(self, before: Graph) -> Result<Graph> {
        let (slug, name) = (graph_slug(self.slug)?, name::parse("name", self.name)?);
        Ok(Graph { slug, name, description: description(self.description)?, ..before })
    }
}

/// The graphs whose name or slug holds `search`, by name.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for a search of more than 200 characters.
pub async fn list(platform: &Platform, viewer: &Viewer, slug: &str, search: &str) -> Result<GraphsPage> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    if search.chars().count() > 200 || search.contains('\0') {
        return Err(Error::invalid("search", "Search for a name of at most 200 characters."));
    }
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let total = count(&mut transaction, &access).await?;
    let graphs = sqlx::query_as!(
        GraphRow,
        r#"select g.slug, g.name, g.description,
            (select count(*) from orgtrail.branches b where b.organization_id = $1 and b.graph_id = g.id) as "branches!",
            (select count(*) from orgtrail.subgraphs s join orgtrail.branches b on b.id = s.branch_id
                where b.organization_id = $1 and b.graph_id = g.id and b.name = 'main') as "subgraphs!"
        from orgtrail.graphs g
        where g.organization_id = $1 and ($2 = '' or position(lower($2) in lower(g.name || ' ' || g.slug)) > 0)
        order by lower(g.name), g.id limit $3"#,
        access.organization().id,
        search.trim(),
        SHOWN
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let manageable = access.allows(Operation::ManageGraphs);
    Ok(GraphsPage { graphs, total, search: search.to_owned(), manageable })
}

async fn count(connection: &mut PgConnection, access: &Access) -> Result<i64> {
    let total = sqlx::query_scalar!(
        r#"select count(*) as "total!" from orgtrail.graphs where organization_id = $1"#,
        access.organization().id
    );
    Ok(total.fetch_one(connection).await?)
}

/// One graph, with its branches and what teams may do with it.
///
/// # Errors
/// Those of [`access::authorize_on`].
pub async fn graph(platform: &Platform, viewer: &Viewer, slug: &str, graph: &str) -> Result<GraphView> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ReadOrganization).await?;
    let (organization, id, now) = (access.organization().id, access.graph()?.id, platform.clock.now());
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let row = sqlx::query!(
        "select slug, name, description, version, created_at from orgtrail.graphs where organization_id = $1 and id = $2",
        organization,
        id
    )
    .fetch_optional(&mut *transaction)
    .await?
    .ok_or(Error::NotFound)?;
    let branches = branch_rows(&mut transaction, organization, id, now).await?;
    let teams = row::teams(&mut transaction, organization, id).await?;
    let changeable = access.allows(Operation::ChangeGraph);
    let other_teams = if changeable { other_teams(&mut transaction, organization, id).await? } else { Vec::new() };
    transaction.commit().await?;
    Ok(GraphView {
        id: id.to_string(),
        slug: row.slug,
        name: row.name,
        description: row.description,
        version: row.version,
        created: moment(row.created_at, now),
        branches,
        teams,
        other_teams,
        rights: rights(&access),
        reads_audit_log: access.allows(Operation::ReadAuditLog),
    })
}

/// What the viewer may do with the graph of an access.
fn rights(access: &Access) -> GraphRights {
    GraphRights {
        manage: access.allows(Operation::ManageGraphs),
        change: access.allows(Operation::ChangeGraph),
        publish: access.allows(Operation::PublishToGraph),
    }
}

async fn branch_rows(
    connection: &mut PgConnection,
    organization: Uuid,
    graph: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<BranchRow>> {
    let rows = sqlx::query!(
        r#"select b.name, b.protected, b.version, b.created_at,
            (select count(*) from orgtrail.subgraphs s where s.organization_id = $1 and s.branch_id = b.id) as "subgraphs!"
        from orgtrail.branches b where b.organization_id = $1 and b.graph_id = $2
        order by b.name <> 'main', lower(b.name), b.name"#,
        organization,
        graph
    )
    .fetch_all(connection)
    .await?;
    let branches = rows.into_iter().map(|row| BranchRow {
        name: row.name,
        protected: row.protected,
        version: row.version,
        subgraphs: row.subgraphs,
        created: moment(row.created_at, now),
    });
    Ok(branches.collect())
}

/// Teams that have no permission for a graph yet.
async fn other_teams(connection: &mut PgConnection, organization: Uuid, graph: Uuid) -> Result<Vec<TeamChoice>> {
    let teams = sqlx::query_as!(
        TeamChoice,
        r#"select t.id::text as "id!", t.name from orgtrail.teams t
        where t.organization_id = $1 and not exists (select from orgtrail.team_graphs g
            where g.organization_id = $1 and g.team_id = t.id and g.graph_id = $2)
        order by lower(t.name), t.id limit $3"#,
        organization,
        graph,
        SHOWN
    );
    Ok(teams.fetch_all(connection).await?)
}

/// Makes a graph with the branch `main`; records `graph.created` and `branch.created`, and answers the graph's slug.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for `slug`, `name` and `description`; [`Error::Taken`] if another graph has the slug;
/// [`Error::LimitExceeded`] where there are [`MAX_GRAPHS`].
pub async fn create(platform: &Platform, viewer: &Viewer, slug: &str, wanted: Wanted<'_>) -> Result<String> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageGraphs).await?;
    let id = storage::new_id(platform.clock.now())?;
    let empty = Graph { id, slug: String::new(), name: String::new(), description: String::new(), teams: Vec::new() };
    let graph = wanted.accept(empty)?;
    let mut change = Change::begin(platform, &access).await?;
    ensure_room(&mut change, &access).await?;
    sqlx::query!(
        "insert into orgtrail.graphs (id, organization_id, slug, name, description, created_at)
        values ($1, $2, $3, $4, $5, coalesce($6, clock_timestamp()))",
        id,
        access.organization().id,
        graph.slug,
        graph.name,
        graph.description,
        platform.clock.simulated_now()
    )
    .execute(change.connection())
    .await
    .map_err(taken)?;
    let main = branches::insert_main(platform, &mut change, &access, &graph).await?;
    change.commit_all(graph.event(Action::GraphCreated).next(&graph.state()), vec![main]).await?;
    Ok(graph.slug)
}

/// Refuses one graph too many. The organization's row is locked, so that of two who make the last one at once only one succeeds.
async fn ensure_room(change: &mut Change, access: &Access) -> Result<()> {
    let organization = access.organization().id;
    sqlx::query!("select id from orgtrail.organizations where id = $1 for no key update", organization)
        .fetch_one(change.connection())
        .await?;
    if count(change.connection(), access).await? < MAX_GRAPHS {
        return Ok(());
    }
    Err(Error::LimitExceeded(format!("An organization has at most {MAX_GRAPHS} graphs: delete one that nobody uses.")))
}

/// Changes slug, name and description; records `graph.updated`, and does nothing if nothing differs. `shown` is the version that the form
/// showed, where there was one. Answers the slug that it has now.
///
/// # Errors
/// Those of [`access::authorize_on`] and of [`create`]; [`Error::Conflict`] where somebody else has changed it since it was shown.
pub async fn update(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    wanted: Wanted<'_>,
    shown: Option<i32>,
) -> Result<String> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ChangeGraph).await?;
    let mut change = Change::begin(platform, &access).await?;
    let before = Graph::held(&mut change, &access, shown).await?;
    let after = wanted.accept(before.clone())?;
    if after.state() == before.state() {
        return Ok(after.slug);
    }
    sqlx::query!(
        "update orgtrail.graphs set slug = $3, name = $4, description = $5, version = version + 1
        where organization_id = $1 and id = $2",
        access.organization().id,
        after.id,
        after.slug,
        after.name,
        after.description
    )
    .execute(change.connection())
    .await
    .map_err(taken)?;
    change.commit(before.updated_to(&after)).await?;
    Ok(after.slug)
}

/// Deletes a graph with everything in it; records `access_token.graph.removed` for each token that had a permission for it, and
/// `graph.deleted`. Its slug is free again.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::Conflict`] where somebody uses it at this moment.
pub async fn delete(platform: &Platform, viewer: &Viewer, slug: &str, graph: &str) -> Result<()> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ManageGraphs).await?;
    let (organization, id) = (access.organization().id, access.graph()?.id);
    let mut change = Change::begin(platform, &access).await?;
    let graph = Graph::held(&mut change, &access, None).await?;
    let mut events = withdraw_from_tokens(&mut change, &access, &graph).await?;
    sqlx::query!("delete from orgtrail.team_graphs where organization_id = $1 and graph_id = $2", organization, id)
        .execute(change.connection())
        .await?;
    sqlx::query!("delete from orgtrail.graphs where organization_id = $1 and id = $2", organization, id)
        .execute(change.connection())
        .await
        .map_err(in_use)?;
    texts::sweep(&mut change, &access).await?;
    events.push(graph.event(Action::GraphDeleted).previous(&graph.state()));
    let first = events.remove(0);
    change.commit_all(first, events).await?;
    Ok(())
}

/// Ends what tokens may do with a graph; answers what is to be recorded.
async fn withdraw_from_tokens(change: &mut Change, access: &Access, graph: &Graph) -> Result<Vec<NewEvent>> {
    let withdrawn = sqlx::query!(
        "with withdrawn as (
            delete from orgtrail.access_token_graphs where organization_id = $1 and graph_id = $2
            returning access_token_id, permission
        )
        select t.id, t.name, withdrawn.permission from withdrawn
        join orgtrail.access_tokens t on t.organization_id = $1 and t.id = withdrawn.access_token_id order by t.name, t.id",
        access.organization().id,
        graph.id
    )
    .fetch_all(change.connection())
    .await?;
    let of_token = |(id, name, permission): (Uuid, String, String)| {
        let previous = tokens::state(id, &name, &graph.slug, &permission);
        tokens::event(Action::AccessTokenGraphRemoved, id, &name, graph.id).previous(&previous)
    };
    Ok(withdrawn.into_iter().map(|row| of_token((row.id, row.name, row.permission))).collect())
}

fn taken(error: sqlx::Error) -> Error {
    if storage::violates(&error, "graphs_slug") {
        return Error::taken("slug", "Another graph of this organization has this slug: choose another one.");
    }
    error.into()
}

/// A token was given a permission for it, and its transaction has ended after this one has looked.
fn in_use(error: sqlx::Error) -> Error {
    if storage::violates(&error, "access_token_graphs_graph") {
        return Error::Conflict(
            "An access token was given a permission for this graph just now: try again.".to_owned(),
        );
    }
    error.into()
}
