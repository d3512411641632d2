//! GraphQL over HTTP: what is refused before anything is executed, what a document may ask for, and the logs as programs read them.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApplication};

pub mod client;
mod limits;
mod logs;
pub mod mutations;
mod reads;
mod sent;

/// Sends a document, and reads what comes back whatever it is.
async fn send(client: &Client, query: &str, variables: Value) -> Answer {
    raw(client, "application/json", json!({ "query": query, "variables": variables }).to_string()).await
}

async fn raw(client: &Client, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    Answer::read(client.bare(Method::POST, "/graphql").header(CONTENT_TYPE, content_type).body(body)).await
}

/// The data of a document that is executed without an error.
#[track_caller]
fn data(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = answer.json();
    assert_eq!(body.get("errors"), None, "{}", answer.body);
    body["data"].clone()
}

/// Code and message of the only error.
#[track_caller]
fn error(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = answer.json();
    let errors = body["errors"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
    assert_eq!(errors.len(), 1, "{}", answer.body);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&errors[0]["extensions"]["code"]), text(&errors[0]["message"]))
}

/// An application with an owner who is signed in.
async fn owner() -> (TestApplication, Client) {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    (app, owner)
}
