//! What programs do over `/api/v1`: publish from a build pipeline and fetch schemas, with an access token and nothing else.

use futures::future::join;
use orgtrail::graph::versions;
use orgtrail::identity::access_token::{self, Scope, Wanted, graphs as tokens};
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::settings;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};

use crate::support::{ACME, Answer, Client, TestApplication};

const STOCK: &str = "/api/v1/graphs/inventory/branches/main/subgraphs/stock";
const SUPERGRAPH: &str = "/api/v1/graphs/inventory/branches/main/supergraph";

const SDL: &str = "type Query {\n  stock: Int\n}\n";

fn owner(app: &TestApplication) -> Viewer {
    Viewer::user(app.owner.clone(), Origin::default())
}

/// An application with a graph, and the secret of a token that may publish to it.
async fn inventory() -> (TestApplication, String) {
    let app = TestApplication::start().await;
    app.graph("inventory").await;
    let secret = token(&app, &[Scope::EventsWrite], Some("publish")).await;
    (app, secret)
}

/// The secret of a token with these scopes, and this permission for the graph.
async fn token(app: &TestApplication, scopes: &[Scope], permission: Option<&str>) -> String {
    let made = access_token::create(&app.platform, &owner(app), ACME, None, Wanted::new("CI", scopes)).await.unwrap();
    if let Some(permission) = permission {
        tokens::grant(&app.platform, &owner(app), ACME, made.id.into(), "inventory", permission).await.unwrap();
    }
    made.secret.expose().to_owned()
}

async fn publish(client: &Client, path: &str, schema: impl Into<reqwest::Body>) -> Answer {
    let request = client.bare(Method::POST, path).header(CONTENT_TYPE, "application/graphql").body(schema);
    Answer::read(request).await
}

async fn versions_of_stock(app: &TestApplication) -> Vec<i32> {
    let branch = versions::branch(&app.platform, &owner(app), ACME, "inventory", "main").await.unwrap();
    branch.subgraphs.iter().map(|subgraph| subgraph.schema.number).collect()
}

#[tokio::test]
async fn a_pipeline_publishes_and_a_router_fetches() {
    let (app, secret) = inventory().await;
    let pipeline = Client::program(&app.url, Some(&secret));
    let first = publish(&pipeline, &format!("{STOCK}?url=https%3A%2F%2Fstock.example%2F"), SDL).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(
        first.body,
        r#"{"graph":"inventory","branch":"main","subgraph":"stock","version":1,"changed":true,"supergraph":1}"#
    );
    let again = publish(&pipeline, STOCK, SDL).await;
    assert_eq!((again.status, again.json()["changed"].as_bool()), (200, Some(false)));
    let long = format!("{SDL}# {}\n", "x".repeat(200_000));
    let by_key = app.program().bare(Method::POST, STOCK).header("x-api-key", &secret);
    let second = Answer::read(by_key.header(CONTENT_TYPE, "text/plain; charset=utf-8").body(long.clone())).await;
    assert_eq!((second.status, second.json()["version"].as_i64()), (201, Some(2)), "{}", second.body);

    let reader = Client::program(&app.url, Some(&token(&app, &[Scope::AuditRead], None).await));
    let present = reader.get(STOCK).await;
    assert_eq!((present.status, present.header("schema-version")), (200, "2"));
    assert_eq!(present.header("content-type"), "application/graphql; charset=utf-8");
    assert!(present.body == long, "byte for byte");
    assert_eq!(reader.get(second.location.as_deref().unwrap()).await.body, long);
    assert_eq!(reader.get(first.location.as_deref().unwrap()).await.body, SDL);
    let supergraph = reader.get(SUPERGRAPH).await;
    assert_eq!((supergraph.status, supergraph.header("schema-version")), (200, "2"));
    assert!(supergraph.body.contains("join__Graph") && supergraph.body.contains("https://stock.example/"));
    assert_eq!(reader.get(&format!("{SUPERGRAPH}?version=1")).await.header("schema-version"), "1");
    for (path, status) in [("?version=3", 404), ("?version=0", 422), ("?version=x", 422), ("?number=1", 422)] {
        for what in [STOCK, SUPERGRAPH] {
            assert_eq!(reader.get(&format!("{what}{path}")).await.status, status, "{what}{path}");
        }
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_that_may() {
    let (app, publisher) = inventory().await;
    publish(&Client::program(&app.url, Some(&publisher)), STOCK, SDL).await;
    let next = "type Query { stock: Int! }";
    let other = settings::create(&app.platform, &owner(&app), "Other", "other").await.unwrap().slug;
    let of_other = Wanted::new("CI", &Scope::ALL);
    let of_other = access_token::create(&app.platform, &owner(&app), &other, None, of_other).await.unwrap();
    let with = |secret: &str| Client::program(&app.url, Some(secret));
    let mut cases = vec![
        ("nobody", app.program(), 401, 401),
        ("a session", app.owner().await, 401, 401),
        ("no token", with("ot_nonsense"), 401, 401),
        ("another organization's", with(of_other.secret.expose()), 404, 404),
        ("all scopes", with(&token(&app, &Scope::ALL, None).await), 403, 200),
    ];
    cases.push(("read", with(&token(&app, &[Scope::GraphsWrite], Some("read")).await), 403, 200));
    for (who, client, publishes, reads) in cases {
        let refused = publish(&client, STOCK, next).await;
        let code = match publishes {
            401 => "UNAUTHENTICATED",
            403 => "FORBIDDEN",
            _ => "NOT_FOUND",
        };
        refused.assert_problem(publishes, code);
        assert_eq!((client.get(STOCK).await.status, client.get(SUPERGRAPH).await.status), (reads, reads), "{who}");
    }
    assert_eq!(versions_of_stock(&app).await, [1]);
    // A browser's `Accept` makes no page of it, and leads nobody to sign in.
    let page = app.program().bare(Method::GET, SUPERGRAPH).header(ACCEPT, "text/html");
    Answer::read(page).await.assert_problem(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let (app, secret) = inventory().await;
    let pipeline = Client::program(&app.url, Some(&secret));
    publish(&pipeline, STOCK, SDL).await;
    for (body, field) in [
        (b"".to_vec(), "schema"),
        (b"\xff\xfe".to_vec(), "schema"),
        (b"type Query { a: Int } # \0".to_vec(), "schema"),
        (b"type Query {\n  a: Missing\n}".to_vec(), "schema"),
        ("type Query { a: ".repeat(5_000).into_bytes(), "schema"),
        (b"[".repeat(1_000_000), "schema"),
    ] {
        let refused = publish(&pipeline, STOCK, body).await;
        assert_eq!((refused.status, refused.header("content-type")), (422, "application/problem+json"));
        assert_eq!(refused.json()["field"], field, "{}", refused.body);
    }
    let faulty = publish(&pipeline, STOCK, "type Query {\n  a: Int % }").await.json();
    let fault = &faulty["faults"][0];
    assert_eq!((&fault["part"], &fault["line"], &fault["column"]), (&"stock".into(), &2.into(), &10.into()));
    for (path, field) in [
        (format!("{STOCK}?url=ftp%3A%2F%2Fa"), "url"),
        (format!("{STOCK}?url=https%3A%2F%2Fa&url=https%3A%2F%2Fb"), "url"),
        (format!("{STOCK}?uri=https%3A%2F%2Fa"), "query"),
        (STOCK.replace("stock", "1stock"), "name"),
        (STOCK.replace("stock", "%00"), "name"),
    ] {
        let refused = publish(&pipeline, &path, SDL).await;
        refused.assert_problem(422, "BAD_USER_INPUT");
        assert_eq!(refused.json()["field"], field, "{path}");
    }
    for path in [STOCK.replace("main", "none"), STOCK.replace("inventory", "none"), "/api/v1/unknown".to_owned()] {
        publish(&pipeline, &path, SDL).await.assert_problem(404, "NOT_FOUND");
    }
    let delete = pipeline.bare(Method::DELETE, STOCK);
    Answer::read(delete).await.assert_problem(405, "METHOD_NOT_ALLOWED");
    publish(&pipeline, SUPERGRAPH, SDL).await.assert_problem(405, "METHOD_NOT_ALLOWED");
    assert_eq!(versions_of_stock(&app).await, [1]);
}

#[tokio::test]
async fn a_body_is_of_a_known_type_and_at_most_8_mib() {
    let (app, secret) = inventory().await;
    let pipeline = Client::program(&app.url, Some(&secret));
    for (name, value) in [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_TYPE, "application/x-www-form-urlencoded"),
        (CONTENT_TYPE, "multipart/form-data; boundary=x"),
        (CONTENT_ENCODING, "gzip"),
    ] {
        let request = pipeline.bare(Method::POST, STOCK).header(name, value).body(SDL);
        Answer::read(request).await.assert_problem(415, "BAD_USER_INPUT");
    }
    let most = format!("{SDL}#{}", "x".repeat(8 * 1024 * 1024 - SDL.len() - 1));
    let request = format!(
        "POST {STOCK} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {secret}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
        most.len() + 1
    );
    assert!(app.raw(&request).await.starts_with("HTTP/1.1 413 "));
    let parts = [most.clone().into_bytes(), b"x".to_vec()].map(Ok::<_, std::io::Error>);
    let streamed = reqwest::Body::wrap_stream(futures::stream::iter(parts));
    publish(&pipeline, STOCK, streamed).await.assert_problem(413, "BAD_USER_INPUT");
    assert_eq!(versions_of_stock(&app).await, [0; 0]);
    let done = publish(&pipeline, STOCK, most).await;
    assert_eq!(done.status, 201, "{}", done.body);
}

#[tokio::test]
async fn a_pipeline_submits_the_manifest_of_a_client() {
    let (app, secret) = inventory().await;
    let pipeline = Client::program(&app.url, Some(&secret));
    publish(&pipeline, STOCK, SDL).await;
    let documents = "/api/v1/graphs/inventory/branches/main/documents";
    let submit = async |client: &Client, query: &str, kind: &str, manifest: String| {
        let request = client.bare(Method::POST, &format!("{documents}{query}")).header(CONTENT_TYPE, kind);
        Answer::read(request.body(manifest)).await
    };
    let json = "application/json";
    let long = " ".repeat(100_000); // More than a form takes.
    let manifest = format!(r#"{{"1": "query Stock {{ stock }}"{long}}}"#);
    let done = submit(&pipeline, "?client=shop", json, manifest.clone()).await;
    assert_eq!(done.status, 201, "{}", done.body);
    assert_eq!(
        done.body,
        r#"{"graph":"inventory","branch":"main","client":"shop","documents":1,"new_documents":1,"changed":true}"#
    );
    assert_eq!(submit(&pipeline, "?client=shop", json, manifest.clone()).await.status, 200);
    let wrong = submit(&pipeline, "?client=shop", json, r#"{"2": "query Stock { missing }"}"#.to_owned()).await;
    assert_eq!((wrong.status, &wrong.json()["faults"][0]["part"]), (422, &"2".into()), "{}", wrong.body);
    for (query, kind, manifest, status) in [
        ("", json, manifest.as_str(), 422),
        ("?client=shop", json, "{", 422),
        ("?client=shop", "text/plain", manifest.as_str(), 415),
        ("?name=shop", json, manifest.as_str(), 422),
    ] {
        assert_eq!(submit(&pipeline, query, kind, manifest.to_owned()).await.status, status, "{query} {kind}");
    }
    let reader = Client::program(&app.url, Some(&token(&app, &Scope::ALL, Some("read")).await));
    submit(&reader, "?client=shop", json, manifest).await.assert_problem(403, "FORBIDDEN");
}

#[tokio::test]
async fn of_two_at_once_both_are_recorded() {
    let (app, secret) = inventory().await;
    let pipeline = Client::program(&app.url, Some(&secret));
    let (one, other) = join(
        publish(&pipeline, STOCK, "type Query { stock: Int }"),
        publish(&pipeline, STOCK, "type Query { stock: Int! }"),
    )
    .await;
    assert_eq!((one.status, other.status), (201, 201), "{} {}", one.body, other.body);
    let mut numbers = [&one, &other].map(|answer| answer.json()["version"].as_i64().unwrap());
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    let recorded: Vec<(String, String)> = sqlx::query_as(
        "select action, actor_access_token_name from orgtrail.events where action = 'subgraph.published' order by index",
    )
    .fetch_all(&app.superuser)
    .await
    .unwrap();
    assert_eq!(recorded, vec![("subgraph.published".to_owned(), "CI".to_owned()); 2]);
}
