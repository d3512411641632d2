//! The description of the routes of programs: committed, sound, and true.

use orgtrail::identity::access_token::Scope;
use orgtrail_server::http::programs::description;
use reqwest::Method;
use serde_json::Value;
use tokio::process::Command;

use crate::graphql::client::python;
use crate::support::{Answer, TestApplication};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

fn made() -> String {
    description().to_pretty_json().unwrap() + "\n"
}

#[test]
fn docs_openapi_is_what_is_served() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(COMMITTED, made()).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap();
    assert!(committed == made(), "docs/openapi.json is not what is served: UPDATE_DOCS=1 cargo test docs_openapi");
}

#[tokio::test]
async fn it_is_sound_as_a_validator_has_it() {
    let mut validator = Command::new(python().await);
    let output = validator.args(["-m", "openapi_spec_validator", COMMITTED]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Path, methods and description of each path.
fn paths(document: &Value) -> Vec<(String, Vec<String>, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let methods = |path: &Value| path.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
    paths.map(|(path, what)| (path.clone(), methods(what), what)).collect()
}

#[tokio::test]
async fn what_is_described_is_there_and_nothing_else_at_its_address() {
    let app = TestApplication::start().await;
    let served = app.anonymous().get("/api/v1/openapi.json").await;
    assert_eq!((served.status, served.header("content-type")), (200, "application/json"));
    let document = served.json();
    assert_eq!(document, serde_json::from_str::<Value>(&made()).unwrap());
    let program = app.program_with(&[Scope::AuditRead]).await;
    let paths = paths(&document);
    assert!(paths.len() >= 4, "{paths:?}");
    for (path, described, what) in paths {
        let address = path.replace(['{', '}'], "");
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = Answer::read(program.bare(method.clone(), &address)).await;
            let is_described = described.contains(&method.to_string());
            assert_eq!(answer.status != 405, is_described, "{method} {path}: {}", answer.body);
            if is_described {
                let responses = &what[method.as_str().to_lowercase()]["responses"];
                assert!(responses.get(answer.status.to_string()).is_some(), "{method} {path}: {}", answer.body);
            }
        }
        assert_eq!(app.anonymous().get(&address).await.status / 100, 4);
    }
}

#[tokio::test]
async fn a_refusal_is_as_described() {
    let app = TestApplication::start().await;
    let document: Value = serde_json::from_str(&made()).unwrap();
    let form = &document["components"]["schemas"]["Problem"];
    let program = app.program_with(&[Scope::AuditRead]).await;
    for path in ["/api/v1/events?limit=x", "/api/v1/nowhere", "/api/v1/graphs/a/branches/b/supergraph"] {
        let problem = program.get(path).await.json();
        let problem = problem.as_object().unwrap();
        for required in form["required"].as_array().unwrap() {
            assert!(problem.contains_key(required.as_str().unwrap()), "{required} is missing in {problem:?}");
        }
        assert!(problem.keys().all(|key| form["properties"].get(key).is_some()), "{problem:?}");
    }
}
