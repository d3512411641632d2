//! Schemas as they are, whole: for programs, and for downloads from pages.

use super::row::Branch;
use super::subgraphs::Target;
use crate::identity::access::{self, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// A schema with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sdl {
    /// Version of the subgraph, or number of the supergraph in its branch.
    pub version: i32,
    /// The text, byte for byte: at most 8 MiB of a subgraph.
    pub text: String,
}

/// The schema of a subgraph in one of its versions; the present one, where none is named.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`] if there is no such branch, subgraph or version.
pub async fn subgraph(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    target: Target<'_>,
    version: Option<i32>,
) -> Result<Sdl> {
    let access = access::authorize_on(platform, viewer, slug, target.graph, Operation::ReadOrganization).await?;
    let organization = access.organization().id;
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let branch = Branch::find(&mut transaction, &access, target.branch).await?;
    let found = sqlx::query_as!(
        Sdl,
        "select v.number as version, t.content as text from orgtrail.subgraphs s
        join orgtrail.subgraph_versions v on v.subgraph_id = s.id and v.number = coalesce($4, s.number)
        join orgtrail.graph_texts t on t.organization_id = v.organization_id and t.sha256 = v.sha256
        where s.organization_id = $1 and s.branch_id = $2 and s.name = $3",
        organization,
        branch.id,
        target.name.replace('\0', " "),
        version
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    found.ok_or(Error::NotFound)
}

/// A supergraph of a branch, with the directives by which a router plans; the present one, where none is named.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`] if there is no such branch or supergraph, or the branch has no subgraphs.
pub async fn supergraph(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    branch: &str,
    version: Option<i32>,
) -> Result<Sdl> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ReadOrganization).await?;
    let organization = access.organization().id;
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let branch = Branch::find(&mut transaction, &access, branch).await?;
    let found = sqlx::query_as!(
        Sdl,
        "select s.number as version, t.content as text from orgtrail.supergraphs s
        join orgtrail.graph_texts t on t.organization_id = s.organization_id and t.sha256 = s.sha256
        where s.organization_id = $1 and s.branch_id = $2 and s.number = $3",
        organization,
        branch.id,
        version.or(branch.supergraph)
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    found.ok_or(Error::NotFound)
}
