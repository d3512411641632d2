//! Graphs and branches as somebody changes them: their rows, under the graph's lock, and their states as events hold them.

use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::name;
use super::view::TeamGrant;
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::identity::access::Access;
use crate::{Error, Result};

/// A graph that somebody is about to change. The change holds it already, since the access is about it.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) teams: Vec<TeamGrant>,
}

impl Graph {
    /// The graph of the access, if it is what was shown.
    pub(super) async fn held(change: &mut Change, access: &Access, shown: Option<i32>) -> Result<Self> {
        let (organization, id) = (access.organization().id, access.graph()?.id);
        let row = sqlx::query!(
            "select id, slug, name, description, version from orgtrail.graphs where organization_id = $1 and id = $2",
            organization,
            id
        )
        .fetch_optional(change.connection())
        .await?
        .ok_or(Error::NotFound)?;
        if shown.is_some_and(|shown| shown != row.version) {
            return Err(changed_meanwhile("this graph"));
        }
        let teams = teams(change.connection(), organization, id).await?;
        Ok(Self { id: row.id, slug: row.slug, name: row.name, description: row.description, teams })
    }

    /// The graphs for which a team has a permission, by slug.
    pub(super) async fn of_team(connection: &mut PgConnection, organization: Uuid, team: Uuid) -> Result<Vec<Self>> {
        let rows = sqlx::query!(
            r#"select g.id, g.slug, g.name, g.description, t.id::text as "team!", t.name as team_name, other.permission
            from orgtrail.team_graphs own
            join orgtrail.graphs g on g.organization_id = own.organization_id and g.id = own.graph_id
            join orgtrail.team_graphs other on other.organization_id = own.organization_id and other.graph_id = own.graph_id
            join orgtrail.teams t on t.organization_id = other.organization_id and t.id = other.team_id
            where own.organization_id = $1 and own.team_id = $2 order by g.slug, lower(t.name), t.id"#,
            organization,
            team
        )
        .fetch_all(connection)
        .await?;
        let mut graphs: Vec<Self> = Vec::new();
        for row in rows {
            let grant = TeamGrant { id: row.team, name: row.team_name, permission: row.permission };
            match graphs.last_mut().filter(|last| last.id == row.id) {
                Some(graph) => graph.teams.push(grant),
                None => graphs.push(Self {
                    id: row.id,
                    slug: row.slug,
                    name: row.name,
                    description: row.description,
                    teams: vec![grant],
                }),
            }
        }
        Ok(graphs)
    }

    /// A form that showed another state of it is a form of another version.
    pub(super) async fn note_change(change: &mut Change, access: &Access) -> Result<()> {
        sqlx::query!(
            "update orgtrail.graphs set version = version + 1 where organization_id = $1 and id = $2",
            access.organization().id,
            access.graph()?.id
        )
        .execute(change.connection())
        .await?;
        Ok(())
    }

    /// The state as `previous` and `next` hold it.
    pub(super) fn state(&self) -> Value {
        let Self { id, slug, name, description, .. } = self;
        let team = |team: &TeamGrant| json!({ "team": team.name, "permission": team.permission });
        let teams: Vec<Value> = self.teams.iter().map(team).collect();
        json!({ "id": id, "slug": slug, "name": name, "description": description, "teams": teams })
    }

    pub(super) fn event(&self, action: Action) -> NewEvent {
        NewEvent::new(action, Object::new("graph", self.id, &self.name))
    }

    /// `graph.updated`, from this state to `after`.
    pub(super) fn updated_to(&self, after: &Self) -> NewEvent {
        after.event(Action::GraphUpdated).previous(&self.state()).next(&after.state())
    }
}

/// What teams may do with a graph, by their names.
pub(super) async fn teams(connection: &mut PgConnection, organization: Uuid, graph: Uuid) -> Result<Vec<TeamGrant>> {
    let teams = sqlx::query_as!(
        TeamGrant,
        r#"select t.id::text as "id!", t.name, g.permission from orgtrail.team_graphs g
        join orgtrail.teams t on t.organization_id = g.organization_id and t.id = g.team_id
        where g.organization_id = $1 and g.graph_id = $2 order by lower(t.name), t.id"#,
        organization,
        graph
    );
    Ok(teams.fetch_all(connection).await?)
}

/// A branch of the graph of an access.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) protected: bool,
    pub(super) version: i32,
    pub(super) composed: i32,
    pub(super) supergraph: Option<i32>,
}

impl Branch {
    /// The branch with this name. Inside of a change nobody else changes it, since the change holds its graph.
    pub(super) async fn find(connection: &mut PgConnection, access: &Access, name: &str) -> Result<Self> {
        sqlx::query_as!(
            Self,
            "select id, name, protected, version, composed, supergraph from orgtrail.branches
            where organization_id = $1 and graph_id = $2 and name = $3",
            access.organization().id,
            access.graph()?.id,
            name.replace('\0', " ")
        )
        .fetch_optional(connection)
        .await?
        .ok_or(Error::NotFound)
    }

    /// Likewise, if it is what was shown.
    pub(super) async fn shown(change: &mut Change, access: &Access, name: &str, shown: Option<i32>) -> Result<Self> {
        let branch = Self::find(change.connection(), access, name).await?;
        if shown.is_some_and(|shown| shown != branch.version) {
            return Err(changed_meanwhile("this branch"));
        }
        Ok(branch)
    }

    pub(super) fn is_main(&self) -> bool {
        self.name == name::MAIN
    }

    /// The state as `previous` and `next` hold it, with the subgraphs that are in it.
    pub(super) async fn state(&self, change: &mut Change, access: &Access, graph: &Graph) -> Result<Value> {
        let subgraphs = sqlx::query!(
            r#"select s.name, s.number, encode(v.sha256, 'hex') as "sha256!" from orgtrail.subgraphs s
            join orgtrail.subgraph_versions v on v.subgraph_id = s.id and v.number = s.number
            where s.organization_id = $1 and s.branch_id = $2 order by s.name"#,
            access.organization().id,
            self.id
        )
        .fetch_all(change.connection())
        .await?;
        let subgraphs: Vec<Value> = subgraphs
            .into_iter()
            .map(|row| json!({ "name": row.name, "version": row.number, "schema_sha256": row.sha256 }))
            .collect();
        let Self { id, name, protected, .. } = self;
        Ok(json!({ "id": id, "graph": graph.slug, "name": name, "protected": protected, "subgraphs": subgraphs }))
    }

    /// Its id in the trail: it belongs to the history of the graph.
    pub(super) fn object_id(&self, graph: Uuid) -> String {
        format!("{graph}:{}", self.id)
    }

    pub(super) fn event(&self, action: Action, graph: &Graph) -> NewEvent {
        NewEvent::new(action, Object::new("branch", self.object_id(graph.id), &self.name))
    }
}

/// Somebody else was first.
pub(super) fn changed_meanwhile(what: &str) -> Error {
    Error::Conflict(format!("Somebody else has changed {what} meanwhile: look at it as it is now, and try again."))
}
