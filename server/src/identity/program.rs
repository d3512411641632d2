//! The layer that finds out which program asks: from an access token alone, once per request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use orgtrail::identity::viewer::{Origin, Viewer, organization_of_token};
use orgtrail::platform::Platform;
use orgtrail::{Error, Result};

use super::session_cookie::has_token;
use super::viewer::{Providing, count, from_header, refuse};
use crate::http::facts::Facts;

/// A program, known by its access token.
#[derive(Debug, Clone)]
pub struct Program {
    /// It, for use cases.
    pub viewer: Viewer,
    /// Slug of the organization that the token belongs to.
    pub organization: String,
}

/// Puts the [`Program`] into the request's extensions. Who has no good token gets no further: nothing of a body is read before.
pub async fn identify(State(providing): State<Providing>, mut request: Request, next: Next) -> Response {
    let facts = request.extensions().get::<Arc<Facts>>();
    let origin = facts.map(|facts| facts.origin()).unwrap_or_default();
    match program(&providing.platform, origin, request.headers()).await {
        Ok(program) => {
            if let Some(refusal) = count(&providing.rate, &program.viewer) {
                return refusal;
            }
            request.extensions_mut().insert(program);
            next.run(request).await
        }
        Err(error) => refuse(error),
    }
}

async fn program(platform: &Platform, origin: Origin, headers: &HeaderMap) -> Result<Program> {
    if !has_token(headers) {
        return Err(Error::BadToken("Send an access token: `Authorization: Bearer …` or `x-api-key: …`."));
    }
    let viewer = from_header(platform, origin, headers).await?;
    let organization = organization_of_token(&viewer)?.to_owned();
    Ok(Program { viewer, organization })
}
