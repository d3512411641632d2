//! What somebody is answered at each door at one moment.

use chrono::{DateTime, Utc};
use futures::future::join_all;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, StatusCode};

use crate::client::{Client, breathe};
use crate::load::Tenant;

const EVENT: &str = r#"{"action":"door.opened","actor":{"user":{"id":"u-1"}}}"#;
const QUERY: &str = r#"{"query":"{ account { name } }"}"#;
const JSON: &str = "application/json";

#[expect(clippy::disallowed_methods, reason = "the tests ask for today as a person would")]
fn today() -> String {
    DateTime::<Utc>::from(std::time::SystemTime::now()).date_naive().to_string()
}

/// A question for each door.
fn questions(tenant: &Tenant) -> Vec<(&'static str, RequestBuilder)> {
    let Tenant { slug, owner, product, .. } = tenant;
    let page = owner.request("GET", &format!("/{slug}/settings/members")).header(ACCEPT, "text/html");
    let function = owner.request("POST", "/api/audit_page").form(&[("organization", slug.as_str()), ("query", "")]);
    let mutation =
        owner.request("POST", "/api/create_team").form(&[("organization", slug.as_str()), ("name", "Doors")]);
    let export = owner.request("GET", &format!("/api/export_audit_logs?organization={slug}"));
    vec![
        ("a page", page),
        ("a question of a page", function),
        ("a form", mutation),
        ("an export", export.query(&[("start", today()), ("end", today())])),
        ("events", product.request("POST", "/api/v1/events").header(CONTENT_TYPE, JSON).body(EVENT)),
        ("the feed", product.request("GET", "/api/v1/events")),
        ("GraphQL", product.request("POST", "/graphql").header(CONTENT_TYPE, JSON).body(QUERY)),
        ("readiness", owner.request("GET", "/readyz")),
    ]
}

/// Asks at every door at once; each must say that one may come again, and the process goes on living.
pub async fn assert_all_say_later(tenant: &Tenant) {
    let asked = questions(tenant).into_iter().map(async |(door, question)| {
        let answer = question.send().await.unwrap();
        let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(
            (answer.status(), retry_after.as_deref()),
            (StatusCode::SERVICE_UNAVAILABLE, Some("2")),
            "{door}: {:?}",
            answer.text().await
        );
    });
    join_all(asked).await;
    assert!(is_alive(&tenant.owner).await);
}

/// Whether the process answers what needs no database.
pub async fn is_alive(client: &Client) -> bool {
    client.request("GET", "/livez").send().await.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

/// Waits until every door answers as if nothing had been.
pub async fn until_all_are_open(tenant: &Tenant) {
    for number in 0..questions(tenant).len() {
        loop {
            let (door, question) = questions(tenant).swap_remove(number);
            let answer = question.send().await.unwrap();
            let status = answer.status().as_u16();
            let whole = answer.text().await;
            // The team may be there already; an export that was broken off may have its place still.
            if (status / 100 == 2 && whole.is_ok()) || (door == "a form" && status == 409) {
                break;
            }
            assert!(
                status == 503 || (door == "an export" && [200, 429].contains(&status)),
                "{door}: {status} {whole:?}"
            );
            breathe().await;
        }
    }
}
