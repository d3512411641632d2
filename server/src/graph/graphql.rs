//! Graphs over GraphQL: the part of an account that they are, and one of them.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use orgtrail::graph::registry;
use orgtrail::graph::view::{GraphRow, GraphView, TeamGrant};
use tokio::sync::OnceCell;

use crate::graphql::connection::{List, Part};
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;

pub mod branch;
pub mod branch_mutations;
pub mod document;
pub mod mutations;
pub mod permission;
pub mod schema_mutations;
pub mod subgraph;
pub mod supergraph;

use branch::Branch;
use permission::GraphPermission;

/// The part of an account that is its graphs.
pub struct AccountGraphs {
    slug: String,
}

impl AccountGraphs {
    /// Of the organization with this slug.
    #[must_use]
    pub fn new(slug: String) -> Self {
        Self { slug }
    }

    async fn all(&self, context: &Context<'_>, search: &str, part: &Part) -> Result<List<Graph>> {
        let (platform, viewer) = asked(context)?;
        let page = registry::list(platform, viewer, &self.slug, search).await?;
        let keyed = page.graphs.into_iter().map(|row| (row.slug.clone(), Graph::listed(&self.slug, row)));
        Ok(List::part(keyed.collect(), page.total, part)?)
    }
}

#[Object]
impl AccountGraphs {
    /// Its graphs, by name: of those that match, the first 500.
    async fn graphs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Graphs on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "Those whose name or slug holds this.", default)] search: String,
    ) -> Option<Result<List<Graph>>> {
        Some(self.all(context, &search, &Part::new(first, after)).await)
    }

    /// One graph.
    async fn graph(&self, context: &Context<'_>, #[graphql(desc = "Its slug.")] slug: String) -> Option<Result<Graph>> {
        Some(Graph::find(context, &self.slug, &slug).await)
    }
}

/// A graph: several services behind one schema.
pub struct Graph {
    organization: String,
    row: GraphRow,
    /// Read once, whichever of the fields are asked for.
    read: OnceCell<GraphView>,
}

impl Graph {
    fn listed(organization: &str, row: GraphRow) -> Self {
        Self { organization: organization.to_owned(), row, read: OnceCell::new() }
    }

    /// The graph with this slug.
    ///
    /// # Errors
    /// Those of [`registry::graph`].
    pub async fn find(context: &Context<'_>, organization: &str, slug: &str) -> Result<Self> {
        let (platform, viewer) = asked(context)?;
        let view = registry::graph(platform, viewer, organization, slug).await?;
        let row = GraphRow {
            slug: view.slug.clone(),
            name: view.name.clone(),
            description: view.description.clone(),
            branches: i64::try_from(view.branches.len())?,
            subgraphs: view.branches.first().map_or(0, |main| main.subgraphs),
        };
        Ok(Self { organization: organization.to_owned(), row, read: OnceCell::new_with(Some(view)) })
    }

    async fn read(&self, context: &Context<'_>) -> Result<&GraphView> {
        let (platform, viewer) = asked(context)?;
        let read = || registry::graph(platform, viewer, &self.organization, &self.row.slug);
        Ok(self.read.get_or_try_init(read).await?)
    }

    async fn all_branches(&self, context: &Context<'_>, part: &Part) -> Result<List<Branch>> {
        let rows = self.read(context).await?.branches.iter().cloned();
        let keyed = rows.map(|row| (row.name.clone(), Branch::listed(&self.organization, &self.row.slug, row)));
        Ok(List::all(keyed.collect(), part)?)
    }

    async fn all_teams(&self, context: &Context<'_>, part: &Part) -> Result<List<GraphTeamPermission>> {
        let grants = self.read(context).await?.teams.iter();
        let keyed = grants.map(|grant| Ok((grant.id.clone(), GraphTeamPermission::new(grant)?)));
        Ok(List::all(keyed.collect::<orgtrail::Result<_>>()?, part)?)
    }
}

/// A graph: several services behind one schema.
#[Object(serial)]
impl Graph {
    /// Id.
    async fn id(&self, context: &Context<'_>) -> Result<ID> {
        Ok(ID(self.read(context).await?.id.clone()))
    }

    /// Slug, its address in the organization.
    async fn slug(&self) -> &str {
        &self.row.slug
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Description, maybe of several lines; empty if there is none.
    async fn description(&self) -> &str {
        &self.row.description
    }

    /// Which state of its settings and permissions this is: a change of an older one is refused.
    async fn version(&self, context: &Context<'_>) -> Result<i32> {
        Ok(self.read(context).await?.version)
    }

    /// When it was created.
    async fn created_at(&self, context: &Context<'_>) -> Result<Moment> {
        Ok(Moment::told(&self.read(context).await?.created.rfc3339)?)
    }

    /// Its branches: `main` first, then by name.
    async fn branches(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Branches on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<Branch>>> {
        Some(self.all_branches(context, &Part::new(first, after)).await)
    }

    /// One branch.
    async fn branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its name.", default_with = "\"main\".to_owned()")] name: String,
    ) -> Option<Result<Branch>> {
        Some(Branch::find(context, &self.organization, &self.row.slug, &name).await)
    }

    /// What teams may do with it, by the teams' names.
    async fn team_permissions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Permissions on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<GraphTeamPermission>>> {
        Some(self.all_teams(context, &Part::new(first, after)).await)
    }

    /// Whether who asks may delete it.
    async fn viewer_can_delete(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.read(context).await?.rights.manage)
    }

    /// Whether who asks may change it, its branches and the settings of its subgraphs.
    async fn viewer_can_change(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.read(context).await?.rights.change)
    }

    /// Whether who asks may publish to branches that are not protected.
    async fn viewer_can_publish(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.read(context).await?.rights.publish)
    }
}

/// What a team may do with a graph.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct GraphTeamPermission {
    /// Id of the team.
    team_id: ID,
    /// Name of the team.
    team_name: String,
    /// What its members may do.
    permission: GraphPermission,
}

impl GraphTeamPermission {
    fn new(grant: &TeamGrant) -> orgtrail::Result<Self> {
        let permission = GraphPermission::told(&grant.permission)?;
        Ok(Self { team_id: ID(grant.id.clone()), team_name: grant.name.clone(), permission })
    }
}
