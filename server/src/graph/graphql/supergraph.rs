//! A supergraph: what the subgraphs of a branch composed to.

use async_graphql::{Context, Object, Result, SimpleObject};
use orgtrail::Error;
use orgtrail::graph::versions;
use orgtrail::graph::view::{PartRow, SupergraphRow, SupergraphView, SupergraphsPage};
use tokio::sync::OnceCell;

use super::branch::Place;
use crate::graphql::connection::{List, Page, Part};
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;
use crate::graphql::texts::Texts;

/// What the subgraphs of a branch composed to.
pub struct Supergraph {
    place: Place,
    row: SupergraphRow,
    /// Read once, whichever of the fields are asked for.
    read: OnceCell<SupergraphView>,
}

async fn read(context: &Context<'_>, place: &Place, before: Option<i32>) -> Result<SupergraphsPage> {
    let (platform, viewer) = asked(context)?;
    let Place { organization, graph, branch } = place;
    Ok(versions::supergraphs(platform, viewer, organization, graph, branch, before).await?)
}

/// The supergraphs of a branch, newest first.
pub(super) async fn all(context: &Context<'_>, place: &Place, part: &Part) -> Result<Page<Supergraph>> {
    let page = read(context, place, part.number()?).await?;
    let keyed = page.supergraphs.into_iter().map(|row| (row.number.to_string(), Supergraph::new(place.clone(), row)));
    Ok(Page::beginning(keyed.collect(), page.before.is_some(), part)?)
}

/// The supergraph of a branch with this number.
pub(super) async fn numbered(context: &Context<'_>, place: &Place, number: i32) -> Result<Supergraph> {
    let mut rows = read(context, place, Some(number.saturating_add(1))).await?.supergraphs.into_iter();
    let row = rows.next().filter(|row| row.number == number).ok_or(Error::NotFound)?;
    Ok(Supergraph::new(place.clone(), row))
}

impl Supergraph {
    pub(super) fn new(place: Place, row: SupergraphRow) -> Self {
        Self { place, row, read: OnceCell::new() }
    }

    /// Its texts and parts, as long as there is room for texts.
    async fn read(&self, context: &Context<'_>) -> Result<&SupergraphView> {
        let (platform, viewer) = asked(context)?;
        context.data::<Texts>()?.ensure_room()?;
        let Place { organization, graph, branch } = &self.place;
        let read = || versions::supergraph(platform, viewer, organization, graph, branch, self.row.number);
        Ok(self.read.get_or_try_init(read).await?)
    }

    async fn all_parts(&self, context: &Context<'_>, part: &Part) -> Result<List<SupergraphPart>> {
        let rows = self.read(context).await?.parts.iter().cloned();
        Ok(List::all(rows.map(|row| (row.name.clone(), SupergraphPart::from(row))).collect(), part)?)
    }

    async fn text(&self, context: &Context<'_>, of: fn(&SupergraphView) -> &str) -> Result<&str> {
        Ok(context.data::<Texts>()?.told(of(self.read(context).await?))?)
    }
}

/// What the subgraphs of a branch composed to.
#[Object(serial)]
#[expect(clippy::unused_async, reason = "the library takes async functions alone")]
impl Supergraph {
    /// Number in the branch, from 1.
    async fn number(&self) -> i32 {
        self.row.number
    }

    /// SHA-256 of the supergraph, as hexadecimal digits.
    async fn sha256(&self) -> &str {
        &self.row.sha256
    }

    /// Its size in bytes.
    async fn bytes(&self) -> i32 {
        self.row.bytes
    }

    /// SHA-256 of the schema that clients see, as hexadecimal digits.
    async fn api_sha256(&self) -> &str {
        &self.row.api_sha256
    }

    /// Size of that in bytes.
    async fn api_bytes(&self) -> i32 {
        self.row.api_bytes
    }

    /// When it was composed.
    async fn composed_at(&self) -> Result<Moment> {
        Ok(Moment::told(&self.row.composed.rfc3339)?)
    }

    /// Name of who published or changed what it came from.
    async fn composed_by(&self) -> &str {
        &self.row.composed_by
    }

    /// The subgraphs that it was made of, by name.
    async fn parts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Subgraphs on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<SupergraphPart>>> {
        Some(self.all_parts(context, &Part::new(first, after)).await)
    }

    /// The supergraph, with the directives by which a router plans. One answer holds at most 16 MiB of schemas.
    async fn sdl(&self, context: &Context<'_>) -> Option<Result<&str>> {
        Some(self.text(context, |view| &view.sdl).await)
    }

    /// The schema that clients see. One answer holds at most 16 MiB of schemas.
    async fn api_sdl(&self, context: &Context<'_>) -> Option<Result<&str>> {
        Some(self.text(context, |view| &view.api).await)
    }
}

/// A subgraph in the version that went into a supergraph.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct SupergraphPart {
    /// Name of the subgraph.
    subgraph_name: String,
    /// Version of its schema.
    version: i32,
    /// SHA-256 of that schema, as hexadecimal digits.
    sha256: String,
    /// Where it was served then.
    url: String,
    /// Whether this version can still be read: it cannot when the subgraph was deleted.
    is_kept: bool,
}

impl From<PartRow> for SupergraphPart {
    fn from(row: PartRow) -> Self {
        Self { subgraph_name: row.name, version: row.number, sha256: row.sha256, url: row.url, is_kept: row.is_kept }
    }
}
