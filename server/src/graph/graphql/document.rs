//! Trusted documents: the operations that clients may send by their ids.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use orgtrail::Error;
use orgtrail::graph::documents::{self, Client, Find};
use orgtrail::graph::view::{ClientRow, DocumentRow, DocumentView, DocumentsPage};
use tokio::sync::OnceCell;

use super::branch::Place;
use crate::graphql::connection::{List, Page, Part};
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;
use crate::graphql::texts::Texts;

/// Which documents are asked for.
pub(super) struct Asked {
    pub(super) client: String,
    pub(super) search: String,
    pub(super) part: Part,
}

async fn read(context: &Context<'_>, place: &Place, find: Find<'_>) -> Result<DocumentsPage> {
    let (platform, viewer) = asked(context)?;
    let Place { organization, graph, branch } = place;
    Ok(documents::list(platform, viewer, organization, graph, branch, find).await?)
}

/// The clients of a branch.
pub(super) async fn clients(context: &Context<'_>, place: &Place, part: &Part) -> Result<List<TrustedDocumentClient>> {
    let rows = read(context, place, Find::default()).await?.clients.into_iter();
    let keyed = rows.map(|row| Ok((row.name.clone(), TrustedDocumentClient::new(row)?)));
    Ok(List::all(keyed.collect::<orgtrail::Result<_>>()?, part)?)
}

/// One client of a branch.
pub(super) async fn client(context: &Context<'_>, place: &Place, name: &str) -> Result<TrustedDocumentClient> {
    let mut clients = read(context, place, Find::default()).await?.clients.into_iter();
    Ok(TrustedDocumentClient::new(clients.find(|row| row.name == name).ok_or(Error::NotFound)?)?)
}

/// The documents of a branch. A cursor is the client and the id of a document, as JSON.
pub(super) async fn all(context: &Context<'_>, place: &Place, asked: &Asked) -> Result<Page<TrustedDocument>> {
    let after: Option<(String, String)> = asked.part.parsed(|cursor| serde_json::from_str(cursor).ok())?;
    let after = after.as_ref().map(|(client, id)| (client.as_str(), id.as_str()));
    let page = read(context, place, Find { client: &asked.client, search: &asked.search, after }).await?;
    let keyed = page.documents.into_iter().map(|row| {
        let cursor = serde_json::json!([row.client, row.id]).to_string();
        (cursor, TrustedDocument { place: place.clone(), row, read: OnceCell::new() })
    });
    Ok(Page::beginning(keyed.collect(), page.after.is_some(), &asked.part)?)
}

/// One document of a client.
pub(super) async fn one(context: &Context<'_>, place: &Place, client: &str, id: &str) -> Result<TrustedDocument> {
    let view = find(context, place, client, id).await?;
    let row = view.document.clone();
    Ok(TrustedDocument { place: place.clone(), row, read: OnceCell::new_with(Some(view)) })
}

async fn find(context: &Context<'_>, place: &Place, client: &str, id: &str) -> Result<DocumentView> {
    let (platform, viewer) = asked(context)?;
    let of = Client { graph: &place.graph, branch: &place.branch, name: client };
    Ok(documents::document(platform, viewer, &place.organization, of, id).await?)
}

/// A client of a branch that submitted trusted documents.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct TrustedDocumentClient {
    /// Name.
    name: String,
    /// The id that events about its documents have.
    object_id: ID,
    /// Number of its documents.
    document_count: i64,
    /// Number of manifests that it submitted.
    manifest_count: i32,
    /// SHA-256 of the newest manifest, as hexadecimal digits.
    manifest_sha256: String,
    /// When that was submitted.
    submitted_at: Moment,
    /// Name of who submitted it.
    submitted_by: String,
}

impl TrustedDocumentClient {
    fn new(row: ClientRow) -> orgtrail::Result<Self> {
        Ok(Self {
            submitted_at: Moment::told(&row.submitted.rfc3339)?,
            name: row.name,
            object_id: ID(row.object_id),
            document_count: row.documents,
            manifest_count: row.manifests,
            manifest_sha256: row.manifest_sha256,
            submitted_by: row.submitted_by,
        })
    }
}

/// What an operation does.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedDocumentKind {
    /// It reads.
    Query,
    /// It changes.
    Mutation,
    /// It waits for what happens.
    Subscription,
}

/// An operation that a client may send by its id.
pub struct TrustedDocument {
    place: Place,
    row: DocumentRow,
    /// Read once, whichever of the fields are asked for.
    read: OnceCell<DocumentView>,
}

impl TrustedDocument {
    async fn read(&self, context: &Context<'_>) -> Result<&DocumentView> {
        context.data::<Texts>()?.ensure_room()?;
        self.read.get_or_try_init(|| find(context, &self.place, &self.row.client, &self.row.id)).await
    }

    async fn text_of(&self, context: &Context<'_>) -> Result<&str> {
        Ok(context.data::<Texts>()?.told(&self.read(context).await?.text)?)
    }
}

/// An operation that a client may send by its id.
#[Object(serial)]
#[expect(clippy::unused_async, reason = "the library takes async functions alone")]
impl TrustedDocument {
    /// Name of the client that may send it.
    async fn client(&self) -> &str {
        &self.row.client
    }

    /// What the client sends instead of its text.
    async fn id(&self) -> &str {
        &self.row.id
    }

    /// What it does.
    async fn kind(&self) -> Result<TrustedDocumentKind> {
        match self.row.kind.as_str() {
            "query" => Ok(TrustedDocumentKind::Query),
            "mutation" => Ok(TrustedDocumentKind::Mutation),
            "subscription" => Ok(TrustedDocumentKind::Subscription),
            other => Err(Error::internal(format!("a document is a {other}")))?,
        }
    }

    /// Name of its operation; empty if it has none.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// SHA-256 of its text, as hexadecimal digits.
    async fn sha256(&self) -> &str {
        &self.row.sha256
    }

    /// Size of its text in bytes.
    async fn bytes(&self) -> i32 {
        self.row.bytes
    }

    /// When the manifest was submitted that brought it first.
    async fn submitted_at(&self, context: &Context<'_>) -> Result<Moment> {
        Ok(Moment::told(&self.read(context).await?.submitted.rfc3339)?)
    }

    /// Name of who submitted that.
    async fn submitted_by(&self, context: &Context<'_>) -> Result<&str> {
        Ok(&self.read(context).await?.submitted_by)
    }

    /// The operation with its fragments.
    async fn text(&self, context: &Context<'_>) -> Option<Result<&str>> {
        Some(self.text_of(context).await)
    }
}
