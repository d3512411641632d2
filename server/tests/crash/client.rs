//! A client that goes on, whatever happens to the server.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

/// A program with cookies or an access token, at whatever address the server has now.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: watch::Receiver<String>,
}

impl Client {
    /// One that can sign in.
    pub fn new(url: &watch::Receiver<String>) -> Self {
        Self::with(url, HeaderMap::new())
    }

    /// One with an access token.
    pub fn with_token(url: &watch::Receiver<String>, token: &str) -> Self {
        Self::with(url, HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]))
    }

    fn with(url: &watch::Receiver<String>, headers: HeaderMap) -> Self {
        let http = reqwest::Client::builder().cookie_store(true).default_headers(headers);
        Self { http: http.build().unwrap(), url: url.clone() }
    }

    /// A request, wherever the server is.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", *self.url.borrow());
        self.http.request(method.parse().unwrap(), url)
    }

    /// Posts a form; answers the id of the request if it was acknowledged, nothing if it is not known what became of it.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Option<String> {
        let answer = acknowledged(path, self.request("POST", path).form(fields)).await?;
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        // The headers alone are no acknowledgement.
        answer.bytes().await.ok().map(|_| id)
    }

    /// Posts a form that must be acknowledged.
    pub async fn must(&self, path: &str, fields: &[(&str, &str)]) {
        self.post(path, fields).await.unwrap_or_else(|| panic!("{path} was not answered"));
    }

    /// Sends events under a key; answers what became of each, if they were acknowledged.
    pub async fn send(&self, key: &str, body: &Value) -> Option<Value> {
        let request = self.request("POST", "/api/v1/events").header("idempotency-key", key);
        let answer = acknowledged(key, request.header(CONTENT_TYPE, "application/json").body(body.to_string())).await?;
        let text = answer.text().await.ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    /// Whether the server can serve.
    pub async fn is_ready(&self) -> bool {
        self.request("GET", "/readyz").send().await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Waits until it can.
    pub async fn until_ready(&self) {
        while !self.is_ready().await {
            breathe().await;
        }
    }
}

/// The answer, if it is an acknowledgement. Whatever happens to the database, no other answer is known than that one may come again.
async fn acknowledged(what: &str, request: RequestBuilder) -> Option<Response> {
    let answer = request.send().await.ok()?;
    let status = answer.status();
    if status.is_success() {
        return Some(answer);
    }
    let may_come_again = answer.headers().contains_key("retry-after");
    let text = answer.text().await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && may_come_again, "{what}: {status} {text:?}");
    None
}

/// After what was not answered: a breath, until the next try.
pub async fn breathe() {
    sleep(Duration::from_millis(20)).await;
}
