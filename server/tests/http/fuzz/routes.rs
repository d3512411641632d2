//! Every route there is, asked with what does not belong there.

use fastrand::Rng;
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use orgtrail_server::http::programs::description;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder};

use super::hostile::{encoded, like, short_text, text};
use super::judge::complaint;
use crate::amount::rounds;
use crate::routes::{Cast, Who};
use crate::support::{ACME, Answer, Client, TestApplication};

const OWNER: Who = Who::Member(Role::Owner);

/// Addresses that are neither pages nor server functions nor those of programs.
const OTHERS: [&str; 13] = [
    "/livez",
    "/readyz",
    "/logout",
    "/graphql",
    "/api/v1/openapi.json",
    "/api/v1/{anything}",
    "/pkg/{anything}",
    "/{anything}",
    "/api/export_model/{organization}/{model}",
    "/{organization}/graphs/{graph}/branches/{branch}/subgraphs/{subgraph}/versions/{number}/file",
    "/{organization}/graphs/{graph}/branches/{branch}/supergraphs/{number}/file",
    "/{organization}/graphs/{graph}/branches/{branch}/supergraphs/{number}/api",
    "/{organization}/graphs/{graph}/branches/{branch}/documents/document/file",
];

/// Parameters that some page or download reads, with a value that it takes.
const PARAMETERS: [(&str, &str); 28] = [
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
const HEADERS: [&str; 20] = [
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
    "user-agent",
    "x-api-key",
    "x-forwarded-for",
];

/// The templates of all addresses but those of server functions.
fn addresses() -> Vec<String> {
    let pages = generate_route_list(orgtrail_app::App).into_iter().map(|page| page.path().to_owned());
    let programs = description().paths.paths.into_keys();
    let all: Vec<String> = pages.chain(programs).chain(OTHERS.map(str::to_owned)).collect();
    assert!(all.len() > 40 && all.iter().any(|path| path.contains("audit-logs")), "{all:?}");
    all
}

/// Who asks: a session, a token that may do everything, or nobody.
struct Askers {
    browser: Client,
    program: Client,
    nobody: Client,
}

impl Askers {
    async fn of(cast: &Cast) -> Self {
        let browser = cast.client(OWNER).await;
        Self { browser, program: cast.app.program_with(&Scope::ALL).await, nobody: cast.app.anonymous() }
    }

    fn any(&self, random: &mut Rng) -> &Client {
        [&self.browser, &self.browser, &self.program, &self.nobody][random.usize(..4)]
    }

    /// Whoever was signed out by what was asked, or has become somebody else by signing up, signs in again.
    async fn renew(&mut self, cast: &Cast) {
        let viewer = self.browser.call("/api/viewer", &[]).await;
        if viewer.status != 200 || viewer.json()["email"] != cast.app.owner.email.as_str() {
            self.browser = cast.client(OWNER).await;
        }
    }
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
            1 => format!("{name}={}", encoded(&String::from_utf8_lossy(&like(value.as_bytes(), random)))),
            2 => format!("{name}={}", encoded(&short_text(random))),
            _ => format!("{}={name}", encoded(&short_text(random))),
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn method(random: &mut Rng) -> Method {
    match random.u8(..8) {
        0..=3 => Method::GET,
        4..=5 => Method::POST,
        _ => [Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS][random.usize(..5)].clone(),
    }
}

/// Up to two headers with something in them, whatever was there before.
fn with_headers(mut request: RequestBuilder, random: &mut Rng) -> RequestBuilder {
    for _ in 0..random.usize(..3) {
        let name = HEADERS[random.usize(..HEADERS.len())];
        if let Ok(value) = HeaderValue::from_bytes(short_text(random).trim().as_bytes()) {
            request = request.header(name, value);
        }
    }
    request
}

fn with_body(request: RequestBuilder, random: &mut Rng) -> RequestBuilder {
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
async fn ask_addresses(cast: &Cast, askers: &mut Askers, random: &mut Rng) -> Vec<String> {
    let mut wrong = Vec::new();
    for template in addresses() {
        let (method, path, query) = (method(random), fill(&template, &cast.team, random), query(random));
        let client = askers.any(random);
        let has_body = method != Method::GET && method != Method::HEAD && random.u8(..4) > 0;
        let request = with_headers(client.request(method.clone(), &format!("{path}?{query}")), random);
        let request = if has_body { with_body(request, random) } else { request };
        let answer = Answer::read(request).await;
        wrong.extend(complaint(&answer).map(|complaint| format!("{method} {path}?{query}: {complaint}")));
        if template.ends_with("logout") {
            askers.renew(cast).await;
        }
    }
    wrong
}

/// Arguments that stay as they are, where another would change who everybody here is.
fn must_stay(path: &str, name: &str) -> bool {
    matches!((path, name), ("/api/update_organization", "slug") | ("/api/confirm_email", "secret"))
}

/// Calls every server function once, with some of its arguments other than they should be; answers what is wrong.
async fn call_functions(cast: &Cast, askers: &mut Askers, number: usize, random: &mut Rng) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, (path, _)) in server_fn_paths().filter(|(_, method)| *method == Method::POST).enumerate() {
        let client = askers.browser.clone();
        let mut fields = cast.arguments(OWNER, &client, path, number * 1000 + at).await;
        for (name, value) in &mut fields {
            if random.u8(..5) == 0 && !must_stay(path, name) {
                *value = if random.bool() { text(random) } else { lossy(&like(value.as_bytes(), random)) };
            }
        }
        if path == "/api/change_password" {
            fields.retain(|(name, _)| *name != "current_password"); // everybody here signs in with it
        }
        fields.retain(|_| random.u8(..20) > 0);
        let asked: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer =
            if random.u8(..3) == 0 { client.form(path, &asked).await } else { client.call(path, &asked).await };
        wrong.extend(complaint(&answer).map(|complaint| format!("{path} {asked:?}: {complaint}")));
        askers.renew(cast).await;
    }
    wrong
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn no_address_answers_with_a_fault_of_ours() {
    for mut random in rounds("addresses", 4) {
        let cast = Cast::new_with(|config| config.requests_per_minute = u32::MAX).await;
        let mut askers = Askers::of(&cast).await;
        let mut wrong = Vec::new();
        for _ in 0..5 {
            wrong.extend(ask_addresses(&cast, &mut askers, &mut random).await);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn no_server_function_answers_with_a_fault_of_ours() {
    for mut random in rounds("server functions", 2) {
        let cast = Cast::new().await;
        let mut askers = Askers::of(&cast).await;
        let mut wrong = Vec::new();
        for number in 0..2 {
            wrong.extend(call_functions(&cast, &mut askers, number, &mut random).await);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// A server with a fault in it: what finds nothing in it finds nothing anywhere.
#[tokio::test]
async fn a_fault_of_ours_is_found() {
    let cast = Cast::new().await;
    let mut askers = Askers::of(&cast).await;
    let rename = "alter table orgtrail.teams rename column name to called";
    sqlx::raw_sql(rename).execute(&cast.app.superuser).await.unwrap();
    let mut random = Rng::with_seed(1);
    let mut found = Vec::new();
    while found.is_empty() {
        found = ask_addresses(&cast, &mut askers, &mut random).await;
    }
    assert!(found.iter().any(|complaint| complaint.contains("/settings/teams")), "{found:?}");
}

/// What no client library would send.
const HEADS: [&[u8]; 24] = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/2.0\r\n\r\n",
    b"GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\n: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\0b\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET \\ HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET http://b.example/livez HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET //livez HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET * HTTP/1.1\r\nhost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
];

#[tokio::test]
async fn heads_that_are_none_are_refused_or_hung_up_on() {
    let app = TestApplication::start().await;
    for mut random in rounds("heads", 40) {
        for head in HEADS {
            let sent = if random.u8(..4) == 0 { head.to_vec() } else { like(head, &mut random) };
            let answer = app.answer_to_bytes(&sent).await;
            let is_fault = answer.split("HTTP/1.").skip(1).any(|answer| answer.get(2..3) == Some("5"));
            assert!(!is_fault, "{}: {answer}", String::from_utf8_lossy(&sent));
        }
    }
    assert_eq!(app.program().get("/livez").await.status, 200);
}

#[tokio::test]
async fn tokens_that_are_none_are_refused_by_their_status() {
    let app = TestApplication::start().await;
    let token = app.token(&[Scope::AuditRead]).await;
    for mut random in rounds("tokens", 60) {
        let sent = like(format!("Bearer {token}").as_bytes(), &mut random);
        let Ok(value) = HeaderValue::from_bytes(sent.trim_ascii()) else { continue };
        let request = app.program().bare(Method::GET, "/api/v1/events").header(AUTHORIZATION, value);
        let answer = Answer::read(request).await;
        assert_eq!(complaint(&answer), None);
        let is_it = lossy(&sent)
            .trim()
            .split_once(' ')
            .is_some_and(|(scheme, rest)| scheme.eq_ignore_ascii_case("bearer") && rest.trim() == token);
        assert_eq!(answer.status, if is_it { 200 } else { 401 }, "{}", lossy(&sent));
    }
}
