//! Documents of JSON and GraphQL, and cursors, that are almost right.

use fastrand::Rng;
use orgtrail::identity::access_token::Scope;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::hostile::{encoded, like, text};
use super::judge::{complaint, complaint_of_graphql};
use crate::amount::rounds;
use crate::graphql::mutations::Mutations;
use crate::routes::{Cast, Who};
use crate::support::{ACME, Answer, Client, TestApplication};

/// What programs send, each at its address.
const DOCUMENTS: [(&str, &str, &str); 6] = [
    (
        "/api/v1/events",
        "application/json",
        r#"{"id":"1","action":"invoice.paid","occurred_at":"2026-01-01T00:00:00Z","actor":{"user":{"id":"u-1","name":"Ada","email":"a@b.example"},"access_token":{"id":"k"}},"object":{"type":"invoice","id":"7","name":"x"},"outcome":"success","previous":{"total":1.10},"next":{"total":[1,2,{"a":null}]},"origin":{"ip":"::1","user_agent":"x"}}"#,
    ),
    (
        "/api/v1/events",
        "application/json",
        r#"{"events":[{"action":"a.b","actor":{"user":{"id":"1"}}},{"action":"a.c","actor":{"access_token":{"id":"1"}}}]}"#,
    ),
    (
        "/api/v1/events",
        "application/x-ndjson",
        "{\"action\":\"a.b\",\"actor\":{\"user\":{\"id\":\"1\"}}}\n\n{\"action\":\"a.b\",\"actor\":{\"user\":{\"id\":\"1\"}}}\n",
    ),
    (
        "/api/v1/models/fraud/records",
        "application/x-ndjson",
        "{\"time\":\"2026-01-01T00:00:00Z\",\"a\":[1,{\"b\":\"c\"}]}\n{}\n",
    ),
    (
        "/api/v1/graphs/inventory/branches/main/subgraphs/stock",
        "application/graphql",
        "type Query { stock(first: Int = 1): [Item!]! } type Item @key(fields: \"id\") { id: ID! }",
    ),
    (
        "/api/v1/graphs/inventory/branches/main/documents?client=web",
        "application/json",
        r#"{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","name":"A","type":"query","body":"query A { products { id } }"}]}"#,
    ),
];

#[tokio::test]
async fn no_document_of_a_program_is_a_fault_of_ours() {
    let cast = Cast::new_with(|config| config.requests_per_minute = u32::MAX).await;
    let program = publisher(&cast).await;
    for mut random in rounds("documents of programs", 40) {
        for (path, media_type, document) in DOCUMENTS {
            let body = like(document.as_bytes(), &mut random);
            let request = program.bare(Method::POST, path).header(CONTENT_TYPE, media_type).body(body.clone());
            let answer = Answer::read(request).await;
            assert_eq!(complaint(&answer), None, "{path} {}", String::from_utf8_lossy(&body));
        }
    }
}

/// A program with every scope that may publish to the graph `inventory`.
async fn publisher(cast: &Cast) -> Client {
    use orgtrail::identity::access_token::{self, Wanted, graphs};
    use orgtrail::identity::viewer::Viewer;
    let (platform, operator) = (&cast.app.platform, Viewer::operator());
    let made = access_token::create(platform, &operator, ACME, None, Wanted::new("all", &Scope::ALL)).await.unwrap();
    graphs::grant(platform, &operator, ACME, made.id.into(), "inventory", "publish").await.unwrap();
    Client::program(&cast.app.url, Some(made.secret.expose()))
}

/// Documents of GraphQL that work.
const QUERIES: [&str; 5] = [
    include_str!("../../graphql/authenticated.graphql"),
    include_str!("../../graphql/unauthenticated.graphql"),
    include_str!("../../graphql/exporter.graphql"),
    "query A($n: Int! = 1) { account(slug: \"acme\") { name ...M auditLogs(first: $n) @include(if: true) { edges { node { action } } } } } fragment M on Account { slug }",
    "{ __schema { types { name fields(includeDeprecated: true) { name args { defaultValue } } } } a: __typename }",
];

async fn post(client: &Client, body: Vec<u8>) -> Answer {
    Answer::read(client.bare(Method::POST, "/graphql").header(CONTENT_TYPE, "application/json").body(body)).await
}

#[tokio::test]
async fn no_request_of_graphql_is_a_fault_of_ours() {
    let cast = Cast::new_with(|config| config.requests_per_minute = u32::MAX).await;
    let owner = cast.client(Who::Member(orgtrail::identity::role::Role::Owner)).await;
    let mutations = Mutations::read(&owner).await;
    let fields: Vec<String> = Mutations::forms().into_iter().map(|(field, _)| field).collect();
    for mut random in rounds("requests of GraphQL", 40) {
        let field = &fields[random.usize(..fields.len())];
        let mutation = mutations.request(field, Vec::new());
        let queries = QUERIES.map(|query| json!({ "query": query, "variables": variables(&mut random) }));
        for mut request in queries.into_iter().chain([mutation]) {
            if random.bool() {
                let query = like(request["query"].as_str().unwrap().as_bytes(), &mut random);
                request["query"] = json!(String::from_utf8_lossy(&query));
            }
            let body = request.to_string().into_bytes();
            let body = if random.bool() { like(&body, &mut random) } else { body };
            let answer = post(&owner, body.clone()).await;
            assert_eq!(complaint_of_graphql(&answer), None, "{}", String::from_utf8_lossy(&body));
        }
    }
}

fn variables(random: &mut Rng) -> Value {
    let mut variables = json!({ "num": 10, "startTime": "2026-01-01T00:00:00Z", "endTime": null, "cursor": null });
    for name in ["num", "startTime", "endTime", "cursor"] {
        if random.u8(..4) == 0 {
            variables[name] = [json!(text(random)), json!(random.i64(..)), json!([]), json!({ "a": null })]
                [random.usize(..4)]
            .clone();
        }
    }
    variables
}

/// Cursors of the trail's page, of a log of GraphQL and of a model's page, as the server gives them.
async fn cursors(app: &TestApplication, owner: &Client) -> (String, String) {
    let asked = "query A($after: String) { account { auditLogs(first: 1, after: $after) { pageInfo { endCursor } } } }";
    let told = post(owner, json!({ "query": asked }).to_string().into_bytes()).await.json();
    let of_graphql = told["data"]["account"]["auditLogs"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    crate::export::fill(app, 60, 10).await;
    let page = owner.get("/acme/settings/audit-logs").await.body;
    let (_, rest) = page.split_once("after=").unwrap();
    (of_graphql, rest.split(['"', '&', '\'']).next().unwrap().to_owned())
}

#[tokio::test]
async fn a_cursor_that_was_changed_is_none() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let (of_graphql, of_page) = cursors(&app, &owner).await;
    let query =
        "query A($after: String) { account { auditLogs(first: 1, after: $after) { edges { node { action } } } } }";
    let page = async |cursor: &str| owner.get(&format!("/acme/settings/audit-logs?after={}", encoded(cursor))).await;
    let log = async |cursor: &str| {
        post(&owner, json!({ "query": query, "variables": { "after": cursor } }).to_string().into_bytes()).await
    };
    // Control: as they are, they are taken.
    assert_eq!(page(&of_page).await.status, 200);
    assert_eq!(log(&of_graphql).await.json().get("errors"), None);
    for mut random in rounds("cursors", 60) {
        for cursor in [&of_graphql, &of_page] {
            let changed = String::from_utf8_lossy(&like(cursor.as_bytes(), &mut random)).into_owned();
            if changed.is_empty() || changed == *cursor {
                continue;
            }
            let (page, log) = (page(&changed).await, log(&changed).await);
            assert_eq!((complaint(&page), complaint_of_graphql(&log)), (None, None), "{changed}");
            let is_refused = log.status >= 400 || log.json().get("errors").is_some();
            assert!(page.status >= 400 && is_refused, "{changed}: {} {}", page.status, log.body);
        }
    }
}
