//! A subgraph of a branch, and the versions of its schema.

use async_graphql::{Context, ID, Object, Result};
use orgtrail::Error;
use orgtrail::graph::subgraphs::Target;
use orgtrail::graph::versions;
use orgtrail::graph::view::{SubgraphRow, VersionRow};

use super::branch::Place;
use crate::graphql::connection::{Page, Part};
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;
use crate::graphql::texts::Texts;

/// A subgraph of a branch: the schema of one service.
pub struct Subgraph {
    place: Place,
    row: SubgraphRow,
}

impl Subgraph {
    pub(super) fn new(place: Place, row: SubgraphRow) -> Self {
        Self { place, row }
    }

    /// The versions before the number `before`, at most as many as a use case reads, and whether there are more.
    async fn read(&self, context: &Context<'_>, before: Option<i32>) -> Result<(Vec<VersionRow>, bool)> {
        let (platform, viewer) = asked(context)?;
        let target = target(&self.place, &self.row.name);
        let page = versions::list(platform, viewer, &self.place.organization, target, before).await?;
        Ok((page.versions, page.before.is_some()))
    }

    async fn all_versions(&self, context: &Context<'_>, part: &Part) -> Result<Page<SubgraphVersion>> {
        let (rows, has_more) = self.read(context, part.number()?).await?;
        let keyed = rows.into_iter().map(|row| (row.number.to_string(), self.version_of(row)));
        Ok(Page::beginning(keyed.collect(), has_more, part)?)
    }

    async fn numbered(&self, context: &Context<'_>, number: Option<i32>) -> Result<SubgraphVersion> {
        let Some(number) = number.filter(|number| *number != self.row.schema.number) else {
            return Ok(self.version_of(self.row.schema.clone()));
        };
        let (rows, _) = self.read(context, Some(number.saturating_add(1))).await?;
        let row = rows.into_iter().next().filter(|row| row.number == number).ok_or(Error::NotFound)?;
        Ok(self.version_of(row))
    }

    fn version_of(&self, row: VersionRow) -> SubgraphVersion {
        SubgraphVersion { place: self.place.clone(), subgraph: self.row.name.clone(), row }
    }
}

fn target<'a>(place: &'a Place, name: &'a str) -> Target<'a> {
    Target { graph: &place.graph, branch: &place.branch, name }
}

/// A subgraph of a branch: the schema of one service.
#[Object(serial)]
impl Subgraph {
    /// Id.
    async fn id(&self) -> ID {
        ID(self.row.id.clone())
    }

    /// Name in the branch.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Where it is served; empty if that was not told.
    async fn url(&self) -> &str {
        &self.row.url
    }

    /// Id of the team that owns it.
    async fn owner_team_id(&self) -> Option<ID> {
        self.row.owner_team.as_ref().map(|team| ID(team.id.clone()))
    }

    /// Name of the team that owns it.
    async fn owner_team_name(&self) -> Option<&str> {
        self.row.owner_team.as_ref().map(|team| team.name.as_str())
    }

    /// Which state of its settings this is: a change of an older one is refused.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// Its schema.
    async fn schema(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Number of an earlier version; the present one where it is not given.")] number: Option<i32>,
    ) -> Option<Result<SubgraphVersion>> {
        Some(self.numbered(context, number).await)
    }

    /// The versions of its schema, newest first.
    async fn versions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Versions on the page, 1 to 50.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<Page<SubgraphVersion>>> {
        Some(self.all_versions(context, &Part::new(first, after)).await)
    }
}

/// A version of a subgraph's schema.
pub struct SubgraphVersion {
    place: Place,
    subgraph: String,
    row: VersionRow,
}

impl SubgraphVersion {
    async fn text(&self, context: &Context<'_>) -> Result<String> {
        let ((platform, viewer), texts) = (asked(context)?, context.data::<Texts>()?);
        texts.ensure_room()?;
        let target = target(&self.place, &self.subgraph);
        let read = versions::version(platform, viewer, &self.place.organization, target, self.row.number).await?;
        texts.told(&read.sdl)?;
        Ok(read.sdl)
    }
}

/// A version of a subgraph's schema.
#[Object(serial)]
#[expect(clippy::unused_async, reason = "the library takes async functions alone")]
impl SubgraphVersion {
    /// Number in the subgraph, from 1.
    async fn number(&self) -> i32 {
        self.row.number
    }

    /// SHA-256 of the schema, as hexadecimal digits.
    async fn sha256(&self) -> &str {
        &self.row.sha256
    }

    /// Size of the schema in bytes.
    async fn bytes(&self) -> i32 {
        self.row.bytes
    }

    /// Where the subgraph was served when this was published.
    async fn url(&self) -> &str {
        &self.row.url
    }

    /// When it was published.
    async fn published_at(&self) -> Result<Moment> {
        Ok(Moment::told(&self.row.published.rfc3339)?)
    }

    /// Name of who published it.
    async fn published_by(&self) -> &str {
        &self.row.published_by
    }

    /// The schema as it was published. One answer holds at most 16 MiB of schemas.
    async fn sdl(&self, context: &Context<'_>) -> Option<Result<String>> {
        Some(self.text(context).await)
    }
}
