//! Mutations that are sent as forms, in the trail (contract §5).

use std::time::Duration;

use leptos::server_fn::axum::server_fn_paths;
use orgtrail::identity::access_token::Scope;
use orgtrail_server::audit::mutations::{QUESTIONS, SIGN_INS};
use serde_json::{Value, json};

use crate::support::{ACME, PASSWORD, TestApplication};

/// The trail of an organization from its beginning: what is asked for of each event.
pub async fn trail(app: &TestApplication, slug: &str) -> Vec<Value> {
    sqlx::query_scalar(
        "select json_build_object('action', e.action, 'outcome', e.outcome, 'user', actor_user_email, 'token', actor_access_token_name,
            'name', operation_name, 'text', operation_text, 'variables', operation_variables, 'runs', operation_root_fields,
            'request', request_id, 'document', encode(operation_document_sha256, 'hex'), 'transaction', e.xmin::text)
        from orgtrail.events e join orgtrail.organizations o on o.id = e.organization_id where o.slug = $1 order by e.index",
    )
    .bind(slug)
    .fetch_all(&app.superuser)
    .await
    .unwrap()
}

/// The mutations in it.
pub async fn mutations(app: &TestApplication, slug: &str) -> Vec<Value> {
    trail(app, slug).await.into_iter().filter(|event| event["action"] == "mutation.sent").collect()
}

/// The mutations, as soon as there are `count`: those of accounts are copied into trails.
pub async fn mutations_when(app: &TestApplication, slug: &str, count: usize) -> Vec<Value> {
    loop {
        let found = mutations(app, slug).await;
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_mutation_and_what_it_did_are_one_transaction() {
    let app = TestApplication::start().await;
    let fields = [("organization", ACME), ("name", "Security")];
    assert_eq!(app.owner().await.call("/api/create_team", &fields).await.status, 200);
    let mut trail = trail(&app, ACME).await;
    trail.retain(|event| event["action"] != "login.attempted"); // these are copied when they are
    let [.., did, sent] = trail.as_slice() else { panic!("{trail:?}") };
    assert_eq!((&did["action"], &sent["action"]), (&json!("team.created"), &json!("mutation.sent")));
    assert_eq!((&did["transaction"], &did["request"]), (&sent["transaction"], &sent["request"]));
    assert_eq!(sent["user"], app.owner.email);
    assert_eq!((&sent["name"], &sent["text"]), (&json!("create_team"), &json!("POST /api/create_team")));
    assert_eq!(sent["variables"], json!({ "organization": ACME, "name": "Security" }));
    assert_eq!((&sent["runs"], &sent["outcome"]), (&json!(["create_team"]), &json!("success")));
    let page = app.owner().await.get("/acme/settings/audit-logs?kind=operation&action=mutation.sent").await.body;
    assert!(page.contains("Sent mutation") && page.contains("create_team"), "{page}");
    let id: String = sqlx::query_scalar("select id::text from orgtrail.events where action = 'mutation.sent'")
        .fetch_one(&app.superuser)
        .await
        .unwrap();
    let opened = app.owner().await.get(&format!("/acme/settings/audit-logs?kind=operation&event={id}")).await.body;
    assert!(opened.contains("POST /api/create_team") && opened.contains(r#""name":"Security"}<"#), "{opened}");
}

#[tokio::test]
async fn what_is_refused_or_fails_is_recorded_alone() {
    let app = TestApplication::start().await;
    let path = "/api/create_team";
    let (owner, stranger) = (app.owner().await, app.stranger().await);
    let token = app.program_with(&[Scope::AuditRead]).await;
    let refused = app.member().await.call(path, &[("organization", ACME), ("name", "Mine")]).await;
    refused.assert_problem(403, "FORBIDDEN");
    owner.call(path, &[("organization", ACME), ("name", " ")]).await.assert_problem(422, "BAD_USER_INPUT");
    token.call(path, &[("organization", ACME), ("name", "Robots")]).await.assert_problem(403, "FORBIDDEN");
    token.call(path, &[("organization", "elsewhere"), ("name", "A\0")]).await.assert_problem(404, "NOT_FOUND");
    stranger.call(path, &[("organization", ACME), ("name", "Theirs")]).await.assert_problem(404, "NOT_FOUND");
    let sent = mutations(&app, ACME).await;
    let told: Vec<_> =
        sent.iter().map(|event| (event["outcome"].as_str().unwrap(), &event["variables"]["name"])).collect();
    let names = ["Mine", " ", "Robots", "A\u{fffd}"].map(Value::from);
    let outcomes = ["denied", "failure", "denied", "failure"];
    assert_eq!(
        told,
        outcomes.into_iter().zip(&names).collect::<Vec<_>>(),
        "what strangers send here is not of this trail"
    );
    assert_eq!((&sent[2]["token"], &sent[2]["user"]), (&json!("SIEM"), &Value::Null));
}

#[tokio::test]
async fn what_belongs_to_an_account_is_told_to_its_organizations_without_secrets() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let wrong = [("current_password", "canary one"), ("new_password", "canary two, which is long")];
    owner.call("/api/change_password", &wrong).await.assert_problem(422, "BAD_USER_INPUT");
    owner
        .call("/api/change_password", &[("current_password", PASSWORD), ("new_password", "x")])
        .await
        .assert_problem(422, "BAD_USER_INPUT");
    assert_eq!(owner.call("/api/update_account", &[("name", "Countess")]).await.status, 200);
    assert_eq!(owner.call("/api/update_account", &[("name", "Countess")]).await.status, 200);
    assert_eq!(owner.call("/api/logout", &[]).await.status, 200);
    let sent = mutations_when(&app, ACME, 5).await;
    let told: Vec<_> =
        sent.iter().map(|event| (event["name"].as_str().unwrap(), event["outcome"].as_str().unwrap())).collect();
    let expected = [
        ("change_password", "failure"),
        ("change_password", "failure"),
        ("update_account", "success"),
        ("update_account", "success"),
        ("logout", "success"),
    ];
    assert_eq!(told, expected);
    assert!(sent.iter().all(|event| event["user"] == app.owner.email), "{sent:?}");
    let stored: String = sqlx::query_scalar(
        "select string_agg(coalesce(operation::text, ''), '') || (select string_agg(e::text, '') from orgtrail.events e) from orgtrail.sign_in_attempts",
    )
    .fetch_one(&app.superuser)
    .await
    .unwrap();
    assert!(stored.contains("Countess") && !stored.contains("canary") && !stored.contains(PASSWORD), "{stored}");
}

#[tokio::test]
async fn questions_and_sign_ins_are_no_mutations() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let paths: Vec<&str> = server_fn_paths().map(|(path, _)| path).collect();
    for path in QUESTIONS.iter().chain(&SIGN_INS) {
        assert!(paths.contains(path), "{path} is a server function");
        owner.call(path, &[("organization", ACME)]).await;
    }
    // What comes last is recorded last: nothing before it is on its way any more.
    owner.call("/api/update_account", &[("name", "Last")]).await;
    assert_eq!(mutations_when(&app, ACME, 1).await.len(), 1);
    let changes = [
        "accept_", "add_", "change_", "create_", "delete_", "end_", "grant_", "publish_", "remove_", "request_",
        "update_",
    ];
    for question in QUESTIONS {
        assert!(!changes.iter().any(|verb| question.trim_start_matches("/api/").starts_with(verb)), "{question}");
    }
}
