//! Every server function has a rule here: one more is a decision.

use leptos::server_fn::axum::server_fn_paths;
use reqwest::Method;

use crate::support::{Answer, TestApplication};

/// What a server function is, seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// For whoever is not signed in yet, or any more.
    Anybody,
    /// Nobody gets anything: 401.
    SignedIn,
}

const RULES: [(&str, &str, Rule); 16] = [
    ("GET", "/api/export_audit_logs", Rule::SignedIn),
    ("POST", "/api/audit_actors", Rule::SignedIn),
    ("POST", "/api/audit_count", Rule::SignedIn),
    ("POST", "/api/audit_event", Rule::SignedIn),
    ("POST", "/api/audit_page", Rule::SignedIn),
    ("POST", "/api/change_member_role", Rule::SignedIn),
    ("POST", "/api/create_organization", Rule::SignedIn),
    ("POST", "/api/flash", Rule::Anybody),
    ("POST", "/api/login", Rule::Anybody),
    ("POST", "/api/logout", Rule::Anybody),
    ("POST", "/api/members_page", Rule::SignedIn),
    ("POST", "/api/organization_view", Rule::SignedIn),
    ("POST", "/api/remove_member", Rule::SignedIn),
    ("POST", "/api/signup", Rule::Anybody),
    ("POST", "/api/update_organization", Rule::SignedIn),
    ("POST", "/api/viewer", Rule::SignedIn),
];

/// Every argument that some server function takes; each ignores the others'.
const ARGUMENTS: [(&str, &str); 10] = [
    ("organization", "acme"),
    ("slug", "acme"),
    ("name", "Acme"),
    ("query", ""),
    ("search", ""),
    ("id", "x"),
    ("event", "x"),
    ("user_id", "x"),
    ("role", "member"),
    ("raw_query", ""),
];

#[tokio::test]
async fn every_server_function_has_a_rule_and_keeps_it() {
    let app = TestApplication::start().await;
    let mut registered: Vec<_> =
        server_fn_paths().map(|(path, method)| (method.to_string(), path.to_owned())).collect();
    registered.sort();
    let known: Vec<_> = RULES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(registered, known);
    for (method, path, _) in RULES.iter().filter(|(_, _, rule)| *rule == Rule::SignedIn) {
        let method: Method = method.parse().unwrap();
        let request = app.program().bare(method.clone(), path);
        let request = if method == Method::POST { request.form(&ARGUMENTS) } else { request };
        let answer = Answer::read(request).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_changes_something_is_no_get() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    for (_, path, _) in RULES.iter().filter(|(method, ..)| *method == "POST") {
        assert_eq!(owner.get(path).await.status, 405, "{path}");
    }
}
