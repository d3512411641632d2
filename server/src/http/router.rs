//! The one table of routes, by who uses them, and the order of the layers.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use http::StatusCode;
use leptos::config::LeptosOptions;
use leptos::context::{provide_context, use_context};
use leptos_axum::{LeptosRoutes, generate_route_list, render_app_to_stream_with_context};
use orgtrail::platform::Platform;
use orgtrail_app::App;
use orgtrail_app::audit::download::Downloads;
use orgtrail_app::shell::shell;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use super::facts::{self, Noting};
use super::finish::Finishing;
use super::front::Front;
use super::health::{self, Health};
use super::listen::limits::Answering;
use super::{body, cross_site, finish, forms, limits, pages, problem, programs, security_headers, sign_out, upload};
use crate::audit::{export_guard, mutations};
use crate::graph::files;
use crate::graphql::endpoint::{self, Served};
use crate::identity::rate::Rate;
use crate::identity::session_cookie::{self, SessionCookie};
use crate::identity::session_store::SessionStore;
use crate::identity::viewer::Providing;
use crate::identity::{flash, session_cookie::manager, viewer};
use crate::model::download;
use crate::site;

/// What the routes and layers need.
pub struct Parts {
    /// What every use case needs.
    pub platform: Platform,
    /// What stands in front.
    pub front: Arc<Front>,
    /// The checks.
    pub health: Health,
    /// The downloads that run.
    pub downloads: Downloads,
    /// Where sessions are kept.
    pub sessions: SessionStore,
    /// How their cookie looks.
    pub cookie: SessionCookie,
    /// How often an access token may ask.
    pub rate: Rate,
    /// How slowly answers may be made.
    pub answering: Answering,
}

/// Everything that the server answers to.
pub fn router(parts: Parts) -> Router {
    let Parts { platform, front, health, downloads, sessions, cookie, rate, answering } = parts;
    let finishing = Finishing { patience: answering, database: platform.database.clone() };
    let noting = Noting { front: Arc::clone(&front), clock: platform.clock.clone() };
    let for_operators = health::router(health);
    let for_browsers = site::router();
    let cookie = Arc::new(cookie);
    let providing = Providing { platform: platform.clone(), rate: Arc::new(rate) };
    let for_programs = programs::router(&providing, downloads.clone(), &finishing);
    let for_graphql = graphql_route(&providing, sessions.clone(), &cookie, &finishing);
    let for_viewers = with_session(viewer_routes(&platform, downloads), &providing, sessions, &cookie, &finishing);
    Router::new()
        .merge(for_operators)
        .merge(for_programs)
        .merge(for_browsers)
        .merge(for_graphql)
        .merge(for_viewers)
        .layer(
            // From the outside in, and as one layer: each that a router adds by itself copies all below it with every request.
            ServiceBuilder::new()
                .layer(from_fn_with_state(noting, facts::note))
                .layer(from_fn_with_state(Arc::clone(&front), security_headers::add))
                .layer(from_fn(problem::dress))
                .layer(CatchPanicLayer::custom(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()))
                .layer(from_fn(limits::refuse))
                .layer(from_fn_with_state(front, cross_site::refuse)),
        )
}

/// Pages and server functions: what is answered differently to different viewers.
fn viewer_routes(platform: &Platform, downloads: Downloads) -> Router {
    let options = LeptosOptions::builder().output_name("orgtrail").build();
    let context = page_context(platform.clone(), downloads.clone());
    let unknown = render_app_to_stream_with_context(context.clone(), shell);
    Router::new()
        .route("/logout", post(sign_out::sign_out))
        .merge(files::router(platform.clone()))
        .merge(download::router(platform.clone(), downloads.clone()))
        .leptos_routes_with_context(&options, generate_route_list(App), context, shell)
        .fallback(move |request: axum::extract::Request| {
            let page = unknown.clone();
            async move { not_found(request, page).await }
        })
        .with_state(options)
}

/// What pages and server functions find in their context; the viewer, the session and the nonce come with the request.
fn page_context(platform: Platform, downloads: Downloads) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context(platform.clone());
        provide_context(downloads.clone());
        provide_context(pages::assets());
        let request = use_context::<http::request::Parts>();
        if let Some(nonce) = request.and_then(|request| request.extensions.get::<leptos::nonce::Nonce>().cloned()) {
            provide_context(nonce); // Instead of the one that Leptos made: this one is in the header too.
        }
    }
}

/// An address that leads nowhere: the application's page for people, a bare 404 otherwise.
async fn not_found<F>(request: axum::extract::Request, page: impl Fn(axum::extract::Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let facts = request.extensions().get::<Arc<facts::Facts>>().cloned();
    if !facts.is_some_and(|facts| facts.wants_page) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut response = page(request).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// GraphQL, for viewers too, but no form: it reads its body itself, and answers as it is asked.
fn graphql_route(
    providing: &Providing,
    sessions: SessionStore,
    cookie: &Arc<SessionCookie>,
    finishing: &Finishing,
) -> Router {
    Router::new()
        .route(endpoint::PATH, any(endpoint::answer))
        .with_state(Served::new(providing.platform.clone(), finishing.clone()))
        .layer(
            ServiceBuilder::new()
                .layer(from_fn(endpoint::refuse))
                .layer(from_fn_with_state(finishing.clone(), finish::run))
                .layer(from_fn_with_state(Arc::clone(cookie), session_cookie::seal))
                .layer(manager(sessions, cookie))
                .layer(from_fn_with_state(providing.clone(), viewer::provide)),
        )
}

/// The layers between a cookie or a token and a viewer.
fn with_session(
    routes: Router,
    providing: &Providing,
    sessions: SessionStore,
    cookie: &Arc<SessionCookie>,
    finishing: &Finishing,
) -> Router {
    routes.layer(
        ServiceBuilder::new()
            .layer(DefaultBodyLimit::disable())
            .layer(from_fn(body::read))
            .layer(from_fn_with_state(finishing.clone(), finish::run))
            .layer(from_fn_with_state(Arc::clone(cookie), session_cookie::seal))
            .layer(manager(sessions, cookie))
            .layer(from_fn_with_state(providing.clone(), viewer::provide))
            .layer(from_fn(flash::keep))
            .layer(from_fn(upload::read))
            .layer(from_fn_with_state(providing.platform.clone(), export_guard::guard))
            .layer(from_fn(forms::answer))
            .layer(from_fn_with_state(providing.platform.clone(), mutations::note)),
    )
}
