//! What teams may do with a graph.

use uuid::Uuid;

use super::permission::Permission;
use super::row::{self, Graph};
use super::subgraphs;
use crate::audit::append::NewEvent;
use crate::audit::change::Change;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Lets every member of a team do something with a graph, instead of what they might do before; records `graph.updated`, and nothing if it is
/// the same. `shown` is the version that the form showed, where there was one.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::Invalid`] for `permission`, and for `team` if there is none; [`Error::Conflict`] where somebody
/// else has changed the graph since it was shown.
pub async fn grant(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    team: &str,
    permission: &str,
    shown: Option<i32>,
) -> Result<()> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ChangeGraph).await?;
    let permission = Permission::parse(permission)?;
    let team: Uuid = team.parse().map_err(|_| no_such_team())?;
    change_teams(platform, &access, shown, async |change| {
        sqlx::query!(
            "insert into orgtrail.team_graphs (organization_id, team_id, graph_id, permission) values ($1, $2, $3, $4)
            on conflict (team_id, graph_id) do update set permission = excluded.permission",
            access.organization().id,
            team,
            access.graph()?.id,
            permission.as_str()
        )
        .execute(change.connection())
        .await
        .map_err(
            |error| {
                if storage::violates(&error, "team_graphs_team") { no_such_team() } else { error.into() }
            },
        )?;
        Ok(())
    })
    .await
}

/// Takes away what a team may do with a graph; records `graph.updated`.
///
/// # Errors
/// Those of [`grant`]; [`Error::NotFound`] if the team has no permission for it.
pub async fn withdraw(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    team: &str,
    shown: Option<i32>,
) -> Result<()> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ChangeGraph).await?;
    let team: Uuid = team.parse().map_err(|_| Error::NotFound)?;
    change_teams(platform, &access, shown, async |change| {
        let withdrawn = sqlx::query!(
            "delete from orgtrail.team_graphs where organization_id = $1 and team_id = $2 and graph_id = $3",
            access.organization().id,
            team,
            access.graph()?.id
        );
        match withdrawn.execute(change.connection()).await?.rows_affected() {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    })
    .await
}

/// Changes the teams of a graph, and records its state before and after.
async fn change_teams(
    platform: &Platform,
    access: &Access,
    shown: Option<i32>,
    alter: impl AsyncFnOnce(&mut Change) -> Result<()>,
) -> Result<()> {
    let mut change = Change::begin(platform, access).await?;
    let before = Graph::held(&mut change, access, shown).await?;
    alter(&mut change).await?;
    let teams = row::teams(change.connection(), access.organization().id, before.id).await?;
    let after = Graph { teams, ..before.clone() };
    if after.teams == before.teams {
        return Ok(());
    }
    Graph::note_change(&mut change, access).await?;
    change.commit(before.updated_to(&after)).await?;
    Ok(())
}

/// Holds the graphs for which a team has a permission, or of which it owns subgraphs, in one order whoever asks: before the team itself, as
/// everybody does who changes a graph.
pub(crate) async fn hold(change: &mut Change, access: &Access, team: Uuid) -> Result<Vec<Uuid>> {
    let known = known(change, access, team).await?;
    let held = sqlx::query_scalar!(
        "select id from orgtrail.graphs where organization_id = $1 and id = any($2) order by id for no key update",
        access.organization().id,
        &known
    );
    Ok(held.fetch_all(change.connection()).await?)
}

/// Ends whatever a team has in the graphs that are held, because it goes: answers `graph.updated` for each permission and
/// `subgraph.updated` for each subgraph that it owned. The caller holds the team as well, so that it gets nothing more.
///
/// # Errors
/// [`Error::Conflict`] if it was given something in another graph just now.
pub(crate) async fn end(change: &mut Change, access: &Access, team: Uuid, held: &[Uuid]) -> Result<Vec<NewEvent>> {
    if known(change, access, team).await?.iter().any(|graph| !held.contains(graph)) {
        return Err(Error::Conflict("This team was given a graph or a subgraph just now: try again.".to_owned()));
    }
    let mut events = withdraw_all(change, access, team).await?;
    events.extend(subgraphs::disown(change, access, team).await?);
    Ok(events)
}

async fn known(change: &mut Change, access: &Access, team: Uuid) -> Result<Vec<Uuid>> {
    let known = sqlx::query_scalar!(
        r#"select graph_id as "graph!" from orgtrail.team_graphs where organization_id = $1 and team_id = $2
        union select b.graph_id from orgtrail.subgraphs s
        join orgtrail.branches b on b.organization_id = s.organization_id and b.id = s.branch_id
        where s.organization_id = $1 and s.owner_team = $2"#,
        access.organization().id,
        team
    );
    Ok(known.fetch_all(change.connection()).await?)
}

async fn withdraw_all(change: &mut Change, access: &Access, team: Uuid) -> Result<Vec<NewEvent>> {
    let organization = access.organization().id;
    let graphs = Graph::of_team(change.connection(), organization, team).await?;
    sqlx::query!("delete from orgtrail.team_graphs where organization_id = $1 and team_id = $2", organization, team)
        .execute(change.connection())
        .await?;
    let changed: Vec<Uuid> = graphs.iter().map(|graph| graph.id).collect();
    sqlx::query!(
        "update orgtrail.graphs set version = version + 1 where organization_id = $1 and id = any($2)",
        organization,
        &changed
    )
    .execute(change.connection())
    .await?;
    let team = team.to_string();
    let without = |graph: &Graph| {
        let others = graph.teams.iter().filter(|grant| grant.id != team).cloned();
        Graph { teams: others.collect(), ..graph.clone() }
    };
    Ok(graphs.iter().map(|graph| graph.updated_to(&without(graph))).collect())
}

fn no_such_team() -> Error {
    Error::invalid("team", "There is no such team in this organization.")
}
