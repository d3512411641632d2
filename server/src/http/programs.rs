//! The routes of programs, `/api/v1/…`: an access token says who asks and in which organization. There are no sessions, forms or pages here:
//! a cookie is not looked at, and every refusal is problem JSON.
//!
//! Each feature has its routes in `<feature>/programs.rs`; their handlers find a [`Program`] in the request, and read a body by an
//! [`Accepted`](super::body::Accepted) of their own.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use http::StatusCode;

use super::finish;
use crate::identity::program;
use crate::identity::viewer::Providing;
use crate::{audit, graph};

/// Where they begin.
pub const ROOT: &str = "/api/v1";

/// All of them, behind the layer that finds out who asks.
pub fn router(providing: &Providing) -> Router {
    let routes = Router::new()
        .merge(audit::programs::routes())
        .merge(graph::programs::routes())
        .fallback(async || StatusCode::NOT_FOUND.into_response())
        .with_state(providing.platform.clone())
        // The last one added is the outermost.
        .layer(from_fn_with_state(providing.clone(), program::identify))
        .layer(from_fn(finish::run))
        .layer(DefaultBodyLimit::disable());
    Router::new().nest(ROOT, routes)
}
