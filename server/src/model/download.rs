//! The export of a model as an answer: for programs, and for the link of its page.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures::TryStreamExt;
use http::StatusCode;
use http::header::{ALLOW, HeaderValue};
use orgtrail::export::Export;
use orgtrail::identity::viewer::Viewer;
use orgtrail::model::export;
use orgtrail::platform::Platform;
use orgtrail_app::audit::download::{Downloads, headers};

use crate::http::problem::Problem;

/// The link's address, below `/api/`, where nothing is asked for from other sites; organization and model come behind it.
pub const PATH: &str = "/api/export_model";

/// The route of the page's link.
pub fn router<S: Clone + Send + Sync + 'static>(platform: Platform, downloads: Downloads) -> Router<S> {
    let path = format!("{PATH}/{{organization}}/{{model}}");
    Router::new().route(&path, get(of_page).head(refuse_head)).layer(Extension(downloads)).with_state(platform)
}

async fn of_page(
    State(platform): State<Platform>,
    Extension(downloads): Extension<Downloads>,
    Extension(viewer): Extension<Viewer>,
    Path((organization, model)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let export = export::start(&platform, &viewer, &organization, &model, &query).await?;
    Ok(carried(&downloads, export))
}

/// The export, carried to whoever reads the answer.
pub(super) fn carried(downloads: &Downloads, export: Export) -> Response {
    let headers = headers(export.head());
    let bytes = downloads.carry(export).map_err(|refusal| std::io::Error::other(refusal.message));
    let mut response = Body::from_stream(bytes).into_response();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// It would be an export that nobody reads.
pub(super) async fn refuse_head() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, HeaderValue::from_static("GET"))]).into_response()
}

/// The page of the model that a refused download was for.
#[must_use]
pub fn page_of(path: &str) -> Option<String> {
    let (organization, model) = path.strip_prefix(PATH)?.strip_prefix('/')?.split_once('/')?;
    let is_plain = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_plain(organization) && is_plain(model) && !organization.is_empty())
        .then(|| format!("/{organization}/models/{model}"))
}

#[cfg(test)]
mod tests {
    use super::page_of;

    #[test]
    fn a_refused_download_leads_back_to_its_page() {
        assert_eq!(page_of("/api/export_model/acme/fraud").as_deref(), Some("/acme/models/fraud"));
        for other in
            ["/api/export_model", "/api/export_model//evil", "/api/export_model/a/..%2f", "/acme", "/api/login"]
        {
            assert_eq!(page_of(other), None, "{other}");
        }
    }
}
