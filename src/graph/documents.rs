//! Trusted documents: submitting the manifest of a client. What is there: `reading.rs`.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::composition::{self, ATTEMPTS};
use super::manifest::{self, Document, Manifest, Operation};
use super::row::{Branch, changed_meanwhile};
use super::subgraphs::refuse_protected;
use super::texts::{self, Text};
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::error::Fault;
use crate::identity::access::{self, Access, Operation as Wish};
use crate::identity::viewer::Viewer;
use crate::organization::name;
use crate::platform::{Platform, work};
use crate::storage;
use crate::{Error, Result};

mod reading;

pub use reading::{Find, document, list};

/// Which client of which branch is meant.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Slug of the graph.
    pub graph: &'a str,
    /// Name of the branch.
    pub branch: &'a str,
    /// Name of the client, 1–100 characters.
    pub name: &'a str,
}

/// What a submission came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Whether it was recorded; otherwise the newest manifest of the client is this one, and nothing was changed.
    pub changed: bool,
    /// Number of documents in the manifest.
    pub documents: usize,
    /// How many of them the client did not have.
    pub new_documents: usize,
}

/// A manifest that was sent.
struct Sent {
    client: String,
    sha256: [u8; 32],
    bytes: usize,
    manifest: Arc<Manifest>,
}

/// What is there when a manifest comes.
struct Present {
    branch: Branch,
    /// Number and hash of the client's newest manifest.
    newest: Option<(i32, Vec<u8>)>,
    /// Hashes of the client's documents, by id.
    known: HashMap<String, Vec<u8>>,
    supergraph: i32,
    api: String,
}

/// Takes the manifest of a client: each document is validated against the branch's supergraph, and stays trusted from then on, whatever later
/// manifests hold. Records `trusted_document.submitted`, and nothing if the client's newest manifest is the same.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`] if there is no such branch; [`Error::Invalid`] for `client` and `manifest`;
/// [`Error::Faulty`] for `manifest`, naming each document that is not valid, or whose id stands for another text already;
/// [`Error::Conflict`] for a branch without subgraphs, and if others change the branch all the time.
pub async fn submit(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    client: Client<'_>,
    manifest: &[u8],
) -> Result<Submitted> {
    let access = access::authorize_on(platform, viewer, slug, client.graph, Wish::PublishToGraph).await?;
    let sent = Sent {
        client: name::parse("client", client.name)?,
        sha256: Sha256::digest(manifest).into(),
        bytes: manifest.len(),
        manifest: Arc::new(manifest::read(manifest)?),
    };
    for _ in 0..ATTEMPTS {
        let present = Present::read(platform, &access, client.branch, &sent.client).await?;
        refuse_protected(&access, &present.branch)?;
        let documents = sent.manifest.documents.len();
        if present.newest.as_ref().is_some_and(|(_, sha256)| *sha256 == sent.sha256) {
            return Ok(Submitted { changed: false, documents, new_documents: 0 });
        }
        let (added, present) = added(platform, sent.manifest.clone(), present).await?;
        let mut change = Change::begin(platform, &access).await?;
        if !present.still(&mut change, &access, &sent.client).await? {
            continue;
        }
        keep(platform, &mut change, &access, &sent, &present, &added).await?;
        change.commit(event(&access, &sent, &present.branch, added.len())?).await?;
        return Ok(Submitted { changed: true, documents, new_documents: added.len() });
    }
    Err(composition::crowded())
}

impl Present {
    async fn read(platform: &Platform, access: &Access, branch: &str, client: &str) -> Result<Self> {
        let organization = access.organization().id;
        let mut transaction = storage::begin(&platform.database.reads, organization).await?;
        let branch = Branch::find(&mut transaction, access, branch).await?;
        let newest = newest(&mut transaction, access, &branch, client).await?;
        let known = sqlx::query!(
            "select document_id, sha256 from orgtrail.trusted_documents
            where organization_id = $1 and branch_id = $2 and client = $3",
            organization,
            branch.id,
            client
        )
        .fetch_all(&mut *transaction)
        .await?;
        let supergraph = branch.supergraph.ok_or_else(|| {
            Error::Conflict("This branch has no subgraphs, against which a document could be validated.".to_owned())
        })?;
        let api = sqlx::query_scalar!(
            "select api_sha256 from orgtrail.supergraphs where organization_id = $1 and branch_id = $2 and number = $3",
            organization,
            branch.id,
            supergraph
        )
        .fetch_one(&mut *transaction)
        .await?;
        let api = texts::read(&mut transaction, organization, &api).await?;
        transaction.commit().await?;
        let known = known.into_iter().map(|row| (row.document_id, row.sha256)).collect();
        Ok(Self { branch, newest, known, supergraph, api })
    }

    /// Whether branch and client are inside of a change what was read.
    async fn still(&self, change: &mut Change, access: &Access, client: &str) -> Result<bool> {
        let branch = Branch::find(change.connection(), access, &self.branch.name).await?;
        refuse_protected(access, &branch)?;
        if branch.id != self.branch.id {
            return Err(changed_meanwhile("this branch"));
        }
        let newest = newest(change.connection(), access, &branch, client).await?;
        Ok(branch.composed == self.branch.composed && newest == self.newest)
    }
}

async fn newest(
    connection: &mut PgConnection,
    access: &Access,
    branch: &Branch,
    client: &str,
) -> Result<Option<(i32, Vec<u8>)>> {
    let newest = sqlx::query!(
        "select number, sha256 from orgtrail.trusted_manifests
        where organization_id = $1 and branch_id = $2 and client = $3 order by number desc limit 1",
        access.organization().id,
        branch.id,
        client
    );
    Ok(newest.fetch_optional(connection).await?.map(|row| (row.number, row.sha256)))
}

/// A document that the client did not have.
struct Added {
    id: String,
    operation: Operation,
    text: Text,
}

/// Validates a manifest on the workers; answers the documents that are new, and gives back what was there.
async fn added(platform: &Platform, manifest: Arc<Manifest>, present: Present) -> Result<(Vec<Added>, Present)> {
    let judged = work::compute(platform, move || {
        let judged = judge(&manifest.documents, &present);
        (judged, present)
    });
    let (judged, present) = judged.await?;
    Ok((judged.map_err(manifest::faulty)?, present))
}

fn judge(documents: &[Document], present: &Present) -> Result<Vec<Added>, Vec<Fault>> {
    let operations = manifest::validate(&present.api, documents)?;
    let (mut added, mut faults) = (Vec::new(), Vec::new());
    for (document, operation) in documents.iter().zip(operations) {
        let text = Text::from(document.text.clone());
        match present.known.get(&document.id) {
            None => added.push(Added { id: document.id.clone(), operation, text }),
            Some(known) if *known == text.sha256 => {}
            Some(_) => faults.push(Fault::of(&document.id, "this id stands for another text already, for good")),
        }
    }
    if faults.is_empty() { Ok(added) } else { Err(faults) }
}

async fn keep(
    platform: &Platform,
    change: &mut Change,
    access: &Access,
    sent: &Sent,
    present: &Present,
    added: &[Added],
) -> Result<()> {
    let organization = access.organization().id;
    let number = present.newest.as_ref().map_or(1, |(number, _)| number + 1);
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    sqlx::query!(
        "insert into orgtrail.trusted_manifests (organization_id, branch_id, client, number, sha256, bytes, format, documents, new_documents,
            supergraph, submitted_at, submitted_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11, clock_timestamp()), $12)",
        organization,
        present.branch.id,
        sent.client,
        number,
        &sent.sha256,
        count(sent.bytes),
        sent.manifest.format.as_str(),
        count(sent.manifest.documents.len()),
        count(added.len()),
        present.supergraph,
        platform.clock.simulated_now(),
        composition::author(access)
    )
    .execute(change.connection())
    .await?;
    let texts: Vec<&Text> = added.iter().map(|added| &added.text).collect();
    texts::store(change, access, &texts).await?;
    let ids: Vec<&str> = added.iter().map(|added| added.id.as_str()).collect();
    let kinds: Vec<&str> = added.iter().map(|added| added.operation.kind).collect();
    let names: Vec<&str> = added.iter().map(|added| added.operation.name.as_str()).collect();
    let hashes: Vec<Vec<u8>> = added.iter().map(|added| added.text.sha256.to_vec()).collect();
    sqlx::query!(
        "insert into orgtrail.trusted_documents (organization_id, branch_id, client, document_id, kind, name, sha256, manifest)
        select $1, $2, $3, document.id, document.kind, document.name, document.sha256, $4
        from unnest($5::text[], $6::text[], $7::text[], $8::bytea[]) as document (id, kind, name, sha256)",
        organization,
        present.branch.id,
        sent.client,
        number,
        &ids as &[&str],
        &kinds as &[&str],
        &names as &[&str],
        &hashes
    )
    .execute(change.connection())
    .await?;
    Ok(())
}

fn event(access: &Access, sent: &Sent, branch: &Branch, new_documents: usize) -> Result<NewEvent> {
    let state = json!({
        "graph": access.graph()?.slug, "branch": branch.name, "client": sent.client, "documents": sent.manifest.documents.len(),
        "new_documents": new_documents, "manifest_sha256": HEXLOWER.encode(&sent.sha256), "manifest_bytes": sent.bytes,
        "format": sent.manifest.format.as_str(),
    });
    let object = Object::new("trusted_document", object_id(access.graph()?.id, branch, &sent.client), &sent.client);
    Ok(NewEvent::new(Action::TrustedDocumentSubmitted, object).next(&state))
}

/// What events about the documents of a client are about.
fn object_id(graph: Uuid, branch: &Branch, client: &str) -> String {
    format!("{}:{client}", branch.object_id(graph))
}
