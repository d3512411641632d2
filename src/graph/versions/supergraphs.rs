//! The supergraphs of a branch: the list of them with what each has changed, one with its texts, two compared.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, cut};
use crate::audit::moment::moment;
use crate::graph::diff;
use crate::graph::texts;
use crate::graph::view::{PartChange, PartRow, SupergraphComparison, SupergraphRow, SupergraphView, SupergraphsPage};
use crate::identity::viewer::Viewer;
use crate::platform::{Platform, work};
use crate::{Error, Result};

/// The supergraphs of a branch, newest first; those with lower numbers than `before`, where it is given.
///
/// # Errors
/// Those of [`branch`].
pub async fn supergraphs(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    branch: &str,
    before: Option<i32>,
) -> Result<SupergraphsPage> {
    let mut reading = Reading::begin(platform, viewer, slug, graph, branch).await?;
    let (organization, branch) = (reading.access.organization().id, reading.branch.id);
    let before = before.unwrap_or(i32::MAX);
    let found = supergraph_rows(&mut reading.transaction, organization, branch, before, None, reading.now);
    let mut supergraphs = found.await?;
    let before = cut(&mut supergraphs).map(|last| last.number);
    let numbers =
        supergraphs.last().map_or(0, |last| last.number)..=supergraphs.first().map_or(0, |first| first.number);
    let changes = changes(&mut reading.transaction, organization, branch, numbers).await?;
    reading.transaction.commit().await?;
    Ok(SupergraphsPage { supergraphs, changes, before })
}

/// One supergraph of a branch, with its texts and what it was made of.
///
/// # Errors
/// Those of [`branch`]; [`Error::NotFound`] if the branch has no such supergraph.
pub async fn supergraph(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    branch: &str,
    number: i32,
) -> Result<SupergraphView> {
    let mut reading = Reading::begin(platform, viewer, slug, graph, branch).await?;
    let (organization, branch) = (reading.access.organization().id, reading.branch.id);
    let supergraph = supergraph_row(&mut reading.transaction, organization, branch, number, reading.now).await?;
    let Composed { sdl, api } = reading.composed(number).await?;
    let parts = sqlx::query_as!(
        PartRow,
        r#"select p.name, p.number, encode(p.sha256, 'hex') as "sha256!", p.url, exists(
            select from orgtrail.subgraphs s join orgtrail.subgraph_versions v on v.subgraph_id = s.id
            where s.organization_id = $1 and s.branch_id = $2 and s.name = p.name and v.number = p.number and v.sha256 = p.sha256
        ) as "is_kept!"
        from orgtrail.supergraph_parts p
        where p.organization_id = $1 and p.branch_id = $2 and p.supergraph = $3 order by p.name"#,
        organization,
        branch,
        number
    )
    .fetch_all(&mut *reading.transaction)
    .await?;
    reading.transaction.commit().await?;
    Ok(SupergraphView { supergraph, parts, sdl, api })
}

/// What differs between two supergraphs of a branch, line by line.
///
/// # Errors
/// Those of [`supergraph`]; [`Error::Unavailable`] if too much is compared and composed at the moment.
pub async fn compare_supergraphs(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    branch: &str,
    old: i32,
    new: i32,
) -> Result<SupergraphComparison> {
    let mut reading = Reading::begin(platform, viewer, slug, graph, branch).await?;
    let (older, newer) = (reading.composed(old).await?, reading.composed(new).await?);
    reading.transaction.commit().await?;
    work::compute(platform, move || SupergraphComparison {
        since: old,
        api: diff::compare(&older.api, &newer.api),
        sdl: diff::compare(&older.sdl, &newer.sdl),
    })
    .await
}

/// The texts of a supergraph.
struct Composed {
    sdl: String,
    api: String,
}

impl Reading {
    async fn composed(&mut self, number: i32) -> Result<Composed> {
        let organization = self.access.organization().id;
        let hashes = sqlx::query!(
            "select sha256, api_sha256 from orgtrail.supergraphs where organization_id = $1 and branch_id = $2 and number = $3",
            organization,
            self.branch.id,
            number
        );
        let hashes = hashes.fetch_optional(&mut *self.transaction).await?.ok_or(Error::NotFound)?;
        let sdl = texts::read(&mut self.transaction, organization, &hashes.sha256).await?;
        let api = texts::read(&mut self.transaction, organization, &hashes.api_sha256).await?;
        Ok(Composed { sdl, api })
    }
}

/// What the supergraphs with these numbers have changed. Each number follows the one before: no supergraph goes before its branch does.
async fn changes(
    connection: &mut PgConnection,
    organization: Uuid,
    branch: Uuid,
    numbers: RangeInclusive<i32>,
) -> Result<Vec<PartChange>> {
    let changes = sqlx::query_as!(
        PartChange,
        r#"select supergraph as "supergraph!", name as "name!", before.number as "before?", after.number as "after?", exists(
            select from orgtrail.subgraphs s join orgtrail.subgraph_versions v on v.subgraph_id = s.id
            where s.organization_id = $1 and s.branch_id = $2 and s.name = after.name and v.number = after.number and v.sha256 = after.sha256
        ) as "is_kept!"
        from (
            select supergraph, name, number, sha256, url from orgtrail.supergraph_parts
            where organization_id = $1 and branch_id = $2 and supergraph between $3 and $4
        ) after full join (
            select supergraph + 1 as supergraph, name, number, sha256, url from orgtrail.supergraph_parts
            where organization_id = $1 and branch_id = $2 and supergraph between $3 - 1 and $4 - 1
        ) before using (supergraph, name)
        where (before.number, before.sha256, before.url) is distinct from (after.number, after.sha256, after.url)
        order by supergraph desc, name"#,
        organization,
        branch,
        numbers.start(),
        numbers.end()
    );
    Ok(changes.fetch_all(connection).await?)
}

/// The supergraph of a branch with this number.
pub(super) async fn supergraph_row(
    connection: &mut PgConnection,
    organization: Uuid,
    branch: Uuid,
    number: i32,
    now: DateTime<Utc>,
) -> Result<SupergraphRow> {
    let found = supergraph_rows(connection, organization, branch, i32::MAX, Some(number), now).await?.pop();
    found.ok_or(Error::NotFound)
}

async fn supergraph_rows(
    connection: &mut PgConnection,
    organization: Uuid,
    branch: Uuid,
    before: i32,
    number: Option<i32>,
    now: DateTime<Utc>,
) -> Result<Vec<SupergraphRow>> {
    let rows = sqlx::query!(
        "select s.number, s.sha256, t.bytes, s.api_sha256, a.bytes as api_bytes, s.composed_at, s.composed_by
        from orgtrail.supergraphs s
        join orgtrail.graph_texts t on t.organization_id = s.organization_id and t.sha256 = s.sha256
        join orgtrail.graph_texts a on a.organization_id = s.organization_id and a.sha256 = s.api_sha256
        where s.organization_id = $1 and s.branch_id = $2 and s.number < $3 and ($4::int is null or s.number = $4)
        order by s.number desc limit 51",
        organization,
        branch,
        before,
        number
    )
    .fetch_all(connection)
    .await?;
    let supergraphs = rows.into_iter().map(|row| SupergraphRow {
        number: row.number,
        sha256: HEXLOWER.encode(&row.sha256),
        bytes: row.bytes,
        api_sha256: HEXLOWER.encode(&row.api_sha256),
        api_bytes: row.api_bytes,
        composed: moment(row.composed_at, now),
        composed_by: row.composed_by,
    });
    Ok(supergraphs.collect())
}
