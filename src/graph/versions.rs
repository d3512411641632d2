//! What a branch is made of: its subgraphs with every version of their schemas. Reading and comparing; supergraphs: `supergraphs.rs`.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use sqlx::PgConnection;
use uuid::Uuid;

use super::diff;
use super::row::Branch;
use super::subgraphs::Target;
use super::texts;
use super::view::{
    BranchView, Comparison, GraphRights, SubgraphRow, TeamChoice, VersionRow, VersionView, VersionsPage,
};
use crate::audit::moment::moment;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::{Platform, work};
use crate::storage;
use crate::{Error, Result};

mod supergraphs;

use supergraphs::supergraph_row;
pub use supergraphs::{compare_supergraphs, supergraph, supergraphs};

/// Versions of one page.
const PAGE: usize = 50;

/// Teams that are offered as owners.
const OFFERED: i64 = 500;

/// One branch, with its subgraphs and its present supergraph.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`] if the graph has no such branch.
pub async fn branch(platform: &Platform, viewer: &Viewer, slug: &str, graph: &str, branch: &str) -> Result<BranchView> {
    let Reading { access, mut transaction, branch, now } =
        Reading::begin(platform, viewer, slug, graph, branch).await?;
    let organization = access.organization().id;
    let graph_name = sqlx::query_scalar!(
        "select name from orgtrail.graphs where organization_id = $1 and id = $2",
        organization,
        access.graph()?.id
    )
    .fetch_optional(&mut *transaction)
    .await?
    .ok_or(Error::NotFound)?;
    let subgraphs = subgraph_rows(&mut transaction, organization, branch.id, now).await?;
    let supergraph = match branch.supergraph {
        Some(number) => Some(supergraph_row(&mut transaction, organization, branch.id, number, now).await?),
        None => None,
    };
    let rights = rights(&access, &branch);
    let teams = if rights.change { teams(&mut transaction, organization).await? } else { Vec::new() };
    transaction.commit().await?;
    Ok(BranchView {
        object_id: branch.object_id(access.graph()?.id),
        graph: access.graph()?.slug.clone(),
        graph_name,
        name: branch.name,
        protected: branch.protected,
        version: branch.version,
        subgraphs,
        supergraph,
        teams,
        rights,
        reads_audit_log: access.allows(Operation::ReadAuditLog),
    })
}

/// What the viewer of a branch may do.
pub(super) fn rights(access: &Access, branch: &Branch) -> GraphRights {
    let publish = if branch.protected { Operation::PublishToProtected } else { Operation::PublishToGraph };
    GraphRights {
        manage: access.allows(Operation::ManageGraphs),
        change: access.allows(Operation::ChangeGraph),
        publish: access.allows(publish),
    }
}

/// A branch that is being read.
struct Reading {
    access: Access,
    transaction: storage::Transaction,
    branch: Branch,
    now: DateTime<Utc>,
}

impl Reading {
    async fn begin(platform: &Platform, viewer: &Viewer, slug: &str, graph: &str, branch: &str) -> Result<Self> {
        let access = access::authorize_on(platform, viewer, slug, graph, Operation::ReadOrganization).await?;
        let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
        let branch = Branch::find(&mut transaction, &access, branch).await?;
        Ok(Self { access, transaction, branch, now: platform.clock.now() })
    }

    /// The id of a subgraph of the branch.
    async fn subgraph(&mut self, name: &str) -> Result<Uuid> {
        let id = sqlx::query_scalar!(
            "select id from orgtrail.subgraphs where organization_id = $1 and branch_id = $2 and name = $3",
            self.access.organization().id,
            self.branch.id,
            name.replace('\0', " ")
        );
        id.fetch_optional(&mut *self.transaction).await?.ok_or(Error::NotFound)
    }

    /// The text of a version of a subgraph.
    async fn schema(&mut self, subgraph: Uuid, number: i32) -> Result<String> {
        let organization = self.access.organization().id;
        let sha256 = sqlx::query_scalar!(
            "select sha256 from orgtrail.subgraph_versions where organization_id = $1 and subgraph_id = $2 and number = $3",
            organization,
            subgraph,
            number
        );
        let sha256 = sha256.fetch_optional(&mut *self.transaction).await?.ok_or(Error::NotFound)?;
        texts::read(&mut self.transaction, organization, &sha256).await
    }
}

async fn subgraph_rows(
    connection: &mut PgConnection,
    organization: Uuid,
    branch: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<SubgraphRow>> {
    let rows = sqlx::query!(
        r#"select s.id, s.name, s.url, s.version, o.id as "owner_id?", o.name as "owner_name?",
            v.number, v.sha256, t.bytes, v.url as version_url, v.published_at, v.published_by
        from orgtrail.subgraphs s
        join orgtrail.subgraph_versions v on v.subgraph_id = s.id and v.number = s.number
        join orgtrail.graph_texts t on t.organization_id = v.organization_id and t.sha256 = v.sha256
        left join orgtrail.teams o on o.organization_id = s.organization_id and o.id = s.owner_team
        where s.organization_id = $1 and s.branch_id = $2 order by s.name"#,
        organization,
        branch
    )
    .fetch_all(connection)
    .await?;
    let subgraphs = rows.into_iter().map(|row| SubgraphRow {
        id: row.id.to_string(),
        name: row.name,
        url: row.url,
        owner_team: row.owner_id.zip(row.owner_name).map(|(id, name)| TeamChoice { id: id.to_string(), name }),
        version: row.version,
        schema: VersionRow {
            number: row.number,
            sha256: HEXLOWER.encode(&row.sha256),
            bytes: row.bytes,
            url: row.version_url,
            published: moment(row.published_at, now),
            published_by: row.published_by,
        },
    });
    Ok(subgraphs.collect())
}

async fn teams(connection: &mut PgConnection, organization: Uuid) -> Result<Vec<TeamChoice>> {
    let teams = sqlx::query_as!(
        TeamChoice,
        r#"select id::text as "id!", name from orgtrail.teams where organization_id = $1 order by lower(name), id limit $2"#,
        organization,
        OFFERED
    );
    Ok(teams.fetch_all(connection).await?)
}

/// The versions of a subgraph, newest first; those with lower numbers than `before`, where it is given.
///
/// # Errors
/// Those of [`branch`]; [`Error::NotFound`] if the branch has no such subgraph.
pub async fn list(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    target: Target<'_>,
    before: Option<i32>,
) -> Result<VersionsPage> {
    let mut reading = Reading::begin(platform, viewer, slug, target.graph, target.branch).await?;
    let subgraph = reading.subgraph(target.name).await?;
    let mut versions = version_rows(&mut reading, subgraph, before.unwrap_or(i32::MAX), None).await?;
    reading.transaction.commit().await?;
    Ok(VersionsPage { before: cut(&mut versions).map(|last| last.number), versions })
}

/// Cuts a page to its length; answers its last row if there are more.
fn cut<T>(rows: &mut Vec<T>) -> Option<&T> {
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    rows.last().filter(|_| more)
}

/// Versions with numbers below `before`, or the one with `number`; one more than a page holds.
async fn version_rows(
    reading: &mut Reading,
    subgraph: Uuid,
    before: i32,
    number: Option<i32>,
) -> Result<Vec<VersionRow>> {
    let rows = sqlx::query!(
        "select v.number, v.sha256, t.bytes, v.url, v.published_at, v.published_by from orgtrail.subgraph_versions v
        join orgtrail.graph_texts t on t.organization_id = v.organization_id and t.sha256 = v.sha256
        where v.organization_id = $1 and v.subgraph_id = $2 and v.number < $3 and ($4::int is null or v.number = $4)
        order by v.number desc limit 51",
        reading.access.organization().id,
        subgraph,
        before,
        number
    )
    .fetch_all(&mut *reading.transaction)
    .await?;
    let versions = rows.into_iter().map(|row| VersionRow {
        number: row.number,
        sha256: HEXLOWER.encode(&row.sha256),
        bytes: row.bytes,
        url: row.url,
        published: moment(row.published_at, reading.now),
        published_by: row.published_by,
    });
    Ok(versions.collect())
}

/// One version of a subgraph, with its schema.
///
/// # Errors
/// Those of [`list`]; [`Error::NotFound`] if the subgraph has no such version.
pub async fn version(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    target: Target<'_>,
    number: i32,
) -> Result<VersionView> {
    let mut reading = Reading::begin(platform, viewer, slug, target.graph, target.branch).await?;
    let subgraph = reading.subgraph(target.name).await?;
    let version = version_rows(&mut reading, subgraph, i32::MAX, Some(number)).await?.pop().ok_or(Error::NotFound)?;
    let sdl = reading.schema(subgraph, number).await?;
    reading.transaction.commit().await?;
    Ok(VersionView { version, sdl })
}

/// What differs between two versions of a subgraph, line by line.
///
/// # Errors
/// Those of [`version`]; [`Error::Unavailable`] if too much is compared and composed at the moment.
pub async fn compare(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    target: Target<'_>,
    old: i32,
    new: i32,
) -> Result<Comparison> {
    let mut reading = Reading::begin(platform, viewer, slug, target.graph, target.branch).await?;
    let subgraph = reading.subgraph(target.name).await?;
    let (old, new) = (reading.schema(subgraph, old).await?, reading.schema(subgraph, new).await?);
    reading.transaction.commit().await?;
    work::compute(platform, move || diff::compare(&old, &new)).await
}
