//! Schemas and other long texts: each is stored once in an organization, under its SHA-256.

use crate::{Error, Result};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::audit::change::Change;
use crate::identity::access::Access;

/// A text with its hash.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) sha256: [u8; 32],
    pub(super) content: String,
}

impl From<String> for Text {
    fn from(content: String) -> Self {
        Self { sha256: Sha256::digest(content.as_bytes()).into(), content }
    }
}

impl Text {
    /// Its size in bytes; every text is far smaller than 2 GiB.
    pub(super) fn bytes(&self) -> i32 {
        i32::try_from(self.content.len()).unwrap_or(i32::MAX)
    }
}

/// Stores texts that are not there yet. Those that are there are locked: nobody sweeps them away before they are used.
pub(super) async fn store(change: &mut Change, access: &Access, texts: &[&Text]) -> Result<()> {
    // In one order whoever stores them, and each once: of two that store the same ones, neither waits for the other for ever.
    let mut texts = texts.to_vec();
    texts.sort_unstable_by_key(|text| text.sha256);
    texts.dedup_by_key(|text| text.sha256);
    let hashes: Vec<Vec<u8>> = texts.iter().map(|text| text.sha256.to_vec()).collect();
    let sizes: Vec<i32> = texts.iter().map(|text| text.bytes()).collect();
    let contents: Vec<&str> = texts.iter().map(|text| text.content.as_str()).collect();
    sqlx::query!(
        "insert into orgtrail.graph_texts (organization_id, sha256, bytes, content)
        select $1, * from unnest($2::bytea[], $3::int[], $4::text[])
        on conflict (organization_id, sha256) do update set bytes = excluded.bytes",
        access.organization().id,
        &hashes,
        &sizes,
        &contents as &[&str]
    )
    .execute(change.connection())
    .await?;
    Ok(())
}

/// The text with this hash.
pub(super) async fn read(connection: &mut PgConnection, organization: Uuid, sha256: &[u8]) -> Result<String> {
    let content = sqlx::query_scalar!(
        "select content from orgtrail.graph_texts where organization_id = $1 and sha256 = $2",
        organization,
        sha256
    );
    content.fetch_optional(connection).await?.ok_or(Error::NotFound)
}

/// Deletes texts that nothing has any more. One that somebody else is about to use is locked, and stays.
pub(super) async fn sweep(change: &mut Change, access: &Access) -> Result<()> {
    sqlx::query!(
        "delete from orgtrail.graph_texts where organization_id = $1 and sha256 in (
            select t.sha256 from orgtrail.graph_texts t where t.organization_id = $1
                and not exists (select from orgtrail.subgraph_versions v where v.organization_id = $1 and v.sha256 = t.sha256)
                and not exists (select from orgtrail.supergraphs s where s.organization_id = $1 and s.sha256 = t.sha256)
                and not exists (select from orgtrail.supergraphs s where s.organization_id = $1 and s.api_sha256 = t.sha256)
                and not exists (select from orgtrail.supergraph_parts p where p.organization_id = $1 and p.sha256 = t.sha256)
                and not exists (select from orgtrail.trusted_documents d where d.organization_id = $1 and d.sha256 = t.sha256)
            for update skip locked)",
        access.organization().id
    )
    .execute(change.connection())
    .await?;
    Ok(())
}
