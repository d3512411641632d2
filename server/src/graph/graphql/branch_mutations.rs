//! What changes the branches of a graph.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use orgtrail::graph::branches;

use super::Graph;
use super::branch::Branch;
use crate::graphql::mutation::meant;

fn main() -> String {
    "main".to_owned()
}

/// What changes the branches of a graph.
#[derive(Default)]
pub struct BranchMutations;

#[Object]
impl BranchMutations {
    /// Makes a branch with the subgraphs of another one in their present versions.
    async fn create_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: CreateBranchInput,
    ) -> Option<Result<CreateBranchPayload>> {
        Some(input.run(context).await)
    }

    /// Renames a branch, protects it or takes the protection away.
    async fn update_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: UpdateBranchInput,
    ) -> Option<Result<UpdateBranchPayload>> {
        Some(input.run(context).await)
    }

    /// Deletes a branch with everything in it: not `main`, and none that is protected.
    async fn delete_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: DeleteBranchInput,
    ) -> Option<Result<DeleteBranchPayload>> {
        Some(input.run(context).await)
    }
}

/// What to call a branch.
#[derive(InputObject)]
pub struct CreateBranchInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Name in the graph.
    name: String,
    /// Name of the branch that it begins with.
    #[graphql(default_with = "main()")]
    from: String,
}

/// A branch that was made.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct CreateBranchPayload {
    /// The branch.
    branch: Branch,
}

impl CreateBranchInput {
    async fn run(self, context: &Context<'_>) -> Result<CreateBranchPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        branches::create(platform, viewer, &slug, &self.graph, &self.name, &self.from).await?;
        Ok(CreateBranchPayload { branch: Branch::find(context, &slug, &self.graph, &self.name).await? })
    }
}

/// What a branch shall be from now on: what is to stay is sent too.
#[derive(InputObject)]
pub struct UpdateBranchInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Name of the branch.
    branch: String,
    /// Name in the graph. That of `main` stays.
    name: String,
    /// Whether publishing to it takes the permission `ADMIN`, and it cannot be deleted.
    is_protected: bool,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: Option<i32>,
}

/// A branch that was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct UpdateBranchPayload {
    /// The branch.
    branch: Branch,
}

impl UpdateBranchInput {
    async fn run(self, context: &Context<'_>) -> Result<UpdateBranchPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let wanted = branches::Wanted { name: &self.name, protected: self.is_protected };
        branches::update(platform, viewer, &slug, &self.graph, &self.branch, wanted, self.version).await?;
        Ok(UpdateBranchPayload { branch: Branch::find(context, &slug, &self.graph, &self.name).await? })
    }
}

/// Which branch to delete.
#[derive(InputObject)]
pub struct DeleteBranchInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Name of the branch.
    branch: String,
}

/// A graph with a branch less.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct DeleteBranchPayload {
    /// The graph.
    graph: Graph,
}

impl DeleteBranchInput {
    async fn run(self, context: &Context<'_>) -> Result<DeleteBranchPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        branches::delete(platform, viewer, &slug, &self.graph, &self.branch).await?;
        Ok(DeleteBranchPayload { graph: Graph::find(context, &slug, &self.graph).await? })
    }
}
