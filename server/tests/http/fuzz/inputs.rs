//! Documents of programs that are almost right, and cursors.

use std::collections::BTreeSet;

use fastrand::Rng;
use orgtrail::identity::access_token::Scope;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::faulty::assert_every_fault_is_found;
use super::graphql;
use super::hostile::{encoded, like, lossy};
use super::judge::{Asked, complaint, patient_cast};
use super::routes::{named, operations};
use crate::amount::rounds;
use crate::export::{fill, today};
use crate::routes::Cast;
use crate::support::{ACME, Answer, Client, TestApplication};

/// What programs send, each at its address: for each media type that is taken there one at least.
const DOCUMENTS: [(&str, &str, &str); 7] = [
    (
        "/api/v1/events",
        "application/json",
        r#"{"id":"1","action":"invoice.paid","occurred_at":"NOW","actor":{"user":{"id":"u-1","name":"Ada","email":"a@b.example"},"access_token":{"id":"k"}},"object":{"type":"invoice","id":"7","name":"x"},"outcome":"success","previous":{"total":1.10},"next":{"total":[1,2,{"a":null}]},"ip":"::1","user_agent":"x"}"#,
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
    ("/api/v1/models/{model}/records", "application/x-ndjson", "{\"time\":\"NOW\",\"a\":[1,{\"b\":\"c\"}]}\n{}\n"),
    (
        "/api/v1/graphs/{graph}/branches/{branch}/subgraphs/{name}",
        "application/graphql",
        "type Query { products(first: Int = 1): [Product!]! } type Product @key(fields: \"id\") { id: ID! }",
    ),
    (
        "/api/v1/graphs/{graph}/branches/{branch}/subgraphs/{name}",
        "text/plain",
        "type Query { products: [Product!] } type Product { id: ID! }",
    ),
    (
        "/api/v1/graphs/{graph}/branches/{branch}/documents?client=web",
        "application/json",
        r#"{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","name":"A","type":"query","body":"query A { products { id } }"}]}"#,
    ),
];

/// Such a document, of a moment that is neither too long ago nor to come.
fn of_now(document: &str) -> String {
    document.replace("NOW", &today().to_rfc3339())
}

/// Sends every document, or what is like it; answers what is wrong.
async fn send_documents(program: &Client, asked: &Asked, random: &mut Rng) -> Vec<String> {
    let (program, mut wrong) = (program.at(&asked.url), Vec::new());
    for (template, media_type, document) in DOCUMENTS {
        let (path, body) = (named(template), like(of_now(document).as_bytes(), random));
        let request = program.bare(Method::POST, &path).header(CONTENT_TYPE, media_type);
        wrong.extend(asked.complaint(request.body(body.clone()), || format!("{path} {}", lossy(&body))).await);
    }
    wrong
}

#[test]
fn every_document_of_programs_is_known() {
    let known = DOCUMENTS.iter().map(|(address, of, _)| (address.split('?').next().unwrap(), *of));
    let known: BTreeSet<_> = known.map(|(path, of)| (path.to_owned(), of.to_owned())).collect();
    let bodies = operations().into_iter().map(|(path, it)| (path, it["requestBody"]["content"].clone()));
    let types = |content: Value| content.as_object().map_or_else(Vec::new, |of| of.keys().cloned().collect());
    let described = bodies.flat_map(|(path, content)| types(content).into_iter().map(move |of| (path.clone(), of)));
    assert_eq!(described.collect::<BTreeSet<_>>(), known);
}

#[tokio::test]
async fn no_document_of_a_program_is_a_fault_of_ours() {
    let cast = patient_cast().await;
    let (program, asked) = (publisher(&cast).await, Asked::of(&cast.app));
    for (template, media_type, document) in DOCUMENTS {
        // Control: as they are, they are taken.
        let request = program.bare(Method::POST, &named(template));
        let answer = Answer::read(request.header(CONTENT_TYPE, media_type).body(of_now(document))).await;
        assert!((200..300).contains(&answer.status), "{template} {media_type}: {}", answer.body);
    }
    for mut random in rounds("documents of programs", 40) {
        let wrong = send_documents(&program, &asked, &mut random).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn a_fault_with_a_document_is_found() {
    let program = Client::program("", None);
    assert_every_fault_is_found(async |asked, random| send_documents(&program, asked, random).await).await;
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

/// Asks GraphQL for what begins after a cursor.
async fn log_after(owner: &Client, cursor: Option<&str>) -> Answer {
    let query = "query A($after: String) { account { auditLogs(first: 1, after: $after) { pageInfo { endCursor } } } }";
    let body = json!({ "query": query, "variables": { "after": cursor } }).to_string().into_bytes();
    Answer::read(graphql::request(owner, body)).await
}

/// Cursors of a log of GraphQL, and of the pages of the trail and of a model, as the server gives them.
async fn cursors(app: &TestApplication, owner: &Client) -> (String, [(&'static str, String); 2]) {
    let told = log_after(owner, None).await.json();
    let of_log = told["data"]["account"]["auditLogs"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    fill(app, 60, 10).await;
    crate::models::make(app, "fraud", "{}\n".repeat(60), false).await;
    let page = async |path| {
        let page = owner.get(path).await.body;
        let (_, rest) = page.split_once("after=").unwrap();
        (path, rest.split(['"', '&', '\'']).next().unwrap().to_owned())
    };
    (of_log, [page("/acme/settings/audit-logs").await, page("/acme/models/fraud").await])
}

#[tokio::test]
async fn a_cursor_that_was_changed_is_none() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let (of_log, of_pages) = cursors(&app, &owner).await;
    let page = async |path: &str, cursor: &str| owner.get(&format!("{path}?after={}", encoded(cursor))).await;
    // Control: as they are, they are taken.
    assert_eq!(log_after(&owner, Some(&of_log)).await.json().get("errors"), None);
    for (path, cursor) in &of_pages {
        assert_eq!(page(path, cursor).await.status, 200, "{path}");
    }
    for mut random in rounds("cursors", 60) {
        if let Some(changed) = changed(&of_log, &mut random) {
            let answer = log_after(&owner, Some(&changed)).await;
            assert_eq!(complaint(&answer), None, "{changed}");
            assert!(answer.status >= 400 || is_refused(&answer), "{changed}: {}", answer.body);
        }
        for (path, cursor) in &of_pages {
            let Some(changed) = changed(cursor, &mut random) else { continue };
            let answer = page(path, &changed).await;
            assert_eq!(complaint(&answer), None, "{path} {changed}");
            assert!(answer.status >= 400, "{path} {changed}: {}", answer.status);
        }
    }
}

/// Another one, which is not nothing.
fn changed(cursor: &str, random: &mut Rng) -> Option<String> {
    Some(lossy(&like(cursor.as_bytes(), random))).filter(|changed| !changed.is_empty() && changed != cursor)
}

fn is_refused(answer: &Answer) -> bool {
    answer.json().get("errors").is_some_and(Value::is_array)
}
