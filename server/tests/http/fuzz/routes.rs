//! Every route there is, asked with what does not belong there.

use std::collections::BTreeSet;

use fastrand::Rng;
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;
use orgtrail::audit::query::{ExportQuery, PageQuery};
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use orgtrail::model::query::RecordsQuery;
use orgtrail_server::http::programs::description;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::faulty::assert_every_fault_is_found;
use super::hostile::{encoded, like, lossy, short_text};
use super::judge::{Asked, patient_cast};
use crate::amount::rounds;
use crate::routes::{Cast, Who};
use crate::support::{ACME, Client, TestApplication};

pub const OWNER: Who = Who::Member(Role::Owner);

/// Addresses that lead nowhere.
const NOWHERE: [&str; 2] = ["/api/v1/{anything}", "/{anything}"];

/// Parameters that some page or download reads, with a value that it takes.
const PARAMETERS: [(&str, &str); 29] = [
    ("organization", ACME),
    ("range", "7d"),
    ("start", "2026-01-01"),
    ("end", "2026-01-02T00:00:00Z"),
    ("tz", "Europe/Paris"),
    ("kind", "all"),
    ("action", "team.*"),
    ("actor", "user:1"),
    ("object", "team:1"),
    ("q", "Ada"),
    ("before", "AAAA"),
    ("after", "0"),
    ("event", "00000000-0000-7000-8000-000000000000"),
    ("limit", "10"),
    ("format", "ndjson"),
    ("csv", "raw"),
    ("bom", "1"),
    ("profile", "full"),
    ("page", "2"),
    ("search", "a"),
    ("version", "1"),
    ("client", "web"),
    ("id", "all"),
    ("next", "/acme"),
    ("token", "x"),
    ("compare", "1"),
    ("name", "products"),
    ("email", "a@b.example"),
    ("url", "https://products.example/graphql"),
];

/// Values that parts of an address have where they name something.
const NAMED: [(&str, &str); 9] = [
    ("organization", ACME),
    ("graph", "inventory"),
    ("branch", "main"),
    ("subgraph", "products"),
    ("name", "products"),
    ("number", "1"),
    ("model", "fraud"),
    ("team", ""),
    ("secret", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
];

/// Headers with which a server might be confused.
const HEADERS: [&str; 22] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "content-encoding",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "idempotency-key",
    "if-modified-since",
    "if-none-match",
    "origin",
    "range",
    "referer",
    "sec-fetch-site",
    "te",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-api-key",
    "x-forwarded-for",
];

/// The templates of all addresses that the program answers at.
fn templates(app: &TestApplication) -> BTreeSet<String> {
    // A table of routes shows them to whoever looks for a bug, and to nobody else.
    let table = format!("{:?}", app.router);
    table.split('"').filter(|quoted| quoted.starts_with('/')).map(str::to_owned).collect()
}

/// Those that are not server functions, which `functions.rs` calls, and some that lead nowhere.
fn addresses(app: &TestApplication) -> BTreeSet<String> {
    let mut addresses = templates(app);
    for (path, _) in server_fn_paths().filter(|(_, method)| *method == Method::POST) {
        addresses.remove(path);
    }
    addresses.extend(NOWHERE.map(str::to_owned));
    addresses
}

/// The control of what follows: whatever is known otherwise is in the table.
#[tokio::test]
async fn every_route_is_in_the_table() {
    let app = TestApplication::start().await;
    let templates = templates(&app);
    let pages = generate_route_list(orgtrail_app::App).into_iter().map(|page| page.path().to_owned());
    let programs = description().paths.paths.into_keys();
    let functions = server_fn_paths().map(|(path, _)| path.to_owned());
    let others = ["/livez", "/logout", "/graphql", "/pkg/{*file}"].map(str::to_owned);
    let known: BTreeSet<_> = pages.chain(programs).chain(functions).chain(others).collect();
    let missing: Vec<_> = known.difference(&templates).collect();
    assert!(known.len() > 100 && missing.is_empty(), "{missing:?} of {templates:?}");
}

/// What programs can do, as it is described: operations with their templates.
pub fn operations() -> Vec<(String, Value)> {
    let described = serde_json::to_value(description()).unwrap();
    let paths = described["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, of)| of.as_object().unwrap().values().map(|it| (path.clone(), it.clone()))).collect()
}

/// Every parameter that is declared somewhere is sent.
#[test]
fn every_parameter_is_known() {
    let parameters =
        operations().into_iter().flat_map(|(_, it)| it["parameters"].as_array().cloned().unwrap_or_default());
    let of_programs = parameters.filter(|parameter| parameter["in"] == "query");
    let of_programs = of_programs.map(|parameter| parameter["name"].as_str().unwrap().to_owned());
    let of_pages = [&PageQuery::PARAMETERS[..], &ExportQuery::PARAMETERS, &RecordsQuery::PARAMETERS].concat();
    let declared: BTreeSet<_> = of_programs.chain(of_pages.into_iter().map(str::to_owned)).collect();
    let unknown = declared.iter().filter(|name| PARAMETERS.iter().all(|(known, _)| known != name));
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Who asks: a session, a token that may do everything, or nobody.
pub struct Askers {
    pub browser: Client,
    program: Client,
    nobody: Client,
}

impl Askers {
    pub async fn of(cast: &Cast) -> Self {
        let browser = cast.client(OWNER).await;
        Self { browser, program: cast.app.program_with(&Scope::ALL).await, nobody: cast.app.anonymous() }
    }

    fn any(&self, random: &mut Rng) -> &Client {
        [&self.browser, &self.browser, &self.program, &self.nobody][random.usize(..4)]
    }

    /// Whoever was signed out by what was asked, or has become somebody else by signing up, signs in again.
    pub async fn renew(&mut self, cast: &Cast) {
        let viewer = self.browser.call("/api/viewer", &[]).await;
        if viewer.status != 200 || viewer.json()["email"] != cast.app.owner.email.as_str() {
            self.browser = cast.client(OWNER).await;
        }
    }
}

/// The address of this template that leads somewhere.
pub fn named(template: &str) -> String {
    NAMED.iter().fold(template.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
}

/// An address of this template.
fn fill(template: &str, team: &str, random: &mut Rng) -> String {
    let segments = template.split('/').map(|segment| {
        let Some(name) = segment.strip_prefix(['{', ':']) else { return segment.to_owned() };
        let name = name.trim_end_matches('}');
        match NAMED.iter().find(|(known, _)| *known == name) {
            Some(("team", _)) if random.u8(..4) > 0 => team.to_owned(),
            Some((_, value)) if random.u8(..4) > 0 => (*value).to_owned(),
            _ => encoded(&short_text(random)),
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// A query, or none.
fn query(random: &mut Rng) -> String {
    let pairs = (0..random.usize(..4)).map(|_| {
        let (name, value) = PARAMETERS[random.usize(..PARAMETERS.len())];
        match random.u8(..4) {
            0 => format!("{name}={value}"),
            1 => format!("{name}={}", encoded(&lossy(&like(value.as_bytes(), random)))),
            2 => format!("{name}={}", encoded(&short_text(random))),
            _ => format!("{}={name}", encoded(&short_text(random))),
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

pub fn method(random: &mut Rng) -> Method {
    match random.u8(..8) {
        0..=3 => Method::GET,
        4..=5 => Method::POST,
        _ => [Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS][random.usize(..5)].clone(),
    }
}

/// Up to two headers with something in them, whatever was there before.
pub fn with_headers(mut request: RequestBuilder, random: &mut Rng) -> RequestBuilder {
    for _ in 0..random.usize(..3) {
        let name = HEADERS[random.usize(..HEADERS.len())];
        if let Ok(value) = HeaderValue::from_bytes(short_text(random).trim().as_bytes()) {
            request = request.header(name, value);
        }
    }
    request
}

pub fn with_body(request: RequestBuilder, random: &mut Rng) -> RequestBuilder {
    let media_types = [
        "application/json",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "multipart/form-data; boundary=x",
        "text/plain",
    ];
    let bodies = [
        r#"{"action":"door.opened","actor":{"user":{"id":"u-1"}}}"#,
        "{\"a\":1}\n{\"time\":\"2026-01-01T00:00:00Z\"}\n",
        "organization=acme&name=a&scopes[]=b",
        "type Query { a: [Int!]! }",
        "--x\r\ncontent-disposition: form-data; name=\"schema\"; filename=\"a\"\r\n\r\ntype Query { a: Int }\r\n--x--\r\n",
        r#"{"query":"query Q($a: Int) { account { name } }","variables":{"a":1}}"#,
    ];
    let media_type = media_types[random.usize(..media_types.len())];
    let body = like(bodies[random.usize(..bodies.len())].as_bytes(), random);
    request.header(CONTENT_TYPE, media_type).body(body)
}

/// Asks at every address once; answers what is wrong.
async fn ask_addresses(cast: &Cast, askers: &mut Askers, asked: &Asked, random: &mut Rng) -> Vec<String> {
    let mut wrong = Vec::new();
    for template in addresses(&cast.app) {
        let (method, path, query) = (method(random), fill(&template, &cast.team, random), query(random));
        let client = askers.any(random).at(&asked.url);
        let has_body = method != Method::GET && method != Method::HEAD && random.u8(..4) > 0;
        let request = with_headers(client.request(method.clone(), &format!("{path}?{query}")), random);
        let request = if has_body { with_body(request, random) } else { request };
        wrong.extend(asked.complaint(request, || format!("{method} {path}?{query}")).await);
        if template.ends_with("logout") {
            askers.renew(cast).await;
        }
    }
    wrong
}

#[tokio::test]
async fn no_address_answers_with_a_fault_of_ours() {
    for mut random in rounds("addresses", 4) {
        let cast = patient_cast().await;
        let (mut askers, asked) = (Askers::of(&cast).await, Asked::of(&cast.app));
        let mut wrong = Vec::new();
        for _ in 0..5 {
            wrong.extend(ask_addresses(&cast, &mut askers, &asked, &mut random).await);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn a_fault_at_an_address_is_found() {
    let cast = patient_cast().await;
    let mut askers = Askers::of(&cast).await;
    assert_every_fault_is_found(async |asked, random| ask_addresses(&cast, &mut askers, asked, random).await).await;
}

/// The application itself with a fault in it: what finds nothing in it finds nothing anywhere.
#[tokio::test]
async fn a_fault_of_ours_is_found() {
    let cast = patient_cast().await;
    let (mut askers, asked) = (Askers::of(&cast).await, Asked::of(&cast.app));
    let rename = "alter table orgtrail.teams rename column name to called";
    sqlx::raw_sql(rename).execute(&cast.app.superuser).await.unwrap();
    let mut random = Rng::with_seed(1);
    let mut found = Vec::new();
    while found.is_empty() {
        found = ask_addresses(&cast, &mut askers, &asked, &mut random).await;
    }
    assert!(found.iter().any(|complaint| complaint.contains("/settings/teams")), "{found:?}");
}
