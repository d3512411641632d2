//! What teams may do with a graph.

use sqlx::PgConnection;
use uuid::Uuid;

use super::permission::Permission;
use super::row::{self, Graph};
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

/// Refuses what would take a team away that may do something with a graph, or owns a subgraph: who deletes a team changes no graph in
/// silence. The caller holds the team, so that it gets nothing more.
pub(crate) async fn refuse_known(connection: &mut PgConnection, access: &Access, team: Uuid) -> Result<()> {
    let graphs = sqlx::query_scalar!(
        r#"select g.slug from orgtrail.graphs g where g.organization_id = $1 and (
            exists (select from orgtrail.team_graphs t where t.organization_id = $1 and t.graph_id = g.id and t.team_id = $2)
            or exists (select from orgtrail.subgraphs s join orgtrail.branches b on b.id = s.branch_id
                where s.organization_id = $1 and b.graph_id = g.id and s.owner_team = $2))
        order by g.slug limit 5"#,
        access.organization().id,
        team
    )
    .fetch_all(connection)
    .await?;
    if graphs.is_empty() {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "This team has a permission for, or owns subgraphs of: {}. Take that away there first.",
        graphs.join(", ")
    )))
}

fn no_such_team() -> Error {
    Error::invalid("team", "There is no such team in this organization.")
}
