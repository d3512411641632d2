//! What programs do with models: add records, take them out by range, and see which there are.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use orgtrail::model::records::{self, Added, MAX_BODY_BYTES, Submission};
use orgtrail::model::{export, registry};
use orgtrail::platform::Platform;
use orgtrail_app::audit::download::Downloads;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::download;
use crate::http::body::Accepted;
use crate::http::idempotency;
use crate::http::openapi::{NotFound, Refusals, RefusalsOfBody};
use crate::http::problem::Problem;
use crate::identity::program::Program;

/// Records, one in each line.
const RECORDS: Accepted =
    Accepted { name: "request with records", limit: MAX_BODY_BYTES, types: &["application/x-ndjson"] };

/// The routes, below `/api/v1`.
pub fn routes() -> OpenApiRouter<Platform> {
    let (schemas, paths, export) = routes!(export);
    // Nothing is exported without being taken, so nobody asks for its head alone.
    let export = (schemas, paths, export.head(download::refuse_head));
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(add)).routes(export)
}

/// A model, as programs see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Model)]
struct ModelJson {
    /// Its address too.
    name: String,
    description: String,
    /// Whether it is a demonstration's: exports of it are not among the organization's data exports.
    demo: bool,
    /// Number of its records.
    records: i64,
    /// Time of its latest record, RFC 3339.
    #[schema(format = DateTime)]
    latest: Option<String>,
}

/// Every model, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = Models)]
struct ModelsJson {
    models: Vec<ModelJson>,
}

/// What became of records that were sent.
#[derive(ToSchema)]
#[schema(as = AddedRecords)]
#[expect(dead_code, reason = "its form; the value is the domain's")]
struct AddedJson {
    /// Name of the model.
    model: String,
    /// Number of records that were added.
    records: i64,
    /// Number of the first of them in the model.
    first: i64,
    /// Number of the last.
    last: i64,
}

/// Lists the models, by name.
#[utoipa::path(
    get, path = "/models", tag = "models", operation_id = "models",
    responses((status = 200, description = "The models", body = ModelsJson), Refusals),
)]
async fn list(
    State(platform): State<Platform>,
    Extension(program): Extension<Program>,
) -> Result<Json<ModelsJson>, Problem> {
    let page = registry::list(&platform, &program.viewer, &program.organization).await?;
    let models = page.models.into_iter().map(|model| ModelJson {
        name: model.name,
        description: model.description,
        demo: model.demo,
        records: model.records,
        latest: model.latest.map(|latest| latest.rfc3339),
    });
    Ok(Json(ModelsJson { models: models.collect() }))
}

/// Adds records to a model, all or none.
#[utoipa::path(
    post, path = "/models/{model}/records", tag = "models", operation_id = "addRecords",
    params(
        ("model" = String, Path, description = "Name of the model"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255,
            description = "Makes a request that is sent again have the answer of the first: visible characters of ASCII."),
    ),
    request_body(description = "JSON objects, one in each line, at most 10,000 and 8 MiB; `time` is the record's own, RFC 3339, the moment of \
        arrival without it.", content((String = "application/x-ndjson"))),
    responses(
        (status = 201, description = "They were added", body = AddedJson),
        (status = 200, description = "The same was sent before with this key", body = AddedJson,
            headers(("Idempotent-Replayed" = Option<String>, description = "`true`"))),
        Refusals, RefusalsOfBody, NotFound,
    ),
)]
async fn add(
    State(platform): State<Platform>,
    Extension(program): Extension<Program>,
    Path(model): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = idempotency::key(&headers)?;
    let body = RECORDS.collect(&headers, body).await?;
    let sent = Submission { key: key.as_deref(), body };
    let added = records::add(&platform, &program.viewer, &program.organization, &model, sent).await?;
    Ok(answer(added))
}

fn answer(added: Added) -> Response {
    let is_replayed = added.is_replayed;
    let status = if is_replayed { StatusCode::OK } else { StatusCode::CREATED };
    idempotency::answer((status, Json(added)), is_replayed)
}

/// Exports the records of a range, newest first.
///
/// It is recorded before the first byte, and with rows and SHA-256 after the last. What fails in the middle is broken off: the length tells.
#[utoipa::path(
    get, path = "/models/{model}/export", tag = "models", operation_id = "exportModel",
    params(
        ("model" = String, Path, description = "Name of the model"),
        ("start" = String, Query, description = "First day, or first moment, RFC 3339", example = "2026-11-01"),
        ("end" = String, Query, description = "Last day, or the moment before which it ends", example = "2026-11-22"),
        ("tz" = Option<String>, Query, description = "Zone of the days, IANA; UTC without it"),
        ("format" = Option<String>, Query, description = "`csv`, as without it, or `ndjson`"),
        ("csv" = Option<String>, Query, description = "`raw`: no field is kept from being a formula"),
        ("bom" = Option<String>, Query, description = "`1`: with a byte-order mark in front"),
    ),
    responses(
        (status = 200, description = "The records", content((String = "text/csv"), (String = "application/x-ndjson")),
            headers(
                ("Audit-Export-Id" = String, description = "Id of the export, as on the trail"),
                ("Audit-Export-Rows" = i64, description = "Number of records"),
                ("Content-Length" = i64, description = "Exact length"),
            )),
        Refusals, NotFound,
    ),
)]
async fn export(
    State(platform): State<Platform>,
    Extension(downloads): Extension<Downloads>,
    Extension(program): Extension<Program>,
    Path(model): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let export = export::start(&platform, &program.viewer, &program.organization, &model, &query).await?;
    Ok(download::carried(&downloads, export))
}
