//! The example, fed with real input: every payload of GitHub's webhooks that its package of examples has, in the trail once and field by field.

use std::collections::HashMap;
use std::process::Stdio;

use orgtrail::identity::access_token::Scope;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::support::{ACME, Client, TestApplication};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Deliveries of everything that is in the package: events with the payloads of examples, of GitHub itself and of its servers for others.
fn deliveries() -> Vec<Value> {
    let package = format!("{ROOT}/end2end/node_modules/@octokit/webhooks-examples");
    let folders = std::fs::read_dir(&package).expect("packages of npm: (cd end2end && npm ci)");
    let mut files: Vec<_> =
        folders.map(|entry| entry.unwrap().path().join("index.json")).filter(|file| file.exists()).collect();
    files.sort();
    let mut deliveries = Vec::new();
    for file in files {
        let hooks: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for hook in hooks {
            for payload in hook["examples"].as_array().unwrap() {
                let delivery = format!("delivery-{}", deliveries.len());
                deliveries.push(json!({ "event": hook["name"], "delivery": delivery, "payload": payload }));
            }
        }
    }
    deliveries
}

/// Runs the example on them; answers what it prints.
async fn send(app: &TestApplication, token: &str, deliveries: &[Value]) -> String {
    let mut example = Command::new("node")
        .arg(format!("{ROOT}/examples/github-webhooks.mjs"))
        .env("ORGTRAIL_URL", &app.url)
        .env("ORGTRAIL_TOKEN", token)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let lines: String = deliveries.iter().map(|delivery| format!("{delivery}\n")).collect();
    let mut input = example.stdin.take().unwrap();
    let feeding = tokio::spawn(async move { input.write_all(lines.as_bytes()).await });
    let output = example.wait_with_output().await.unwrap();
    feeding.await.unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The fields of the event that a delivery is, as an export has them.
fn expected(delivery: &Value) -> Value {
    let payload = &delivery["payload"];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut action = format!("github.{}", text(&delivery["event"]));
    if let Some(word) = payload["action"].as_str() {
        action += &format!(".{}", word.replace('-', "_"));
    }
    let sender = &payload["sender"];
    let user = |field: &str| if sender.is_null() { Value::Null } else { text(&sender[field]).into() };
    let (kind, id, name) = match (&payload["repository"], &payload["organization"]) {
        (Value::Null, Value::Null) => ("github", Value::Null, Value::Null),
        (Value::Null, organization) => {
            ("organization", text(&organization["id"]).into(), organization["login"].clone())
        }
        (repository, _) => ("repository", text(&repository["id"]).into(), repository["full_name"].clone()),
    };
    let github = |name: &str| if sender.is_null() { name.into() } else { Value::Null };
    json!({
        "kind": "change", "action": action, "outcome": "success", "previous": null, "next": payload,
        "actor_user_id": user("id"), "actor_user_name": user("login"), "actor_user_email": null,
        "actor_access_token_id": github("github"), "actor_access_token_name": github("GitHub"),
        "object_type": kind, "object_id": id, "object_name": name, "request_id": delivery["delivery"], "ip": null, "user_agent": null,
    })
}

/// Asserts that two documents are the same, but for what was secret in the one that was sent; answers how much that was.
fn same_but_for_secrets(kept: &Value, sent: &Value, path: &str) -> usize {
    match (kept, sent) {
        (Value::Object(kept), _) if kept.get("redacted") == Some(&Value::Bool(true)) => 1,
        (Value::Object(kept), Value::Object(sent)) => {
            assert!(kept.keys().eq(sent.keys()), "{path}");
            kept.iter().map(|(key, value)| same_but_for_secrets(value, &sent[key], &format!("{path}.{key}"))).sum()
        }
        (Value::Array(kept), Value::Array(sent)) => {
            assert_eq!(kept.len(), sent.len(), "{path}");
            kept.iter().zip(sent).map(|(kept, sent)| same_but_for_secrets(kept, sent, path)).sum()
        }
        _ => {
            assert_eq!(kept, sent, "{path}");
            0
        }
    }
}

/// The events of the example in lines of JSON, by the ids of their deliveries.
fn by_delivery(lines: &str) -> HashMap<String, Value> {
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let sent = events.filter(|event| !event["source_access_token_id"].is_null());
    sent.map(|event| (event["request_id"].as_str().unwrap().to_owned(), event)).collect()
}

async fn feed(client: &Client) -> String {
    let (mut after, mut all) = (-1, String::new());
    loop {
        let page = client.get(&format!("/api/v1/events?limit=1000&after={after}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let Some(last) = page.body.lines().last() else { return all };
        after = serde_json::from_str::<Value>(last).unwrap()["index"].as_i64().unwrap();
        all += &page.body;
    }
}

async fn export(app: &TestApplication, form: &str) -> String {
    let today = app.platform.clock.now().date_naive();
    let start = today - chrono::Days::new(1); // The test may begin before midnight.
    let owner = app.owner().await;
    let answer =
        owner.get(&format!("/api/export_audit_logs?organization={ACME}&start={start}&end={today}&{form}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payload_of_github_is_in_the_trail_once_and_whole() {
    let app = TestApplication::start().await;
    let (token, watcher) = (app.token(&[Scope::EventsWrite]).await, app.program_with(&[Scope::AuditRead]).await);
    let deliveries = deliveries();
    let all = deliveries.len();
    assert!(all > 700, "{all}");
    assert_eq!(send(&app, &token, &deliveries).await, format!("{all} events sent, 0 of them were recorded before\n"));
    assert_eq!(
        send(&app, &token, &deliveries).await,
        format!("{all} events sent, {all} of them were recorded before\n")
    );

    let followed = by_delivery(&feed(&watcher).await);
    assert_eq!(followed.len(), all);
    let mut secrets = 0;
    for delivery in &deliveries {
        let (event, expected) = (&followed[delivery["delivery"].as_str().unwrap()], expected(delivery));
        for (field, value) in expected.as_object().unwrap() {
            secrets += same_but_for_secrets(&event[field], value, &format!("{}.{field}", delivery["delivery"]));
        }
    }
    assert!((1..all).contains(&secrets), "{secrets} secrets, as the addresses of hooks have them");

    assert_eq!(by_delivery(&export(&app, "format=ndjson").await), followed);
    let table = export(&app, "profile=full&csv=raw").await;
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let header = rows.headers().unwrap().clone();
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut counted = 0;
    for row in rows.records() {
        let row: HashMap<&str, String> = header.iter().zip(row.unwrap().iter().map(str::to_owned)).collect();
        if row["source_access_token_id"].is_empty() {
            continue;
        }
        let event = &followed[&row["request_id"]];
        assert!(event.as_object().unwrap().iter().all(|(field, value)| row[field.as_str()] == text(value)), "{event}");
        counted += 1;
    }
    assert_eq!(counted, all);
}
