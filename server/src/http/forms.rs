//! Forms as browsers send them, with JavaScript or without (contract §9).
//!
//! A form is a POST to its server function. A program gets the function's own answer. A browser gets a 303 to a fixed page of ours;
//! when it was refused, back to the form's page, where what went wrong and what was typed wait in the session, never in a URL.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use leptos::nonce::Nonce;
use orgtrail::Error;
use orgtrail::graph::name::{branch as branch_name, graph_slug, subgraph as subgraph_name};
use orgtrail::identity::link_secret::LinkSecret;
use orgtrail::identity::view::Flash;
use orgtrail::identity::view::access_token::ShownSecret;
use orgtrail::model::name::model_name;
use orgtrail::organization::slug::Slug;
use orgtrail_app::identity::server_fns::SESSION_FLASH;
use orgtrail_app::routes::own_path;
use orgtrail_app::wire::Refusal;
use serde::de::DeserializeOwned;
use tower_sessions::Session;
use url::form_urlencoded;
use uuid::Uuid;

use super::facts::Facts;
use super::pages::{self, see_other, to_login, with_next};
use super::problem::{Problem, read_refusal};

/// Bytes of names and values that wait in the session.
const TYPED_BYTES: usize = 16 * 1024;

/// Forms whose answer is the secret of an access token, to be shown once.
const SECRETS: [&str; 2] = ["/api/create_access_token", "/api/rotate_access_token"];

/// Forms whose answer is the link of an invite, to be shown once.
const LINKS: [&str; 2] = ["/api/create_invite", "/api/resend_invite"];

/// What was sent: name and value of each field.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn parse(body: &Bytes) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// A path below the organization that the form names; `/` if that cannot be an organization.
    fn below_organization(&self, path: &str) -> String {
        match Slug::parse(self.get("organization")) {
            Ok(slug) => format!("/{}{path}", slug.as_str()),
            Err(_) => "/".to_owned(),
        }
    }

    /// The page on which the access token that the form names is open.
    fn of_token(&self) -> String {
        let page = self.below_organization("/settings/access-tokens");
        match self.get("token").parse::<Uuid>() {
            Ok(id) if page != "/" => format!("{page}?open={id}"),
            _ => page,
        }
    }

    /// The page of the team that the form names; of all teams if that cannot be one.
    fn team(&self) -> String {
        match self.get("team").parse::<Uuid>() {
            Ok(team) => format!("/settings/teams/{team}"),
            Err(_) => "/settings/teams".to_owned(),
        }
    }

    /// The page of the graph that the form names; of all graphs if that cannot be one.
    fn graph(&self) -> String {
        graph_slug(self.get("graph")).map_or_else(|_| "/graphs".to_owned(), |graph| format!("/graphs/{graph}"))
    }

    /// The page of the model that the form names; of all models if that cannot be one.
    fn model(&self) -> String {
        model_name(self.get("model")).map_or_else(|_| "/models".to_owned(), |model| format!("/models/{model}"))
    }

    /// The page of the branch that the form names; of the graph if that cannot be one.
    fn branch(&self) -> String {
        let graph = self.graph();
        match branch_name("branch", self.get("branch")) {
            Ok(branch) if graph != "/graphs" => format!("{graph}/branches/{branch}"),
            _ => graph,
        }
    }

    /// The page of the trusted documents of the branch that the form names; of the graph if that cannot be one.
    fn documents(&self) -> String {
        let branch = self.branch();
        if branch.contains("/branches/") { format!("{branch}/documents") } else { branch }
    }

    /// The page of the subgraph that the form names; of the branch if that cannot be one.
    fn subgraph(&self) -> String {
        let branch = self.branch();
        match subgraph_name(self.get("subgraph")) {
            Ok(subgraph) if branch.contains("/branches/") => format!("{branch}/subgraphs/{subgraph}"),
            _ => branch,
        }
    }

    /// The page below `path` whose last segment is the secret that the form names; `/` if that cannot be one.
    fn with_secret(&self, path: &str) -> String {
        LinkSecret::parse(self.get("secret"))
            .map_or_else(|_| "/".to_owned(), |secret| format!("{path}/{}", secret.expose()))
    }

    /// What the page may show again: never a secret, and not without bounds.
    fn typed(self) -> Vec<(String, String)> {
        let mut left = TYPED_BYTES;
        let mut fits = |(name, value): &(String, String)| {
            let rest = left.checked_sub(name.len() + value.len());
            left = rest.unwrap_or(left);
            rest.is_some()
        };
        let shown = self.0.into_iter().filter(|(name, _)| !is_secret(name)).filter(|field| fits(field));
        shown.map(|(name, value)| (storable(&name), storable(&value))).collect()
    }
}

/// Postgres has no NUL: in a session it would be a fault of ours instead of the refusal that it is.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Where to go next may be the link of an invite, which is a secret too; the address of the form's page has it anyway.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("password") || name == "secret" || name == "next"
}

/// The page that a form is on; none for server functions that are no form.
fn form_page(form: &str, fields: &Fields) -> Option<String> {
    match form {
        "/api/login" => Some(with_next("/login", own_path(fields.get("next")))),
        "/api/signup" => Some(with_next("/signup", own_path(fields.get("next")))),
        "/api/logout" => Some("/login".to_owned()),
        "/api/request_password_reset" => Some("/forgot".to_owned()),
        "/api/reset_password" => Some(fields.with_secret("/reset")),
        "/api/accept_invite" | "/api/join_by_invite" => Some(fields.with_secret("/invites")),
        "/api/request_email_change" => Some("/account".to_owned()),
        "/api/confirm_email" => Some(fields.with_secret("/account/email")),
        form if form.ends_with("_invite") => Some(fields.below_organization("/settings/invites")),
        "/api/create_organization" => Some("/organizations/new".to_owned()),
        "/api/update_organization" => Some(fields.below_organization("/settings")),
        "/api/create_access_token" => Some(fields.below_organization("/settings/access-tokens")),
        form if is_of_a_token(form) => Some(fields.of_token()),
        "/api/change_member_role" | "/api/remove_member" | "/api/end_member_sessions" => {
            Some(fields.below_organization("/settings/members"))
        }
        "/api/create_team" => Some(fields.below_organization("/settings/teams")),
        "/api/rename_team"
        | "/api/delete_team"
        | "/api/add_team_member"
        | "/api/change_team_role"
        | "/api/remove_team_member" => Some(fields.below_organization(&fields.team())),
        "/api/create_graph" => Some(fields.below_organization("/graphs")),
        form if form.ends_with("_branch") && form != "/api/create_branch" => {
            Some(fields.below_organization(&fields.branch()))
        }
        "/api/publish_subgraph" => Some(fields.below_organization(&fields.branch())),
        "/api/submit_manifest" => Some(fields.below_organization(&fields.documents())),
        form if form.ends_with("_subgraph") => Some(fields.below_organization(&fields.subgraph())),
        form if is_of_a_graph(form) => Some(fields.below_organization(&fields.graph())),
        "/api/create_model" => Some(fields.below_organization("/models")),
        "/api/add_records" | "/api/delete_model" => Some(fields.below_organization(&fields.model())),
        "/api/update_account" | "/api/change_password" | "/api/end_session" | "/api/end_other_sessions" => {
            Some("/account".to_owned())
        }
        _ => None,
    }
}

/// The forms of one access token.
fn is_of_a_token(form: &str) -> bool {
    form.ends_with("_access_token") || form.ends_with("_access_token_graph")
}

/// The forms of one graph, and of what teams may do with it.
fn is_of_a_graph(form: &str) -> bool {
    form.ends_with("_graph") || form == "/api/create_branch"
}

/// The page that follows when it is done and the server function names no other.
fn next_page(form: &str, fields: &Fields) -> String {
    match form {
        "/api/login" | "/api/signup" => own_path(fields.get("next")).to_owned(),
        _ => form_page(form, fields).unwrap_or_else(|| "/".to_owned()),
    }
}

/// Runs a browser's form as a program's, and sends the browser on.
pub async fn answer(request: Request, next: Next) -> Response {
    let facts = request.extensions().get::<Arc<Facts>>().cloned();
    let session = request.extensions().get::<Session>().cloned();
    match (facts, session) {
        (Some(facts), Some(session)) if facts.wants_page && facts.method == Method::POST => {
            answer_browser(&facts, &session, request, next).await
        }
        _ => next.run(request).await,
    }
}

async fn answer_browser(facts: &Facts, session: &Session, request: Request, next: Next) -> Response {
    let nonce = request.extensions().get::<Nonce>().cloned();
    let (mut parts, body) = request.into_parts();
    // Already read whole by `body::read`: this cannot wait or fail.
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let fields = Fields::parse(&bytes);
    // With `text/html` the server function would answer with a redirect of its own, to the Referer.
    parts.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    let Some(page) = form_page(&facts.path, &fields) else { return response };
    let (parts, body) = response.into_parts();
    let onward = if parts.status.is_client_error() || parts.status.is_server_error() {
        let refusal = read_refusal(body).await;
        refused(&facts.path, &page, refusal.unwrap_or_else(|| unexpected(parts.status)), fields, session).await
    } else if SECRETS.contains(&facts.path.as_str()) {
        secret(body, nonce.as_ref(), &page).await
    } else if LINKS.contains(&facts.path.as_str()) {
        link(body, nonce.as_ref(), &page).await
    } else {
        done(&parts.headers, &next_page(&facts.path, &fields))
    };
    keep_headers(parts.headers, onward)
}

fn unexpected(status: StatusCode) -> Refusal {
    Refusal::new(status.as_u16(), "INTERNAL", "Something went wrong on our side.")
}

/// The page with the link of an invite, in the same way as [`secret`].
async fn link(body: Body, nonce: Option<&Nonce>, page: &str) -> Response {
    match told(body).await {
        Ok(sent) => pages::invite_sent(sent, nonce, page),
        Err(cause) => Problem::from(Error::internal(cause)).into_response(),
    }
}

async fn told<T: DeserializeOwned>(body: Body) -> serde_json::Result<T> {
    let told = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    serde_json::from_slice(&told)
}

/// The page with a new secret is the answer itself: it waits nowhere for a redirect to fetch it.
async fn secret(body: Body, nonce: Option<&Nonce>, page: &str) -> Response {
    match told::<ShownSecret>(body).await {
        Ok(shown) => {
            let back = format!("{}?open={}", page.split('?').next().unwrap_or_default(), shown.id);
            pages::secret(shown, nonce, &back)
        }
        Err(cause) => Problem::from(Error::internal(cause)).into_response(),
    }
}

/// To where the server function says, if that is a page of ours.
fn done(headers: &HeaderMap, next_page: &str) -> Response {
    let named = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    see_other(named.map_or(next_page, own_path))
}

/// Back to the form, with a flash. Faults of ours are a page of their own: the session may be what failed.
async fn refused(form: &str, page: &str, refusal: Refusal, fields: Fields, session: &Session) -> Response {
    if refusal.status >= 500 {
        return Problem::from(refusal).into_response();
    }
    if refusal.status == 401 && !matches!(form, "/api/login" | "/api/join_by_invite") {
        return to_login(page);
    }
    let flash = Flash {
        form: form.to_owned(),
        notice: None,
        error: Some(storable(&refusal.message)),
        field: refusal.field,
        typed: fields.typed(),
        faults: refusal.faults,
    };
    match session.insert(SESSION_FLASH, flash).await {
        Ok(()) => see_other(page),
        Err(cause) => Problem::from(Error::Unavailable(cause.into())).into_response(),
    }
}

/// What the server function said besides its body (cookies, `Clear-Site-Data`, `Retry-After`) stays said.
fn keep_headers(mut headers: HeaderMap, mut response: Response) -> Response {
    for of_old_answer in [LOCATION, CONTENT_TYPE, CONTENT_LENGTH] {
        headers.remove(of_old_answer);
    }
    headers.extend(std::mem::take(response.headers_mut()));
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &'static str) -> Fields {
        Fields::parse(&Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn each_form_has_its_page() {
        for (form, body, page) in [
            ("/api/login", "email=a", "/login"),
            ("/api/login", "next=%2Facme%3Fa%3Db", "/login?next=%2Facme%3Fa%3Db"),
            ("/api/login", "next=https%3A%2F%2Fevil.example", "/login"),
            ("/api/signup", "next=//evil.example", "/signup"),
            ("/api/update_organization", "organization=acme&slug=x", "/acme/settings"),
            ("/api/remove_member", "organization=acme", "/acme/settings/members"),
            ("/api/create_access_token", "organization=acme", "/acme/settings/access-tokens"),
            (
                "/api/revoke_access_token",
                "organization=acme&token=00000000-0000-7000-8000-000000000001",
                "/acme/settings/access-tokens?open=00000000-0000-7000-8000-000000000001",
            ),
            ("/api/grant_access_token_graph", "organization=acme&token=//evil", "/acme/settings/access-tokens"),
            ("/api/create_invite", "organization=acme&email=a", "/acme/settings/invites"),
            ("/api/accept_invite", "secret=..%2F..%2Fevil", "/"),
            ("/api/request_password_reset", "email=a", "/forgot"),
            ("/api/remove_member", "organization=%2Fevil.example", "/"),
            ("/api/update_organization", "", "/"),
            ("/api/create_team", "organization=acme", "/acme/settings/teams"),
            ("/api/delete_team", "organization=acme&team=../../login", "/acme/settings/teams"),
            (
                "/api/rename_team",
                "organization=acme&team=0199F3C2-7c1e-7000-8000-000000000001",
                "/acme/settings/teams/0199f3c2-7c1e-7000-8000-000000000001",
            ),
            ("/api/change_password", "organization=acme", "/account"),
            ("/api/create_graph", "organization=acme", "/acme/graphs"),
            ("/api/create_model", "organization=acme&name=x", "/acme/models"),
            ("/api/add_records", "organization=acme&model=fraud&records=%7B%7D", "/acme/models/fraud"),
            ("/api/delete_model", "organization=acme&model=..%2Fx", "/acme/models"),
            ("/api/update_graph", "organization=acme&graph=inventory", "/acme/graphs/inventory"),
            ("/api/create_branch", "organization=acme&graph=inventory&name=next", "/acme/graphs/inventory"),
            ("/api/grant_team_graph", "organization=acme&graph=..%2Fx", "/acme/graphs"),
            (
                "/api/update_branch",
                "organization=acme&graph=inventory&branch=v1.2",
                "/acme/graphs/inventory/branches/v1.2",
            ),
            ("/api/publish_subgraph", "organization=acme&graph=inventory&branch=..", "/acme/graphs/inventory"),
            ("/api/publish_subgraph", "organization=acme&graph=/&branch=main", "/acme/graphs"),
            (
                "/api/submit_manifest",
                "organization=acme&graph=inventory&branch=main",
                "/acme/graphs/inventory/branches/main/documents",
            ),
            ("/api/submit_manifest", "organization=acme&graph=inventory&branch=..", "/acme/graphs/inventory"),
            (
                "/api/update_subgraph",
                "organization=acme&graph=inventory&branch=main&subgraph=products",
                "/acme/graphs/inventory/branches/main/subgraphs/products",
            ),
        ] {
            assert_eq!(form_page(form, &fields(body)).as_deref(), Some(page), "{form} {body}");
        }
        assert_eq!(form_page("/api/viewer", &fields("")), None);
    }

    #[test]
    fn passwords_are_not_kept() {
        let typed = fields("email=a%40b.example&password=canary&secret=canary&new_Password=canary&name=A").typed();
        assert_eq!(typed, [("email".into(), "a@b.example".into()), ("name".into(), "A".into())]);
        assert_eq!(fields("password=x&next=/acme").get("next"), "/acme");
    }

    #[test]
    fn an_unsafe_location_is_not_followed() {
        let location = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("https://evil.example/"))]);
        assert_eq!(done(&location, "/acme").headers()[LOCATION], "/");
        assert_eq!(done(&HeaderMap::new(), "/acme").headers()[LOCATION], "/acme");
    }
}
