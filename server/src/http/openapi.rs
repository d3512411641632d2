//! The description of the routes of programs, in OpenAPI 3.1: made from what stands above their handlers (`docs/openapi.json`).
//!
//! A route is documented where it is made: `routes!` takes path, method and description of a handler from its `#[utoipa::path]`, so that none
//! of these is without one.

use std::collections::BTreeMap;

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

use super::problem::ProblemJson;

/// What all routes have in common.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Orgtrail",
        description = "What programs do over REST. An access token says who asks and in which organization; every refusal is problem JSON (RFC 9457)."
    ),
    components(schemas(ProblemJson, Fault)),
    modifiers(&Tokens),
    security(("bearer" = []), ("key" = []))
)]
pub struct Common;

/// How an access token is sent.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An access token, `ot_…`.")).build();
        let key = ApiKeyValue::with_description("x-api-key", "An access token, `ot_…`.");
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}

/// One place in what was sent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "its form; the value is the domain's")]
pub struct Fault {
    /// The subgraph or document that has it, where that is known.
    part: Option<String>,
    /// Line, from 1, where it is known.
    line: Option<u32>,
    /// Column in characters, from 1, where it is known.
    column: Option<u32>,
    /// What is wrong.
    message: String,
}

/// Refusals of every route.
pub struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[
            ("401", "No access token, or not a good one"),
            ("403", "The token may not do this"),
            ("422", "What was sent cannot be accepted; `field` says where, and nothing was changed"),
            ("429", "Too many requests: `Retry-After` says when to ask again"),
            ("503", "Not right now; nothing was changed. `Retry-After` says when to ask again"),
        ])
    }
}

/// Refusals of what is sent, beside those of [`Refusals`].
pub struct RefusalsOfBody;

impl IntoResponses for RefusalsOfBody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[
            ("408", "The body took too long to arrive"),
            ("409", "Somebody else changes the same at this moment"),
            ("413", "The body is too long"),
            ("415", "The body is of another type, or compressed"),
        ])
    }
}

fn refusals(known: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response =
        |text: &str| ResponseBuilder::new().description(text).content("application/problem+json", content()).build();
    known.iter().map(|(status, text)| ((*status).to_owned(), RefOr::T(response(text)))).collect()
}

/// Refusal of a graph, branch or schema that is not there.
pub struct NotFound;

impl IntoResponses for NotFound {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[("404", "There is nothing here, or the token may not know of it")])
    }
}
