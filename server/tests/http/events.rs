//! Events of other products over `/api/v1/events`: sent once however often, and followed without gaps (contract §6).

use std::collections::HashSet;

use futures::future::join_all;
use orgtrail::identity::access_token::Scope;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApplication};

const EVENTS: &str = "/api/v1/events";
const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

fn event(id: &str) -> Value {
    json!({ "id": id, "action": "invoice.paid", "actor": { "user": { "id": "u-1", "name": "Ada" } }, "next": { "total": 1 } })
}

async fn send(client: &Client, media_type: &str, key: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
    let request = client.bare(Method::POST, EVENTS).header(CONTENT_TYPE, media_type).body(body);
    Answer::read(match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    })
    .await
}

/// What the feed has after an index: its lines, and until when it is complete.
async fn follow(client: &Client, query: &str) -> (Vec<Value>, String) {
    let answer = client.get(&format!("{EVENTS}{query}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, NDJSON), "{}", answer.body);
    let lines = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, answer.header("audit-complete-through").to_owned())
}

async fn sent(app: &TestApplication) -> i64 {
    sqlx::query_scalar("select count(*) from orgtrail.events where source_access_token_id is not null")
        .fetch_one(&app.superuser)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_was_sent_is_in_the_trail_as_it_was() {
    let app = TestApplication::start().await;
    let product = app.program_with(&[Scope::EventsWrite]).await;
    let one = send(&product, JSON, None, event("a").to_string()).await;
    assert_eq!(one.status, 201, "{}", one.body);
    let lines = format!(
        "{}\n{}\n",
        event("b"),
        r#"{"action":"door.opened","actor":{"access_token":{"id":"k"}},"previous":{"a": 1.0}}"#
    );
    let two = send(&product, NDJSON, None, lines).await;
    let placed = two.json()["events"].clone();
    assert_eq!(
        (two.status, placed[0]["client_id"].as_str(), placed[1]["known"].as_bool()),
        (201, Some("b"), Some(false))
    );
    let watcher = app.program_with(&[Scope::AuditRead]).await;
    let after = one.json()["events"][0]["index"].as_i64().unwrap() - 1;
    let (told, _) = follow(&watcher, &format!("?after={after}")).await;
    let told: Vec<_> =
        told.iter().filter(|event| event["kind"] == "change" && !event["source_access_token_id"].is_null()).collect();
    let actions: Vec<_> = told.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["invoice.paid", "invoice.paid", "door.opened"]);
    assert_eq!((&told[0]["actor_user_name"], &told[2]["actor_access_token_id"]), (&json!("Ada"), &json!("k")));
    assert_eq!((&told[1]["id"], &told[1]["index"]), (&placed[0]["id"], &placed[0]["index"]));
    let kept: String = sqlx::query_scalar("select previous::text from orgtrail.events where action = 'door.opened'")
        .fetch_one(&app.superuser)
        .await
        .unwrap();
    assert_eq!(kept, r#"{"a": 1.0}"#, "byte for byte");
}

#[tokio::test]
async fn what_is_sent_again_is_recorded_once() {
    let app = TestApplication::start().await;
    let product = app.program_with(&[Scope::EventsWrite]).await;
    let batch = |ids: &[&str]| json!({ "events": ids.iter().map(|id| event(id)).collect::<Vec<_>>() }).to_string();
    let first = send(&product, JSON, Some("k-1"), batch(&["a", "b"])).await;
    let again = send(&product, JSON, Some("k-1"), batch(&["a", "b"])).await;
    assert_eq!((first.status, again.status, again.header("idempotent-replayed")), (201, 200, "true"));
    assert_eq!(first.body, again.body);
    send(&product, JSON, Some("k-1"), batch(&["c"])).await.assert_problem(422, "BAD_USER_INPUT");
    let half = send(&product, JSON, None, batch(&["b", "c"])).await;
    let known: Vec<_> =
        half.json()["events"].as_array().unwrap().iter().map(|event| event["known"].as_bool().unwrap()).collect();
    assert_eq!((half.status, known), (201, vec![true, false]));
    assert_eq!(half.json()["events"][0]["index"], first.json()["events"][1]["index"]);
    assert_eq!(send(&product, JSON, None, batch(&["b", "c"])).await.status, 200);
    let mut other = event("a");
    other["next"]["total"] = json!(2);
    let refused = send(&product, JSON, None, other.to_string()).await;
    refused.assert_problem(422, "BAD_USER_INPUT");
    assert_eq!(
        refused.json()["errors"][0]["field"].as_str().or(refused.json()["field"].as_str()),
        Some("id"),
        "{}",
        refused.body
    );
    assert_eq!(sent(&app).await, 3);
    // Another token of the organization has keys of its own; ids are the organization's.
    let other = app.program_with(&[Scope::EventsWrite]).await;
    assert_eq!(send(&other, JSON, Some("k-1"), batch(&["d"])).await.status, 201);
    assert_eq!(send(&other, JSON, None, batch(&["a"])).await.status, 200);
}

#[tokio::test]
async fn a_bad_event_keeps_the_whole_request_out() {
    let app = TestApplication::start().await;
    let product = app.program_with(&[Scope::EventsWrite]).await;
    let mut bad = event("b");
    bad["actor"] = json!({});
    let refused = send(&product, JSON, None, json!({ "events": [event("a"), bad] }).to_string()).await;
    refused.assert_problem(422, "BAD_USER_INPUT");
    assert!(refused.body.contains("events[1].actor"), "{}", refused.body);
    for (media_type, key, body, status) in [
        (JSON, None, String::new(), 422),
        (JSON, None, "{".to_owned(), 422),
        ("text/plain", None, event("a").to_string(), 415),
        (JSON, Some("with space"), event("a").to_string(), 400),
        (JSON, None, " ".repeat(1024 * 1024 + 1), 413),
    ] {
        let refused = send(&product, media_type, key, body).await;
        refused.assert_problem(status, "BAD_USER_INPUT");
    }
    for (scope, method, status) in [(Scope::AuditRead, Method::POST, 403), (Scope::EventsWrite, Method::GET, 403)] {
        let client = app.program_with(&[scope]).await;
        let request = client.bare(method, EVENTS).header(CONTENT_TYPE, JSON).body(event("a").to_string());
        Answer::read(request).await.assert_problem(status, "FORBIDDEN");
    }
    let nobody = app.owner().await;
    send(&nobody, JSON, None, event("a").to_string()).await.assert_problem(401, "UNAUTHENTICATED");
    assert_eq!(sent(&app).await, 0);
}

#[tokio::test]
async fn a_follower_sees_every_event_once_while_sixteen_write() {
    const WRITERS: usize = 16;
    const REQUESTS: usize = 12;
    let app = TestApplication::start().await;
    let product = app.program_with(&[Scope::EventsWrite]).await;
    let watcher = app.program_with(&[Scope::AuditRead]).await;
    let write = async |writer: usize| {
        for request in 0..REQUESTS {
            // Every second request is sent twice at once.
            let body =
                json!({ "events": [event(&format!("{writer}-{request}")), event(&format!("{writer}-{request}-b"))] })
                    .to_string();
            let copies = 1 + request % 2;
            let answers = join_all((0..copies).map(|_| send(&product, JSON, None, body.clone()))).await;
            assert!(answers.iter().all(|answer| [200, 201].contains(&answer.status)), "{}", answers[0].body);
        }
    };
    let expected = WRITERS * REQUESTS * 2;
    let read = async || {
        let (mut after, mut seen) = (-1, Vec::new());
        while seen.iter().filter(|(_, is_sent)| *is_sent).count() < expected {
            let (lines, complete_through) = follow(&watcher, &format!("?after={after}&limit=37")).await;
            assert!(!complete_through.is_empty());
            for line in lines {
                after = line["index"].as_i64().unwrap();
                seen.push((after, !line["source_access_token_id"].is_null()));
            }
        }
        seen
    };
    let (_, seen) = futures::future::join(join_all((0..WRITERS).map(write)), read()).await;
    let indexes: Vec<i64> = seen.iter().map(|(index, _)| *index).collect();
    assert_eq!(indexes, (0..i64::try_from(indexes.len()).unwrap()).collect::<Vec<_>>(), "no gap and no repeat");
    assert_eq!(sent(&app).await, i64::try_from(expected).unwrap());
    let ids: Vec<String> =
        sqlx::query_scalar("select client_id from orgtrail.ingested_ids").fetch_all(&app.superuser).await.unwrap();
    assert_eq!((ids.len(), ids.iter().collect::<HashSet<_>>().len()), (expected, expected));
}

#[tokio::test]
async fn a_follower_who_comes_too_late_is_told_where_to_go_on() {
    let app = TestApplication::start().await;
    let watcher = app.program_with(&[Scope::AuditRead]).await;
    let (all, _) = follow(&watcher, "").await;
    assert_eq!(all[0]["index"], 0);
    assert_eq!(follow(&watcher, &format!("?after={}", all.len() + 1000)).await.0, Vec::<Value>::new());
    for query in ["?after=x", "?after=-2", "?limit=0", "?limit=1001", "?since=1"] {
        watcher.get(&format!("{EVENTS}{query}")).await.assert_problem(422, "BAD_USER_INPUT");
    }
    // As if its partition had been dropped: a superuser alone can take the triggers away that refuse it.
    let forget = "do $$ declare partition regclass; begin
        for partition in select inhrelid::regclass from pg_inherits where inhparent = 'orgtrail.events'::regclass loop
            execute format('alter table %s disable trigger all', partition);
            execute format('delete from %s where index = 0', partition);
        end loop; end $$";
    sqlx::query(forget).execute(&app.superuser).await.unwrap();
    let late = watcher.get(&format!("{EVENTS}?after=-1")).await;
    late.assert_problem(410, "BAD_CURSOR");
    assert!(late.body.contains("after=0"), "{}", late.body);
    assert_eq!(follow(&watcher, "").await.0[0]["index"], 1);
}
