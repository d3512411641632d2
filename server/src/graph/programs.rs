//! What programs do with graphs: a build pipeline publishes the schema of a subgraph or submits a client's trusted documents, a router fetches a
//! supergraph.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
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
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::body::Accepted;
use crate::http::openapi::{NotFound, Refusals, RefusalsOfBody};
use crate::http::problem::Problem;
use crate::http::programs::ROOT;
use crate::identity::program::Program;

/// The schema of a subgraph, SDL as it is.
const SCHEMA: Accepted = Accepted { name: "schema", limit: MAX_BYTES, types: &["application/graphql", "text/plain"] };

/// The manifest of a client.
const MANIFEST: Accepted = Accepted { name: "manifest", limit: manifest::MAX_BYTES, types: &["application/json"] };

/// The version of a subgraph, or the number of a supergraph, that a schema is.
const SCHEMA_VERSION: HeaderName = HeaderName::from_static("schema-version");

/// The routes, below `/api/v1`.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(submit)).routes(routes!(supergraph)).routes(routes!(subgraph, publish))
}

/// What a publication came to, for the program.
#[derive(Serialize, ToSchema)]
#[schema(as = Published)]
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

/// Publishes the schema of a subgraph.
///
/// It is composed with the branch's other subgraphs first: what does not compose is refused, with its places.
#[utoipa::path(
    post, path = "/graphs/{graph}/branches/{branch}/subgraphs/{name}", tag = "graphs", operation_id = "publishSubgraph",
    params(
        ("graph" = String, Path, description = "Slug of the graph"),
        ("branch" = String, Path, description = "Name of the branch"),
        ("name" = String, Path, description = "Name of the subgraph"),
        ("url" = Option<String>, Query, description = "Where the subgraph answers; what it was without it"),
    ),
    request_body(description = "The schema, SDL as it is, at most 8 MiB.", content((String = "application/graphql"), (String = "text/plain"))),
    responses(
        (status = 201, description = "There is a new version", body = PublishedJson<'static>, headers(("Location" = String, description = "Where that version is"))),
        (status = 200, description = "Schema and URL were what they are already", body = PublishedJson<'static>),
        Refusals, RefusalsOfBody, NotFound,
    ),
)]
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
#[derive(Serialize, ToSchema)]
#[schema(as = Submitted)]
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

/// Submits the trusted documents of a client.
///
/// Each is validated against the branch's supergraph: all of them are taken, or none.
#[utoipa::path(
    post, path = "/graphs/{graph}/branches/{branch}/documents", tag = "graphs", operation_id = "submitDocuments",
    params(
        ("graph" = String, Path, description = "Slug of the graph"),
        ("branch" = String, Path, description = "Name of the branch"),
        ("client" = String, Query, description = "Name of the client"),
    ),
    request_body(description = "A manifest of Relay's or Apollo's form.", content((Object = "application/json"))),
    responses(
        (status = 201, description = "It was recorded", body = SubmittedJson<'static>),
        (status = 200, description = "The client's newest manifest is this one", body = SubmittedJson<'static>),
        Refusals, RefusalsOfBody, NotFound,
    ),
)]
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

/// The schema of a subgraph, as it was published.
#[utoipa::path(
    get, path = "/graphs/{graph}/branches/{branch}/subgraphs/{name}", tag = "graphs", operation_id = "subgraph",
    params(
        ("graph" = String, Path, description = "Slug of the graph"),
        ("branch" = String, Path, description = "Name of the branch"),
        ("name" = String, Path, description = "Name of the subgraph"),
        ("version" = Option<i32>, Query, minimum = 1, description = "The present one without it"),
    ),
    responses(
        (status = 200, description = "The schema", body = String, content_type = "application/graphql",
            headers(("Schema-Version" = String, description = "Its version"))),
        Refusals, NotFound,
    ),
)]
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

/// The supergraph of a branch: what a router runs.
#[utoipa::path(
    get, path = "/graphs/{graph}/branches/{branch}/supergraph", tag = "graphs", operation_id = "supergraph",
    params(
        ("graph" = String, Path, description = "Slug of the graph"),
        ("branch" = String, Path, description = "Name of the branch"),
        ("version" = Option<i32>, Query, minimum = 1, description = "The present one without it"),
    ),
    responses(
        (status = 200, description = "The schema", body = String, content_type = "application/graphql",
            headers(("Schema-Version" = String, description = "Its version"))),
        Refusals, NotFound,
    ),
)]
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
