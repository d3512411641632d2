//! What the browser asks about graphs.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use orgtrail::audit::visible::visible_block;
use orgtrail::graph::view::{
    BranchView, Comparison, DocumentView, DocumentsPage, GraphView, GraphsPage, SupergraphComparison, SupergraphView,
    SupergraphsPage, VersionView, VersionsPage,
};
#[cfg(feature = "ssr")]
use orgtrail::graph::{
    documents::{self, Client, Find},
    registry,
    subgraphs::Target,
    versions,
};

use crate::answer::{Told, ToldJson};
#[cfg(feature = "ssr")]
use crate::context::asking;
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;

/// Most bytes of a schema that a page shows: of 8 MiB a browser would make a page for minutes.
#[cfg(feature = "ssr")]
const SHOWN: usize = 100_000;

/// The graphs whose name or slug contains `search`.
///
/// # Errors
/// 404 for who is not a member, 422 for a search that is too long.
#[server(name = ListGraphs, endpoint = "graphs_page", output = ToldJson)]
pub async fn graphs_page(organization: String, #[server(default)] search: String) -> Result<Told<GraphsPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    registry::list(&platform, &viewer, &organization, &search).await.map(Told::tell).map_err(refuse)
}

/// One graph, with its branches and what teams may do with it.
///
/// # Errors
/// 404 for who is not a member of the organization, and for a graph that it does not have.
#[server(name = FindGraph, endpoint = "graph_view", output = ToldJson)]
pub async fn graph_view(organization: String, graph: String) -> Result<Told<GraphView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    registry::graph(&platform, &viewer, &organization, &graph).await.map(Told::tell).map_err(refuse)
}

/// One branch, with its subgraphs.
///
/// # Errors
/// 404, also for a branch that the graph does not have.
#[server(name = FindBranch, endpoint = "branch_view", output = ToldJson)]
pub async fn branch_view(organization: String, graph: String, branch: String) -> Result<Told<BranchView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    versions::branch(&platform, &viewer, &organization, &graph, &branch).await.map(Told::tell).map_err(refuse)
}

/// A supergraph of a branch, with its texts as a page shows them.
///
/// # Errors
/// 404, also for one that the branch does not have.
#[server(name = FindSupergraph, endpoint = "supergraph_view", output = ToldJson)]
pub async fn supergraph_view(
    organization: String,
    graph: String,
    branch: String,
    number: i32,
) -> Result<Told<SupergraphView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let found = versions::supergraph(&platform, &viewer, &organization, &graph, &branch, number).await;
    let SupergraphView { supergraph, parts, sdl, api } = found.map_err(refuse)?;
    Ok(Told::tell(SupergraphView { supergraph, parts, sdl: shown(&sdl), api: shown(&api) }))
}

/// The supergraphs of a branch, newest first; those before the number `before`, where it is given.
///
/// # Errors
/// 404, also for a branch that the graph does not have.
#[server(name = ListSupergraphs, endpoint = "supergraphs_page", output = ToldJson)]
pub async fn supergraphs_page(
    organization: String,
    graph: String,
    branch: String,
    #[server(default)] before: Option<i32>,
) -> Result<Told<SupergraphsPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let found = versions::supergraphs(&platform, &viewer, &organization, &graph, &branch, before).await;
    found.map(Told::tell).map_err(refuse)
}

/// What differs between a supergraph and the one before it, or the one with the number `since`; nothing for the first one alone.
///
/// # Errors
/// 404, also for supergraphs that the branch does not have; 503 while too much is compared and composed.
#[server(name = CompareSupergraphs, endpoint = "compared_supergraphs", output = ToldJson)]
pub async fn compared_supergraphs(
    organization: String,
    graph: String,
    branch: String,
    number: i32,
    #[server(default)] since: Option<i32>,
) -> Result<Told<Option<SupergraphComparison>>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let Some(since) = since.or_else(|| before(number)) else {
        versions::supergraph(&platform, &viewer, &organization, &graph, &branch, number).await.map_err(refuse)?;
        return Ok(Told::none());
    };
    let compared =
        versions::compare_supergraphs(&platform, &viewer, &organization, &graph, &branch, since, number).await;
    compared.map(|comparison| Told::tell(comparison).some()).map_err(refuse)
}

/// The number of what came before, with which something is compared unless somebody wishes for another.
#[cfg(feature = "ssr")]
fn before(number: i32) -> Option<i32> {
    (number > 1).then(|| number - 1)
}

/// The trusted documents of a branch: those of one client, where `client` is given, and those whose name, id or text holds `search`; of a
/// long list those after one document, of which client and id are given.
///
/// # Errors
/// 404, also for a branch that the graph does not have; 422 for a search that is too long.
#[server(name = ListDocuments, endpoint = "documents_page", output = ToldJson)]
pub async fn documents_page(
    organization: String,
    graph: String,
    branch: String,
    #[server(default)] client: String,
    #[server(default)] search: String,
    #[server(default)] after_client: String,
    #[server(default)] after: String,
) -> Result<Told<DocumentsPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let after = Some((after_client.as_str(), after.as_str())).filter(|_| !after.is_empty());
    let find = Find { client: &client, search: &search, after };
    documents::list(&platform, &viewer, &organization, &graph, &branch, find).await.map(Told::tell).map_err(refuse)
}

/// One trusted document of a client, with its text as a page shows it.
///
/// # Errors
/// 404, also for a document that the client does not have.
#[server(name = FindDocument, endpoint = "document_view", output = ToldJson)]
pub async fn document_view(
    organization: String,
    graph: String,
    branch: String,
    client: String,
    document: String,
) -> Result<Told<DocumentView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let client = Client { graph: &graph, branch: &branch, name: &client };
    let found = documents::document(&platform, &viewer, &organization, client, &document).await.map_err(refuse)?;
    Ok(Told::tell(DocumentView { text: shown(&found.text), ..found }))
}

/// The versions of a subgraph, newest first; those before the number `before`, where it is given.
///
/// # Errors
/// 404, also for a subgraph that the branch does not have.
#[server(name = ListVersions, endpoint = "subgraph_versions", output = ToldJson)]
pub async fn subgraph_versions(
    organization: String,
    graph: String,
    branch: String,
    subgraph: String,
    #[server(default)] before: Option<i32>,
) -> Result<Told<VersionsPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target { graph: &graph, branch: &branch, name: &subgraph };
    versions::list(&platform, &viewer, &organization, target, before).await.map(Told::tell).map_err(refuse)
}

/// A version of a subgraph, with its schema as a page shows it.
///
/// # Errors
/// 404, also for a version that the subgraph does not have.
#[server(name = FindVersion, endpoint = "subgraph_version", output = ToldJson)]
pub async fn subgraph_version(
    organization: String,
    graph: String,
    branch: String,
    subgraph: String,
    number: i32,
) -> Result<Told<VersionView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target { graph: &graph, branch: &branch, name: &subgraph };
    let found = versions::version(&platform, &viewer, &organization, target, number).await.map_err(refuse)?;
    Ok(Told::tell(VersionView { sdl: shown(&found.sdl), ..found }))
}

/// What differs between a version of a subgraph and the one before it, or the one with the number `since`; nothing for the first one alone.
///
/// # Errors
/// 404, also for versions that the subgraph does not have; 503 while too much is compared and composed.
#[server(name = CompareVersions, endpoint = "compared_versions", output = ToldJson)]
pub async fn compared_versions(
    organization: String,
    graph: String,
    branch: String,
    subgraph: String,
    number: i32,
    #[server(default)] since: Option<i32>,
) -> Result<Told<Option<Comparison>>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target { graph: &graph, branch: &branch, name: &subgraph };
    let Some(since) = since.or_else(|| before(number)) else {
        versions::version(&platform, &viewer, &organization, target, number).await.map_err(refuse)?;
        return Ok(Told::none());
    };
    let compared = versions::compare(&platform, &viewer, &organization, target, since, number).await;
    compared.map(|comparison| Told::tell(comparison).some()).map_err(refuse)
}

/// The beginning of a schema, in whole lines where it has lines, without what would hide or rearrange anything.
#[cfg(feature = "ssr")]
fn shown(sdl: &str) -> String {
    if sdl.len() <= SHOWN {
        return visible_block(sdl);
    }
    let start = &sdl[..sdl.floor_char_boundary(SHOWN)];
    let start = start.rfind('\n').map_or(start, |end| &start[..end]);
    format!("{}\n# Not shown here: {} further bytes.", visible_block(start), sdl.len() - start.len())
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_at_a_line_and_says_so() {
        assert_eq!(shown("type A # \u{202e}\n\tb\n"), "type A # ⟨U+202E⟩\n\tb\n");
        let long = format!("# a\n{}", "é".repeat(SHOWN));
        assert_eq!(shown(&long), format!("# a\n# Not shown here: {} further bytes.", long.len() - 3));
        let one_line = "é".repeat(SHOWN);
        assert!(shown(&one_line).ends_with(&format!("é\n# Not shown here: {SHOWN} further bytes.")));
    }
}
