//! What changes schemas: subgraphs, and trusted documents.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use orgtrail::graph::documents::{self, Client};
use orgtrail::graph::subgraphs::{self, Publication, Settings, Target};

use super::branch::{Branch, Place};
use super::document::{self, TrustedDocumentClient};
use super::subgraph::Subgraph;
use super::supergraph::Supergraph;
use crate::graphql::mutation::meant;

/// What changes schemas: subgraphs, and trusted documents.
#[derive(Default)]
pub struct SchemaMutations;

#[Object]
impl SchemaMutations {
    /// Publishes the schema of a subgraph: it is composed with the others of the branch, or refused with the places where it does not compose.
    async fn publish_subgraph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: PublishSubgraphInput,
    ) -> Option<Result<PublishSubgraphPayload>> {
        Some(input.run(context).await)
    }

    /// Changes where a subgraph is served and which team owns it.
    async fn update_subgraph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: UpdateSubgraphInput,
    ) -> Option<Result<UpdateSubgraphPayload>> {
        Some(input.run(context).await)
    }

    /// Deletes a subgraph with its versions, and composes the others.
    async fn delete_subgraph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: DeleteSubgraphInput,
    ) -> Option<Result<DeleteSubgraphPayload>> {
        Some(input.run(context).await)
    }

    /// Takes the manifest of a client: its operations are validated against the branch’s supergraph, and trusted from then on.
    async fn submit_manifest(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: SubmitManifestInput,
    ) -> Option<Result<SubmitManifestPayload>> {
        Some(input.run(context).await)
    }
}

/// Which schema to publish.
#[derive(InputObject)]
pub struct PublishSubgraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Name of the branch.
    branch: String,
    /// Name of the subgraph; it is made if the branch has none of this name.
    name: String,
    /// The schema, in the schema definition language.
    schema: String,
    /// Where the subgraph is served; without it, it stays where it was.
    url: Option<String>,
}

/// A schema that was published.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct PublishSubgraphPayload {
    /// The subgraph.
    subgraph: Subgraph,
    /// Whether there is a new version; otherwise schema and URL were what they are already.
    changed: bool,
    /// What the branch composes to now.
    supergraph: Option<Supergraph>,
}

impl PublishSubgraphInput {
    async fn run(self, context: &Context<'_>) -> Result<PublishSubgraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let target = Target { graph: &self.graph, branch: &self.branch, name: &self.name };
        let publication = Publication { schema: self.schema.as_bytes(), url: self.url.as_deref() };
        let changed = subgraphs::publish(platform, viewer, &slug, target, publication).await?.changed;
        let branch = Branch::find(context, &slug, &self.graph, &self.branch).await?;
        let (subgraph, supergraph) = (branch.named(context, &self.name).await?, branch.present(context).await?);
        Ok(PublishSubgraphPayload { subgraph, changed, supergraph })
    }
}

/// What a subgraph shall be from now on: what is to stay is sent too.
#[derive(InputObject)]
pub struct UpdateSubgraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Name of the branch.
    branch: String,
    /// Name of the subgraph.
    subgraph: String,
    /// Where it is served; empty if that is told nowhere.
    url: String,
    /// Id of the team that owns it; without it, none does.
    owner_team_id: Option<ID>,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: Option<i32>,
}

/// A subgraph that was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct UpdateSubgraphPayload {
    /// The subgraph.
    subgraph: Subgraph,
}

impl UpdateSubgraphInput {
    async fn run(self, context: &Context<'_>) -> Result<UpdateSubgraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let target = Target { graph: &self.graph, branch: &self.branch, name: &self.subgraph };
        let owner_team = self.owner_team_id.as_ref().map_or("", |id| id.as_str());
        let settings = Settings { url: &self.url, owner_team };
        subgraphs::update(platform, viewer, &slug, target, settings, self.version).await?;
        let branch = Branch::find(context, &slug, &self.graph, &self.branch).await?;
        Ok(UpdateSubgraphPayload { subgraph: branch.named(context, &self.subgraph).await? })
    }
}

/// Which subgraph to delete.
#[derive(InputObject)]
pub struct DeleteSubgraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Name of the branch.
    branch: String,
    /// Name of the subgraph.
    subgraph: String,
}

/// A branch with a subgraph less.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct DeleteSubgraphPayload {
    /// The branch.
    branch: Branch,
}

impl DeleteSubgraphInput {
    async fn run(self, context: &Context<'_>) -> Result<DeleteSubgraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let target = Target { graph: &self.graph, branch: &self.branch, name: &self.subgraph };
        subgraphs::delete(platform, viewer, &slug, target).await?;
        let branch = Branch::find(context, &slug, &self.graph, &self.branch).await?;
        Ok(DeleteSubgraphPayload { branch })
    }
}

/// Which operations to trust.
#[derive(InputObject)]
pub struct SubmitManifestInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Slug of the graph.
    graph: String,
    /// Name of the branch.
    branch: String,
    /// Name of the client.
    client: String,
    /// The manifest, a text in JSON.
    manifest: String,
}

/// A manifest that was taken.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct SubmitManifestPayload {
    /// The client.
    client: TrustedDocumentClient,
    /// Whether it was recorded; otherwise it is the client’s newest manifest already.
    changed: bool,
    /// Number of documents in the manifest.
    document_count: usize,
    /// How many of them the client did not have.
    new_document_count: usize,
}

impl SubmitManifestInput {
    async fn run(self, context: &Context<'_>) -> Result<SubmitManifestPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let client = Client { graph: &self.graph, branch: &self.branch, name: &self.client };
        let done = documents::submit(platform, viewer, &slug, client, self.manifest.as_bytes()).await?;
        let place = Place { organization: slug, graph: self.graph, branch: self.branch };
        let client = document::client(context, &place, &self.client).await?;
        let (document_count, new_document_count) = (done.documents, done.new_documents);
        Ok(SubmitManifestPayload { client, changed: done.changed, document_count, new_document_count })
    }
}
