//! What changes graphs, and what teams may do with them.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use orgtrail::graph::{registry, teams};

use super::Graph;
use super::permission::GraphPermission;
use crate::graphql::mutation::meant;

/// What changes graphs, and what teams may do with them.
#[derive(Default)]
pub struct GraphMutations;

#[Object]
impl GraphMutations {
    /// Makes a graph with the branch `main`.
    async fn create_graph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: CreateGraphInput,
    ) -> Option<Result<CreateGraphPayload>> {
        Some(input.run(context).await)
    }

    /// Changes slug, name and description of a graph.
    async fn update_graph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: UpdateGraphInput,
    ) -> Option<Result<UpdateGraphPayload>> {
        Some(input.run(context).await)
    }

    /// Deletes a graph with everything in it. Its slug is free again.
    async fn delete_graph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: DeleteGraphInput,
    ) -> Option<Result<DeleteGraphPayload>> {
        Some(input.run(context).await)
    }

    /// Lets every member of a team do something with a graph, instead of what they might do before.
    async fn grant_team_graph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: GrantTeamGraphInput,
    ) -> Option<Result<GrantTeamGraphPayload>> {
        Some(input.run(context).await)
    }

    /// Takes away what a team may do with a graph.
    async fn withdraw_team_graph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: WithdrawTeamGraphInput,
    ) -> Option<Result<WithdrawTeamGraphPayload>> {
        Some(input.run(context).await)
    }
}

/// What to call a graph.
#[derive(InputObject)]
pub struct CreateGraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug, its address in the organization.
    slug: String,
    /// Name.
    name: String,
    /// Description, maybe of several lines.
    #[graphql(default)]
    description: String,
}

/// A graph that was made.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct CreateGraphPayload {
    /// The graph.
    graph: Graph,
}

impl CreateGraphInput {
    async fn run(self, context: &Context<'_>) -> Result<CreateGraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let wanted = registry::Wanted { slug: &self.slug, name: &self.name, description: &self.description };
        let made = registry::create(platform, viewer, &slug, wanted).await?;
        Ok(CreateGraphPayload { graph: Graph::find(context, &slug, &made).await? })
    }
}

/// What to call a graph from now on: what is to stay is sent too.
#[derive(InputObject)]
pub struct UpdateGraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Slug, its address in the organization from now on.
    slug: String,
    /// Name.
    name: String,
    /// Description, maybe of several lines.
    description: String,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: Option<i32>,
}

/// A graph that was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct UpdateGraphPayload {
    /// The graph.
    graph: Graph,
}

impl UpdateGraphInput {
    async fn run(self, context: &Context<'_>) -> Result<UpdateGraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let wanted = registry::Wanted { slug: &self.slug, name: &self.name, description: &self.description };
        let changed = registry::update(platform, viewer, &slug, &self.graph, wanted, self.version).await?;
        Ok(UpdateGraphPayload { graph: Graph::find(context, &slug, &changed).await? })
    }
}

/// Which graph to delete.
#[derive(InputObject)]
pub struct DeleteGraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
}

/// A graph that was deleted.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct DeleteGraphPayload {
    /// Slug of the graph.
    deleted_graph_slug: String,
}

impl DeleteGraphInput {
    async fn run(self, context: &Context<'_>) -> Result<DeleteGraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        registry::delete(platform, viewer, &slug, &self.graph).await?;
        Ok(DeleteGraphPayload { deleted_graph_slug: self.graph })
    }
}

/// What a team may do with which graph.
#[derive(InputObject)]
pub struct GrantTeamGraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Id of the team.
    team_id: ID,
    /// What its members may do.
    permission: GraphPermission,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: Option<i32>,
}

/// A graph that a team may do something with.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct GrantTeamGraphPayload {
    /// The graph.
    graph: Graph,
}

impl GrantTeamGraphInput {
    async fn run(self, context: &Context<'_>) -> Result<GrantTeamGraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let permission = self.permission.word();
        teams::grant(platform, viewer, &slug, &self.graph, &self.team_id, permission, self.version).await?;
        Ok(GrantTeamGraphPayload { graph: Graph::find(context, &slug, &self.graph).await? })
    }
}

/// Which permission to take away.
#[derive(InputObject)]
pub struct WithdrawTeamGraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Id of the team.
    team_id: ID,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: Option<i32>,
}

/// A graph that a team may do less with.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct WithdrawTeamGraphPayload {
    /// The graph.
    graph: Graph,
}

impl WithdrawTeamGraphInput {
    async fn run(self, context: &Context<'_>) -> Result<WithdrawTeamGraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        teams::withdraw(platform, viewer, &slug, &self.graph, &self.team_id, self.version).await?;
        Ok(WithdrawTeamGraphPayload { graph: Graph::find(context, &slug, &self.graph).await? })
    }
}
