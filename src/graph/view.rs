//! What pages show of graphs.

use serde::{Deserialize, Serialize};

use crate::audit::view::Moment;

mod document;
mod supergraph;

pub use document::{ClientRow, DocumentPlace, DocumentRow, DocumentView, DocumentsPage};
pub use supergraph::{PartChange, PartRow, SupergraphComparison, SupergraphRow, SupergraphView, SupergraphsPage};

/// A graph, as the list of graphs shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphRow {
    /// Its address in the organization.
    pub slug: String,
    /// Name to read.
    pub name: String,
    /// Text, maybe of several lines; empty if there is none.
    pub description: String,
    /// Number of its branches, at least 1.
    pub branches: i64,
    /// Number of subgraphs in the branch `main`.
    pub subgraphs: i64,
}

/// The list of graphs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphsPage {
    /// Graphs by name, at most 500 of those that match.
    pub graphs: Vec<GraphRow>,
    /// How many graphs the organization has in all.
    pub total: i64,
    /// What was searched for.
    pub search: String,
    /// Whether the viewer may create and delete graphs.
    pub manageable: bool,
}

/// One graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphView {
    /// UUID.
    pub id: String,
    /// Its address in the organization.
    pub slug: String,
    /// Name to read.
    pub name: String,
    /// Text, maybe of several lines; empty if there is none.
    pub description: String,
    /// Which state of its settings this is: forms send it back.
    pub version: i32,
    /// When it was created.
    pub created: Moment,
    /// Its branches: `main` first, then by name.
    pub branches: Vec<BranchRow>,
    /// What teams may do with it, by the teams' names.
    pub teams: Vec<TeamGrant>,
    /// The other teams of the organization; empty for who may not change the graph.
    pub other_teams: Vec<TeamChoice>,
    /// What the viewer may do with it.
    pub rights: GraphRights,
    /// Whether the viewer may read the trail, and so what happened to the graph.
    pub reads_audit_log: bool,
}

/// What a viewer may do with a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphRights {
    /// Delete it.
    pub manage: bool,
    /// Change it, its branches and subgraphs' settings.
    pub change: bool,
    /// Publish to branches that are not protected.
    pub publish: bool,
}

/// A branch, as the page of its graph shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchRow {
    /// Name in the graph.
    pub name: String,
    /// Whether publishing to it takes the permission `admin`, and it cannot be deleted.
    pub protected: bool,
    /// Which state of its settings this is: forms send it back.
    pub version: i32,
    /// Number of its subgraphs.
    pub subgraphs: i64,
    /// When it was created.
    pub created: Moment,
}

/// What a team may do with a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamGrant {
    /// UUID of the team.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `read`, `publish` or `admin`.
    pub permission: String,
}

/// A team that could be given something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamChoice {
    /// UUID of the team.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A branch with its subgraphs and present supergraph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchView {
    /// The id that events about it have.
    pub object_id: String,
    /// Slug of its graph.
    pub graph: String,
    /// Name of its graph.
    pub graph_name: String,
    /// Name in the graph.
    pub name: String,
    /// Whether publishing to it takes the permission `admin`, and it cannot be deleted.
    pub protected: bool,
    /// Which state of its settings this is: forms send it back.
    pub version: i32,
    /// Its subgraphs, by name.
    pub subgraphs: Vec<SubgraphRow>,
    /// The supergraph that they make now; none without subgraphs.
    pub supergraph: Option<SupergraphRow>,
    /// Teams that could own a subgraph; empty for who may not change the graph.
    pub teams: Vec<TeamChoice>,
    /// What the viewer may do; `publish` says whether they may publish to this branch.
    pub rights: GraphRights,
    /// Whether the viewer may read the trail, and so what happened to the branch.
    pub reads_audit_log: bool,
}

/// A subgraph of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubgraphRow {
    /// UUID.
    pub id: String,
    /// Name in the branch.
    pub name: String,
    /// Where it is served; empty if that was not told.
    pub url: String,
    /// The team that owns it.
    pub owner_team: Option<TeamChoice>,
    /// Which state of its settings this is: forms send it back.
    pub version: i32,
    /// The present version of its schema.
    pub schema: VersionRow,
}

/// One version of a subgraph's schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRow {
    /// Number in the subgraph, from 1.
    pub number: i32,
    /// SHA-256 of the schema, in hexadecimal digits.
    pub sha256: String,
    /// Size of the schema in bytes.
    pub bytes: i32,
    /// Where the subgraph was served when this was published.
    pub url: String,
    /// When it was published.
    pub published: Moment,
    /// Name of who published it.
    pub published_by: String,
}

/// The versions of a subgraph, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsPage {
    /// At most 50 of them.
    pub versions: Vec<VersionRow>,
    /// Where the next page begins: its versions have lower numbers. None on the last one.
    pub before: Option<i32>,
}

/// One version with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// What is known of it.
    pub version: VersionRow,
    /// The schema, as it was published.
    pub sdl: String,
}

/// Two texts compared, line by line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Places that differ, with up to three equal lines around each.
    pub hunks: Vec<Hunk>,
    /// Number of lines that only the newer text has.
    pub added: usize,
    /// Number of lines that only the older text has.
    pub removed: usize,
    /// Whether there are more differences than are shown.
    pub is_cut: bool,
}

/// One place that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// Its lines, in order.
    pub lines: Vec<DiffLine>,
}

/// One line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// `equal`, `removed` or `added`.
    pub kind: String,
    /// Its number in the older text, from 1; none of an added line.
    pub old: Option<usize>,
    /// Its number in the newer text, from 1; none of a removed line.
    pub new: Option<usize>,
    /// The line, without its end; what is longer than 2,000 characters is cut.
    pub text: String,
}
