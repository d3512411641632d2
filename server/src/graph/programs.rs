//! What programs do with graphs: a build pipeline publishes the schema of a subgraph or submits a client's trusted documents, a router fetches a
//! supergraph.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, StatusCode};
use orgtrail::Error;
use orgtrail::audit::query::Pairs;
use orgtrail::graph::documents::{self, Client, Submitted};
use orgtrail::graph::download::{self, Sdl};
use orgtrail::graph::manifest;
use orgtrail::graph::schema::MAX_BYTES;
use orgtrail::graph::subgraphs::{self, Publication, Published, Target};
use orgtrail::platform::Platform;
use serde::Serialize;

use crate::http::body::Accepted;
use crate::http::problem::Problem;
use crate::http::programs::ROOT;
use crate::identity::program::Program;

/// The schema of a subgraph, SDL as it is.
const SCHEMA: Accepted = Accepted {
    name: "schema",
    limit: MAX_BYTES,
    time: Duration::from_mins(2),
    types: &["application/graphql", "text/plain"],
};

/// The manifest of a client.
const MANIFEST: Accepted = Accepted {
    name: "manifest",
    limit: manifest::MAX_BYTES,
    time: Duration::from_mins(2),
    types: &["application/json"],
};

/// The version of a subgraph, or the number of a supergraph, that a schema is.
const SCHEMA_VERSION: HeaderName = HeaderName::from_static("schema-version");

/// The routes, below `/api/v1`.
pub fn routes() -> Router<Platform> {
    Router::new()
        .route("/graphs/{graph}/branches/{branch}/documents", post(submit))
        .route("/graphs/{graph}/branches/{branch}/supergraph", get(supergraph))
        .route("/graphs/{graph}/branches/{branch}/subgraphs/{name}", get(subgraph).post(publish))
}

/// What a publication came to, for the program.
#[derive(Serialize)]
struct PublishedJson<'a> {
    graph: &'a str,
    branch: &'a str,
    subgraph: &'a str,
    /// Version of the subgraph now.
    version: i32,
    /// Whether there is a new version; otherwise schema and URL were what they are already.
    changed: bool,
    /// Number of the branch's supergraph now.
    supergraph: Option<i32>,
}

/// `POST …/subgraphs/{name}?url=…`: 201 with a new version, 200 where nothing differs.
async fn publish(
    State(platform): State<Platform>,
    Extension(program): Extension<Program>,
    Path((graph, branch, name)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let query = Pairs::parse(query.as_deref().unwrap_or_default(), &["url"])?;
    let schema = SCHEMA.collect(&headers, body).await?;
    let target = Target { graph: &graph, branch: &branch, name: &name };
    let publication = Publication { schema: &schema, url: query.get("url") };
    let done = subgraphs::publish(&platform, &program.viewer, &program.organization, target, publication).await?;
    let Published { version, changed, supergraph } = done;
    let told = Json(PublishedJson { graph: &graph, branch: &branch, subgraph: &name, version, changed, supergraph });
    let location = format!("{ROOT}/graphs/{graph}/branches/{branch}/subgraphs/{name}?version={version}");
    if !changed {
        return Ok(told.into_response());
    }
    Ok((StatusCode::CREATED, [(LOCATION, location)], told).into_response())
}

/// What a submission came to, for the program.
#[derive(Serialize)]
struct SubmittedJson<'a> {
    graph: &'a str,
    branch: &'a str,
    client: &'a str,
    /// Number of documents in the manifest.
    documents: usize,
    /// How many of them the client did not have.
    new_documents: usize,
    /// Whether it was recorded; otherwise the client's newest manifest is this one.
    changed: bool,
}

/// `POST …/documents?client=…`: 201 where it was recorded, 200 where nothing differs.
async fn submit(
    State(platform): State<Platform>,
    Extension(program): Extension<Program>,
    Path((graph, branch)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let query = Pairs::parse(query.as_deref().unwrap_or_default(), &["client"])?;
    let name = query.get("client").unwrap_or_default();
    let manifest = MANIFEST.collect(&headers, body).await?;
    let client = Client { graph: &graph, branch: &branch, name };
    let done = documents::submit(&platform, &program.viewer, &program.organization, client, &manifest).await?;
    let Submitted { changed, documents, new_documents } = done;
    let status = if changed { StatusCode::CREATED } else { StatusCode::OK };
    let told = SubmittedJson { graph: &graph, branch: &branch, client: name, documents, new_documents, changed };
    Ok((status, Json(told)).into_response())
}

/// `GET …/subgraphs/{name}?version=…`: the schema as it was published.
async fn subgraph(
    State(platform): State<Platform>,
    Extension(program): Extension<Program>,
    Path((graph, branch, name)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let version = version(query.as_deref())?;
    let target = Target { graph: &graph, branch: &branch, name: &name };
    let found = download::subgraph(&platform, &program.viewer, &program.organization, target, version).await?;
    Ok(sdl(found))
}

/// `GET …/supergraph?version=…`: what a router runs.
async fn supergraph(
    State(platform): State<Platform>,
    Extension(program): Extension<Program>,
    Path((graph, branch)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let version = version(query.as_deref())?;
    let found = download::supergraph(&platform, &program.viewer, &program.organization, &graph, &branch, version);
    Ok(sdl(found.await?))
}

fn version(query: Option<&str>) -> Result<Option<i32>, Error> {
    let query = Pairs::parse(query.unwrap_or_default(), &["version"])?;
    let refused = || Error::invalid("version", "A version is a number from 1; without it, you get the present one.");
    let number = |text: &str| text.parse().ok().filter(|number| *number > 0).ok_or_else(refused);
    query.get("version").map(number).transpose()
}

fn sdl(found: Sdl) -> Response {
    let headers =
        [(CONTENT_TYPE, "application/graphql; charset=utf-8".to_owned()), (SCHEMA_VERSION, found.version.to_string())];
    (headers, found.text).into_response()
}
