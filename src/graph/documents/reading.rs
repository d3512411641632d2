//! What is trusted: the clients of a branch, their documents in pages, one document.

use data_encoding::HEXLOWER;
use sqlx::PgConnection;

use super::{Client, object_id};
use crate::audit::moment::moment;
use crate::graph::row::Branch;
use crate::graph::versions;
use crate::graph::view::{ClientRow, DocumentPlace, DocumentRow, DocumentView, DocumentsPage};
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Documents of one page.
const PAGE: usize = 100;

/// Which documents of a branch are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Find<'a> {
    /// Those of this client; empty for all.
    pub client: &'a str,
    /// Those whose name, id or text holds this, at most 200 characters; empty for all.
    pub search: &'a str,
    /// Those after this one in the list: its client and its id.
    pub after: Option<(&'a str, &'a str)>,
}

/// The clients of a branch, and a page of their documents, by client and name.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`] if there is no such branch; [`Error::Invalid`] for a search of more than 200
/// characters.
pub async fn list(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    graph: &str,
    branch: &str,
    find: Find<'_>,
) -> Result<DocumentsPage> {
    let access = access::authorize_on(platform, viewer, slug, graph, Operation::ReadOrganization).await?;
    if find.search.chars().count() > 200 || find.search.contains('\0') {
        return Err(Error::invalid("search", "Search for words of at most 200 characters."));
    }
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let branch = Branch::find(&mut transaction, &access, branch).await?;
    let clients = clients(&mut transaction, &access, &branch, platform).await?;
    let mut documents = rows(&mut transaction, &access, &branch, find).await?;
    transaction.commit().await?;
    let more = documents.len() > PAGE;
    documents.truncate(PAGE);
    let place = |last: &DocumentRow| DocumentPlace { client: last.client.clone(), id: last.id.clone() };
    Ok(DocumentsPage {
        graph: access.graph()?.slug.clone(),
        protected: branch.protected,
        supergraph: branch.supergraph,
        rights: versions::rights(&access, &branch),
        branch: branch.name,
        clients,
        after: documents.last().filter(|_| more).map(place),
        documents,
        client: find.client.to_owned(),
        search: find.search.to_owned(),
        reads_audit_log: access.allows(Operation::ReadAuditLog),
    })
}

/// One more than a page holds.
async fn rows(
    connection: &mut PgConnection,
    access: &Access,
    branch: &Branch,
    find: Find<'_>,
) -> Result<Vec<DocumentRow>> {
    let (client, id) = find.after.unzip();
    let stored = |text: &str| text.replace('\0', " ");
    let rows = sqlx::query_as!(
        DocumentRow,
        r#"select d.client, d.document_id as id, d.kind, d.name, encode(d.sha256, 'hex') as "sha256!", t.bytes
        from orgtrail.trusted_documents d
        join orgtrail.graph_texts t on t.organization_id = d.organization_id and t.sha256 = d.sha256
        where d.organization_id = $1 and d.branch_id = $2 and ($3 = '' or d.client = $3)
            and ($4 = '' or position(lower($4) in lower(d.name || ' ' || d.document_id || ' ' || t.content)) > 0)
            -- A document stays where it is: the last one of a page is found again.
            and ($5::text is null or (d.client, lower(d.name), d.document_id) > (
                select a.client, lower(a.name), a.document_id from orgtrail.trusted_documents a
                where a.organization_id = $1 and a.branch_id = $2 and a.client = $5 and a.document_id = $6))
        order by d.client, lower(d.name), d.document_id limit 101"#,
        access.organization().id,
        branch.id,
        stored(find.client),
        find.search.trim(),
        client.map(stored),
        id.map(stored)
    );
    Ok(rows.fetch_all(connection).await?)
}

async fn clients(
    connection: &mut PgConnection,
    access: &Access,
    branch: &Branch,
    platform: &Platform,
) -> Result<Vec<ClientRow>> {
    let rows = sqlx::query!(
        r#"select distinct on (m.client) m.client, m.number, m.sha256, m.submitted_at, m.submitted_by,
            (select count(*) from orgtrail.trusted_documents d
                where d.organization_id = $1 and d.branch_id = $2 and d.client = m.client) as "documents!"
        from orgtrail.trusted_manifests m where m.organization_id = $1 and m.branch_id = $2
        order by m.client, m.number desc"#,
        access.organization().id,
        branch.id
    )
    .fetch_all(connection)
    .await?;
    let now = platform.clock.now();
    let graph = access.graph()?.id;
    let clients = rows.into_iter().map(|row| ClientRow {
        object_id: object_id(graph, branch, &row.client),
        name: row.client,
        documents: row.documents,
        manifests: row.number,
        manifest_sha256: HEXLOWER.encode(&row.sha256),
        submitted: moment(row.submitted_at, now),
        submitted_by: row.submitted_by,
    });
    Ok(clients.collect())
}

/// One document of a client, with its text.
///
/// # Errors
/// Those of [`access::authorize_on`]; [`Error::NotFound`] if the client has no such document.
pub async fn document(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    client: Client<'_>,
    id: &str,
) -> Result<DocumentView> {
    let access = access::authorize_on(platform, viewer, slug, client.graph, Operation::ReadOrganization).await?;
    let organization = access.organization().id;
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let branch = Branch::find(&mut transaction, &access, client.branch).await?;
    let row = sqlx::query!(
        r#"select d.client, d.document_id, d.kind, d.name, encode(d.sha256, 'hex') as "sha256!", t.bytes, t.content, m.submitted_at, m.submitted_by
        from orgtrail.trusted_documents d
        join orgtrail.graph_texts t on t.organization_id = d.organization_id and t.sha256 = d.sha256
        join orgtrail.trusted_manifests m on m.branch_id = d.branch_id and m.client = d.client and m.number = d.manifest
        where d.organization_id = $1 and d.branch_id = $2 and d.client = $3 and d.document_id = $4"#,
        organization,
        branch.id,
        client.name.replace('\0', " "),
        id.replace('\0', " ")
    )
    .fetch_optional(&mut *transaction)
    .await?
    .ok_or(Error::NotFound)?;
    transaction.commit().await?;
    let (id, kind, name) = (row.document_id, row.kind, row.name);
    Ok(DocumentView {
        document: DocumentRow { client: row.client, id, kind, name, sha256: row.sha256, bytes: row.bytes },
        text: row.content,
        submitted: moment(row.submitted_at, platform.clock.now()),
        submitted_by: row.submitted_by,
    })
}
