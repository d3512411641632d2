//! What pages show of trusted documents.

use serde::{Deserialize, Serialize};

use super::GraphRights;
use crate::audit::view::Moment;

/// The trusted documents of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentsPage {
    /// Slug of its graph.
    pub graph: String,
    /// Name of the branch.
    pub branch: String,
    /// Whether submitting takes the permission `admin`.
    pub protected: bool,
    /// The supergraph against which documents are validated now; none without subgraphs.
    pub supergraph: Option<i32>,
    /// The clients that submitted manifests, by name.
    pub clients: Vec<ClientRow>,
    /// Documents by client and name, at most 100 of those that match.
    pub documents: Vec<DocumentRow>,
    /// After which one the next page begins; none on the last page.
    pub after: Option<DocumentPlace>,
    /// The client whose documents were asked for; empty for all.
    pub client: String,
    /// What was searched for.
    pub search: String,
    /// What the viewer may do; `publish` says whether they may submit to this branch.
    pub rights: GraphRights,
    /// Whether the viewer may read the trail, and so what happened to the clients' documents.
    pub reads_audit_log: bool,
}

/// Where in the list of documents one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentPlace {
    /// Name of its client.
    pub client: String,
    /// What the client sends instead of its text.
    pub id: String,
}

/// A client of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRow {
    /// Its name.
    pub name: String,
    /// The id that events about its documents have.
    pub object_id: String,
    /// Number of its documents.
    pub documents: i64,
    /// Number of manifests that it submitted.
    pub manifests: i32,
    /// SHA-256 of the newest manifest, in hexadecimal digits.
    pub manifest_sha256: String,
    /// When that was submitted.
    pub submitted: Moment,
    /// Name of who submitted it.
    pub submitted_by: String,
}

/// A trusted document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// Name of the client that may send it.
    pub client: String,
    /// What the client sends instead of its text.
    pub id: String,
    /// `query`, `mutation` or `subscription`.
    pub kind: String,
    /// Name of its operation; empty if it has none.
    pub name: String,
    /// SHA-256 of its text, in hexadecimal digits.
    pub sha256: String,
    /// Size of its text in bytes.
    pub bytes: i32,
}

/// One trusted document with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentView {
    /// What is known of it.
    pub document: DocumentRow,
    /// The operation with its fragments.
    pub text: String,
    /// When the manifest was submitted that brought it first.
    pub submitted: Moment,
    /// Name of who submitted that.
    pub submitted_by: String,
}
