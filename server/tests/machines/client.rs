//! Somebody with cookies or an access token, at one server or at a balancer.

use std::collections::BTreeMap;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::machines::Machines;

/// Password of everybody.
pub const PASSWORD: &str = "a horse of correct batteries";

/// Slug of the organization.
pub const ACME: &str = "acme";

/// A client that may go to several addresses as the same person.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    token: Option<String>,
}

impl Client {
    /// Nobody yet.
    pub fn new() -> Self {
        Self { http: reqwest::Client::builder().cookie_store(true).build().unwrap(), token: None }
    }

    /// Somebody who signs up at `url` and makes the organization `slug`.
    pub async fn found(url: &str, slug: &str) -> Self {
        let client = Self::new();
        let email = format!("owner@{slug}.example");
        client.must(url, "/api/signup", &[("name", "Ada"), ("email", &email), ("password", PASSWORD)]).await;
        client.must(url, "/api/create_organization", &[("name", slug), ("slug", slug)]).await;
        client
    }

    /// A program of [`ACME`] that may send events, read and export the trail, and use models.
    pub async fn program(machines: &Machines) -> Self {
        let mut create = vec!["token", "create", "--organization", ACME, "--name", "program"];
        let scopes = ["events:write", "audit:read", "audit:export", "models:write", "models:export"];
        create.extend(scopes.into_iter().flat_map(|scope| ["--scope", scope]));
        let said = machines.say(&create).await;
        let token = said.split_whitespace().find(|word| word.starts_with("ot_")).unwrap().to_owned();
        Self { http: reqwest::Client::new(), token: Some(token) }
    }

    /// Its access token, if it is a program.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap()
    }

    /// A request to change further.
    pub fn request(&self, method: Method, url: &str, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{url}{path}"));
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    /// GET, whose body is read by the caller.
    pub async fn open(&self, url: &str, path: &str) -> Response {
        self.request(Method::GET, url, path).send().await.unwrap()
    }

    /// GET: status and body.
    pub async fn get(&self, url: &str, path: &str) -> (u16, String) {
        let response = self.open(url, path).await;
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// What a GET that must succeed answers.
    pub async fn text(&self, url: &str, path: &str) -> String {
        let (status, body) = self.get(url, path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Posts a form; answers the status.
    pub async fn form(&self, url: &str, path: &str, fields: &[(&str, &str)]) -> u16 {
        self.request(Method::POST, url, path).form(fields).send().await.unwrap().status().as_u16()
    }

    /// Posts a form that must be taken.
    pub async fn must(&self, url: &str, path: &str, fields: &[(&str, &str)]) {
        assert_eq!(self.form(url, path, fields).await, 200, "{path}");
    }

    /// Sends events with these ids, once, each about an object of its own id; answers their indexes if they were acknowledged, else what happened.
    pub async fn send(&self, url: &str, ids: &[String]) -> Result<Vec<i64>, String> {
        self.send_with(url, ids, "").await
    }

    /// Likewise, each with `note` in it.
    pub async fn send_with(&self, url: &str, ids: &[String], note: &str) -> Result<Vec<i64>, String> {
        let events: Vec<_> = ids.iter().map(|id| event(id, note)).collect();
        let request = self.request(Method::POST, url, "/api/v1/events").json(&json!({ "events": events }));
        let answer: Value = serde_json::from_str(&taken(request).await?).unwrap();
        Ok(answer["events"].as_array().unwrap().iter().map(|event| event["index"].as_i64().unwrap()).collect())
    }

    /// Adds a record with `number` in it to the model `fraud`.
    pub async fn add_record(&self, url: &str, number: &str) {
        let request = self.request(Method::POST, url, "/api/v1/models/fraud/records");
        let request =
            request.header(CONTENT_TYPE, "application/x-ndjson").body(json!({ "number": number }).to_string());
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{:?}", response.text().await);
    }

    /// The objects of events that the trail has, as the feed tells: by index.
    pub async fn follow(&self, url: &str) -> BTreeMap<i64, String> {
        let (mut objects, mut after) = (BTreeMap::new(), -1);
        loop {
            let lines = self.text(url, &format!("/api/v1/events?after={after}&limit=1000")).await;
            if lines.is_empty() {
                return objects;
            }
            for line in lines.lines() {
                let event: Value = serde_json::from_str(line).unwrap();
                after = event["index"].to_string().parse().unwrap();
                objects.insert(after, event["object_id"].as_str().unwrap_or_default().to_owned());
            }
        }
    }

    /// A question to GraphQL about the organization.
    pub fn question(&self, url: &str, fields: &str) -> RequestBuilder {
        let query = json!({ "query": format!("{{ account {{ {fields} }} }}") });
        self.request(Method::POST, url, "/graphql").json(&query)
    }
}

/// The body of what is answered with success, else what happened.
pub async fn taken(request: RequestBuilder) -> Result<String, String> {
    let response = request.send().await.map_err(|cause| format!("{cause:?}"))?;
    let status = response.status();
    let body = response.text().await.map_err(|cause| format!("{cause:?}"))?;
    if status.is_success() { Ok(body) } else { Err(format!("{status}: {body}")) }
}

/// The objects of the changes that GraphQL shows first.
pub const CHANGES: &str = "auditLogs(first: 20) { edges { node { object { id } } } }";

fn event(id: &str, note: &str) -> Value {
    json!({
        "id": id,
        "action": "invoice.paid",
        "actor": { "user": { "id": "u-17", "name": "Grace", "email": "grace@other.example" } },
        "object": { "type": "invoice", "id": id, "name": id },
        "next": { "number": id, "note": note },
    })
}

/// Ids `{name}-0`, `{name}-1` …
pub fn ids(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{name}-{number}")).collect()
}

/// Address of the audit log's page.
pub fn page(slug: &str) -> String {
    format!("/{slug}/settings/audit-logs")
}

/// Address of the export of what [`Client::send`] sent: exports themselves are changes too.
pub fn export() -> String {
    format!("/api/export_audit_logs?organization={ACME}&action=invoice.paid&start={}&end={}", day(1), day(0))
}

/// Address of the export of the model `fraud`.
pub fn model_export() -> String {
    format!("/api/v1/models/fraud/export?start={}&end={}", day(1), day(0))
}

/// The day so many days ago, in UTC.
#[expect(clippy::disallowed_methods, reason = "the tests ask for today as a person would")]
fn day(ago: u64) -> String {
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    (now.date_naive() - chrono::Days::new(ago)).to_string()
}
