//! What pages show of supergraphs.

use serde::{Deserialize, Serialize};

use super::Comparison;
use crate::audit::view::Moment;

/// One supergraph of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupergraphRow {
    /// Number in the branch, from 1.
    pub number: i32,
    /// SHA-256 of the supergraph, in hexadecimal digits.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: i32,
    /// SHA-256 of the schema that clients see.
    pub api_sha256: String,
    /// Size of that in bytes.
    pub api_bytes: i32,
    /// When it was composed.
    pub composed: Moment,
    /// Name of who published or changed what it came from.
    pub composed_by: String,
}

/// The supergraphs of a branch, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupergraphsPage {
    /// At most 50 of them.
    pub supergraphs: Vec<SupergraphRow>,
    /// What each of them has changed, newest first, and by the subgraphs' names.
    pub changes: Vec<PartChange>,
    /// Where the next page begins: its supergraphs have lower numbers. None on the last one.
    pub before: Option<i32>,
}

/// One supergraph with its texts, and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupergraphView {
    /// What is known of it.
    pub supergraph: SupergraphRow,
    /// The subgraphs that it was made of, by name.
    pub parts: Vec<PartRow>,
    /// The supergraph, with the directives by which a router plans.
    pub sdl: String,
    /// What clients see of it.
    pub api: String,
}

/// A subgraph in the version that went into a supergraph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRow {
    /// Name of the subgraph.
    pub name: String,
    /// Version of its schema.
    pub number: i32,
    /// SHA-256 of that schema.
    pub sha256: String,
    /// Where it was served then.
    pub url: String,
    /// Whether this version can be looked at: it cannot when the subgraph was deleted.
    pub is_kept: bool,
}

/// A subgraph that is another one in a supergraph than in the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartChange {
    /// Number of the supergraph.
    pub supergraph: i32,
    /// Name of the subgraph.
    pub name: String,
    /// Version of its schema in the supergraph before; none if it was not in that.
    pub before: Option<i32>,
    /// Version of its schema in this one, the same where only the URL is another; none if it is not in this one.
    pub after: Option<i32>,
    /// Whether the version `after` can be looked at: it cannot when the subgraph was deleted.
    pub is_kept: bool,
}

/// Two supergraphs of a branch compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupergraphComparison {
    /// Number of the older one, or of the one that was asked for.
    pub since: i32,
    /// What differs for clients.
    pub api: Comparison,
    /// What differs for a router.
    pub sdl: Comparison,
}
