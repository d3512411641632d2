//! The routes of programs, `/api/v1/…`: an access token says who asks and in which organization. There are no sessions, forms or pages here:
//! a cookie is not looked at, and every refusal is problem JSON.
//!
//! Each feature has its routes in `<feature>/programs.rs`; their handlers find a [`Program`] in the request, and read a body by an
//! [`Accepted`](super::body::Accepted) of their own.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Extension, Json, Router};
use http::StatusCode;
use orgtrail::platform::Platform;
use orgtrail_app::audit::download::Downloads;
use tower::ServiceBuilder;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::finish::{self, Finishing};
use super::openapi::Common;
use crate::identity::program;
use crate::identity::viewer::Providing;
use crate::{audit, graph, model};

/// Where they begin.
pub const ROOT: &str = "/api/v1";

/// Where their description is, for everybody: it holds nothing of anybody.
const DESCRIPTION: &str = "/api/v1/openapi.json";

/// All of them, behind the layer that finds out who asks, and their description.
pub fn router(providing: &Providing, downloads: Downloads, finishing: &Finishing) -> Router {
    let routes = routes()
        .split_for_parts()
        .0
        .fallback(async || StatusCode::NOT_FOUND.into_response())
        .with_state(providing.platform.clone())
        .layer(
            ServiceBuilder::new()
                .layer(DefaultBodyLimit::disable())
                .layer(from_fn_with_state(finishing.clone(), finish::run))
                .layer(from_fn_with_state(providing.clone(), program::identify))
                .layer(Extension(downloads)),
        );
    let described = Json(description());
    Router::new().route(DESCRIPTION, get(async move || described.clone())).nest(ROOT, routes)
}

/// The routes, each made from its description, so that none of them is without.
fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .merge(audit::programs::routes())
        .merge(graph::programs::routes())
        .merge(model::programs::routes())
}

/// The description of the routes, as `docs/openapi.json` has it.
#[must_use]
pub fn description() -> OpenApi {
    OpenApiRouter::with_openapi(Common::openapi()).nest(ROOT, routes()).into_openapi()
}
