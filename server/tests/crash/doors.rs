//! What somebody is answered at each door at one moment.

use futures::future::join_all;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, StatusCode};

use crate::client::{Client, breathe};
use crate::load::Tenant;

const EVENT: &str = r#"{"action":"door.opened","actor":{"user":{"id":"u-1"}}}"#;
const QUERY: &str = r#"{"query":"{ account { name } }"}"#;
const JSON: &str = "application/json";

/// A question for each door.
fn questions(tenant: &Tenant) -> Vec<(&'static str, RequestBuilder)> {
    let Tenant { slug, owner, product, .. } = tenant;
    let page = owner.request("GET", &format!("/{slug}/settings/members")).header(ACCEPT, "text/html");
    let function = owner.request("POST", "/api/audit_page").form(&[("organization", slug.as_str()), ("query", "")]);
    let mutation = owner.request("POST", "/api/create_team").form(&[("organization", slug.as_str()), ("name", "Doors")]);
    let export = owner.request("GET", &format!("/api/export_audit_logs?organization={slug}"));
    vec![
        ("a page", page),
        ("a question of a page", function),
        ("a form", mutation),
        ("an export", export.query(&[("start", "2000-01-01T00:00:00Z")])),
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
            let status = question.send().await.unwrap().status().as_u16();
            // 409: the team is there already. 422: the export began too early, and is asked for no more than that.
            if (200..300).contains(&status) || status == 409 || (door == "an export" && status == 422) {
                break;
            }
            assert_eq!(status, 503, "{door}");
            breathe().await;
        }
    }
}
