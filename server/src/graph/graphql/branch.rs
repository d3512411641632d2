//! A branch of a graph: its subgraphs, the supergraphs that they made, and the trusted documents.

use async_graphql::{Context, ID, Object, Result};
use orgtrail::Error;
use orgtrail::graph::view::{BranchRow, BranchView};
use orgtrail::graph::{registry, versions};
use tokio::sync::OnceCell;

use super::document::{self, Asked, TrustedDocument, TrustedDocumentClient};
use super::subgraph::Subgraph;
use super::supergraph::{self, Supergraph};
use crate::graphql::connection::{List, Page, Part};
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;

/// Where a branch is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Slug of the organization.
    pub(super) organization: String,
    /// Slug of the graph.
    pub(super) graph: String,
    /// Name of the branch.
    pub(super) branch: String,
}

/// A branch of a graph, in which subgraphs are composed.
pub struct Branch {
    place: Place,
    row: BranchRow,
    /// Read once, whichever of the fields are asked for.
    read: OnceCell<BranchView>,
}

impl Branch {
    /// A branch as its graph lists it.
    pub(super) fn listed(organization: &str, graph: &str, row: BranchRow) -> Self {
        let (organization, graph, branch) = (organization.to_owned(), graph.to_owned(), row.name.clone());
        Self { place: Place { organization, graph, branch }, row, read: OnceCell::new() }
    }

    /// The branch of this name.
    ///
    /// # Errors
    /// Those of [`registry::graph`]; [`Error::NotFound`].
    pub async fn find(context: &Context<'_>, organization: &str, graph: &str, name: &str) -> Result<Self> {
        let (platform, viewer) = asked(context)?;
        let branches = registry::graph(platform, viewer, organization, graph).await?.branches;
        let row = branches.into_iter().find(|row| row.name == name).ok_or(Error::NotFound)?;
        Ok(Self::listed(organization, graph, row))
    }

    async fn read(&self, context: &Context<'_>) -> Result<&BranchView> {
        let (platform, viewer) = asked(context)?;
        let Place { organization, graph, branch } = &self.place;
        Ok(self.read.get_or_try_init(|| versions::branch(platform, viewer, organization, graph, branch)).await?)
    }

    async fn all_subgraphs(&self, context: &Context<'_>, part: &Part) -> Result<List<Subgraph>> {
        let rows = self.read(context).await?.subgraphs.iter().cloned();
        let keyed = rows.map(|row| (row.name.clone(), Subgraph::new(self.place.clone(), row)));
        Ok(List::all(keyed.collect(), part)?)
    }

    /// The subgraph of this name.
    pub(super) async fn named(&self, context: &Context<'_>, name: &str) -> Result<Subgraph> {
        let mut rows = self.read(context).await?.subgraphs.iter();
        let row = rows.find(|row| row.name == name).cloned().ok_or(Error::NotFound)?;
        Ok(Subgraph::new(self.place.clone(), row))
    }

    /// The present supergraph, if there are subgraphs.
    pub(super) async fn present(&self, context: &Context<'_>) -> Result<Option<Supergraph>> {
        let row = self.read(context).await?.supergraph.clone();
        Ok(row.map(|row| Supergraph::new(self.place.clone(), row)))
    }

    async fn numbered(&self, context: &Context<'_>, number: Option<i32>) -> Option<Result<Supergraph>> {
        match number {
            Some(number) => Some(supergraph::numbered(context, &self.place, number).await),
            None => self.present(context).await.transpose(),
        }
    }
}

/// A branch of a graph, in which subgraphs are composed.
#[Object(serial)]
#[expect(clippy::unused_async, reason = "the library takes async functions alone")]
impl Branch {
    /// Name in the graph.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Whether publishing to it takes the permission `ADMIN`, and it cannot be deleted.
    async fn is_protected(&self) -> bool {
        self.row.protected
    }

    /// Which state of its settings this is: a change of an older one is refused.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was created.
    async fn created_at(&self) -> Result<Moment> {
        Ok(Moment::told(&self.row.created.rfc3339)?)
    }

    /// The id that events about it have.
    async fn object_id(&self, context: &Context<'_>) -> Result<ID> {
        Ok(ID(self.read(context).await?.object_id.clone()))
    }

    /// Whether who asks may publish to it.
    async fn viewer_can_publish(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.read(context).await?.rights.publish)
    }

    /// Its subgraphs, by name.
    async fn subgraphs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Subgraphs on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<Subgraph>>> {
        Some(self.all_subgraphs(context, &Part::new(first, after)).await)
    }

    /// One subgraph.
    async fn subgraph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its name.")] name: String,
    ) -> Option<Result<Subgraph>> {
        Some(self.named(context, &name).await)
    }

    /// What its subgraphs compose to. Null without subgraphs.
    async fn supergraph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Number of an earlier one; the present one where it is not given.")] number: Option<i32>,
    ) -> Option<Result<Supergraph>> {
        self.numbered(context, number).await
    }

    /// Its supergraphs, newest first.
    async fn supergraphs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Supergraphs on the page, 1 to 50.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<Page<Supergraph>>> {
        Some(supergraph::all(context, &self.place, &Part::new(first, after)).await)
    }

    /// The clients that submitted trusted documents, by name.
    async fn trusted_document_clients(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Clients on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<TrustedDocumentClient>>> {
        Some(document::clients(context, &self.place, &Part::new(first, after)).await)
    }

    /// The trusted documents, by client and name.
    async fn trusted_documents(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Documents on the page, 1 to 50.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "Those of this client.", default)] client: String,
        #[graphql(desc = "Those whose name, id or text holds this.", default)] search: String,
    ) -> Option<Result<Page<TrustedDocument>>> {
        Some(document::all(context, &self.place, &Asked { client, search, part: Part::new(first, after) }).await)
    }

    /// One trusted document.
    async fn trusted_document(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Name of the client that may send it.")] client: String,
        #[graphql(desc = "What the client sends instead of its text.")] id: String,
    ) -> Option<Result<TrustedDocument>> {
        Some(document::one(context, &self.place, &client, &id).await)
    }
}
