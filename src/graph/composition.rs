//! The supergraph of a branch: what it is made of, making it outside of any transaction, and keeping it inside of one.

use std::sync::Arc;

use sqlx::PgConnection;
use uuid::Uuid;

use super::compose::{self, Source};
use super::row::Branch;
use super::schema::MAX_BRANCH_BYTES;
use super::texts::{self, Text};
use crate::audit::change::Change;
use crate::error::Fault;
use crate::identity::access::Access;
use crate::platform::{Platform, work};
use crate::storage;
use crate::{Error, Result};

/// Subgraphs of one branch.
pub const MAX_SUBGRAPHS: usize = 100;

/// How often a change is composed anew because others changed the branch while it was composed.
pub(super) const ATTEMPTS: usize = 6;

/// A subgraph that takes part, in one version.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) number: i32,
    pub(super) schema: Arc<Text>,
}

impl Part {
    fn source(&self) -> Source<'_> {
        Source { name: &self.name, url: &self.url, sdl: &self.schema.content }
    }
}

/// A branch as it was read, with its subgraphs.
#[derive(Debug, Clone)]
pub(super) struct Present {
    pub(super) branch: Branch,
    pub(super) parts: Vec<Part>,
}

impl Present {
    /// Reads the branch, outside of the change that is to come.
    pub(super) async fn read(platform: &Platform, access: &Access, branch: &str) -> Result<Self> {
        let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
        let branch = Branch::find(&mut transaction, access, branch).await?;
        let parts = parts(&mut transaction, access, branch.id).await?;
        transaction.commit().await?;
        Ok(Self { branch, parts })
    }

    /// The branch inside of a change, if its subgraphs are those that were read. Nobody else changes it until the change ends.
    pub(super) async fn still(&self, change: &mut Change, access: &Access) -> Result<Option<Branch>> {
        let branch = Branch::find(change.connection(), access, &self.branch.name).await?;
        Ok((branch.id == self.branch.id && branch.composed == self.branch.composed).then_some(branch))
    }
}

async fn parts(connection: &mut PgConnection, access: &Access, branch: Uuid) -> Result<Vec<Part>> {
    let rows = sqlx::query!(
        "select s.name, s.url, s.number, t.content from orgtrail.subgraphs s
        join orgtrail.subgraph_versions v on v.subgraph_id = s.id and v.number = s.number
        join orgtrail.graph_texts t on t.organization_id = v.organization_id and t.sha256 = v.sha256
        where s.organization_id = $1 and s.branch_id = $2 order by s.name",
        access.organization().id,
        branch
    )
    .fetch_all(connection)
    .await?;
    let part = |(name, url, number, content)| Part { name, url, number, schema: Arc::new(Text::from(content)) };
    Ok(rows.into_iter().map(|row| part((row.name, row.url, row.number, row.content))).collect())
}

/// A supergraph that was made and is not kept yet.
#[derive(Debug)]
pub(super) struct Supergraph {
    text: Text,
    api: Text,
}

/// Composes parts on the workers; nothing comes of no parts.
///
/// # Errors
/// [`Error::Faulty`] for the field `schema`; [`Error::LimitExceeded`] for too many subgraphs, or too large ones.
pub(super) async fn compose(platform: &Platform, parts: &[Part]) -> Result<Option<Supergraph>> {
    if parts.is_empty() {
        return Ok(None);
    }
    ensure_room(parts)?;
    let parts = parts.to_vec();
    let made = work::compute(platform, move || {
        let sources: Vec<Source<'_>> = parts.iter().map(Part::source).collect();
        compose::compose(&sources).map(|made| (Text::from(made.supergraph), Text::from(made.api)))
    });
    match made.await? {
        Ok((text, api)) => Ok(Some(Supergraph { text, api })),
        Err(faults) => Err(does_not_compose(faults)),
    }
}

fn does_not_compose(faults: Vec<Fault>) -> Error {
    Error::faulty("schema", "The subgraphs of the branch would not compose any more, so nothing was changed.", faults)
}

fn ensure_room(parts: &[Part]) -> Result<()> {
    if parts.len() > MAX_SUBGRAPHS {
        return Err(Error::LimitExceeded(format!("A branch has at most {MAX_SUBGRAPHS} subgraphs.")));
    }
    let bytes: usize = parts.iter().map(|part| part.schema.content.len()).sum();
    if bytes > MAX_BRANCH_BYTES {
        let most = MAX_BRANCH_BYTES / (1024 * 1024);
        return Err(Error::LimitExceeded(format!("The schemas of one branch have at most {most} MiB together.")));
    }
    Ok(())
}

/// Keeps the supergraph of a branch, under the next number if it is another one, with the parts that it was made of. Their versions are kept
/// already.
pub(super) async fn keep(
    platform: &Platform,
    change: &mut Change,
    access: &Access,
    branch: &Branch,
    supergraph: Option<&Supergraph>,
    parts: &[Part],
) -> Result<Option<i32>> {
    let number = match supergraph {
        Some(supergraph) => Some(insert(platform, change, access, branch, supergraph, parts).await?),
        None => None,
    };
    sqlx::query!(
        "update orgtrail.branches set supergraph = $3, composed = composed + 1 where organization_id = $1 and id = $2",
        access.organization().id,
        branch.id,
        number
    )
    .execute(change.connection())
    .await?;
    Ok(number)
}

async fn insert(
    platform: &Platform,
    change: &mut Change,
    access: &Access,
    branch: &Branch,
    supergraph: &Supergraph,
    parts: &[Part],
) -> Result<i32> {
    let organization = access.organization().id;
    texts::store(change, access, &[&supergraph.text, &supergraph.api]).await?;
    let number = sqlx::query_scalar!(
        r#"insert into orgtrail.supergraphs (organization_id, branch_id, number, sha256, api_sha256, composed_at, composed_by)
        select $1, $2, coalesce(max(number), 0) + 1, $3, $4, coalesce($5, clock_timestamp()), $6
        from orgtrail.supergraphs where organization_id = $1 and branch_id = $2 returning number"#,
        organization,
        branch.id,
        &supergraph.text.sha256,
        &supergraph.api.sha256,
        platform.clock.simulated_now(),
        author(access)
    )
    .fetch_one(change.connection())
    .await?;
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    let urls: Vec<&str> = parts.iter().map(|part| part.url.as_str()).collect();
    let numbers: Vec<i32> = parts.iter().map(|part| part.number).collect();
    let hashes: Vec<Vec<u8>> = parts.iter().map(|part| part.schema.sha256.to_vec()).collect();
    sqlx::query!(
        "insert into orgtrail.supergraph_parts (organization_id, branch_id, supergraph, name, number, sha256, url)
        select $1, $2, $3, * from unnest($4::text[], $5::int[], $6::bytea[], $7::text[])",
        organization,
        branch.id,
        number,
        &names as &[&str],
        &numbers,
        &hashes,
        &urls as &[&str]
    )
    .execute(change.connection())
    .await?;
    Ok(number)
}

/// The name of who does it, as lists of versions show it.
pub(super) fn author(access: &Access) -> String {
    let actor = access.actor();
    let user = actor.user.as_ref().and_then(|user| user.name.clone());
    let token = actor.access_token.as_ref().and_then(|token| token.name.clone());
    user.or(token).unwrap_or_default()
}

/// So many others change the branch that what was composed was always out of date.
pub(super) fn crowded() -> Error {
    Error::Conflict("Others are changing this branch at the same time: try again in a moment.".to_owned())
}
