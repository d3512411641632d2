//! Schemas and trusted documents as files: whole, where their pages show no more than the beginning. The use cases are those of the pages.

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, http::header};
use http::HeaderValue;
use orgtrail::graph::documents::{self, Client};
use orgtrail::graph::subgraphs::Target;
use orgtrail::graph::{download, versions};
use orgtrail::identity::viewer::Viewer;
use orgtrail::platform::Platform;
use orgtrail::{Error, Result};
use serde::Deserialize;

use crate::http::problem::Problem;

/// The files of a branch, below the pages that link them.
pub fn router<S: Clone + Send + Sync + 'static>(platform: Platform) -> Router<S> {
    let branch = "/{organization}/graphs/{graph}/branches/{branch}";
    Router::new()
        .route(&format!("{branch}/subgraphs/{{subgraph}}/versions/{{number}}/file"), get(version))
        .route(&format!("{branch}/supergraphs/{{number}}/file"), get(supergraph))
        .route(&format!("{branch}/supergraphs/{{number}}/api"), get(api))
        .route(&format!("{branch}/documents/document/file"), get(document))
        .with_state(platform)
}

/// Which version of which subgraph.
#[derive(Deserialize)]
struct VersionPath {
    organization: String,
    graph: String,
    branch: String,
    subgraph: String,
    number: String,
}

/// Which supergraph of which branch.
#[derive(Deserialize)]
struct SupergraphPath {
    organization: String,
    graph: String,
    branch: String,
    number: String,
}

/// Which branch.
#[derive(Deserialize)]
struct BranchPath {
    organization: String,
    graph: String,
    branch: String,
}

/// Which document of a branch: both can be any text.
#[derive(Deserialize)]
struct DocumentQuery {
    client: String,
    id: String,
}

async fn version(
    State(platform): State<Platform>,
    Extension(viewer): Extension<Viewer>,
    Path(path): Path<VersionPath>,
) -> Response {
    let VersionPath { organization, graph, branch, subgraph, number } = path;
    let target = Target { graph: &graph, branch: &branch, name: &subgraph };
    let found = download::subgraph(&platform, &viewer, &organization, target, Some(parse(&number))).await;
    answer(found.map(|found| (format!("{graph}-{branch}-{subgraph}-version-{number}"), found.text)))
}

async fn supergraph(
    State(platform): State<Platform>,
    Extension(viewer): Extension<Viewer>,
    Path(path): Path<SupergraphPath>,
) -> Response {
    let SupergraphPath { organization, graph, branch, number } = path;
    let found = download::supergraph(&platform, &viewer, &organization, &graph, &branch, Some(parse(&number))).await;
    answer(found.map(|found| (format!("{graph}-{branch}-supergraph-{number}"), found.text)))
}

async fn api(
    State(platform): State<Platform>,
    Extension(viewer): Extension<Viewer>,
    Path(path): Path<SupergraphPath>,
) -> Response {
    let SupergraphPath { organization, graph, branch, number } = path;
    let found = versions::supergraph(&platform, &viewer, &organization, &graph, &branch, parse(&number)).await;
    answer(found.map(|found| (format!("{graph}-{branch}-api-{number}"), found.api)))
}

async fn document(
    State(platform): State<Platform>,
    Extension(viewer): Extension<Viewer>,
    Path(BranchPath { organization, graph, branch }): Path<BranchPath>,
    query: std::result::Result<Query<DocumentQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(DocumentQuery { client, id })) = query else { return answer(Err(Error::NotFound)) };
    let client = Client { graph: &graph, branch: &branch, name: &client };
    let found = documents::document(&platform, &viewer, &organization, client, &id).await;
    // Its id can be any text, and would not be a file's name everywhere.
    answer(found.map(|found| (format!("{graph}-{branch}-document-{}", &found.document.sha256[..16]), found.text)))
}

/// There is no number 0: what is no number is not found.
fn parse(number: &str) -> i32 {
    number.parse().unwrap_or(0)
}

/// A file of this name. What was found has names of plain letters only; what is none is refused as on its page.
fn answer(found: Result<(String, String)>) -> Response {
    match found {
        Ok((name, text)) => (headers(&name), text).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Never shown by a browser, whatever is in it: a schema is what somebody sent.
fn headers(name: &str) -> HeaderMap {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}.graphql\""));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, disposition.unwrap_or_else(|_| HeaderValue::from_static("attachment")));
    headers
}
